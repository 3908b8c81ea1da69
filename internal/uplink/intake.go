package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// maxQueued is how many receipts may wait to be verified. Beyond it the oldest
// is dropped: receipts are cumulative, the last one says it all.
const maxQueued = 1024

// At most refusedBurst refused receipts are handed in within refusedEvery:
// whoever may write to the topic must not be able to fill the record.
const (
	refusedBurst = 10
	refusedEvery = time.Minute
)

// intake verifies receipts and hands them in, in a goroutine of its own: the
// gateway may take its time, and sending must not wait for it.
type intake struct {
	verifier *verifier
	sink     Sink
	log      *slog.Logger
	// tell passes what a receipt means for the sending side to its goroutine.
	tell func(note hint)

	mu     sync.Mutex
	queue  []word
	count  IntakeCounts
	signal chan struct{} // capacity 1

	// The rest belongs to run's goroutine.
	last         map[[2]string]string // the last one taken, by consumer and lane
	refused      int                  // since refusedSince
	refusedSince time.Time
}

// word is one thing to hand in: a payload from the topic, or a receipt of the
// uplink itself.
type word struct {
	payload []byte
	own     *Receipt
}

// hint is what a receipt means for the sending side.
type hint struct {
	lane     string
	rejected uint64 // this number is about to become a tombstone; 0: the consumer is there
	sha      string // the digest of the bytes that were rejected
}

// IntakeCounts counts receipts since the start.
type IntakeCounts struct {
	Accepted   uint64    // handed in as believed
	Repeated   uint64    // said what the one before it said; not handed in
	Refused    uint64    // not believed
	Suppressed uint64    // refused, and not even handed in: too many
	Dropped    uint64    // not verified: too many were waiting
	Last       time.Time // when the last believed one arrived
}

func newIntake(o Options, tell func(hint)) (*intake, error) {
	v, err := newVerifier(o)
	return &intake{
		verifier: v, sink: o.Receipts, log: o.Log, tell: tell,
		signal: make(chan struct{}, 1),
		last:   map[[2]string]string{},
	}, err
}

// put queues something to be handed in; it never blocks.
func (in *intake) put(w word) {
	in.mu.Lock()
	in.queue = append(in.queue, w)
	if len(in.queue) > maxQueued {
		in.queue = in.queue[1:]
		in.count.Dropped++
	}
	in.mu.Unlock()
	select {
	case in.signal <- struct{}{}:
	default: // it knows already
	}
}

func (in *intake) counts() IntakeCounts {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.count
}

// run hands in what is queued until ctx ends.
func (in *intake) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-in.signal:
		}
		in.mu.Lock()
		words := in.queue
		in.queue = nil
		in.mu.Unlock()
		for _, w := range words {
			if ctx.Err() != nil {
				return
			}
			switch err := in.handle(ctx, w); {
			case err == nil, ctx.Err() != nil:
			case errors.Is(err, ErrStopping): // the consumer's next one says it again
				in.log.Info("receipt not handed in", "err", err)
			default:
				in.log.Error("receipt not handed in", "err", err)
			}
		}
	}
}

func (in *intake) handle(ctx context.Context, w word) error {
	if w.own != nil {
		return in.own(ctx, *w.own)
	}
	r, hash := in.verifier.read(w.payload)
	if r.Refused != "" {
		return in.refuse(ctx, r)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the receipt of %s: %w", r.Consumer, err)
	}
	key := [2]string{r.Consumer, r.Lane}
	if in.last[key] == string(text)+hash {
		in.bump(func(c *IntakeCounts) { c.Repeated++; c.Last = time.Now() })
		in.tell(hint{lane: r.Lane})
		return nil
	}
	if r.Refused, err = in.verifier.hashRefusal(r, hash); err != nil {
		return err
	}
	if r.Refused != "" {
		return in.refuse(ctx, r)
	}
	if err := in.accept(ctx, r); err != nil {
		return err
	}
	in.last[key] = string(text) + hash
	return nil
}

// own hands in what the uplink says itself.
func (in *intake) own(ctx context.Context, r Receipt) error {
	if err := in.describe(&r); err != nil {
		return err
	}
	if err := in.sink(ctx, r); err != nil {
		return fmt.Errorf("hand in a receipt of the %s: %w", r.Consumer, err)
	}
	return nil
}

// accept hands in a receipt that is to be believed.
func (in *intake) accept(ctx context.Context, r Receipt) error {
	if err := in.describe(&r); err != nil {
		return err
	}
	if err := in.sink(ctx, r); err != nil {
		return fmt.Errorf("hand in the receipt of %s: %w", r.Consumer, err)
	}
	in.bump(func(c *IntakeCounts) { c.Accepted++; c.Last = time.Now() })
	return nil
}

// describe says of each rejected entry what and where it was, and warns the
// sending side of the tombstones to come.
func (in *intake) describe(r *Receipt) error {
	if r.Epoch != in.verifier.epoch {
		return nil
	}
	for i := range r.Rejected {
		j := &r.Rejected[i]
		e, ok, err := in.verifier.outbox.Entry(r.Lane, j.Seq)
		if err != nil {
			return fmt.Errorf("read entry %d of lane %s: %w", j.Seq, r.Lane, err)
		}
		if !ok || len(e.SHA256) == 0 {
			continue // never given, or retired: the arithmetic says what of it
		}
		j.Topic, j.SHA256 = e.Topic, e.SHA256[0]
		in.tell(hint{lane: r.Lane, rejected: j.Seq, sha: e.now()})
	}
	return nil
}

// refuse hands in a receipt that is not believed, if there are not too many.
func (in *intake) refuse(ctx context.Context, r Receipt) error {
	now := time.Now()
	if now.Sub(in.refusedSince) >= refusedEvery {
		in.refused, in.refusedSince = 0, now
	}
	in.bump(func(c *IntakeCounts) { c.Refused++ })
	if in.refused++; in.refused > refusedBurst {
		in.bump(func(c *IntakeCounts) { c.Suppressed++ })
		return nil
	}
	in.log.Warn("receipt refused", "consumer", r.Consumer, "lane", r.Lane, "reason", r.Refused)
	if err := in.sink(ctx, r); err != nil {
		return fmt.Errorf("hand in a refused receipt: %w", err)
	}
	return nil
}

func (in *intake) bump(f func(*IntakeCounts)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	f(&in.count)
}
