package panel

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// PastQuery says which events are looked for: one, or those that name a lot.
type PastQuery struct{ Event, Lot string }

// Past is what was found of them in the record.
type Past struct {
	Events   []Event // newest first
	Complete bool    // nothing of them can be further back
	From     Instant // searched back to here
}

// DeadLetters are the entries that a consumer has rejected.
type DeadLetters struct {
	Dead     []DeadLetter // in the order in which they were rejected
	Complete bool
	From     Instant // the record was searched back to here; 0 when it was not
}

// past asks the record.
func (p *Panel) past(ctx context.Context, q PastQuery) (found Past, err error) {
	err = p.reading(ctx, func(ctx context.Context) error {
		found, err = p.o.Gateway.Past(ctx, q)
		return err
	})
	return found, err
}

// findEvent is the event with an id: as it is known, or else as the record has it.
// What is known of it in part is better than nothing when the record is busy.
func (p *Panel) findEvent(ctx context.Context, id string) (*Event, error) {
	known := p.event(id)
	if known != nil && known.Complete {
		return known, nil
	}
	found, err := p.past(ctx, PastQuery{Event: id})
	switch {
	case err == nil && len(found.Events) > 0:
		return &found.Events[0], nil
	case known != nil:
		return known, nil
	case err != nil:
		return nil, err
	case found.Complete:
		return nil, huma.Error404NotFound("no event " + id + " is on record here")
	}
	return nil, huma.Error404NotFound("no event " + id + " since " + Format(found.From) + ", which is how far back was searched; older ones are in the record: andon journal export --event " + id)
}

// outboxAnswer is the answer to GET outbox.
type outboxAnswer struct {
	Outbox
	Complete bool    `json:"dead_complete" doc:"dead holds all that rejected counts"`
	From     Instant `json:"dead_searched_from" doc:"the record was searched back to here for them; null when all were known without; asking again searches on"`
}

// lettersFor is how long the rest of the reconciliation may wait for them.
const lettersFor = 2 * time.Second

// outbox is the reconciliation with all dead letters that can be found now. That
// the record is being read by others does not keep the rest from being told.
func (p *Panel) outbox(ctx context.Context) (outboxAnswer, error) {
	s, err := p.state()
	if err != nil {
		return outboxAnswer{}, err
	}
	a := outboxAnswer{Outbox: s.Outbox}
	rejected := uint64(0)
	for _, l := range s.Outbox.Lanes {
		rejected += l.Rejected
	}
	if rejected == 0 {
		a.Complete = true
		return a, nil
	}
	var all DeadLetters
	ctx, cancel := context.WithTimeout(ctx, lettersFor)
	defer cancel()
	err = p.reading(ctx, func(ctx context.Context) (err error) {
		all, err = p.o.Gateway.DeadLetters(ctx)
		return err
	})
	switch {
	case err == nil:
		a.Dead, a.Complete, a.From = all.Dead, all.Complete, all.From
	case statusOf(err) == http.StatusTooManyRequests:
		err = nil // not complete, and it says so
	}
	return a, err
}
