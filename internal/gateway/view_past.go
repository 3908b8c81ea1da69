package gateway

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"andon/internal/journal"
	"andon/internal/outbox"
	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
)

// pastFor and pastRevisions bound one search of the record's past, which runs
// beside recording: its time, and the revisions of events that it holds.
const (
	pastFor       = 5 * time.Second
	pastRevisions = 5_000
)

// stretch is how much of the record is searched: commits a page, and in all.
type stretch struct{ page, most int }

// pastStretch is what one search may read: two days or more at one commit a second.
func pastStretch() stretch { return stretch{page: historyPage, most: 200_000} }

// backward reads the record in pages, the newest first, from commit to down to
// the first, and calls fn with the records of each page's commits that hold the
// needle, in order; no more than those is held. It ends when fn says enough, after
// so many commits, or when ctx ends (a page that is not read whole then counts as
// not read), and returns the first commit that was read (to + 1 if none was) and
// its instant.
func (s stretch) backward(ctx context.Context, j *journal.View, to uint64, needle []byte, fn func(page [][]byte) (enough bool, err error)) (first uint64, at sample.Time, err error) {
	first = to + 1
	for read := 0; first > 1 && read < s.most && ctx.Err() == nil; read += s.page {
		last := first - 1
		from := uint64(max(1, int64(last)-int64(s.page)+1))
		began := sample.Time(0)
		var page [][]byte
		err := j.Commits(from, func(h journal.Header, records []byte) error {
			switch {
			case h.Seq > last || ctx.Err() != nil:
				return errEnough
			case h.Seq == from:
				began = sample.Time(h.At)
			}
			if bytes.Contains(records, needle) {
				page = append(page, records)
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return first, at, err
		}
		if ctx.Err() != nil {
			break
		}
		first, at = from, began
		if enough, err := fn(page); err != nil || enough {
			return first, at, err
		}
	}
	return first, at, nil
}

// Past searches the record for the quality events that are asked for, from its
// end backward, as far as the bounds allow.
func (s shown) Past(ctx context.Context, q panel.PastQuery) (panel.Past, error) {
	c := s.g.Committed()
	if c == nil {
		return panel.Past{Events: []panel.Event{}}, nil
	}
	return pastStretch().past(ctx, &s.g.j.View, c, q)
}

func (s stretch) past(ctx context.Context, j *journal.View, c *Committed, q panel.PastQuery) (panel.Past, error) {
	ctx, cancel := context.WithTimeout(ctx, pastFor)
	defer cancel()
	x, needle := search{event: q.Event}, []byte(`"event_id"`) // every event's bytes hold it
	if q.Event != "" {
		needle = []byte(q.Event)
	}
	first, at, err := s.backward(ctx, j, uint64(c.Head.Size), needle, x.page)
	if err != nil {
		return panel.Past{}, err
	}
	p := panel.Past{Events: []panel.Event{}, Complete: first == 1 || x.whole, From: panel.Instant(at)}
	for _, e := range eventsOf(x.told, pastRevisions) {
		if q.Event != "" || x.lots[e.ID][q.Lot] {
			receipts(&e, &c.Outbox, nil)
			p.Events = append(p.Events, e)
		}
	}
	return p, nil
}

// search is what is looked for, and what was found. Which lots an event names may
// differ from revision to revision: all revisions of all events are kept, and
// those that any of them names.
type search struct {
	event string // "": all
	told  []telling
	lots  map[string]map[string]bool // by event
	whole bool                       // nothing before can belong to it
}

// page takes what one page tells, before what was found behind it.
func (x *search) page(page [][]byte) (bool, error) {
	var found []telling
	for _, records := range page {
		if err := record.Each(records, func(in record.Input, out record.Outcome) error {
			for _, t := range takeTold(nil, in.At, out.Entries) {
				if x.take(&t) {
					found = append(found, t)
				}
			}
			return nil
		}); err != nil {
			return false, err
		}
	}
	x.told = append(found, x.told...)
	return x.whole || len(x.told) >= pastRevisions, nil
}

// take says whether a revision is of what is looked for, and notes its lots.
func (x *search) take(t *telling) bool {
	e, r, ok := read(t)
	if !ok || x.event != "" && e.ID != x.event {
		return false
	}
	x.whole = x.whole || x.event != "" && r.Revision == 1
	for _, lot := range e.Lots {
		if x.lots == nil {
			x.lots = map[string]map[string]bool{}
		}
		if x.lots[e.ID] == nil {
			x.lots[e.ID] = map[string]bool{}
		}
		x.lots[e.ID][lot] = true
	}
	return true
}

// oldLetters are the dead letters from before the session, as far back as the
// record has been searched for them: each time that somebody asks a little
// further, until all are known.
type oldLetters struct {
	mu    sync.Mutex
	begun bool
	first uint64 // searched down to this commit
	at    sample.Time
	found []panel.DeadLetter // in the order of the record
}

// DeadLetters lists what was rejected in this epoch: what the state holds since
// the session began, and what is found before it.
func (s shown) DeadLetters(ctx context.Context) (panel.DeadLetters, error) {
	c, l := s.g.Committed(), s.g.ledger.Load()
	if c == nil || c.View == nil || l == nil {
		return panel.DeadLetters{Dead: []panel.DeadLetter{}}, nil
	}
	rejected := 0
	for _, lane := range outbox.Lanes() {
		rejected += int(c.Outbox.Count(lane).Rejected)
	}
	now := c.View.Outbox.Dead
	m := &l.morgue
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.begun {
		m.begun, m.first = true, uint64(l.size)+1
	}
	list := panel.DeadLetters{Complete: numbers(m.found, now) >= rejected}
	if !list.Complete {
		if err := m.search(ctx, &s.g.j.View, func() bool { return numbers(m.found, now) >= rejected }); err != nil {
			return list, err
		}
		list.Complete = numbers(m.found, now) >= rejected
	}
	list.Dead, list.From = slices.Concat([]panel.DeadLetter{}, m.found, now), panel.Instant(m.at)
	return list, nil
}

// search goes on backward until all are there or the bounds are reached.
func (m *oldLetters) search(ctx context.Context, j *journal.View, all func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, pastFor)
	defer cancel()
	tombstone := []byte("withheld") // each has one
	first, at, err := pastStretch().backward(ctx, j, m.first-1, tombstone, func(page [][]byte) (bool, error) {
		var found []panel.DeadLetter
		for _, records := range page {
			if err := record.Each(records, func(_ record.Input, out record.Outcome) error {
				found = append(found, deadOf(out.Dead)...)
				return nil
			}); err != nil {
				return false, err
			}
		}
		m.found = append(found, m.found...)
		return all(), nil
	})
	if err == nil {
		m.first = first
		if at != 0 {
			m.at = at
		}
	}
	return err
}

// deadOf are dead letters as they are shown.
func deadOf(list []record.Dead) (out []panel.DeadLetter) {
	for _, x := range list {
		out = append(out, panel.DeadLetter{Lane: x.Lane, Seq: x.Seq, Consumer: x.Consumer, Code: x.Code, Reason: x.Reason})
	}
	return out
}

// numbers is how many entries some lists of dead letters are about.
func numbers(lists ...[]panel.DeadLetter) int {
	type place struct {
		lane string
		seq  uint64
	}
	seen := map[place]bool{}
	for _, d := range slices.Concat(lists...) {
		seen[place{d.Lane, d.Seq}] = true
	}
	return len(seen)
}
