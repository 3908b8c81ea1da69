package spc

import (
	"errors"
	"fmt"
	"math"
)

// Estimator says how the standard deviation within subgroups is estimated.
type Estimator string

// The estimators, each named by what it is computed from.
const (
	MeanMovingRange Estimator = "mrbar/d2" // individuals: mean moving range of two
	MeanRange       Estimator = "rbar/d2"  // subgroups: mean range
	MeanSD          Estimator = "sbar/c4"  // subgroups: mean standard deviation
	Pooled          Estimator = "pooled"   // subgroups: root of the pooled variance, not corrected for bias
	GivenSigma      Estimator = "given"    // stated by the user
)

// Estimate is an estimated standard deviation.
type Estimate struct {
	Sigma     float64
	Estimator Estimator
	Weighted  bool // subgroups of different sizes had different weights
	// Freedom is the effective number of degrees of freedom: a standard deviation
	// with so many scatters as this estimate does. 0 when it is not estimated.
	Freedom float64
}

// Name is the estimator as reports print it.
func (e Estimate) Name() string {
	if e.Weighted {
		return string(e.Estimator) + ", weighted"
	}
	return string(e.Estimator)
}

// errNoSpread says that there is no pair of values to learn from.
var errNoSpread = errors.New("no two values from which a sigma could be estimated: want more data, or give sigma")

// errSizes says that means of subgroups of several sizes have no one sigma.
var errSizes = errors.New("subgroups of different sizes: an EWMA or a CUSUM of means wants one size")

// movingRanges are |x_i - x_(i-1)|, NaN where either is missing.
func movingRanges(x []float64) []float64 {
	var mr []float64
	for i := 1; i < len(x); i++ {
		mr = append(mr, math.Abs(x[i]-x[i-1]))
	}
	return mr
}

// withinIndividuals estimates sigma by MRbar/d2(2). Overlapping ranges share
// values; the variance of their mean, relative to its square, is
// (m v + 2 (m-1) c) / (m d2)^2 for m ranges, with v = d3^2 and c the covariance
// of neighbours, (4/pi) (sqrt(3)/2 + pi/12) - d2^2 (Cryer and Ryan, Journal of
// Quality Technology 22(3), 1990: about 0.826/m).
func withinIndividuals(x []float64) (Estimate, error) {
	ranges := momentsOf(movingRanges(x))
	if ranges.n == 0 {
		return Estimate{}, errNoSpread
	}
	d2, d3 := rangeMoments(2)
	c := 4/math.Pi*(math.Sqrt(3)/2+math.Pi/12) - d2*d2
	m := float64(ranges.n)
	relative := (m*d3*d3 + 2*(m-1)*c) / (m * m * d2 * d2)
	return Estimate{Sigma: ranges.mean() / d2, Estimator: MeanMovingRange, Freedom: 1 / (2 * relative)}, nil
}

// withinSubgroups estimates sigma from the spread within subgroups of two or
// more.
//
// Rbar/d2 and sbar/c4 of subgroups of different sizes are the linear unbiased
// estimates of least variance: each R_i/d2_i counts by (d2_i/d3_i)^2, each
// s_i/c4_i by c4_i^2/(1-c4_i^2) (Burr, Journal of Quality Technology 1(3), 1969;
// the MVLUE estimates of the R package qcc). With one size that is Rbar/d2 and
// sbar/c4 as in every table. Pooled is sqrt(sum (n_i-1) s_i^2 / sum (n_i-1))
// (Montgomery, Introduction to Statistical Quality Control, 6th ed., eq. 6.31).
func withinSubgroups(groups []Subgroup, how Estimator) (Estimate, error) {
	var weighted, weights sum
	size, unequal := 0, false
	for i := range groups {
		g := &groups[i]
		if g.N < 2 {
			continue
		}
		unequal = unequal || size != 0 && size != g.N
		size = g.N
		one, weight, err := g.sigma(how)
		if err != nil {
			return Estimate{}, err
		}
		weighted.add(weight * one)
		weights.add(weight)
	}
	if size == 0 {
		return Estimate{}, errNoSpread
	}
	e := Estimate{Sigma: weighted.total() / weights.total(), Estimator: how, Weighted: unequal, Freedom: weights.total() / 2}
	if how == Pooled { // weights were degrees of freedom, and what was averaged variances
		e.Sigma, e.Freedom = math.Sqrt(e.Sigma), weights.total()
	}
	return e, nil
}

// sigma is what one subgroup says of sigma (of the variance, if pooled), and how
// much that counts.
func (g *Subgroup) sigma(how Estimator) (one, weight float64, err error) {
	switch how {
	case MeanRange:
		if g.N > MaxRange {
			return 0, 0, fmt.Errorf("a subgroup of %d values: ranges are for 2 to %d, use standard deviations (xbar-s)", g.N, MaxRange)
		}
		d2, d3 := rangeMoments(g.N)
		return g.Range / d2, (d2 / d3) * (d2 / d3), nil
	case MeanSD:
		c4 := meanSD(g.N)
		return g.SD / c4, c4 * c4 / (1 - c4*c4), nil
	case Pooled:
		return g.SD * g.SD, float64(g.N - 1), nil
	case MeanMovingRange, GivenSigma:
	}
	return 0, 0, fmt.Errorf("estimator %q: want %s, %s or %s for subgroups", how, MeanRange, MeanSD, Pooled)
}
