package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"andon/internal/journal"
	"andon/internal/outbox"
	"andon/internal/panel"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
)

// Bounds on what is remembered of past events, and on how far back the record
// is read for them at a start.
const (
	eventsKept   = 300
	historyPage  = 2000   // commits read at a time, backward
	historyAtAll = 50_000 // commits, some hours at least
)

// ledger is what has been told of events, newest last, and what the quality
// system has receipted of it. The deciding goroutine writes down what it has
// decided, and says when that is committed; a goroutine at the start of a
// session adds what the record holds from before. Any goroutine may read.
type ledger struct {
	// pending is of the group that waits for its commit; the deciding
	// goroutine's alone.
	pending []telling
	retired []retired
	dead    []record.Dead
	size    int64 // of the record when the session began; never changes

	mu    sync.Mutex
	told  []telling // in the order of the record
	held  []retired
	since sample.Time // complete from here on
	whole bool        // complete from the beginning
	cache []panel.Event
	stale bool

	morgue oldLetters
}

// telling is one revision of an event as it was recorded.
type telling struct {
	at      sample.Time
	lane    string
	seq     uint64
	payload []byte
}

type retired struct {
	at sample.Time
	record.Retired
}

// isEvent says whether a topic is of quality events.
func isEvent(topic string) bool {
	switch topic {
	case "quality/deviation", "quality/nonconformance", "quality/gap", "event/signal":
		return true
	}
	return false
}

func takeTold(list []telling, at sample.Time, entries []record.Entry) []telling {
	for _, e := range entries {
		if isEvent(e.Topic) {
			list = append(list, telling{at, e.Lane, e.Seq, e.Payload})
		}
	}
	return list
}

func takeRetired(list []retired, at sample.Time, all []record.Retired) []retired {
	for _, r := range all {
		if r.Lane != outbox.Record {
			list = append(list, retired{at, r})
		}
	}
	return list
}

// decided notes what one input has brought; it counts once it is committed.
func (l *ledger) decided(at sample.Time, out *record.Outcome) {
	l.pending = takeTold(l.pending, at, out.Entries)
	l.retired = takeRetired(l.retired, at, out.Retired)
	l.dead = append(l.dead, out.Dead...)
}

// committed makes known what has been decided since the last commit.
func (l *ledger) committed() {
	if len(l.pending)+len(l.retired) == 0 {
		return
	}
	l.mu.Lock()
	l.told, l.held = append(l.told, l.pending...), append(l.held, l.retired...)
	l.stale = true
	l.trim()
	l.mu.Unlock()
	l.pending, l.retired = nil, nil
}

// deadLetters hands over what has become a dead letter; it is called with a
// commit.
func (l *ledger) deadLetters() []record.Dead {
	list := l.dead
	l.dead = nil
	return list
}

// trim forgets the oldest events. What is kept is at most twice what is shown.
// mu is held.
func (l *ledger) trim() {
	const most = 8 * eventsKept // revisions
	if len(l.told) <= most {
		return
	}
	cut := len(l.told) - most/2
	l.since, l.whole = l.told[cut-1].at+1, false
	l.told = slices.Clone(l.told[cut:])
	oldest := l.told[0].at
	l.held = slices.DeleteFunc(l.held, func(r retired) bool { return r.at < oldest })
}

// fill reads the record backward from a size until there are events enough, and
// puts what it finds before what has been committed since. Until it is done the
// list says from when on it is complete.
func (l *ledger) fill(ctx context.Context, j *journal.View, size uint64) error {
	first := size + 1
	for read := 0; first > 1 && read < historyAtAll && ctx.Err() == nil && !l.enough(); read += historyPage {
		to := first - 1
		first = uint64(max(1, int64(to)-historyPage+1))
		page, err := readHistory(j, first, to)
		if err != nil {
			return fmt.Errorf("read past events: %w", err)
		}
		l.before(page, first == 1)
	}
	if size == 0 {
		l.before(history{}, true)
	}
	return nil
}

func (l *ledger) enough() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.told) >= 3*eventsKept
}

// history is what a stretch of the record tells of events.
type history struct {
	from sample.Time
	told []telling
	held []retired
}

func readHistory(j *journal.View, first, last uint64) (h history, err error) {
	err = j.Commits(first, func(head journal.Header, records []byte) error {
		if head.Seq > last {
			return errEnough
		}
		if h.from == 0 {
			h.from = sample.Time(head.At)
		}
		return h.take(records)
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return h, err
}

func (h *history) take(records []byte) error {
	return record.Each(records, func(in record.Input, out record.Outcome) error {
		h.told, h.held = takeTold(h.told, in.At, out.Entries), takeRetired(h.held, in.At, out.Retired)
		return nil
	})
}

// before puts a stretch of the record before what is known.
func (l *ledger) before(h history, whole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told, l.held = append(h.told, l.told...), append(h.held, l.held...)
	l.since, l.whole, l.stale = h.from, whole, true
}

// list is all events as of a state of the outbox, newest first.
func (l *ledger) list(st *outbox.State) panel.EventList {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stale {
		l.cache, l.stale = eventsOf(l.told, eventsKept), false
	}
	list := panel.EventList{Events: make([]panel.Event, len(l.cache)), Since: panel.Instant(l.since)}
	if l.whole {
		list.Since = 0
	}
	if n := len(l.cache); n == eventsKept { // older ones may have been left out
		list.Since = max(list.Since, l.cache[n-1].RaisedAt)
	}
	for i := range l.cache {
		list.Events[i] = l.cache[i]
		receipts(&list.Events[i], st, l.held)
	}
	return list
}

// receipts says how far each revision of an event has come, and since when as far
// as what was receipted is known.
func receipts(e *panel.Event, st *outbox.State, held []retired) {
	e.Revisions, e.Receipt = slices.Clone(e.Revisions), panel.Receipted
	for i := range e.Revisions {
		r := &e.Revisions[i]
		lane := laneOf(st, r.Lane)
		switch {
		case lane != nil && lane.Rejected.Has(r.Seq):
			r.Receipt = panel.Rejected
		case lane != nil && lane.Retired.Has(r.Seq):
			r.Receipt = panel.Receipted
			for _, h := range held {
				if h.Lane == r.Lane && h.First <= r.Seq && r.Seq <= h.Last {
					r.HeldAt = panel.Instant(h.at)
				}
			}
		default:
			r.Receipt = panel.Queued
		}
		if r.Receipt == panel.Rejected || r.Receipt == panel.Queued && e.Receipt == panel.Receipted {
			e.Receipt = r.Receipt
		}
	}
}

// eventsOf makes events of what was told of them, newest first, and no more than
// so many.
func eventsOf(list []telling, most int) []panel.Event {
	var events []panel.Event
	at := map[string]int{}
	for i := range list {
		e, revision, ok := read(&list[i])
		if !ok {
			continue
		}
		k, known := at[e.ID]
		if !known {
			k = len(events)
			at[e.ID] = k
			events = append(events, panel.Event{})
		}
		e.Revisions = append(events[k].Revisions, revision)
		e.Complete = e.Revisions[0].Revision == 1
		events[k] = e
	}
	slices.SortStableFunc(events, func(a, b panel.Event) int {
		switch {
		case a.RaisedAt > b.RaisedAt:
			return -1
		case a.RaisedAt < b.RaisedAt:
			return 1
		}
		return 0
	})
	return events[:min(len(events), most)]
}

// read is an event as one revision tells it. A payload that is not of our own
// making (there is none) is passed over.
func read(t *telling) (panel.Event, panel.Revision, bool) {
	var envelope struct {
		Data json.RawMessage `json:"data"`
	}
	var kind struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(t.payload, &envelope) != nil || json.Unmarshal(envelope.Data, &kind) != nil {
		return panel.Event{}, panel.Revision{}, false
	}
	r := panel.Revision{Lane: t.lane, Seq: t.seq, At: panel.Instant(t.at)}
	if kind.Kind == "gap" {
		var d quality.GapDocument
		if json.Unmarshal(envelope.Data, &d) != nil {
			return panel.Event{}, r, false
		}
		r.Revision, r.State = d.Revision, d.State
		return gapEvent(&d), r, true
	}
	var d quality.Document
	if json.Unmarshal(envelope.Data, &d) != nil {
		return panel.Event{}, r, false
	}
	r.Revision, r.State = d.Revision, d.State
	return excursionEvent(&d), r, true
}

func excursionEvent(d *quality.Document) panel.Event {
	return panel.Event{ID: d.EventID, Kind: d.Kind, Type: d.Type, Class: d.Class, Title: d.Title, State: d.State,
		Open: d.State == quality.Opened || d.State == quality.Updated && d.ClearedAt == 0 && d.OccurredTo == 0, Equipment: d.Equipment.ID,
		Parameter: d.Spec.Parameter, Rule: d.Spec.Rule, Lots: append([]string{}, d.Product.Lots...), From: panel.Instant(d.OccurredFrom),
		To: panel.Instant(d.OccurredTo), RaisedAt: panel.Instant(d.RaisedAt), Document: &panel.Document{Document: *d}}
}

func gapEvent(d *quality.GapDocument) panel.Event {
	e := panel.Event{ID: d.EventID, Kind: d.Kind, State: d.State, Open: d.OccurredTo == nil, Equipment: d.Equipment.ID,
		Lots: append([]string{}, d.Product.Lots...), From: panel.Instant(d.OccurredFrom), RaisedAt: panel.Instant(d.RaisedAt), Gap: &panel.GapDocument{GapDocument: *d}}
	if d.OccurredTo != nil {
		e.To = panel.Instant(*d.OccurredTo)
	}
	var names []string
	for _, t := range d.Tags {
		names = append(names, t[strings.LastIndexByte(t, '/')+1:])
	}
	what := strings.Join(names, ", ")
	if len(names) > 4 {
		what = fmt.Sprintf("%d tags", len(names))
	}
	e.Title = d.Equipment.ID + ": no sight of " + what + " (" + strings.ReplaceAll(d.Cause, "_", " ") + ")"
	return e
}
