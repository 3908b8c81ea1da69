package plant

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The example that is shipped is a plant file, and says what its comments say.
func TestExampleFile(t *testing.T) {
	const name = "../../config/plant.yaml"
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	o, err := ParseFile(name, b)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Schedule) != 8 || o.Listen != "127.0.0.1:4840" {
		t.Errorf("got %d episodes, listening on %q", len(o.Schedule), o.Listen)
	}
	want := Options{Listen: o.Listen, Schedule: o.Schedule}.withDefaults()
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("not the defaults (-default +example):\n%s", diff)
	}
	if _, err := newScript(o); err != nil {
		t.Error(err)
	}
}

func TestParseFile(t *testing.T) {
	const head = "schema: andon.plant/1\n"
	tests := []struct {
		name, file string
		want       Options
		problem    string // all that is wrong, one a line
	}{
		{name: "least", file: head, want: Options{}.withDefaults()},
		{name: "all", file: head + "seed: 7\nstep: 100ms\ncycle: 6s\nlisten: 127.0.0.1:0\nequipment: [a, b]\nschedule: [{kind: outage, at: 1s, for: 200ms}]\n",
			want: Options{Seed: 7, Step: 100 * time.Millisecond, Cycle: 6 * time.Second, Listen: "127.0.0.1:0", Equipment: []string{"a", "b"},
				Schedule: []Episode{{Kind: Outage, First: 10, Steps: 2}}}},
		{name: "nothing happens", file: head + "schedule: []\n", want: Options{Schedule: []Episode{}}.withDefaults()},
		{name: "empty", file: "", problem: "p.yaml:1:1: the file is empty"},
		{name: "no schema", file: "seed: 1\n", problem: "p.yaml:1:1: schema: missing (add `schema: …`)"},
		{name: "unknown key", file: head + "sed: 1\n", problem: `p.yaml:2:1: sed: unknown key "sed" (did you mean "seed"?)`},
		{name: "cycle too short", file: head + "cycle: 5s\n", problem: "p.yaml:1:1: cycle 5s, step 500ms: want steps of 10ms to 1h0m0s and a cycle of at least 30 of them, up to 720h0m0s"},
		{name: "two mistakes", file: head + "schedule:\n  - {kind: fire, at: 1s, for: 1s}\n  - {kind: outage, at: 1250ms, for: 1s}\n",
			problem: "p.yaml:3:12: schedule[0].kind: found \"fire\", want high, low, bad, outage, wrong_recipe or slow_quench\n" +
				"p.yaml:4:24: schedule[1].at: 1.25s is not a number of steps of 500ms (round it)"},
		{name: "no times", file: head + "schedule: [{kind: outage}]\n",
			problem: "p.yaml:2:12: schedule[0].at: missing (add `at: …`)\np.yaml:2:12: schedule[0].for: missing (add `for: …`)"},
		{name: "out of place", file: head + "schedule:\n  - {kind: high, equipment: furn-03, tags: [tc1], at: 1s, for: 1s, by: 5}\n",
			problem: "p.yaml:3:5: schedule[0]: high of furn-03 from 1s to 2s: its place in this cycle is from 4.5s to 10s"},
		{name: "too near", file: head + "schedule:\n  - {kind: outage, at: 1s, for: 1s}\n  - {kind: outage, at: 3s, for: 1s}\n",
			problem: "p.yaml:4:5: schedule[1]: outage at 1s and outage at 3s: want at least 4s between them (move one of them)"},
		{name: "mistyped", file: head + "schedule: [{kind: outage, at: 1s, for: 1s, but: 5}]\n",
			problem: `p.yaml:2:44: schedule[0].but: unknown key "but" (known here: by, equipment, tags)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseFile("p.yaml", []byte(tt.file))
			if tt.problem != "" {
				if err == nil || err.Error() != tt.problem {
					t.Errorf("got\n%v\nwant\n%s", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is accepted can be run: the script and its schedule are sound.
func FuzzParseFile(f *testing.F) {
	example, err := os.ReadFile("../../config/plant.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte("schema: andon.plant/1\nstep: 10ms\ncycle: 1h\nequipment: [a]\n"))
	f.Add([]byte("schema: andon.plant/1\nschedule: [{kind: bad, equipment: furn-03, tags: [tc1, tc1], at: 0, for: 365d}]\n"))
	f.Add([]byte("schema: andon.plant/1\nschedule: [{kind: high, at: 1s, for: 1s, by: 1e300}, 5, null, {}]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := ParseFile("p.yaml", b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "p.yaml") {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		s, err := newScript(o)
		if err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		for i := range s.equipment {
			for _, k := range []int{0, 1, s.steps, 3*s.steps + 7} {
				if n := len(s.Readings(i, k)); n != len(furnaceTags()) {
					t.Fatalf("step %d: %d readings", k, n)
				}
			}
		}
	})
}
