package modbus

import (
	"slices"
	"time"
)

// schedule says which read is due next. It is pure: instants come in as time
// since the schedule's beginning.
//
// Every read has a grid of instants of its own: the beginning and each period
// after. What is late does not move the grid, and what could not be made before
// the next was due is missed, and counted.
type schedule struct {
	polls []*poll
}

// poll is one read and when it is due.
type poll struct {
	*block
	due    time.Duration
	late   bool   // the last one came too late: at least one was missed
	failed string // the status of the last one when it failed; for the log
}

// newSchedule makes all reads due at an instant.
func newSchedule(blocks []*block, from time.Duration) *schedule {
	s := &schedule{}
	for _, b := range blocks {
		s.polls = append(s.polls, &poll{block: b, due: from})
	}
	return s
}

// next is the read to be made next: of those that are due the one whose period
// ends first, so that a long round of slow reads keeps no fast one waiting; else
// the one that is due first.
func (s *schedule) next(now time.Duration) *poll {
	var first *poll
	for _, p := range s.polls {
		if first == nil || p.before(first, now) {
			first = p
		}
	}
	return first
}

func (p *poll) before(q *poll, now time.Duration) bool {
	if p.due <= now && q.due <= now {
		return p.due+p.every < q.due+q.every
	}
	return p.due < q.due
}

// behind is how many periods a read is late.
func (p *poll) behind(now time.Duration) int { return max(0, int((now-p.due)/p.every)) }

// skip gives up the instants that have been missed, and returns how many. The
// last one on the grid is still due.
func (p *poll) skip(now time.Duration) (missed int) {
	missed = p.behind(now)
	p.due += time.Duration(missed) * p.every
	return missed
}

// done moves a read that was made to its next instant on the grid and returns
// how many it has missed.
func (p *poll) done(now time.Duration) (missed int) {
	missed = p.skip(now)
	p.due += p.every
	return missed
}

// replace puts other reads in the place of one, due when it is.
func (s *schedule) replace(p *poll, by []*block) {
	i := slices.Index(s.polls, p)
	var halves []*poll
	for _, b := range by {
		halves = append(halves, &poll{block: b, due: p.due, failed: p.failed})
	}
	s.polls = slices.Replace(s.polls, i, i+1, halves...)
}
