package judge

import (
	"slices"
	"testing"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// opened are the instants at which events of rule 0 opened and cleared, in ms.
func opened(scope string, r spec.Rule, steps func(j *Judge)) (list []int) {
	usl := 100.0
	r.ID, r.Kind, r.Scope, r.High = "r", spec.High, scope, &usl
	p := NewParameter(&spec.Parameter{ID: "p", Inputs: []string{"a", "b"}, Rules: []spec.Rule{r}}, 3*time.Second, nil)
	s := NewState(p, 0)
	j := &Judge{P: p, S: &s, Applies: func(int, sample.Time) Applies { return Yes }}
	steps(j)
	for _, c := range j.Changes {
		if c.Rule == 0 && (c.What == EventOpened || c.What == EventCleared) {
			list = append(list, int(c.At/1e6))
		}
	}
	return list
}

// at gives inputs values at an instant in ms; nil for none.
func at(j *Judge, ms int, a, b *float64) {
	t := sample.Time(ms) * 1e6
	var vs []Value
	for i, x := range []*float64{a, b} {
		if x != nil {
			vs = append(vs, Value{Input: i, V: sample.FloatValue(*x)})
		}
	}
	j.Scan(t, 1, vs)
	if p := j.S.Passed(); p > 0 {
		j.Advance(p)
	}
}

func gap(j *Judge, ms, input int) {
	j.Gap(input, sample.Time(ms)*1e6, 1)
	if p := j.S.Passed(); p > 0 {
		j.Advance(p)
	}
}

func x(v float64) *float64 { return &v }

// TestReach: what several inputs say at the edges of gaps.
func TestReach(t *testing.T) {
	tests := []struct {
		name  string
		scope string
		rule  spec.Rule
		steps func(j *Judge)
		want  []int
	}{
		{"an all-inputs sample at the last good instant before a gap is judged", spec.Max, spec.Rule{}, func(j *Judge) {
			at(j, 0, x(90), x(90))
			at(j, 1000, x(110), nil)          // waits for b
			j.Heard(1, sample.Time(1200)*1e6) // b has not changed
			gap(j, 1000, 0)                   // a's next one is bad
			at(j, 2000, x(90), x(90))
		}, []int{1000, 2000}},
		{"a timer at the last good instant before a gap fires", spec.AnyInput, spec.Rule{EventDelay: time.Second}, func(j *Judge) {
			at(j, 0, x(90), x(90))
			at(j, 1000, x(110), nil)
			at(j, 2000, x(110), nil) // b heard of up to 0 only
			gap(j, 2000, 0)
			at(j, 3000, x(90), x(90))
		}, []int{2000, 3000}},
		{"another input does not let an on-delay pass", spec.AnyInput, spec.Rule{EventDelay: time.Second}, func(j *Judge) {
			at(j, 0, x(90), x(90))
			at(j, 1000, x(110), x(90))
			at(j, 2500, nil, x(90))
			gap(j, 1000, 0) // a was known to be out at 1 s only
			at(j, 3000, x(90), x(90))
		}, nil},
		{"another input does not let an off-delay pass", spec.AnyInput, spec.Rule{OffDelay: time.Second}, func(j *Judge) {
			at(j, 0, x(110), x(90))
			at(j, 1000, x(90), x(90))
			at(j, 2500, x(90), nil)
			gap(j, 1000, 1) // b is known to be in up to 1 s only
			at(j, 4000, x(90), x(90))
			at(j, 5500, x(90), x(90))
		}, []int{0, 5000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := opened(tt.scope, tt.rule, tt.steps); !slices.Equal(got, tt.want) {
				t.Errorf("opened and cleared at %v ms, want %v", got, tt.want)
			}
		})
	}
}

// TestMissingAtStart: two inputs that are late at the start, and found one
// after the other at the same instant: unknown for 4 s, less than the 5 s
// allowed, is no loss of monitoring.
func TestMissingAtStart(t *testing.T) {
	usl := 100.0
	p := NewParameter(&spec.Parameter{ID: "p", Inputs: []string{"a", "b"}, MissingData: spec.MissingData{UpTo: 5 * time.Second},
		Rules: []spec.Rule{{ID: "r", Kind: spec.High, Scope: spec.AnyInput, High: &usl}}}, 3*time.Second, nil)
	s := NewState(p, 0)
	j := &Judge{P: p, S: &s, Applies: func(int, sample.Time) Applies { return Yes }}
	j.Gap(0, 0, 1)
	at(j, 4000, x(90), nil) // a is there; b has never been seen
	j.Gap(1, 0, 2)          // and was silent too
	at(j, 4000, nil, x(90))
	for _, c := range j.Changes {
		if c.Rule == 1 && c.What == EventOpened {
			t.Errorf("loss of monitoring told from %v ms, detected at %v ms", int64(c.Episode.From)/1e6, int64(c.Episode.DetectedAt)/1e6)
		}
	}
}
