// Package clock watches the gateway's own clock: whether it is synchronised, how
// far off it may be, and whether it has jumped. What it finds becomes inputs, so
// that every event says what the clock was worth.
//
// It reads the kernel's clock discipline (adjtimex, read only, which needs no
// privilege) and never sets anything.
package clock

import (
	"context"
	"time"
)

// State is what is known of the clock.
type State struct {
	// Source is "kernel" where the kernel says how it is disciplined (by NTP or
	// PTP), "none" where nobody can say.
	Source string
	// Synced is the kernel's word that something keeps the clock right.
	Synced bool
	// Offset is the discipline's estimate of the error, Uncertainty its bound.
	Offset, Uncertainty time.Duration
	// Step is how far the clock has jumped since the last look; 0 for not.
	Step time.Duration
}

// Bounds beyond which a change is worth an input.
const (
	offsetChange = 10 * time.Millisecond
	// stepSeen is the least jump that is one: slewing moves a clock by at most
	// 0.5 ms a second (adjtimex(2)), far less between two looks.
	stepSeen = 100 * time.Millisecond
)

// changed: now differs from what was told last by more than noise.
func (s State) changed(told State) bool {
	return s.Synced != told.Synced || s.Source != told.Source || s.Step != 0 || (s.Offset-told.Offset).Abs() > offsetChange
}

// Watch looks at the clock at every interval and calls tell with each change
// worth telling, first being what has been told already. It returns when ctx
// ends.
func Watch(ctx context.Context, first State, every time.Duration, tell func(State)) {
	t := time.NewTicker(every)
	defer t.Stop()
	last, told := time.Now(), first
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now, s := time.Now(), Read()
		s.Step = step(last, now)
		last = now
		if s.changed(told) {
			told = s
			told.Step = 0
			tell(s)
		}
	}
}

// step is how far the wall clock moved beyond the time that has passed.
func step(last, now time.Time) time.Duration {
	passed := now.Sub(last) // by the monotonic clock
	wall := now.Round(0).Sub(last.Round(0))
	if d := wall - passed; d.Abs() >= stepSeen {
		return d
	}
	return 0
}
