package opcua

import (
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
)

func TestParseNode(t *testing.T) {
	namespaces := []string{"http://opcfoundation.org/UA/", "urn:server", "urn:plc:furnace", "urn:a;b%c"}
	for _, c := range []struct{ in, want string }{
		{"i=2258", "i=2258"},
		{"ns=0;i=2258", "i=2258"},
		{"ns=2;s=Phase", "ns=2;s=Phase"},
		{"ns=2;s=a;b=c", "ns=2;s=a;b=c"},
		{"s=nsu=x", "s=nsu=x"},
		{"nsu=urn:plc:furnace;s=TC1", "ns=2;s=TC1"},
		{"nsu=urn:plc:furnace;i=4294967295", "ns=2;i=4294967295"},
		{"nsu=urn:a%3Bb%25c;i=7", "ns=3;i=7"},
		{"ns=65535;g=0102ABcd-0000-ffff-9999-0123456789ab", "ns=65535;g=0102ABCD-0000-FFFF-9999-0123456789AB"},
		{"ns=1;b=AQID", "ns=1;b=AQID"},
	} {
		n, err := parseNode(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		id, ok := n.id(namespaces)
		if !ok {
			t.Errorf("%s: namespace not found", c.in)
			continue
		}
		want, err := ua.ParseNodeID(c.want)
		if err != nil {
			t.Fatal(err)
		}
		if id.String() != want.String() {
			t.Errorf("%s: got %v, want %v", c.in, id, want)
		}
	}
	n, err := parseNode("nsu=urn:nobody;i=1")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := n.id(namespaces); ok {
		t.Error("an unknown namespace was found")
	}
}

func TestParseNodeRefuses(t *testing.T) {
	for _, s := range []string{"", "TC1", "s=", "i=", "i=-1", "i=4294967296", "i=1.5", "i=0x10", "x=1", "ns=2", "ns=;i=1",
		"ns=65536;i=1", "ns=-1;i=1", "ns=a;i=1", "nsu=;i=1", "nsu=urn:x", "ns=1;ns=2;i=1", "svr=1;i=1", "g=123", "g=0102ABcd00000fff9999-0123456789ab",
		"b=", "b=%%%", "b=AQ", "s=" + strings.Repeat("x", maxNode)} {
		if n, err := parseNode(s); err == nil {
			t.Errorf("%q is taken as %v", s, n)
		}
	}
}

func FuzzParseNode(f *testing.F) {
	for _, s := range []string{"i=2258", "ns=2;s=Phase", "nsu=urn:plc%3Bx;s=TC1;x", "ns=1;g=0102ABCD-0000-FFFF-9999-0123456789AB", "ns=1;b=AQID", "nsu=%25;i=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseNode(s)
		if err != nil {
			return
		}
		again, err := parseNode(n.String())
		if err != nil || again != n {
			t.Errorf("%q: %+v written as %q is read as %+v, %v", s, n, n, again, err)
		}
		id, ok := n.id([]string{n.uri})
		if !ok {
			t.Fatalf("%q: own namespace not found", s)
		}
		if _, err := id.Encode(); err != nil {
			t.Errorf("%q: cannot be sent: %v", s, err)
		}
	})
}
