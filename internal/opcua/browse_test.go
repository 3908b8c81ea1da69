package opcua

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/sample"
)

func browse(t *testing.T, o Options, from string) map[string]Found {
	t.Helper()
	found := map[string]Found{}
	if err := Browse(t.Context(), o, from, func(f Found) error {
		if _, twice := found[f.Node]; twice {
			t.Errorf("%s is told twice", f.Node)
		}
		found[f.Node] = f
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestBrowse finds the variable of a server under the id that the settings take,
// with its value.
func TestBrowse(t *testing.T) {
	endpoint, set := toy(t)
	set(885.5, time.Now())
	o := Options{Name: "plc", Endpoint: endpoint, Policy: "None", Mode: "None", Insecure: true}
	all := browse(t, o, "nsu=urn:test;i=85") // this server has an objects folder of its own in each namespace
	f, ok := all["nsu=urn:test;s=TC1"]
	if !ok || !f.Variable || !strings.HasSuffix(f.Path, "TC1") || f.Reading.Value != sample.FloatValue(885.5) || f.Time == 0 {
		t.Errorf("found %+v among %v", f, all)
	}
	enough := errors.New("enough")
	if err := Browse(t.Context(), o, "", func(Found) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("a reader that has gone: %v", err)
	}
	if err := Browse(t.Context(), o, "nsu=urn:nobody;s=x", func(Found) error { return nil }); err == nil || !strings.Contains(err.Error(), "urn:test") {
		t.Errorf("an unknown namespace: %v; want the known ones named", err)
	}
	if err := Browse(t.Context(), o, "ns=1;s=absent", func(Found) error { return nil }); err == nil || !strings.Contains(err.Error(), "BadNodeIdUnknown") {
		t.Errorf("a node that is not there: %v", err)
	}
}

// TestNodeBrowse: over a secure channel to node-opcua, from a node on.
func TestNodeBrowse(t *testing.T) {
	n := startNode(t, nodeOptions{Vars: []variable{{Name: "TC1", Type: "Double", Value: 20}, {Name: "Phase", Type: "Int32", Value: 2}}})
	found := browse(t, secured(t, n, "Basic256Sha256", "SignAndEncrypt"), "")
	for node, want := range map[string]sample.Value{"nsu=urn:andon:peer;s=TC1": sample.FloatValue(20), "nsu=urn:andon:peer;s=Phase": sample.IntValue(2)} {
		if f := found[node]; f.Reading.Value != want || !f.Variable {
			t.Errorf("%s: found %+v", node, f)
		}
	}
}

// TestNodeOf: what is printed reads back as the same node.
func TestNodeOf(t *testing.T) {
	namespaces := []string{"http://opcfoundation.org/UA/", "urn:a;b%"}
	for _, id := range []*ua.NodeID{
		ua.NewTwoByteNodeID(85), ua.NewNumericNodeID(1, 70000), ua.NewStringNodeID(1, "a=b;c"), ua.NewStringNodeID(7, "x"),
		ua.NewGUIDNodeID(1, "72962B91-FA75-4AE6-8D28-B404DC7DAF63"), ua.NewByteStringNodeID(1, []byte{0, 1, 255}),
	} {
		text := nodeOf(id, namespaces).String()
		n, err := parseNode(text)
		if err != nil {
			t.Errorf("%v is written %s: %v", id, text, err)
			continue
		}
		back, ok := n.id(namespaces)
		if !ok || back.String() != id.String() {
			t.Errorf("%v is written %s and reads back as %v", id, text, back)
		}
	}
}
