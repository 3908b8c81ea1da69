package judge

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"andon/internal/sample"
	"andon/internal/spec"
)

// drawJoined draws a rule that is about all inputs at one instant.
func drawJoined(rt *rapid.T) spec.Rule {
	scope := rapid.SampledFrom([]string{spec.AllInputs, spec.Mean, spec.Max, spec.Min}).Draw(rt, "scope")
	low, high := limit(-1), limit(1)
	chart := &spec.Charting{Kind: spec.Individuals, Sigma: 1, Rules: "western-electric", Per: spec.PerInterval, Every: 3 * time.Second, Take: spec.Mean, Subgroup: 1}
	return rapid.SampledFrom([]spec.Rule{
		{Kind: spec.Band, Scope: scope, Low: low, High: high, Deadband: 0.5},
		{Kind: spec.Rate, Scope: scope, Low: low, High: high, Window: 3 * time.Second, Per: time.Second},
		{Kind: spec.Envelope, Scope: scope, Profile: []spec.ProfilePoint{{T: 0, Low: -1, High: 0}, {T: 20 * time.Second, Low: 0, High: 3}}},
		{Kind: spec.Spread, Scope: spec.AllInputs, High: high},
		{Kind: spec.Frozen, Scope: spec.AllInputs, For: 3 * time.Second},
		{Kind: spec.SPC, Scope: spec.Mean, Chart: chart},
	}).Draw(rt, "rule")
}

// TestSplitOrTogether: rules about all inputs say the same whether the values
// of one instant come in one scan or in one each, in either order, and whether
// the judge looks after each or late.
func TestSplitOrTogether(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rule := drawJoined(rt)
		rule.OnDelay = rapid.SampledFrom([]time.Duration{0, 1500 * time.Millisecond}).Draw(rt, "on_delay")
		rule.OffDelay = rapid.SampledFrom([]time.Duration{0, 1500 * time.Millisecond}).Draw(rt, "off_delay")
		whole, split, late := judging(rule, 2, time.Minute), judging(rule, 2, time.Minute), judging(rule, 2, time.Minute)
		n := rapid.IntRange(2, 40).Draw(rt, "instants")
		for i := range n {
			at, values := secs(float64(i+1)), drawTwo(rt, i == 0)
			back := rapid.Bool().Draw(rt, "second first")
			whole.Scan(at, 2, values)
			late.Scan(at, 2, values)
			for k := range values {
				if back {
					k = len(values) - 1 - k
				}
				split.Scan(at, 2, values[k:k+1])
				split.Advance(split.S.Passed())
			}
			whole.Advance(whole.S.Passed())
		}
		end := secs(float64(n + 1))
		for _, j := range []*Judge{whole, split, late} {
			j.Advance(end)
		}
		if diff := cmp.Diff(logical(whole), logical(split)); diff != "" {
			rt.Fatalf("%+v: whole, split:\n%s", rule, diff)
		}
		if diff := cmp.Diff(logical(whole), logical(late)); diff != "" {
			rt.Fatalf("%+v: whole, late:\n%s", rule, diff)
		}
	})
}

// drawTwo draws values of one or both inputs.
func drawTwo(rt *rapid.T, both bool) (values []Value) {
	for k := range 2 {
		if k == 1 && len(values) == 0 || both || rapid.IntRange(0, 3).Draw(rt, "comes") > 0 {
			x := rapid.SampledFrom([]float64{-2, -1, 0, 0, 0.5, 1, 1.5, 3.5}).Draw(rt, "x")
			values = append(values, Value{Input: k, V: sample.FloatValue(x)})
		}
	}
	return values
}

// fact is a change as its event shows it.
type fact struct {
	What             What
	At, From, To     sample.Time
	Detected         sample.Time
	Worst            float64
	Outside, Samples int64
}

// logical are the changes of rule 0.
func logical(j *Judge) (list []fact) {
	for _, c := range j.Changes {
		if c.Rule == 0 {
			e := &c.Episode
			list = append(list, fact{c.What, c.At, e.From, e.To, e.DetectedAt, e.Worst.X, int64(e.Outside()), int64(e.Samples)})
		}
	}
	return list
}
