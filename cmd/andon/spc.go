package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"andon/internal/spc"
)

// charted is what `spc` was asked for.
type charted struct {
	chart, data, column, where, label, baseline, rules, estimator string
	size, constants                                               int
	lsl, usl, target, center, sigma, lambda, l, k, h, fir         float64

	given func(flag string) bool
}

func newSPCCommand() *cobra.Command {
	var c charted
	cmd := &cobra.Command{
		Use:   "spc --chart KIND --data F.csv",
		Short: "Control limits, signals and capability from data",
		Long: `spc computes a control chart or the capability of a process from a file of data,
and prints one JSON object: limits, points (what is plotted), signals (rule and
the point, from 1, that completes its pattern), capability, summary. The limits
are for writing the next revision of a specification: live limits are fixed,
approved ones.

The data is CSV with a line of column names; an empty cell is a missing value. Sigma
is estimated within subgroups unless --sigma gives it. docs/spc.md says which
chart needs what and how often each rule cries for nothing.

The exit code is 0 with signals too, and 1 when the data cannot be used.`,
		Example: `  andon spc --chart imr --data soak.csv --column minutes --rules n1,n2
  andon spc --chart xbar-r --data width.csv --subgroup 5 --baseline 1-25 --lsl 1 --usl 2
  andon spc --chart cusum --data peak.csv --target 325 --sigma 1.27 --k 0.5 --h 5 --fir
  andon spc --constants 5`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("spc: %q belongs to no flag; a value for --fir is written --fir=0.25", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.given = cmd.Flags().Changed
			return c.run(cmd.OutOrStdout())
		},
	}
	c.flags(cmd.Flags())
	return cmd
}

func (c *charted) flags(f *pflag.FlagSet) {
	f.StringVar(&c.chart, "chart", "", "imr, xbar-r, xbar-s, ewma, cusum, capability or summary")
	f.StringVar(&c.data, "data", "", "file of data, CSV with a line of column names")
	f.StringVar(&c.column, "column", "", "column of the values (default: the last with numbers that does not number the rows)")
	f.StringVar(&c.where, "where", "", "COLUMN=VALUE: only rows with this value in this column")
	f.IntVar(&c.size, "subgroup", 0, "so many consecutive values are a subgroup")
	f.StringVar(&c.label, "subgroup-column", "", "rows with the same value in this column are a subgroup")
	f.StringVar(&c.baseline, "baseline", "", "points from which limits and capability are estimated, such as 1-25 (default: all)")
	f.StringVar(&c.rules, "rules", "n1", "nelson, western-electric, aiag or a list such as n1,n2=8,we4")
	f.StringVar(&c.estimator, "estimator", "", "sigma within subgroups from: rbar, sbar or pooled (default: the chart's own)")
	f.Float64Var(&c.lsl, "lsl", 0, "lower specification limit")
	f.Float64Var(&c.usl, "usl", 0, "upper specification limit")
	f.Float64Var(&c.target, "target", 0, "process target: start of an EWMA, reference of a CUSUM, T of cpm (default: the given center; for cpm then the middle of the limits)")
	f.Float64Var(&c.center, "center", 0, "the chart's given centre line")
	f.Float64Var(&c.sigma, "sigma", 0, "the given sigma of single values")
	f.Float64Var(&c.lambda, "lambda", 0.2, "ewma: weight of the newest value")
	f.Float64Var(&c.l, "l", 2.86, "ewma: distance of the limits, in sigma of the average")
	f.Float64Var(&c.k, "k", 0.5, "cusum: slack, in sigma")
	f.Float64Var(&c.h, "h", 5, "cusum: decision interval, in sigma")
	f.Float64Var(&c.fir, "fir", 0, "cusum: fast initial response: the sums start at half of h, or at another fraction: --fir=0.25")
	f.Lookup("fir").NoOptDefVal = "0.5"
	f.IntVar(&c.constants, "constants", 0, "print the control chart constants for subgroups of this size, and nothing else")
}

func (c *charted) run(out io.Writer) error {
	if c.given("constants") {
		k, err := spc.ConstantsOf(c.constants)
		if err != nil {
			return fmt.Errorf("spc: %w", err)
		}
		return json.NewEncoder(out).Encode(k)
	}
	o, err := c.options()
	if err != nil {
		return fmt.Errorf("spc: %w", err)
	}
	r, err := c.report(o)
	if err != nil {
		return exit{exitFound, err}
	}
	return json.NewEncoder(out).Encode(r)
}

// options checks the command line.
func (c *charted) options() (o spc.Options, err error) {
	var errs []error
	want := func(ok bool, text string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(text, args...))
		}
	}
	kinds := []string{"imr", "xbar-r", "xbar-s", "ewma", "cusum", "capability", "summary"}
	want(slices.Contains(kinds, c.chart), "--chart %q: want %s", c.chart, strings.Join(kinds, ", "))
	want(c.data != "" || c.dataless(), "no --data: name the file; only capability can be computed without, from --center and --sigma")
	want(c.size >= 0, "--subgroup %d: want how many values make a subgroup", c.size)
	want(c.size <= 1 || c.label == "", "--subgroup and --subgroup-column: want one of them")
	want(c.chart != "imr" || c.size <= 1 && c.label == "", "--chart imr plots single values: leave subgroups out, or take xbar-r or xbar-s")
	want(c.chart != "capability" || c.given("lsl") || c.given("usl"), "--chart capability wants --lsl, --usl or both")
	want(c.where == "" || strings.Contains(c.where, "="), "--where %q: want COLUMN=VALUE", c.where)
	if c.tolerated() {
		want(c.tolerance().Check() == nil, "%w", c.tolerance().Check())
	}
	for _, f := range []string{"center", "target", "sigma"} {
		v := map[string]float64{"center": c.center, "target": c.target, "sigma": c.sigma}[f]
		want(math.Abs(v) <= spc.MaxValue, "--%s %v: want a finite number", f, v)
	}
	want(!c.given("sigma") || c.sigma > 0, "--sigma %v: want a number above 0", c.sigma)
	o.Center, o.Sigma = c.float("center", c.center), c.float("sigma", c.sigma)
	if o.Rules, err = spc.ParseRules(c.rules); err != nil {
		errs = append(errs, fmt.Errorf("--rules: %w", err))
	}
	if o.First, o.Last, err = parseBaseline(c.baseline); err != nil {
		errs = append(errs, err)
	}
	if o.Estimator, err = parseEstimator(c.estimator); err != nil {
		errs = append(errs, err)
	}
	if err := c.followed(0, 1).Check(); err != nil && (c.chart == "ewma" || c.chart == "cusum") {
		errs = append(errs, err)
	}
	return o, errors.Join(errs...)
}

// dataless says whether capability is asked of given numbers.
func (c *charted) dataless() bool {
	return c.chart == "capability" && c.given("center") && c.given("sigma")
}

// tolerated says whether there is something to be capable of.
func (c *charted) tolerated() bool { return c.given("lsl") || c.given("usl") }

// tolerance is what the product may be. Its target is --target, else the given
// centre; an estimated centre is no target.
func (c *charted) tolerance() spc.Tolerance {
	t := spc.Tolerance{LSL: c.float("lsl", c.lsl), USL: c.float("usl", c.usl), Target: c.float("center", c.center)}
	if c.given("target") {
		t.Target = &c.target
	}
	return t
}

// float is a flag's number, nil if it was not given.
func (c *charted) float(flag string, v float64) *float64 {
	if !c.given(flag) {
		return nil
	}
	return &v
}

// followed is the chart for an EWMA or a CUSUM.
func (c *charted) followed(center, sigma float64) *spc.Chart {
	chart := &spc.Chart{Kind: spc.KindEWMA, Center: center, Sigma: sigma, Lambda: c.lambda, L: c.l}
	if c.chart == "cusum" {
		chart = &spc.Chart{Kind: spc.KindCUSUM, Center: center, Sigma: sigma, K: c.k, H: c.h, Head: c.fir}
	}
	return chart
}

// parseBaseline reads 1-25; "" is all points.
func parseBaseline(text string) (first, last int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	from, to, ok := strings.Cut(text, "-")
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	if !ok || err1 != nil || err2 != nil || first < 1 || last < first {
		return 0, 0, fmt.Errorf("--baseline %q: want the first and the last point, such as 1-25", text)
	}
	return first, last, nil
}

func parseEstimator(text string) (spc.Estimator, error) {
	switch text {
	case "":
		return "", nil
	case "rbar":
		return spc.MeanRange, nil
	case "sbar":
		return spc.MeanSD, nil
	case "pooled":
		return spc.Pooled, nil
	}
	return "", fmt.Errorf("--estimator %q: want rbar, sbar or pooled", text)
}

// read reads the data, if there is any.
func (c *charted) read() (*spc.Data, error) {
	if c.data == "" {
		return &spc.Data{}, nil
	}
	b, err := os.ReadFile(c.data)
	if err != nil {
		return nil, err
	}
	t, err := spc.ParseTable(c.data, b)
	if err != nil {
		return nil, err
	}
	if column, value, ok := strings.Cut(c.where, "="); ok {
		if err := t.Where(column, value); err != nil {
			return nil, err
		}
	}
	s := spc.Selection{Column: c.column, Label: c.label, Form: spc.Either}
	if c.size > 1 {
		s.Size = c.size
	}
	switch c.chart {
	case "imr":
		s.Form = spc.Single
	case "xbar-r", "xbar-s":
		s.Form = spc.Wide
	}
	return t.Select(s)
}
