package rehearse

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"andon/internal/strictyaml"
)

// TestNotes: what a person should know is said, and is no error.
func TestNotes(t *testing.T) {
	scoped := strings.Replace(plain, "scope: {", "applies_when: {phase: [soak]}\nscope: {materials: [A], ", 1)
	for _, tt := range []struct {
		name, spec, csv string
		want            []string
	}{
		{"none", plain, "t,tc1,tc2\n0,880,880\n", nil},
		{"unused column", plain, "t,tc1,tc2,tc3\n0,880,880,1\n", []string{"run.csv: nothing asks for the columns tc3"}},
		{"odd cells", plain, "t,tc1,tc2\n0,n/a,880\n1,880,Inf\n2,n/a,NaN\n", []string{
			`run.csv:3:7: "Inf" is no finite number: judged as a bad sample; such cells: 2 (a bad sample is written bad)`,
			`run.csv:2:3: "n/a" is text where a number is judged: a bad sample; such cells: 2 (leave a cell empty where there is no sample)`}},
		{"context that nothing says", scoped, "t,tc1,tc2\n0,880,880\n", []string{"nothing says material, phase: what depends on it stays unknown (add a column of that name, or --context material=…)"}},
		{"no interval", strings.Replace(plain, "sampling: {interval: 10s, max_gap: 30s}", "precision: 0.1", 1), "t,tc1,tc2\n0,880,880\n",
			[]string{"R.A.spec.yaml: no sampling in temp: a value that does not come is not missed here, where the daemon would go by the tag's own interval"}},
		{"a draft is in force at no time, and judged whatever it says", strings.Replace(plain, "{from: 2026-01-01T00:00:00Z}", "{from: 2025-01-01T00:00:00Z, to: 2025-06-01T00:00:00Z}", 1), "t,tc1,tc2\n0,880,880\n", nil},
	} {
		var got []string
		play(t, Options{Note: func(s string) { got = append(got, s) }}, tt.spec, tt.csv)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestDraftIsInForce: a draft judges whenever it says that it is effective.
func TestDraftIsInForce(t *testing.T) {
	for _, effective := range []string{"{from: 2025-01-01T00:00:00Z, to: 2025-06-01T00:00:00Z}", "{from: 2035-01-01T00:00:00Z}"} {
		spec := strings.Replace(plain, "{from: 2026-01-01T00:00:00Z}", effective, 1)
		list := only(play(t, Options{Note: func(s string) { t.Error(s) }}, spec, "t,tc1,tc2\n0,880,880\n10,900,880\n"), "deviation")
		if len(list) != 1 || list[0].T != at(10) {
			t.Errorf("%s: %d deviations", effective, len(list))
		}
	}
}

// TestWrongRows: what came before the first wrong row is judged and printed,
// nothing behind it, and other mistakes are told with it.
func TestWrongRows(t *testing.T) {
	const csv = "t,tc1,tc2\n0,900,880\nx,880,880\n20,?,880\n30,910,880\n40,1e999,880\n"
	var b strings.Builder
	err := Run(&b, Options{Spec: File{"R.A.spec.yaml", []byte(plain)}, Samples: strings.NewReader(csv), SamplesFile: "run.csv", Unsigned: true})
	var ps strictyaml.Problems
	if !errors.As(err, &ps) || len(ps) != 3 || ps[0].Line != 3 || ps[1].Line != 4 || ps[2].Line != 6 {
		t.Fatalf("%v", err)
	}
	list := lines(t, b.String())
	if got := only(list, "deviation"); len(got) != 1 || got[0].T != at(0) || len(list) != 1 {
		t.Errorf("%s", b.String())
	}
}

// TestManyWrongRows: a file of another kind does not fill the screen.
func TestManyWrongRows(t *testing.T) {
	err := Run(&strings.Builder{}, Options{Spec: File{"R.A.spec.yaml", []byte(plain)}, Samples: strings.NewReader("t,tc1,tc2\n" + strings.Repeat("x,y\n", 1000)), SamplesFile: "run.csv", Unsigned: true})
	var ps strictyaml.Problems
	if !errors.As(err, &ps) || len(ps) != mostProblems {
		t.Errorf("%d problems", len(ps))
	}
}

// TestRefused: what the daemon would not judge by is not rehearsed.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, spec string
		o          Options
		want       string
	}{
		{"mistake", strings.Replace(plain, "kind: high", "kind: hihg", 1), Options{Unsigned: true}, `did you mean "high"?`},
		{"out of scope", plain, Options{Unsigned: true, Equipment: "furn-04"}, "no equipment of this gateway is in scope"},
		{"no approval", plain, Options{Approvers: File{"approvers.yaml", []byte("schema: andon.approvers/1\nrevision: 1\npeople: []\n")}}, "approvers.yaml"},
		{"two units", plain + "  - {id: other, inputs: [tc1], unit: Cel, rules: [{id: over, kind: high, limit: 500}]}\n", Options{Unsigned: true}, "units are never converted"},
	} {
		tt.o.Spec, tt.o.Samples, tt.o.SamplesFile = File{"R.A.spec.yaml", []byte(tt.spec)}, strings.NewReader("t,tc1,tc2\n0,900,880\n"), "run.csv"
		var b strings.Builder
		err := Run(&b, tt.o)
		var no Refused
		if !errors.As(err, &no) || !strings.Contains(err.Error(), tt.want) || b.Len() > 0 {
			t.Errorf("%s: %v, printed %q", tt.name, err, b.String())
		}
	}
}

// TestUntilBeforeTheEnd is a mistake of the command line.
func TestUntilBeforeTheEnd(t *testing.T) {
	err := Run(&strings.Builder{}, Options{Spec: File{"R.A.spec.yaml", []byte(plain)}, Samples: strings.NewReader("t,tc1,tc2\n0,900,880\n10,880,880\n"), Unsigned: true, Until: Until{At: at(9)}})
	var u Usage
	if !errors.As(err, &u) || !strings.Contains(err.Error(), "is before the last sample") {
		t.Errorf("%v", err)
	}
	err = Run(&strings.Builder{}, Options{Spec: File{"R.A.spec.yaml", []byte(plain)}, Samples: strings.NewReader("t,tc1,tc2\n"), Unsigned: true})
	var ps strictyaml.Problems
	if !errors.As(err, &ps) || !strings.Contains(err.Error(), "no row behind the header") {
		t.Errorf("%v", err)
	}
}

// full is a disk that is full.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no room")
	}
	return len(p), nil
}

// TestPrintFails: what cannot be written is an error, at every line.
func TestPrintFails(t *testing.T) {
	const csv = "t,tc1,tc2\n0,900,880\n20,900,880\n30,880,880\n"
	run := func(w io.Writer) error {
		return Run(w, Options{Spec: File{"R.A.spec.yaml", []byte(plain)}, Samples: strings.NewReader(csv), Unsigned: true})
	}
	var whole strings.Builder
	if err := run(&whole); err != nil {
		t.Fatal(err)
	}
	for left := 0; left < whole.Len(); left += 17 { // somewhere in each line
		err := run(&full{left})
		if err == nil || !strings.Contains(err.Error(), "no room") {
			t.Fatalf("with room for %d bytes: %v", left, err)
		}
	}
}
