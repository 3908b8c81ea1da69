package opcua

import (
	"errors"
	"slices"

	"github.com/gopcua/opcua/ua"

	"andon/internal/sample"
)

// answer is one publish answer.
type answer struct {
	resp *ua.PublishResponse
	at   sample.Time // arrival
	// starved: the server may have had no publish request for a while, and so
	// may have sent this later than it made it.
	starved bool
}

// published is the instant, by the server's clock, at which it made the answer;
// 0 when that is not known. Servers that leave the publish time out exist
// (node-opcua is one): then it is the instant of sending, if they had a request
// at hand all the time.
func (a answer) published() sample.Time {
	if t := sample.At(a.resp.NotificationMessage.PublishTime); t != 0 || a.starved {
		return t
	}
	return sample.At(a.resp.ResponseHeader.Timestamp)
}

// clock is the best there is for a value without any time.
func (a answer) clock() sample.Time {
	if t := a.published(); t != 0 {
		return t
	}
	if t := sample.At(a.resp.ResponseHeader.Timestamp); t != 0 {
		return t
	}
	return a.at
}

func (a answer) seq() uint32     { return a.resp.NotificationMessage.SequenceNumber }
func (a answer) keepAlive() bool { return len(a.resp.NotificationMessage.NotificationData) == 0 }

// step is one publish answer in its place in the sequence.
type step struct {
	answer
	missed uint32 // notifications that are lost just before it
	late   bool   // its place had been given up, or it came twice: it confirms nothing
}

// order puts the answers of one subscription in sequence. Servers with several
// threads send them in any order; with w requests outstanding a message that is
// still missing after w others have come will not come any more.
//
// Rules (OPC 10000-4, 5.14.1 and 7.25): numbers start at 1 and go from 2^32-1
// back to 1; a keep-alive carries the number of the next notification and does
// not use it up.
type order struct {
	window int
	next   uint32
	early  []answer // waiting for one before them, in order, at most window-1
	lates  int      // in a row
}

func newOrder(window int) *order { return &order{window: window, next: 1} }

// seqCycle is how many sequence numbers there are: all but 0.
const seqCycle = 1<<32 - 1

// maxLates is how many answers may in a row be behind the sequence.
const maxLates = 10

var (
	errNoSequence = errors.New("the server sent a notification without a sequence number")
	errStuck      = errors.New("the server's sequence numbers do not go forward")
)

// ahead is how many notifications lie before seq; half the cycle or more means
// that seq is behind.
func (o *order) ahead(seq uint32) uint64 {
	return (uint64(seq) + seqCycle - uint64(o.next)) % seqCycle
}

func (o *order) behind(seq uint32) bool { return o.ahead(seq) >= seqCycle/2 }

// take accepts one answer and returns those that are in sequence now.
func (o *order) take(a answer) ([]step, error) {
	seq := a.seq()
	if seq == 0 {
		return nil, errNoSequence
	}
	if o.behind(seq) {
		if o.lates++; o.lates > maxLates {
			return nil, errStuck
		}
		return []step{{answer: a, late: true}}, nil
	}
	o.lates = 0
	o.insert(a)
	steps := o.release(nil, 0)
	if len(o.early) >= o.window {
		steps = o.giveUp(steps)
	}
	return steps, nil
}

// insert keeps early in order; a keep-alive comes before the notification whose
// number it carries.
func (o *order) insert(a answer) {
	i := len(o.early)
	for i > 0 {
		before, mine := o.ahead(o.early[i-1].seq()), o.ahead(a.seq())
		if before < mine || before == mine && (o.early[i-1].keepAlive() || !a.keepAlive()) {
			break
		}
		i--
	}
	o.early = slices.Insert(o.early, i, a)
}

// release moves what is in sequence from early to steps; missed belongs to the
// first of them.
func (o *order) release(steps []step, missed uint32) []step {
	for len(o.early) > 0 {
		a := o.early[0]
		twice := o.behind(a.seq())
		if !twice && a.seq() != o.next {
			break
		}
		o.early = o.early[1:]
		steps = append(steps, step{answer: a, missed: missed, late: twice})
		missed = 0
		if !a.keepAlive() && !twice {
			o.next = following(o.next)
		}
	}
	return steps
}

// giveUp declares lost what lies before the first early answer.
func (o *order) giveUp(steps []step) []step {
	first := o.early[0].seq()
	missed := uint32(o.ahead(first))
	o.next = first
	return o.release(steps, missed)
}

// following is the sequence number after n.
func following(n uint32) uint32 {
	if n == 1<<32-1 {
		return 1
	}
	return n + 1
}
