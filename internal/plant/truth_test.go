package plant

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"andon/internal/sample"
)

var sameValue = cmp.Comparer(func(a, b sample.Value) bool { return a == b })

// at is a source time n seconds into a test.
func at(n int) sample.Time { return sample.Time(1000+n) * sample.Time(time.Second) }

// step is one frame of a hand-made furnace with two thermocouples in soak; a
// nil is a bad value.
type step struct {
	tc1, tc2 any
	hidden   bool
	phase    Phase
	lot      string
}

func (s step) frame(n int) frame {
	if s.lot == "" {
		s.lot = "L-1"
	}
	if s.phase == Idle {
		s.phase = Soak
	}
	return frame{at: at(n), reachable: !s.hidden, fresh: 2, readings: []Reading{
		{tagPhase, int32(s.phase)}, {tagLot, s.lot}, {tagOrder, "WO-1"}, {tagRecipe, releasedID},
		{"tc1", s.tc1}, {"tc2", s.tc2},
	}}
}

// The limits here: above 10, below 2 in soak, deadband 1, back for 1.5 s.
func handLimits() []Limit {
	ten, two := 10.0, 2.0
	return []Limit{
		{Parameter: "t", Rule: "over", Tags: []string{"tc1", "tc2"}, High: &ten, Deadband: 1, OffDelay: 1500 * time.Millisecond},
		{Parameter: "t", Rule: "under", Tags: []string{"tc1", "tc2"}, Phases: []string{"soak"}, Low: &two, Deadband: 1, OffDelay: 1500 * time.Millisecond},
	}
}

// What each small script must give was worked out by hand; step n is at n s.
func TestTruthByHand(t *testing.T) {
	dev := func(rule string, from, to int, worst float64, tag string, when, steps int) Deviation {
		d := Deviation{Equipment: "f", Parameter: "t", Rule: rule, From: at(from), Steps: steps, Lots: []string{"L-1"},
			Worst: Worst{Value: sample.FloatValue(worst), At: at(when), Tag: tag}}
		if to >= 0 {
			d.To = at(to)
		}
		return d
	}
	ok := step{tc1: 5.0, tc2: 5.0}
	tests := []struct {
		name  string
		steps []step
		devs  []Deviation
		gaps  []Gap
	}{
		{"in", []step{ok, ok, ok}, nil, nil},
		{"on the limit is in", []step{ok, {tc1: 10.0, tc2: 2.0}, ok}, nil, nil},
		{"one sample", []step{ok, {tc1: 12.0, tc2: 5.0}, ok, ok}, []Deviation{dev("over", 1, 2, 12, "tc1", 1, 1)}, nil},
		{"still out", []step{ok, {tc1: 12.0, tc2: 5.0}, {tc1: 13.0, tc2: 5.0}}, []Deviation{dev("over", 1, -1, 13, "tc1", 2, 2)}, nil},
		{"worst is the first of equals", []step{{tc1: 12.0, tc2: 12.0}, {tc1: 12.0, tc2: 5.0}, ok}, []Deviation{dev("over", 0, 2, 12, "tc1", 0, 2)}, nil},
		{"two at once are one", []step{ok, {tc1: 11.0, tc2: 5.0}, {tc1: 11.0, tc2: 14.0}, {tc1: 5.0, tc2: 13.0}, ok, ok},
			[]Deviation{dev("over", 1, 4, 14, "tc2", 2, 3)}, nil},
		{"out again within the off-delay is one", []step{{tc1: 12.0, tc2: 5.0}, ok, {tc1: 15.0, tc2: 5.0}, ok, ok},
			[]Deviation{dev("over", 0, 3, 15, "tc1", 2, 2)}, nil},
		{"out again after it is another", []step{{tc1: 12.0, tc2: 5.0}, ok, ok, {tc1: 15.0, tc2: 5.0}, ok, ok},
			[]Deviation{dev("over", 0, 1, 12, "tc1", 0, 1), dev("over", 3, 4, 15, "tc1", 3, 1)}, nil},
		{"within the deadband is not over", []step{{tc1: 12.0, tc2: 5.0}, {tc1: 9.5, tc2: 5.0}, {tc1: 9.5, tc2: 5.0}, {tc1: 9.5, tc2: 5.0}, {tc1: 11.0, tc2: 5.0}, ok, ok},
			[]Deviation{dev("over", 0, 5, 12, "tc1", 0, 2)}, nil},
		{"low in soak", []step{ok, {tc1: 1.0, tc2: 5.0}, ok}, []Deviation{dev("under", 1, 2, 1, "tc1", 1, 1)}, nil},
		{"low elsewhere", []step{ok, {tc1: 1.0, tc2: 5.0, phase: Quench}, ok}, nil, nil},
		{"high and low", []step{ok, {tc1: 1.0, tc2: 20.0}, ok, ok}, []Deviation{dev("over", 1, 2, 20, "tc2", 1, 1), dev("under", 1, 2, 1, "tc1", 1, 1)}, nil},
		{"bad", []step{ok, ok, {tc1: nil, tc2: 5.0}, {tc1: nil, tc2: 5.0}, ok},
			nil, []Gap{{"f", []string{"tc1"}, "bad_quality", at(1), at(4)}}},
		{"bad to the end", []step{ok, {tc1: nil, tc2: nil}},
			nil, []Gap{{"f", []string{"tc1"}, "bad_quality", at(0), 0}, {"f", []string{"tc2"}, "bad_quality", at(0), 0}}},
		{"hidden is not judged", []step{ok, {tc1: 20.0, tc2: 5.0, hidden: true}, {tc1: 20.0, tc2: 5.0, hidden: true}, ok},
			nil, []Gap{{"f", furnaceTags(), "link", at(0), at(3)}}},
		{"out, hidden, out is one", []step{ok, {tc1: 11.0, tc2: 5.0}, {tc1: 5.0, tc2: 5.0, hidden: true}, {tc1: 5.0, tc2: 5.0, hidden: true}, {tc1: 13.0, tc2: 5.0}, ok, ok},
			[]Deviation{dev("over", 1, 5, 13, "tc1", 4, 2)}, []Gap{{"f", furnaceTags(), "link", at(1), at(4)}}},
		{"out, hidden, in", []step{ok, {tc1: 11.0, tc2: 5.0}, {tc1: 11.0, tc2: 5.0, hidden: true}, ok},
			[]Deviation{dev("over", 1, 3, 11, "tc1", 1, 1)}, []Gap{{"f", furnaceTags(), "link", at(1), at(3)}}},
		{"the off-delay begins anew after a gap", []step{{tc1: 11.0, tc2: 5.0}, ok, {tc1: 5.0, tc2: 5.0, hidden: true}, ok, {tc1: 12.0, tc2: 5.0}, ok},
			[]Deviation{dev("over", 0, 5, 12, "tc1", 4, 2)}, []Gap{{"f", furnaceTags(), "link", at(1), at(3)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ta := newTally("f", handLimits())
			for n, s := range tt.steps {
				ta.add(s.frame(n))
			}
			if diff := cmp.Diff(tt.devs, ta.truth.Deviations, sameValue); diff != "" {
				t.Errorf("deviations (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.gaps, ta.truth.Gaps); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTruthOfLotsAndCounts(t *testing.T) {
	a, b := newTally("a", handLimits()), newTally("b", handLimits())
	for n, lot := range []string{"L-1", "L-1", "L-2", "L-2"} {
		a.add(step{tc1: 5.0, tc2: 11.0, lot: lot}.frame(n))
		b.add(step{tc1: 5.0, tc2: 5.0, lot: "L-9", hidden: n == 1}.frame(n))
	}
	got := join([]*tally{a, b}, 0)
	want := Truth{
		From: at(0), Until: at(3), Steps: 4, Samples: 14,
		Deviations: []Deviation{{Equipment: "a", Parameter: "t", Rule: "over", From: at(0), Steps: 4, Lots: []string{"L-1", "L-2"},
			Worst: Worst{sample.FloatValue(11), at(0), "tc2"}}},
		Gaps: []Gap{{"b", furnaceTags(), "link", at(0), at(2)}},
		Lots: []Lot{{"a", "L-1", "WO-1", at(0), at(2)}, {"b", "L-9", "WO-1", at(0), 0}, {"a", "L-2", "WO-1", at(2), 0}},
	}
	if diff := cmp.Diff(want, got, sameValue); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if early := join([]*tally{a, b}, at(1)); len(early.Lots) != 2 || early.Until != at(1) {
		t.Errorf("until step 1: got %+v", early)
	}
}

// A wrong text is out, whatever it is; the worst value is the first wrong one.
func TestTruthOfATextByHand(t *testing.T) {
	ta := newTally("f", []Limit{{Parameter: "recipe", Rule: "released", Tags: []string{tagRecipe}, Equals: "A", OffDelay: time.Second}})
	for n, r := range []string{"A", "B", "C", "A", "A"} {
		ta.add(frame{at: at(n), reachable: true, readings: []Reading{{tagLot, "L-1"}, {tagRecipe, r}}})
	}
	want := []Deviation{{Equipment: "f", Parameter: "recipe", Rule: "released", From: at(1), To: at(3), Steps: 2, Lots: []string{"L-1"},
		Worst: Worst{sample.StringValue("B"), at(1), tagRecipe}}}
	if diff := cmp.Diff(want, ta.truth.Deviations, sameValue); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A run of the seeded plant: the truth counted from the values is the schedule
// that made them, each episode at the instants of its steps.
func TestTruthIsTheSchedule(t *testing.T) {
	p := run(t, Options{Seed: 11, Step: 10 * time.Millisecond, Cycle: 300 * time.Millisecond, Record: true})
	eventually(t, "two rounds are done", func() bool { return p.Truth(time.Time{}).Steps > 4*30+5 })
	instants := map[int]sample.Time{}
	for _, v := range p.Served() {
		instants[v.Step] = v.Time
	}
	type finding struct {
		Equipment, What string
		From, To        sample.Time
	}
	var want, got []finding
	rules := map[Kind]string{High: "over", Low: "under", Bad: causeBad, WrongRecipe: "released", SlowQuench: "late"}
	for _, e := range p.script.Schedule(4 * 30) {
		first, end := instants[e.First], instants[e.end()]
		switch n := len(want); {
		case e.Kind == Outage:
			want = append(want, finding{"furn-03", causeLink, instants[e.First-1], end}, finding{"furn-04", causeLink, instants[e.First-1], end})
		case e.Kind == Bad:
			want = append(want, finding{e.Equipment, causeBad, instants[e.First-1], end})
		case n > 0 && e.Kind == High && want[n-1].Equipment == e.Equipment && want[n-1].To > first: // the second thermocouple
		default:
			want = append(want, finding{e.Equipment, rules[e.Kind], first, end})
		}
	}
	truth := p.Truth(instants[4*30-1].Std())
	for _, d := range truth.Deviations {
		got = append(got, finding{d.Equipment, d.Rule, d.From, d.To})
	}
	for _, g := range truth.Gaps {
		got = append(got, finding{g.Equipment, g.Cause, g.From, g.To})
	}
	if len(want) < 15 {
		t.Fatalf("only %d findings expected", len(want))
	}
	less := func(a, b finding) bool { return a.From < b.From || a.From == b.From && a.Equipment < b.Equipment }
	if diff := cmp.Diff(want, got, sortFindings(less)); diff != "" {
		t.Errorf("schedule (-), truth (+):\n%s", diff)
	}
}

func sortFindings[T any](less func(a, b T) bool) cmp.Option {
	return cmp.Transformer("sorted", func(in []T) map[int]T {
		out := make(map[int]T, len(in))
		for i, v := range in { // by rank: a plain, stable count of those before it
			rank := 0
			for j, w := range in {
				if less(w, v) || j < i && !less(v, w) {
					rank++
				}
			}
			out[rank] = v
		}
		return out
	})
}

// The form in which the truth is written is read by scripts.
func TestTruthForm(t *testing.T) {
	ta := newTally("furn-03", handLimits())
	for n, s := range []step{{tc1: 5.0, tc2: 5.0}, {tc1: 12.5, tc2: nil}} {
		ta.add(s.frame(n))
	}
	b, err := json.Marshal(join([]*tally{ta}, 0))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"from":"1970-01-01T00:16:40.000Z","until":"1970-01-01T00:16:41.000Z","steps":2,"samples":4,` +
		`"deviations":[{"equipment":"furn-03","parameter":"t","rule":"over","occurred_from":"1970-01-01T00:16:41.000Z","occurred_to":null,` +
		`"worst":{"value":12.5,"at":"1970-01-01T00:16:41.000Z","tag":"tc1"},"steps":1,"lots":["L-1"]}],` +
		`"gaps":[{"equipment":"furn-03","tags":["tc2"],"cause":"bad_quality","occurred_from":"1970-01-01T00:16:40.000Z","occurred_to":null}],` +
		`"lots":[{"equipment":"furn-03","lot":"L-1","work_order":"WO-1","from":"1970-01-01T00:16:40.000Z","to":null}]}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}
