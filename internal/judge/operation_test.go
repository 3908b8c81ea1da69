package judge

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
	"andon/internal/spec"
)

const (
	lo, hi    = 870.0, 890.0 // of the soak's tolerance; hi is the threshold of above, lo of below
	maxGap    = 4 * time.Second
	opFrom    = 5 * sec
	opTo      = 45 * sec
	tref, zee = 880.0, 20.0
)

// happening is one thing that a Judge is told, at an instant.
type happening struct {
	t     sample.Time
	what  string // sample, heard, gap, turn, begin, end
	input int
	x     float64
}

// player tells a Judge what happens, as the engine would: everything that all
// inputs have passed is judged at once.
type player struct {
	j       *Judge
	results []Result
	reload  bool // the state is cloned after each step
}

func play(p *Parameter, applies func(t sample.Time) Applies, reload bool, list []happening) []Result {
	s := NewState(p, 0)
	pl := &player{j: &Judge{P: p, S: &s, Applies: func(_ int, t sample.Time) Applies { return applies(t) }}, reload: reload}
	for i, h := range list {
		pl.tell(uint64(i+1), h)
	}
	pl.j.Advance(1000 * sec)
	pl.gather()
	return pl.results
}

func (p *player) tell(n uint64, h happening) {
	j := p.j
	j.N = n
	switch h.what {
	case "sample":
		j.Scan(h.t, n, []Value{{Input: h.input, V: sample.FloatValue(h.x)}})
	case "heard":
		j.Heard(h.input, h.t)
	case "gap":
		j.Gap(h.input, j.S.Inputs[h.input].Heard, n)
	case "turn":
		j.enqueueTurn(h.t, n, Changed)
	case "begin":
		j.Operation(h.t, n, Begun)
	case "end":
		j.Operation(h.t, n, Ended)
	case "final":
		j.Operation(h.t, n, Ended|InputsEnd)
	}
	if passed := j.S.Passed(); passed > 0 {
		j.Advance(passed)
	}
	p.gather()
	if p.reload {
		s := j.S.Clone()
		p.j = &Judge{P: j.P, S: &s, Applies: j.Applies}
	}
}

func (p *player) gather() {
	for _, c := range p.j.Changes {
		if c.What == Decided {
			p.results = append(p.results, c.Result)
		}
	}
	p.j.Changes = p.j.Changes[:0]
}

// stretchOf is a straight line that an input is known to have gone along.
type stretchOf struct{ from, to, x, y float64 } // seconds

// known is what is known of an input, as the contract has it: it stands as long
// as it is confirmed, then goes straight to the next sample, unless a gap or
// more than the largest gap lies between.
func known(list []happening, input int) (all []stretchOf) {
	var at, held, x float64
	on := false
	for _, h := range list {
		t := h.t.Sub(0).Seconds()
		if h.input != input {
			continue
		}
		switch h.what {
		case "heard":
			if on {
				held = max(held, t)
			}
		case "gap":
			if on {
				all = append(all, stretchOf{at, held, x, x})
			}
			on = false
		case "sample":
			if on {
				all = append(all, stretchOf{at, held, x, x})
				if t-held <= maxGap.Seconds() {
					all = append(all, stretchOf{held, t, x, h.x})
				}
			}
			on, at, held, x = true, t, t, h.x
		}
	}
	if on {
		all = append(all, stretchOf{at, held, x, x})
	}
	return slices.DeleteFunc(all, func(s stretchOf) bool { return s.to <= s.from })
}

func (s stretchOf) at(t float64) float64 { return s.x + (s.y-s.x)*(t-s.from)/(s.to-s.from) }

// edgesOf are all instants at which anything begins, ends or crosses a limit.
func edgesOf(inputs [][]stretchOf, from, to float64) []float64 {
	edges := []float64{from, to}
	for _, in := range inputs {
		for _, s := range in {
			edges = append(edges, s.from, s.to)
			for _, l := range []float64{lo, hi} {
				if (s.x-l)*(s.y-l) < 0 {
					edges = append(edges, s.from+(s.to-s.from)*(l-s.x)/(s.y-s.x))
				}
			}
		}
	}
	slices.Sort(edges)
	return slices.DeleteFunc(slices.Compact(edges), func(t float64) bool { return t < from || t > to })
}

// integrate adds up f over the operation, piece by piece: f is asked in the
// middle of each, where the inputs' values are known (NaN: not).
func integrate(inputs [][]stretchOf, f func(d float64, values []float64, ok bool)) {
	edges := edgesOf(inputs, opFrom.Sub(0).Seconds(), opTo.Sub(0).Seconds())
	for i := 1; i < len(edges); i++ {
		mid, values := (edges[i-1]+edges[i])/2, make([]float64, len(inputs))
		for k, in := range inputs {
			values[k] = math.NaN()
			for _, s := range in {
				if s.from <= mid && mid <= s.to {
					values[k] = s.at(mid)
				}
			}
		}
		f(edges[i]-edges[i-1], values, i == 1 || edges[i] > edges[i-1])
	}
}

// drawHappenings are samples of several inputs at instants of their own, with
// confirmations, gaps and times of silence; and one operation.
func drawHappenings(t *rapid.T, inputs int) (list []happening) {
	for k := range inputs {
		at := sample.Time(rapid.IntRange(0, 30).Draw(t, "start")) * sec / 10
		for at < 50*sec {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				list = append(list, happening{at, "gap", k, 0})
			case 1, 2:
				list = append(list, happening{at, "heard", k, 0})
			default:
				x := rapid.SampledFrom([]float64{850, 865, 870, 871, 880, 880, 880, 885, 890, 893, 900, 915}).Draw(t, "x")
				list = append(list, happening{at, "sample", k, x})
			}
			at += sample.Time(rapid.IntRange(1, 35).Draw(t, "step")) * sec / 10
		}
		// what closes it, so that all that is known is known at the end
		list = append(list, happening{50 * sec, "sample", k, 880})
	}
	return merged(list, operationOf)
}

func ruleOf(kind string) spec.Rule {
	zero := 0.0
	r := spec.Rule{ID: kind, Kind: kind, Scope: spec.AnyInput, Low: &zero, Threshold: hi, Tolerance: &[2]float64{lo, hi},
		Mode: spec.Cumulative, TRef: tref, Z: zee, Side: spec.High}
	switch kind {
	case spec.Below:
		r.Threshold = lo
	case spec.Soak:
		r.Scope = spec.AllInputs
	}
	return r
}

func parameterOf(inputs int, rules ...spec.Rule) *Parameter {
	names := []string{"a", "b", "c"}[:inputs]
	return NewParameter(&spec.Parameter{ID: "p", Inputs: names, Rules: rules}, maxGap, nil)
}

func during(t sample.Time) Applies {
	if t >= opFrom && t < opTo {
		return Yes
	}
	return No
}

// one is the only result there is.
func one(t *rapid.T, p *Parameter, list []happening) Result {
	whole, cut := play(p, during, false, list), play(p, during, true, list)
	if len(whole) != 1 || len(cut) != 1 || !sameResult(&whole[0], &cut[0]) {
		t.Fatalf("results: whole %+v, cut %+v", whole, cut)
	}
	return whole[0]
}

func sameResult(a, b *Result) bool {
	return a.From == b.From && a.Actual == b.Actual && a.Known == b.Known && a.Met == b.Met && a.Reduced == b.Reduced
}

// TestTotals: whatever samples, confirmations and gaps there are, and whether
// or not their instants are those of the operation, time above and below,
// lethality and soaks are what adding up piece by piece gives.
func TestTotals(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 3).Draw(rt, "inputs")
		list := drawHappenings(rt, n)
		inputs := make([][]stretchOf, n)
		above, below := make([]float64, n), make([]float64, n)
		for k := range inputs {
			inputs[k] = known(list, k)
		}
		cumulative, now, best := 0.0, 0.0, 0.0
		integrate(inputs, func(d float64, values []float64, _ bool) {
			in := 0
			for k, x := range values {
				if x > hi {
					above[k] += d
				}
				if x < lo {
					below[k] += d
				}
				if x >= lo && x <= hi {
					in++
				}
			}
			if in < n {
				now = 0
				return
			}
			cumulative, now = cumulative+d, now+d
			best = max(best, now)
		})
		continuous := ruleOf(spec.Soak)
		continuous.Mode = spec.Continuous
		for _, tt := range []struct {
			name string
			rule spec.Rule
			want float64
		}{
			{"above", ruleOf(spec.Above), slices.Min(above)},
			{"below", ruleOf(spec.Below), slices.Min(below)},
			{"soak, cumulative", ruleOf(spec.Soak), cumulative},
			{"soak, continuous", continuous, best},
		} {
			if got := one(rt, parameterOf(n, tt.rule), list); math.Abs(got.Actual-tt.want) > 1e-6 {
				rt.Fatalf("%s: %.9g s, want %.9g", tt.name, got.Actual, tt.want)
			}
		}
		checkLethality(rt, list, inputs)
	})
}

// checkLethality: the coldest input decides, by trapezoids of its lethal rates.
func checkLethality(rt *rapid.T, list []happening, inputs [][]stretchOf) {
	least := math.Inf(1)
	for _, in := range inputs {
		sum := 0.0
		for _, s := range in {
			a, b := math.Pow(10, (s.x-tref)/zee), math.Pow(10, (s.y-tref)/zee)
			rate := stretchOf{s.from, s.to, a, b}
			from, to := max(s.from, opFrom.Sub(0).Seconds()), min(s.to, opTo.Sub(0).Seconds())
			if to > from {
				sum += (to - from) * (rate.at(from) + rate.at(to)) / 2
			}
		}
		least = min(least, sum)
	}
	got := one(rt, parameterOf(len(inputs), ruleOf(spec.Lethality)), list)
	if math.Abs(got.Actual-least) > 1e-9*max(1, least) {
		rt.Fatalf("lethality: %.12g s, want %.12g", got.Actual, least)
	}
}

// TestPeakOfOperation: the extreme is of the samples in the operation and of
// what is known to have stood in it.
func TestPeakOfOperation(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := drawHappenings(rt, 1)
		want := math.Inf(-1)
		for _, h := range list {
			if h.what == "sample" && h.t >= opFrom && h.t < opTo {
				want = max(want, h.x)
			}
		}
		for _, s := range known(list, 0) {
			if s.x == s.y && (s.to > opFrom.Sub(0).Seconds() || s.to == opFrom.Sub(0).Seconds() && !sampled(list, opFrom)) && s.from < opTo.Sub(0).Seconds() && stood(list, s) {
				want = max(want, s.x)
			}
		}
		low := -1e9
		rule := ruleOf(spec.Peak)
		rule.Low = &low
		got := one(rt, parameterOf(1, rule), list)
		if got.Known != !math.IsInf(want, -1) || got.Known && got.Actual != want {
			rt.Fatalf("peak %v (known %v), want %v: %v", got.Actual, got.Known, want, list)
		}
	})
}

// sampled: there is a sample of an instant.
func sampled(list []happening, t sample.Time) bool {
	return slices.ContainsFunc(list, func(h happening) bool { return h.what == "sample" && h.t == t })
}

// stood: the stretch was confirmed, and is not a line between equal samples,
// whose end is outside of the operation like its beginning.
func stood(list []happening, s stretchOf) bool {
	return slices.ContainsFunc(list, func(h happening) bool { return h.what == "heard" && h.t.Sub(0).Seconds() == s.to })
}

// every gives an input a value at each step from from to to.
func every(input int, from, to, step time.Duration, x func(t float64) float64) (list []happening) {
	for d := from; d <= to; d += step {
		list = append(list, happening{sample.Time(d), "sample", input, x(d.Seconds())})
	}
	return list
}

func merged(lists ...[]happening) []happening {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b happening) int { return int((a.t - b.t) / 1e6) })
	return all
}

var operationOf = []happening{{opFrom, "begin", -1, 0}, {opTo, "end", -1, 0}}

// TestEqualToTheMinimum: sums of tenths of a second come to the limit that is
// equal to them, however many there are. As floating point numbers 400 tenths
// are not 40.
func TestEqualToTheMinimum(t *testing.T) {
	for _, kind := range []string{spec.Above, spec.Below, spec.Soak, spec.Lethality} {
		x := map[string]float64{spec.Above: 900, spec.Below: 860, spec.Soak: hi, spec.Lethality: tref}[kind]
		for _, step := range []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, 900 * time.Millisecond} {
			rule, limit := ruleOf(kind), 40.0
			rule.Low, rule.High = &limit, &limit
			list := merged(every(0, 0, 50*time.Second, step, func(float64) float64 { return x }), operationOf)
			got := play(parameterOf(1, rule), during, false, list)
			if len(got) != 1 || !got[0].Met || got[0].Actual != 40 {
				t.Errorf("%s every %v: %+v, want 40 s", kind, step, got)
			}
		}
	}
}

// TestRampLethality: of a ramp from a to b, lethality is z/ln 10 (R(b) - R(a))/slope
// with R the rate. Trapezoids come near it from above, by the square of the step.
func TestRampLethality(t *testing.T) {
	const slope = 0.5 // a second
	ramp := func(t float64) float64 { return 860 + slope*t }
	rate := func(x float64) float64 { return math.Pow(10, (x-tref)/zee) }
	want := zee / math.Ln10 * (rate(ramp(45)) - rate(ramp(5))) / slope
	list := merged(every(0, 0, 50*time.Second, 100*time.Millisecond, ramp), operationOf)
	got := play(parameterOf(1, ruleOf(spec.Lethality)), during, false, list)
	if len(got) != 1 || got[0].Actual < want || got[0].Actual > want*(1+1e-5) {
		t.Errorf("%+v, want %g", got, want)
	}
}

// TestSine: the time that a sine spends above a level is the part of the period
// between its crossings.
func TestSine(t *testing.T) {
	const period = 10.0 // four of them in the operation
	sine := func(t float64) float64 { return 880 + 20*math.Sin(2*math.Pi*t/period) }
	list := merged(every(0, 0, 50*time.Second, 50*time.Millisecond, sine), operationOf)
	for _, tt := range []struct {
		kind string
		want float64
	}{
		{spec.Above, 4 * period / 3}, // sin > 1/2
		{spec.Below, 4 * period / 3}, // sin < -1/2
		{spec.Soak, 4 * period / 3},
		{spec.Peak, 900},
	} {
		got := play(parameterOf(1, ruleOf(tt.kind)), during, false, list)
		if len(got) != 1 || math.Abs(got[0].Actual-tt.want) > 0.01 {
			t.Errorf("%s: %+v, want %g", tt.kind, got, tt.want)
		}
	}
}
