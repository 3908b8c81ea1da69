package modbus

import (
	"maps"
	"time"

	"andon/internal/sample"
)

// Status is how a source is doing.
type Status struct {
	Connected  bool
	Since      sample.Time           // since when it is so; gateway's clock
	Err        string                // why it is not connected
	LastAnswer sample.Time           // when a device last answered, be it with an exception; gateway's clock
	Failing    map[sample.Tag]string // tags whose last read failed, and why
	Blocks     int                   // reads that fetch all tags once
	Reads      uint64                // reads made
	Failed     uint64                // of them failed
	Missed     uint64                // reads that could not be made in their period
	Connects   uint64                // connections made
	Batches    uint64
	Samples    uint64
	Committed  uint64 // the last token that is durable
}

// Status returns a copy of the source's state. It may be called from any
// goroutine.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.status
	c.Failing = maps.Clone(s.status.Failing)
	return c
}

// update changes the status.
func (s *Source) update(f func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status.Failing == nil {
		s.status.Failing = map[sample.Tag]string{}
	}
	f(&s.status)
}

// Committed says that the batch token and every one before it are durable. A
// Modbus device keeps nothing that could be acknowledged to it: the word is kept
// for Status only. It may be called from any goroutine.
func (s *Source) Committed(token uint64) {
	s.update(func(st *Status) { st.Committed = max(st.Committed, token) })
}

// Plan lists the reads that fetch all tags, in words: for `check` and people.
func (s *Source) Plan() []string {
	var list []string
	for _, b := range plan(s.items, s.opts.limits()) {
		list = append(list, b.String()+" every "+b.every.Round(time.Millisecond).String())
	}
	return list
}
