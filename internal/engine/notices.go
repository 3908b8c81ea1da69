package engine

import (
	"andon/internal/alarm"
	"andon/internal/quality"
)

// Notices are alarms of the gateway itself about something that has happened and
// is over: they stand as returned and unacknowledged until somebody has taken
// notice.
const noticeParameter = "gateway"

// notice raises one, unless the one before still waits to be acknowledged.
func (d *decision) notice(rule, text, action string) {
	al := d.s.alarm("", noticeParameter, rule)
	if al == nil {
		d.s.Alarms = append(d.s.Alarms, alarm.Alarm{Parameter: noticeParameter, Rule: rule, Priority: "medium",
			ID: quality.ID("alm-", d.n, d.s.Start.Gateway, d.s.Start.Epoch, noticeParameter, rule)})
		al = &d.s.Alarms[len(d.s.Alarms)-1]
	}
	al.Count++
	al.Text, al.Action, al.RaisedAt, al.ClearedAt = text, action, d.at, 0
	d.moveAlarm(al, alarm.Raise, alarmFacts{At: d.at})
	d.clearAlarm("", noticeParameter, rule, d.at)
}
