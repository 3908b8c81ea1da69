package judge

import (
	"fmt"
	"time"

	"andon/internal/sample"
)

// Phase is where an annunciation stands between a condition and what is said
// of it.
type Phase uint8

// The phases of a Delay.
const (
	Idle      Phase = iota // nothing to say
	Pending                // out, but not yet for long enough
	Raised                 // said, and still so
	Clearing               // back, but not yet for long enough
	Lingering              // over; out again before the rejoin time is the same
)

var phaseNames = [...]string{"idle", "pending", "raised", "clearing", "lingering"}

func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// Delay is an on-delay and an off-delay upon one signal (OPC 10000-9 B.1.5,
// ISA-18.2 clause 10): raised once the signal has been out for the on-delay
// without a break, cleared once it has been back for the off-delay.
type Delay struct {
	Phase Phase         `json:",omitempty"`
	Due   sample.Time   `json:",omitempty"` // when the phase ends by itself; 0: not running
	Left  time.Duration `json:",omitempty"` // of a suspended on-delay
}

// said is what a Delay has to say after a step.
type said uint8

const (
	nothing said = iota
	raised
	raisedAgain // within the rejoin time: the same as before goes on
	cleared
	cancelled // was never raised
	over      // the rejoin time has passed
)

// out: the signal is out at t.
func (d *Delay) out(t sample.Time, on time.Duration) said {
	switch d.Phase {
	case Idle:
		if on <= 0 {
			*d = Delay{Phase: Raised}
			return raised
		}
		*d = Delay{Phase: Pending, Due: t.Add(on)}
	case Pending:
		if d.Due == 0 { // was suspended by a gap
			d.Due, d.Left = t.Add(d.Left), 0
		}
	case Clearing:
		*d = Delay{Phase: Raised}
	case Lingering:
		*d = Delay{Phase: Raised}
		return raisedAgain
	case Raised:
	}
	return nothing
}

// in: the signal is back at t.
func (d *Delay) in(t sample.Time, off, rejoin time.Duration) said {
	switch d.Phase {
	case Pending:
		*d = Delay{}
		return cancelled
	case Raised:
		if off <= 0 {
			*d = Delay{Phase: Lingering, Due: t.Add(rejoin)}
			return cleared
		}
		*d = Delay{Phase: Clearing, Due: t.Add(off)}
	case Clearing:
		if d.Due == 0 { // a gap restarted it
			d.Due = t.Add(off)
		}
	case Idle, Lingering:
	}
	return nothing
}

// unknown: nothing is known of the signal from t on. An on-delay is suspended,
// an off-delay will start again.
func (d *Delay) unknown(t sample.Time) {
	switch d.Phase {
	case Pending:
		if d.Due != 0 {
			d.Left, d.Due = max(0, d.Due.Sub(t)), 0
		}
	case Clearing:
		d.Due = 0
	case Idle, Raised, Lingering:
	}
}

// fire ends the phase, at its own instant, which is returned.
func (d *Delay) fire(rejoin time.Duration) (said, sample.Time) {
	at := d.Due
	switch d.Phase {
	case Pending:
		*d = Delay{Phase: Raised}
		return raised, at
	case Clearing:
		*d = Delay{Phase: Lingering, Due: at.Add(rejoin)}
		return cleared, at
	case Lingering:
		*d = Delay{}
		return over, at
	case Idle, Raised:
	}
	return nothing, at
}
