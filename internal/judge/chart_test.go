package judge

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
	"andon/internal/spc"
	"andon/internal/spec"
)

// drawChart draws a chart of centre 0 and sigma 1, sampled in some way.
func drawChart(rt *rapid.T, per string) *spec.Charting {
	c := &spec.Charting{Sigma: 1, Per: per, Subgroup: rapid.IntRange(1, 3).Draw(rt, "subgroup"), Every: 5 * time.Second,
		Take: rapid.SampledFrom([]string{spec.Mean, spec.Max, spec.Min, "last"}).Draw(rt, "take")}
	switch c.Kind = rapid.SampledFrom([]string{spec.Individuals, spec.EWMA, spec.CUSUM}).Draw(rt, "chart"); c.Kind {
	case spec.Individuals:
		c.Rules = rapid.SampledFrom([]string{"nelson", "western-electric", "aiag", "n2=4", "n3=3,n4=5"}).Draw(rt, "rules")
	case spec.EWMA:
		c.Lambda, c.L = 0.2, 2.7
	case spec.CUSUM:
		c.K, c.H, c.Head = 0.5, 4, rapid.SampledFrom([]float64{0, 0.5}).Draw(rt, "fir")
	}
	return c
}

// signalled are the points at which the batch functions of spc signal. NaN is a
// missing point.
func signalled(rt *rapid.T, c *spec.Charting, x []float64) []bool {
	var signals []spc.Signal
	chart := newChart(c)
	switch c.Kind {
	case spec.Individuals:
		center, sigma := 0.0, 1.0
		got, err := spc.Individuals(x, spc.Options{Center: &center, Sigma: &sigma, Rules: chart.Rules})
		if err != nil {
			rt.Fatal(err)
		}
		for _, s := range got.Signals {
			if s.Rule != spc.SignalMovingRange {
				signals = append(signals, s)
			}
		}
	case spec.EWMA:
		signals = spc.EWMA(chart, x).Signals
	case spec.CUSUM:
		signals = spc.CUSUM(chart, x).Signals
	}
	at := make([]bool, len(x))
	for _, s := range signals {
		at[s.Index-1] = true
	}
	return at
}

// grouped are the means of whole subgroups; a missing value loses the subgroup
// it would have been in, and is a missing point.
func grouped(x []float64, size int) (points []float64, ends []int) {
	sum, n := 0.0, 0
	for i, v := range x {
		if math.IsNaN(v) {
			points, ends = append(points, v), append(ends, i)
			sum, n = 0, 0
			continue
		}
		if sum, n = sum+v, n+1; n == size {
			points, ends = append(points, sum/float64(size)), append(ends, i)
			sum, n = 0, 0
		}
	}
	return points, ends
}

func drawValues(rt *rapid.T, missing bool) []float64 {
	x := make([]float64, rapid.IntRange(1, 60).Draw(rt, "values"))
	for i := range x {
		x[i] = rapid.SampledFrom([]float64{-3.5, -2.5, -1.5, -0.5, -0.25, 0, 0.25, 0.5, 0.5, 1.5, 1.5, 2.5, 3, 3.5}).Draw(rt, "x")
		if missing && rapid.IntRange(0, 14).Draw(rt, "missing") == 0 {
			x[i] = math.NaN()
		}
	}
	return x
}

// TestChartSamples: one point a sample or subgroup of samples. A chart signals
// where the batch functions do; between two points the last one stands.
func TestChartSamples(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c, x := drawChart(rt, spec.PerSample), drawValues(rt, true)
		j := judging(spec.Rule{Kind: spec.SPC, Chart: c}, 1, time.Hour)
		points, ends := grouped(x, c.Subgroup)
		signals := signalled(rt, c, points)
		for i, v := range x {
			tell(j, secs(float64(i+1)), v)
			stands(j, secs(float64(i)+1.5)) // no sample
			if len(ends) == 0 || ends[0] != i {
				continue
			}
			want := In
			switch {
			case math.IsNaN(v):
				want = Unknown
			case signals[0]:
				want = Out
			}
			if got := j.S.Rules[0].Verdict; got != want {
				rt.Fatalf("%+v of %v: value %d is %v, want %v", c, x, i+1, got, want)
			}
			ends, signals = ends[1:], signals[1:]
		}
	})
}

// take is what the values of a stretch come to.
func take(x []float64, how string) float64 {
	sum, low, high := 0.0, x[0], x[0]
	for _, v := range x {
		sum, low, high = sum+v, math.Min(low, v), math.Max(high, v)
	}
	return map[string]float64{spec.Mean: sum / float64(len(x)), spec.Min: low, spec.Max: high, "last": x[len(x)-1]}[how]
}

// TestChartIntervals: one point an interval of 5 s, at its end; a sample at the
// end belongs to the next. A value that stands counts at each confirmation.
func TestChartIntervals(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawChart(rt, spec.PerInterval)
		c.Subgroup = 1
		j := judging(spec.Rule{Kind: spec.SPC, Chart: c}, 1, time.Hour)
		x := drawValues(rt, false)
		var points []float64
		for i := 0; i+5 <= len(x); i += 5 {
			points = append(points, take(x[i:i+5], c.Take))
		}
		signals := signalled(rt, c, points)
		for i, v := range x {
			if i > 0 && v == x[i-1] {
				stands(j, secs(float64(i)))
			} else {
				tell(j, secs(float64(i)), v)
			}
			if k := i / 5; i%5 == 0 && k > 0 {
				if got := j.S.Rules[0].Verdict; (got == Out) != signals[k-1] {
					rt.Fatalf("%+v of %v: interval %d is %v, want a signal %v", c, x, k, got, signals[k-1])
				}
			}
		}
		if due := j.S.Due(j.P); len(x)%5 != 0 && due != secs(float64(len(x)-len(x)%5+5)) {
			rt.Fatalf("%d values: due at %v", len(x), due)
		}
	})
}

// TestChartParts: one point a part or a phase, when the next one begins.
func TestChartParts(t *testing.T) {
	for per, turn := range map[string]Turn{spec.PerPart: NewPart, spec.PerPhase: NewPhase} {
		t.Run(per, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				c := drawChart(rt, per)
				c.Subgroup = 1
				j := judging(spec.Rule{Kind: spec.SPC, Chart: c}, 1, time.Hour)
				x, size := drawValues(rt, false), rapid.IntRange(1, 4).Draw(rt, "values a part")
				var points []float64
				for i := 0; i+size < len(x); i += size {
					points = append(points, take(x[i:i+size], c.Take))
				}
				signals := signalled(rt, c, points)
				for i, v := range x {
					before := len(j.Changes)
					if i > 0 && i%size == 0 {
						j.Turn(secs(float64(i)), 2, turn)
						if got := raisedSince(j, before, per); got != signals[i/size-1] {
							rt.Fatalf("%+v of %v: %s %d signals %v, want %v", c, points, per, i/size, got, signals[i/size-1])
						}
					}
					tell(j, secs(float64(i)), v)
				}
			})
		})
	}
}

// raisedSince: the newest point signals. That of a phase is found, that of a
// part stands.
func raisedSince(j *Judge, before int, per string) (raised bool) {
	if per == spec.PerPart {
		return j.S.Rules[0].Verdict == Out
	}
	for _, c := range j.Changes[before:] {
		raised = raised || c.What == EventFound
	}
	return raised
}

// TestChartEdges: what ends a run, and what is no point.
func TestChartEdges(t *testing.T) {
	run := func(per string) spec.Rule {
		return spec.Rule{Kind: spec.SPC, Chart: &spec.Charting{Kind: spec.Individuals, Sigma: 1, Rules: "n2=3", Per: per, Subgroup: 1, Every: 10 * time.Second, Take: spec.Mean}}
	}
	tests := []struct {
		name  string
		per   string
		steps func(j *Judge)
		want  int // points, or parts of a run, on the chart in the end
		out   bool
	}{
		{"three on one side", spec.PerSample, func(j *Judge) {
			for i := range 3 {
				tell(j, secs(float64(i)), 0.5)
			}
		}, 3, true},
		{"another lot between", spec.PerSample, func(j *Judge) {
			tell(j, secs(0), 0.5)
			tell(j, secs(1), 0.5)
			j.Turn(secs(2), 2, NewLot)
			tell(j, secs(2), 0.5)
		}, 1, false},
		{"another phase between", spec.PerSample, func(j *Judge) {
			tell(j, secs(0), 0.5)
			tell(j, secs(1), 0.5)
			j.Turn(secs(2), 2, NewPhase)
			tell(j, secs(2), 0.5)
		}, 1, false},
		{"parts go through phases", spec.PerPart, func(j *Judge) {
			for i := range 3 {
				tell(j, secs(float64(2*i)), 0.5)
				j.Turn(secs(float64(2*i)+0.5), 2, NewPhase)
				j.Turn(secs(float64(2*i+1)), 2, NewPart)
			}
		}, 3, true},
		{"a gap in a part: no point, and no run over it", spec.PerPart, func(j *Judge) {
			for i := range 4 {
				tell(j, secs(float64(3*i)), 0.5)
				if i == 1 {
					tell(j, secs(float64(3*i+1)), math.NaN())
					tell(j, secs(float64(3*i+2)), 0.5)
				}
				j.Turn(secs(float64(3*i)+2.5), 2, NewPart)
			}
		}, 3, false},
		{"a gap in an interval: no point", spec.PerInterval, func(j *Judge) {
			tell(j, secs(0), 0.5)
			tell(j, secs(3), math.NaN())
			tell(j, secs(5), 0.5)
			tell(j, secs(11), 0.5)
			tell(j, secs(21), 0.5)
		}, 1, false},
		{"two scans of one instant: two samples", spec.PerSample, func(j *Judge) {
			tell(j, secs(0), 0.5)
			tell(j, secs(0), 0.5)
			tell(j, secs(0), 0.5)
		}, 3, true},
		{"huge values", spec.PerInterval, func(j *Judge) {
			tell(j, secs(0), math.MaxFloat64)
			tell(j, secs(1), math.MaxFloat64)
			tell(j, secs(10), -math.MaxFloat64)
			tell(j, secs(20), 0)
		}, 2, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := judging(run(tt.per), 1, time.Hour)
			tt.steps(j)
			st := &j.S.Rules[0]
			if got := int(st.Memory[0].Chart.Points); got != tt.want || (st.Verdict == Out) != tt.out {
				t.Errorf("%d points, %v; want %d, out %v", got, st.Verdict, tt.want, tt.out)
			}
		})
	}
}

// TestChartInputsApart: each input's intervals are plotted by its own samples;
// those of a slower one still to come are in them.
func TestChartInputsApart(t *testing.T) {
	c := &spec.Charting{Kind: spec.Individuals, Sigma: 1, Rules: "n1", Per: spec.PerInterval, Subgroup: 1, Every: 10 * time.Second, Take: spec.Max}
	j := judging(spec.Rule{Kind: spec.SPC, Chart: c}, 2, time.Hour)
	tell(j, secs(1), 0, 0)
	j.Scan(secs(11), 2, []Value{{Input: 0, V: sample.FloatValue(0)}})
	j.Scan(secs(9), 3, []Value{{Input: 1, V: sample.FloatValue(5)}})
	j.Scan(secs(12), 4, []Value{{Input: 1, V: sample.FloatValue(0)}})
	j.Advance(j.S.Passed())
	for k := range 2 {
		if n := j.S.Rules[0].Memory[k].Chart.Points; n != 1 {
			t.Errorf("input %d: %d points, want 1", k, n)
		}
	}
	if got := verdicts(j); got[len(got)-1] != (turned{secs(10), Out}) {
		t.Errorf("verdicts %v, want out at the interval's end", got)
	}
}

// TestChartOver: an interval that was over when the phase ended is a point, at
// its own end; one that was not is none.
func TestChartOver(t *testing.T) {
	for _, tt := range []struct {
		turn float64
		want bool
	}{{9.5, false}, {10, true}, {12, true}} {
		c := &spec.Charting{Kind: spec.Individuals, Sigma: 1, Rules: "n1", Per: spec.PerInterval, Subgroup: 1, Every: 10 * time.Second, Take: spec.Max}
		j := judging(spec.Rule{Kind: spec.SPC, Chart: c}, 1, time.Hour)
		tell(j, secs(0), 5)
		tell(j, secs(9), 5)
		j.Turn(secs(tt.turn), 2, NewPhase)
		opened := false
		for _, c := range j.Changes {
			opened = opened || c.What == EventOpened && c.At == secs(10)
		}
		if opened != tt.want {
			t.Errorf("phase ends at %v: opened %v, want %v", tt.turn, opened, tt.want)
		}
	}
}

// TestChartLost: an interval that was over when its input was lost is a point,
// though the other input had not been heard of.
func TestChartLost(t *testing.T) {
	c := &spec.Charting{Kind: spec.Individuals, Sigma: 1, Rules: "n1", Per: spec.PerInterval, Subgroup: 1, Every: 10 * time.Second, Take: spec.Max}
	j := judging(spec.Rule{Kind: spec.SPC, Chart: c}, 2, time.Hour)
	tell(j, secs(1), 5, 0)
	j.Gap(0, secs(12), 2)
	if got, want := verdicts(j), (turned{secs(10), Out}); len(got) != 2 || got[0] != want {
		t.Errorf("verdicts %v, want out at the interval's end and unknown from the gap on", got)
	}
}
