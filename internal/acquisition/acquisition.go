// Package acquisition is what all kinds of sources share: how they hand over what
// they have, and how they wait before they try again. A source imports it and
// nothing of another source.
package acquisition

import (
	"context"
	"math/rand/v2"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// Sink takes over what a source has. Put blocks while there is no room: the
// source waits, and what is lost meanwhile comes as a Loss. It returns an error
// only when nothing will be taken any more; that ends the source's Run.
type Sink interface {
	Put(ctx context.Context, b Batch) error
}

// Batch is what came with one answer, or what the source found out itself.
type Batch struct {
	// Inputs are *record.Scan, *record.Confirm and *record.Loss, in the order in
	// which they are to be decided.
	Inputs []record.Body
	// Arrival is the gateway's clock when the answer had been read.
	Arrival sample.Time
	// Token names the batch for the source's Committed. Tokens grow from 1 in a
	// source's life.
	Token uint64
}

// Backoff is how long to wait between attempts to connect.
type Backoff struct{ First, Most time.Duration }

// Delay grows twofold from First to Most; half of it is chance, so that many
// sources do not come back in step. Attempts count from 0.
func (b Backoff) Delay(attempt int) time.Duration {
	d := b.Most
	if attempt < 16 {
		d = min(b.First<<attempt, b.Most)
	}
	return d/2 + rand.N(d/2+1)
}
