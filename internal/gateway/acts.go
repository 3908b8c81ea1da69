package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
)

// decided is what followed from an input that is durable.
type decided struct {
	out  record.Outcome
	size int64 // of the record, the input's commit its last
}

// handed is an input that has been taken, and may not have been decided yet.
type handed struct {
	done chan decided // has room for the one that is sent
	gone <-chan struct{}
}

// hand gives an input to the deciding goroutine. An error means that it has not
// been taken, and never will be.
func (g *Gateway) hand(ctx context.Context, body record.Body) (handed, error) {
	in := g.in.Load()
	if in == nil {
		return handed{}, errStopped
	}
	h := handed{done: make(chan decided, 1), gone: in.gone}
	return h, in.put(ctx, delivery{at: sample.At(g.o.Now()), source: -1, bodies: []record.Body{body}, done: h.done})
}

// wait waits until what was handed in is durable. Any error means that this is
// not known: errStopped that it never will be known here, ctx's that it may be
// later. It may be called again, from any goroutine.
func (h handed) wait(ctx context.Context) (decided, error) {
	if d, ok := h.look(); ok {
		return d, nil
	}
	select {
	case d := <-h.done:
		h.done <- d
		return d, nil
	case <-h.gone:
		if d, ok := h.look(); ok { // both had come
			return d, nil
		}
		return decided{}, errStopped
	case <-ctx.Done():
		return decided{}, ctx.Err()
	}
}

// look takes what is there and puts it back for whoever asks next: it is sent
// once, so there is room.
func (h handed) look() (d decided, ok bool) {
	select {
	case d = <-h.done:
		h.done <- d
		return d, true
	default:
		return d, false
	}
}

// Hand gives an act to the deciding goroutine.
func (s shown) Hand(ctx context.Context, act *record.Act) (panel.Handed, error) {
	h, err := s.g.hand(ctx, act)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (panel.Settled, error) {
		d, err := h.wait(ctx)
		if err != nil {
			return panel.Settled{}, err
		}
		why, err := notDone(&d.out)
		return panel.Settled{Size: d.size, Refused: why}, err
	}, nil
}

// notDone says why an act was not carried out, "" when it was: as its entry of
// the audit trail, the last one that it made, says.
func notDone(out *record.Outcome) (string, error) {
	for _, e := range slices.Backward(out.Entries) {
		if e.Topic != "event/audit" {
			continue
		}
		var audit struct{ Data struct{ New string } }
		if err := json.Unmarshal(e.Payload, &audit); err != nil {
			return "", fmt.Errorf("%s %d: %w", e.Lane, e.Seq, err)
		}
		if why, ok := strings.CutPrefix(audit.Data.New, record.Refused); ok {
			return why, nil
		}
		return "", nil
	}
	return "", nil
}
