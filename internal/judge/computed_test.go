package judge

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
	"andon/internal/spec"
)

// kineticParameter judges the mean kinetic temperature of an input in Cel by a
// band that nothing leaves.
func kineticParameter() *Parameter {
	low, high := -1e9, 1e9
	return NewParameter(&spec.Parameter{ID: "p", Inputs: []string{"a"}, Unit: "Cel",
		Computed: &spec.Computed{Over: spec.OverOperation, Kinetic: &spec.Kinetic{DeltaH: spec.DefaultDeltaH, Unit: "Cel"}},
		Rules:    []spec.Rule{{ID: "mkt", Kind: spec.Band, Scope: spec.AnyInput, Low: &low, High: &high}}}, maxGap, nil)
}

// kineticOf is what a State has for the mean kinetic temperature after a list of
// happenings.
func kineticOf(list []happening) float64 {
	p := kineticParameter()
	s := NewState(p, 0)
	pl := &player{j: &Judge{P: p, S: &s, Applies: func(int, sample.Time) Applies { return Yes }}}
	for i, h := range list {
		pl.tell(uint64(i+1), h)
	}
	pl.j.Advance(1000 * sec)
	return s.Rules[0].Series[0].X
}

// rateAt is the Arrhenius rate at a temperature in Cel, up to a constant factor,
// and kineticMean the formula of USP <1079.2> for stays of so many seconds at
// temperatures: written here anew, with n weighted.
func rateAt(celsius float64) float64 { return math.Exp(-83.144 / (8.3144e-3 * (celsius + 273.15))) }

func kineticMean(seconds, celsius []float64) float64 {
	sum, weight := 0.0, 0.0
	for i := range seconds {
		sum, weight = sum+seconds[i]*rateAt(celsius[i]), weight+seconds[i]
	}
	return 83.144/8.3144e-3/-math.Log(sum/weight) - 273.15
}

// TestKineticSteps: temperatures that are held, as confirmations say, and change
// at once, give the textbook's sum. What was before the operation, and gaps,
// weigh nothing; other things that the context says change nothing.
func TestKineticSteps(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := []happening{{0, "sample", 0, rapid.Float64Range(-40, 120).Draw(rt, "before")}}
		at := sec
		var seconds, celsius []float64
		for i := range rapid.IntRange(1, 8).Draw(rt, "steps") {
			d, x := rapid.IntRange(1, 100).Draw(rt, "tenths"), rapid.Float64Range(-40, 120).Draw(rt, "Cel")
			list = append(list, happening{at, "heard", 0, 0})
			if rapid.IntRange(0, 3).Draw(rt, "gap") == 0 {
				list = append(list, happening{at, "gap", 0, 0})
				at += sec / 2
			}
			list = append(list, happening{at, "sample", 0, x})
			if i == 0 {
				list = append(list, happening{at, "begin", -1, 0})
			}
			to := at.Add(time.Duration(d) * 100 * time.Millisecond)
			list = append(list, happening{at + (to-at)/3, "turn", -1, 0})
			seconds, celsius, at = append(seconds, to.Sub(at).Seconds()), append(celsius, x), to
		}
		list = append(list, happening{at, "heard", 0, 0}, happening{at, "sample", 0, celsius[len(celsius)-1]})
		if got, want := kineticOf(list), kineticMean(seconds, celsius); math.Abs(got-want) > 1e-9*math.Abs(want)+1e-9 {
			rt.Fatalf("%v Cel, want %v", got, want)
		}
	})
}

// TestKineticConstant: of a constant temperature it is that temperature.
func TestKineticConstant(t *testing.T) {
	for _, x := range []float64{-80, 0, 5, 25, 121.1} {
		list := merged(every(0, 0, 20*time.Second, time.Second, func(float64) float64 { return x }), []happening{{5 * sec, "begin", -1, 0}})
		if got := kineticOf(list); math.Abs(got-x) > 1e-9 {
			t.Errorf("of %v Cel: %v", x, got)
		}
	}
}

// TestKineticRamp: of a ramp, sampled finely, it is what integrating the rate
// finer still gives; the operation begins between two samples.
func TestKineticRamp(t *testing.T) {
	ramp := func(t float64) float64 { return 5 + 1.5*t }
	list := merged(every(0, 0, 20*time.Second, 100*time.Millisecond, ramp), []happening{{5*sec + sec/20, "begin", -1, 0}})
	var seconds, celsius []float64
	const n = 100_000
	for i := range n {
		seconds, celsius = append(seconds, 1), append(celsius, ramp(5.05+(20-5.05)*(float64(i)+0.5)/n))
	}
	if got, want := kineticOf(list), kineticMean(seconds, celsius); math.Abs(got-want) > 1e-3 {
		t.Errorf("%v Cel, want %v", got, want)
	}
}

// TestMeanBeginsUnknown: an operation that begins while its input is lost has
// nothing of the one before in its mean.
func TestMeanBeginsUnknown(t *testing.T) {
	list := append(every(0, 0, 5*time.Second, time.Second, func(float64) float64 { return 90 }),
		happening{5 * sec, "gap", 0, 0}, happening{6 * sec, "begin", -1, 0}, happening{8 * sec, "sample", 0, 20}, happening{9 * sec, "sample", 0, 20})
	if got := kineticOf(list); math.Abs(got-20) > 1e-9 {
		t.Errorf("%v Cel, want 20", got)
	}
}
