package gateway

import (
	"encoding/json"
	"fmt"
	"time"

	"andon/internal/journal"
	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
)

// OutboxReport is the reconciliation of what must reach the quality system
// (contract, section 6): raised = receipted + pending + rejected in each lane.
type OutboxReport struct {
	Lanes map[string]LaneReport `json:"lanes"`
	Dead  []DeadLetter          `json:"dead"`
	// OldestPending is when the oldest entry without a receipt was made; null
	// when none waits.
	OldestPending *time.Time `json:"oldest_pending"`
}

// LaneReport is one lane's part.
type LaneReport struct {
	Raised    uint64 `json:"raised"`
	Receipted uint64 `json:"receipted"`
	Pending   uint64 `json:"pending"`
	Rejected  uint64 `json:"rejected"`
}

// DeadLetter is an entry that a consumer rejected.
type DeadLetter struct {
	Lane     string      `json:"lane"`
	Seq      uint64      `json:"seq"`
	ID       string      `json:"id"`
	At       sample.Time `json:"at"` // arrival of the rejection
	Consumer string      `json:"consumer"`
	Code     string      `json:"code"`
	Reason   string      `json:"reason"`
	Topic    string      `json:"topic"`
	// Requeued is the id under which it was sent again, "" when it was not.
	Requeued string          `json:"requeued,omitempty"`
	Payload  json.RawMessage `json:"payload"` // the exact bytes that were rejected
}

// Outbox reports on a stopped gateway's journal, or a copy of one.
func Outbox(j *journal.View) (OutboxReport, error) {
	s, _, err := remember(j)
	if err != nil {
		return OutboxReport{}, fmt.Errorf("remember: %w", err)
	}
	return outboxReport(j, &Committed{Head: j.Head(), Outbox: s.Outbox, Wiring: &s.Start.Wiring}, s.Start.Gateway)
}

// Outbox reports on the running gateway, as of the last commit.
func (g *Gateway) Outbox() (OutboxReport, error) {
	c := g.Committed()
	if c == nil {
		return OutboxReport{}, errStopped
	}
	return outboxReport(&g.j.View, c, g.o.Config.Gateway.ID)
}

func outboxReport(j *journal.View, c *Committed, gateway string) (OutboxReport, error) {
	r := OutboxReport{Lanes: map[string]LaneReport{}}
	for _, lane := range outbox.Lanes() {
		n := c.Outbox.Count(lane)
		r.Lanes[lane] = LaneReport{n.Raised, n.Receipted, n.Pending, n.Rejected}
		at, err := oldest(j, c, lane)
		if err != nil {
			return r, err
		}
		if !at.IsZero() && (r.OldestPending == nil || at.Before(*r.OldestPending)) {
			r.OldestPending = &at
		}
	}
	var err error
	r.Dead, err = deadLetters(j, c, gateway)
	return r, err
}

// deadLetters reads the rejected entries from the record, in the order in which
// they were rejected. Where nothing was rejected it reads nothing.
func deadLetters(j *journal.View, c *Committed, gateway string) ([]DeadLetter, error) {
	m := morgue{c: c, gateway: gateway, sent: map[string]sent{}, dead: []DeadLetter{}}
	rejected := uint64(0)
	for _, lane := range outbox.Lanes() {
		rejected += c.Outbox.Count(lane).Rejected
	}
	if rejected == 0 {
		return m.dead, nil
	}
	err := j.Commits(0, func(h journal.Header, records []byte) error {
		if err := m.commit(records); err != nil {
			return fmt.Errorf("commit %d: %w", h.Seq, err)
		}
		return nil
	})
	return m.dead, err
}

// morgue gathers dead letters as the record goes by.
type morgue struct {
	c       *Committed
	gateway string
	sent    map[string]sent // by id: entries that are rejected further on
	dead    []DeadLetter
}

type sent struct {
	topic   string
	payload []byte
}

func (m *morgue) id(lane string, seq uint64) string {
	return outbox.ID(m.gateway, m.c.Head.Epoch, lane, seq)
}

func (m *morgue) commit(records []byte) error {
	if r := &m.c.Outbox.Record.Rejected; r.Size() > 0 {
		if err := eachSample(m.c.Wiring, records, func(_ sample.Tag, s record.Sample) bool {
			if r.Has(s.I) {
				m.sent[m.id(outbox.Record, s.I)] = sent{"record", s.JSON()}
			}
			return true
		}); err != nil {
			return err
		}
	}
	return record.Each(records, func(in record.Input, out record.Outcome) error {
		m.input(in, &out)
		return nil
	})
}

func (m *morgue) input(in record.Input, out *record.Outcome) {
	for _, e := range out.Entries {
		l := laneOf(&m.c.Outbox, e.Lane)
		id := m.id(e.Lane, e.Seq)
		if _, tombstone := m.sent[id]; l != nil && l.Rejected.Has(e.Seq) && !tombstone {
			m.sent[id] = sent{e.Topic, e.Payload}
		}
	}
	for _, x := range out.Dead {
		id := m.id(x.Lane, x.Seq)
		m.dead = append(m.dead, DeadLetter{Lane: x.Lane, Seq: x.Seq, ID: id, At: in.At, Consumer: x.Consumer, Code: x.Code, Reason: x.Reason,
			Topic: m.sent[id].topic, Payload: m.sent[id].payload})
	}
	act, ok := in.Body.(*record.Act)
	if !ok || act.Kind != record.Requeue || len(out.Entries) < 2 || out.Entries[1].Topic != "event/audit" {
		return // not one that was carried out: then the new entry stands before its audit
	}
	first := &out.Entries[0]
	for i := range m.dead {
		if m.dead[i].Lane == act.Letter.Lane && m.dead[i].Seq == act.Letter.Seq {
			m.dead[i].Requeued = m.id(first.Lane, first.Seq)
		}
	}
}
