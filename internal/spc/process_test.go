package spc

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
)

// TestProcess estimates from the baseline only: mean, spread, counts, and
// whether a signal is in it.
func TestProcess(t *testing.T) {
	single := Observed{Values: []float64{1, 2, 3, nan, 2, 50}}
	groups := Observed{Values: []float64{1, 2, 3, nan, 2, 50}, Groups: [][]float64{{1, 2}, {3, nan}, {nan, nan}, {2, 50}}}
	for _, tc := range []struct {
		name     string
		d        Observed
		o        Options
		signals  []Signal
		n, k     int
		mean, sd float64
		stable   bool
	}{
		{"all", single, Options{}, []Signal{{"n1", 6}}, 5, 0, 11.6, math.Sqrt(461.3), false},
		{"signal behind the baseline", single, Options{First: 1, Last: 5}, []Signal{{"n1", 6}}, 4, 0, 2, math.Sqrt(2.0 / 3), true},
		{"signal at its end", single, Options{First: 1, Last: 5}, []Signal{{"n1", 5}}, 4, 0, 2, math.Sqrt(2.0 / 3), false},
		{"signal before it", single, Options{First: 2, Last: 5}, []Signal{{"n1", 1}}, 3, 0, 7.0 / 3, math.Sqrt(1.0 / 3), true},
		{"a moving range", single, Options{First: 1, Last: 5}, []Signal{{SignalMovingRange, 2}}, 4, 0, 2, math.Sqrt(2.0 / 3), true},
		{"a range", groups, Options{}, []Signal{{SignalRange, 4}}, 5, 3, 11.6, math.Sqrt(461.3), false},
		{"subgroups", groups, Options{First: 1, Last: 3}, nil, 3, 2, 2, 1, true},
	} {
		p, err := tc.d.Process(tc.o, Estimate{}, tc.signals)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if p.N != tc.n || p.Subgroups != tc.k || !near(p.Mean, tc.mean, 1e-14) || !near(p.Overall, tc.sd, 1e-14) || *p.Stable != tc.stable {
			t.Errorf("%s: %+v stable %v, want %+v", tc.name, p, *p.Stable, tc)
		}
	}
	if _, err := single.Process(Options{First: 1, Last: 7}, Estimate{}, nil); err == nil {
		t.Error("a baseline beyond the data")
	}
	if got := groups.Sizes(); !slices.Equal(got, []int{2, 1, 0, 2}) {
		t.Errorf("sizes %v", got)
	}
}

// TestLocated: the sigma of means of 4 is half of that of single values.
func TestLocated(t *testing.T) {
	d := Observed{Groups: [][]float64{{1, 2, 3, 2}, {2, 3, 4, 3}}}
	center, sigma, within, err := d.Located(Options{})
	if err != nil || center != 2.5 || !near(within.Sigma, SubgroupOf(d.Groups[0]).SD/meanSD(4), 1e-14) || sigma != within.Sigma/2 || within.Estimator != MeanSD {
		t.Errorf("%v %v %+v %v", center, sigma, within, err)
	}
	if center, sigma, _, err := d.Located(Options{Center: pointer(7), Sigma: pointer(3)}); err != nil || center != 7 || sigma != 1.5 {
		t.Errorf("given: %v %v %v", center, sigma, err)
	}
	if _, _, _, err := (Observed{Groups: [][]float64{{1, 2}, {1, 2, 3}}}).Located(Options{}); err == nil {
		t.Error("means of several sizes have no one sigma")
	}
	if _, sigma, within, err := (Observed{Values: []float64{1, 3}}).Located(Options{}); err != nil || sigma != math.SqrtPi || within.Estimator != MeanMovingRange {
		t.Errorf("single values: %v %+v %v", sigma, within, err)
	}
	if _, _, _, err := (Observed{Groups: [][]float64{{nan}}}).Located(Options{}); err == nil {
		t.Error("no values")
	}
}

func TestNumberJSON(t *testing.T) {
	b, err := json.Marshal(map[string]any{
		"a": Number(0.1), "b": Missing(), "c": Number(math.Inf(1)), "d": Line{1}, "e": Line{1, Missing()},
	})
	if want := `{"a":0.1,"b":null,"c":null,"d":1,"e":[1,null]}`; err != nil || string(b) != want {
		t.Errorf("%s %v, want %s", b, err, want)
	}
}
