package outbox

import (
	"fmt"
	"slices"
)

// Uplink is the name under which the gateway's own uplink rejects an entry that
// no broker takes (poison). It is no consumer: it may reject and nothing else.
const Uplink = "uplink"

// Receipt is a consumer's word on what it has stored, as far as the arithmetic
// needs it: numbers of one lane of one epoch.
type Receipt struct {
	Consumer string
	Epoch    string
	Lane     string
	UpTo     uint64      // all numbers up to this one; 0 for none
	Ranges   [][2]uint64 // and these, both ends included
	Rejected []Rejection
	// Refused says why the receipt must not be believed, as the shell found
	// when it verified it; "" when it may be.
	Refused string
}

// Rejection is a consumer's refusal of one entry. Topic and SHA256 are the
// shell's: where the entry was sent, and the hex digest of its bytes.
type Rejection struct {
	Seq    uint64
	Code   string
	Reason string
	Topic  string
	SHA256 string
}

// DeadLetter is an entry that has just been rejected for the first time. The
// caller keeps its bytes and puts a tombstone in its place.
type DeadLetter struct {
	Lane     string
	Consumer string // who rejected it; Uplink for poison
	Rejection
}

// Result is what follows from one receipt. All fields are empty when it said
// nothing new.
type Result struct {
	Retired []Retired    // what leaves the outbox, ascending
	Dead    []DeadLetter // what has become a dead letter, in the receipt's order
	// Refused says why the receipt was not believed. It changed nothing, and
	// is to be recorded and alarmed.
	Refused string
	// Ignored says why a receipt that may well be honest does not concern this
	// state. It changed nothing and needs no alarm.
	Ignored string
}

// Receipt takes one receipt into account and says what follows. Rejections
// come first: a number that the same receipt both rejects and covers becomes a
// dead letter, and is held by that consumer without its tombstone.
func (s *State) Receipt(r Receipt) Result {
	if r.Refused != "" {
		return Result{Refused: r.Refused}
	}
	if r.Epoch != s.Epoch {
		return Result{Ignored: fmt.Sprintf("epoch %q is not this journal's %q", r.Epoch, s.Epoch)}
	}
	if why := s.refusal(r); why != "" {
		return Result{Refused: why}
	}
	l := s.lane(r.Lane)
	dead := l.reject(r)
	l.hold(r)
	return Result{Retired: l.retire(r.Lane), Dead: dead}
}

// reject marks what r rejects and returns what is new of it.
func (l *Lane) reject(r Receipt) []DeadLetter {
	var dead []DeadLetter
	for _, rej := range r.Rejected {
		if l.Rejected.Has(rej.Seq) {
			continue
		}
		l.Rejected = l.Rejected.With([2]uint64{rej.Seq, rej.Seq})
		dead = append(dead, DeadLetter{Lane: r.Lane, Consumer: r.Consumer, Rejection: rej})
	}
	return dead
}

// hold adds what r covers to what its consumer holds.
func (l *Lane) hold(r Receipt) {
	spans := slices.Clone(r.Ranges)
	if r.UpTo > 0 {
		spans = append(spans, [2]uint64{1, r.UpTo})
	}
	for i, h := range l.Held {
		if h.Consumer != r.Consumer || h.covers(spans) {
			continue
		}
		l.Held = slices.Clone(l.Held) // other copies of the state keep theirs
		l.Held[i].Set = h.With(spans...)
	}
}

// refusal says why r must not be believed, "" when it may be.
func (s *State) refusal(r Receipt) string {
	l := s.lane(r.Lane)
	if l == nil {
		return fmt.Sprintf("there is no lane %q", r.Lane)
	}
	if why := s.stranger(r); why != "" {
		return why
	}
	if r.UpTo > l.Raised {
		return neverGiven(r.Lane, r.UpTo, l.Raised)
	}
	for _, g := range r.Ranges {
		switch {
		case g[0] == 0 || g[1] < g[0]:
			return fmt.Sprintf("[%d,%d] is not a range of numbers of lane %s", g[0], g[1], r.Lane)
		case g[1] > l.Raised:
			return neverGiven(r.Lane, g[1], l.Raised)
		}
	}
	return l.rejectionRefusal(r)
}

// stranger says why r's consumer may not say what it says.
func (s *State) stranger(r Receipt) string {
	switch {
	case r.Consumer == Uplink && (r.UpTo > 0 || len(r.Ranges) > 0):
		return "the uplink may reject entries but not receipt them"
	case r.Consumer == Uplink, slices.Contains(s.Consumers, r.Consumer):
		return ""
	}
	return fmt.Sprintf("%q is not one of the consumers", r.Consumer)
}

// rejectionRefusal says why r's rejections must not be believed.
func (l *Lane) rejectionRefusal(r Receipt) string {
	for _, rej := range r.Rejected {
		switch {
		case rej.Seq == 0 || rej.Seq > l.Raised:
			return neverGiven(r.Lane, rej.Seq, l.Raised)
		case l.Retired.Has(rej.Seq) && !l.Rejected.Has(rej.Seq):
			return fmt.Sprintf("number %d of lane %s was receipted by every consumer and cannot be rejected now", rej.Seq, r.Lane)
		}
	}
	return ""
}

func neverGiven(lane string, seq, raised uint64) string {
	return fmt.Sprintf("number %d of lane %s was never given; the last is %d", seq, lane, raised)
}
