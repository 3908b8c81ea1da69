package people

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"testing"
	"time"
)

// held is how many bytes the process has from the system.
func held() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() - s[1].Value.Uint64()
}

// peak watches how much is held until the returned function is called.
func peak() (stop func() uint64) {
	done, top := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		most := held()
		for {
			select {
			case <-done:
				top <- most
				return
			case <-tick.C:
				most = max(most, held())
			}
		}
	}()
	return func() uint64 { close(done); return <-top }
}

// TestBruteForce tries 50 wrong PINs at once: memory stays at that of about one
// hash, the id is locked, and every try is owed to the audit trail.
func TestBruteForce(t *testing.T) {
	s := withAnn(t)
	s.cost = cost{kib: 32 << 10, passes: 1, threads: 4} // 50 at once would take 1600 MiB
	if err := s.SetPIN(t.Context(), "ann", "802215", by(at0())); err != nil {
		t.Fatal(err)
	}
	debug.FreeOSMemory()
	before := held()
	stop := peak()
	const tries = 50
	var wg sync.WaitGroup
	results := make([]error, tries)
	for i := range tries {
		wg.Go(func() { _, results[i] = sign(s, "ann", annPIN, at0()) })
	}
	wg.Wait()
	if grown := int64(stop()) - int64(before); grown > 100<<20 {
		t.Errorf("%d MiB more were held, want about 32", grown>>20)
	}
	if left := int64(held()) - int64(before); left > 24<<20 {
		t.Errorf("%d MiB more are held afterwards", left>>20)
	}
	wrong, locked := 0, 0
	for _, err := range results {
		switch {
		case errors.Is(err, ErrLocked):
			locked++
		case errors.Is(err, ErrPIN):
			wrong++
		default:
			t.Errorf("%v, want a wrong PIN or a lock", err)
		}
	}
	if wrong != MaxWrong-1 || locked != tries-wrong {
		t.Errorf("%d wrong and %d locked, want %d and %d", wrong, locked, MaxWrong-1, tries-MaxWrong+1)
	}
	if got := len(record(t, s)); got != 2+tries+1 { // added, new PIN, the tries, the lock
		t.Errorf("%d entries owed, want %d", got, 2+tries+1)
	}
	if _, err := sign(s, "ann", "802215", at0().Add(LockFor)); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

// TestBusy: at most so many wait; who comes after them is told, and not counted.
func TestBusy(t *testing.T) {
	s := withAnn(t)
	s.turn.through <- struct{}{} // somebody is at it, and takes long
	ctx, hangUp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	results := make([]error, maxWaiting)
	for i := range results {
		wg.Go(func() { _, results[i] = s.Verify(ctx, signed(s, "ann", "999998", at0())) })
	}
	for len(s.turn.waiting) < maxWaiting {
		runtime.Gosched()
	}
	if _, err := sign(s, "ann", annPIN, at0()); !errors.Is(err, ErrBusy) {
		t.Errorf("%v, want ErrBusy", err)
	}
	if err := s.Add(t.Context(), New{"bob", "Bob Ray", Viewer, "802215"}, by(at0())); !errors.Is(err, ErrBusy) {
		t.Errorf("%v, want ErrBusy", err)
	}
	hangUp()
	wg.Wait()
	for _, err := range results {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that its client hung up", err)
		}
	}
	<-s.turn.through
	if _, err := sign(s, "ann", annPIN, at0()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if owed := record(t, s); len(owed) != 1 {
		t.Errorf("owed %+v: what was not checked was counted", owed)
	}
}

// TestHangUp: who hangs up once the PIN has been checked is counted all the same,
// also when that has to wait.
func TestHangUp(t *testing.T) {
	s := withAnn(t)
	unlock, ok, err := tryLock(s.disk.dir) // a command is changing the file
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	s.turn.through <- struct{}{}
	ctx, hangUp := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := s.Verify(ctx, signed(s, "ann", "999998", at0())); done <- err }()
	for len(s.turn.waiting) == 0 {
		runtime.Gosched()
	}
	<-s.turn.through
	for len(s.turn.waiting) > 0 {
		runtime.Gosched()
	}
	hangUp()
	select {
	case err := <-done:
		t.Fatalf("it gave up counting: %v", err)
	case <-time.After(10 * lockPoll):
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, ErrPIN) {
		t.Error(err)
	}
	if owed := record(t, s); owed[len(owed)-1].Kind != SignRefused {
		t.Errorf("owed %+v, want the refusal", owed)
	}
}

// TestSameTime: nobody learns from the time it takes whether there is an id, or
// whether it is locked. Only the order of magnitude can be held on a busy
// machine: what is skipped takes a hundredth.
func TestSameTime(t *testing.T) {
	s := withAnn(t)
	s.cost = cost{kib: 32 << 10, passes: 3, threads: 1}
	add(t, s, New{"bob", "Bob Ray", Operator, "802215"})
	add(t, s, New{"eve", "Eve Lim", Operator, "802215"})
	for range MaxWrong {
		if _, err := sign(s, "eve", "999998", at0()); err == nil {
			t.Fatal("signed with a wrong PIN")
		}
	}
	best := func(user string) time.Duration {
		d := time.Hour
		for range 3 {
			g := signed(s, user, "471199", at0())
			begun := time.Now()
			if _, err := s.Verify(t.Context(), g); err == nil {
				t.Fatal("signed with a wrong PIN")
			}
			d = min(d, time.Since(begun))
		}
		return d
	}
	known, unknown, locked := best("bob"), best("nobody"), best("eve")
	for name, d := range map[string]time.Duration{"unknown": unknown, "locked": locked} {
		if d < known/3 || d > known*3 {
			t.Errorf("an id that is %s takes %v, one that is known %v", name, d, known)
		}
	}
}
