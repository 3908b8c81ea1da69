package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"andon/internal/alarm"
	"andon/internal/outbox"
	"andon/internal/production"
	"andon/internal/quality"
	"andon/internal/record"
)

// act carries out what a person did. It is on the audit trail whether it
// changed anything or not; what was refused says so and why.
func (d *decision) act(b *record.Act) {
	a := audit{Who: b.User, Name: b.Name, Role: b.Role, Action: b.Kind, Object: b.Target, Terminal: b.Terminal, Meaning: b.Meaning, Reason: b.Comment}
	switch {
	case b.Kind == record.Requeue:
		d.requeue(b)
	case b.Change != "":
		d.account(b, a)
	case b.Kind == record.SetContext:
		d.said(b, a)
	default:
		d.actOnAlarm(b, a)
	}
}

// actOnAlarm carries out what was done to an alarm.
func (d *decision) actOnAlarm(b *record.Act, a audit) {
	i := slices.IndexFunc(d.s.Alarms, func(al alarm.Alarm) bool { return al.ID == b.Target })
	if i < 0 {
		a.New = record.Refused + "no such alarm is active"
		d.audit(a)
		return
	}
	al := &d.s.Alarms[i]
	a.Old = al.State.String()
	refused := ""
	switch b.Kind {
	case record.Ack:
		a.New, refused = d.acknowledge(al, b)
	case record.Comment:
		al.Say(alarm.Comment{By: b.User, Name: b.Name, At: d.at, Text: b.Comment})
	case record.Shelve:
		a.New, refused = d.shelve(al, b)
	case record.Unshelve:
		a.New, refused = d.unshelve(al, b)
	default:
		refused = "there is no such act"
	}
	if refused != "" {
		a.New = record.Refused + refused
	}
	d.audit(a)
}

// acknowledge notes on an alarm, and beside the event of the same rule, that it
// was seen, and gives the alarm's new state.
func (d *decision) acknowledge(al *alarm.Alarm, b *record.Act) (state, refused string) {
	if al.State == alarm.Shelved {
		return "", "it is shelved"
	}
	next, _ := al.State.Next(alarm.Acknowledge)
	equipment, parameter, rule := al.Equipment, al.Parameter, al.Rule
	al.AckedBy, al.AckedName, al.AckedAt, al.Comment = b.User, b.Name, d.at, b.Comment
	d.moveAlarm(al, alarm.Acknowledge, alarmFacts{At: d.at, By: b.User, Name: b.Name})
	d.ackEvent(equipment, parameter, rule, b)
	return next.String(), ""
}

// account puts on the audit trail what was done to an account, or tried under it.
func (d *decision) account(b *record.Act, a audit) {
	a.Object, a.Old, a.New, a.Change, a.Occurred = "user "+b.Target, b.Old, b.New, b.Change, b.When
	if b.Target == "" { // an id that nobody has; what was typed, as far as it may be shown, is Who
		a.Object = "unknown user"
	}
	d.audit(a)
	if b.Kind == "user_locked" {
		d.notice("user_locked", "Too many wrong PINs: "+b.Target+" is locked", "Find out who tried; see the audit trail")
	}
}

// ackEvent notes an acknowledgement beside the open event of the same rule. It
// makes no revision by itself: the next one tells of it.
func (d *decision) ackEvent(equipment, parameter, rule string, b *record.Act) {
	d.s.each(func(a place) {
		e, _, p, _ := d.s.parameter(a)
		for i := range p.Events {
			if ev := &p.Events[i]; e.Name == equipment && p.ID == parameter && ev.RuleID == rule && ev.Open {
				ev.Acks = append(ev.Acks, quality.Ack{By: b.User, Name: b.Name, At: d.at, Role: b.Role, Comment: b.Comment})
			}
		}
	})
}

// said takes what a person says is being made: all of it or, when something is
// wrong with one of the fields, nothing.
func (d *decision) said(b *record.Act, a audit) {
	e := d.s.equipment(b.Target)
	refused := "there is no such equipment"
	if e >= 0 {
		refused = d.s.sayable(e, b.Fields)
	}
	if refused != "" {
		a.New = record.Refused + refused
		d.audit(a)
		return
	}
	names := slices.Sorted(maps.Keys(b.Fields))
	was, is := make([]string, len(names)), make([]string, len(names))
	for i, field := range names {
		line := d.s.Equipment[e].Context.Fields[field]
		v := production.Value{From: d.at, Text: b.Fields[field], Known: true, By: fromPanel}
		was[i], is[i] = field+"="+production.Unknown, field+"="+strconv.Quote(v.Text)
		if n := len(line); n > 0 {
			v.From = max(v.From, line[n-1].From) // what was told for an instant just ahead does not come back
			if line[n-1].Known {
				was[i] = field + "=" + strconv.Quote(line[n-1].Text)
			}
		}
		if d.s.binding(e, field).From == fromMES {
			is[i] += " in place of the MES"
		}
		d.setContext(e, field, v)
	}
	a.Old, a.New = strings.Join(was, ", "), strings.Join(is, ", ")
	d.audit(a)
}

// Where a field of the context may come from besides a tag.
const (
	fromMES   = "mes"
	fromPanel = "panel"
)

// sayable says why a person may not say these fields, "" when that is allowed: a
// field that a tag gives is the PLC's word, and one that the settings do not
// name is nobody's.
func (s *State) sayable(e int, fields map[string]string) string {
	if len(fields) == 0 {
		return "no field is given"
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		switch b := s.binding(e, field); {
		case b.Tag != "":
			return field + " comes from the tag " + s.Equipment[e].Name + "/" + b.Tag
		case b.From != fromMES && b.From != fromPanel:
			return field + " is no field of the settings"
		}
	}
	return ""
}

// binding says where the settings have a field come from; zero if they do not.
func (s *State) binding(e int, field string) record.Binding {
	w := s.wired(e)
	if i := slices.IndexFunc(w.Context, func(b record.Binding) bool { return b.Field == field }); i >= 0 {
		return w.Context[i]
	}
	return record.Binding{}
}

// context takes what the MES or a person says is being made.
func (d *decision) context(b *record.Context) {
	e := d.s.equipment(b.Equipment)
	if e < 0 {
		d.system("context", fmt.Sprintf("context for %q refused: there is no such equipment", b.Equipment))
		return
	}
	from := b.From
	switch {
	case from == 0:
		from = d.at
	case from > d.at.Add(defaultMaxSkew):
		d.system("context", fmt.Sprintf("context for %s refused: it begins at %s, which is still to come", b.Equipment, from))
		return
	}
	by := b.By
	if !b.Verified {
		by += ", unverified"
	}
	d.inScan = true // all of it is said before anything is judged by it
	for _, field := range slices.Sorted(maps.Keys(b.Fields)) {
		d.setContext(e, field, production.Value{From: from, Text: b.Fields[field], Known: true, By: by})
	}
	d.inScan = false
	if !b.WithNext {
		d.turnAll()
	}
}

// receipt takes a consumer's word on what it has stored.
func (d *decision) receipt(b *record.Receipt) {
	r := outbox.Receipt{Consumer: b.Consumer, Epoch: b.Epoch, Lane: b.Lane, UpTo: b.UpTo, Ranges: b.Ranges, Refused: b.Refused}
	for _, x := range b.Rejected {
		r.Rejected = append(r.Rejected, outbox.Rejection(x))
	}
	res := d.s.Outbox.Receipt(r)
	if res.Refused != "" {
		d.notice("receipt_refused", "A receipt of the quality system is not believed", "Call IT: somebody else may be answering in its name")
		d.system("receipt_refused", fmt.Sprintf("receipt of %q for lane %s: %s", b.Consumer, b.Lane, res.Refused))
		return
	}
	d.retire(res.Retired)
	for _, dead := range res.Dead {
		d.out.Dead = append(d.out.Dead, record.Dead{Lane: dead.Lane, Seq: dead.Seq, Consumer: dead.Consumer, Code: dead.Code, Reason: dead.Reason})
		d.out.Entries = append(d.out.Entries, record.Entry{Lane: dead.Lane, Seq: dead.Seq, Topic: dead.Topic,
			Payload: outbox.Withheld(d.s.Start.Gateway, d.s.Start.Epoch, d.at.String(), dead)})
		d.notice("dead_letter", "The quality system has rejected a message", "Call quality: andon outbox dead shows it")
		d.system("dead_letter", fmt.Sprintf("%s %d of lane %s was rejected by %s: %s %s", outbox.ID(d.s.Start.Gateway, d.s.Start.Epoch, dead.Lane, dead.Seq), dead.Seq, dead.Lane, dead.Consumer, dead.Code, dead.Reason))
	}
}
