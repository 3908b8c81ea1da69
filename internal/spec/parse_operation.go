package spec

import (
	"fmt"

	"andon/internal/strictyaml"
)

// This file reads the kinds that are decided once, when an operation or one of
// its phases has ended.

// ruleSoak reads a time within a tolerance that counts from the entry of the
// input that comes last (AMS2750, AMS2759).
func ruleSoak(n strictyaml.Node, r *Rule, of parameterNode) {
	tolerance := n.Need("tolerance")
	r.Tolerance = tolerance.Range()
	r.Mode = oneOfOr(n.Get("mode"), Continuous, Cumulative)
	start := n.Get("start")
	start.OneOf("lagging_at_or_above_lsl")
	if start.OK() && r.Tolerance != nil && !wrong(of.Get("limits")) && (of.par.LSL == nil || *of.par.LSL != r.Tolerance[0]) {
		start.Problem("the soak starts when all inputs are within the tolerance, and its low end "+num(r.Tolerance[0])+" is not the parameter's lsl", "make both the same, or remove start")
	}
	times(n, r)
}

// ruleLethality reads a sum of lethal rates, 10^((T - tref)/z) a second.
func ruleLethality(n strictyaml.Node, r *Rule, par *Parameter) {
	z := n.Need("z")
	r.TRef, r.Z = n.Need("tref").Float(), z.Float()
	if z.OK() && r.Z <= 0 {
		z.Problem(fmt.Sprintf("z %s %s", num(r.Z), par.Unit), "it is the step in temperature that makes ten times the effect, above 0: 10 K for steam")
	}
	times(n, r)
}

// ruleThreshold reads the time that may be spent above or below a value.
func ruleThreshold(n strictyaml.Node, r *Rule, of parameterNode) {
	side := High
	if r.Kind == Below {
		side = Low
	}
	v, name := of.limit(n.Need("value"), side)
	if v != nil {
		r.Threshold, r.LimitName = *v, name
	}
	times(n, r)
}

// rulePeak reads within which limits the extreme of an operation must be.
func rulePeak(n strictyaml.Node, r *Rule, of parameterNode) {
	r.Unit = of.par.Unit
	r.Side = oneOfOr(n.Get("side"), High, Low)
	low, lowName := of.limit(n.Get("min"), Low)
	high, highName := of.limit(n.Get("max"), High)
	r.Low, r.High = low, high
	switch {
	case lowName == highName, high == nil:
		r.LimitName = lowName
	case low == nil:
		r.LimitName = highName
	case lowName == "lsl" && highName == "usl":
		r.LimitName = "limits"
	}
	minBelowMax(n, r)
}

// times reads min and max, durations, at least one of which a result can miss.
func times(n strictyaml.Node, r *Rule) {
	low, high := n.Get("min"), n.Get("max")
	r.Low, r.High, r.Unit = seconds(low), seconds(high), "s"
	held := r.Kind == Soak || r.Kind == Lethality // at most 0 s of it would forbid what the rule asks for
	switch {
	case !low.Present() && !high.Present():
		n.Get("kind").Problem(fmt.Sprintf("kind %s has neither min nor max", r.Kind), "it could never be out: give a duration like min: 45min")
	case low.OK() && *r.Low == 0 && !high.Present():
		low.Problem("a minimum of 0s", "it could never be out: give a duration above 0, or max")
	case high.OK() && *r.High == 0 && held:
		high.Problem("a maximum of 0s", "every operation would be out: give a duration above 0, or remove the key")
	case r.Low != nil && r.High != nil && *r.Low > *r.High:
		low.Problem(fmt.Sprintf("min %s is longer than max %s", low.Written(), high.Written()), "no operation could meet both: they may be exchanged")
	}
}

// seconds is a duration as a number of seconds; nil when absent or wrong.
func seconds(n strictyaml.Node) *float64 {
	d := delay(n)
	if !n.OK() {
		return nil
	}
	s := d.Seconds()
	return &s
}

// limit is a number, or the parameter's limit of a name: of nor and par the end
// at the side. v is nil when absent or wrong.
func (of parameterNode) limit(n strictyaml.Node, side string) (v *float64, name string) {
	if !n.Present() || n.IsNumber() {
		return optional(n), ""
	}
	name = n.OneOf("usl", "lsl", "nor", "par")
	if name == "" {
		return nil, ""
	}
	low, high, reported := of.named(name)
	v = high
	if name == "lsl" || name != "usl" && side == Low {
		v = low
	}
	if v == nil && !reported {
		n.Problem(fmt.Sprintf("%s is a limit that the parameter does not have", name), "add it to the parameter, or give a number")
	}
	return v, name
}
