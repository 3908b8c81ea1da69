// Package alarm is the life of one alarm as ANSI/ISA-18.2 (clause 5) and
// IEC 62682 draw it: what must an operator still see, and still do.
//
// It is separate from the quality record. Nothing that is done to an alarm
// reaches a deviation.
//
// It is pure: it reads no clock and does no I/O. Latching, shelving,
// suppression and out-of-service have their states named here and no
// transitions yet.
package alarm

import (
	"fmt"

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
	Raise       Event = iota // the condition has been true for the on-delay
	Clear                    // the condition has been false for the off-delay
	Acknowledge              // an operator has taken notice
)

// transitions is the whole diagram as far as it is built. What is not in it
// changes nothing: acknowledging what is acknowledged, clearing what is clear.
var transitions = map[State]map[Event]State{
	Normal:          {Raise: Unacknowledged},
	Unacknowledged:  {Acknowledge: Acknowledged, Clear: ReturnedUnacked},
	Acknowledged:    {Clear: Normal},
	ReturnedUnacked: {Acknowledge: Normal, Raise: Unacknowledged},
}

// Next returns the state that follows, and whether that is another one.
func (s State) Next(e Event) (State, bool) {
	to, ok := transitions[s][e]
	if !ok {
		return s, false
	}
	return to, true
}

// Alarm is one occurrence of an alarm, from its first raise until it is normal
// again and acknowledged.
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
	AckedAt   sample.Time  `json:"acked_at"`
	Comment   string       `json:"comment,omitempty"`
}
