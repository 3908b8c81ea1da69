package panel

import (
	"testing"

	"andon/internal/sample"
)

func shownNumber(x float64) Value { return Value{Value: sample.FloatValue(x)} }

// TestOutWords: what is out of a rule about something else than the shown value
// is said, and its limits are no limits of that value.
func TestOutWords(t *testing.T) {
	low, high, usl := 2700.0, 4500.0, 895.0
	for _, tt := range []struct {
		name  string
		rules []Rule
		word  string
	}{
		{"soak not met", []Rule{{ID: "soak", Kind: "soak", Low: &low, High: &high, Class: "critical", Verdict: Out}}, "OUT: soak not met in the last operation"},
		{"rate", []Rule{{ID: "over", Kind: "high", High: &usl, Class: "major", Verdict: In}, {ID: "ramp", Kind: "rate", Low: &low, Class: "minor", Verdict: Out}}, "OUT: rate of change"},
		{"high", []Rule{{ID: "over", Kind: "high", High: &usl, Class: "major", Verdict: Out}}, "OUT HIGH"},
	} {
		p := Parameter{USL: &usl, Unit: "[degF]", Verdict: Out, Rules: tt.rules, Inputs: []Input{{Tag: "tc1", Quality: "good", Value: shownNumber(900)}}}
		if tt.name != "high" {
			p.Inputs[0].Value = shownNumber(880)
		}
		p.Show()
		if p.Shown.Word != tt.word || p.Shown.Limit != "" && p.Shown.Bar != nil && p.Shown.Bar.Low != nil {
			t.Errorf("%s: %q, low limit %v, want %q and none", tt.name, p.Shown.Word, p.Shown.Bar.Low, tt.word)
		}
	}
	p := Parameter{Verdict: Undecided, Inputs: []Input{{Tag: "tc1", Quality: "good", Value: shownNumber(880)}}}
	if p.Show(); p.Shown.Word != "decided at the end" {
		t.Errorf("under way: %q", p.Shown.Word)
	}
}
