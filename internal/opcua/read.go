package opcua

import (
	"context"

	"github.com/gopcua/opcua/ua"

	"andon/internal/sample"
)

// NodeReading is one tag as it is at the server now.
type NodeReading struct {
	Item    Item
	Reading sample.Reading
	Time    sample.Time // source time; the server's when there is none
	Server  sample.Time // the server's clock when it answered
}

// Read connects, reads every tag once, in the order of Options.Items, and goes.
// A node that cannot be read is a bad reading with the server's status. The
// error is that of the connection. It has nothing to do with Run, and may be
// called beside it.
func (s *Source) Read(ctx context.Context) ([]NodeReading, error) {
	session, end, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	l, err := session.askLimits(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]NodeReading, len(s.items))
	var nodes []*ua.NodeID
	var where []int
	for i, it := range s.items {
		all[i] = NodeReading{Item: it.Item}
		id, ok := it.node.id(l.namespaces)
		if !ok {
			all[i].Reading = sample.Reading{Tag: it.Tag, Quality: sample.Bad, Status: StatusNamespace}
			continue
		}
		nodes, where = append(nodes, id), append(where, i)
	}
	err = session.readAll(ctx, l.read, nodes, func(i int, v *ua.DataValue, at sample.Time) {
		r, it := &all[where[i]], s.items[where[i]]
		r.Reading, r.Time, r.Server = it.reading(v), instant(v, at), at
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// readAll reads nodes in as many calls as the server, which takes most of them
// in one (0: it does not say), needs. got is called for each, by its index.
func (s *session) readAll(ctx context.Context, most int, nodes []*ua.NodeID, got func(i int, v *ua.DataValue, at sample.Time)) error {
	size := maxBatch
	if most > 0 {
		size = min(size, most)
	}
	for done := 0; done < len(nodes); {
		part := nodes[done:min(done+size, len(nodes))]
		values, at, err := s.readNodes(ctx, part)
		if tooMany(err) && len(part) > 1 {
			size = len(part) / 2
			continue
		}
		if err != nil {
			return err
		}
		for i, v := range values {
			got(done+i, v, at)
		}
		done += len(part)
	}
	return nil
}
