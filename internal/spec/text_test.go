package spec

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTextGolden(t *testing.T) {
	const golden = "testdata/good.txt"
	got := mustParse(t, good).Text()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 90 * time.Second: "90s", 45 * time.Minute: "45min", 1500 * time.Millisecond: "1500ms", 48 * time.Hour: "2d", time.Hour: "1h",
	} {
		if got := Span(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("schema: andon.spec/1\nparameters: [{rules: [{kind: band}]}]\n"))
	f.Add([]byte("parameters: {a: 1}\nscope: 7\neffective: []\napplies_when: [x]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse("f.yaml", b)
		if (err == nil) != (d != nil) {
			t.Fatalf("%v with %v", d, err)
		}
		if err != nil {
			return
		}
		whole(t, d)
		if d.Text() == "" || d.Check(Facts{}) == nil {
			t.Error("cannot be read or fits nowhere and everywhere")
		}
	})
}

// whole wants of an accepted document what the engine relies on.
func whole(t *testing.T, d *Document) {
	t.Helper()
	if d.ID == "" || d.Revision == "" || d.Effective.From == 0 || len(d.Parameters) == 0 {
		t.Errorf("document %+v", d)
	}
	for _, p := range d.Parameters {
		if p.ID == "" || len(p.Inputs) == 0 || len(p.Rules) == 0 {
			t.Errorf("parameter %+v", p)
		}
		for _, r := range p.Rules {
			ok := r.ID != "" && r.Class != "" && r.Scope != "" && r.OnDelay >= 0 && r.EventDelay >= 0 && r.OffDelay >= 0 && r.Rejoin >= 0 && r.Deadband >= 0
			switch r.Kind {
			case High:
				ok = ok && r.High != nil && r.Low == nil
			case Low:
				ok = ok && r.Low != nil && r.High == nil
			case Band:
				ok = ok && r.Low != nil && r.High != nil && *r.Low < *r.High
			case Equals:
				ok = ok && r.Expected != nil
			default:
				ok = false
			}
			if !ok {
				t.Errorf("rule %+v", r)
			}
		}
	}
}
