package rehearse

import (
	"strings"
	"testing"
)

// TestRowIsOneScan: what a row says of the context holds for its own samples and
// not for those of the row before it, which stood in another phase.
func TestRowIsOneScan(t *testing.T) {
	soak := strings.Replace(strings.Replace(plain, "limit: 895", "limit: 895, when: [soak]", 1), "scope: {", "applies_when: {phase: [heat, soak]}\nscope: {", 1)
	for _, tt := range []struct {
		name, csv string
		found     int
	}{
		{"high in the phase before", "t,phase,tc1,tc2\n0,heat,900,900\n10,soak,885,885\n20,soak,885,885\n", 0},
		{"high as the phase begins", "t,phase,tc1,tc2\n0,heat,885,885\n10,soak,900,885\n20,soak,885,885\n", 1},
		{"context alone in a row", "t,phase,tc1,tc2\n0,heat,900,900\n10,soak,,\n20,soak,885,885\n", 1},
	} {
		if got := len(only(play(t, Options{}, soak, tt.csv), "deviation")); (got > 0) != (tt.found > 0) {
			t.Errorf("%s: %d revisions of deviations, want some: %v", tt.name, got, tt.found > 0)
		}
	}
}
