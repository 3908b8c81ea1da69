package judge

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
	"andon/internal/spec"
)

// word is what is heard of an input: a sample, or that it stands.
type word struct {
	t sample.Time
	v float64
}

// frozenFor works out when a value was unchanged for longer than allowed: from
// the change on, as far as words of the same value reach.
func frozenFor(words []word, allowed time.Duration) (want []turned) {
	want = []turned{{words[0].t, In}}
	since := words[0].t
	for i := 1; i < len(words); i++ {
		switch due := since.Add(allowed); {
		case words[i].v != words[i-1].v:
			if want[len(want)-1].Verdict == Out {
				want = append(want, turned{words[i].t, In})
			}
			since = words[i].t
		case words[i].t > due && want[len(want)-1].Verdict == In:
			want = append(want, turned{due, Out})
		}
	}
	return want
}

// TestFrozen: out exactly so long after the last change once it has stood longer,
// whether samples or confirmations say so, and however late they come.
func TestFrozen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		allowed := time.Duration(rapid.Int64Range(1, 5).Draw(rt, "for")) * time.Second
		j := judging(spec.Rule{Kind: spec.Frozen, For: allowed}, 1, time.Hour)
		words := []word{{secs(0), 7}}
		tell(j, secs(0), 7)
		for range rapid.IntRange(1, 30).Draw(rt, "words") {
			last := words[len(words)-1]
			w := word{last.t + sample.Time(rapid.SampledFrom([]int64{5e8, 1e9, 1e9, 2e9, 7e9}).Draw(rt, "dt")), last.v}
			if rapid.Bool().Draw(rt, "sample") {
				w.v = rapid.SampledFrom([]float64{7, 7, 8}).Draw(rt, "v")
				tell(j, w.t, w.v)
			} else {
				stands(j, w.t)
			}
			words = append(words, w)
		}
		sameVerdicts(rt, verdicts(j), frozenFor(words, allowed))
	})
}

// TestFrozenEdges: what ends a run of one value, and what does not.
func TestFrozenEdges(t *testing.T) {
	tests := []struct {
		name  string
		scope string
		steps func(j *Judge)
		want  []turned
	}{
		{"changed at the very instant", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			tell(j, secs(3), 2, 6)
		}, []turned{{secs(0), In}}},
		{"unchanged at the very instant", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			tell(j, secs(3), 1, 6)
			tell(j, secs(4), 2, 7)
		}, []turned{{secs(0), In}}},
		{"confirmed to the very instant", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			tell(j, secs(2), 1, 6)
			stands(j, secs(3))
			tell(j, secs(4), 2, 7)
		}, []turned{{secs(0), In}}},
		{"unchanged for as little longer as there is", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			tell(j, secs(3), 1, 6)
			tell(j, secs(3)+1, 1, 7)
		}, []turned{{secs(0), In}, {secs(3), Out}}},
		{"confirmed for as little longer as there is", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			tell(j, secs(2), 1, 6)
			j.Heard(0, secs(3)+1)
		}, []turned{{secs(0), In}, {secs(3), Out}}},
		{"both to the very instant", spec.AllInputs, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			tell(j, secs(3), 1, 5)
			tell(j, secs(4), 2, 6)
		}, []turned{{secs(0), In}}},
		{"both for as little longer as there is", spec.AllInputs, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			tell(j, secs(3), 1, 5)
			stands(j, secs(3)+1)
		}, []turned{{secs(0), In}, {secs(3), Out}}},
		{"lost at the very instant", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			j.Heard(0, secs(3))
			j.Gap(0, secs(3), 3)
		}, []turned{{secs(0), In}, {secs(3), Unknown}}},
		{"one of two, not asked for all", spec.AllInputs, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			tell(j, secs(2), 1, 6)
			tell(j, secs(4), 1, 6)
		}, []turned{{secs(0), In}}},
		{"both, from the later change", spec.AllInputs, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			tell(j, secs(2), 1, 6)
			stands(j, secs(9))
		}, []turned{{secs(0), In}, {secs(5), Out}}},
		{"lost while it stood: it had been too long by then", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			j.Heard(0, secs(4)) // the other has not been heard of since
			j.Gap(0, secs(4), 3)
		}, []turned{{secs(0), In}, {secs(3), Out}, {secs(4), Unknown}}},
		{"lost before: silence counts for nothing", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			j.Gap(0, secs(2), 3)
			tell(j, secs(4), 1, 6)
			tell(j, secs(6), 1, 7)
		}, []turned{{secs(0), In}, {secs(2), Unknown}, {secs(4), In}}},
		{"the same number with another sign of zero", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 0, 5)
			tell(j, secs(1), math.Copysign(0, -1), 6)
			tell(j, secs(4), 0, 7)
		}, []turned{{secs(0), In}, {secs(3), Out}}},
		{"unchanged since before the rule judged", spec.AnyInput, func(j *Judge) {
			tell(j, secs(0), 1, 5)
			j.Activate(secs(2), 3) // another revision: it counts from here, by the values that stand
			tell(j, secs(4), 1, 6)
			tell(j, secs(5), 1, 7)
			tell(j, secs(6), 1, 8)
		}, []turned{{secs(0), In}, {secs(5), Out}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := judging(spec.Rule{Kind: spec.Frozen, Scope: tt.scope, For: 3 * time.Second}, 2, time.Hour)
			tt.steps(j)
			got := verdicts(j)
			same := len(got) == len(tt.want)
			for i := range got {
				same = same && got[i] == tt.want[i]
			}
			if !same {
				t.Errorf("verdicts %v, want %v", got, tt.want)
			}
		})
	}
}
