package spc

import (
	"errors"
	"fmt"
	"math"
)

// Signals of points beyond a limit of a chart of spread. The run rules are for
// statistics that are near to normal; ranges and standard deviations are not,
// and neighbouring moving ranges share a value.
const (
	SignalMovingRange = "mr_beyond"
	SignalRange       = "r_beyond"
	SignalSD          = "s_beyond"
)

// Options say how a chart of a file is made.
type Options struct {
	First, Last int       // the points from which centre and sigma are estimated, from 1; 0, 0 for all
	Center      *float64  // the given centre line, nil to estimate it
	Sigma       *float64  // the given sigma of single values, nil to estimate it
	Rules       []Test    // run rules for the plotted values
	Estimator   Estimator // subgroups: how sigma is estimated; "" for the chart's own way
}

// baseline returns the bounds of the baseline for a slice of n points.
func (o *Options) baseline(n int) (from, to int, err error) {
	if o.First == 0 && o.Last == 0 {
		return 0, n, nil
	}
	if o.First < 1 || o.Last < o.First || o.Last > n {
		return 0, 0, fmt.Errorf("baseline %d-%d: want points from 1 to %d", o.First, o.Last, n)
	}
	return o.First - 1, o.Last, nil
}

// check refuses given numbers that make no chart.
func (o *Options) check() error {
	if o.Center != nil && !(math.Abs(*o.Center) <= MaxValue) {
		return fmt.Errorf("center %v: want a number of a magnitude of at most %v", *o.Center, float64(MaxValue))
	}
	if o.Sigma != nil && !(*o.Sigma > 0 && *o.Sigma <= MaxValue) {
		return fmt.Errorf("sigma %v: want a number above 0, at most %v", *o.Sigma, float64(MaxValue))
	}
	return nil
}

// Signal is a rule and the 1-based point that completes its pattern.
type Signal struct {
	Rule  string `json:"rule"`
	Index int    `json:"index"`
}

// IndividualsLimits are the limits of a chart of individuals and moving ranges.
type IndividualsLimits struct {
	Center      Number `json:"center"`
	UCL         Number `json:"ucl"`
	LCL         Number `json:"lcl"`
	MRBar       Number `json:"mr_bar"`
	MRUCL       Number `json:"mr_ucl"`
	MRLCL       Number `json:"mr_lcl"`
	SigmaWithin Number `json:"sigma_within"`
}

// IndividualsChart is a chart of individuals and moving ranges (I-MR).
type IndividualsChart struct {
	Limits       IndividualsLimits
	Points       []Number // as charted; NaN where the value is missing
	MovingRanges []Number // of point 2 and on; NaN where either value is missing
	Signals      []Signal
	Within       Estimate
}

// Individuals makes an I-MR chart: mean -+ 3 MRbar/d2(2), and D3(2), D4(2) MRbar
// for the moving ranges (ISO 7870-2; NIST/SEMATECH e-Handbook 6.3.2.2, there
// with d2 rounded to 1.128). Given numbers replace estimated ones. NaN in x is a
// missing value: it has no moving range and breaks runs.
func Individuals(x []float64, o Options) (*IndividualsChart, error) {
	center, within, err := located(x, o)
	if err != nil {
		return nil, err
	}
	k, err := ConstantsOf(2)
	if err != nil {
		return nil, err
	}
	ranges := movingRanges(x)
	sigma, mrBar := within.Sigma, within.Sigma*k.MeanR
	c := &IndividualsChart{
		Limits: IndividualsLimits{
			Center: Number(center), UCL: Number(center + 3*sigma), LCL: Number(center - 3*sigma),
			MRBar: Number(mrBar), MRUCL: Number(k.D4 * mrBar), MRLCL: Number(k.D3 * mrBar),
			SigmaWithin: Number(sigma),
		},
		Points:       numbers(x),
		MovingRanges: numbers(ranges),
		Within:       within,
	}
	c.Signals = runSignals(x, o.Rules, center, func(int) float64 { return sigma })
	c.Signals = append(c.Signals, beyondLimits(SignalMovingRange, ranges, Line{c.Limits.MRLCL}, Line{c.Limits.MRUCL}, 2)...)
	return c, nil
}

// located returns the centre and the sigma of a chart of single values: given,
// or estimated from the baseline.
func located(x []float64, o Options) (center float64, within Estimate, err error) {
	if err := errors.Join(usable(x), o.check()); err != nil {
		return 0, Estimate{}, err
	}
	from, to, err := o.baseline(len(x))
	if err != nil {
		return 0, Estimate{}, err
	}
	if center = meanOf(x[from:to]); o.Center != nil {
		center = *o.Center
	}
	if math.IsNaN(center) {
		return 0, Estimate{}, errors.New("no value in the baseline: want data, or give center and sigma")
	}
	if o.Sigma != nil {
		return center, Estimate{Sigma: *o.Sigma, Estimator: GivenSigma}, nil
	}
	within, err = withinIndividuals(x[from:to])
	return center, within, err
}

// runSignals follows the run rules along plotted values, with the sigma that the
// plotted value has at each point. A missing one breaks runs.
func runSignals(x []float64, rules []Test, center float64, sigma func(i int) float64) []Signal {
	var found []Signal
	var st State
	for i := range x {
		if math.IsNaN(x[i]) {
			st.Gap()
			continue
		}
		st.Runs.add(x[i], center, sigma(i))
		for r := range rules {
			if rules[r].signals(&st.Runs) {
				found = append(found, Signal{rules[r].Name, i + 1})
			}
		}
	}
	return found
}

// beyondLimits lists the points that are beyond their limits. Point i of the
// slice is called first+i.
func beyondLimits(rule string, x []float64, lcl, ucl Line, first int) []Signal {
	var found []Signal
	for i := range x {
		if size := ucl.at(i); beyond(x[i], ucl.at(i), size) || beyond(lcl.at(i), x[i], size) {
			found = append(found, Signal{rule, first + i})
		}
	}
	return found
}
