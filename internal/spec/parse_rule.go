package spec

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// judged are the rule kinds of this version; known are those of the form that
// it refuses rather than ignores.
var (
	judged = []string{High, Low, Band, Equals}
	known  = []string{"rate", "spread", "soak", "lethality", "above", "below", "peak", "envelope", "window", "frozen", "spc"}
)

// parameterNode is a parameter and where it stands.
type parameterNode struct {
	strictyaml.Node
	par *Parameter
}

func (p *parser) rules(n strictyaml.Node, of parameterNode) {
	nodes := n.Seq()
	if n.OK() && len(nodes) == 0 {
		n.Problem("no rule", "the parameter would be read and never judged")
	}
	seen := map[string]bool{}
	for _, e := range nodes {
		r := p.rule(e, of)
		unique(seen, e.Get("id"), r.ID, "rule")
		of.par.Rules = append(of.par.Rules, r)
	}
}

func (p *parser) rule(n strictyaml.Node, of parameterNode) Rule {
	r := Rule{ID: shaped(n.Need("id"), idShape), Kind: ruleKind(n)}
	if r.Kind == "" {
		n.Skip() // its keys are those of a kind that is not known here
		return r
	}
	r.OnDelay = delay(n.Get("on_delay"))
	r.OffDelay = delay(n.Get("off_delay"))
	r.EventDelay = delay(n.Get("event_delay"))
	r.Rejoin = delay(n.Get("rejoin"))
	r.OnLotChange = oneOfOr(n.Get("on_lot_change"), "extend", "split")
	p.ruleWhen(n, &r)
	ruleClass(n, &r)
	if r.Kind == Equals {
		r.Scope = oneOfOr(n.Get("scope"), AnyInput, AllInputs)
		r.Expected = expected(n.Need("value"))
		return r
	}
	r.Scope = oneOfOr(n.Get("scope"), AnyInput, AllInputs, Mean, Max, Min)
	ruleLimit(n, &r, of)
	ruleDeadband(n.Get("deadband"), &r, of.par)
	return r
}

// ruleKind is the kind, "" when this version does not judge it.
func ruleKind(n strictyaml.Node) string {
	k := n.Need("kind")
	kind := k.Text()
	switch {
	case !k.OK(), slices.Contains(judged, kind):
		return kind
	case slices.Contains(known, kind):
		k.Problem(fmt.Sprintf("rule kind %s is not judged by this version", kind), "this version judges "+strings.Join(judged, ", "))
	default:
		hint := "this version judges " + strings.Join(judged, ", ")
		if near := strictyaml.Nearest(kind, append(slices.Clone(judged), known...)); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		k.Problem(fmt.Sprintf("rule kind %q is not known", clip(kind)), hint)
	}
	return ""
}

// ruleWhen reads in which phases the rule judges. A phase in which the
// specification does not apply would make a rule that can never fire.
func (p *parser) ruleWhen(n strictyaml.Node, r *Rule) {
	when := n.Get("when")
	r.Always = n.Get("always").Bool()
	r.When = p.names(when, anyShape)
	if r.Always && when.Present() {
		when.Problem("always: true and when contradict each other", "keep one of them")
		return
	}
	for _, c := range p.doc.AppliesWhen {
		if c.Field != "phase" || !when.OK() || r.Always {
			continue
		}
		for _, phase := range r.When {
			if !slices.Contains(c.Values, phase) {
				when.Problem(fmt.Sprintf("phase %q is not one in which the specification applies (%s)", phase, strings.Join(c.Values, ", ")), "the rule would never judge there: add the phase to applies_when, or take it out here")
				return
			}
		}
	}
}

func ruleClass(n strictyaml.Node, r *Rule) {
	class := n.Get("class")
	r.Class = class.OneOf(Minor, Major, Critical, Signal)
	if !class.Present() {
		r.Class = Major
	}
	fail := n.Get("on_fail")
	r.OnFail = fail.OneOf("nonconformance")
	if fail.OK() && r.Class == Signal {
		fail.Problem("a signal raises no nonconformance", "give the rule the class minor, major or critical")
	}
}

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

// ruleDeadband reads the deadband, which must leave room between the limits to
// come back to: back is at or below high - deadband, and at or above low +
// deadband.
func ruleDeadband(n strictyaml.Node, r *Rule, par *Parameter) {
	r.Deadband = n.Float()
	if !n.OK() {
		return
	}
	if r.Deadband < 0 {
		n.Problem(fmt.Sprintf("the deadband %v is negative", r.Deadband), "give 0 or more, in the parameter's unit")
		return
	}
	low, high := room(r, par)
	back := [2]float64{low, high}
	if r.Kind != High {
		back[0] += r.Deadband
	}
	if r.Kind != Low {
		back[1] -= r.Deadband
	}
	if back[0] >= back[1] {
		n.Problem(fmt.Sprintf("the deadband %v is too wide for the band [%v, %v]: a value that was out could never come back", r.Deadband, low, high), "make it smaller")
	}
}

// room is the band within which a value can come back: the rule's limits, and
// on the side that it has none the other limit of the same name.
func room(r *Rule, par *Parameter) (low, high float64) {
	low, high = math.Inf(-1), math.Inf(1)
	other := specRange(par)
	switch r.LimitName {
	case "nor":
		other = par.NOR
	case "par":
		other = par.PAR
	}
	if other != nil {
		low, high = other[0], other[1]
	}
	if r.Low != nil {
		low = *r.Low
	}
	if r.High != nil {
		high = *r.High
	}
	return low, high
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
