package spec

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"andon/internal/strictyaml"
)

// This file reads the kinds that are out or back at every moment but compare
// something else than the value with its limits.

// ruleRate reads a slope's limits: by least squares, since the difference of
// two samples is mostly noise (quality.md 3).
func ruleRate(n strictyaml.Node, r *Rule, par *Parameter) {
	window := n.Need("window")
	r.Window = positive(window)
	r.Low, r.High = optional(n.Get("min")), optional(n.Get("max"))
	rateUnit(n.Get("unit"), r, par.Unit)
	minBelowMax(n, r)
	if window.OK() && r.Window < par.Sampling.Interval {
		window.Problem(fmt.Sprintf("window %s is shorter than the sampling interval %s: it never holds two samples", Span(r.Window), Span(par.Sampling.Interval)), "a slope needs several samples: make the window some intervals long")
	}
}

// minBelowMax wants at least one of min and max, as numbers in order.
func minBelowMax(n strictyaml.Node, r *Rule) {
	low, high := n.Get("min"), n.Get("max")
	switch {
	case !low.Present() && !high.Present():
		n.Get("kind").Problem(fmt.Sprintf("kind %s has neither min nor max", r.Kind), "it could never be out: give one of them")
	case r.Low != nil && r.High != nil && *r.Low >= *r.High:
		low.Problem(fmt.Sprintf("min %s is not below max %s", num(*r.Low), num(*r.High)), "they may be exchanged")
	}
}

// rateUnit is the parameter's unit over a time.
func rateUnit(n strictyaml.Node, r *Rule, of string) {
	r.Per, r.Unit = time.Second, ""
	if of != "" {
		r.Unit = of + "/s"
	}
	u := n.Text()
	if !n.OK() {
		return
	}
	i := strings.LastIndexByte(u, '/')
	per, ok := map[string]time.Duration{"s": time.Second, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[u[i+1:]]
	plain := of == "1" && i == 0 // "/min" is 1 a minute
	if i < 0 || !ok || of != "" && u[:i] != of && !plain {
		n.Problem(fmt.Sprintf("%q is not the unit of this slope", clip(u)), fmt.Sprintf("write the parameter's unit over s, min, h or d: %q", of+"/min"))
		return
	}
	r.Per, r.Unit = per, u
}

func ruleSpread(n strictyaml.Node, r *Rule, par *Parameter) {
	high := n.Need("max")
	r.High, r.Unit = optional(high), par.Unit
	switch {
	case r.High != nil && *r.High <= 0:
		high.Problem(fmt.Sprintf("a spread of at most %s", num(*r.High)), "give the largest difference that is allowed, above 0")
	case par.Computed != nil:
		n.Get("kind").Problem("the parameter is one computed value and has no spread", "give the rule to a parameter with the inputs themselves")
	case len(par.Inputs) == 1:
		n.Get("kind").Problem("a spread needs at least two inputs, the parameter has one", "it could never be out: name the other inputs, or use another kind")
	}
}

// maxProfile is the most points of an envelope: a point a second for a shift.
const maxProfile = 50_000

// ruleEnvelope reads limits that go along with the time since the phase began.
func ruleEnvelope(n strictyaml.Node, r *Rule, par *Parameter) {
	r.Unit = par.Unit
	profile := n.Need("profile")
	nodes := profile.Seq()
	if profile.OK() && (len(nodes) == 0 || len(nodes) > maxProfile) {
		profile.Problem(fmt.Sprintf("a profile of %d points", len(nodes)), fmt.Sprintf("give 1 to %d points [t, low, high]", maxProfile))
		return
	}
	limited := false
	for i, e := range nodes {
		pt, ok := profilePoint(e)
		if !ok {
			limited = true // what it should be is not known
			continue
		}
		if i > 0 && len(r.Profile) > 0 {
			if before := r.Profile[len(r.Profile)-1].T; pt.T <= before {
				e.Problem(fmt.Sprintf("point %d is at %s, not after the one before it at %s", i+1, Span(pt.T), Span(before)), "the points are in order of time; for a step put two points 1ms apart")
			}
		}
		limited = limited || !math.IsInf(pt.Low, 0) || !math.IsInf(pt.High, 0)
		r.Profile = append(r.Profile, pt)
	}
	if profile.OK() && !limited {
		profile.Problem("no point of the profile has a limit", "it could never be out: give a point a low or high")
	}
	if r.Always {
		n.Get("always").Problem("an envelope counts from the beginning of an operation or phase, and always has none", "remove the key, or name phases with when")
	}
}

// profilePoint reads [t, low, high] or {t, low, high}; ok is false when
// something was wrong with it.
func profilePoint(n strictyaml.Node) (pt ProfilePoint, ok bool) {
	var t, low, high strictyaml.Node
	if n.IsMap() {
		t, low, high = n.Need("t"), n.Get("low"), n.Get("high")
		if !t.Present() {
			return pt, false
		}
	} else {
		e := n.Seq()
		if n.OK() && len(e) != 3 {
			n.Problem(fmt.Sprintf("a point of %d values", len(e)), "write [t, low, high], with null where there is no limit")
		}
		if !n.OK() {
			return pt, false
		}
		t, low, high = e[0], e[1], e[2]
	}
	pt.T = since(t)
	pt.Low, pt.High = orNone(low, math.Inf(-1)), orNone(high, math.Inf(1))
	if wrong(t) || wrong(low) || wrong(high) {
		return pt, false
	}
	if pt.Low >= pt.High {
		n.Problem(fmt.Sprintf("low %s is not below high %s", num(pt.Low), num(pt.High)), "write [t, low, high]")
		return pt, false
	}
	return pt, true
}

// wrong: there, and refused already.
func wrong(n strictyaml.Node) bool { return n.Present() && !n.OK() }

// since is a time from the beginning: a duration, or a number of seconds.
func since(n strictyaml.Node) time.Duration {
	if !n.IsNumber() {
		return delay(n)
	}
	const most = 100 * 365 * 24 * 3600 // a century, well within 64 bits of nanoseconds
	s := n.Float()
	if n.OK() && (s < 0 || s > most) {
		n.Problem(fmt.Sprintf("%s s since the beginning", num(s)), "give 0 or more seconds, or a duration like 45min")
		return 0
	}
	return time.Duration(math.Round(s*1e3)) * time.Millisecond
}

// orNone is a number, or none when it is absent or null.
func orNone(n strictyaml.Node, none float64) float64 {
	if !n.Present() || n.IsNull() {
		return none
	}
	return n.Float()
}

// ruleFrozen reads how long a value may stay the same.
func ruleFrozen(n strictyaml.Node, r *Rule, par *Parameter) {
	r.For, r.Unit = positive(n), "s"
	if n.OK() && r.For < par.Sampling.Interval {
		n.Problem(fmt.Sprintf("for %s is shorter than the sampling interval %s: between two samples every value is unchanged", Span(r.For), Span(par.Sampling.Interval)), "it would always be out: make it several intervals")
	}
}

// ruleWindow reads the ranges of values that are latched together, such as
// final torque and angle (VDI/VDE 2862-1: a critical joint needs both).
func ruleWindow(n strictyaml.Node, r *Rule, par *Parameter) {
	if !n.Get("when").Present() {
		n.Need("when") // says that it is missing: the values are taken when that phase begins
	}
	ranges := n.Need("ranges")
	entries := ranges.Entries()
	if ranges.OK() && len(entries) == 0 {
		ranges.Problem("no range", "it could never be out: write ranges: {input: [low, high]}")
	}
	for _, e := range entries {
		i := slices.Index(par.Inputs, e.Name)
		if i < 0 {
			e.Value.KeyProblem(fmt.Sprintf("%q is not an input of the parameter", clip(e.Name)), "it has "+strings.Join(par.Inputs, ", "))
			e.Value.Skip()
			continue
		}
		if low, high, ok := openRange(e.Value); ok {
			r.Ranges = append(r.Ranges, InputRange{Input: i, Low: low, High: high, Unit: par.Unit})
		}
	}
	if par.Computed != nil {
		n.Get("kind").Problem("the parameter is one computed value and has no inputs to hold against ranges", "give the rule to a parameter with the inputs themselves")
	}
	windowUnits(n.Get("units"), r, par)
}

// openRange is [low, high] with null for no limit, but not for both.
func openRange(n strictyaml.Node) (low, high float64, ok bool) {
	e := n.Seq()
	if n.OK() && len(e) != 2 {
		n.Problem(fmt.Sprintf("a range of %d values", len(e)), "write [low, high], with null where there is no limit")
	}
	if !n.OK() {
		return 0, 0, false
	}
	low, high = orNone(e[0], math.Inf(-1)), orNone(e[1], math.Inf(1))
	switch {
	case wrong(e[0]) || wrong(e[1]):
		return 0, 0, false
	case e[0].IsNull() && e[1].IsNull():
		n.Problem("a range without an end", "it could never be out: give a limit, or remove the input")
		return 0, 0, false
	case low >= high:
		n.Problem(fmt.Sprintf("the low end %s is not below the high end %s", num(low), num(high)), "write [low, high]")
		return 0, 0, false
	}
	return low, high, true
}

// windowUnits reads the units of inputs that are not in the parameter's.
func windowUnits(n strictyaml.Node, r *Rule, par *Parameter) {
	for _, e := range n.Entries() {
		i := slices.IndexFunc(r.Ranges, func(x InputRange) bool { return par.Inputs[x.Input] == e.Name })
		if i < 0 {
			e.Value.KeyProblem(fmt.Sprintf("%q has no range in this rule", clip(e.Name)), "remove it")
			e.Value.Skip()
			continue
		}
		r.Ranges[i].Unit = unitOf(e.Value)
	}
}
