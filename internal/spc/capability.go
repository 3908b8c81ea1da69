package spc

import (
	"errors"
	"fmt"
	"math"
)

// Tolerance is what the product is allowed to be. At least one limit is given.
type Tolerance struct {
	LSL, USL *float64 // lower and upper specification limit
	Target   *float64 // what is aimed at; nil for the middle of the limits
}

// Check refuses limits that leave nothing between them.
func (t Tolerance) Check() error {
	for _, v := range []struct {
		name string
		at   *float64
	}{{"lsl", t.LSL}, {"usl", t.USL}, {"target", t.Target}} {
		if v.at != nil && !(math.Abs(*v.at) <= MaxValue) {
			return fmt.Errorf("%s %v: want a number of a magnitude of at most %v", v.name, *v.at, float64(MaxValue))
		}
	}
	switch {
	case t.LSL == nil && t.USL == nil:
		return errors.New("no specification limit: want lsl, usl or both")
	case t.LSL != nil && t.USL != nil && *t.LSL >= *t.USL:
		return fmt.Errorf("lsl %v is not below usl %v", *t.LSL, *t.USL)
	}
	return nil
}

// Process is what capability is asked about.
type Process struct {
	Mean      float64  // of all values, or given
	Within    Estimate // sigma within subgroups
	Overall   float64  // standard deviation of all values with n-1; NaN without data
	N         int      // values; 0 without data
	Subgroups int      // subgroups; 0 for individuals
	Stable    *bool    // the chart of the same values shows no signal; nil when not known
	// Autocorrelation of the plotted values with lag 1; NaN when not known.
	Autocorrelation float64
}

// Capability says how well a process fits into its tolerance. Cp and its kin use
// the sigma within subgroups, Pp and its kin the standard deviation of all
// values (AIAG SPC, 2nd ed.). A number that has no meaning is null.
type Capability struct {
	Cp            Number    `json:"cp"`
	CpUpper       Number    `json:"cpu"`
	CpLower       Number    `json:"cpl"`
	Cpk           Number    `json:"cpk"`
	Pp            Number    `json:"pp"`
	PpUpper       Number    `json:"ppu"`
	PpLower       Number    `json:"ppl"`
	Ppk           Number    `json:"ppk"`
	Cpm           Number    `json:"cpm"`
	Mean          Number    `json:"mean"`
	Target        Number    `json:"target"`
	SigmaWithin   Number    `json:"sigma_within"`
	SigmaOverall  Number    `json:"sigma_overall"`
	Estimator     string    `json:"estimator"`
	N             int       `json:"n"`
	Subgroups     int       `json:"subgroups"`
	Stable        *bool     `json:"stable"`
	Distribution  string    `json:"distribution"`
	Interval95    Intervals `json:"interval_95"`
	Warnings      []string  `json:"warnings"`
	withinFreedom float64
}

// Intervals are two-sided 95 % confidence intervals, null where not known.
type Intervals struct {
	Cp  *[2]Number `json:"cp"`
	Cpk *[2]Number `json:"cpk"`
	Pp  *[2]Number `json:"pp"`
	Ppk *[2]Number `json:"ppk"`
}

// Enough is the number of values below which capability is no more than a hint.
const Enough = 25

// Correlated is the lag-1 autocorrelation beyond which neighbours say the same
// again: sigma within subgroups then understates and limits are too narrow.
const Correlated = 0.3

// Capable computes capability. Cp = (USL-LSL)/6s, Cpu = (USL-m)/3s, Cpl =
// (m-LSL)/3s, Cpk the smaller of those that exist; Pp, Ppu, Ppl, Ppk likewise
// (AIAG SPC, 2nd ed., chapter IV); Cpm = (USL-LSL)/(6 sqrt(s^2+(m-T)^2)) with
// the overall s (Chan, Cheng and Spiring, Journal of Quality Technology 20(3),
// 1988).
//
// With one limit there is no Cp, Pp and Cpm. Without spread there is no index.
// Of a process that is not stable only Pp and its kin are given, since its
// within sigma predicts nothing (ISO 22514-2).
func Capable(p Process, t Tolerance) Capability {
	c := Capability{
		Mean: Number(p.Mean), Target: Missing(),
		SigmaWithin: Number(p.Within.Sigma), SigmaOverall: Number(p.Overall), Estimator: p.Within.Name(),
		N: p.N, Subgroups: p.Subgroups, Stable: p.Stable, Distribution: "normal",
		Warnings: warnings(p, t), withinFreedom: p.Within.Freedom,
	}
	within := p.Within.Sigma
	if p.Stable != nil && !*p.Stable {
		within = math.NaN()
	}
	c.Cp, c.CpUpper, c.CpLower, c.Cpk = indices(p.Mean, within, t)
	c.Pp, c.PpUpper, c.PpLower, c.Ppk = indices(p.Mean, p.Overall, t)
	c.Cpm = Missing()
	if t.LSL != nil && t.USL != nil {
		c.Target = Number(*t.LSL + (*t.USL-*t.LSL)/2)
	}
	if t.Target != nil {
		c.Target = Number(*t.Target)
	}
	s := p.Overall
	if p.N == 0 {
		s = p.Within.Sigma
	}
	if t.LSL != nil && t.USL != nil && s > 0 {
		c.Cpm = Number((*t.USL - *t.LSL) / (6 * math.Hypot(s, p.Mean-float64(c.Target))))
	}
	c.intervals()
	return c
}

// indices computes one family of indices with its sigma.
func indices(mean, sigma float64, t Tolerance) (both, upper, lower, worse Number) {
	both, upper, lower, worse = Missing(), Missing(), Missing(), Missing()
	if !(sigma > 0) {
		return
	}
	if t.USL != nil {
		upper = Number((*t.USL - mean) / (3 * sigma))
		worse = upper
	}
	if t.LSL != nil {
		lower = Number((mean - *t.LSL) / (3 * sigma))
		if t.USL == nil || lower < upper {
			worse = lower
		}
	}
	if t.USL != nil && t.LSL != nil {
		both = Number((*t.USL - *t.LSL) / (6 * sigma))
	}
	return
}

// intervals adds confidence intervals. Cp and Pp: sigma has the distribution of
// chi with f degrees of freedom (Kotz and Johnson, Process Capability Indices,
// 1993, 2.2; f is n-1 overall and effective within). Cpk and Ppk: normal
// approximation with standard error sqrt(1/(9n) + Cpk^2/(2f)) (Bissell, Applied
// Statistics 39(3), 1990).
func (c *Capability) intervals() {
	if c.N < 2 {
		return
	}
	c.Interval95.Cp = ratioInterval(c.Cp, c.withinFreedom)
	c.Interval95.Pp = ratioInterval(c.Pp, float64(c.N-1))
	c.Interval95.Cpk = bissell(c.Cpk, c.N, c.withinFreedom)
	c.Interval95.Ppk = bissell(c.Ppk, c.N, float64(c.N-1))
}

func ratioInterval(index Number, f float64) *[2]Number {
	if !index.Known() || f <= 0 {
		return nil
	}
	at := func(p float64) Number { return index * Number(math.Sqrt(chiSquareQuantile(p, f)/f)) }
	return &[2]Number{at(0.025), at(0.975)}
}

func bissell(index Number, n int, f float64) *[2]Number {
	if !index.Known() || f <= 0 {
		return nil
	}
	const z = 1.9599639845400542355 // the 0.975 quantile of the normal distribution
	i := float64(index)
	half := Number(z * math.Sqrt(1/(9*float64(n))+i*i/(2*f)))
	return &[2]Number{index - half, index + half}
}

// warnings says what a reader of the numbers must know.
func warnings(p Process, t Tolerance) []string {
	all := []string{}
	warn := func(when bool, text string, args ...any) {
		if when {
			all = append(all, fmt.Sprintf(text, args...))
		}
	}
	warn(p.N == 0, "from given center and sigma without data: no pp, no interval")
	warn(p.N > 0 && p.N < Enough, "only %d values: want at least %d; look at the intervals", p.N, Enough)
	warn(p.Stable != nil && !*p.Stable, "the process is not stable (see signals): cp and cpk would predict nothing, only pp and ppk are given")
	warn(math.Abs(p.Autocorrelation) > Correlated, "autocorrelation %.2f is beyond %v: neighbouring values are not independent, sigma within is not to be trusted; chart one value a part, cycle or phase", p.Autocorrelation, Correlated)
	warn(p.N > 0 && !(p.Overall > 0), "no spread overall: all values are equal, or there is only one")
	warn(p.N > 0 && !(p.Within.Sigma > 0), "no spread within subgroups")
	warn(t.LSL == nil || t.USL == nil, "one specification limit: no cp, pp and cpm")
	return all
}
