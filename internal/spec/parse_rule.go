package spec

import (
	"fmt"
	"slices"
	"strings"

	"andon/internal/strictyaml"
)

// kinds are all rule kinds.
var kinds = []string{High, Low, Band, Equals, Rate, Spread, Envelope, Frozen, Window, SPC, Soak, Lethality, Above, Below, Peak}

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
	r := Rule{ID: ruleID(n.Need("id")), Kind: ruleKind(n.Need("kind"))}
	p.place(n.Get("kind"))
	if r.Kind == "" {
		n.Skip() // its keys are those of a kind that is not known
		return r
	}
	ruleScope(n.Get("scope"), &r, of.par)
	r.OnDelay = delay(n.Get("on_delay"))
	r.OffDelay = delay(n.Get("off_delay"))
	r.EventDelay = delay(n.Get("event_delay"))
	r.Rejoin = delay(n.Get("rejoin"))
	r.OnLotChange = oneOfOr(n.Get("on_lot_change"), "extend", "split")
	p.ruleWhen(n, &r)
	ruleClass(n, &r)
	ruleBody(n, &r, of)
	if NeedsOperation(r.Kind) {
		decidedOnce(n, &r)
	}
	ruleDeadband(n.Get("deadband"), &r, of.par)
	if of.par.Computed != nil {
		ofComputed(n, &r, of.par.Computed)
	}
	return r
}

// reserved are the ids of the rules that every parameter has besides its own:
// alarms and events of one of the same id could not be told from theirs.
var reserved = []string{"missing_data", "calibration_overdue"}

// ruleID is the id, "" when it is none that a rule may have.
func ruleID(n strictyaml.Node) string {
	id := shaped(n, idShape)
	if slices.Contains(reserved, id) {
		n.Problem(fmt.Sprintf("the id %s is reserved: every parameter has a rule of that id already", id), "give the rule another id")
		return ""
	}
	return id
}

// ruleKind is the kind, "" when there is none of that name.
func ruleKind(n strictyaml.Node) string {
	kind := n.Text()
	if !n.OK() || slices.Contains(kinds, kind) {
		return kind
	}
	hint := "a rule is one of " + strings.Join(kinds, ", ")
	if near := strictyaml.Nearest(kind, kinds); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	n.Problem(fmt.Sprintf("rule kind %q is not known", clip(kind)), hint)
	return ""
}

// ruleBody reads what only this kind has.
func ruleBody(n strictyaml.Node, r *Rule, of parameterNode) {
	switch r.Kind {
	case High, Low, Band:
		ruleLimit(n, r, of)
	case Equals:
		r.Expected = expected(n.Need("value"))
	case Rate:
		ruleRate(n, r, of.par)
	case Spread:
		ruleSpread(n, r, of.par)
	case Envelope:
		ruleEnvelope(n, r, of.par)
	case Frozen:
		ruleFrozen(n.Need("for"), r, of.par)
	case Window:
		ruleWindow(n, r, of.par)
	case SPC:
		ruleChart(n, r, of.par)
	case Soak:
		ruleSoak(n, r, of)
	case Lethality:
		ruleLethality(n, r, of.par)
	case Above, Below:
		ruleThreshold(n, r, of)
	case Peak:
		rulePeak(n, r, of)
	}
}

// scopes are the ways in which the inputs of a kind may be joined, the default
// first.
func scopes(kind string) []string {
	switch kind {
	case Spread, Soak, Window: // they are about all inputs together by themselves
		return []string{AllInputs}
	case Equals, Frozen:
		return []string{AnyInput, AllInputs}
	case SPC:
		return []string{AnyInput, Mean, Max, Min} // a signal of all inputs at once has no known rate of false alarms
	}
	return []string{AnyInput, AllInputs, Mean, Max, Min}
}

func ruleScope(n strictyaml.Node, r *Rule, par *Parameter) {
	r.Scope = oneOfOr(n, scopes(r.Kind)...)
	if par.Computed != nil && n.OK() && n.Written() != scopes(r.Kind)[0] {
		n.Problem(fmt.Sprintf("scope %s has no meaning here: the parameter is one computed value", r.Scope), "remove the key; join the inputs in computed")
	}
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

// ruleClass reads what the rule raises. A chart's signal is a signal unless the
// document says that it is more.
func ruleClass(n strictyaml.Node, r *Rule) {
	class := n.Get("class")
	r.Class = class.OneOf(Minor, Major, Critical, Signal)
	if !class.Present() {
		r.Class = Major
		if r.Kind == SPC {
			r.Class = Signal
		}
	}
	fail := n.Get("on_fail")
	r.OnFail = fail.OneOf("nonconformance")
	if fail.OK() && r.Class == Signal {
		fail.Problem("a signal raises no nonconformance", "give the rule the class minor, major or critical")
	}
}

// decidedOnce refuses what can have no effect on a result that is known once,
// when the operation or phase has ended.
func decidedOnce(n strictyaml.Node, r *Rule) {
	for _, key := range []string{"on_delay", "off_delay", "event_delay", "rejoin"} {
		if d := n.Get(key); d.OK() && d.Duration() != 0 {
			d.Problem(fmt.Sprintf("kind %s has no %s: the result is decided once, at the end, and there is nothing to wait for", r.Kind, key), "remove the key")
		}
	}
	if r.Always {
		n.Get("always").Problem(fmt.Sprintf("kind %s is decided when an operation or phase ends, and always has no end", r.Kind), "remove the key, or name phases with when")
	}
}
