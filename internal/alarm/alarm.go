// Package alarm is the life of one alarm as ANSI/ISA-18.2 (clause 5) and
// IEC 62682 draw it: what must an operator still see, and still do.
//
// It is separate from the quality record. Nothing that is done to an alarm
// reaches a deviation.
//
// It is pure: it reads no clock and does no I/O. Latching, suppression by design
// and out-of-service have their states named here and no transitions yet.
package alarm

import (
	"fmt"
	"slices"
	"time"

	"andon/internal/sample"
)

// State is a state of the ISA-18.2 diagram.
type State uint8

// The states, A to I of the diagram.
const (
	Normal             State = iota // A
	Unacknowledged                  // B
	Acknowledged                    // C
	ReturnedUnacked                 // D
	LatchedUnacked                  // E
	LatchedAcked                    // F
	Shelved                         // G
	SuppressedByDesign              // H
	OutOfService                    // I
)

var stateNames = [...]string{"NORM", "UNACK", "ACKED", "RTNUN", "LTUNK", "LTACK", "SHLVD", "DSUPR", "OOSRV"}

// String is the state's name as it is written everywhere.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText writes the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the name.
func (s *State) UnmarshalText(b []byte) error {
	for i, name := range stateNames {
		if name == string(b) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("alarm state %q: unknown", b)
}

// Event is what may happen to an alarm.
type Event uint8

// The events.
const (
	Raise         Event = iota // the condition has been true for the on-delay
	Clear                      // the condition has been false for the off-delay
	Acknowledge                // an operator has taken notice
	Shelve                     // an operator puts it aside for a limited time
	LeaveAbnormal              // its shelving ends while the condition stands
	LeaveNormal                // its shelving ends and the condition does not stand
)

// transitions is the whole diagram as far as it is built. What is not in it
// changes nothing: acknowledging what is acknowledged, clearing what is clear.
// What is shelved is changed by the end of its shelving alone, and comes back as
// the condition is then: how it was when it was shelved is forgotten
// (ANSI/ISA-18.2-2016, clause 5). Only what is in the list of alarms, and so not
// normal, can be shelved.
var transitions = map[State]map[Event]State{
	Normal:          {Raise: Unacknowledged},
	Unacknowledged:  {Acknowledge: Acknowledged, Clear: ReturnedUnacked, Shelve: Shelved},
	Acknowledged:    {Clear: Normal, Shelve: Shelved},
	ReturnedUnacked: {Acknowledge: Normal, Raise: Unacknowledged, Shelve: Shelved},
	Shelved:         {LeaveAbnormal: Unacknowledged, LeaveNormal: Normal},
}

// Next returns the state that follows, and whether that is another one.
func (s State) Next(e Event) (State, bool) {
	to, ok := transitions[s][e]
	if !ok {
		return s, false
	}
	return to, true
}

// MaxShelve is the longest that an alarm may be shelved at a time: one shift, so
// that who comes next is asked again (ANSI/ISA-18.2-2016, clause 11, wants a
// maximum; eight hours are our choice).
const MaxShelve = 8 * time.Hour

// Shelf says who has put an alarm aside, why and until when. It is zero for an
// alarm that is not shelved.
type Shelf struct {
	By     string      `json:"by"`
	Name   string      `json:"name,omitempty"` // as printed
	Role   string      `json:"role"`
	Reason string      `json:"reason"`
	At     sample.Time `json:"at"`
	Until  sample.Time `json:"until"` // when it ends by itself
}

// Over says whether the shelving has run out. A clock that was set back behind
// its beginning ends it too: how much of its time has gone by is not known then.
func (s Shelf) Over(now sample.Time) bool { return now >= s.Until || now < s.At }

// Alarm is one occurrence of an alarm, from its first raise until it is normal
// again and acknowledged, or normal when its shelving ends.
type Alarm struct {
	ID        string       `json:"id"`
	Equipment string       `json:"equipment"`
	Parameter string       `json:"parameter"`
	Rule      string       `json:"rule"`
	State     State        `json:"state"`
	Priority  string       `json:"priority"`
	Text      string       `json:"text,omitempty"`
	Action    string       `json:"action,omitempty"`
	Respond   float64      `json:"respond_within_s,omitempty"`
	Value     sample.Exact `json:"value"`      // the sample furthest outside so far
	RaisedAt  sample.Time  `json:"raised_at"`  // logical instant of the last raise
	ClearedAt sample.Time  `json:"cleared_at"` // 0 while the condition stands
	Count     int          `json:"count"`      // raises within this occurrence
	AckedBy   string       `json:"acked_by,omitempty"`
	AckedName string       `json:"acked_by_name,omitempty"` // as printed
	AckedAt   sample.Time  `json:"acked_at"`
	Comment   string       `json:"comment,omitempty"` // the acknowledgement's own
	Comments  []Comment    `json:"comments,omitempty"`
	Shelf     Shelf        `json:"shelf,omitzero"`
}

// Comment is what somebody has said of an alarm, apart from acknowledging it.
type Comment struct {
	By   string      `json:"by"`
	Name string      `json:"name,omitempty"` // as printed
	At   sample.Time `json:"at"`
	Text string      `json:"text"`
}

// MostComments is how many comments an alarm keeps, the newest; all of them are on
// the audit trail. It bounds what each of its documents carries; the number is our
// choice.
const MostComments = 20

// Say adds a comment, as the last one.
func (a *Alarm) Say(c Comment) {
	a.Comments = append(slices.Clone(a.Comments), c) // the documents that were made hold the old list
	a.Comments = a.Comments[max(0, len(a.Comments)-MostComments):]
}

// Standing says whether the condition that the alarm is about is so now.
func (a *Alarm) Standing() bool { return a.ClearedAt == 0 }

// Leave is the event by which its shelving ends: as the condition is now.
func (a *Alarm) Leave() Event {
	if a.Standing() {
		return LeaveAbnormal
	}
	return LeaveNormal
}
