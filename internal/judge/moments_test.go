package judge

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
	"andon/internal/spec"
)

// judging is a judge of one rule that applies from secs(0) on.
func judging(r spec.Rule, inputs int, maxGap time.Duration) *Judge {
	r.ID = "r"
	if r.Scope == "" {
		r.Scope = spec.AnyInput
	}
	names := []string{"a", "b", "c", "d"}[:inputs]
	p := NewParameter(&spec.Parameter{ID: "p", Inputs: names, Rules: []spec.Rule{r}}, maxGap, nil)
	s := NewState(p, secs(0))
	j := &Judge{P: p, S: &s, Applies: func(int, sample.Time) Applies { return Yes }}
	j.Activate(secs(0), 1)
	j.Context(secs(0), 1)
	return j
}

// tell gives inputs values at t; NaN is a bad one.
func tell(j *Judge, t sample.Time, xs ...float64) {
	var values []Value
	for i, x := range xs {
		if math.IsNaN(x) {
			j.Gap(i, j.S.Inputs[i].Heard, 2)
			continue
		}
		values = append(values, Value{Input: i, V: sample.FloatValue(x)})
	}
	if len(values) > 0 {
		j.Scan(t, 2, values)
	}
	if p := j.S.Passed(); p > 0 {
		j.Advance(p)
	}
}

// stands confirms all inputs at t.
func stands(j *Judge, t sample.Time) {
	for i := range j.S.Inputs {
		j.Heard(i, t)
	}
	j.Advance(j.S.Passed())
}

// turned is a verdict and since when.
type turned struct {
	At      sample.Time
	Verdict Verdict
}

// verdicts are those of rule 0, one that is taken over at its own instant left
// out.
func verdicts(j *Judge) (list []turned) {
	for _, c := range j.Changes {
		if c.What != VerdictChanged || c.Rule != 0 {
			continue
		}
		if n := len(list); n > 0 && list[n-1].At == c.At {
			list = list[:n-1]
		}
		if n := len(list); n == 0 || list[n-1].Verdict != c.Verdict {
			list = append(list, turned{c.At, c.Verdict})
		}
	}
	return list
}

// excursions adds up the time outside and the area of all of rule 0's events.
func excursions(j *Judge) (outside time.Duration, area float64) {
	add := func(e *Episode) {
		outside += e.Outside()
		area += e.MaxArea()
	}
	for i := range j.Changes {
		if c := &j.Changes[i]; c.Rule == 0 && c.What == EventCleared {
			add(&c.Episode)
		}
	}
	if st := &j.S.Rules[0]; st.Event.Phase == Raised {
		add(st.Episode)
	}
	return outside, area
}

func limit(x float64) *float64 { return &x }

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

// secs is the instant so many seconds in.
func secs(s float64) sample.Time { return 1000*sec + sample.Time(math.Round(s*1e9)) }

// brute integrates by small steps what a line from x to y over a stretch has
// beyond limits that are asked for at each step.
func brute(from, to sample.Time, x, y float64, limits func(t sample.Time) (low, high float64)) (seconds, area float64) {
	const steps = 4000
	d := to.Sub(from).Seconds() / steps
	for i := range steps {
		f := (float64(i) + 0.5) / steps
		low, high := limits(from + sample.Time(f*float64(to-from)))
		v := x + (y-x)*f
		if over := math.Max(v-high, low-v); over > 0 {
			seconds += d
			area += over * d
		}
	}
	return seconds, area
}

// TestBandExcursion: time outside and area of a band, against integration by
// small steps of the line through the samples. A stretch counts when one of its
// ends is out.
func TestBandExcursion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		j := judging(spec.Rule{Kind: spec.Band, Low: limit(-1), High: limit(1)}, 1, time.Hour)
		band := func(sample.Time) (float64, float64) { return -1, 1 }
		at := secs(0)
		var last, seconds, area float64
		tell(j, secs(0), 0)
		for range rapid.IntRange(1, 12).Draw(rt, "samples") {
			next := at + sample.Time(rapid.Int64Range(1e8, 5e9).Draw(rt, "dt"))
			x := rapid.Float64Range(-4, 4).Draw(rt, "x")
			tell(j, next, x)
			if math.Abs(x) > 1 || math.Abs(last) > 1 {
				s, a := brute(at, next, last, x, band)
				seconds, area = seconds+s, area+a
			}
			at, last = next, x
		}
		gotS, gotA := excursions(j)
		if !near(gotS.Seconds(), seconds, 0.03) || !near(gotA, area, 0.03) {
			rt.Fatalf("outside %v s, area %v; want %v, %v", gotS.Seconds(), gotA, seconds, area)
		}
	})
}

// TestSineExcursion: a sine sampled finely is above the limit for as long, and
// by as much, as the formula says.
func TestSineExcursion(t *testing.T) {
	j := judging(spec.Rule{Kind: spec.High, High: limit(0.5)}, 1, time.Hour)
	const period = 60.0
	for i := range 6001 {
		tell(j, secs(float64(i)/100), math.Sin(2*math.Pi*float64(i)/6000))
	}
	// above 1/2 from pi/6 to 5 pi/6; the integral of sin - 1/2 there is sqrt 3 - pi/3
	wantS, wantA := period/3, (math.Sqrt(3)-math.Pi/3)*period/(2*math.Pi)
	gotS, gotA := excursions(j)
	if !near(gotS.Seconds(), wantS, 1e-3) || !near(gotA, wantA, 1e-4) {
		t.Errorf("outside %v s, area %v; want %v, %v", gotS.Seconds(), gotA, wantS, wantA)
	}
}

// TestScopes: out and back of each scope, of staggered inputs, against the rule
// worked out at every instant from the values that stand.
func TestScopes(t *testing.T) {
	worked := map[string]func(a, b float64) bool{
		spec.AllInputs: func(a, b float64) bool { return a > 1 && b > 1 },
		spec.Mean:      func(a, b float64) bool { return a+b > 2 },
		spec.Max:       func(a, b float64) bool { return max(a, b) > 1 },
		spec.Min:       func(a, b float64) bool { return min(a, b) > 1 },
		spec.AnyInput:  func(a, b float64) bool { return a > 1 || b > 1 },
	}
	for scope, out := range worked {
		t.Run(scope, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				j := judging(spec.Rule{Kind: spec.High, Scope: scope, High: limit(1)}, 2, time.Hour)
				v := [2]float64{}
				tell(j, secs(0), 0, 0)
				want := []turned{{secs(0), In}}
				at := secs(0)
				for range rapid.IntRange(1, 20).Draw(rt, "samples") {
					at += sample.Time(rapid.Int64Range(1, 1e9).Draw(rt, "dt"))
					i := rapid.IntRange(0, 1).Draw(rt, "input")
					v[i] = rapid.SampledFrom([]float64{0, 0.5, 1, 1.5, 2, 3}).Draw(rt, "x")
					j.Scan(at, 2, []Value{{Input: i, V: sample.FloatValue(v[i])}})
					j.Advance(j.S.Passed())
					verdict := In
					if out(v[0], v[1]) {
						verdict = Out
					}
					if want[len(want)-1].Verdict != verdict {
						want = append(want, turned{at, verdict})
					}
				}
				j.Heard(0, at)
				j.Heard(1, at)
				j.Advance(at)
				sameVerdicts(rt, verdicts(j), want)
			})
		})
	}
}

func sameVerdicts(rt *rapid.T, got, want []turned) {
	rt.Helper()
	for len(got) > 0 && got[0].Verdict == Unknown { // before the first value
		got = got[1:]
	}
	if len(got) != len(want) {
		rt.Fatalf("verdicts %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			rt.Fatalf("verdicts %v, want %v", got, want)
		}
	}
}

// TestComputedAtLimit: what is computed of values, as their decimals say, and
// equals the limit is in, whatever the rounding; one step beyond is out.
func TestComputedAtLimit(t *testing.T) {
	decimal := func(i int) float64 { return float64(i) / 10 }
	rapid.Check(t, func(rt *rapid.T) {
		low, d := rapid.IntRange(-20000, 20000).Draw(rt, "low"), rapid.IntRange(1, 500).Draw(rt, "spread")
		spread := judging(spec.Rule{Kind: spec.Spread, Scope: spec.AllInputs, High: limit(decimal(d))}, 2, time.Hour)
		tell(spread, secs(1), decimal(low), decimal(low+d))
		n := rapid.IntRange(2, 4).Draw(rt, "inputs")
		mean := judging(spec.Rule{Kind: spec.High, Scope: spec.Mean, High: limit(decimal(low))}, n, time.Hour)
		same := []float64{decimal(low - d), decimal(low + d), decimal(low), decimal(low)}[:n]
		if n == 3 {
			same[2] = decimal(low)
		}
		tell(mean, secs(1), same...)
		for name, j := range map[string]*Judge{"spread": spread, "mean": mean} {
			if v := j.S.Rules[0].Verdict; v != In {
				rt.Fatalf("%s at its limit is %v: %+v", name, v, j.S.Rules[0].Series)
			}
		}
		tell(spread, secs(2), decimal(low), decimal(low+d+1))
		same[0] = decimal(low - d + 1)
		tell(mean, secs(2), same...)
		for name, j := range map[string]*Judge{"spread": spread, "mean": mean} {
			if v := j.S.Rules[0].Verdict; v != Out {
				rt.Fatalf("%s beyond its limit is %v: %+v", name, v, j.S.Rules[0].Series)
			}
		}
	})
}

// TestExcess: how far a latched value is outside its range, at the edges.
func TestExcess(t *testing.T) {
	inf := math.Inf(1)
	tests := []struct {
		name      string
		low, high float64
		v, want   float64
	}{
		{"at the low end", 23, 27, 23, 0},
		{"at the high end", 23, 27, 27, 0},
		{"above by a width", 23, 27, 31, 1},
		{"below by half", 23, 27, 21, 0.5},
		{"no high end", 10, -inf, 9, 0.1},
		{"no low end, above", -inf, 20, 30, 0.5},
		{"small limits count as 1", -inf, 0.5, 1, 0.5},
		{"huge value", 0, 1, math.MaxFloat64, math.MaxFloat64},
		{"huge value, narrow range", 0, 1e-300, math.MaxFloat64, math.MaxFloat64},
		{"huge range", -math.MaxFloat64, 0, math.MaxFloat64, 1},
		{"range wider than numbers go", -math.MaxFloat64, 0x1p1023, math.MaxFloat64, 0.5},
		{"too little to measure", -math.MaxFloat64, 0, math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.high == -inf {
				tt.high = inf
			}
			if got := excess(spec.InputRange{Low: tt.low, High: tt.high}, tt.v); !near(got, tt.want, math.Abs(tt.want)*1e-12) {
				t.Errorf("excess %v, want %v", got, tt.want)
			}
		})
	}
}
