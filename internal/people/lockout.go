package people

import "time"

const (
	// MaxWrong is how many wrong PINs in a row lock an id.
	MaxWrong = 5
	// LockFor is how long an id stays locked.
	LockFor = 15 * time.Minute
)

// tries is what is remembered of wrong PINs. The zero value is a clean slate.
// Its methods are pure: they return the state that follows.
type tries struct {
	Wrong    int       `json:"wrong,omitempty"`    // in a row, below MaxWrong
	LockedAt time.Time `json:"locked_at,omitzero"` // Wrong is then 0
}

// at is the state that holds at an instant: a lock that is over is gone, with
// the wrong PINs that led to it. A lock from an instant still to come (the clock
// was set back) counts from now, so that none lasts longer than LockFor.
func (t tries) at(now time.Time) tries {
	switch {
	case t.LockedAt.IsZero():
	case now.Before(t.LockedAt):
		t.LockedAt = instant(now)
	case now.Sub(t.LockedAt) >= LockFor:
		return tries{}
	}
	return t
}

// locked says whether the id is locked; it is for states that at has returned.
func (t tries) locked() bool { return !t.LockedAt.IsZero() }

// until is when the lock ends; zero when there is none.
func (t tries) until() time.Time {
	if !t.locked() {
		return time.Time{}
	}
	return t.LockedAt.Add(LockFor)
}

// wrong is what follows from one more wrong PIN. During a lock it changes
// nothing: trying on does not keep a person out for longer.
func (t tries) wrong(now time.Time) tries {
	t = t.at(now)
	if t.locked() {
		return t
	}
	t.Wrong++
	if t.Wrong >= MaxWrong {
		return tries{LockedAt: instant(now)}
	}
	return t
}

// instant is a time as files keep it: UTC, without the reading of the monotonic
// clock.
func instant(t time.Time) time.Time { return t.Round(0).UTC() }
