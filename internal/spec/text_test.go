package spec

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTextGolden(t *testing.T) {
	example, err := os.ReadFile("testdata/HT-7075-T6.D.spec.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]string{"good": good, "every": every, "HT-7075-T6.D": string(example)} {
		golden := "testdata/" + name + ".txt"
		got := mustParse(t, document).Text()
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
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
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
	f.Add([]byte(every))
	f.Add([]byte("id: A\nrevision: 1\nschema: andon.spec/1\neffective: {from: 2026-01-01T00:00:00Z}\nparameters: [{id: p, inputs: [a, b], unit: Cel, computed: a-b, rules: [{id: r, kind: peak, max: 5}]}]\n"))
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
		if err := d.Lint(); err != nil {
			placed(t, err)
		}
		if err := LintTogether([]*Document{d, d}, nil); err != nil {
			t.Errorf("beside itself: %v", err)
		}
		if changes := Diff(d, d); len(changes) > 0 {
			t.Errorf("differs from itself: %+v", changes)
		}
		if d.Text() == "" || d.Check(Facts{}) == nil {
			t.Error("cannot be read or fits nowhere and everywhere")
		}
	})
}
