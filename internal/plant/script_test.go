package plant

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustScript(t testing.TB, o Options) *Script {
	t.Helper()
	s, err := newScript(o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSameSeedSameScript(t *testing.T) {
	a, b, c := mustScript(t, Options{Seed: 9}), mustScript(t, Options{Seed: 9}), mustScript(t, Options{Seed: 10})
	differs := false
	for k := 0; k < 500; k++ {
		for i := range a.equipment {
			// b is asked backwards: a step depends on nothing that was asked before.
			if got, want := b.Readings(i, 499-k), a.Readings(i, 499-k); !reflect.DeepEqual(got, want) {
				t.Fatalf("step %d: got %v, want %v", 499-k, got, want)
			}
			differs = differs || !reflect.DeepEqual(a.Readings(i, k), c.Readings(i, k))
		}
	}
	if !differs {
		t.Error("another seed gave the same script")
	}
}

// Two steps never show the same temperature, so that whoever is told of changes
// only is told of every step.
func TestTemperaturesAlwaysChange(t *testing.T) {
	s := mustScript(t, Options{Seed: 1})
	last := map[string]any{}
	for k := 0; k < 20000; k++ {
		for i := range s.equipment {
			for _, r := range s.Readings(i, k) {
				path := s.equipment[i] + r.Tag
				if strings.HasPrefix(r.Tag, "tc") && r.Value != nil && last[path] == r.Value {
					t.Fatalf("%s at step %d: %v again", path, k, r.Value)
				}
				last[path] = r.Value
			}
		}
	}
}

// Where nothing goes wrong nothing is out: the process itself keeps its limits,
// deadband included.
func TestQuietPlantIsInSpecification(t *testing.T) {
	s := mustScript(t, Options{Seed: 4, Schedule: []Episode{}})
	for k := 0; k < 5000; k++ {
		for i := range s.equipment {
			values := map[string]any{}
			for _, r := range s.Readings(i, k) {
				values[r.Tag] = r.Value
			}
			for _, l := range Limits(DefaultStep) {
				phase, _ := values[tagPhase].(int32)
				judged := l.Phases == nil || slices.Contains(l.Phases, Phase(phase).String())
				if judged && (len(l.outside(values, furnacePhase)) > 0 || !l.wellInside(values)) {
					t.Fatalf("step %d of %s: %s/%s: %v", k, s.equipment[i], l.Parameter, l.Rule, values)
				}
			}
		}
	}
}

// The cycle is idle, heat, soak, quench, and the lot changes with it.
func TestCycle(t *testing.T) {
	s := mustScript(t, Options{Schedule: []Episode{}})
	var phases []string
	var lots []any
	for k := 0; k < 30; k++ {
		r := s.Readings(0, k)
		n, _ := r[0].Value.(int32)
		phase := Phase(n).String()
		if len(phases) == 0 || phases[len(phases)-1] != phase {
			phases = append(phases, phase)
			lots = append(lots, r[1].Value)
		}
	}
	if got, want := fmt.Sprint(phases, lots), "[heat soak quench idle] [L-03-0001 L-03-0001 L-03-0001 L-03-0002]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Every seeded schedule keeps the rules that a given one must keep.
func TestSeededScheduleIsSound(t *testing.T) {
	for seed := uint64(0); seed < 60; seed++ {
		for _, cycle := range []time.Duration{15 * time.Second, 20 * time.Second, 23500 * time.Millisecond, time.Minute} {
			s := mustScript(t, Options{Seed: seed, Cycle: cycle})
			all := s.Schedule(4 * blockCycles * s.steps)
			if len(all) < 30 {
				t.Fatalf("seed %d, cycle %v: only %d episodes", seed, cycle, len(all))
			}
			if errs := s.checkAll(all); errs != nil {
				t.Fatalf("seed %d, cycle %v: %v", seed, cycle, errs)
			}
			for _, e := range all {
				for k := e.First; k < e.end(); k++ {
					if e.Kind != Outage && !slices.ContainsFunc(s.active(slices.Index(s.equipment, e.Equipment), k), func(f Episode) bool { return reflect.DeepEqual(e, f) }) {
						t.Fatalf("seed %d, cycle %v: %v is not active at step %d", seed, cycle, e, k)
					}
				}
			}
		}
	}
}

// Half a minute, as the demonstration runs, holds something of everything, and
// all of it is over in time.
func TestThirtySeconds(t *testing.T) {
	for seed := uint64(0); seed < 20; seed++ {
		s := mustScript(t, Options{Seed: seed, For: 30 * time.Second})
		count := map[Kind]int{}
		excursions := map[string]int{}
		single := false
		for _, e := range s.Schedule(60) {
			count[e.Kind]++
			if e.Kind == High || e.Kind == Low {
				excursions[e.Equipment]++
			}
			single = single || e.Kind == High && e.Steps == 1
			if left := 30*time.Second - s.since(e.end()); left < Settle {
				t.Errorf("seed %d: %v ends %v before the end", seed, e, left)
			}
		}
		if count[High] < 3 || count[Low] < 1 || count[Bad] != 1 || count[Outage] != 1 || count[WrongRecipe] != 1 ||
			excursions["furn-03"] < 3 || excursions["furn-04"] < 1 || !single {
			t.Errorf("seed %d: got %v on %v", seed, count, excursions)
		}
		for i := range s.equipment {
			first, _ := s.at(i, 0)
			if last, _ := s.at(i, s.limit); last == first {
				t.Errorf("seed %d: %s has no lot change", seed, s.equipment[i])
			}
		}
	}
}

func TestGivenScheduleIsChecked(t *testing.T) {
	good := Episode{Kind: High, Equipment: "furn-03", Tags: []string{"tc1"}, First: 10, Steps: 3, By: 5}
	change := func(f func(*Episode)) []Episode {
		e := good
		f(&e)
		return []Episode{e}
	}
	tests := []struct {
		name     string
		schedule []Episode
		want     string
	}{
		{"sound", []Episode{good}, ""},
		{"before soak", change(func(e *Episode) { e.First = 7 }), "high of furn-03 from 3.5s to 5s: its place in this cycle is from 4.5s to 10s"},
		{"too long", change(func(e *Episode) { e.Steps = 12 }), "its place in this cycle"},
		{"no steps", change(func(e *Episode) { e.Steps = 0 }), "at least one step"},
		{"in the past", change(func(e *Episode) { e.First = -1 }), "not before the first"},
		{"too small", change(func(e *Episode) { e.By = 0.2 }), "want from 1 to 1000 beyond the limit"},
		{"no equipment", change(func(e *Episode) { e.Equipment = "furn-09" }), `no equipment "furn-09"; want one of [furn-03 furn-04]`},
		{"no tag", change(func(e *Episode) { e.Tags = nil }), "tags []; want some of [tc1 tc2 tc3 tc4]"},
		{"other tag", change(func(e *Episode) { e.Tags = []string{"lot"} }), "tags [lot]; want some of"},
		{"unknown kind", change(func(e *Episode) { e.Kind = "fire" }), `"fire" at 5s: unknown kind`},
		{"outage of one", []Episode{{Kind: Outage, Equipment: "furn-03", First: 3, Steps: 3}}, "it concerns the whole server"},
		{"after an outage", []Episode{{Kind: Outage, First: 2, Steps: 3}, good}, "outage at 1s and high at 5s: want at least 4s between them"},
		{"during an outage", []Episode{{Kind: Outage, First: 11, Steps: 1}, good}, "want at least"},
		{"on a bad one", []Episode{{Kind: Bad, Equipment: "furn-03", Tags: []string{"tc2"}, First: 9, Steps: 3}, good}, "bad at 4.5s and high at 5s"},
		{"two in one", []Episode{good, {Kind: High, Equipment: "furn-03", Tags: []string{"tc2"}, First: 11, Steps: 3, By: 4}}, ""},
		{"nearly one", []Episode{good, {Kind: High, Equipment: "furn-03", Tags: []string{"tc2"}, First: 14, Steps: 3, By: 4}}, "want at least 1.5s between them"},
		{"other furnace", []Episode{good, {Kind: Bad, Equipment: "furn-04", Tags: []string{"tc2"}, First: 10, Steps: 3}}, ""},
		{"too late", change(func(e *Episode) { e.First = 40 }), "later than 8s before the end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newScript(Options{Schedule: tt.schedule, For: 29 * time.Second}.withDefaults())
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		name string
		opt  Options
		want string
	}{
		{"short cycle", Options{Cycle: 10 * time.Second}, "a cycle of at least 30"},
		{"short step", Options{Step: time.Millisecond}, "steps of 10ms to 1h0m0s"},
		{"negative step", Options{Step: -time.Second}, "steps of 10ms to 1h0m0s"},
		{"no equipment", Options{Equipment: []string{}}, "want at least one"},
		{"twice", Options{Equipment: []string{"a", "a"}}, "equipment a: given twice"},
		{"odd name", Options{Equipment: []string{"a: b"}}, "want letters, digits"},
		{"no such address", Options{Listen: "256.0.0.1:0"}, "simulated plant: OPC UA server: listen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.opt); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
