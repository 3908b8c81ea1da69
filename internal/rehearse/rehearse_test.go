package rehearse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"andon/internal/sample"
)

// head begins every specification of these tests; parameters follow.
const head = `schema: andon.spec/1
id: R
revision: A
effective: {from: 2026-01-01T00:00:00Z}
scope: {equipment: [furn-03]}
parameters:
`

// line is what tests look at of any line.
type line struct {
	T               sample.Time
	Type            string
	Parameter, Rule string
	State           string
	Value           any
	At, Due         sample.Time
	What, Phase     string
	Complete        *bool
	EventID         string `json:"event_id"`
	Requirement     struct {
		Actual *float64
		Met    *bool
	}
	raw  json.RawMessage
	Data struct {
		State        string
		Revision     int
		OccurredFrom sample.Time `json:"occurred_from"`
		OccurredTo   sample.Time `json:"occurred_to"`
		DetectedAt   sample.Time `json:"detected_at"`
		ClearedAt    sample.Time `json:"cleared_at"`
		RaisedAt     sample.Time `json:"raised_at"`
		Cause        string
		Tags         []string
		Spec         struct{ Parameter, Rule, SHA256 string }
		Gateway      struct{ ID string }
		Operation    struct{ Phase string }
		Product      struct{ Lots []string }
		Excursion    struct {
			DurationS float64 `json:"duration_s"`
			Area      *struct{ Value float64 }
			Samples   int
		}
		Evidence *struct {
			Records [2]uint64
			Count   int
			SHA256  string
		}
	}
}

// play judges a draft and reads its lines back. Their instants never go back.
func play(t *testing.T, o Options, spec, csv string) []line {
	t.Helper()
	var b strings.Builder
	o.Spec, o.Samples, o.SamplesFile, o.Unsigned = File{"R.A.spec.yaml", []byte(spec)}, strings.NewReader(csv), "run.csv", true
	if err := Run(&b, o); err != nil {
		t.Fatal(err)
	}
	return lines(t, b.String())
}

func lines(t *testing.T, text string) (list []line) {
	t.Helper()
	last := sample.Time(0)
	for _, s := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if s == "" {
			continue
		}
		l := line{raw: json.RawMessage(s)}
		if err := json.Unmarshal(l.raw, &l); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if l.T < last {
			t.Errorf("a line of %s after one of %s: %s", l.T, last, s)
		}
		last = l.T
		list = append(list, l)
	}
	return list
}

// only are the lines of a type.
func only(list []line, kind string) (found []line) {
	for _, l := range list {
		if l.Type == kind {
			found = append(found, l)
		}
	}
	return found
}

func at(sec float64) sample.Time { return DefaultStart + sample.Time(math.Round(sec*1e9)) }

// TestExcursion: a triangle above the limit. With samples on its corners the
// straight lines between them are the process itself, so that time outside and
// area come out as geometry has them: for a rise and a fall of r a second to h
// above the limit, 2h/r and h²/r. This holds whatever the sampling.
func TestExcursion(t *testing.T) {
	for _, tt := range []struct{ limit, foot, top, rate, every float64 }{
		{895, 885, 905, 1, 5}, {895, 885, 905, 1, 4}, {895, 894.5, 899, 0.25, 2}, {0, -12, 7, 0.5, 2}, {895, 890, 910, 20, 1},
	} {
		half := (tt.top - tt.foot) / tt.rate
		value := func(s float64) float64 { return tt.top - tt.rate*math.Abs(s-half) }
		csv, from, to := "t,tc1\n", math.Inf(1), math.Inf(1)
		for s := 0.0; s <= 2*half+3*tt.every; s += tt.every {
			v := math.Max(tt.foot, value(s))
			csv += fmt.Sprintf("%v,%v\n", s, v)
			if v > tt.limit {
				from = math.Min(from, s)
			} else if s > half {
				to = math.Min(to, s)
			}
		}
		spec := head + fmt.Sprintf(`  - {id: temp, inputs: [tc1], unit: "[degF]", sampling: {interval: %vs, max_gap: 60s}, rules: [{id: over, kind: high, limit: %v}]}`, tt.every, tt.limit)
		events := only(play(t, Options{Context: map[string]string{"lot": "L1"}}, spec, csv), "deviation")
		if len(events) != 3 { // opened, returned, with its evidence
			t.Errorf("%+v: %d revisions", tt, len(events))
			continue
		}
		over := tt.top - tt.limit
		first, last := events[0], events[1]
		if first.T != at(from) || first.Data.OccurredFrom != at(from) || first.Data.DetectedAt != at(from) || last.T != at(to) || last.Data.OccurredTo != at(to) {
			t.Errorf("%+v: from %s to %s, want %s to %s", tt, first.Data.OccurredFrom, last.Data.OccurredTo, at(from), at(to))
		}
		x := last.Data.Excursion
		if math.Abs(x.DurationS-2*over/tt.rate) > 1e-6 || math.Abs(x.Area.Value-over*over/tt.rate) > 1e-6*over*over/tt.rate {
			t.Errorf("%+v: %v s, area %v; want %v and %v", tt, x.DurationS, x.Area.Value, 2*over/tt.rate, over*over/tt.rate)
		}
	}
}

// TestDelays: timers print at their own instant, whatever the sampling, and
// those of the last instant count.
func TestDelays(t *testing.T) {
	const csv = "t,tc1\n0,880\n10,900\n20,900\n30,900\n40,894\n50,892\n60,890\n70,890\n"
	for _, tt := range []struct {
		on, event, off   string
		alarm, ev, clear float64 // seconds; NaN: never
	}{
		{"0s", "0s", "0s", 10, 10, 50},
		{"5s", "12s", "7s", 15, 22, 57},
		{"30s", "39s", "0s", 40, 49, 50},                         // out until back by the deadband, at 50
		{"40s", "40s", "0s", math.NaN(), math.NaN(), math.NaN()}, // a sample at 50 comes before a timer at 50
		{"41s", "45s", "0s", math.NaN(), math.NaN(), math.NaN()},
		{"0s", "0s", "20s", 10, 10, 70},
		{"0s", "0s", "21s", 10, 10, math.NaN()},
	} {
		spec := head + fmt.Sprintf(`  - id: temp
    inputs: [tc1]
    unit: "[degF]"
    sampling: {interval: 10s, max_gap: 60s}
    rules: [{id: over, kind: high, limit: 895, deadband: 3, on_delay: %s, event_delay: %s, off_delay: %s}]
`, tt.on, tt.event, tt.off)
		list := play(t, Options{}, spec, csv)
		got := map[string]float64{"UNACK": math.NaN(), "RTNUN": math.NaN(), "opened": math.NaN(), "returned_to_spec": math.NaN()}
		for _, l := range list {
			sec := float64(l.T-DefaultStart) / 1e9
			switch l.Type {
			case "alarm":
				got[l.State] = sec
				if l.At != l.T {
					t.Errorf("%+v: %s at %s is known at %s", tt, l.State, l.At, l.T)
				}
			case "deviation":
				got[l.Data.State] = sec
			}
		}
		want := map[string]float64{"UNACK": tt.alarm, "RTNUN": tt.clear, "opened": tt.ev, "returned_to_spec": tt.clear}
		for k, v := range want {
			if got[k] != v && !(math.IsNaN(v) && math.IsNaN(got[k])) {
				t.Errorf("%+v: %s at %v, want %v", tt, k, got[k], v)
			}
		}
	}
}

const plain = head + `  - id: temp
    inputs: [tc1, tc2]
    unit: "[degF]"
    sampling: {interval: 10s, max_gap: 30s}
    rules: [{id: over, kind: high, limit: 895, on_delay: 15s, off_delay: 15s, class: major}]
    evidence: {before: 10s, after: 25s}
`

// TestUndecided: the clock stops at the last sample, and what it would have
// decided is named.
func TestUndecided(t *testing.T) {
	type short struct {
		what, phase string
		due         float64
	}
	for _, tt := range []struct {
		name, csv string
		until     Until
		want      []short
	}{
		{"on-delay runs", "t,tc1,tc2\n0,880,880\n10,900,880\n20,900,880\n", Until{}, []short{{"alarm", "pending", 25}, {"event", "raised", 0}}},
		{"open", "t,tc1,tc2\n0,880,880\n10,900,880\n20,900,880\n", Until{For: 6 * time.Second}, []short{{"event", "raised", 0}}},
		{"off-delay runs", "t,tc1,tc2\n0,900,880\n10,900,880\n20,890,880\n30,890,880\n", Until{}, []short{{"alarm", "clearing", 35}, {"event", "clearing", 35}}},
		{"evidence", "t,tc1,tc2\n0,900,880\n10,900,880\n20,890,880\n30,890,880\n40,890,880\n", Until{}, []short{{"evidence", "gathering", 60}}},
		{"all decided", "t,tc1,tc2\n0,900,880\n10,900,880\n20,890,880\n30,890,880\n40,890,880\n", Until{At: at(60)}, nil},
	} {
		var got []short
		for _, l := range only(play(t, Options{Until: tt.until, Context: map[string]string{"lot": ""}}, plain, tt.csv), "undecided") {
			s := short{l.What, l.Phase, 0}
			if l.Due != 0 {
				s.due = float64(l.Due-DefaultStart) / 1e9
			}
			if l.Complete == nil || *l.Complete || l.Parameter != "temp" || l.Rule != "over" {
				t.Errorf("%s: %s", tt.name, l.raw)
			}
			got = append(got, s)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(short{})); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestEvidence: the samples in the window, by their numbers, and the hash over
// their bytes as the test writes them itself.
func TestEvidence(t *testing.T) {
	const csv = "t,tc1,tc2\n-20,880,881\n0,880,881\n10,900,881\n20,900,881\n30,890,882\n40,890,\n50,890,?882\n60,890,883\n70,890,883.5\n80,890,883\n90,890,883\n"
	list := only(play(t, Options{}, plain, csv), "deviation")
	last := list[len(list)-1]
	// suspect from 0 less 10 s, cleared at 45 and 25 s: from -10 to 70
	h, n := sha256.New(), 0
	for _, s := range []struct {
		i       int
		tag     string
		sec     float64
		v, q, x string
	}{
		{3, "tc1", 0, "880", "good", ""}, {4, "tc2", 0, "881", "good", ""}, {5, "tc1", 10, "900", "good", ""}, {6, "tc2", 10, "881", "good", ""},
		{7, "tc1", 20, "900", "good", ""}, {8, "tc2", 20, "881", "good", ""}, {9, "tc1", 30, "890", "good", ""}, {10, "tc2", 30, "882", "good", ""},
		{11, "tc1", 40, "890", "good", ""}, {12, "tc1", 50, "890", "good", ""}, {13, "tc2", 50, "882", "uncertain", `,"st":"Uncertain"`},
		{14, "tc1", 60, "890", "good", ""}, {15, "tc2", 60, "883", "good", ""}, {16, "tc1", 70, "890", "good", ""}, {17, "tc2", 70, "883.5", "good", ""},
	} {
		n++
		_, _ = fmt.Fprintf(h, "{\"i\":%d,\"equipment\":\"furn-03\",\"tag\":%q,\"t\":%q,\"ta\":%q,\"v\":%s,\"q\":%q%s}\n", s.i, s.tag, at(s.sec), at(s.sec), s.v, s.q, s.x)
	}
	e := last.Data.Evidence
	if e == nil {
		t.Fatalf("no evidence in %s", last.raw)
	}
	if last.T != at(70) || e.Records != [2]uint64{3, 17} || e.Count != n || e.SHA256 != hex.EncodeToString(h.Sum(nil)) {
		t.Errorf("at %s: %+v, want %d records 3 to 17, %x", last.T, e, n, h.Sum(nil))
	}
}

// TestContext: what stands in a row is known before its samples are judged, an
// empty cell changes nothing, and flags hold from the first row on.
func TestContext(t *testing.T) {
	spec := strings.Replace(plain, "parameters:", "applies_when: {phase: [soak]}\nparameters:", 1)
	const csv = "t,phase,lot,tc1,tc2\n0,heat,,900,880\n10,,,900,880\n20,soak,L2,900,880\n30,,,880,880\n50,,,880,880\n"
	list := only(play(t, Options{Context: map[string]string{"lot": "L1"}}, spec, csv), "deviation")
	if len(list) == 0 {
		t.Fatal("nothing was raised")
	}
	d := list[0]
	if d.T != at(20) || d.Data.OccurredFrom != at(20) || d.Data.Operation.Phase != "soak" || cmp.Diff(d.Data.Product.Lots, []string{"L2"}) != "" {
		t.Errorf("%s", d.raw)
	}
	if d.Data.Gateway.ID != "rehearse" || d.Data.Spec.Parameter != "temp" || len(d.Data.Spec.SHA256) != 64 {
		t.Errorf("%s", d.raw)
	}
}

// TestLateRows: a row that is older than the one before it arrives with it, and
// is judged in its place: from 880 to 900 and back in ten seconds each, it was
// beyond 895 for the upper quarter of both ways.
func TestLateRows(t *testing.T) {
	list := play(t, Options{Until: Until{At: at(70)}}, plain, "t,tc1,tc2\n0,880,880\n20,880,880\n10,900,\n30,880,880\n40,880,880\n50,880,880\n")
	found := only(list, "deviation")
	if len(found) == 0 {
		t.Fatal("nothing was found")
	}
	d := &found[len(found)-1].Data
	if found[0].T < at(20) || d.OccurredFrom != at(10) || d.OccurredTo != at(20) || d.Excursion.DurationS != 5 || d.Excursion.Area.Value != 12.5 {
		t.Errorf("%s", found[len(found)-1].raw)
	}
	if e := d.Evidence; e == nil || e.Count != 11 { // from -10 to 35 and 25 s: all
		t.Errorf("evidence %+v", e)
	}
}
