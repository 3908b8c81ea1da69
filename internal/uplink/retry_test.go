package uplink

import (
	"testing"
	"time"
)

var zero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return zero.Add(d) }

func newRetry() retry { return retry{first: time.Minute, max: 15 * time.Minute, burstMax: 100} }

// Nobody answers: the waits double up to the longest, and one message goes each
// time.
func TestRetryBacksOff(t *testing.T) {
	r := newRetry()
	r.observe(5, zero)
	r.sent(5, 5, zero)
	now := zero
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		at, ok := r.due(10)
		if !ok || at.Sub(now) != want {
			t.Fatalf("due after %v (%v), want %v", at.Sub(now), ok, want)
		}
		now = at
		if n := r.fire(10, now); n != 1 {
			t.Fatalf("%d messages go, want 1", n)
		}
		r.fired(5)
	}
}

func TestRetryOfWhatWasNotSentIsNotDue(t *testing.T) {
	r := newRetry()
	r.observe(5, zero)
	if at, ok := r.due(4); ok {
		t.Errorf("due at %v, want never: it was not sent", at)
	}
	r.observe(0, zero)
	if at, ok := r.due(9); ok {
		t.Errorf("due at %v, want never: nothing is outstanding", at)
	}
}

// The way opens: bursts double until what had been sent before is receipted.
func TestRetryRecovers(t *testing.T) {
	r := newRetry()
	r.observe(1, zero)
	next := uint64(1)
	if n := r.fire(1000, after(time.Minute)); n != 1 {
		t.Fatalf("first burst %d, want 1", n)
	}
	r.fired(1)
	for _, want := range []int{2, 4, 8, 16, 32, 64, 100, 100} {
		r.observe(r.mark+1, after(time.Minute))
		if at, ok := r.due(1000); !ok || !at.IsZero() {
			t.Fatalf("after a receipted burst: due %v, %v, want at once", at, ok)
		}
		n := r.fire(1000, after(time.Minute))
		if n != want {
			t.Fatalf("burst %d, want %d", n, want)
		}
		next = r.oldest + uint64(n) - 1
		r.fired(next)
	}
	r.observe(next, after(time.Minute)) // a part of the burst only: wait for the rest
	if at, _ := r.due(1000); at.IsZero() {
		t.Error("due at once while the burst is under way")
	}
	r.observe(1001, after(time.Minute)) // beyond what had been sent when it began
	if r.upTo != 0 {
		t.Errorf("still recovering up to %d", r.upTo)
	}
}

func TestNudgeIsNoAnswerToASending(t *testing.T) {
	r := newRetry()
	r.observe(5, zero)
	r.nudge(after(time.Second)) // it may answer what was sent just now
	if at, _ := r.due(10); at.IsZero() {
		t.Error("due at once, want after the time-out")
	}
	r.nudge(after(30 * time.Second))
	if at, ok := r.due(10); !ok || !at.IsZero() {
		t.Errorf("due at %v, want at once", at)
	}
	idle := newRetry()
	idle.nudge(after(time.Hour))
	idle.observe(1, after(time.Hour))
	if at, _ := idle.due(10); at.IsZero() {
		t.Error("a nudge of an empty lane made its next entry due twice")
	}
}

func TestBackoff(t *testing.T) {
	b := backoff{min: 500 * time.Millisecond, max: time.Minute}
	want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute}
	for i, w := range want {
		if got := b.next(0.999999999); got > w || got < w-w/100 {
			t.Errorf("pause %d is at most %v, want %v", i, got, w)
		}
	}
	if got := b.next(0); got != floor {
		t.Errorf("the shortest pause is %v, want %v", got, floor)
	}
	b.n = 500 // years of trying
	if got := b.next(0.5); got != 30*time.Second {
		t.Errorf("pause %v, want 30s", got)
	}
	b.reset()
	if got := b.next(0.999999999); got > 500*time.Millisecond {
		t.Errorf("pause %v after a good connection, want at most 500ms", got)
	}
}

func TestSuspect(t *testing.T) {
	at := func(n uint64) pick { return pick{Message: Message{Lane: laneQuality, First: n}} }
	s := suspect{window: 3}
	for i := range 2 {
		if s.died(at(7)) || s.careful > 0 {
			t.Fatalf("suspected after %d deaths", i+1)
		}
	}
	if s.died(at(8)) || s.careful > 0 {
		t.Fatal("deaths with another message were counted together")
	}
	s.died(at(8))
	if s.died(at(8)); s.careful != 3 {
		t.Fatalf("careful %d after three deaths, want 3", s.careful)
	}
	s.acked(at(8)) // alone it passes: the culprit comes after it
	if s.died(at(9)) {
		t.Fatal("poison after one death alone")
	}
	if !s.died(at(9)) {
		t.Fatal("no poison after two deaths alone")
	}
	s.acked(at(10))
	if s.acked(at(11)); s.careful != 0 {
		t.Errorf("careful %d after a window of good messages, want 0", s.careful)
	}
}

func TestTopics(t *testing.T) {
	for _, bad := range []string{"a b", "a/b", "+", "#", "", "$x", "ü", "x\x00"} {
		if _, err := newTopics("", bad); err == nil {
			t.Errorf("gateway id %q was taken", bad)
		}
	}
	for _, bad := range []string{"/", "a//", "a b/", "$SYS/", "+/"} {
		if tp, err := newTopics(bad, "g1"); err == nil {
			t.Errorf("prefix %q was taken: %s", bad, tp.up("state"))
		}
	}
	tp, err := newTopics("acme/plant1/", "line2-ipc1")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tp.up("quality/gap"), "acme/plant1/andon/v1/line2-ipc1/up/quality/gap"; got != want {
		t.Errorf("topic %s, want %s", got, want)
	}
	if got, want := tp.receipt(), "acme/plant1/andon/v1/line2-ipc1/down/receipt"; got != want {
		t.Errorf("topic %s, want %s", got, want)
	}
}
