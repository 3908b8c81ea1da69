package engine

import (
	"slices"

	"andon/internal/alarm"
	"andon/internal/judge"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// raiseAlarm begins an occurrence, or raises the one that has not been
// acknowledged yet once more.
func (d *decision) raiseAlarm(a place, c *judge.Change) {
	e, r, p, def := d.s.parameter(a)
	rule := def.Rule(c.Rule)
	al := d.s.alarm(e.Name, p.ID, rule.ID)
	if al == nil {
		d.s.Alarms = append(d.s.Alarms, newAlarm(e.Name, p.ID, rule, &def.Spec.Alarm))
		al = &d.s.Alarms[len(d.s.Alarms)-1]
		al.ID = quality.ID("alm-", d.n, d.s.Start.Gateway, d.s.Start.Epoch, e.Name, p.ID, rule.ID)
	}
	if rule.Kind == judge.MissingData {
		al.Text, al.Action = unmonitored(r)
	}
	al.Count++
	al.RaisedAt, al.ClearedAt, al.Value = c.At, 0, c.Episode.Worst.Value
	d.moveAlarm(al, alarm.Raise, alarmFacts{At: c.At, Spec: &r.Spec, Unit: def.Spec.Unit})
}

func newAlarm(equipment, parameter string, rule *spec.Rule, says *spec.Alarm) alarm.Alarm {
	al := alarm.Alarm{Equipment: equipment, Parameter: parameter, Rule: rule.ID, Priority: says.Priority,
		Text: says.Text, Action: says.Action, Respond: says.RespondWithin.Seconds()}
	if al.Priority == "" {
		al.Priority = "medium"
	}
	return al
}

// unmonitored is what the alarm of missing data says: why nothing is known may be
// another reason each time.
func unmonitored(r *Running) (text, action string) {
	if r.Withdrawn != 0 {
		return "Not judged: " + r.Spec.ID + " revision " + r.Spec.Revision + " was withdrawn", "Call quality; treat product as suspect"
	}
	return "Not monitored: no good value", "Call maintenance; treat product as suspect"
}

func (s *State) alarm(equipment, parameter, rule string) *alarm.Alarm {
	for i := range s.Alarms {
		if al := &s.Alarms[i]; al.Equipment == equipment && al.Parameter == parameter && al.Rule == rule {
			return al
		}
	}
	return nil
}

func (d *decision) clearAlarm(equipment, parameter, rule string, at sample.Time) {
	if al := d.s.alarm(equipment, parameter, rule); al != nil && al.ClearedAt == 0 {
		al.ClearedAt = at
		d.moveAlarm(al, alarm.Clear, alarmFacts{At: at})
	}
}

// alarmFacts are what a transition's document says besides the alarm.
type alarmFacts struct {
	At   sample.Time
	Spec *record.SpecRef
	Unit string
	By   string // id of the person whose act it was, "" for none
	Name string // as printed
}

// alarmDocument is one transition of an alarm. Its JSON is what is sent.
type alarmDocument struct {
	Schema   string `json:"schema"`
	AlarmID  string `json:"alarm_id"`
	Previous string `json:"previous"`
	*alarm.Alarm
	Value sample.Value    `json:"value"`
	Unit  string          `json:"unit,omitempty"`
	At    sample.Time     `json:"at"` // logical instant of the transition
	By    string          `json:"by,omitempty"`
	Name  string          `json:"by_name,omitempty"` // as printed
	Spec  *record.SpecRef `json:"spec,omitempty"`
}

// moveAlarm takes an alarm through one event, tells of it and forgets it when
// it is normal.
func (d *decision) moveAlarm(al *alarm.Alarm, ev alarm.Event, f alarmFacts) {
	from := al.State
	to, changed := from.Next(ev)
	if !changed {
		return
	}
	al.State = to
	e := d.s.equipment(al.Equipment)
	subject := al.Equipment
	if e >= 0 {
		subject = quality.Path(d.s.Start.Site, al.Equipment)
	}
	d.entry(laneEvent, "event/alarm", subject, d.at, alarmDocument{Schema: "andon.alarm/1", AlarmID: al.ID, Previous: from.String(),
		Alarm: al, Value: al.Value.Value, Unit: f.Unit, At: f.At, By: f.By, Name: f.Name, Spec: f.Spec})
	if to == alarm.Normal {
		id := al.ID
		d.s.Alarms = slices.DeleteFunc(d.s.Alarms, func(x alarm.Alarm) bool { return x.ID == id })
	}
}
