package engine

import (
	"encoding/json"
	"slices"

	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
)

// requeue sends a dead letter again, as a new entry with a number of its own and
// the same content; the rejected number stays rejected. It is done once: what is
// rejected again is a dead letter of its own.
func (d *decision) requeue(b *record.Act) {
	a := audit{Who: b.User, Role: b.Role, Action: b.Kind, Object: b.Target, Terminal: b.Terminal, Meaning: b.Meaning, Reason: b.Comment}
	e, refused := d.s.letter(b.Letter)
	if refused != "" {
		a.New = "refused: " + refused
		d.audit(a)
		return
	}
	id := e.ID
	d.s.Requeued = append(d.s.Requeued, id)
	d.entry(b.Letter.Lane, b.Letter.Topic, e.Subject, e.Time, e.Data)
	a.Object, a.New = id, outbox.ID(d.s.Start.Gateway, d.s.Start.Epoch, b.Letter.Lane, d.out.Entries[len(d.out.Entries)-1].Seq)
	d.audit(a)
}

// letterHead is what of a dead letter's envelope its successor takes over.
type letterHead struct {
	ID      string          `json:"id"`
	Subject string          `json:"subject"`
	Time    sample.Time     `json:"time"`
	Data    json.RawMessage `json:"data"`
}

// letter says why a letter cannot be sent again, "" when it can be.
func (s *State) letter(l *record.Letter) (e letterHead, refused string) {
	switch {
	case l == nil:
		return e, "no letter is given"
	case l.Lane != laneQuality && l.Lane != laneEvent:
		return e, "only events are sent again; samples are asked for"
	}
	lane := &s.Outbox.Quality
	if l.Lane == laneEvent {
		lane = &s.Outbox.Event
	}
	id := outbox.ID(s.Start.Gateway, s.Start.Epoch, l.Lane, l.Seq)
	switch err := json.Unmarshal(l.Payload, &e); {
	case !lane.Rejected.Has(l.Seq):
		return e, id + " was not rejected"
	case slices.Contains(s.Requeued, id):
		return e, id + " was sent again before"
	case err != nil || e.ID != id:
		return e, "the letter's bytes are not those of " + id
	}
	return e, ""
}
