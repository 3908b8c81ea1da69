package judge

import (
	"fmt"
	"testing"
	"time"

	"andon/internal/sample"
)

// TestDelay walks a Delay through its table: on 5 s, off 3 s, rejoin 4 s.
func TestDelay(t *testing.T) {
	const on, off, rejoin = 5 * time.Second, 3 * time.Second, 4 * time.Second
	type step struct {
		what string // out, in, unknown, fire
		at   int
		want string // phase, due, what was said
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"raised and cleared", []step{
			{"out", 10, "pending 15 0"}, {"out", 12, "pending 15 0"}, {"fire", 0, "raised 0 1"},
			{"in", 20, "clearing 23 0"}, {"fire", 0, "lingering 27 3"}, {"fire", 0, "idle 0 5"}}},
		{"back before the on-delay", []step{{"out", 10, "pending 15 0"}, {"in", 14, "idle 0 4"}}},
		{"out again before the off-delay", []step{
			{"out", 10, "pending 15 0"}, {"fire", 0, "raised 0 1"}, {"in", 20, "clearing 23 0"}, {"out", 22, "raised 0 0"},
			{"in", 30, "clearing 33 0"}, {"fire", 0, "lingering 37 3"}}},
		{"out again within the rejoin time", []step{
			{"out", 10, "pending 15 0"}, {"fire", 0, "raised 0 1"}, {"in", 20, "clearing 23 0"}, {"fire", 0, "lingering 27 3"}, {"out", 25, "raised 0 2"}}},
		{"a gap suspends the on-delay", []step{
			{"out", 10, "pending 15 0"}, {"unknown", 12, "pending 0 0"}, {"unknown", 14, "pending 0 0"}, {"out", 30, "pending 33 0"}, {"fire", 0, "raised 0 1"}}},
		{"a gap restarts the off-delay", []step{
			{"out", 10, "pending 15 0"}, {"fire", 0, "raised 0 1"}, {"in", 20, "clearing 23 0"}, {"unknown", 21, "clearing 0 0"}, {"in", 40, "clearing 43 0"}}},
		{"raised through a gap", []step{
			{"out", 10, "pending 15 0"}, {"fire", 0, "raised 0 1"}, {"unknown", 21, "raised 0 0"}, {"in", 40, "clearing 43 0"}}},
	} {
		var d Delay
		for i, s := range tt.steps {
			at := sample.Time(s.at) * sec
			var said said
			switch s.what {
			case "out":
				said = d.out(at, on)
			case "in":
				said = d.in(at, off, rejoin)
			case "unknown":
				d.unknown(at)
			case "fire":
				said, _ = d.fire(rejoin)
			}
			if got := fmt.Sprintf("%v %d %d", d.Phase, d.Due/sec, said); got != s.want {
				t.Errorf("%s: step %d, %s at %d: %s, want %s", tt.name, i, s.what, s.at, got, s.want)
			}
		}
	}
}

// TestNoDelays raises and clears at once.
func TestNoDelays(t *testing.T) {
	var d Delay
	if s := d.out(10*sec, 0); s != raised || d.Phase != Raised {
		t.Errorf("out: said %d, %v", s, d.Phase)
	}
	if s := d.in(11*sec, 0, 0); s != cleared || d.Phase != Lingering || d.Due != 11*sec {
		t.Errorf("in: said %d, %v until %d", s, d.Phase, d.Due/sec)
	}
}
