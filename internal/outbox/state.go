package outbox

import (
	"fmt"
	"slices"
)

// The lanes, in the order in which they are sent.
const (
	Quality = "quality" // deviations, nonconformances, gaps, lots, specifications
	Event   = "event"   // alarms, signals, audit, system, hold
	Record  = "record"  // samples
)

// Lanes returns the lanes in the order in which they are sent.
func Lanes() []string { return []string{Quality, Event, Record} }

// State is the whole of the outbox's arithmetic in one epoch. It may be copied
// by assignment: no method writes to anything that another copy can see. Its
// JSON is the same bytes for equal states, and reads back as an equal state.
type State struct {
	Epoch string `json:"epoch"`
	// Consumers are those who must all receipt a number before it leaves the
	// outbox, sorted. Without any, nothing ever leaves.
	Consumers []string `json:"consumers,omitempty"`

	Quality Lane `json:"quality"`
	Event   Lane `json:"event"`
	Record  Lane `json:"record"`
}

// Lane is the arithmetic of one lane.
type Lane struct {
	Raised   uint64 `json:"raised"`   // the last number given
	Retired  Set    `json:"retired"`  // what has left the outbox; never shrinks
	Rejected Set    `json:"rejected"` // what a consumer has rejected; never shrinks
	// Held is what each consumer has receipted, in the order of Consumers.
	Held []Held `json:"held,omitempty"`
}

// Held is what one consumer has receipted of one lane.
type Held struct {
	Consumer string `json:"consumer"`
	Set
}

// Retired are the numbers First to Last of a lane, which leave the outbox.
type Retired struct {
	Lane        string
	First, Last uint64
}

// Count is the reconciliation of one lane: Raised = Receipted + Pending +
// Rejected. Withheld, a part of Rejected, are tombstones still to be receipted.
type Count struct {
	Raised, Receipted, Pending, Rejected, Withheld uint64
}

// New is the state at the beginning of an epoch.
func New(epoch string, consumers []string) State {
	s := State{Epoch: epoch}
	s.SetConsumers(consumers)
	return s
}

// lane returns the lane of that name, nil if there is none.
func (s *State) lane(name string) *Lane {
	switch name {
	case Quality:
		return &s.Quality
	case Event:
		return &s.Event
	case Record:
		return &s.Record
	}
	return nil
}

// mustLane is for callers within the gateway: a lane that there is not is our
// own broken promise.
func (s *State) mustLane(name string) *Lane {
	l := s.lane(name)
	if l == nil {
		panic(fmt.Sprintf("outbox: no lane %q", name))
	}
	return l
}

// Next gives the next number of a lane.
func (s *State) Next(lane string) uint64 { return s.Advance(lane, 1) }

// Advance gives the next n numbers of a lane and returns the last of them; the
// first is that less n-1. With n 0 it gives none and returns the last given.
func (s *State) Advance(lane string, n uint64) uint64 {
	l := s.mustLane(lane)
	l.Raised += n
	return l.Raised
}

// SetConsumers makes names the consumers, in any order, and returns what leaves
// the outbox because of it. Who stays keeps what it holds. Who is new need hold
// only what is still in the outbox: what has left it was complete without him.
// Who is gone is waited for no longer.
func (s *State) SetConsumers(names []string) []Retired {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if len(names) == 0 {
		names = nil
	}
	s.Consumers = names
	var out []Retired
	for _, lane := range Lanes() {
		l := s.lane(lane)
		l.Held = held(l, names)
		out = append(out, l.retire(lane)...)
	}
	return out
}

// held is what each of names holds of a lane.
func held(l *Lane, names []string) []Held {
	var out []Held
	for _, name := range names {
		h := Held{Consumer: name, Set: l.Retired}
		if i := slices.IndexFunc(l.Held, func(h Held) bool { return h.Consumer == name }); i >= 0 {
			h = l.Held[i]
		}
		out = append(out, h)
	}
	return out
}

// retire moves what all consumers hold to Retired and returns what is new of it.
func (l *Lane) retire(lane string) []Retired {
	if len(l.Held) == 0 {
		return nil
	}
	all := l.Held[0].Set
	for _, h := range l.Held[1:] {
		all = all.And(h.Set)
	}
	var out []Retired
	fresh := all.Without(l.Retired)
	for _, r := range fresh {
		out = append(out, Retired{Lane: lane, First: r[0], Last: r[1]})
	}
	l.Retired = l.Retired.With(fresh...)
	return out
}

// Count is the reconciliation of a lane.
func (s *State) Count(lane string) Count {
	l := s.mustLane(lane)
	rejected := l.Rejected.Size()
	done := l.Rejected.And(l.Retired).Size() // tombstones that all hold
	receipted := l.Retired.Size() - done
	return Count{
		Raised:    l.Raised,
		Receipted: receipted,
		Pending:   l.Raised - receipted - rejected,
		Rejected:  rejected,
		Withheld:  rejected - done,
	}
}

// Outstanding are the stretches of a lane's numbers that are still in the
// outbox, as entries or as tombstones, ascending: what must be sent until it is
// receipted.
func (s *State) Outstanding(lane string) [][2]uint64 {
	l := s.mustLane(lane)
	return Set{UpTo: l.Raised}.Without(l.Retired)
}
