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

// TestLeftOut: where some parameters have all their inputs, the others are left
// out, and nothing is said of them but that.
func TestLeftOut(t *testing.T) {
	two := plain + `  - id: quench
    inputs: [delay]
    unit: "[degF]"
    sampling: {interval: 10s, max_gap: 30s}
    rules: [{id: late, kind: high, limit: 15}]
`
	var notes []string
	list := play(t, Options{Until: Until{At: at(200)}, Note: func(s string) { notes = append(notes, s) }}, two, "t,tc1,tc2\n0,900,900\n10,900,900\n20,900,900\n30,880,880\n")
	if len(notes) != 1 || notes[0] != "run.csv: quench is not rehearsed: there is no column for delay" {
		t.Errorf("notes %q", notes)
	}
	found := false
	for _, l := range list {
		found = found || strings.Contains(string(l.raw), `"over"`)
		if strings.Contains(string(l.raw), "quench") || strings.Contains(string(l.raw), "/delay") {
			t.Errorf("of what is not rehearsed: %s", l.raw)
		}
	}
	if !found {
		t.Error("the parameter that has its inputs was not judged")
	}
}
