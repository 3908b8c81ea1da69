package gateway

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"andon/internal/engine"
	"andon/internal/panel"
	"andon/internal/sample"
	"andon/internal/spec"
)

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

// specifications are all installed revisions, those in force first. They are
// made again only when something about them has changed.
func (v *viewer) specifications(s *engine.State) []panel.Spec {
	all := s.Register.All()
	key := specKey(s, all)
	if key != v.specKey {
		// what has been superseded stays so when the clock steps back
		v.specs, v.specKey = specsOf(s, max(s.At, s.Reached)), key
	}
	return v.specs
}

// specsOf are all installed revisions as they stand at an instant, those in force
// first.
func specsOf(s *engine.State, at sample.Time) []panel.Spec {
	all := s.Register.All()
	running := runningOn(s)
	list := make([]panel.Spec, 0, len(all))
	for i := range all {
		x, standing := specOf(s, &all[i], running), s.Register.Standing(i)
		x.Status = standing.State(at)
		x.InForceFrom, x.InForceTo = panel.Instant(standing.From), panel.Instant(standing.To)
		list = append(list, x)
	}
	slices.SortStableFunc(list, func(a, b panel.Spec) int { return statusOrder(a.Status) - statusOrder(b.Status) })
	return list
}

// runningOn says on which equipment each revision judges now.
func runningOn(s *engine.State) map[string][]string {
	on := map[string][]string{}
	for e := range s.Equipment {
		for r := range s.Equipment[e].Running {
			ref := s.Equipment[e].Running[r].Spec
			on[ref.ID+"\n"+ref.Revision] = append(on[ref.ID+"\n"+ref.Revision], s.Equipment[e].Name)
		}
	}
	return on
}

// specKey is another one whenever what is shown of specifications is.
func specKey(s *engine.State, all []spec.Installed) string {
	key := fmt.Sprintf("%p %d %d", s.Policy, s.Switch, len(all))
	for i := range all {
		if at := all[i].WithdrawnAt; at != 0 {
			key += fmt.Sprintf("\nwithdrawn %d %d", i, at)
		}
	}
	for _, d := range s.Register.Current(s.At) {
		key += "\n" + d.ID + " " + d.Revision
	}
	for e := range s.Equipment {
		for r := range s.Equipment[e].Running {
			ref := s.Equipment[e].Running[r].Spec
			key += "\n" + s.Equipment[e].Name + " " + ref.ID + " " + ref.Revision
		}
	}
	return key
}

// statusOrder puts what judges first, then what will, then what no longer does.
func statusOrder(status string) int {
	switch status {
	case spec.InForce:
		return 0
	case spec.Pending:
		return 1
	}
	return 2
}

func specOf(s *engine.State, in *spec.Installed, running map[string][]string) panel.Spec {
	d := in.Doc()
	x := panel.Spec{SpecRef: panel.SpecRef{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256}, Title: d.Title,
		From: panel.Instant(d.Effective.From), To: panel.Instant(d.Effective.To), Installed: panel.Instant(in.At),
		Origin: strings.TrimSpace(d.Origin.System + " " + d.Origin.Number), Change: d.Origin.Change, Reason: d.Origin.Reason,
		Equipment: append([]string{}, running[d.ID+"\n"+d.Revision]...), Approvals: approvalsOf(s, in), Parameters: []panel.SpecLimit{}}
	for i := range d.Parameters {
		x.Parameters = append(x.Parameters, limitsOf(&d.Parameters[i]))
	}
	return x
}

// approvalsOf are the signatures under a revision, with the names that the list
// of approvers printed under which it was installed. They were verified then.
func approvalsOf(s *engine.State, in *spec.Installed) []panel.Approval {
	list := []panel.Approval{}
	notes, err := spec.ParseApprovals(in.Approvals)
	if err != nil {
		return list // none: a draft in a rehearsal; what is installed here was verified
	}
	policy := policyOf(s, in)
	for _, a := range notes {
		x := panel.Approval{User: a.User, Name: a.User, Role: a.Role, Meaning: a.Meaning, At: panel.Instant(a.Time)}
		if policy != nil {
			if who := policy.Person(a.User); who != nil {
				x.Name = who.Name
			}
		}
		list = append(list, x)
	}
	return list
}

// policyOf is the list of approvers under which a revision was installed, the one
// now where that was not noted; nil for none.
func policyOf(s *engine.State, in *spec.Installed) *spec.Policy {
	document := []byte(nil)
	if s.Policy != nil {
		document = s.Policy.Document
	}
	if then, ok := s.PolicyOf(in.Policy); ok {
		document = then.Document
	}
	p, err := spec.ParsePolicy("approvers", document)
	if err != nil {
		return nil // there is none: what is installed was accepted by the same function
	}
	return p
}

func limitsOf(p *spec.Parameter) panel.SpecLimit {
	x := panel.SpecLimit{ID: p.ID, Name: p.Name, Inputs: slices.Clone(p.Inputs), Unit: p.Unit, Target: p.Target, LSL: p.LSL, USL: p.USL, NOR: p.NOR, PAR: p.PAR, Rules: []string{}}
	if x.Name == "" {
		x.Name = p.ID
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		text := r.ID + ": " + ruleWords(r, p.Unit) + ", " + r.Class
		if len(r.When) > 0 {
			text += ", in " + strings.Join(r.When, ", ")
		}
		x.Rules = append(x.Rules, text)
	}
	return x
}

// ruleWords says what a rule wants.
func ruleWords(r *spec.Rule, unit string) string {
	if unit = panel.UnitText(unit); unit != "" {
		unit = " " + unit
	}
	num := func(x *float64) string { return strconv.FormatFloat(*x, 'g', -1, 64) }
	switch {
	case r.Expected != nil:
		return "must be " + r.Expected.String()
	case r.Low != nil && r.High != nil:
		return num(r.Low) + " … " + num(r.High) + unit
	case r.High != nil:
		return "at most " + num(r.High) + unit
	case r.Low != nil:
		return "at least " + num(r.Low) + unit
	}
	return r.Kind
}
