package engine

import (
	"time"

	"andon/internal/alarm"
	"andon/internal/quality"
	"andon/internal/sample"
)

// receiptTimeout is how long the quality system may leave what waits for it
// without a receipt before the operators are told.
const receiptTimeout = time.Minute

// The alarm of a quality system that does not answer.
const (
	receiptsParameter = "quality_system"
	receiptsRule      = "no_receipt"
)

// unreceipted is how many quality events and messages wait for their receipt.
func (s *State) unreceipted() uint64 {
	if len(s.Outbox.Consumers) == 0 {
		return 0 // nobody is asked for any
	}
	q, e := s.Outbox.Count(laneQuality), s.Outbox.Count(laneEvent)
	return q.Pending + q.Withheld + e.Pending + e.Withheld
}

// receiptDue is when the alarm is due, 0 when nothing waits or it stands.
func (s *State) receiptDue() sample.Time {
	if al := s.alarm("", receiptsParameter, receiptsRule); s.Waiting == 0 || al != nil && al.ClearedAt == 0 {
		return 0
	}
	return s.Waiting.Add(receiptTimeout)
}

// receipts keeps since when the quality system has been silent, and raises or
// clears the alarm of it.
func (d *decision) receipts() {
	s := d.s
	switch {
	case s.unreceipted() == 0:
		d.clearAlarm("", receiptsParameter, receiptsRule, d.at)
		s.Waiting = 0
		if s.unreceipted() > 0 { // the word that it is over waits in its turn
			s.Waiting = d.at
		}
	case len(d.out.Retired) > 0:
		d.clearAlarm("", receiptsParameter, receiptsRule, d.at)
		s.Waiting = d.at
	case s.Waiting == 0:
		s.Waiting = d.at
	default:
		if due := s.receiptDue(); due != 0 && due <= d.at {
			d.raiseReceipts(due)
		}
	}
}

func (d *decision) raiseReceipts(at sample.Time) {
	al := d.s.alarm("", receiptsParameter, receiptsRule)
	if al == nil {
		d.s.Alarms = append(d.s.Alarms, alarm.Alarm{Parameter: receiptsParameter, Rule: receiptsRule, Priority: "medium",
			ID:     quality.ID("alm-", d.n, d.s.Start.Gateway, d.s.Start.Epoch, receiptsParameter, receiptsRule),
			Text:   "The quality system does not answer",
			Action: "Call IT; go on working: everything is kept and will be sent"})
		al = &d.s.Alarms[len(d.s.Alarms)-1]
	}
	al.Count++
	al.RaisedAt, al.ClearedAt = at, 0
	d.moveAlarm(al, alarm.Raise, alarmFacts{At: at})
}
