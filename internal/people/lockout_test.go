package people

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLockoutProperties plays tries at instants that mostly go forward against
// what lockout promises.
func TestLockoutProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s tries
		now := at0()
		inRow := 0           // wrong PINs since the last right one or lock
		var locked time.Time // instant of the lock that holds, as we reckon it
		back := rapid.Bool().Draw(t, "clock may go back")
		for range rapid.IntRange(1, 60).Draw(t, "tries") {
			step := rapid.Int64Range(0, int64(LockFor/3)).Draw(t, "step")
			if back && rapid.IntRange(0, 9).Draw(t, "back") == 0 {
				step = -rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "by")
			}
			now = now.Add(time.Duration(step))
			if !locked.IsZero() && now.Before(locked) {
				locked = now
			}
			if !locked.IsZero() && now.Sub(locked) >= LockFor {
				locked = time.Time{}
			}
			s = s.at(now)
			if s.locked() != !locked.IsZero() {
				t.Fatalf("at %v: locked %v, want the lock of %v", now, s.locked(), locked)
			}
			if left := s.until().Sub(now); s.locked() && (left <= 0 || left > LockFor) {
				t.Fatalf("at %v: %v left of the lock", now, left)
			}
			if s != s.at(now) {
				t.Fatalf("at %v: a second look changes %+v", now, s)
			}
			if !s.locked() && rapid.IntRange(0, 5).Draw(t, "right") == 0 {
				s, inRow = tries{}, 0
				continue
			}
			was := s
			s = s.wrong(now)
			if was.locked() {
				if s != was {
					t.Fatalf("at %v: a wrong PIN changes the lock: %+v, was %+v", now, s, was)
				}
				continue
			}
			if inRow++; inRow == MaxWrong {
				inRow, locked = 0, now
			}
			if s.locked() != !locked.IsZero() || !s.locked() && s.Wrong != inRow {
				t.Fatalf("at %v: %+v after %d wrong PINs in a row", now, s, inRow)
			}
		}
	})
}

func wantLocked(t *testing.T, err error, until time.Time) {
	t.Helper()
	var l *LockedError
	if !errors.As(err, &l) || !errors.Is(err, ErrLocked) {
		t.Fatalf("error %v, want a lock", err)
	}
	if !l.Until.Equal(until) {
		t.Fatalf("locked until %v, want %v", l.Until, until)
	}
}

// lockAnn tries four times and once more.
func lockAnn(t *testing.T, s *Store) {
	t.Helper()
	for i := range MaxWrong - 1 {
		if _, err := sign(s, "ann", "999998", at0()); !errors.Is(err, ErrPIN) || errors.Is(err, ErrLocked) {
			t.Fatalf("try %d: %v", i+1, err)
		}
	}
	_, err := sign(s, "Ann", "999998", at0())
	wantLocked(t, err, at0().Add(LockFor))
}

//andon:req Q17
func TestLockout(t *testing.T) {
	s := withAnn(t)
	add(t, s, New{"bob", "Bob Ray", Operator, "802215"})
	lockAnn(t, s)
	for name, pin := range map[string]string{"right": annPIN, "wrong": "999998"} {
		_, err := sign(s, "ann", pin, at0().Add(LockFor-1))
		if wantLocked(t, err, at0().Add(LockFor)); errors.Is(err, ErrPIN) {
			t.Errorf("%s PIN during the lock: %v tells which", name, err)
		}
	}
	if _, err := sign(s, "bob", "802215", at0()); err != nil {
		t.Errorf("another id is locked too: %v", err)
	}
	// a restart does not help
	s = openCheap(t, s.disk.dir)
	_, err := sign(s, "ann", annPIN, at0().Add(LockFor-1))
	wantLocked(t, err, at0().Add(LockFor))
	list, err := s.List(at0().Add(LockFor - 1))
	if err != nil || !list[0].LockedUntil.Equal(at0().Add(LockFor)) || !list[1].LockedUntil.IsZero() {
		t.Errorf("%v, list %+v", err, list)
	}
	if _, err := sign(s, "ann", annPIN, at0().Add(LockFor)); err != nil {
		t.Errorf("after the lock: %v", err)
	}
	if list, err = s.List(at0().Add(LockFor)); err != nil || !list[0].LockedUntil.IsZero() {
		t.Errorf("%v, after the lock: %+v", err, list[0])
	}
}

func TestRightPINForgives(t *testing.T) {
	s := withAnn(t)
	for range 3 {
		for range MaxWrong - 1 {
			if _, err := sign(s, "ann", "999998", at0()); !errors.Is(err, ErrPIN) {
				t.Fatal(err)
			}
		}
		if _, err := sign(s, "ann", annPIN, at0()); err != nil {
			t.Fatal(err)
		}
	}
}

//andon:req Q17
func TestCountSurvivesRestart(t *testing.T) {
	s := withAnn(t)
	for range MaxWrong - 1 {
		if _, err := sign(s, "ann", "999998", at0()); !errors.Is(err, ErrPIN) {
			t.Fatal(err)
		}
		s = openCheap(t, s.disk.dir)
	}
	_, err := sign(s, "ann", "999998", at0())
	wantLocked(t, err, at0().Add(LockFor))
}

func TestNewPINEndsLock(t *testing.T) {
	s := withAnn(t)
	lockAnn(t, s)
	if err := s.SetPIN(t.Context(), "ann", "802215", by(at0())); err != nil {
		t.Fatal(err)
	}
	if _, err := sign(s, "ann", "802215", at0()); err != nil {
		t.Error(err)
	}
	if _, err := sign(s, "ann", annPIN, at0()); !errors.Is(err, ErrPIN) {
		t.Errorf("the old PIN: %v", err)
	}
	owed, err := s.Unrecorded()
	if err != nil {
		t.Fatal(err)
	}
	i := len(owed) - 2 // before the refusal of the old PIN
	if owed[i].Kind != UserPIN || owed[i].Old != "a PIN, locked" || owed[i].New != "another PIN" {
		t.Errorf("on the audit trail: %+v", owed[i])
	}
}

// TestDisabledIsLockedToo: who is disabled can be guessed at no more often.
//
//andon:req Q17
func TestDisabledIsLockedToo(t *testing.T) {
	s := withAnn(t)
	if err := s.Disable(t.Context(), "ann", by(at0())); err != nil {
		t.Fatal(err)
	}
	lockAnn(t, s)
}
