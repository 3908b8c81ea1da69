package quality

import (
	"slices"
	"time"

	"andon/internal/judge"
	"andon/internal/production"
	"andon/internal/record"
	"andon/internal/sample"
)

// Kinds of quality events.
const (
	Deviation      = "deviation"
	Nonconformance = "nonconformance"
	Signal         = "signal"
)

// Types of deviations.
const (
	ProcessParameter = "process_parameter"
	MonitoringLost   = "monitoring_lost"
	Control          = "control" // wrong recipe or instrument, or a specification that was withdrawn
)

// States of an event as its documents name them. Withdrawn, escalated and
// reclassified are acts of people and come with them.
const (
	Opened         = "opened"
	Updated        = "updated"
	ReturnedToSpec = "returned_to_spec"
	Ended          = "ended"      // the rule no longer applies; the value did not return
	Superseded     = "superseded" // the revision that judged it was replaced without the rule
)

// updateEvery is how long an open event's changes (a new worst value) are
// gathered before the next revision tells of them. A new lot is told at once.
const updateEvery = time.Minute

// Event is one excursion in the quality system's eyes, from opened until its
// evidence has been told.
type Event struct {
	ID        string         `json:"id"`
	Kind      string         `json:"kind"`
	Type      string         `json:"type"`
	Class     string         `json:"class"`
	Raised    bool           `json:"raised,omitempty"` // to critical, by the specification's classification
	Parameter string         `json:"parameter"`
	Rule      int            `json:"rule"` // in the parameter; -1 when no longer judged
	RuleID    string         `json:"rule_id"`
	Spec      record.SpecRef `json:"spec"`

	State    string        `json:"state"` // of the last revision told
	Revision int           `json:"revision"`
	RaisedAt sample.Time   `json:"raised_at"`
	Episode  judge.Episode `json:"episode"`
	Result   *judge.Result `json:"result,omitempty"` // of a requirement on a whole operation
	Acks     []Ack         `json:"acks,omitempty"`
	Lots     []string      `json:"lots,omitempty"` // as last told

	// Late: found in samples that came late; Corrected: changed by such.
	Late      bool `json:"late,omitempty"`
	Corrected bool `json:"corrected,omitempty"`

	Open bool `json:"open"` // not returned, ended or superseded
	// UpdateDue is when gathered changes are told, EvidenceDue when the window
	// after the event has closed; source time, 0: not waiting.
	UpdateDue   sample.Time `json:"update_due,omitempty"`
	EvidenceDue sample.Time `json:"evidence_due,omitempty"`
	Asked       string      `json:"asked,omitempty"` // id of the need for evidence
	Evidence    *Evidence   `json:"evidence,omitempty"`
	ToldAt      sample.Time `json:"told_at"` // source time of the last revision
}

// Ack is an operator's acknowledgement of the alarm beside the event.
type Ack struct {
	By      string      `json:"by"`             // id
	Name    string      `json:"name,omitempty"` // as printed
	At      sample.Time `json:"at"`
	Role    string      `json:"role"`
	Comment string      `json:"comment,omitempty"`
}

// Evidence is the stretch of the record that shows the event.
type Evidence struct {
	Window  Window    `json:"window"`
	Records [2]uint64 `json:"records"` // i of the first and the last sample
	Count   uint64    `json:"count"`
	SHA256  string    `json:"sha256"`
	Inline  []string  `json:"inline"`
}

// Window is a stretch of source time.
type Window struct {
	From sample.Time `json:"from"`
	To   sample.Time `json:"to"`
}

// Worse takes a new worst value. It is told when the gathering time is over.
func (e *Event) Worse(c judge.Change) {
	e.Episode = c.Episode
	if e.UpdateDue == 0 {
		e.UpdateDue = e.ToldAt.Add(updateEvery)
	}
}

// Close takes the end of the excursion: state is ReturnedToSpec, Ended or
// Superseded. after is the evidence window, rejoin how long it may still come
// back.
func (e *Event) Close(state string, c judge.Change, after, rejoin time.Duration) {
	e.Episode, e.State, e.Open, e.UpdateDue = c.Episode, state, false, 0
	e.EvidenceDue = c.At.Add(max(after, rejoin))
}

// Reopen takes the excursion's return within the rejoin time.
func (e *Event) Reopen(c judge.Change) {
	e.Episode, e.State, e.Open = c.Episode, Updated, true
	e.EvidenceDue, e.Asked, e.Evidence = 0, "", nil
}

// EvidenceWindow is what the event's evidence must show.
func (e *Event) EvidenceWindow(before, after time.Duration) Window {
	from, to := e.Episode.From, max(e.Episode.To, e.Episode.ClearedAt)
	if e.Episode.SuspectFrom != 0 {
		from = min(from, e.Episode.SuspectFrom)
	}
	return Window{from.Add(-before), to.Add(after)}
}

// Due is the earliest instant at which the event wants to be told, 0 if none.
func (e *Event) Due() sample.Time {
	if e.UpdateDue == 0 || e.EvidenceDue != 0 && e.EvidenceDue < e.UpdateDue {
		return e.EvidenceDue
	}
	return e.UpdateDue
}

// Exposed are the lots that were in process at any time of the event, and
// whether product must be taken as exposed: a lot was, or it is not known that
// none was.
func (e *Event) Exposed(c *production.Context, now sample.Time) (lots []string, exposed bool) {
	to := now + 1
	if !e.Open || e.Result != nil { // what an operation has come to is of its own time
		to = e.Episode.To
	}
	from := e.Episode.From
	if e.Episode.SuspectFrom != 0 {
		from = min(from, e.Episode.SuspectFrom)
	}
	for _, v := range c.During(production.Lot, from, to) {
		if v.String() == "" {
			continue
		}
		exposed = true
		if !slices.Contains(lots, v.String()) {
			lots = append(lots, v.String())
		}
	}
	return lots, exposed
}
