package spec

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Lint reports, as strictyaml.Problems, what is wrong with the document for
// itself and yet no reason not to read it: what was approved once is read for
// ever. That is a rule that needs to know where an operation begins and ends (a
// rehearsal takes the whole file for it), and what can never fire.
func (d *Document) Lint() error {
	c := checker{d: d}
	c.operations()
	c.outOfScope()
	c.neverCritical()
	return c.problems.Sorted().Err()
}

// operations reports rules that need an operation of which the document says
// nothing.
func (c *checker) operations() {
	if len(c.d.AppliesWhen) > 0 || slices.Contains(c.d.ContextRequired, "lot") {
		return
	}
	for i := range c.d.Parameters {
		p := &c.d.Parameters[i]
		for k := range p.Rules {
			if p.needsOperation(&p.Rules[k]) {
				c.problem(element(element("parameters", i)+".rules", k)+".kind",
					fmt.Sprintf("rule %s is decided at the end of an operation, and the document does not say what one is", p.Rules[k].ID),
					"add applies_when, or lot to context_required: then a lot's stay is the operation")
			}
		}
	}
}

// outOfScope reports a condition that nothing in scope can meet.
func (c *checker) outOfScope() {
	scope := map[string][]string{"material": c.d.Scope.Materials}
	if c.d.Scope.Operation != "" {
		scope["operation"] = []string{c.d.Scope.Operation}
	}
	for _, cond := range c.d.AppliesWhen {
		within := scope[cond.Field]
		if len(within) > 0 && !slices.ContainsFunc(cond.Values, func(v string) bool { return slices.Contains(within, v) }) {
			c.problem("applies_when."+cond.Field, fmt.Sprintf("%s %s is never in scope, which is %s %s: no rule could ever fire", cond.Field, strings.Join(cond.Values, " or "), cond.Field, strings.Join(within, ", ")),
				"make both name the same, or remove one")
		}
	}
}

// neverCritical reports a condition on the time outside par where there is none.
func (c *checker) neverCritical() {
	if c.d.Classification == nil || slices.ContainsFunc(c.d.Parameters, func(p Parameter) bool { return p.PAR != nil }) {
		return
	}
	outsidePar := factsLanguage().names["outside_par_for"].i
	for k, p := range c.d.Classification.programs {
		if slices.ContainsFunc(p.steps, func(s step) bool { return s.op == opLoad && s.i == outsidePar }) {
			c.problem("classification.escalate_to_critical_when", fmt.Sprintf("%q asks for outside_par_for, and no parameter has a par: it is always 0", c.d.Classification.EscalateToCritical[k]),
				"give the parameters their par, or ask for outside_for")
		}
	}
}

// LintOn reports, as strictyaml.Problems, what the ranges of the tags make
// pointless on a gateway: targets and ranges that no good value can reach, and
// rules that can never fire. A value outside its tag's range is bad, and what is
// bad is unknown and never out.
func (d *Document) LintOn(f Facts) error {
	c := checker{d: d}
	for i := range f.Equipment {
		e := &f.Equipment[i]
		if !d.Scope.Holds(e.Name, e.Class) {
			continue
		}
		for k := range d.Parameters {
			if p := &d.Parameters[k]; p.Computed == nil {
				c.reach(element("parameters", k), e, p)
			}
		}
	}
	return c.problems.Sorted().Err()
}

// reach compares a parameter with what its inputs can be.
func (c *checker) reach(path string, e *EquipmentFacts, p *Parameter) {
	low, high, known := p.reachOn(e)
	if !known {
		return
	}
	can := fmt.Sprintf("on %s good values are %s..%s", e.Name, num(low), num(high))
	outside := func(key string, from, to float64) {
		if from < low || to > high {
			c.problem(path+"."+key, fmt.Sprintf("%s reaches outside what its inputs can be: %s", key, can), "mend the range of the tags in the settings, or the limits")
		}
	}
	if p.Target != nil {
		outside("target", *p.Target, *p.Target)
	}
	for key, r := range map[string]*[2]float64{"nor": p.NOR, "par": p.PAR} {
		if r != nil {
			outside(key, r[0], r[1])
		}
	}
	for i := range p.Rules {
		if r := &p.Rules[i]; r.idle(low, high) {
			c.problem(element(path+".rules", i)+".kind", fmt.Sprintf("rule %s can never fire: %s", r.ID, can), "mend the range of the tags in the settings, or the limit of the rule")
		}
	}
}

// reachOn is the range within which all good values of the inputs lie on some
// equipment; known is false when one of them may be anything.
func (p *Parameter) reachOn(e *EquipmentFacts) (low, high float64, known bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, tag := range p.Inputs {
		r := e.Tags[tag].Range
		if r == nil {
			return 0, 0, false
		}
		low, high = min(low, r[0]), max(high, r[1])
	}
	return low, high, len(p.Inputs) > 0
}

// idle says whether a rule cannot be out with values from low to high.
func (r *Rule) idle(low, high float64) bool {
	switch r.Kind {
	case High, Low, Band, Peak:
		return (r.Low == nil || *r.Low <= low) && (r.High == nil || *r.High >= high)
	case Spread:
		return *r.High >= high-low
	case Above: // at most so long, of what never is
		return r.Low == nil && r.Threshold >= high
	case Below:
		return r.Low == nil && r.Threshold <= low
	}
	return false
}
