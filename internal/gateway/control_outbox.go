package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"andon/internal/outbox"
	"andon/internal/record"
)

func (g *Gateway) outboxOverControl(w io.Writer, _ *http.Request) error {
	r, err := g.Outbox()
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(r)
}

// requeueOrder is what the command asks for.
type requeueOrder struct {
	Lane   string `json:"lane"`
	Seq    uint64 `json:"seq"`
	Reason string `json:"reason"`
}

// requeueAtMost bounds what is read of an order.
const requeueAtMost = 64 << 10

// requeueOverControl sends a dead letter again. Who asked is what the kernel
// says, and it is on the audit trail, refused or not.
func (g *Gateway) requeueOverControl(w io.Writer, r *http.Request) error {
	var o requeueOrder
	if err := json.NewDecoder(io.LimitReader(r.Body, requeueAtMost)).Decode(&o); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	d, err := g.Requeue(r.Context(), o.Lane, o.Seq, o.Reason, peerName(r.Context()))
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(d)
}

// Requeue sends a dead letter again as a new entry and returns when that is
// durable. by is who wants it, and reason why.
func (g *Gateway) Requeue(ctx context.Context, lane string, seq uint64, reason, by string) (DeadLetter, error) {
	if strings.TrimSpace(reason) == "" {
		return DeadLetter{}, errors.New("no reason is given: it goes on record")
	}
	d, err := g.deadLetter(lane, seq)
	if err != nil {
		return d, err
	}
	switch {
	case lane == outbox.Record:
		return d, fmt.Errorf("%s is a sample: only events are sent again", d.ID)
	case d.Requeued != "":
		return d, fmt.Errorf("%s was sent again as %s", d.ID, d.Requeued)
	}
	act := &record.Act{User: by, Kind: record.Requeue, Target: d.ID, Meaning: "sent again", Comment: reason, Terminal: "control socket",
		Letter: &record.Letter{Lane: lane, Seq: seq, Topic: d.Topic, Payload: d.Payload}}
	if err := g.Put(ctx, act); err != nil {
		return d, err
	}
	if d, err = g.deadLetter(lane, seq); err == nil && d.Requeued == "" {
		err = fmt.Errorf("%s was not sent again: the audit trail says why", d.ID)
	}
	return d, err
}

// deadLetter finds one.
func (g *Gateway) deadLetter(lane string, seq uint64) (DeadLetter, error) {
	c := g.Committed()
	if c == nil {
		return DeadLetter{}, errStopped
	}
	dead, err := deadLetters(&g.j.View, c, g.o.Config.Gateway.ID)
	if err != nil {
		return DeadLetter{}, err
	}
	i := slices.IndexFunc(dead, func(d DeadLetter) bool { return d.Lane == lane && d.Seq == seq })
	if i < 0 {
		return DeadLetter{}, fmt.Errorf("lane %s has no dead letter %d: `andon outbox dead` lists them", lane, seq)
	}
	return dead[i], nil
}

// AskToRequeue asks the running gateway to send a dead letter again.
// ErrNotRunning says that there is none.
func AskToRequeue(ctx context.Context, dataDir, lane string, seq uint64, reason string) (d DeadLetter, err error) {
	order, err := json.Marshal(requeueOrder{lane, seq, reason})
	if err != nil {
		return d, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://andon"+AskRequeue, bytes.NewReader(order))
	if err != nil {
		return d, err
	}
	var b bytes.Buffer
	if err := do(req, dataDir, &b); err != nil {
		return d, err
	}
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		return d, fmt.Errorf("read the running gateway's answer: %w", err)
	}
	return d, nil
}
