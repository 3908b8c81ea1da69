package people

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// ErrBusy: too many PINs are being checked; nothing was checked or counted.
var ErrBusy = errors.New("too many PINs are being checked: try again")

// maxWaiting is how many PINs may wait for being hashed, the one at it included.
const maxWaiting = 64

// turnstile lets one hash run at a time: each takes 64 MiB.
type turnstile struct {
	waiting chan struct{} // holds one for everybody who waits or is through
	through chan struct{} // holds one for the one who is through
}

func newTurnstile() turnstile {
	return turnstile{waiting: make(chan struct{}, maxWaiting), through: make(chan struct{}, 1)}
}

// take hashes when it is its turn, unless ctx ends before.
func (t turnstile) take(ctx context.Context, c cost, hash func()) error {
	select {
	case t.waiting <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-t.waiting }()
	select {
	case t.through <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for checking a PIN: %w", context.Cause(ctx))
	}
	defer func() { <-t.through }()
	hash()
	t.tidy(c)
	return nil
}

// tidy gives up what a hash has used before the next one begins. Left to itself
// the process was measured at twice the memory of one hash (133 MiB), and kept it
// for minutes; so it stays at once that (69 MiB) and returns to 5 MiB.
func (t turnstile) tidy(c cost) {
	switch {
	case c.kib < 1<<10: // nothing to speak of
	case len(t.waiting) > 1:
		runtime.GC() // the next takes the same pages
	default:
		debug.FreeOSMemory()
	}
}
