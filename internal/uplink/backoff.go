package uplink

import "time"

// backoff is the pause before the next attempt to connect. Pauses are drawn
// anew each time from nothing up to a bound that doubles, so that a hundred
// gateways do not come back to a broker all at once.
type backoff struct {
	min, max time.Duration
	n        int
}

// floor keeps a loop of immediate failures from spinning.
const floor = 20 * time.Millisecond

// next returns the next pause; draw is uniform in [0, 1).
func (b *backoff) next(draw float64) time.Duration {
	bound := b.max
	if b.n < 32 {
		bound = min(b.max, b.min<<b.n)
	}
	if bound <= 0 { // shifted beyond what a duration holds
		bound = b.max
	}
	b.n++
	return max(floor, time.Duration(draw*float64(bound)))
}

func (b *backoff) reset() { b.n = 0 }
