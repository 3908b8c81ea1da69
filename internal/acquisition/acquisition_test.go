package acquisition

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	b := Backoff{First: 200 * time.Millisecond, Most: 10 * time.Second}
	for attempt, most := range map[int]time.Duration{0: b.First, 1: 2 * b.First, 3: 8 * b.First, 6: b.Most, 100: b.Most} {
		for range 100 {
			if d := b.Delay(attempt); d < most/2 || d > most {
				t.Fatalf("attempt %d: %v, want %v to %v", attempt, d, most/2, most)
			}
		}
	}
}
