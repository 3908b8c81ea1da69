package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"andon/internal/spc"
)

// spcReport is what `spc` prints.
type spcReport struct {
	Chart        string          `json:"chart"`
	Columns      []string        `json:"columns,omitempty"`
	Rules        []string        `json:"rules,omitempty"`
	Limits       any             `json:"limits"`
	Points       any             `json:"points"`
	MovingRanges []spc.Number    `json:"moving_ranges,omitempty"`
	Ranges       []spc.Number    `json:"subgroup_ranges,omitempty"`
	SDs          []spc.Number    `json:"subgroup_sds,omitempty"`
	Sizes        []int           `json:"subgroup_sizes,omitempty"`
	Signals      []spc.Signal    `json:"signals"`
	Changes      []spc.Change    `json:"changes,omitempty"`
	Capability   *spc.Capability `json:"capability"`
	Summary      spc.Summary     `json:"summary"`
	Warnings     []string        `json:"warnings"`

	within spc.Estimate
}

// fewPoints is the number of points below which estimated limits are
// provisional (ISO 7870-2: at least 20, better 25 subgroups).
const fewPoints = 20

// report makes the chart of the data.
func (c *charted) report(o spc.Options) (*spcReport, error) {
	d, err := c.read()
	if err != nil {
		return nil, err
	}
	r := &spcReport{
		Chart: c.chart, Columns: d.Columns, Points: []spc.Number{}, Signals: []spc.Signal{},
		Sizes: d.Sizes(), Summary: spc.Summarize(d.Values), Warnings: []string{},
	}
	if err := c.plot(r, d, o); err != nil {
		if c.data != "" {
			err = fmt.Errorf("%s: %w", c.data, err)
		}
		return nil, err
	}
	slices.SortStableFunc(r.Signals, func(a, b spc.Signal) int { return cmp.Compare(a.Index, b.Index) })
	c.warn(r, d, o)
	if !c.tolerated() || c.chart == "summary" {
		return r, nil
	}
	return r, c.judge(r, d, o)
}

// plot adds limits, points and signals of the chart. Capability is judged
// together with the chart of the same values: it says whether they are stable.
func (c *charted) plot(r *spcReport, d *spc.Data, o spc.Options) error {
	switch c.chart {
	case "summary": // plots nothing
		return nil
	case "ewma", "cusum":
		return c.plotFollowed(r, d, o)
	}
	for _, t := range o.Rules {
		r.Rules = append(r.Rules, t.Name)
	}
	switch {
	case c.chart == "imr" || c.chart == "capability" && d.Groups == nil:
		return plotIndividuals(r, d, o)
	case d.Groups == nil:
		return errors.New("no subgroups: want --subgroup N, --subgroup-column C, or a row for each subgroup with a column for each value")
	case c.chart == "xbar-s" || c.chart == "capability" && (o.Estimator == spc.MeanSD || o.Estimator == "" && slices.Max(d.Sizes()) >= 9):
		return plotSubgroups(r, d, o, spc.MeansAndSDs)
	}
	return plotSubgroups(r, d, o, spc.MeansAndRanges)
}

func plotIndividuals(r *spcReport, d *spc.Data, o spc.Options) error {
	if o.Estimator != "" {
		return fmt.Errorf("estimator %s is for subgroups: single values have their moving range", o.Estimator)
	}
	chart, err := spc.Individuals(d.Values, o)
	if err != nil {
		return err
	}
	r.Limits, r.Points, r.MovingRanges, r.within = chart.Limits, chart.Points, chart.MovingRanges, chart.Within
	r.Signals = append(r.Signals, chart.Signals...)
	return nil
}

func plotSubgroups(r *spcReport, d *spc.Data, o spc.Options, make func([][]float64, spc.Options) (*spc.SubgroupsChart, error)) error {
	chart, err := make(d.Groups, o)
	if err != nil {
		return err
	}
	r.Limits, r.Points, r.within = chart.Limits, chart.Points, chart.Within
	r.Ranges, r.SDs = chart.Spread, nil
	if chart.Limits.S != nil {
		r.Ranges, r.SDs = nil, chart.Spread
	}
	r.Signals = append(r.Signals, chart.Signals...)
	return nil
}

// plotFollowed adds an EWMA or a CUSUM. Both start from the target.
func (c *charted) plotFollowed(r *spcReport, d *spc.Data, o spc.Options) error {
	if c.given("target") {
		o.Center = &c.target
	}
	center, sigma, within, err := d.Located(o)
	if err != nil {
		return err
	}
	r.within = within
	chart := c.followed(center, sigma)
	if err := chart.Check(); err != nil {
		return fmt.Errorf("%w; if all values of the baseline are equal, give --sigma", err)
	}
	if c.chart == "ewma" {
		e := spc.EWMA(*chart, d.Plotted())
		r.Limits, r.Points = e.Limits, e.Points
		r.Signals = append(r.Signals, e.Signals...)
		return nil
	}
	u := spc.CUSUM(*chart, d.Plotted())
	r.Limits, r.Points, r.Changes = u.Limits, u.Points, u.Changes
	r.Signals = append(r.Signals, u.Signals...)
	return nil
}

// judge adds the capability.
func (c *charted) judge(r *spcReport, d *spc.Data, o spc.Options) error {
	p := spc.Process{Mean: c.center, Within: r.within, Overall: math.NaN(), Autocorrelation: math.NaN()}
	if c.data != "" {
		var err error
		if p, err = d.Process(o, r.within, r.Signals); err != nil {
			return err
		}
	}
	capability := spc.Capable(p, c.tolerance())
	r.Capability = &capability
	return nil
}

// warn says what a reader of the chart must know; capability has its own.
func (c *charted) warn(r *spcReport, d *spc.Data, o spc.Options) {
	add := func(when bool, text string, args ...any) {
		if when {
			r.Warnings = append(r.Warnings, fmt.Sprintf(text, args...))
		}
	}
	plotted := d.Plotted()
	points := len(plotted)
	if o.Last > 0 {
		points = o.Last - o.First + 1
	}
	add(c.chart != "summary" && points > 0 && points < fewPoints && (o.Center == nil || o.Sigma == nil),
		"limits from %d points are provisional: want at least %d", points, fewPoints)
	add(d.Left > 0, "the last subgroup has %d of %d values", d.Left, c.size)
	auto := float64(spc.Summarize(plotted).Autocorrelation)
	add(math.Abs(auto) > spc.Correlated, "autocorrelation %.2f of the plotted values: neighbours are not independent, so limits estimated from them mislead", auto)
	add(c.given("rules") && r.Rules == nil, "run rules are not used by %s", c.chart)
	add(c.column == "" && len(d.Columns) == 1 && d.Others > 0, "took column %s of %d with numbers: name another with --column", d.Columns, d.Others+1)
}
