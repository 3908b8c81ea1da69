package engine

import (
	"fmt"
	"slices"
	"strings"

	"andon/internal/alarm"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// Shelving puts an alarm aside for a limited time. Judging goes on underneath, and
// nothing here touches quality events: what is shelved is an annunciation
// (quality.md, section 0 item 2; ANSI/ISA-18.2-2016, clauses 5 and 11).

// shelve puts an alarm aside and gives its new state.
func (d *decision) shelve(al *alarm.Alarm, b *record.Act) (state, refused string) {
	switch {
	case al.State == alarm.Shelved:
		return "", "it is shelved until " + al.Shelf.Until.String()
	case strings.TrimSpace(b.Comment) == "":
		return "", "no reason is given"
	case b.For <= 0 || b.For > alarm.MaxShelve:
		return "", fmt.Sprintf("it can be shelved for more than 0 and at most %v, not %v", alarm.MaxShelve, b.For)
	case al.Equipment == "" && al.Parameter == noticeParameter:
		return "", "it is over, and asks only to be acknowledged"
	case d.s.critical(al) && !b.Senior:
		return "", "its rule is critical, which " + b.Role + " may not shelve"
	}
	al.Shelf = alarm.Shelf{By: b.User, Name: b.Name, Role: b.Role, Reason: b.Comment, At: d.at, Until: d.at.Add(b.For)}
	d.moveAlarm(al, alarm.Shelve, alarmFacts{At: d.at, By: b.User, Name: b.Name})
	return alarm.Shelved.String() + " until " + al.Shelf.Until.String(), ""
}

// unshelve ends it before its time and gives the alarm's new state.
func (d *decision) unshelve(al *alarm.Alarm, b *record.Act) (state, refused string) {
	if al.State != alarm.Shelved {
		return "", "it is not shelved"
	}
	next, _ := al.State.Next(al.Leave())
	d.leaveShelf(al, alarmFacts{At: d.at, By: b.User, Name: b.Name})
	return next.String(), ""
}

// leaveShelf lets an alarm be what its condition is now. Who had acknowledged it
// before has not acknowledged this. al may be gone afterwards.
func (d *decision) leaveShelf(al *alarm.Alarm, f alarmFacts) {
	al.Shelf, al.AckedBy, al.AckedName, al.AckedAt, al.Comment = alarm.Shelf{}, "", "", 0, ""
	d.moveAlarm(al, al.Leave(), f)
}

// shelvesOver ends what has run out, each at its own instant. It comes before
// whatever the input brings, so that what is raised behind that instant is
// annunciated; but a start comes first of all, and a letter that is sent again
// stands first among what follows: there the tick does it that is due at once.
func (d *decision) shelvesOver(body record.Body) {
	act, _ := body.(*record.Act)
	if _, start := body.(*record.Start); start || act != nil && act.Kind == record.Requeue {
		return
	}
	over := func(al alarm.Alarm) bool { return al.State == alarm.Shelved && al.Shelf.Over(d.at) }
	for i := slices.IndexFunc(d.s.Alarms, over); i >= 0; i = slices.IndexFunc(d.s.Alarms, over) {
		al := &d.s.Alarms[i]
		d.leaveShelf(al, alarmFacts{At: min(al.Shelf.Until, d.at)})
	}
}

// shelfDue is when the first shelving runs out, 0 if nothing is shelved.
func (s *State) shelfDue() (due sample.Time) {
	for i := range s.Alarms {
		if al := &s.Alarms[i]; al.State == alarm.Shelved && (due == 0 || al.Shelf.Until < due) {
			due = al.Shelf.Until
		}
	}
	return due
}

// critical says whether an alarm's rule is of class critical, or cannot be found.
// An alarm of the gateway itself has no rule.
func (s *State) critical(al *alarm.Alarm) bool {
	if al.Equipment == "" {
		return false
	}
	class := spec.Critical
	s.each(func(a place) {
		e, _, p, def := s.parameter(a)
		for r := 0; e.Name == al.Equipment && p.ID == al.Parameter && r < def.Rules(); r++ {
			if rule := def.Rule(r); rule.ID == al.Rule {
				class = rule.Class
			}
		}
	})
	return class == spec.Critical
}
