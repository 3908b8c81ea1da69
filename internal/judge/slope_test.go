package judge

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
	"andon/internal/spec"
)

// pairs is the least-squares slope from all pairs of points, which needs no
// means: sum (ti-tk)(xi-xk) / sum (ti-tk)^2, a second.
func pairs(points []XY) float64 {
	var tx, tt float64
	for i := range points {
		for k := range i {
			dt := points[i].T.Sub(points[k].T).Seconds()
			tx += dt * (points[i].X - points[k].X)
			tt += dt * dt
		}
	}
	return tx / tt
}

// TestSlope: the slope of every full window of irregular samples is that of all
// pairs in it, and there is none before, or across too long a gap.
func TestSlope(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		window := time.Duration(rapid.Int64Range(1e9, 20e9).Draw(rt, "window"))
		maxGap := 4 * time.Second
		j := judging(spec.Rule{Kind: spec.Rate, Window: window, Per: time.Second, High: limit(1)}, 1, maxGap)
		var all []XY
		at := secs(0)
		for range rapid.IntRange(2, 40).Draw(rt, "samples") {
			at += sample.Time(rapid.Int64Range(1e6, 5e9).Draw(rt, "dt"))
			if n := len(all); n > 0 && at.Sub(all[n-1].T) > maxGap {
				all = nil
			}
			all = append(all, XY{at, rapid.Float64Range(-100, 100).Draw(rt, "x")})
			tell(j, at, all[len(all)-1].X)
			in := all
			for in[0].T < at.Add(-window) {
				in = in[1:]
			}
			full := at.Sub(all[0].T) >= window && len(in) > 1
			se := j.S.Rules[0].Series[0]
			if se.Known != full {
				rt.Fatalf("at %v slope known %v, want %v", at, se.Known, full)
			}
			if want := pairs(in); full && !near(se.X, want, 1e-9*(1+math.Abs(want))) {
				rt.Fatalf("at %v slope %v, want %v", at, se.X, want)
			}
		}
	})
}

// TestSlopeAtLimit: a ramp as steep as the limit, in decimals, is in; a steeper
// one is out.
func TestSlopeAtLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tenths := rapid.IntRange(1, 300).Draw(rt, "tenths")
		start := rapid.IntRange(-9000, 9000).Draw(rt, "start")
		per := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(rt, "per")
		high := float64(tenths) / 10 * per.Seconds() / 10 // every 10 s
		for extra, want := range []Verdict{In, Out} {
			j := judging(spec.Rule{Kind: spec.Rate, Window: time.Minute, Per: per, High: &high}, 1, 30*time.Second)
			for i := range 40 {
				tell(j, secs(float64(10*i)), float64(start+i*(tenths+extra))/10)
			}
			if got := verdicts(j); got[len(got)-1].Verdict != want || len(got) != 1 {
				rt.Fatalf("a ramp of %d tenths every 10 s, limit %d tenths: %v", tenths+extra, tenths, got)
			}
		}
	})
}

// TestSlopeConfirmed: a source that reports changes only, and confirms, is
// judged as one that sends every sample. A ramp that stalls is too slow.
func TestSlopeConfirmed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		scope := rapid.SampledFrom([]string{spec.AnyInput, spec.Mean}).Draw(rt, "scope")
		rule := spec.Rule{Kind: spec.Rate, Scope: scope, Window: 5 * time.Second, Per: time.Second, Low: limit(0.5), High: limit(2)}
		samples, changes := judging(rule, 2, time.Minute), judging(rule, 2, time.Minute)
		last := [2]float64{math.NaN(), math.NaN()}
		for i := range rapid.IntRange(5, 60).Draw(rt, "seconds") {
			at := secs(float64(i))
			var all, changed []Value
			for k := range last {
				x := float64(rapid.IntRange(0, 3).Draw(rt, "x")) + float64(i)/2
				if math.IsNaN(last[k]) || rapid.IntRange(0, 2).Draw(rt, "change") == 0 {
					last[k] = x
					changed = append(changed, Value{Input: k, V: sample.FloatValue(x)})
				}
				all = append(all, Value{Input: k, V: sample.FloatValue(last[k])})
			}
			samples.Scan(at, 2, all)
			if len(changed) > 0 {
				changes.Scan(at, 2, changed)
			}
			samples.Advance(at)
			stands(changes, at)
		}
		sameVerdicts(rt, verdicts(changes), verdicts(samples))
	})
}

// TestSlopeHuge: the largest and the smallest numbers give a number.
func TestSlopeHuge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		j := judging(spec.Rule{Kind: spec.Rate, Window: 2 * time.Second, Per: 24 * time.Hour, Low: limit(-1), High: limit(1)}, 1, time.Minute)
		for i := range 30 {
			tell(j, secs(float64(i)), rapid.SampledFrom([]float64{0, 1, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e300}).Draw(rt, "x"))
			if x := j.S.Rules[0].Series[0].X; math.IsNaN(x) || math.IsInf(x, 0) {
				rt.Fatalf("slope %v", x)
			}
		}
	})
}

// TestSlopeThinned: of more samples than are kept, those that are left out do
// not turn the line.
func TestSlopeThinned(t *testing.T) {
	j := judging(spec.Rule{Kind: spec.Rate, Window: time.Minute, Per: time.Second, High: limit(100)}, 1, time.Second)
	const hz = 400
	curve := func(i int) float64 { s := float64(i) / hz; return 3*s + math.Sin(s) }
	var all []XY
	for i := range 70 * hz {
		p := XY{secs(float64(i) / hz), curve(i)}
		tell(j, p.T, p.X)
		all = append(all, p)
	}
	if n := len(j.S.Rules[0].Memory[0].Points); n > maxPoints+2 || n < maxPoints/3 {
		t.Errorf("%d points kept of %d", n, 60*hz)
	}
	want, _ := leastSquares(all[len(all)-1-60*hz:], time.Second)
	if got := j.S.Rules[0].Series[0].X; !near(got, want, 1e-3) {
		t.Errorf("slope %v, of all samples %v", got, want)
	}
}

// TestRateAllInputs: with all_inputs a rate is out when both slopes are, and only
// then.
func TestRateAllInputs(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    float64 // slope of the second input
		want Verdict
	}{{"both rise too fast", 2, Out}, {"one stands", 0, In}, {"one at the limit", 1, In}} {
		j := judging(spec.Rule{Kind: spec.Rate, Scope: spec.AllInputs, High: limit(1), Window: 30 * time.Second, Per: time.Second}, 2, time.Hour)
		for s := 0.0; s <= 60; s += 10 {
			tell(j, secs(s), 2*s, tt.b*s)
		}
		got := verdicts(j)
		if last := got[len(got)-1]; last != (turned{secs(30), tt.want}) {
			t.Errorf("%s: %v, want %v from 30 s on", tt.name, got, tt.want)
		}
	}
}
