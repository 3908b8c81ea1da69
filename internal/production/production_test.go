package production

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"andon/internal/sample"
)

func TestTimeline(t *testing.T) {
	var c Context
	if got := c.At(Lot, 5).String(); got != Unknown {
		t.Errorf("before anything is heard: %q, want unknown", got)
	}
	sets := []struct {
		v       Value
		changed bool
	}{
		{Value{From: 10, Text: "L-1", Known: true}, true},
		{Value{From: 20, Text: "L-1", Known: true}, false},
		{Value{From: 30, Text: "L-2", Known: true}, true},
		{Value{From: 15, Text: "L-0", Known: true}, true}, // late: put in its place
		{Value{From: 40}, true},                           // its tag is in a gap
		{Value{From: 30, Text: "L-3", Known: true}, true}, // corrected at the same instant
	}
	for i, s := range sets {
		if got := c.Set(Lot, s.v); got != s.changed {
			t.Errorf("set %d: changed %v, want %v", i, got, s.changed)
		}
	}
	got := map[int64]string{}
	for _, at := range []int64{9, 10, 14, 15, 29, 30, 39, 40} {
		got[at] = c.At(Lot, sampleTime(at)).String()
	}
	want := map[int64]string{9: "unknown", 10: "L-1", 14: "L-1", 15: "L-0", 29: "L-0", 30: "L-3", 39: "L-3", 40: "unknown"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var during []string
	for _, v := range c.During(Lot, 12, 35) {
		during = append(during, v.String())
	}
	if diff := cmp.Diff([]string{"L-1", "L-0", "L-3"}, during); diff != "" {
		t.Error(diff)
	}
}

func TestMetNeedsToKnow(t *testing.T) {
	var c Context
	c.Set(Phase, Value{From: 10, Text: "soak", Known: true})
	c.Set(Phase, Value{From: 20})
	for _, tt := range []struct {
		at         int64
		met, known bool
	}{{5, false, false}, {10, true, true}, {20, false, false}} {
		if met, known := c.Met(Phase, []string{"heat", "soak"}, sampleTime(tt.at)); met != tt.met || known != tt.known {
			t.Errorf("at %d: met %v known %v, want %v %v", tt.at, met, known, tt.met, tt.known)
		}
	}
}

func TestKeepsABoundedPast(t *testing.T) {
	var c Context
	for i := range int64(3 * keep) {
		c.Set(Lot, Value{From: sampleTime(i), Text: string(rune('a' + i%2)), Known: true})
	}
	if n := len(c.Fields[Lot]); n != keep {
		t.Errorf("%d values kept, want %d", n, keep)
	}
}

func sampleTime(s int64) sample.Time { return sample.Time(s) }
