package spc

import "math"

// Observed is what a file of data holds, as it is charted.
type Observed struct {
	Values []float64   // in their order; NaN where one is missing
	Groups [][]float64 // the same values in subgroups; nil for individuals
}

// Plotted returns what a chart plots: the values, or the means of subgroups.
func (d Observed) Plotted() []float64 {
	if d.Groups == nil {
		return d.Values
	}
	means := make([]float64, len(d.Groups))
	for i, g := range d.Groups {
		means[i] = SubgroupOf(g).Mean
	}
	return means
}

// Sizes counts the values in each subgroup, nil for individuals.
func (d Observed) Sizes() []int {
	var sizes []int
	for _, g := range d.Groups {
		sizes = append(sizes, SubgroupOf(g).N)
	}
	return sizes
}

// Process describes the values of a baseline for [Capable]: within is the
// estimate of their chart, and signals what the chart showed. It is stable if no
// signal is in the baseline, but for those of moving ranges: 0.9 % of them are
// beyond their limit by chance, three times as many as of the values, and they
// tell little that the values do not (Rigdon, Cruthis and Champ, Journal of
// Quality Technology 26(4), 1994).
func (d Observed) Process(o Options, within Estimate, signals []Signal) (Process, error) {
	plotted := d.Plotted()
	from, to, err := o.baseline(len(plotted))
	if err != nil {
		return Process{}, err
	}
	p := Process{Within: within, Autocorrelation: float64(Summarize(plotted[from:to]).Autocorrelation)}
	values := d.Values
	if d.Groups == nil {
		values = values[from:to]
	} else {
		values = nil
		for _, g := range d.Groups[from:to] {
			values = append(values, g...)
			if !math.IsNaN(meanOf(g)) {
				p.Subgroups++
			}
		}
	}
	s := Summarize(values)
	p.Mean, p.Overall, p.N = float64(s.Mean), float64(s.SD), s.N
	stable := true
	for _, signal := range signals {
		inside := signal.Index > from && signal.Index <= to
		stable = stable && (!inside || signal.Rule == SignalMovingRange)
	}
	p.Stable = &stable
	return p, nil
}

// Located returns the centre and the sigma of what is plotted, for an EWMA or a
// CUSUM: given, or estimated from the baseline. Of subgroup means it is
// sigma/sqrt(n), so all must have one size.
func (d Observed) Located(o Options) (center, sigma float64, within Estimate, err error) {
	if d.Groups == nil {
		center, within, err = located(d.Values, o)
		return center, within.Sigma, within, err
	}
	if o.Estimator == "" {
		o.Estimator = MeanSD
	}
	all, center, within, err := locatedSubgroups(d.Groups, o)
	if err != nil {
		return 0, 0, Estimate{}, err
	}
	size := sizeOf(all)
	if size == 0 {
		return 0, 0, Estimate{}, errSizes
	}
	return center, within.Sigma / math.Sqrt(float64(size)), within, nil
}
