package people

import (
	"context"
	"errors"
	"fmt"
)

// ErrBusy: too many PINs are being checked; nothing was checked or counted.
var ErrBusy = errors.New("too many PINs are being checked: try again")

// maxWaiting is how many PINs may wait for being hashed.
const maxWaiting = 64

// turnstile lets one hash run at a time: each takes 64 MiB.
type turnstile struct {
	waiting chan struct{} // holds one for everybody who waits or is through
	through chan struct{} // holds one for the one who is through
}

func newTurnstile() turnstile {
	return turnstile{waiting: make(chan struct{}, maxWaiting), through: make(chan struct{}, 1)}
}

// enter waits for its turn; whoever got nil must leave.
func (t turnstile) enter(ctx context.Context) error {
	select {
	case t.waiting <- struct{}{}:
	default:
		return ErrBusy
	}
	select {
	case t.through <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-t.waiting
		return fmt.Errorf("wait for checking a PIN: %w", context.Cause(ctx))
	}
}

func (t turnstile) leave() {
	<-t.through
	<-t.waiting
}
