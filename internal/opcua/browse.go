package opcua

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/gopcua/opcua/ua"

	"andon/internal/sample"
)

// Found is a node of a server's address space.
type Found struct {
	Path     string // display names from the start on, joined by /
	Node     string // its id, as the settings take it
	Variable bool   // else it only holds others
	Reading  sample.Reading
	Time     sample.Time // source time of the reading
}

// Bounds on a walk: a server may well have a circle, or no end.
const (
	browseDepth = 32
	browseNodes = 50_000
	// browseAtOnce is how many references one answer may hold: far below
	// maxMessage, unless names are very long.
	browseAtOnce = 500
)

// objectsFolder is where a server's own nodes begin (OPC 10000-5); serverNode is
// what it says of itself, which is the same in all of them; hierarchical is the
// type of all references that lead down.
const (
	objectsFolder = 85
	serverNode    = 2253
	hierarchical  = 33
)

// Browse connects as o says, walks down from a node ("" for the objects folder),
// and calls fn with every object and variable, each once, a variable with its
// value, in the order of the server. It stops at the first error of fn.
func Browse(ctx context.Context, o Options, from string, fn func(Found) error) error {
	s, err := New(o)
	if err != nil {
		return err
	}
	session, end, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer end()
	l, err := session.askLimits(ctx)
	if err != nil {
		return err
	}
	start := ua.NewNumericNodeID(0, objectsFolder)
	if from != "" {
		n, err := parseNode(from)
		if err != nil {
			return err
		}
		id, ok := n.id(l.namespaces)
		if !ok {
			return fmt.Errorf("%s: %s; it has %q", from, StatusNamespace, l.namespaces)
		}
		start = id
	}
	b := &browser{session: session, namespaces: l.namespaces, seen: map[string]bool{nodeOf(start, l.namespaces).String(): true}, tell: fn}
	return b.walk(ctx, start, "", 0)
}

// browser walks an address space.
type browser struct {
	session    *session
	namespaces []string
	seen       map[string]bool
	tell       func(Found) error
}

func (b *browser) walk(ctx context.Context, at *ua.NodeID, path string, depth int) error {
	if depth > browseDepth {
		return nil // no plant is so deep: it goes in circles under new names
	}
	refs, err := b.children(ctx, at)
	if err != nil {
		return fmt.Errorf("browse %s: %w", nodeOf(at, b.namespaces), err)
	}
	for _, r := range refs {
		if err := b.visit(ctx, r, path, depth); err != nil {
			return err
		}
	}
	return nil
}

func (b *browser) visit(ctx context.Context, r *ua.ReferenceDescription, path string, depth int) error {
	if r == nil || r.NodeID == nil || r.NodeID.NodeID == nil || r.NodeID.ServerIndex != 0 {
		return nil // nothing, or a node of another server
	}
	id := r.NodeID.NodeID
	n := nodeOf(id, b.namespaces)
	if b.seen[n.String()] || n == (node{kind: 'i', num: serverNode}) {
		return nil
	}
	if len(b.seen) >= browseNodes {
		return fmt.Errorf("the server has more than %d nodes: begin further down, with --from", browseNodes)
	}
	b.seen[n.String()] = true
	f := Found{Path: path + nameOf(r), Node: n.String(), Variable: r.NodeClass == ua.NodeClassVariable}
	if f.Variable {
		if err := b.read(ctx, id, &f); err != nil {
			return err
		}
	}
	if err := b.tell(f); err != nil {
		return err
	}
	return b.walk(ctx, id, f.Path+"/", depth+1)
}

// read reads a variable's value; one that cannot be read has a bad reading.
func (b *browser) read(ctx context.Context, id *ua.NodeID, f *Found) error {
	it, err := newItem(Item{Node: f.Node})
	if err != nil {
		f.Reading = sample.Reading{Quality: sample.Bad, Status: err.Error()}
		return nil //nolint:nilerr // an id that the settings cannot name is a finding, not the end of the walk
	}
	values, at, err := b.session.readNodes(ctx, []*ua.NodeID{id})
	if err != nil {
		return fmt.Errorf("read %s: %w", f.Node, err)
	}
	f.Reading, f.Time = it.reading(values[0]), instant(values[0], at)
	return nil
}

// nameOf is a node's name for people.
func nameOf(r *ua.ReferenceDescription) string {
	name := ""
	if r.DisplayName != nil {
		name = r.DisplayName.Text
	}
	if name == "" && r.BrowseName != nil {
		name = r.BrowseName.Name
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '/' {
			return '_' // a name of the server's must not draw on our terminal, or look like two
		}
		return c
	}, name)
}

// children asks for all references down from a node, in as many answers as the
// server wants.
func (b *browser) children(ctx context.Context, at *ua.NodeID) ([]*ua.ReferenceDescription, error) {
	resp, err := ask[*ua.BrowseResponse](ctx, b.session, &ua.BrowseRequest{
		View:                          &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)},
		RequestedMaxReferencesPerNode: browseAtOnce,
		NodesToBrowse: []*ua.BrowseDescription{{NodeID: at, BrowseDirection: ua.BrowseDirectionForward, ReferenceTypeID: ua.NewNumericNodeID(0, hierarchical),
			IncludeSubtypes: true, NodeClassMask: uint32(ua.NodeClassObject | ua.NodeClassVariable), ResultMask: uint32(ua.BrowseResultMaskAll)}},
	})
	if err != nil {
		return nil, err
	}
	var all []*ua.ReferenceDescription
	results := resp.Results
	for {
		if len(results) != 1 || results[0] == nil {
			return nil, fmt.Errorf("the server answered %d results for one node", len(results))
		}
		if r := results[0]; r.StatusCode != ua.StatusGood {
			return nil, named(r.StatusCode)
		}
		all = append(all, results[0].References...)
		point := results[0].ContinuationPoint
		if len(point) == 0 || len(all) >= browseNodes {
			return all, nil
		}
		next, err := ask[*ua.BrowseNextResponse](ctx, b.session, &ua.BrowseNextRequest{ContinuationPoints: [][]byte{point}})
		if err != nil {
			return nil, err
		}
		results = next.Results
	}
}

// nodeOf is a node id as the settings write it, by the namespace's name where
// the server tells it: its number may be another one after an update.
func nodeOf(id *ua.NodeID, namespaces []string) node {
	n := node{ns: id.Namespace()}
	if n.ns != 0 && int(n.ns) < len(namespaces) {
		n.uri, n.ns = namespaces[n.ns], 0
	}
	switch id.Type() {
	case ua.NodeIDTypeString:
		n.kind, n.text = 's', id.StringID()
	case ua.NodeIDTypeGUID:
		n.kind, n.text = 'g', id.StringID()
	case ua.NodeIDTypeByteString:
		b, err := base64.StdEncoding.DecodeString(id.StringID())
		if err != nil {
			b = []byte(id.StringID()) // not the library's usual text: shown as it is
		}
		n.kind, n.text = 'b', string(b)
	default: // the three numeric forms
		n.kind, n.num = 'i', id.IntID()
	}
	return n
}
