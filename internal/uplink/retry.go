package uplink

import "time"

// retry decides when the oldest entry of a lane is sent again. It reads no
// clock.
type retry struct {
	first, max time.Duration // the first wait for a receipt, and the longest
	burstMax   int

	oldest uint64    // the oldest entry that is not receipted, 0 for none
	since  time.Time // when it was last sent, or became the oldest
	tries  int       // how often it was sent again without effect
	burst  int       // how many messages go next time
	upTo   uint64    // set while recovering: what had been sent when it began
	mark   uint64    // the last number that was sent again
	now    bool      // due without waiting
}

// observe tells the lane's oldest entry as it is now.
func (r *retry) observe(oldest uint64, now time.Time) {
	if oldest == r.oldest {
		return
	}
	r.oldest, r.since, r.tries, r.now = oldest, now, 0, false
	switch {
	case r.upTo == 0:
	case oldest == 0 || oldest > r.upTo:
		r.upTo, r.mark = 0, 0 // recovered
	case oldest > r.mark: // the whole burst has been receipted
		r.burst, r.now = min(2*r.burst, r.burstMax), true
	}
}

// sent tells that numbers first to last are on their way.
func (r *retry) sent(first, last uint64, now time.Time) {
	if first <= r.oldest && r.oldest <= last {
		r.since = now
	}
}

// nudge makes the oldest entry due, unless it was sent just now: it is a sign
// that the way is open, not an answer to what we sent.
func (r *retry) nudge(now time.Time) {
	if r.oldest != 0 && now.Sub(r.since) >= r.first/6 {
		r.now = true
	}
}

// reconnected makes the oldest entry due: what the broker had acknowledged it
// may have lost.
func (r *retry) reconnected(sentTo uint64) {
	r.now, r.tries, r.upTo = r.oldest != 0 && r.oldest <= sentTo, 0, 0
}

// due says when the oldest entry is to be sent again, if it has been sent at
// all, that is up to sentTo. A zero time is at once.
func (r *retry) due(sentTo uint64) (at time.Time, ok bool) {
	if r.oldest == 0 || r.oldest > sentTo {
		return time.Time{}, false
	}
	if r.now {
		return time.Time{}, true
	}
	return r.since.Add(r.wait()), true
}

// wait is how long the oldest entry waits for its receipt.
func (r *retry) wait() time.Duration {
	d := r.first
	for range r.tries {
		if d *= 2; d >= r.max {
			return r.max
		}
	}
	return d
}

// fire begins a sending again and returns how many messages it is to have: one
// to find out whether the way is open, more for as long as it is.
func (r *retry) fire(sentTo uint64, now time.Time) int {
	if r.upTo == 0 {
		r.upTo, r.burst = sentTo, 1
	}
	if r.tries > 0 {
		r.burst = 1
	}
	r.since, r.now = now, false
	r.tries++
	return r.burst
}

// fired tells the last number that was sent again.
func (r *retry) fired(last uint64) { r.mark = last }
