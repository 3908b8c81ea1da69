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
	size := maxBatch
	if l.read > 0 {
		size = min(size, l.read)
	}
	for len(nodes) > 0 {
		n := min(size, len(nodes))
		values, at, err := session.readNodes(ctx, nodes[:n])
		if tooMany(err) && n > 1 {
			size = n / 2
			continue
		}
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			r := &all[where[i]]
			r.Reading, r.Time, r.Server = s.items[where[i]].reading(v), instant(v, at), at
		}
		nodes, where = nodes[n:], where[n:]
	}
	return all, nil
}
