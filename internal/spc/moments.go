package spc

import (
	"fmt"
	"math"
)

// MaxValue is the largest magnitude of a value that is charted. Beyond it sums
// and squares leave what a float64 holds; no instrument does.
const MaxValue = 1e150

// Summary describes a series of values.
type Summary struct {
	N               int    `json:"n"`               // values that are there
	Mean            Number `json:"mean"`            // arithmetic mean
	SD              Number `json:"sd"`              // standard deviation with n-1; unknown for one value
	Autocorrelation Number `json:"autocorrelation"` // with lag 1; unknown for equal values
}

// Summarize computes a summary. NaN is a missing value. The autocorrelation is
// the sum of (x_i - m)(x_(i+1) - m) over the sum of (x_i - m)^2, as NIST defines
// it for its Statistical Reference Datasets; a pair with a missing value is left
// out of the upper sum.
//
// The mean is carried with a second number for what does not fit into the first,
// and the squares are summed in a second pass with compensation (Neumaier, ZAMM
// 54, 1974; Chan, Golub and LeVeque, The American Statistician 37(3), 1983), so
// that many equal leading digits do not eat the result.
func Summarize(x []float64) Summary {
	m := momentsOf(x)
	s := Summary{N: m.n, Mean: Missing(), SD: Number(m.sd()), Autocorrelation: Missing()}
	if m.n > 0 {
		s.Mean = Number(m.mean())
	}
	if m.squares > 0 {
		var upper sum
		for i := 1; i < len(x); i++ {
			if product := m.off(x[i-1]) * m.off(x[i]); !math.IsNaN(product) {
				upper.add(product)
			}
		}
		s.Autocorrelation = Number(upper.total() / m.squares)
	}
	return s
}

// sum is a running sum and what rounding has cost it (Neumaier).
type sum struct{ value, lost float64 }

func (s *sum) add(x float64) {
	t := s.value + x
	if math.Abs(s.value) >= math.Abs(x) {
		s.lost += (s.value - t) + x
	} else {
		s.lost += (x - t) + s.value
	}
	s.value = t
}

func (s *sum) total() float64 { return s.value + s.lost }

// moments are the first two moments of a series.
type moments struct {
	n         int
	high, low float64 // the mean is their sum
	exponent  int     // deviations are scaled by 2^-exponent, so that their squares neither vanish nor overflow
	squares   float64 // sum of squared, scaled deviations from the mean
}

func momentsOf(x []float64) moments {
	var total sum
	var m moments
	least, most := math.Inf(1), math.Inf(-1)
	for _, v := range x {
		if math.IsNaN(v) {
			continue
		}
		m.n++
		total.add(v)
		least, most = min(least, v), max(most, v)
	}
	if m.n == 0 {
		return m
	}
	if least == most { // exactly: no rounding may make equal values differ
		m.high = least
		return m
	}
	m.high = total.total() / float64(m.n)
	var rest sum
	for _, v := range x {
		if !math.IsNaN(v) {
			rest.add(v - m.high)
		}
	}
	m.low = rest.total() / float64(m.n)
	_, m.exponent = math.Frexp(max(most-m.high, m.high-least))
	var squares sum
	for _, v := range x {
		if d := m.off(v); !math.IsNaN(d) {
			squares.add(d * d)
		}
	}
	m.squares = squares.total()
	return m
}

func (m *moments) mean() float64 { return m.high + m.low }

// off is the scaled deviation of a value from the mean.
func (m *moments) off(v float64) float64 {
	return math.Ldexp((v-m.high)-m.low, -m.exponent)
}

// sd is the standard deviation with n-1, NaN below two values.
func (m *moments) sd() float64 {
	if m.n < 2 {
		return math.NaN()
	}
	return math.Ldexp(math.Sqrt(m.squares/float64(m.n-1)), m.exponent)
}

// meanOf is the mean of the values that are there, NaN if none is.
func meanOf(x []float64) float64 {
	m := momentsOf(x)
	if m.n == 0 {
		return math.NaN()
	}
	return m.mean()
}

// usable refuses values that are no measurements. NaN is a missing one.
func usable(x []float64) error {
	for i, v := range x {
		if math.Abs(v) > MaxValue {
			return fmt.Errorf("value %d is %v: want a magnitude of at most %v", i+1, v, float64(MaxValue))
		}
	}
	return nil
}
