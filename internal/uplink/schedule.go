package uplink

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"
)

// schedule decides what is sent next. It reads no clock and does no I/O but
// through Outbox; only the sending goroutine touches it. It lives as long as
// Run, across connections.
type schedule struct {
	outbox Outbox
	lanes  []*lane // in the order of sending
	// unreceipted is how many samples may be sent and not receipted: more would
	// only fill the broker's queue, and push quality events out of it.
	unreceipted uint64
}

// lane is the sending side of one lane.
type lane struct {
	name  string
	main  stream // in lane record: the backlog, until it has met live
	live  stream // lane record only; done when it is not needed
	share int    // counts sendings, to share between live and backlog
	retry retry
	again []Message // to be sent again, before anything else of the lane
	// changing are rejected numbers whose tombstone is not committed yet, with
	// the digest of the bytes that were rejected.
	changing map[uint64]string
	// aside are poisonous messages, by first number and digest: nobody takes
	// them, and they must not hold up the rest.
	aside map[uint64]string
	level Level
}

// pick is a message with where it came from, so that it can go back.
type pick struct {
	Message
	lane  *lane
	again bool // it had been sent before
}

func newSchedule(o Outbox, r retry, unreceipted uint64) *schedule {
	s := &schedule{outbox: o, unreceipted: unreceipted}
	for _, name := range []string{laneQuality, laneEvent, laneRecord} {
		s.lanes = append(s.lanes, &lane{
			name: name, retry: r,
			main:     newStream(name, o, 0),
			live:     stream{lane: name, outbox: o, until: 0}, // done
			changing: map[uint64]string{},
			aside:    map[uint64]string{},
		})
	}
	return s
}

// wake looks at what has been committed since.
func (s *schedule) wake(now time.Time) error {
	var errs []error
	for _, l := range s.lanes {
		errs = append(errs, s.wakeLane(l, now))
	}
	return errors.Join(errs...)
}

func (s *schedule) wakeLane(l *lane, now time.Time) error {
	level, err := s.outbox.Level(l.name)
	if err != nil {
		return fmt.Errorf("read the level of lane %s: %w", l.name, err)
	}
	wasFull := s.full(l)
	l.level = level
	if wasFull && !s.full(l) {
		l.splitLive() // what could not be sent meanwhile is a backlog
	}
	l.main.dry, l.live.dry = false, false
	if level.Oldest > 0 && level.Oldest > l.main.cursor+1 {
		l.main.cursor, l.main.ahead = level.Oldest-1, nil // receipted without our sending it: an earlier run did
	}
	oldest, err := l.oldestNotAside(s.outbox, level.Oldest)
	if err != nil {
		return err
	}
	l.retry.observe(oldest, now)
	return l.tombstones(s.outbox)
}

// oldestNotAside is the oldest outstanding number that some broker may take.
func (l *lane) oldestNotAside(o Outbox, oldest uint64) (uint64, error) {
	for oldest != 0 && l.aside[oldest] != "" {
		ms, err := o.Pending(l.name, oldest-1, 2)
		if err != nil {
			return 0, fmt.Errorf("read lane %s after %d: %w", l.name, oldest-1, err)
		}
		if len(ms) > 0 && !l.isAside(ms[0]) {
			return ms[0].First, nil
		}
		if len(ms) < 2 {
			return 0, nil
		}
		oldest = ms[1].First
	}
	return oldest, nil
}

// tombstones puts the tombstones that have taken a sent number up for sending.
func (l *lane) tombstones(o Outbox) error {
	for seq, rejected := range l.changing {
		ms, err := o.Pending(l.name, seq-1, 1)
		if err != nil {
			return fmt.Errorf("read lane %s after %d: %w", l.name, seq-1, err)
		}
		if len(ms) == 0 || ms[0].First != seq {
			delete(l.changing, seq) // receipted meanwhile
			continue
		}
		e, ok, err := o.Entry(l.name, seq)
		if err != nil {
			return fmt.Errorf("read entry %d of lane %s: %w", seq, l.name, err)
		}
		if !ok || e.now() == rejected {
			continue // the tombstone is not committed yet
		}
		delete(l.changing, seq)
		l.main.wake()
		l.live.wake()
		if seq <= l.sentTo() {
			l.again = append(l.again, ms[0])
		}
	}
	return nil
}

// rejected tells that a number is about to be replaced by its tombstone.
func (s *schedule) rejected(name string, seq uint64, sha string) {
	for _, l := range s.lanes {
		if l.name == name && l.changing[seq] == "" { // said twice, the first knew what was rejected
			l.changing[seq] = sha
		}
	}
}

// connected prepares for a new connection: what had been sent before and not
// receipted is due again, and records from here on are live.
func (s *schedule) connected() {
	for _, l := range s.lanes {
		l.retry.reconnected(l.sentTo())
		l.again = nil
		if l.name == laneRecord {
			l.splitLive()
		}
	}
}

// splitLive makes records from now on share the window with those before. What
// live had sent already goes on as it is only if the backlog is done.
func (l *lane) splitLive() {
	if !l.live.done() { // an earlier split: live begins anew, the rest is backlog
		l.main.until, l.live = math.MaxUint64, stream{until: 0}
	}
	if l.main.cursor >= l.level.Raised {
		return // nothing is behind
	}
	l.main.until = l.level.Raised
	l.live = newStream(l.name, l.main.outbox, l.level.Raised)
}

// join makes live the main stream once the backlog has been sent.
func (l *lane) join() {
	if l.main.done() && !l.live.done() {
		l.main, l.live = l.live, stream{until: 0}
	}
}

// sentTo is the number up to which all that is outstanding has been sent.
func (l *lane) sentTo() uint64 { return l.main.cursor }

// next returns what is to be sent next, ok false if there is nothing now. The
// message is taken: it must be sent, set aside, or given back.
func (s *schedule) next(now time.Time) (p pick, ok bool, err error) {
	for _, l := range s.lanes {
		if err := l.refire(s.outbox, now); err != nil {
			return pick{}, false, err
		}
		for len(l.again) > 0 {
			m := l.again[0]
			l.again = l.again[1:]
			if !l.isAside(m) {
				l.retry.sent(m.First, m.Last, now)
				return pick{Message: m, lane: l, again: true}, true, nil
			}
		}
		if s.full(l) {
			continue
		}
		p, ok, err := l.fresh(now)
		if ok || err != nil {
			return p, ok, err
		}
	}
	return pick{}, false, nil
}

// refire takes up what is due to be sent again.
func (l *lane) refire(o Outbox, now time.Time) error {
	at, ok := l.retry.due(l.sentTo())
	if !ok || now.Before(at) {
		return nil
	}
	ms, err := o.Pending(l.name, l.retry.oldest-1, l.retry.fire(l.sentTo(), now))
	if err != nil {
		return fmt.Errorf("read lane %s after %d: %w", l.name, l.retry.oldest-1, err)
	}
	l.again = l.again[:0]
	for _, m := range ms {
		if m.First <= l.sentTo() {
			l.again = append(l.again, m)
			l.retry.fired(m.Last)
		}
	}
	return nil
}

// full says whether enough of the record is under way without a receipt.
func (s *schedule) full(l *lane) bool {
	if l.name != laneRecord {
		return false
	}
	unsent := l.main.unread(l.level.Raised) + l.live.unread(l.level.Raised)
	return l.level.Outstanding > unsent && l.level.Outstanding-unsent >= s.unreceipted
}

// fresh takes the next message that has not been sent: of four records, three
// of just now and one of the backlog, if there are both.
func (l *lane) fresh(now time.Time) (pick, bool, error) {
	l.join()
	order := []*stream{&l.main, &l.live}
	if !l.live.done() {
		if l.share++; l.share%4 != 0 {
			order[0], order[1] = order[1], order[0]
		}
	}
	for _, from := range order {
		for {
			m, err := from.peek()
			if err != nil {
				return pick{}, false, fmt.Errorf("read lane %s after %d: %w", l.name, from.cursor, err)
			}
			if m == nil {
				break
			}
			p := pick{Message: *m, lane: l}
			from.take()
			if l.isAside(p.Message) {
				continue
			}
			l.retry.sent(p.First, p.Last, now)
			return p, true, nil
		}
	}
	return pick{}, false, nil
}

// giveBack makes an unacknowledged message be sent again.
func (s *schedule) giveBack(p pick) {
	switch {
	case p.again: // its turn comes again with the new connection
	case p.First > p.lane.main.until && !p.lane.live.done():
		p.lane.live.back(p.First)
	default:
		p.lane.main.back(p.First)
	}
}

// setAside keeps a poisonous message from being sent until it has changed.
func (s *schedule) setAside(p pick) { p.lane.aside[p.First] = digest(p.Payload) }

func (l *lane) isAside(m Message) bool {
	sha, found := l.aside[m.First]
	return found && sha == digest(m.Payload)
}

// nudge makes what is not receipted due: a consumer has shown that it is there.
func (s *schedule) nudge(name string, now time.Time) {
	for _, l := range s.lanes {
		if l.name == name {
			l.retry.nudge(now)
		}
	}
}

// due is the next instant at which something is to be sent again; ok is false
// if nothing waits for a receipt.
func (s *schedule) due() (at time.Time, ok bool) {
	for _, l := range s.lanes {
		if t, waits := l.retry.due(l.sentTo()); waits && (!ok || t.Before(at)) {
			at, ok = t, true
		}
	}
	return at, ok
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
