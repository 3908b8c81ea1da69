package spc

import (
	"errors"
	"fmt"
	"math"
)

// Kind names a chart that is followed point by point.
type Kind string

// The kinds of [Chart].
const (
	KindIndividuals Kind = "individuals" // the plotted value itself, judged by run rules
	KindEWMA        Kind = "ewma"        // exponentially weighted moving average
	KindCUSUM       Kind = "cusum"       // two one-sided cumulative sums
)

// The signals of the charts that have no run rules.
const (
	SignalEWMA = "ewma"
	SignalHigh = "cusum_high"
	SignalLow  = "cusum_low"
)

// Chart is one chart with fixed centre and sigma. Which fields matter depends on
// the kind; Check finds what is missing or makes no sense.
type Chart struct {
	Kind   Kind
	Center float64 // the centre line; of EWMA and CUSUM the target. In the unit of the data
	Sigma  float64 // standard deviation of the plotted value (of one mean, where means are plotted), > 0

	Rules []Test // individuals: what signals, first match first

	Lambda float64 // ewma: weight of the newest point, 0 < Lambda <= 1
	L      float64 // ewma: distance of the limits, in sigma of the average, > 0

	K    float64 // cusum: slack, in Sigma, >= 0: half the shift to be found
	H    float64 // cusum: decision interval, in Sigma, > 0
	Head float64 // cusum: where both sums start, as a fraction of H, 0 <= Head < 1; 0.5 is the usual fast initial response
}

// Check reports everything that is wrong with the chart.
func (c *Chart) Check() error {
	var errs []error
	want := func(ok bool, name string, got float64, text string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s %v: want %s", name, got, text))
		}
	}
	want(finite(c.Center), "center", c.Center, "a finite number")
	want(c.Sigma > 0 && finite(c.Sigma), "sigma", c.Sigma, "a finite number above 0")
	if reach := math.Abs(c.Center) + max(3, c.L, c.K+c.H)*c.Sigma; finite(c.Center) && finite(c.Sigma) && math.IsInf(reach, 0) {
		errs = append(errs, errors.New("the limits are beyond the largest number: want a smaller center or sigma"))
	}
	switch c.Kind {
	case KindIndividuals:
		if len(c.Rules) == 0 {
			errs = append(errs, errors.New("no run rules: want at least one, such as n1"))
		}
		for _, t := range c.Rules {
			if err := t.check(); err != nil {
				errs = append(errs, fmt.Errorf("run rule %s: %w", t.Name, err))
			}
		}
	case KindEWMA:
		want(c.Lambda > 0 && c.Lambda <= 1, "lambda", c.Lambda, "above 0, at most 1; common is 0.2")
		want(c.L > 0 && finite(c.L), "l", c.L, "a finite number above 0; common is 2.86 with lambda 0.2")
	case KindCUSUM:
		want(c.K >= 0 && finite(c.K), "k", c.K, "a finite number, at least 0; common is 0.5")
		want(c.H > 0 && finite(c.H), "h", c.H, "a finite number above 0; common is 4 or 5")
		want(c.Head >= 0 && c.Head < 1, "head start", c.Head, "a fraction of h, at least 0 and below 1; common is 0.5")
	default:
		errs = append(errs, fmt.Errorf("chart %q: want %s, %s or %s", c.Kind, KindIndividuals, KindEWMA, KindCUSUM))
	}
	return errors.Join(errs...)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// Step takes the next point into the state and returns the first rule that
// signals at it, or "". A value that is not finite is no point: it changes
// nothing and signals nothing, and the caller who knows why it is missing calls
// [State.Gap].
func (c *Chart) Step(st *State, x float64) (signal string) {
	if !finite(x) {
		return ""
	}
	switch c.Kind {
	case KindIndividuals:
		st.Runs.add(x, c.Center, c.Sigma)
	case KindEWMA:
		c.average(st, x)
	case KindCUSUM:
		c.accumulate(st, x)
	}
	st.Points++
	return c.signal(st)
}

// signal returns the first rule that signals at the newest point.
func (c *Chart) signal(st *State) string {
	switch c.Kind {
	case KindIndividuals:
		for i := range c.Rules {
			if c.Rules[i].signals(&st.Runs) {
				return c.Rules[i].Name
			}
		}
	case KindEWMA:
		lcl, ucl := c.Limits(st)
		size := math.Abs(c.Center) + (ucl - c.Center)
		if beyond(st.EWMA, ucl, size) || beyond(lcl, st.EWMA, size) {
			return SignalEWMA
		}
	case KindCUSUM:
		_, h := c.Limits(st)
		switch size := math.Abs(c.Center) + h; {
		case beyond(st.High, h, size):
			return SignalHigh
		case beyond(st.Low, h, size):
			return SignalLow
		}
	}
	return ""
}

// AppendSignals appends all rules that signal at the newest point, in their
// order. It is for charts of a file, where each rule is listed.
func (c *Chart) AppendSignals(to []string, st *State) []string {
	first := c.signal(st)
	if first == "" || st.Points == 0 {
		return to
	}
	if c.Kind != KindIndividuals {
		to = append(to, first)
		if _, h := c.Limits(st); first == SignalHigh && beyond(st.Low, h, math.Abs(c.Center)+h) {
			to = append(to, SignalLow)
		}
		return to
	}
	for i := range c.Rules {
		if c.Rules[i].signals(&st.Runs) {
			to = append(to, c.Rules[i].Name)
		}
	}
	return to
}

// average is z_i = lambda x_i + (1 - lambda) z_(i-1) with z_0 the target
// (Roberts, Technometrics 1(3), 1959; ISO 7870-6).
func (c *Chart) average(st *State, x float64) {
	before := st.EWMA
	if st.Points == 0 {
		before = c.Center
	}
	st.EWMA = c.Lambda*x + (1-c.Lambda)*before
}

// accumulate is C+ = max(0, x - (T + K) + C+) and C- = max(0, (T - K) - x + C-)
// with K = k sigma (Page, Biometrika 41, 1954; ISO 7870-4). Both start at the
// head start (Lucas and Crosier, Technometrics 24(3), 1982).
func (c *Chart) accumulate(st *State, x float64) {
	if st.Points == 0 {
		st.High = c.Head * c.H * c.Sigma
		st.Low = st.High
	}
	slack := c.K * c.Sigma
	size := math.Abs(c.Center) + slack
	st.High = grown(st.High, x-(c.Center+slack), size)
	st.Low = grown(st.Low, (c.Center-slack)-x, size)
	st.HighPoints = counted(st.HighPoints, st.High)
	st.LowPoints = counted(st.LowPoints, st.Low)
}

// grown adds to a one-sided sum. What rounding alone can leave over zero is
// zero, or it would count as the beginning of a change. A sum stops at the
// largest float64, so that a state can always be written down.
func grown(sum, by, size float64) float64 {
	sum += by
	if !beyond(sum, 0, size) {
		return 0
	}
	return min(sum, math.MaxFloat64)
}

func counted(n int64, sum float64) int64 {
	if sum == 0 {
		return 0
	}
	return n + 1
}

// Value is the statistic that is plotted at the newest point, in the unit of the
// data: the value itself, the EWMA, or the larger of the two sums.
func (c *Chart) Value(st *State) float64 {
	switch c.Kind {
	case KindEWMA:
		return st.EWMA
	case KindCUSUM:
		return max(st.High, st.Low)
	case KindIndividuals:
	}
	return st.Runs.Last
}

// Limits are the control limits of [Chart.Value] at the newest point, in the
// unit of the data. Individuals: 3 sigma. EWMA: L sigma sqrt(lambda/(2-lambda)
// (1-(1-lambda)^(2i))) at point i (ISO 7870-6; Montgomery, Introduction to
// Statistical Quality Control, 6th ed., 9.2). CUSUM: 0 and H sigma.
func (c *Chart) Limits(st *State) (lcl, ucl float64) {
	if c.Kind == KindCUSUM {
		return 0, c.H * c.Sigma
	}
	width := 3 * c.Sigma
	if c.Kind == KindEWMA {
		i := float64(max(1, st.Points))
		fade := -math.Expm1(2 * i * math.Log1p(-c.Lambda)) // 1-(1-lambda)^(2i), exact for small lambda too
		width = c.L * c.Sigma * math.Sqrt(c.Lambda/(2-c.Lambda)*fade)
	}
	return c.Center - width, c.Center + width
}
