package spc

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var nan = math.NaN()

func want(t *testing.T, name string, got Number, expected float64) {
	t.Helper()
	if math.IsNaN(expected) && got.Known() || !math.IsNaN(expected) && !near(float64(got), expected, 1e-13) {
		t.Errorf("%s = %v, want %v", name, got, expected)
	}
}

// TestIndividualsByHand: 1 3 2 6, moving ranges 2 1 4.
func TestIndividualsByHand(t *testing.T) {
	c, err := Individuals([]float64{1, 3, 2, 6}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	sigma := 7.0 / 3 * math.SqrtPi / 2
	want(t, "center", c.Limits.Center, 3)
	want(t, "sigma", c.Limits.SigmaWithin, sigma)
	want(t, "ucl", c.Limits.UCL, 3+3*sigma)
	want(t, "lcl", c.Limits.LCL, 3-3*sigma)
	want(t, "mr_bar", c.Limits.MRBar, 7.0/3)
	want(t, "mr_ucl", c.Limits.MRUCL, 7.0/3*(1+3*math.Sqrt(math.Pi/2-1)))
	want(t, "mr_lcl", c.Limits.MRLCL, 0)
}

// TestIndividualsMissing wants no moving range and no run across a missing
// value, and points that keep their place.
func TestIndividualsMissing(t *testing.T) {
	x := []float64{1, 2, nan, 3, 1, nan, 9}
	c, err := Individuals(x, Options{Rules: mustRules(t, "n2=2")})
	if err != nil {
		t.Fatal(err)
	}
	for i, mr := range []float64{1, nan, nan, 2, nan, nan} {
		want(t, "moving range", c.MovingRanges[i], mr)
	}
	want(t, "mr_bar", c.Limits.MRBar, 1.5)
	if len(c.Points) != 7 || c.Points[2].Known() {
		t.Errorf("points %v", c.Points)
	}
	// Mean 3.2: 1 2 are a run below, 3 1 another; the 9 stands alone.
	if got := c.Signals; !slices.Equal(got, []Signal{{"n2=2", 2}, {"n2=2", 5}}) {
		t.Errorf("signals %v", got)
	}
}

// TestIndividualsBaseline estimates from the first points and judges all.
func TestIndividualsBaseline(t *testing.T) {
	x := []float64{10, 11, 10, 11, 10, 30, 10}
	c, err := Individuals(x, Options{First: 1, Last: 5, Rules: mustRules(t, "n1")})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "center", c.Limits.Center, 10.4)
	want(t, "mr_bar", c.Limits.MRBar, 1)
	if !slices.Equal(c.Signals, []Signal{{"n1", 6}, {SignalMovingRange, 6}, {SignalMovingRange, 7}}) {
		t.Errorf("signals %v", c.Signals)
	}
	c, err = Individuals(x, Options{Center: pointer(20), Sigma: pointer(2), Rules: mustRules(t, "n1")})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "given ucl", c.Limits.UCL, 26)
	want(t, "given mr_bar", c.Limits.MRBar, 4/math.SqrtPi)
	if !slices.ContainsFunc(c.Signals, func(s Signal) bool { return s == Signal{"n1", 1} }) {
		t.Errorf("10 is 5 sigma below 20: %v", c.Signals)
	}
}

func TestIndividualsRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		x    []float64
		o    Options
		want string
	}{
		{"nothing", nil, Options{}, "no value in the baseline"},
		{"one point", []float64{1}, Options{}, "no two values"},
		{"never two in a row", []float64{1, nan, 2}, Options{}, "no two values"},
		{"short baseline", []float64{1, 2, 3}, Options{First: 1, Last: 1}, "no two values"},
		{"long baseline", []float64{1, 2, 3}, Options{First: 1, Last: 4}, "baseline 1-4: want points from 1 to 3"},
		{"turned baseline", []float64{1, 2, 3}, Options{First: 3, Last: 2}, "baseline 3-2"},
		{"infinite", []float64{1, math.Inf(-1)}, Options{}, "value 2 is -Inf"},
		{"huge", []float64{1e151, 1}, Options{}, "value 1 is 1e+151"},
		{"sigma 0", []float64{1, 2}, Options{Sigma: pointer(0)}, "sigma 0"},
		{"center NaN", []float64{1, 2}, Options{Center: pointer(nan)}, "center NaN"},
	} {
		if _, err := Individuals(tc.x, tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
}

// TestEqualValues has no spread: limits on the centre, no signal, no index.
func TestEqualValues(t *testing.T) {
	x := []float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}
	c, err := Individuals(x, Options{Rules: mustRules(t, everyRule)})
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits.UCL != 0.1 || c.Limits.LCL != 0.1 || len(c.Signals) != 0 {
		t.Errorf("%+v", c)
	}
	c, err = Individuals(append(x, 0.2), Options{First: 1, Last: 16, Rules: mustRules(t, "n1")})
	if err != nil || !slices.ContainsFunc(c.Signals, func(s Signal) bool { return s == Signal{"n1", 17} }) {
		t.Errorf("a value off a constant baseline: %+v %v", c, err)
	}
}

// TestSubgroupsUnequal works one case by hand: subgroups of 2 and 3.
func TestSubgroupsUnequal(t *testing.T) {
	groups := [][]float64{{1, 3}, {4, 4, 7}, {nan, 5, nan}, {nan, nan}}
	d2 := [2]float64{2 / math.SqrtPi, 3 / math.SqrtPi}
	d3 := [2]float64{math.Sqrt(2 - 4/math.Pi), 0.8883680040452042894}
	w := [2]float64{d2[0] * d2[0] / d3[0] / d3[0], d2[1] * d2[1] / d3[1] / d3[1]}
	sigma := (w[0]*2/d2[0] + w[1]*3/d2[1]) / (w[0] + w[1])
	c, err := MeansAndRanges(groups, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "center", c.Limits.Center, 4) // 24 / 6: by values, not by subgroups
	want(t, "sigma of ranges", c.Limits.SigmaWithin, sigma)
	for i, n := range []float64{2, 3, 1} {
		want(t, "ucl", c.Limits.UCL[i], 4+3*sigma/math.Sqrt(n))
		want(t, "lcl", c.Limits.LCL[i], 4-3*sigma/math.Sqrt(n))
	}
	want(t, "ucl of nothing", c.Limits.UCL[3], nan)
	want(t, "r center", c.Limits.R.Center[1], d2[1]*sigma)
	want(t, "r ucl", c.Limits.R.UCL[1], (d2[1]+3*d3[1])*sigma)
	want(t, "r of one value", c.Spread[2], nan)
	want(t, "r center of one value", c.Limits.R.Center[2], nan)
	if !c.Within.Weighted || c.Within.Name() != "rbar/d2, weighted" {
		t.Errorf("estimator %q", c.Within.Name())
	}

	c4 := [2]float64{math.Sqrt(2 / math.Pi), math.SqrtPi / 2}
	h := [2]float64{c4[0] * c4[0] / (1 - c4[0]*c4[0]), c4[1] * c4[1] / (1 - c4[1]*c4[1])}
	s := [2]float64{math.Sqrt2, math.Sqrt(3)}
	sigma = (h[0]*s[0]/c4[0] + h[1]*s[1]/c4[1]) / (h[0] + h[1])
	c, err = MeansAndSDs(groups, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "sigma of sds", c.Limits.SigmaWithin, sigma)
	want(t, "s center", c.Limits.S.Center[0], c4[0]*sigma)
	want(t, "s ucl", c.Limits.S.UCL[0], (c4[0]+3*math.Sqrt(1-c4[0]*c4[0]))*sigma)
	want(t, "s lcl", c.Limits.S.LCL[0], 0)

	c, err = MeansAndSDs(groups, Options{Estimator: Pooled})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "pooled", c.Limits.SigmaWithin, math.Sqrt((1*2+2*3)/3.0))
	want(t, "degrees of freedom", Number(c.Within.Freedom), 3)
}

// TestSubgroupsTables holds the charts to the constants of the tables: with one
// size, A2 Rbar, D3 Rbar, D4 Rbar, A3 sbar, B3 sbar, B4 sbar.
func TestSubgroupsTables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, MaxRange).Draw(t, "n")
		groups := rapid.SliceOfN(rapid.SliceOfN(rapid.Float64Range(1, 2), n, n), 1, 10).Draw(t, "groups")
		k, err := ConstantsOf(n)
		if err != nil {
			t.Fatal(err)
		}
		var grand, rbar, sbar float64
		for _, g := range groups {
			_, sd, _ := exact(g)
			for _, x := range g {
				grand += x / float64(n*len(groups))
			}
			rbar += (slices.Max(g) - slices.Min(g)) / float64(len(groups))
			sbar += sd / float64(len(groups))
		}
		r, err := MeansAndRanges(groups, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := MeansAndSDs(groups, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, pair := range [][2]float64{
			{float64(r.Limits.Center), grand}, {r.Limits.UCL.at(0), grand + k.A2*rbar}, {r.Limits.LCL.at(0), grand - k.A2*rbar},
			{r.Limits.R.Center.at(0), rbar}, {r.Limits.R.UCL.at(0), k.D4 * rbar}, {r.Limits.R.LCL.at(0), k.D3 * rbar},
			{s.Limits.UCL.at(0), grand + k.A3*sbar}, {s.Limits.LCL.at(0), grand - k.A3*sbar},
			{s.Limits.S.Center.at(0), sbar}, {s.Limits.S.UCL.at(0), k.B4 * sbar}, {s.Limits.S.LCL.at(0), k.B3 * sbar},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-12 {
				t.Fatalf("n %d, line %d: %v, want %v", n, i, pair[0], pair[1])
			}
		}
		if len(r.Limits.UCL) != 1 || r.Size != n {
			t.Fatalf("one size has one limit: %v", r.Limits.UCL)
		}
	})
}

func TestSubgroupsRefuse(t *testing.T) {
	large := make([]float64, 26)
	for i := range large {
		large[i] = float64(i % 7)
	}
	for _, tc := range []struct {
		name   string
		groups [][]float64
		o      Options
		want   string
	}{
		{"nothing", nil, Options{}, "no value in the baseline"},
		{"one each", [][]float64{{1}, {2}}, Options{}, "no two values"},
		{"26", [][]float64{large}, Options{}, "a subgroup of 26 values: ranges are for 2 to 25, use standard deviations"},
		{"26, given sigma", [][]float64{large}, Options{Sigma: pointer(1)}, "use xbar-s"},
		{"infinite", [][]float64{{1, 2}, {1, math.Inf(1)}}, Options{}, "subgroup 2: value 2 is +Inf"},
		{"baseline", [][]float64{{1, 2}}, Options{First: 1, Last: 2}, "baseline 1-2: want points from 1 to 1"},
		{"estimator", [][]float64{{1, 2}}, Options{Estimator: MeanMovingRange}, `estimator "mrbar/d2"`},
	} {
		if _, err := MeansAndRanges(tc.groups, tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
	if _, err := MeansAndSDs([][]float64{large}, Options{}); err != nil {
		t.Errorf("26 values have a standard deviation: %v", err)
	}
}

// TestSpreadSignals: only beyond the limits, no run of R or s signals.
func TestSpreadSignals(t *testing.T) {
	groups := make([][]float64, 20)
	for i := range groups {
		groups[i] = []float64{0, 1}
	}
	groups[19] = []float64{-9.5, 10.5}
	c, err := MeansAndRanges(groups, Options{First: 1, Last: 19, Rules: mustRules(t, everyRule)})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.DeleteFunc(c.Signals, func(s Signal) bool { return strings.HasSuffix(s.Rule, "7") }); !slices.Equal(got, []Signal{{SignalRange, 20}}) {
		t.Errorf("signals %v", got) // all means are on the centre line: hugging, nothing else
	}
}

// TestStepEqualsChart: a chart of a file and the same values stepped with its
// centre and sigma signal alike, whatever is missing.
func TestStepEqualsChart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := zSeries().Draw(t, "x")
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(x)-1), 0, 4).Draw(t, "missing") {
			x[i] = nan
		}
		chart, err := Individuals(x, Options{Rules: mustRules(t, everyRule)})
		if err != nil {
			t.Skip(err)
		}
		c := Chart{Kind: KindIndividuals, Center: float64(chart.Limits.Center), Sigma: float64(chart.Limits.SigmaWithin), Rules: mustRules(t, everyRule)}
		var stepped []Signal
		var st State
		for i := range x {
			if math.IsNaN(x[i]) {
				st.Gap()
				continue
			}
			c.Step(&st, x[i])
			stepped = appendSignals(stepped, &c, &st, i+1)
		}
		charted := slices.DeleteFunc(chart.Signals, func(s Signal) bool { return s.Rule == SignalMovingRange })
		if !slices.Equal(charted, stepped) {
			t.Fatalf("charted %v, stepped %v", charted, stepped)
		}
	})
}

// TestCUSUMChange dates a shift by hand: in control until 3, then at +2 sigma.
func TestCUSUMChange(t *testing.T) {
	c := Chart{Kind: KindCUSUM, Sigma: 1, K: 0.5, H: 4}
	u := CUSUM(c, []float64{0, nan, 0, 2, 2, 2, 2, -9, -9})
	if !slices.Equal(u.Changes, []Change{{SignalHigh, 6, 3, 2}, {SignalLow, 8, 7, -9}}) {
		t.Errorf("changes %+v", u.Changes)
	}
	if !slices.Equal(u.Signals, []Signal{{SignalHigh, 6}, {SignalHigh, 7}, {SignalLow, 8}, {SignalLow, 9}}) {
		t.Errorf("signals %v", u.Signals)
	}
	if u.Points[1] != nil || u.Points[6].HighPoints != 4 {
		t.Errorf("points %+v", u.Points)
	}
}

// TestEWMAMissing: the average waits, and the limits do not widen meanwhile.
func TestEWMAMissing(t *testing.T) {
	c := Chart{Kind: KindEWMA, Sigma: 1, Lambda: 0.5, L: 3}
	whole, holed := EWMA(c, []float64{1, 2}), EWMA(c, []float64{1, nan, 2})
	if holed.Points[1].Known() || holed.Limits.UCL[1].Known() {
		t.Errorf("a missing value has a point: %+v", holed)
	}
	if whole.Points[1] != holed.Points[2] || whole.Limits.UCL[1] != holed.Limits.UCL[2] {
		t.Errorf("%+v, with a hole %+v", whole, holed)
	}
}

// TestFreedom compares the effective degrees of freedom to what is known:
// Patnaik's 3.83 for one range of 5 and 36.5 for 10 of them (Duncan, Quality
// Control and Industrial Statistics, table D3, to some tenths), and 0.62 (m) for
// moving ranges in the long run.
func TestFreedom(t *testing.T) {
	group := Subgroup{N: 5, Range: 1}
	for _, tc := range []struct {
		k             int
		want, percent float64
	}{{10, 36.5, 2}, {30, 108.8, 2}} {
		e, err := withinSubgroups(slices.Repeat([]Subgroup{group}, tc.k), MeanRange)
		if err != nil || math.Abs(e.Freedom/tc.want-1)*100 > tc.percent {
			t.Errorf("%d ranges of 5: %v degrees, want about %v (%v)", tc.k, e.Freedom, tc.want, err)
		}
	}
	x := make([]float64, 1001)
	for i := range x {
		x[i] = float64(i % 3)
	}
	e, err := withinIndividuals(x)
	if err != nil || math.Abs(e.Freedom/1000-0.605) > 0.001 {
		t.Errorf("1000 moving ranges: %v degrees (%v)", e.Freedom, err)
	}
}
