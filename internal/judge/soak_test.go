package judge

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
	"andon/internal/spec"
)

// phases is when a rule applies, by a list of instants in seconds and what holds
// from each on.
type phases []struct {
	from    sample.Time
	applies Applies
}

func (p phases) at(t sample.Time) Applies {
	now := No
	for _, x := range p {
		if x.from*sec <= t {
			now = x.applies
		}
	}
	return now
}

func (p phases) turns() (list []happening) {
	for _, x := range p {
		list = append(list, happening{x.from * sec, "turn", -1, 0})
	}
	return list
}

// TestSoakPhases is the table of what the phases of a soak can do. The inputs
// are within all the time, from 0 to 50 s, the operation is from 5 to 45.
func TestSoakPhases(t *testing.T) {
	for _, tt := range []struct {
		name   string
		phases phases
		want   []float64 // seconds of each result, -1 for unknown
	}{
		{"one phase", phases{{10, Yes}, {30, No}}, []float64{20}},
		{"the whole operation", phases{{5, Yes}, {45, No}}, []float64{40}},
		{"never", phases{}, []float64{0}},
		{"two", phases{{10, Yes}, {20, No}, {25, Yes}, {40, No}}, []float64{10, 15}},
		{"ended by the operation", phases{{10, Yes}}, []float64{35}},
		{"the second ended by the operation", phases{{10, Yes}, {20, No}, {25, Yes}}, []float64{10, 20}},
		{"unknown within", phases{{10, Yes}, {20, Maybe}, {25, Yes}, {40, No}}, []float64{25}},
		{"unknown to its end", phases{{10, Yes}, {20, Maybe}, {40, No}}, []float64{10}},
		{"unknown to the operation's end", phases{{10, Yes}, {20, Maybe}}, []float64{10}},
		{"unknown before", phases{{6, Maybe}, {8, No}, {10, Yes}, {20, No}}, []float64{10}},
		{"unknown until it is seen", phases{{6, Maybe}, {10, Yes}, {20, No}}, []float64{10}},
		{"unknown behind", phases{{10, Yes}, {20, No}, {25, Maybe}, {30, No}}, []float64{10}},
		{"another behind unknown", phases{{10, Yes}, {20, No}, {25, Maybe}, {30, Yes}, {35, No}}, []float64{10, 5}},
		{"unknown all through", phases{{5, Maybe}}, []float64{-1}},
		{"unknown, and over", phases{{5, Maybe}, {20, No}}, []float64{-1}},
	} {
		rule := ruleOf(spec.Soak)
		rule.When = []string{"soak"}
		list := merged(tt.phases.turns(), every(0, 0, 50*time.Second, time.Second, func(float64) float64 { return 880 }), operationOf)
		got := play(parameterOf(1, rule), tt.phases.at, true, list)
		var seconds []float64
		for _, r := range got {
			if !r.Known {
				r.Actual = -1
			}
			seconds = append(seconds, r.Actual)
		}
		if len(seconds) != len(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, seconds, tt.want)
			continue
		}
		for i := range seconds {
			if seconds[i] != tt.want[i] {
				t.Errorf("%s: %v, want %v", tt.name, seconds, tt.want)
				break
			}
		}
	}
}

// TestSensorLoss: three inputs, two of which are enough. The third one is lost
// from 10 to 20 in an operation from 5 to 45, or where the table says.
func TestSensorLoss(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to time.Duration // of c's loss
		soak     float64       // the longest stretch, of a continuous soak
		reduced  bool
		above    float64 // the least of those that count
	}{
		{"in the middle", 10 * time.Second, 20 * time.Second, 40, true, 40},
		{"from before the beginning", 2 * time.Second, 20 * time.Second, 40, true, 40},
		{"to the end", 30 * time.Second, 60 * time.Second, 40, true, 40},
		{"before only", 2 * time.Second, 4 * time.Second, 40, false, 40},
		{"behind only", 46 * time.Second, 49 * time.Second, 40, false, 40},
	} {
		soak, above := ruleOf(spec.Soak), ruleOf(spec.Above)
		soak.Mode, above.Threshold = spec.Continuous, 870
		p := NewParameter(&spec.Parameter{ID: "p", Inputs: []string{"a", "b", "c"}, Rules: []spec.Rule{soak, above},
			SensorLoss: spec.SensorLoss{MinimumInputs: 2}}, maxGap, nil)
		in := func(float64) float64 { return 880 }
		list := merged(every(0, 0, 50*time.Second, time.Second, in), every(1, 0, 50*time.Second, time.Second, in), operationOf,
			every(2, 0, tt.from, time.Second, in), []happening{{sample.Time(tt.from) + 1e8, "gap", 2, 0}}, every(2, tt.to, 50*time.Second, time.Second, in))
		got := play(p, during, true, list)
		if len(got) != 2 || got[0].Actual != tt.soak || got[0].Reduced != tt.reduced || got[1].Actual != tt.above || got[1].Reduced != tt.reduced {
			t.Errorf("%s: %+v, want %v and %v s, reduced %v", tt.name, got, tt.soak, tt.above, tt.reduced)
		}
	}
}

// TestTooFewLeft: when fewer are left than are needed, nothing earns.
func TestTooFewLeft(t *testing.T) {
	soak := ruleOf(spec.Soak)
	p := NewParameter(&spec.Parameter{ID: "p", Inputs: []string{"a", "b", "c"}, Rules: []spec.Rule{soak}, SensorLoss: spec.SensorLoss{MinimumInputs: 2}}, maxGap, nil)
	in := func(float64) float64 { return 880 }
	list := merged(every(0, 0, 50*time.Second, time.Second, in), operationOf)
	for k := 1; k < 3; k++ {
		list = merged(list, every(k, 0, 10*time.Second, time.Second, in), []happening{{10*sec + 1e8, "gap", k, 0}}, every(k, 30*time.Second, 50*time.Second, time.Second, in))
	}
	if got := play(p, during, true, list); len(got) != 1 || got[0].Actual != 20 || got[0].Reduced {
		t.Errorf("%+v, want 20 s: from 5 to 10 and from 30 to 45", got)
	}
}

// TestHugeValues: whatever numbers come, what comes of them can be written down
// and read again, and no time is longer than the operation.
func TestHugeValues(t *testing.T) {
	values := []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0, 880, lo, hi,
		math.Nextafter(lo, 0), math.Nextafter(hi, 1e9), 1e300, -1e300}
	rapid.Check(t, func(rt *rapid.T) {
		list := operationOf
		for k := range 2 {
			from := time.Duration(rapid.IntRange(0, 9).Draw(rt, "from")) * 100 * time.Millisecond
			list = merged(list, every(k, from, 50*time.Second, time.Second, func(float64) float64 { return rapid.SampledFrom(values).Draw(rt, "x") }))
		}
		for _, kind := range []string{spec.Soak, spec.Lethality, spec.Above, spec.Below, spec.Peak} {
			for _, scope := range []string{spec.AnyInput, spec.AllInputs, spec.Mean, spec.Max, spec.Min} {
				rule := ruleOf(kind)
				rule.Scope = scope
				got := one(rt, parameterOf(2, rule), list)
				if _, err := json.Marshal(got); err != nil {
					rt.Fatalf("%s of %s: %v", kind, scope, err)
				}
				if timed := kind != spec.Peak && kind != spec.Lethality; timed && (got.Actual < 0 || got.Actual > 40) {
					rt.Fatalf("%s of %s: %v s of 40", kind, scope, got.Actual)
				}
			}
		}
	})
}

// TestLostBehindTheClock: the clock has let the mean be counted on to 12, with
// an input last heard of at 10, when that turns out to have been lost there. What
// has been counted stands, and is not counted again.
func TestLostBehindTheClock(t *testing.T) {
	rule := ruleOf(spec.Above)
	rule.Scope = spec.Mean
	p := NewParameter(&spec.Parameter{ID: "p", Inputs: []string{"a", "b"}, Rules: []spec.Rule{rule}, SensorLoss: spec.SensorLoss{MinimumInputs: 1}}, maxGap, nil)
	s := NewState(p, 0)
	pl := &player{j: &Judge{P: p, S: &s, Applies: func(_ int, t sample.Time) Applies { return during(t) }}}
	hot := func(float64) float64 { return 900 }
	list := merged(every(0, 0, 12*time.Second, time.Second, hot), every(1, 0, 10*time.Second, time.Second, hot), operationOf[:1])
	for i, h := range list {
		pl.tell(uint64(i+1), h)
	}
	pl.j.Advance(12 * sec)
	for _, h := range append([]happening{{13 * sec, "gap", 1, 0}}, merged(every(0, 13*time.Second, 46*time.Second, time.Second, hot), operationOf[1:])...) {
		pl.tell(1000, h)
	}
	if got := pl.results; len(got) != 1 || got[0].Actual != 40 || !got[0].Reduced {
		t.Errorf("%+v, want 40 s of 40, with one input less", got)
	}
}
