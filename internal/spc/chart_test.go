package spc

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// charts are one of each kind, with every rule.
func charts(t interface {
	Helper()
	Fatal(...any)
}) []Chart {
	return []Chart{
		{Kind: KindIndividuals, Center: 10, Sigma: 0.5, Rules: mustRules(t, everyRule)},
		{Kind: KindEWMA, Center: 10, Sigma: 0.5, Lambda: 0.2, L: 2.86},
		{Kind: KindCUSUM, Center: 10, Sigma: 0.5, K: 0.5, H: 4, Head: 0.5},
	}
}

// TestStateJSON cuts a series anywhere, writes the state down, loads it, and
// goes on: nothing of it can be told afterwards.
func TestStateJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		series := rapid.SliceOfN(rapid.Float64Range(7, 13), 1, 80).Draw(t, "series")
		cut := rapid.IntRange(0, len(series)).Draw(t, "cut")
		for _, c := range charts(t) {
			var whole, part State
			for i, x := range series {
				if i == cut {
					b, err := json.Marshal(part)
					if err != nil {
						t.Fatal(err)
					}
					if len(b) > 500 {
						t.Fatalf("%d bytes of state: %s", len(b), b)
					}
					part = State{}
					if err := json.Unmarshal(b, &part); err != nil {
						t.Fatal(err)
					}
				}
				a, b := c.Step(&whole, x), c.Step(&part, x)
				if a != b || whole != part {
					t.Fatalf("%s, point %d: %q %+v, cut: %q %+v", c.Kind, i+1, a, whole, b, part)
				}
			}
		}
	})
}

// TestStepNotANumber wants neither a signal nor a trace of what is no number.
func TestStepNotANumber(t *testing.T) {
	for _, c := range charts(t) {
		var st State
		c.Step(&st, 10.1)
		was := st
		for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if s := c.Step(&st, x); s != "" || st != was {
				t.Errorf("%s: %v signals %q and leaves %+v", c.Kind, x, s, st)
			}
		}
	}
}

// TestStepHuge goes to the ends of float64 and still has a state that can be
// written down.
func TestStepHuge(t *testing.T) {
	for _, c := range charts(t) {
		var st State
		for _, x := range []float64{math.MaxFloat64, math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64, -math.MaxFloat64, 0} {
			if x != 0 && c.Step(&st, x) == "" {
				t.Errorf("%s: %v signals nothing", c.Kind, x)
			}
			if _, err := json.Marshal(st); err != nil {
				t.Errorf("%s after %v: %v", c.Kind, x, err)
			}
		}
	}
}

// TestGap wants that no run spans a gap, and that the sums stay.
func TestGap(t *testing.T) {
	all := charts(t)
	runs := Chart{Kind: KindIndividuals, Sigma: 1, Rules: mustRules(t, "n2=4,n3=4,n4=4,n5,n7=4,n8=4")}
	for _, tc := range []struct {
		rule   string
		series []float64
	}{
		{"n2=4", []float64{1, 2, 2, 1}},
		{"n3=4", []float64{-1, 0, 1, 2}},
		{"n4=4", []float64{-1, 1, -1, 1}},
		{"n5", []float64{0, 2.5, 2.5}},
		{"n7=4", []float64{0.5, 0.5, -0.5, -0.5}},
		{"n8=4", []float64{1.5, 1.5, -1.5, -1.5}},
	} {
		for at := range tc.series {
			var st State
			var last []string
			for i, x := range tc.series {
				if i == at && at > 0 {
					st.Gap()
				}
				runs.Step(&st, x)
				last = runs.AppendSignals(nil, &st)
			}
			if got, want := slices.Contains(last, tc.rule), at == 0; got != want {
				t.Errorf("%s with a gap before point %d: signals %v, want %v", tc.rule, at+1, got, want)
			}
		}
	}
	for _, c := range all[1:] {
		var st State
		c.Step(&st, 10.6)
		was := st
		st.Gap()
		if st != was || c.Value(&st) == 0 {
			t.Errorf("%s: a gap changes %+v to %+v", c.Kind, was, st)
		}
	}
}

// TestCUSUMHead follows the fast initial response by hand: target 0, sigma 1,
// k 0.5, h 4, both sums start at 2.
func TestCUSUMHead(t *testing.T) {
	c := Chart{Kind: KindCUSUM, Sigma: 1, K: 0.5, H: 4, Head: 0.5}
	var st State
	for i, want := range []struct {
		x, high, low float64
		nHigh, nLow  int64
		signal       string
	}{
		{1, 2.5, 0.5, 1, 1, ""},
		{2, 4, 0, 2, 0, ""}, // on the limit is not beyond it
		{0.75, 4.25, 0, 3, 0, SignalHigh},
		{-5, 0, 4.5, 0, 1, SignalLow},
	} {
		signal := c.Step(&st, want.x)
		if st.High != want.high || st.Low != want.low || st.HighPoints != want.nHigh || st.LowPoints != want.nLow || signal != want.signal {
			t.Errorf("point %d: %+v %q, want %+v", i+1, st, signal, want)
		}
		if v := c.Value(&st); v != max(want.high, want.low) {
			t.Errorf("point %d: value %v", i+1, v)
		}
	}
}

// TestCUSUMRounding wants that a value at the edge of the slack begins no count,
// where binary rounding would.
func TestCUSUMRounding(t *testing.T) {
	c := Chart{Kind: KindCUSUM, Center: 10, Sigma: 0.1, K: 0.7, H: 5}
	var st State
	for range 5 {
		c.Step(&st, 10.07)
	}
	if st.High != 0 || st.HighPoints != 0 {
		t.Errorf("%+v: 10.07 is target and slack exactly", st)
	}
}

// TestEWMAClosedForm compares to z_i = T + d (1 - (1-lambda)^i) for a constant
// shift d, and the limits to their formula at the first point, sigma L lambda,
// and far out.
func TestEWMAClosedForm(t *testing.T) {
	c := Chart{Kind: KindEWMA, Center: 50, Sigma: 2, Lambda: 0.3, L: 3}
	var st State
	for i := 1; i <= 40; i++ {
		c.Step(&st, 51)
		if want := 50 + 1 - math.Pow(0.7, float64(i)); math.Abs(c.Value(&st)-want) > 1e-12 {
			t.Errorf("point %d: %v, want %v", i, c.Value(&st), want)
		}
		if lcl, ucl := c.Limits(&st); i == 1 && (math.Abs(ucl-51.8) > 1e-12 || math.Abs(lcl-48.2) > 1e-12) {
			t.Errorf("first limits %v %v, want 48.2 51.8", lcl, ucl)
		}
	}
	_, ucl := c.Limits(&State{Points: 1e6})
	if want := 50 + 6*math.Sqrt(0.3/1.7); math.Abs(ucl-want) > 1e-12 {
		t.Errorf("last limit %v, want %v", ucl, want)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range charts(t) {
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", c.Kind, err)
		}
	}
	for _, tc := range []struct {
		chart Chart
		want  []string
	}{
		{Chart{}, []string{"sigma 0: want", `chart "": want individuals, ewma or cusum`}},
		{Chart{Kind: KindIndividuals, Center: math.NaN(), Sigma: -1}, []string{"center NaN", "sigma -1", "no run rules"}},
		{Chart{Kind: KindIndividuals, Sigma: 1, Rules: []Test{{"x", OneSide, 40, 40}}}, []string{"run rule x: length 40"}},
		{Chart{Kind: KindIndividuals, Sigma: 1, Rules: []Test{{Name: "x"}}}, []string{"no pattern 0"}},
		{Chart{Kind: KindEWMA, Sigma: math.Inf(1), Lambda: 1.5, L: math.NaN()}, []string{"sigma +Inf", "lambda 1.5", "l NaN"}},
		{Chart{Kind: KindCUSUM, Sigma: 1, K: -1, Head: 1}, []string{"k -1", "h 0", "head start 1"}},
		{Chart{Kind: KindCUSUM, Sigma: 1e308, K: 1, H: 5}, []string{"beyond the largest number"}},
	} {
		err := tc.chart.Check()
		for _, want := range tc.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want %s", tc.chart, err, want)
			}
		}
	}
}

func TestStepAllocates(t *testing.T) {
	for _, c := range charts(t) {
		var st State
		x := 9.0
		if n := testing.AllocsPerRun(1000, func() { c.Step(&st, x); x += 0.001 }); n != 0 {
			t.Errorf("%s: %v allocations a point", c.Kind, n)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, c := range charts(b) {
		b.Run(string(c.Kind), func(b *testing.B) {
			b.ReportAllocs()
			var st State
			for b.Loop() {
				c.Step(&st, 10.1)
			}
		})
	}
}
