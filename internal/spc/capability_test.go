package spc

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func pointer(x float64) *float64 { return &x }

// TestChiSquareQuantile compares to closed forms (2 degrees of freedom are an
// exponential) and to printed tables.
func TestChiSquareQuantile(t *testing.T) {
	for _, p := range []float64{0.001, 0.025, 0.5, 0.975, 0.999} {
		if got, want := chiSquareQuantile(p, 2), -2*math.Log1p(-p); !near(got, want, 1e-13) {
			t.Errorf("p %v, 2 degrees: %.15g, want %.15g", p, got, want)
		}
		// 4 degrees: 1 - exp(-x/2) (1 + x/2).
		x := chiSquareQuantile(p, 4)
		if got := 1 - math.Exp(-x/2)*(1+x/2); !near(got, p, 1e-12) {
			t.Errorf("4 degrees: %v leaves %v below, want %v", x, got, p)
		}
	}
	for _, tc := range []struct{ p, f, want float64 }{
		{0.025, 24, 12.401}, {0.975, 24, 39.364}, {0.025, 1, 0.000982069}, {0.975, 1, 5.02389}, {0.025, 100, 74.222}, {0.975, 100, 129.561},
	} {
		if got := chiSquareQuantile(tc.p, tc.f); math.Abs(got-tc.want) > 5e-4*max(1e-3, math.Min(1, tc.want)) {
			t.Errorf("p %v, %v degrees: %v, printed %v", tc.p, tc.f, got, tc.want)
		}
	}
	// Far out the distribution is normal (Wilson and Hilferty).
	const f = 1e6
	q := 1 - 2.0/9/f + 1.9599639845400542355*math.Sqrt(2.0/9/f)
	if got := chiSquareQuantile(0.975, f); !near(got, f*q*q*q, 1e-7) {
		t.Errorf("a million degrees: %v, want about %v", got, f*q*q*q)
	}
}

// TestCapableByHand follows one process by hand: mean 10.5, sigma within 0.5,
// overall 1.
func TestCapableByHand(t *testing.T) {
	p := Process{Mean: 10.5, Within: Estimate{Sigma: 0.5, Estimator: MeanRange, Freedom: 80}, Overall: 1, N: 100, Subgroups: 20, Autocorrelation: 0.1}
	for _, tc := range []struct {
		name string
		tol  Tolerance
		want [9]float64 // cp cpu cpl cpk pp ppu ppl ppk cpm; 0 for null
	}{
		{"both", Tolerance{LSL: pointer(7), USL: pointer(13)}, [9]float64{2, 2.5 / 1.5, 3.5 / 1.5, 2.5 / 1.5, 1, 2.5 / 3, 3.5 / 3, 2.5 / 3, 6 / (6 * math.Sqrt(1.25))}},
		{"target", Tolerance{LSL: pointer(7), USL: pointer(13), Target: pointer(10.5)}, [9]float64{2, 2.5 / 1.5, 3.5 / 1.5, 2.5 / 1.5, 1, 2.5 / 3, 3.5 / 3, 2.5 / 3, 1}},
		{"upper", Tolerance{USL: pointer(13)}, [9]float64{0, 2.5 / 1.5, 0, 2.5 / 1.5, 0, 2.5 / 3, 0, 2.5 / 3, 0}},
		{"lower", Tolerance{LSL: pointer(7)}, [9]float64{0, 0, 3.5 / 1.5, 3.5 / 1.5, 0, 0, 3.5 / 3, 3.5 / 3, 0}},
		{"mean outside", Tolerance{LSL: pointer(12), USL: pointer(13)}, [9]float64{1.0 / 3, 2.5 / 1.5, -1, -1, 1.0 / 6, 2.5 / 3, -0.5, -0.5, 1 / (6 * math.Sqrt(5))}},
	} {
		c := Capable(p, tc.tol)
		for i, got := range []Number{c.Cp, c.CpUpper, c.CpLower, c.Cpk, c.Pp, c.PpUpper, c.PpLower, c.Ppk, c.Cpm} {
			if want := tc.want[i]; want == 0 && got.Known() || want != 0 && !near(float64(got), want, 1e-14) {
				t.Errorf("%s: index %d is %v, want %v", tc.name, i, got, want)
			}
		}
	}
}

// TestCapableIntervals: 24 degrees of freedom have the printed quantiles 12.401
// and 39.364; Bissell's interval by hand.
func TestCapableIntervals(t *testing.T) {
	c := Capable(Process{Mean: 10, Within: Estimate{Sigma: 1, Freedom: 24}, Overall: 1, N: 25}, Tolerance{LSL: pointer(7), USL: pointer(13)})
	for _, got := range []*[2]Number{c.Interval95.Cp, c.Interval95.Pp} {
		if math.Abs(float64(got[0])-math.Sqrt(12.401/24)) > 1e-4 || math.Abs(float64(got[1])-math.Sqrt(39.364/24)) > 1e-4 {
			t.Errorf("interval of 1: %v", *got)
		}
	}
	half := 1.959964 * math.Sqrt(1.0/225+1.0/48)
	for _, got := range []*[2]Number{c.Interval95.Cpk, c.Interval95.Ppk} {
		if math.Abs(float64(got[0])-(1-half)) > 1e-6 || math.Abs(float64(got[1])-(1+half)) > 1e-6 {
			t.Errorf("interval of cpk 1: %v, want 1 -+ %v", *got, half)
		}
	}
}

func TestCapableWarns(t *testing.T) {
	no, yes := false, true
	good := Process{Mean: 10, Within: Estimate{Sigma: 1, Freedom: 50}, Overall: 1, N: 100, Stable: &yes, Autocorrelation: math.NaN()}
	both := Tolerance{LSL: pointer(7), USL: pointer(13)}
	if c := Capable(good, both); len(c.Warnings) != 0 {
		t.Errorf("a good process: %v", c.Warnings)
	}
	for _, tc := range []struct {
		change func(*Process)
		want   string
		null   func(Capability) []Number
	}{
		{func(p *Process) { p.N = 24 }, "only 24 values", func(Capability) []Number { return nil }},
		{func(p *Process) { p.Autocorrelation = -0.31 }, "autocorrelation -0.31", func(Capability) []Number { return nil }},
		{func(p *Process) { p.Stable = &no }, "not stable", func(c Capability) []Number { return []Number{c.Cp, c.CpUpper, c.CpLower, c.Cpk} }},
		{func(p *Process) { p.Overall = 0 }, "no spread overall", func(c Capability) []Number { return []Number{c.Pp, c.PpUpper, c.PpLower, c.Ppk, c.Cpm} }},
		{func(p *Process) { p.Within.Sigma = 0 }, "no spread within", func(c Capability) []Number { return []Number{c.Cp, c.Cpk} }},
		{func(p *Process) { p.N, p.Overall, p.Stable = 0, math.NaN(), nil }, "without data", func(c Capability) []Number { return []Number{c.Pp, c.Ppk} }},
	} {
		p := good
		tc.change(&p)
		c := Capable(p, both)
		if !slices.ContainsFunc(c.Warnings, func(w string) bool { return strings.Contains(w, tc.want) }) {
			t.Errorf("warnings %q, want %s", c.Warnings, tc.want)
		}
		for _, n := range tc.null(c) {
			if n.Known() {
				t.Errorf("%s: %v, want null", tc.want, n)
			}
		}
	}
}

func TestToleranceCheck(t *testing.T) {
	for _, tc := range []struct {
		tol  Tolerance
		want string
	}{
		{Tolerance{}, "no specification limit"},
		{Tolerance{LSL: pointer(2), USL: pointer(1)}, "lsl 2 is not below usl 1"},
		{Tolerance{LSL: pointer(1), USL: pointer(1)}, "lsl 1 is not below usl 1"},
		{Tolerance{LSL: pointer(math.NaN())}, "lsl NaN"},
		{Tolerance{USL: pointer(math.Inf(1))}, "usl +Inf"},
		{Tolerance{USL: pointer(1), Target: pointer(math.NaN())}, "target NaN"},
	} {
		if err := tc.tol.Check(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %s", err, tc.want)
		}
	}
}

// TestCapableAnyUnit: an index has no unit, so it is the same in any.
func TestCapableAnyUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(9, 11), 3, 40).Draw(t, "x")
		scale := rapid.Float64Range(0.01, 100).Draw(t, "scale")
		offset := rapid.Float64Range(-100, 100).Draw(t, "offset")
		told := make([]float64, len(x))
		for i := range x {
			told[i] = x[i]*scale + offset
		}
		a := capable(t, x, 8, 12)
		b := capable(t, told, 8*scale+offset, 12*scale+offset)
		if float64(a.SigmaOverall) < 1e-3 || float64(a.SigmaWithin) < 1e-3 {
			t.Skip("hardly any spread: rounding would be compared")
		}
		for _, pair := range [][2]Number{{a.Cp, b.Cp}, {a.Cpk, b.Cpk}, {a.Pp, b.Pp}, {a.Ppk, b.Ppk}, {a.Cpm, b.Cpm}} {
			if pair[0].Known() != pair[1].Known() || pair[0].Known() && math.Abs(float64(pair[0]-pair[1])) > 1e-6*(1+math.Abs(float64(pair[0]))) {
				t.Fatalf("%v in one unit, %v in another", pair[0], pair[1])
			}
		}
	})
}

func capable(t *rapid.T, x []float64, lsl, usl float64) Capability {
	o := Options{Rules: mustRules(t, "n1")}
	chart, err := Individuals(x, o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Observed{Values: x}.Process(o, chart.Within, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Capable(p, Tolerance{LSL: &lsl, USL: &usl})
}
