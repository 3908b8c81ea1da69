package clock

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

//andon:req Q26
func TestStep(t *testing.T) {
	now := time.Now()
	if d := step(now, now.Add(time.Minute)); d != 0 {
		t.Errorf("a minute passed on both clocks: step %v", d)
	}
}

//andon:req Q26
func TestChanged(t *testing.T) {
	told := State{Source: "kernel", Synced: true, Offset: time.Millisecond}
	for _, tt := range []struct {
		name string
		now  State
		want bool
	}{
		{"same", told, false},
		{"noise", State{Source: "kernel", Synced: true, Offset: 5 * time.Millisecond}, false},
		{"offset", State{Source: "kernel", Synced: true, Offset: -20 * time.Millisecond}, true},
		{"lost", State{Source: "kernel", Offset: time.Millisecond}, true},
		{"step", State{Source: "kernel", Synced: true, Offset: time.Millisecond, Step: time.Second}, true},
	} {
		if got := tt.now.changed(told); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestWatch tells a first state that is not what the kernel says once, and then
// nothing while nothing changes.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		first := Read()
		first.Synced = !first.Synced
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		Watch(ctx, first, time.Second, func(State) { told++ })
		if told != 1 {
			t.Errorf("told %d times, want once", told)
		}
	})
}
