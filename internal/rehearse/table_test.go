package rehearse

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"andon/internal/spec"
	"andon/internal/strictyaml"
)

// tableSpec has an input with a unit, one of text and one that has the name of a
// context field.
const tableSpec = `schema: andon.spec/1
id: T
revision: A
effective: {from: 2026-01-01T00:00:00Z}
scope: {equipment: [furn-03]}
applies_when: {recipe_state: running}
parameters:
  - id: temp
    inputs: [tc1]
    unit: "[degF]"
    limits: {usl: 895}
    rules: [{id: over, kind: high, limit: usl}]
  - id: recipe
    inputs: [recipe]
    rules: [{id: wrong, kind: equals, value: "0040"}]
  - id: step
    inputs: [phase]
    rules: [{id: wrong, kind: equals, value: 2}]
`

// openRows opens a table for tableSpec, with the input phase mapped to step.
func openRows(t *testing.T, r io.Reader, mapped map[string]string) (*rows, []string, error) {
	t.Helper()
	doc, err := spec.Parse("T.A.spec.yaml", []byte(tableSpec))
	if err != nil {
		t.Fatal(err)
	}
	w := wiring(doc, "", fieldsOf(doc))
	table, err := openTable("run.csv", r)
	if err != nil {
		return nil, nil, err
	}
	as, err := table.assign(doc, &w, mapped)
	if err != nil {
		return nil, nil, err
	}
	x := &rows{table: table, columns: as.columns, start: DefaultStart}
	x.odd.number = func(i int) bool { return !as.columns[i].text }
	return x, as.unused, nil
}

// said is a row as text: its seconds, context and values.
func said(x row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%g", float64(x.t-DefaultStart)/1e9)
	for _, f := range []string{"phase", "lot", "recipe_state"} {
		if v, ok := x.fields[f]; ok {
			fmt.Fprintf(&b, " %s=%s", f, v)
		}
	}
	for _, v := range x.values {
		fmt.Fprintf(&b, " #%d=%s/%s", v.Tag, v.Value, v.Quality)
	}
	return b.String()
}

func TestRows(t *testing.T) {
	step := map[string]string{"phase": "step"}
	for _, tt := range []struct {
		name, csv string
		mapped    map[string]string
		want      []string
	}{
		{"commas", "t,tc1,recipe,step\n0,885,0040,2\n", step, []string{"0 #0=885/good #1=0040/good #2=2/good"}},
		{"empty cells", "t,tc1,recipe,step\n0,,,\n1, ,?A,bad\n", step, []string{"0", "1 #1=A/uncertain #2=/bad"}},
		{"spaces around numbers, and in texts", "t,tc1,recipe,step,lot\n0, 885 ,R-1 ,2, L1\n1,885,\" R-1 \",2,L1\n2,? 885,?R-1 ,2,L1\n3,885, bad ,2,L1\n", step,
			[]string{"0 lot=L1 #0=885/good #1=R-1 /good #2=2/good", "1 lot=L1 #0=885/good #1= R-1 /good #2=2/good",
				"2 lot=L1 #0=885/uncertain #1=R-1 /uncertain #2=2/good", "3 lot=L1 #0=885/good #1=/bad #2=2/good"}},
		{"context", "t,lot,tc1,phase,recipe,step,recipe_state\n0,L1,885,soak,A,2,running\n1,,885,,A,2,\n", step,
			[]string{"0 phase=soak lot=L1 recipe_state=running #0=885/good #1=A/good #2=2/good", "1 #0=885/good #1=A/good #2=2/good"}},
		{"a context field that is an input too", "t,tc1,recipe,phase\n0,885,A,2\n", map[string]string{"phase": "phase"}, []string{"0 phase=2 #0=885/good #1=A/good #2=2/good"}},
		{"paths", "t,furn-03/tc1,furn-03/recipe,step\n0,885,A,2\n", step, []string{"0 #0=885/good #1=A/good #2=2/good"}},
		{"mapped away from its own column", "t,tc1,TC,recipe,step\n0,1,885,A,2\n", map[string]string{"phase": "step", "tc1": "TC"}, []string{"0 #0=885/good #1=A/good #2=2/good"}},
		{"one column for two inputs", "t,x,recipe\n0,2,A\n", map[string]string{"phase": "x", "tc1": "x"}, []string{"0 #0=2/good #2=2/good #1=A/good"}},
		{"byte order mark, CRLF, quotes", "\ufeff\"t\",\"tc1\",recipe,step\r\n0,\"885\",\"a,\"\"b\"\"\nc\",2\r\n", step, []string{"0 #0=885/good #1=a,\"b\"\nc/good #2=2/good"}},
		{"semicolons", "t;tc1;recipe;step\n0;885.5;a,b;2", step, []string{"0 #0=885.5/good #1=a,b/good #2=2/good"}},
		{"tabs", "t\ttc1\trecipe\tstep\n0\t885\tA\t2\n", step, []string{"0 #0=885/good #1=A/good #2=2/good"}},
		{"blank lines and late rows", "t,tc1,recipe,step\n\n5,1,A,2\n\n3,1,A,2\n3,1,A,2\n", step,
			[]string{"5 #0=1/good #1=A/good #2=2/good", "3 #0=1/good #1=A/good #2=2/good", "3 #0=1/good #1=A/good #2=2/good"}},
		{"no rows", "t,tc1,recipe,step\n", step, nil},
	} {
		for _, r := range []io.Reader{strings.NewReader(tt.csv), iotest.OneByteReader(strings.NewReader(tt.csv))} {
			x, _, err := openRows(t, r, tt.mapped)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			var got []string
			for {
				row, err := x.next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", tt.name, err)
				}
				got = append(got, said(row))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
	}
}

// TestBadTables: every mistake has its place, its cause and its cure, and all of
// a row are told at once.
func TestBadTables(t *testing.T) {
	step := map[string]string{"phase": "step"}
	const head = "t,tc1,recipe,step\n"
	for _, tt := range []struct {
		name, csv string
		mapped    map[string]string
		want      string
	}{
		{"empty", "", step, "run.csv: there is nothing in it (the first line names the columns: t, then tags and context fields)"},
		{"first column", "time,tc1,recipe,step\n", step, "run.csv:1:1: the first column is \"time\" (its name is t, with instants like 2026-03-01T06:00:00Z or seconds after the start)"},
		{"column twice", "t,tc1,recipe,step,tc1\n", step, "run.csv:1:19: the column \"tc1\" again (it is column 2 of the table already: rename one)"},
		{"no column", "t,lot\n", nil, `run.csv:1:1: no column for the input tc1 (add one, or say which it is with --map tc1=COLUMN)
run.csv:1:1: no column for the input recipe (add one, or say which it is with --map recipe=COLUMN)
run.csv:1:1: no column for the input phase (add one, or say which it is with --map phase=COLUMN)`},
		{"context name wins", "t,tc1,recipe,phase\n", nil, "run.csv:1:1: no column for the input phase: the column of that name is the context field (add one, or say which it is with --map phase=COLUMN)"},
		{"near column", "t,TC_1,recipe,step\n", step, "run.csv:1:1: no column for the input tc1 (did you mean --map tc1=TC_1?)"},
		{"map of no input", head, map[string]string{"tc9": "step"}, "--map tc9=step: the specification has no input tc9; did you mean tc1?"},
		{"map to no column", head, map[string]string{"tc1": "stop"}, "--map tc1=stop: run.csv has no column \"stop\"; did you mean step?"},
		{"map to t", head, map[string]string{"tc1": "t"}, "--map tc1=t: run.csv has no column \"t\""},
		{"short row", head + "0,1,A\n", step, "run.csv:2:1: 3 cells where the header has 4 (leave a cell empty where there is no sample, and quote a cell that holds the delimiter)"},
		{"all of a row", head + "0,1,A,2\nnoon,\"885,1\",?,1e999\n", step, `run.csv:3:1: "noon" is not an instant (want one like 2026-03-01T06:00:00Z, with its zone, or seconds after the start)
run.csv:3:6: "885,1" has a decimal comma (write 885.1)
run.csv:3:14: an uncertain sample without a value (write the value behind the question mark: ?885.1)
run.csv:3:16: the number 1e999 is too large (no PLC sends it: mend the file, or write bad)`},
		{"quote", head + "0,1,A\"b,2\n", step, "run.csv:2:6: bare \" in non-quoted-field (quote a whole cell, and write a quote in it twice: \"a \"\"b\"\"\")"},
		{"endless quote", head + "0,1,\"" + strings.Repeat("x\n", lineBytes), step, "run.csv:2: a row of more than 1048576 bytes (look for a quote that is not closed)"},
	} {
		x, _, err := openRows(t, strings.NewReader(tt.csv), tt.mapped)
		for err == nil {
			_, err = x.next()
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestUnusedColumns: columns that nothing asks for are normal, and are told.
func TestUnusedColumns(t *testing.T) {
	_, unused, err := openRows(t, strings.NewReader("t,tc1,recipe,step,tc2,lot,pressure,\n"), map[string]string{"phase": "step"})
	if diff := cmp.Diff([]string{"tc2", "pressure"}, unused); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
}

// TestReaderFails: what the file system says is passed on, and is no mistake of
// the table's.
func TestReaderFails(t *testing.T) {
	for _, n := range []int{0, 3, 30} {
		broken := io.MultiReader(strings.NewReader("t,tc1,recipe,step\n0,1,A,2\n1,2,B,3\n"[:n]), iotest.ErrReader(errors.New("disk on fire")))
		x, _, err := openRows(t, broken, map[string]string{"phase": "step"})
		for err == nil {
			_, err = x.next()
		}
		var ps strictyaml.Problems
		if errors.As(err, &ps) || !strings.Contains(err.Error(), "disk on fire") {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// FuzzRows: no table crashes, hangs, or gives a row that is not one.
func FuzzRows(f *testing.F) {
	for _, s := range []string{"", "t", "t,tc1,recipe,step\n0,1,A,2\n", "\ufefft;tc1;recipe;step\r\n2026-01-01T00:00:00Z;?885,1;\"a\"\"\";bad\r\n",
		"t,tc1,recipe,step\n0,NaN,,\n-1,1e999,,\n", "t\ttc1\trecipe\tstep\tlot\n1e3\t-0\t\t\tL\"1\n", "t,tc1,recipe,step\n0,\"\n\n", "\"t\"\"\",,\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, _, err := openRows(t, strings.NewReader(string(b)), map[string]string{"phase": "step"})
		if err != nil {
			return
		}
		for range len(b) + 1 {
			row, err := x.next()
			if errors.Is(err, io.EOF) || x.broken {
				return
			}
			var ps strictyaml.Problems
			if err != nil && !errors.As(err, &ps) {
				t.Fatalf("an error that names no place: %v", err)
			}
			if err == nil && row.t == 0 {
				t.Fatal("a row without an instant")
			}
		}
		t.Fatal("more rows than bytes")
	})
}
