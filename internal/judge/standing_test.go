package judge

import (
	"testing"
	"time"

	"andon/internal/spec"
)

// TestOutsideStanding: what stands outside counts as far as it has been heard
// of, in the proven range only what is beyond it, and not in a gap; asking
// changes nothing.
func TestOutsideStanding(t *testing.T) {
	j := judging(spec.Rule{Kind: spec.High, High: limit(100)}, 2, time.Hour)
	j.P.par = &measure{low: 0, high: 115}
	check := func(step string, outside, beyond time.Duration) {
		t.Helper()
		before := j.S.Clone()
		gotO, gotB := j.P.Outside(j.S, 0)
		if gotO != outside || gotB != beyond {
			t.Errorf("%s: outside %v, beyond %v; want %v, %v", step, gotO, gotB, outside, beyond)
		}
		if again, _ := j.P.Outside(&before, 0); again != gotO || j.S.Rules[0].Episode != nil && j.S.Rules[0].Episode.Outside() != before.Rules[0].Episode.Outside() {
			t.Errorf("%s: asking has changed it", step)
		}
	}
	tell(j, secs(0), 90, 90)
	check("in", 0, 0)
	tell(j, secs(10), 110, 90)
	check("out", 5*time.Second, 0)
	j.Heard(0, secs(20))
	check("confirmed", 15*time.Second, 0)
	tell(j, secs(20), 120, 90)
	check("beyond the proven range", 15*time.Second, 0)
	j.Heard(0, secs(24))
	check("confirmed there", 19*time.Second, 4*time.Second)
	j.Heard(1, secs(40))
	check("the other one confirmed", 19*time.Second, 4*time.Second)
	j.Gap(0, secs(24), 3)
	check("lost", 15*time.Second, 0)
}
