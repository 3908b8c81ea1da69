package strictyaml_test

import (
	"strings"
	"testing"
	"time"

	"andon/internal/strictyaml"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	for _, src := range []string{
		"tag,source,every,address,range,history,sensor\n# a comment\ntc1,plc,500ms,100,\"[0, 500]\",TRUE,010\nlot,plc,,,,,\n",
		"\ufefftag;source;every;address;range;history;sensor\r\ntc1; plc;500ms;100;[0, 500];true;010\r\n\r\nlot;plc;;;;;\r\n",
	} {
		doc := strictyaml.ParseTable("t.csv", []byte(src), "tag")
		entries := doc.Root().Entries()
		if len(entries) != 2 {
			t.Fatalf("got %d rows, %v, want 2", len(entries), doc.Err())
		}
		n := entries[0].Value
		got := []any{
			entries[0].Name, n.Get("source").Text(), n.Get("every").Duration(), n.Get("address").Int(0, 65535),
			*n.Get("range").Range(), n.Get("history").Bool(), n.Get("sensor").Text(), entries[1].Value.Get("every").Present(),
		}
		want := []any{"tc1", "plc", 500 * time.Millisecond, int64(100), [2]float64{0, 500}, true, "010", false}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("cells (-got +want):\n%s", diff)
		}
		if err := doc.Err(); err != nil {
			t.Errorf("problems: %v", err)
		}
	}
}

func TestTableRefuses(t *testing.T) {
	tests := []struct {
		name, src string
		want      []string
	}{
		{"empty", "", []string{"t.csv:1:1: the file is empty"}},
		{"no key column", "name,a\nx,1\n", []string{"t.csv:1:1: tag: missing (add the column `tag`, which names each row)"}},
		{"unknown column, once", "tag,a,colour\nx,1,red\ny,2,blue\n", []string{`t.csv:1:7: colour: unknown key "colour" (remove it)`}},
		{"column twice", "tag,a,a\nx,1,2\n", []string{`t.csv:1:7: a: the column "a" again (keep one)`}},
		{"row twice", "tag,a\nx,1\nx,2\n", []string{`t.csv:3:1: x: the name "x" again (it is on line 2 already: keep one)`}},
		{"no name", "tag,a\n,1\ny,2\n", []string{"t.csv:2:1: tag: the row has no name (fill in the cell, or remove the row)"}},
		{"cells missing", "tag,a\nx\ny,1,2\nz,010\n", []string{
			"t.csv:2:1: a row of 1 cells under 2 columns (give each row a cell for each column, empty if need be; quote a cell that has a comma in it)",
			"t.csv:3:1: a row of 3 cells under 2 columns (give each row a cell for each column, empty if need be; quote a cell that has a comma in it)",
			`t.csv:4:3: z.a: found "010", want a whole number from 0 to 9`}},
		{"quotes", "tag,a\nx,\"1\"2\n", []string{`t.csv:2:5: not readable: extraneous or missing " in quoted-field (quote a cell that has a comma or a quote in it, and double the quotes within)`}},
		{"wrong value", "tag,a\nx,10\n", []string{"t.csv:2:3: x.a: found 10, want a whole number from 0 to 9"}},
		{"wrong list", "tag,a\nx,\"[1,\"\n", []string{`t.csv:2:3: x.a: "[1," is not a list or mapping (write it like [1, 2])`}},
		{"not UTF-8", "tag,a\nx,\xe4\n", []string{"t.csv:2:3: the file is not UTF-8 text (save it as CSV UTF-8)"}},
		{"too long", strings.Repeat("x", strictyaml.MaxTableBytes+1), []string{"t.csv: the file has 16777217 bytes, at most 16777216 are read"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := strictyaml.ParseTable("t.csv", []byte(tt.src), "tag")
			for _, e := range doc.Root().Entries() {
				e.Value.Get("a").Int(0, 9)
			}
			if diff := cmp.Diff(lines(doc), tt.want); diff != "" {
				t.Errorf("problems (-got +want):\n%s", diff)
			}
		})
	}
}

func FuzzTable(f *testing.F) {
	for _, s := range []string{"tag,a\nx,1\n", "tag;a\nx;[1, 2]\n", "a,tag\n\"x\"\"\",y\n", "tag\n#\n,\n", "tag,a\nx,{b: [*c]}\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		doc := strictyaml.ParseTable("f", b, "tag")
		names := map[string]bool{}
		for _, e := range doc.Root().Entries() {
			if names[e.Name] || e.Name == "" {
				t.Errorf("%q: the name %q is empty or again", b, e.Name)
			}
			names[e.Name] = true
			e.Value.Get("a").Float()
		}
		for _, p := range doc.Problems() {
			if p.Line < 0 || p.Message == "" {
				t.Errorf("%q: problem without a place or a message: %+v", b, p)
			}
		}
	})
}
