package spc

import (
	"errors"
	"fmt"
	"math"
)

// Subgroup is what a chart keeps of one subgroup.
type Subgroup struct {
	N     int     // values that are there
	Mean  float64 // NaN without a value
	Range float64 // largest less smallest; NaN below two values
	SD    float64 // standard deviation with n-1; NaN below two values
}

// SubgroupOf computes a subgroup. NaN is a missing value.
func SubgroupOf(x []float64) Subgroup {
	m := momentsOf(x)
	g := Subgroup{N: m.n, Mean: math.NaN(), Range: math.NaN(), SD: m.sd()}
	if m.n > 0 {
		g.Mean = m.mean()
	}
	if m.n > 1 {
		least, most := math.Inf(1), math.Inf(-1)
		for _, v := range x {
			if !math.IsNaN(v) {
				least, most = min(least, v), max(most, v)
			}
		}
		g.Range = most - least
	}
	return g
}

// SpreadLimits are the centre line and limits of a chart of ranges or standard
// deviations.
type SpreadLimits struct {
	Center Line `json:"center"`
	UCL    Line `json:"ucl"`
	LCL    Line `json:"lcl"`
}

// SubgroupLimits are the limits of a chart of means and of their spread. Lines
// are one number if all subgroups have the same size.
type SubgroupLimits struct {
	Center      Number        `json:"center"`
	UCL         Line          `json:"ucl"`
	LCL         Line          `json:"lcl"`
	SigmaWithin Number        `json:"sigma_within"`
	R           *SpreadLimits `json:"r,omitempty"`
	S           *SpreadLimits `json:"s,omitempty"`
}

// SubgroupsChart is a chart of subgroup means and of their spread.
type SubgroupsChart struct {
	Limits  SubgroupLimits
	Points  []Number // means; NaN where a subgroup has no value
	Spread  []Number // ranges or standard deviations; NaN below two values
	Signals []Signal
	Within  Estimate
	Size    int // of every subgroup that has a value, 0 if they differ
}

// MeansAndRanges makes an Xbar-R chart: grand mean -+ A2 Rbar, and D3, D4 Rbar
// for the ranges, of subgroups of up to 25 (ISO 7870-2). Where sizes differ,
// each point has its own limits from the one weighted sigma: 3 sigma/sqrt(n_i),
// and D1, D2 sigma.
func MeansAndRanges(groups [][]float64, o Options) (*SubgroupsChart, error) {
	if o.Estimator == "" {
		o.Estimator = MeanRange
	}
	c, all, err := means(groups, o)
	if err != nil {
		return nil, err
	}
	ranges := make([]float64, len(all))
	center, ucl, lcl := make([]float64, len(all)), make([]float64, len(all)), make([]float64, len(all))
	for i, g := range all {
		ranges[i] = g.Range
		k, err := ConstantsOf(max(2, g.N))
		if err != nil {
			return nil, fmt.Errorf("subgroup %d: %w; use xbar-s", i+1, err)
		}
		center[i], ucl[i], lcl[i] = k.MeanR*c.Within.Sigma, k.D2*c.Within.Sigma, k.D1*c.Within.Sigma
	}
	c.Spread = numbers(ranges)
	c.Limits.R = spread(all, center, ucl, lcl)
	c.Signals = append(c.Signals, beyondLimits(SignalRange, ranges, c.Limits.R.LCL, c.Limits.R.UCL, 1)...)
	return c, nil
}

// MeansAndSDs makes an Xbar-s chart: grand mean -+ A3 sbar, and B3, B4 sbar for
// the standard deviations (ISO 7870-2). Where sizes differ, each point has its
// own limits from the one weighted sigma: 3 sigma/sqrt(n_i), and B5, B6 sigma.
func MeansAndSDs(groups [][]float64, o Options) (*SubgroupsChart, error) {
	if o.Estimator == "" {
		o.Estimator = MeanSD
	}
	c, all, err := means(groups, o)
	if err != nil {
		return nil, err
	}
	sds := make([]float64, len(all))
	center, ucl, lcl := make([]float64, len(all)), make([]float64, len(all)), make([]float64, len(all))
	for i, g := range all {
		sds[i] = g.SD
		c4 := meanSD(max(2, g.N))
		width := 3 * math.Sqrt(1-c4*c4)
		center[i], ucl[i], lcl[i] = c4*c.Within.Sigma, (c4+width)*c.Within.Sigma, max(0, c4-width)*c.Within.Sigma
	}
	c.Spread = numbers(sds)
	c.Limits.S = spread(all, center, ucl, lcl)
	c.Signals = append(c.Signals, beyondLimits(SignalSD, sds, c.Limits.S.LCL, c.Limits.S.UCL, 1)...)
	return c, nil
}

// means makes the chart of means, which Xbar-R and Xbar-s share but for how
// sigma is estimated. The grand mean is that of all values: larger subgroups
// weigh more (Montgomery, 6th ed., eq. 6.30).
func means(groups [][]float64, o Options) (*SubgroupsChart, []Subgroup, error) {
	all, center, within, err := locatedSubgroups(groups, o)
	if err != nil {
		return nil, nil, err
	}
	plotted := make([]float64, len(all))
	ucl, lcl := make([]float64, len(all)), make([]float64, len(all))
	sigma := func(i int) float64 { return within.Sigma / math.Sqrt(float64(all[i].N)) }
	for i, g := range all {
		plotted[i] = g.Mean
		ucl[i], lcl[i] = math.NaN(), math.NaN()
		if g.N > 0 {
			ucl[i], lcl[i] = center+3*sigma(i), center-3*sigma(i)
		}
	}
	return &SubgroupsChart{
		Limits:  SubgroupLimits{Center: Number(center), UCL: lineOf(all, ucl), LCL: lineOf(all, lcl), SigmaWithin: Number(within.Sigma)},
		Points:  numbers(plotted),
		Signals: runSignals(plotted, o.Rules, center, sigma),
		Within:  within,
		Size:    sizeOf(all),
	}, all, nil
}

// locatedSubgroups returns the subgroups, and centre and sigma: given, or
// estimated from the subgroups of the baseline.
func locatedSubgroups(groups [][]float64, o Options) (all []Subgroup, center float64, within Estimate, err error) {
	var values []float64
	for i, g := range groups {
		if err := usable(g); err != nil {
			return nil, 0, Estimate{}, fmt.Errorf("subgroup %d: %w", i+1, err)
		}
		all = append(all, SubgroupOf(g))
	}
	if err := o.check(); err != nil {
		return nil, 0, Estimate{}, err
	}
	from, to, err := o.baseline(len(groups))
	if err != nil {
		return nil, 0, Estimate{}, err
	}
	for _, g := range groups[from:to] {
		values = append(values, g...)
	}
	if center = meanOf(values); o.Center != nil {
		center = *o.Center
	}
	if math.IsNaN(center) {
		return nil, 0, Estimate{}, errors.New("no value in the baseline: want data, or give center and sigma")
	}
	if o.Sigma != nil {
		return all, center, Estimate{Sigma: *o.Sigma, Estimator: GivenSigma}, nil
	}
	within, err = withinSubgroups(all[from:to], o.Estimator)
	return all, center, within, err
}

// sizeOf is the one size of all subgroups that have a value, 0 if they differ.
func sizeOf(all []Subgroup) (size int) {
	for _, g := range all {
		switch {
		case g.N == 0 || g.N == size:
		case size != 0:
			return 0
		default:
			size = g.N
		}
	}
	return size
}

// lineOf makes a line of the heights at all subgroups, where an empty one has
// none: one number if all others have the same size.
func lineOf(all []Subgroup, heights []float64) Line {
	if sizeOf(all) == 0 {
		return Line(numbers(heights))
	}
	for i, g := range all {
		if g.N > 0 {
			return Line{Number(heights[i])}
		}
	}
	return Line{Missing()}
}

// spread makes the limits of a chart of ranges or standard deviations. A
// subgroup below two values has none.
func spread(all []Subgroup, center, ucl, lcl []float64) *SpreadLimits {
	for i, g := range all {
		if g.N < 2 {
			center[i], ucl[i], lcl[i] = math.NaN(), math.NaN(), math.NaN()
		}
	}
	return &SpreadLimits{Center: lineOf(all, center), UCL: lineOf(all, ucl), LCL: lineOf(all, lcl)}
}
