package rehearse

import (
	"encoding/json"
	"testing"
)

// TestResultGaps: a result says how long nobody looked, and leaves the word out
// where somebody did all the time.
func TestResultGaps(t *testing.T) {
	got := play(t, Options{}, head+`  - id: temp
    inputs: [tc1]
    unit: Cel
    sampling: {interval: 10s, max_gap: 20s}
    rules: [{id: peak, kind: peak, max: 100}]
`, "t,lot,tc1\n0,L1,90\n10,L1,90\n20,L1,bad\n30,L1,90\n40,L2,90\n50,L2,90\n60,L2,90\n")
	var gaps []string
	for _, l := range got {
		if l.Type != "result" {
			continue
		}
		var x struct {
			GapsS json.RawMessage `json:"gaps_s"`
		}
		if err := json.Unmarshal(l.raw, &x); err != nil {
			t.Fatal(err)
		}
		gaps = append(gaps, string(x.GapsS))
	}
	if len(gaps) != 2 || gaps[0] != "20" || gaps[1] != "" {
		t.Errorf("gaps_s of the results: %q, want 20 and none", gaps)
	}
}
