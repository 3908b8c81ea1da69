package strictyaml_test

import (
	"fmt"
	"strconv"
	"testing"

	"andon/internal/strictyaml"
)

// tree is what a document says, written anew on one line.
func tree(n strictyaml.Node) string {
	switch {
	case n.IsMap():
		s := "{"
		for i, e := range n.AnyEntries() {
			if i > 0 {
				s += ", "
			}
			s += quote(e.Name) + ": " + tree(e.Value)
		}
		return s + "}"
	case n.IsSeq():
		s := "["
		for i, e := range n.Seq() {
			if i > 0 {
				s += ", "
			}
			s += tree(e)
		}
		return s + "]"
	case n.IsNumber():
		return n.Written()
	}
	switch v := n.Scalar().(type) {
	case bool:
		return fmt.Sprint(v)
	case string:
		return quote(v)
	}
	return "null"
}

// quote writes text so that YAML reads it back whatever it holds: Go's escapes
// are YAML's too.
func quote(s string) string { return strconv.QuoteToASCII(s) }

// Whatever is read never panics, has its problems at places within the file,
// and what is accepted says the same when its content is written anew.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a: 1\nb: [x, \"010\", 0xFF]\nc: {d: true, 0: y}\n", "a: 010\n", "a: &x 1\nb: *x\n", "a: 1\n---\nb: 2\n", "a:\n\tb: 1\n",
		"? [a]\n: 1\n", "a: !!str 1\n", "- a\n- b: {c: d}\n", "a: |\n  x\n  y\n", "a: >-\n  x\n\n  y\n", "%YAML 1.2\n---\na: 1\n", "a: \"\\U0001F600\\u2028\"\n",
		"\xef\xbb\xbfa: 1", "a: [", "a: {b", "<<: {a: 1}", "\"\": 1", "a: 'it''s'", "a: -0", "null: 1", "a: 1 # c\n# d\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		doc := strictyaml.Parse("f", b)
		first := tree(doc.Root())
		for _, p := range doc.Problems() {
			if p.Line < 0 || p.Line > len(b)+1 || p.Column < 0 || p.Column > len(b)+1 || p.Message == "" {
				t.Fatalf("%q: problem without a place or a message: %+v", b, p)
			}
		}
		if doc.Err() != nil {
			return
		}
		again := strictyaml.Parse("f", []byte(first))
		second := tree(again.Root())
		if err := again.Err(); err != nil || first != second {
			t.Fatalf("%q: read as %s, written so read as %s, %v", b, first, second, err)
		}
	})
}
