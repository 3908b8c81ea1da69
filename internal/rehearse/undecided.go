package rehearse

import (
	"slices"

	"andon/internal/engine"
	"andon/internal/judge"
	"andon/internal/quality"
	"andon/internal/spec"
)

// What may be left open at the end of a file.
const (
	alarmOpen    = "alarm"    // a delay of the alarm runs
	eventOpen    = "event"    // a delay of the quality event runs, or it has not come to its end
	evidenceOpen = "evidence" // the window behind the event has not closed
)

// undecided prints what the end of the file has left open: delays that run,
// events that have not come to their end, evidence whose window is still open.
func (r *rehearsal) undecided() error {
	s := r.s
	for e := range s.Equipment {
		for i := range s.Equipment[e].Running {
			ru := &s.Equipment[e].Running[i]
			doc := s.Register.Find(ru.Spec.ID, ru.Spec.Revision)
			for p := range ru.Parameters {
				if err := r.undecidedOf(&ru.Parameters[p], &doc.Parameters[p]); err != nil {
					return err
				}
			}
		}
		for i := range s.Equipment[e].Closing {
			if err := r.unproven(&s.Equipment[e].Closing[i].Event); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *rehearsal) undecidedOf(p *engine.Parameter, def *spec.Parameter) error {
	if slices.Contains(r.out.left, p.ID) {
		return nil
	}
	rules := judge.NewParameter(def, 0, nil)
	for i := range p.Judge.Rules {
		st := &p.Judge.Rules[i]
		l := undecidedLine{T: r.s.At, Type: "undecided", Parameter: p.ID, Rule: rules.Rule(i).ID}
		if st.Alarm.Phase == judge.Pending || st.Alarm.Phase == judge.Clearing {
			l.What, l.Phase, l.Due = alarmOpen, st.Alarm.Phase.String(), st.Alarm.Due
			if err := r.out.line(l); err != nil {
				return err
			}
		}
		if st.Event.Phase == judge.Pending || st.Event.Phase == judge.Clearing || st.Event.Phase == judge.Raised {
			l.What, l.Phase, l.Due, l.EventID = eventOpen, st.Event.Phase.String(), st.Event.Due, openEvent(p, i)
			if err := r.out.line(l); err != nil {
				return err
			}
		}
	}
	for i := range p.Events {
		if err := r.unproven(&p.Events[i]); err != nil {
			return err
		}
	}
	return nil
}

// openEvent is the id of a rule's open event, "" while there is none.
func openEvent(p *engine.Parameter, rule int) string {
	for i := range p.Events {
		if p.Events[i].Rule == rule && p.Events[i].Open {
			return p.Events[i].ID
		}
	}
	return ""
}

// unproven prints an event whose evidence is still being gathered.
func (r *rehearsal) unproven(ev *quality.Event) error {
	if ev.Open || ev.EvidenceDue == 0 {
		return nil
	}
	return r.out.line(undecidedLine{T: r.s.At, Type: "undecided", Parameter: ev.Parameter, Rule: ev.RuleID,
		What: evidenceOpen, Phase: "gathering", EventID: ev.ID, Due: ev.EvidenceDue})
}
