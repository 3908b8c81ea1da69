package opcua

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gopcua/opcua/ua"
)

// node is a node id as settings write it (OPC 10000-6, 5.1.12): its namespace
// by number or by URI, and its identifier.
type node struct {
	uri  string // namespace URI; "" when ns counts
	ns   uint16
	kind byte // i, s, g or b
	num  uint32
	text string // of s and g; of b the bytes
}

// maxNode bounds a node id's text; the standard says 4096 for a string id.
const maxNode = 4096

var guidPattern = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// parseNode reads a node id: [ns=N;|nsu=URI;](i=N|s=TEXT|g=GUID|b=BASE64). In a
// URI, %3B stands for a semicolon and %25 for a percent sign.
func parseNode(s string) (node, error) {
	var n node
	if len(s) > maxNode {
		return n, fmt.Errorf("node id of %d bytes: want at most %d", len(s), maxNode)
	}
	rest, err := n.namespace(s)
	if err != nil {
		return node{}, err
	}
	if err := n.identifier(rest); err != nil {
		return node{}, fmt.Errorf("node id %q: %w", s, err)
	}
	return n, nil
}

// namespace reads the part before the identifier and returns what follows it.
func (n *node) namespace(s string) (string, error) {
	space, rest, found := strings.Cut(s, ";")
	switch {
	case strings.HasPrefix(s, "ns=") && found:
		v, err := strconv.ParseUint(space[len("ns="):], 10, 16)
		if err != nil {
			return "", fmt.Errorf("node id %q: namespace: want 0 to 65535", s)
		}
		n.ns = uint16(v)
		return rest, nil
	case strings.HasPrefix(s, "nsu=") && found:
		uri := space[len("nsu="):]
		if uri == "" {
			return "", fmt.Errorf("node id %q: namespace URI is empty", s)
		}
		n.uri = strings.NewReplacer("%3B", ";", "%3b", ";", "%25", "%").Replace(uri)
		return rest, nil
	case strings.HasPrefix(s, "svr="):
		return "", fmt.Errorf("node id %q: a node of another server cannot be read through this one", s)
	}
	return s, nil
}

// identifier reads the part after the namespace.
func (n *node) identifier(s string) error {
	kind, text, found := strings.Cut(s, "=")
	if !found || len(kind) != 1 || !strings.Contains("isgb", kind) {
		return fmt.Errorf("want i=, s=, g= or b= after the namespace")
	}
	if text == "" {
		return fmt.Errorf("nothing after %s=", kind)
	}
	n.kind, n.text = kind[0], text
	switch n.kind {
	case 'i':
		v, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return fmt.Errorf("i=%s: want 0 to 4294967295", text)
		}
		n.num, n.text = uint32(v), ""
	case 'g':
		if !guidPattern.MatchString(text) {
			return fmt.Errorf("g=%s: want 8-4-4-4-12 hexadecimal digits", text)
		}
		n.text = strings.ToUpper(text)
	case 'b':
		b, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(b) == 0 {
			return fmt.Errorf("b=%s: want base64", text)
		}
		n.text = string(b)
	}
	return nil
}

// String writes the node id so that parseNode reads the same one.
func (n node) String() string {
	var space string
	switch {
	case n.uri != "":
		space = "nsu=" + strings.NewReplacer("%", "%25", ";", "%3B").Replace(n.uri) + ";"
	case n.ns != 0:
		space = "ns=" + strconv.Itoa(int(n.ns)) + ";"
	}
	switch n.kind {
	case 'i':
		return space + "i=" + strconv.FormatUint(uint64(n.num), 10)
	case 'b':
		return space + "b=" + base64.StdEncoding.EncodeToString([]byte(n.text))
	}
	return space + string(n.kind) + "=" + n.text
}

// id is the node id on the wire, given the server's table of namespaces.
// ok is false when the server does not know the namespace.
func (n node) id(namespaces []string) (id *ua.NodeID, ok bool) {
	ns := n.ns
	if n.uri != "" {
		i := slices.Index(namespaces, n.uri)
		if i < 0 || i > 0xFFFF {
			return nil, false
		}
		ns = uint16(i)
	}
	switch n.kind {
	case 'i':
		return ua.NewNumericNodeID(ns, n.num), true
	case 'g':
		return ua.NewGUIDNodeID(ns, n.text), true
	case 'b':
		return ua.NewByteStringNodeID(ns, []byte(n.text)), true
	}
	return ua.NewStringNodeID(ns, n.text), true
}
