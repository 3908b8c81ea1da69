package spc

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// exact computes mean, sd and autocorrelation with 400 bits.
func exact(x []float64) (mean, sd, auto float64) {
	b := func() *big.Float { return new(big.Float).SetPrec(400) }
	n := b().SetInt64(int64(len(x)))
	m := b()
	for _, v := range x {
		m.Add(m, b().SetFloat64(v))
	}
	m.Quo(m, n)
	squares, upper := b(), b()
	last := b()
	for i, v := range x {
		d := b().Sub(b().SetFloat64(v), m)
		squares.Add(squares, b().Mul(d, d))
		if i > 0 {
			upper.Add(upper, b().Mul(d, last))
		}
		last = d
	}
	mean, _ = m.Float64()
	variance := b().Quo(squares, b().SetInt64(int64(len(x)-1)))
	sd, _ = b().Sqrt(variance).Float64()
	if squares.Sign() != 0 {
		auto, _ = b().Quo(upper, squares).Float64()
	}
	return mean, sd, auto
}

// TestSummarizeExact is about digits: what many equal leading digits leave must
// be right to the last places. The autocorrelation is a sum with both signs and
// is compared to 1, not to itself.
func TestSummarizeExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.SampledFrom([]float64{0, 1, 1e7, -1e12, 1e140, 1e-140}).Draw(t, "offset")
		spread := rapid.SampledFrom([]float64{1e-150, 1e-5, 1, 1e3, 1e145}).Draw(t, "spread")
		x := rapid.SliceOfN(rapid.Float64Range(-1, 1), 2, 60).Draw(t, "x")
		for i := range x {
			x[i] = offset + x[i]*spread
		}
		s := Summarize(x)
		mean, sd, auto := exact(x)
		_, most := 0.0, 0.0
		for _, v := range x {
			most = max(most, math.Abs(v))
		}
		if math.Abs(float64(s.Mean)-mean) > most*0x1p-51 || !near(float64(s.SD), sd, 1e-13) {
			t.Fatalf("mean %v sd %v, want %v %v", s.Mean, s.SD, mean, sd)
		}
		if sd == 0 {
			if s.Autocorrelation.Known() {
				t.Fatalf("autocorrelation %v of equal values", s.Autocorrelation)
			}
			return
		}
		if math.Abs(float64(s.Autocorrelation)-auto) > 1e-13 {
			t.Fatalf("autocorrelation %v, want %v", s.Autocorrelation, auto)
		}
	})
}

// TestSummarizeNumAcc builds the hard data sets of NIST's Statistical Reference
// Datasets from their definitions: 1001 values around 1000000.2 and 10000000.2
// that alternate by 0.1. Certified are sd 0.1 and autocorrelation -0.999.
func TestSummarizeNumAcc(t *testing.T) {
	for _, tc := range []struct{ middle, low, high, digits float64 }{
		{1000000.2, 1000000.1, 1000000.3, 9}, // NumAcc3: float64 input allows 9 digits
		{10000000.2, 10000000.1, 10000000.3, 8},
	} {
		x := []float64{tc.middle}
		for range 500 {
			x = append(x, tc.low, tc.high)
		}
		s := Summarize(x)
		for _, c := range []struct{ got, want, digits float64 }{
			{float64(s.Mean), tc.middle, 15}, {float64(s.SD), 0.1, tc.digits}, {float64(s.Autocorrelation), -0.999, tc.digits},
		} {
			if !near(c.got, c.want, math.Pow(10, -c.digits)) {
				t.Errorf("around %v: %v, want %v to %v digits", tc.middle, c.got, c.want, c.digits)
			}
		}
	}
}

func TestSummarizeEdges(t *testing.T) {
	nan := math.NaN()
	for _, tc := range []struct {
		name string
		x    []float64
		want string
	}{
		{"nothing", nil, `{"n":0,"mean":null,"sd":null,"autocorrelation":null}`},
		{"all missing", []float64{nan, nan}, `{"n":0,"mean":null,"sd":null,"autocorrelation":null}`},
		{"one", []float64{0.1}, `{"n":1,"mean":0.1,"sd":null,"autocorrelation":null}`},
		{"equal", []float64{0.1, 0.1, 0.1}, `{"n":3,"mean":0.1,"sd":0,"autocorrelation":null}`},
		{"two", []float64{1, 3}, `{"n":2,"mean":2,"sd":1.4142135623730951,"autocorrelation":-0.5}`},
		// The only pairs are (1,3) and, after the gap, (3,1): none spans the missing one.
		{"missing", []float64{1, 3, nan, 3, 1}, `{"n":4,"mean":2,"sd":1.1547005383792515,"autocorrelation":-0.5}`},
	} {
		b, err := json.Marshal(Summarize(tc.x))
		if err != nil || string(b) != tc.want {
			t.Errorf("%s: %s %v, want %s", tc.name, b, err, tc.want)
		}
	}
}
