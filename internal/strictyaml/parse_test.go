package strictyaml_test

import (
	"strings"
	"testing"

	"andon/internal/strictyaml"

	"github.com/google/go-cmp/cmp"
)

// problems reads a document as a mapping with any keys and returns what is
// wrong with it, one problem a line.
func problems(src string) []string {
	doc := strictyaml.Parse("f.yaml", []byte(src))
	return lines(doc)
}

func lines(doc *strictyaml.Document) []string {
	var out []string
	for _, p := range doc.Problems() {
		out = append(out, p.String())
	}
	return out
}

func TestParseRefuses(t *testing.T) {
	odd := " is read differently by different YAML readers"
	tests := []struct {
		name, src string
		want      []string
	}{
		{"empty", "", []string{"f.yaml:1:1: the file is empty"}},
		{"comment only", "# nothing\n", []string{"f.yaml:1:1: the file is empty"}},
		{"second document", "a: 1\n---\nb: 2\n", []string{"f.yaml:2:1: a second document begins here (one document a file: remove it and the --- line before it)"}},
		{"empty second document", "a: 1\n---\n", []string{"f.yaml:2:1: a second document begins here (one document a file: remove it and the --- line before it)"}},
		{"broken second document", "a: 1\n---\nb: [\n", []string{"f.yaml:3:1: not readable: did not find expected node content (check the indentation, and that brackets and quotes are closed)"}},
		{"duplicate key", "a: 1\nb: 2\na: 3\n", []string{`f.yaml:3:1: a: the key "a" again (it is on line 1 already: keep one)`}},
		{"duplicate key, quoted", "x: {a: 1, \"a\": 3}\n", []string{`f.yaml:1:11: x.a: the key "a" again (it is on line 1 already: keep one)`}},
		{"tab in indentation", "a:\n\tb: 1\n", []string{`f.yaml:2:1: a tab (indent and align with spaces; in text write "\t" within double quotes)`}},
		{"tabs once a line", "a: 1\t#\t\nb:\t2\n", []string{
			`f.yaml:1:5: a tab (indent and align with spaces; in text write "\t" within double quotes)`,
			`f.yaml:2:3: a tab (indent and align with spaces; in text write "\t" within double quotes)`}},
		{"octal", "a: 010\n", []string{`f.yaml:1:4: a: "010"` + odd + ` (write the number without leading zeros, or quote it if it is text)`}},
		{"octal key", "a: {010: x}\n", []string{`f.yaml:1:5: a.010: "010"` + odd + ` (write the number without leading zeros, or quote it if it is text)`}},
		{"leading zero", "a: -08.5\n", []string{`f.yaml:1:4: a: "-08.5"` + odd + ` (write the number without leading zeros, or quote it if it is text)`}},
		{"0o", "a: 0o17\n", []string{`f.yaml:1:4: a: "0o17"` + odd + ` (write the number in decimal or as 0xFF, or quote it if it is text)`}},
		{"underscore", "a: 1_000\n", []string{`f.yaml:1:4: a: "1_000"` + odd + ` (write the number without _, or quote it if it is text)`}},
		{"hex underscore", "a: 0xF_0\n", []string{`f.yaml:1:4: a: "0xF_0"` + odd + ` (write the number without _, or quote it if it is text)`}},
		{"plus", "a: [+5]\n", []string{`f.yaml:1:5: a[0]: "+5"` + odd + ` (write it like 5, -0.5 or 2e3, or quote it if it is text)`}},
		{"bare point", "a: .5\nb: 5.\n", []string{
			`f.yaml:1:4: a: ".5"` + odd + ` (write it like 5, -0.5 or 2e3, or quote it if it is text)`,
			`f.yaml:2:4: b: "5."` + odd + ` (write it like 5, -0.5 or 2e3, or quote it if it is text)`}},
		{"infinite", "a: .inf\nb: -.Inf\nc: .NaN\n", []string{
			`f.yaml:1:4: a: ".inf"` + odd + ` (write a finite number, or quote it if it is text)`,
			`f.yaml:2:4: b: "-.Inf"` + odd + ` (write a finite number, or quote it if it is text)`,
			`f.yaml:3:4: c: ".NaN"` + odd + ` (write a finite number, or quote it if it is text)`}},
		{"capital true", "a: True\n", []string{`f.yaml:1:4: a: "True"` + odd + ` (write true, or quote it if it is text)`}},
		{"tilde", "a: ~\n", []string{`f.yaml:1:4: a: "~"` + odd + ` (leave the value out, or quote it if it is text)`}},
		{"anchor and alias", "a: &x 1\nb: *x\n", []string{
			"f.yaml:1:4: a: the anchor &x (remove it and write the value where it is needed)",
			"f.yaml:2:4: b: the alias *x (write the value itself)"}},
		{"merge key", "a: {<<: {b: 1}}\n", []string{"f.yaml:1:5: a: the merge key << (write the keys themselves)"}},
		{"tag", "a: !!str 1\n", []string{"f.yaml:1:4: a: the tag !!str (remove it; quote a value that is text)"}},
		{"binary tag", "a: !!binary aGk=\n", []string{"f.yaml:1:4: a: the tag !!binary (remove it; quote a value that is text)"}},
		{"key that is a list", "? [a, b]\n: 1\n", []string{"f.yaml:1:3: a key that is not a single word (write `name: value`; quote text that begins with [ or {)"}},
		{"key without a name", "\"\": 1\n", []string{"f.yaml:1:1: a key without a name"}},
		{"no colon", "a: 1\nb\nc: 2\n", []string{"f.yaml:2:1: not readable: could not find expected ':' (write `name: value`, with a space after the colon)"}},
		{"open quote", "a: 1\nb: \"x\nc: 2\n", []string{"f.yaml:2:1: not readable: found unexpected end of stream (check the indentation, and that brackets and quotes are closed)"}},
		{"bad start", "\n\na: @x\n", []string{"f.yaml:3:1: not readable: found character that cannot start any token (quote text that begins with @ ` or %)"}},
		{"bad indentation", "a:\n  b: 1\n c: 2\nd: 3\n", []string{"f.yaml:3:2: not readable: did not find expected key (check the indentation, and that brackets and quotes are closed)"}},
		{"unclosed bracket", "a: 1\nb: [1,\nc: 2\n", []string{"f.yaml:2:1: not readable: did not find expected ',' or ']' (check the indentation, and that brackets and quotes are closed)"}},
		{"colon in text", "a: 1\n\nb:\n  c: x: y\n  d: 2\n", []string{"f.yaml:4:3: not readable: mapping values are not allowed in this context (quote text that has `: ` in it, and check the indentation)"}},
		{"not UTF-8", "a: 1\nbc: \xff\n", []string{"f.yaml:2:5: the file is not UTF-8 text (save it as UTF-8)"}},
		{"invisible", "a: x\u200by\n", []string{"f.yaml:1:5: the invisible character U+200B (remove it, or write it as an escape within double quotes)"}},
		{"lone carriage return", "a: 1\rb: 2\n", []string{`f.yaml:1:5: a lone carriage return (end lines with \n or \r\n)`}},
		{"too deep", "a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), []string{"f.yaml:1:36: a" + strings.Repeat("[0]", 32) + ": nested more than 32 deep"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(problems(tt.src), tt.want); diff != "" {
				t.Errorf("problems (-got +want):\n%s", diff)
			}
		})
	}
}

func TestParseAccepts(t *testing.T) {
	for _, src := range []string{
		"a: 1\r\nb: two # comment\r\n",
		"\ufeffa: 1\n",
		"---\na: 1\n",
		"a: 1\n...\n",
		"a: \"010\"\nb: '1_000'\nc: \"\\t\"\n",
		"a: 2026-03-01T06:00:00-05:00\nb: 2027-05-01\nc: 12:30\n",
		"a: [degF]\nb: 0xFFFF\nc: -1.5e-3\nd: 10s\ne: on\n",
		"a: |\n  two\n  lines\n",
	} {
		if got := problems(src); got != nil {
			t.Errorf("%q: got %q, want no problem", src, got)
		}
	}
}

func TestParseLimits(t *testing.T) {
	got := problems("a: " + strings.Repeat("x", strictyaml.MaxBytes))
	want := []string{"f.yaml: the file has 4194307 bytes, at most 4194304 are read (split it, or use tags_file for long lists of tags)"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("problems (-got +want):\n%s", diff)
	}
}

// A mistake in a long file is named by its own line, not by the block's first.
func TestSyntaxLine(t *testing.T) {
	var b strings.Builder
	b.WriteString("top:\n")
	for range 3000 {
		b.WriteString("  - {a: 1, b: [1,\n      2]}\n")
	}
	good := b.String()
	got := problems(good + "  - a: 1\n b: 2\n" + good[5:])
	if len(got) != 1 || !strings.HasPrefix(got[0], "f.yaml:6003:2: not readable") {
		t.Errorf("got %q, want one problem at 6003:2", got)
	}
}

func TestProblemsError(t *testing.T) {
	err := strictyaml.Problems{
		{File: "a", Line: 1, Column: 2, Path: "x.y", Message: "wrong", Hint: "right"},
		{File: "b", Message: "missing"},
		{Message: "lost"},
	}.Err()
	if got, want := err.Error(), "a:1:2: x.y: wrong (right)\nb: missing\nlost"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := (strictyaml.Problems{}).Err(); err != nil {
		t.Errorf("no problems: got error %v", err)
	}
}
