package spec

import (
	"fmt"
	"math"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

func expected(n strictyaml.Node) *sample.Value {
	var v sample.Value
	switch x := n.Scalar().(type) {
	case nil:
		return nil
	case bool:
		v = sample.BoolValue(x)
	case int64:
		v = sample.IntValue(x)
	case float64:
		v = sample.FloatValue(x)
	case string:
		v = sample.StringValue(words(n))
	}
	return &v
}

// ruleLimit resolves the limit: a number ([low, high] for a band) or the name
// of one of the parameter's.
func ruleLimit(n strictyaml.Node, r *Rule, of parameterNode) {
	limit := n.Get("limit")
	r.Unit = of.par.Unit
	switch {
	case !limit.Present() && r.Kind == Band:
		resolve(n, "limits", r, of) // a band without a word is the specification's own
	case !limit.Present():
		n.Need("limit") // says that it is missing
	case r.Kind == Band && limit.IsSeq():
		if b := limit.Range(); b != nil {
			r.Low, r.High = &b[0], &b[1]
		}
	case limit.IsNumber() && r.Kind == High:
		r.High = optional(limit)
	case limit.IsNumber() && r.Kind == Low:
		r.Low = optional(limit)
	case limit.IsNumber():
		limit.Problem("a band needs two limits", "write limit: nor, par, limits or [low, high]")
	case limit.IsSeq():
		limit.Problem(fmt.Sprintf("kind %s has one limit", r.Kind), "give one number or name, or use kind: band")
	default:
		if name := limit.OneOf("usl", "lsl", "nor", "par", "limits"); name != "" {
			resolve(limit, name, r, of)
		}
	}
}

// resolve takes the named limits of the parameter into the rule, and says at n
// what is wrong when it has none.
func resolve(n strictyaml.Node, name string, r *Rule, of parameterNode) {
	r.LimitName = name
	switch {
	case r.Kind == High && name == "lsl", r.Kind == Low && name == "usl":
		n.Problem(fmt.Sprintf("kind %s cannot use %s", r.Kind, name), "high takes an upper limit, low a lower one")
		return
	case r.Kind == Band && (name == "lsl" || name == "usl"):
		n.Problem("a band needs two limits", "write limit: nor, par, limits or [low, high]")
		return
	}
	low, high, wrong := of.named(name)
	if r.Kind != High {
		r.Low = low
	}
	if r.Kind != Low {
		r.High = high
	}
	if !wrong && (r.Kind != High && low == nil || r.Kind != Low && high == nil) {
		n.Problem(fmt.Sprintf("the %s rule refers to %s, which the parameter does not have", r.Kind, missing(name, r.Kind)), "add it to the parameter, or give the rule a number")
	}
}

// missing is the words for a limit that is not there.
func missing(name, kind string) string {
	switch {
	case name != "limits":
		return name
	case kind == High:
		return "usl"
	case kind == Low:
		return "lsl"
	}
	return "lsl and usl"
}

// named is the parameter's limits of a name. wrong says that the document has
// one, in a form that has been reported already.
func (of parameterNode) named(name string) (low, high *float64, wrong bool) {
	bad := func(n strictyaml.Node) bool { return n.Present() && !n.OK() }
	limits := of.Get("limits")
	switch name {
	case "nor", "par":
		r := of.par.NOR
		if name == "par" {
			r = of.par.PAR
		}
		if r == nil {
			return nil, nil, bad(of.Get(name))
		}
		return &r[0], &r[1], false
	}
	return of.par.LSL, of.par.USL, bad(limits) || bad(limits.Get("lsl")) || bad(limits.Get("usl"))
}

// hasDeadband tells the kinds that come back to a limit from those that are
// decided once or hold no number against one.
func hasDeadband(kind string) bool {
	switch kind {
	case High, Low, Band, Rate, Spread, Envelope:
		return true
	}
	return false
}

// ruleDeadband reads the deadband, which must leave room between the limits to
// come back to: back is at or below high - deadband, and at or above low +
// deadband.
func ruleDeadband(n strictyaml.Node, r *Rule, par *Parameter) {
	r.Deadband = n.Float()
	switch {
	case !n.OK() || r.Deadband == 0:
		return
	case !hasDeadband(r.Kind):
		n.Problem(fmt.Sprintf("kind %s has no deadband: nothing comes back to a limit", r.Kind), "remove the key")
		return
	case r.Deadband < 0:
		n.Problem(fmt.Sprintf("the deadband %v is negative", r.Deadband), "give 0 or more, in the unit of the rule's limits")
		return
	}
	low, high := room(r, par)
	back := [2]float64{low, high}
	if r.Kind != High && r.Kind != Spread {
		back[0] += r.Deadband
	}
	if r.Kind != Low {
		back[1] -= r.Deadband
	}
	if back[0] >= back[1] {
		n.Problem(fmt.Sprintf("the deadband %v is too wide for the band [%v, %v]: a value that was out could never come back", r.Deadband, low, high), "make it smaller")
	}
}

// room is the band within which a value can come back.
func room(r *Rule, par *Parameter) (low, high float64) {
	low, high = math.Inf(-1), math.Inf(1)
	switch r.Kind {
	case High, Low, Band:
		low, high = bandOfName(r, par)
	case Spread:
		low = 0
	case Envelope: // at its narrowest point; between two points it is no narrower
		for _, pt := range r.Profile {
			if pt.High-pt.Low < high-low {
				low, high = pt.Low, pt.High
			}
		}
	}
	if r.Low != nil {
		low = *r.Low
	}
	if r.High != nil {
		high = *r.High
	}
	return low, high
}

// bandOfName is the parameter's range of the name by which a rule calls its
// limit, since a rule that has one side only has the other one there.
func bandOfName(r *Rule, par *Parameter) (low, high float64) {
	other := specRange(par)
	switch r.LimitName {
	case "nor":
		other = par.NOR
	case "par":
		other = par.PAR
	}
	if other == nil {
		return math.Inf(-1), math.Inf(1)
	}
	return other[0], other[1]
}

// specRange is from lsl to usl, infinite where there is none; nil for neither.
func specRange(par *Parameter) *[2]float64 {
	if par.LSL == nil && par.USL == nil {
		return nil
	}
	r := [2]float64{math.Inf(-1), math.Inf(1)}
	if par.LSL != nil {
		r[0] = *par.LSL
	}
	if par.USL != nil {
		r[1] = *par.USL
	}
	return &r
}
