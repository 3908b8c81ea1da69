package spc

import "math"

// EWMALimits are the limits of an EWMA chart: one pair for each point, since
// they widen until the average has forgotten its start.
type EWMALimits struct {
	Center      Number   `json:"center"` // the target
	UCL         []Number `json:"ucl"`
	LCL         []Number `json:"lcl"`
	UCLSteady   Number   `json:"ucl_steady"` // what they widen to
	LCLSteady   Number   `json:"lcl_steady"`
	SigmaWithin Number   `json:"sigma_within"` // of single plotted values
	Lambda      float64  `json:"lambda"`
	L           float64  `json:"l"`
}

// EWMAChart is an EWMA chart of a file.
type EWMAChart struct {
	Limits  EWMALimits
	Points  []Number // the average; NaN where the value is missing
	Signals []Signal
}

// EWMA steps a chart of kind ewma along values. A missing value (NaN) has no
// point and no limits; the average waits for the next.
func EWMA(c Chart, x []float64) EWMAChart {
	e := EWMAChart{Limits: EWMALimits{Center: Number(c.Center), SigmaWithin: Number(c.Sigma), Lambda: c.Lambda, L: c.L}}
	var st State
	for i := range x {
		z, lcl, ucl := math.NaN(), math.NaN(), math.NaN()
		if !math.IsNaN(x[i]) {
			c.Step(&st, x[i])
			z = c.Value(&st)
			lcl, ucl = c.Limits(&st)
			e.Signals = appendSignals(e.Signals, &c, &st, i+1)
		}
		e.Points = append(e.Points, Number(z))
		e.Limits.LCL, e.Limits.UCL = append(e.Limits.LCL, Number(lcl)), append(e.Limits.UCL, Number(ucl))
	}
	lcl, ucl := c.Limits(&State{Points: math.MaxInt64})
	e.Limits.LCLSteady, e.Limits.UCLSteady = Number(lcl), Number(ucl)
	return e
}

// CUSUMLimits are the limits of a CUSUM chart.
type CUSUMLimits struct {
	K           float64 `json:"k"`          // slack, in sigma
	H           float64 `json:"h"`          // decision interval, in sigma
	HeadStart   float64 `json:"head_start"` // fraction of h at which both sums start
	Center      Number  `json:"center"`     // the target
	SigmaWithin Number  `json:"sigma_within"`
	Slack       Number  `json:"slack"`             // k in the unit of the data
	Decision    Number  `json:"decision_interval"` // h in the unit of the data
}

// CUSUMPoint is one point of a CUSUM chart: both sums in the unit of the data,
// and for how many points each has been above zero.
type CUSUMPoint struct {
	High       float64 `json:"c_plus"`
	Low        float64 `json:"c_minus"`
	HighPoints int64   `json:"n_plus"`
	LowPoints  int64   `json:"n_minus"`
}

// Change dates a shift that a CUSUM has found, and says where the mean now is.
type Change struct {
	Rule    string `json:"rule"`            // cusum_high or cusum_low
	Index   int    `json:"index"`           // the first point of the signal
	Before  int    `json:"last_in_control"` // the last point before the sum left zero
	NewMean Number `json:"new_mean"`        // T + K + C+/N+, or T - K - C-/N-
}

// CUSUMChart is a CUSUM chart of a file.
type CUSUMChart struct {
	Limits  CUSUMLimits
	Points  []*CUSUMPoint // nil where the value is missing
	Signals []Signal
	Changes []Change // one for each uninterrupted signal
}

// CUSUM steps a chart of kind cusum along values. A missing value (NaN) has no
// point; the sums wait for the next. A change is dated and the new mean
// estimated as in Montgomery, Introduction to Statistical Quality Control, 6th
// ed., 9.1.2; with a head start the first estimate is too far out by its share.
func CUSUM(c Chart, x []float64) CUSUMChart {
	u := CUSUMChart{Limits: CUSUMLimits{
		K: c.K, H: c.H, HeadStart: c.Head, Center: Number(c.Center), SigmaWithin: Number(c.Sigma),
		Slack: Number(c.K * c.Sigma), Decision: Number(c.H * c.Sigma),
	}}
	var st State
	signalling := map[string]bool{}
	at := make([]int, 0, len(x)) // the index of each point that is there
	for i := range x {
		if math.IsNaN(x[i]) {
			u.Points = append(u.Points, nil)
			continue
		}
		c.Step(&st, x[i])
		at = append(at, i+1)
		u.Points = append(u.Points, &CUSUMPoint{st.High, st.Low, st.HighPoints, st.LowPoints})
		before := len(u.Signals)
		u.Signals = appendSignals(u.Signals, &c, &st, i+1)
		now := map[string]bool{}
		for _, s := range u.Signals[before:] {
			now[s.Rule] = true
			if !signalling[s.Rule] {
				u.Changes = append(u.Changes, c.change(s, &st, at))
			}
		}
		signalling = now
	}
	return u
}

// change estimates when the shift that a signal has found began and what the
// mean has become.
func (c *Chart) change(s Signal, st *State, at []int) Change {
	n, mean := st.HighPoints, c.Center+c.K*c.Sigma+st.High/float64(st.HighPoints)
	if s.Rule == SignalLow {
		n, mean = st.LowPoints, c.Center-c.K*c.Sigma-st.Low/float64(st.LowPoints)
	}
	before := 0 // the sum has been above zero from the start
	if last := len(at) - 1 - int(n); last >= 0 {
		before = at[last]
	}
	return Change{Rule: s.Rule, Index: s.Index, Before: before, NewMean: Number(mean)}
}

func appendSignals(to []Signal, c *Chart, st *State, index int) []Signal {
	for _, rule := range c.AppendSignals(nil, st) {
		to = append(to, Signal{rule, index})
	}
	return to
}
