package engine

import (
	"slices"

	"andon/internal/judge"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// withdraw takes a signed withdrawal: the revision judges no more from this
// instant on, also within an operation, and never again. What is refused is on
// record with its reason, and what was in force stays.
func (d *decision) withdraw(b *record.Withdrawal) {
	w, err := spec.ParseWithdrawal(b.Note)
	if err != nil {
		d.refuseWithdrawal(&spec.Withdrawal{}, b.By, err)
		return
	}
	for _, in := range d.s.Register.All() {
		if slices.Equal(in.Withdrawal, b.Note) {
			return // a directory is offered at each start
		}
	}
	p, err := d.s.policyInForce()
	if err == nil {
		err = p.AcceptWithdrawal(w, d.at)
	}
	at := max(d.at, d.s.Reached) // a clock that has stepped back revives nothing
	var next spec.Register
	if err == nil {
		next, err = d.s.Register.Withdraw(w, b.Note, at)
	}
	if err != nil {
		d.refuseWithdrawal(w, b.By, err)
		return
	}
	d.s.Register = next
	of := record.SpecRef{ID: w.ID, Revision: w.Revision, SHA256: w.SHA256}
	d.tellSpec(specDocument{State: "withdrawn", Spec: of, By: b.By, Reason: w.Reason,
		Approvals: []approvalFacts{{w.User, w.Name, w.Role, "withdrawn", w.Time}}})
	d.notice("specification_withdrawn", "A specification was withdrawn: "+w.ID+" "+w.Revision, "It judges no more; call quality")
	d.audit(audit{Who: w.User, Name: w.Name, Role: w.Role, Action: "withdraw", Object: "specification " + w.ID, Meaning: "withdrawn",
		Old: w.Revision + " sha256 " + w.SHA256, Reason: w.Reason})
	d.assignAll(at)
}

func (d *decision) refuseWithdrawal(w *spec.Withdrawal, by string, err error) {
	d.tellSpec(specDocument{State: "refused", Spec: record.SpecRef{ID: w.ID, Revision: w.Revision, SHA256: w.SHA256}, By: by, Reason: err.Error()})
	d.notice("withdrawal_refused", "A withdrawal was refused: "+w.ID+" "+w.Revision, "Call quality; what was in force stays in force")
	d.audit(audit{Who: by, Action: "refuse", Object: "withdrawal of " + w.ID, New: w.Revision, Reason: err.Error()})
}

// silence says of each rule of a parameter whose revision was withdrawn that it is
// unknown from now on.
func (d *decision) silence(a place, t sample.Time) {
	e, r, p, def := d.s.parameter(a)
	for k := range def.Rules() {
		if p.Judge.Rules[k].Verdict != judge.Unknown && !def.BuiltIn(k) {
			d.out.Judgements = append(d.out.Judgements, record.Judgement{Equipment: e.Name, Parameter: p.ID, Rule: def.Rule(k).ID,
				Verdict: judge.Unknown.String(), At: t, Spec: r.Spec})
		}
	}
}

// silenced is a parameter of a withdrawn revision: that nothing judges it is a
// deviation at once, whatever it says of missing data.
func silenced(p *spec.Parameter) *spec.Parameter {
	q := *p
	q.MissingData.UpTo, q.MissingData.Beyond = 0, ""
	return &q
}

// appliesSilent is applies under a revision that was withdrawn: all its rules are
// unknown where it would apply. One deviation and one alarm say so, those of the
// first parameter that has rules, while product may be exposed.
func (s *State) appliesSilent(a place, kind string, t sample.Time) judge.Applies {
	doc, c := s.x.docs[a.e][a.r], &s.Equipment[a.e].Context
	first := slices.IndexFunc(doc.Parameters, func(p spec.Parameter) bool { return len(p.Rules) > 0 })
	always := first >= 0 && slices.ContainsFunc(doc.Parameters[first].Rules, func(r spec.Rule) bool { return r.Always })
	switch {
	case operating(doc, c, t) == judge.No && !always, kind == judge.CalibrationOverdue:
		return judge.No
	case kind != judge.MissingData:
		return judge.Maybe
	case a.p == first:
		return exposed(c, t)
	}
	return judge.No
}
