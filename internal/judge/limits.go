package judge

import (
	"math"

	"andon/internal/sample"
	"andon/internal/spec"
)

// measure turns a value into the number that a rule is about, and says where
// that number stands.
type measure struct {
	low, high float64 // inclusive limits; infinite where there is none
	deadband  float64
	expected  *sample.Value // of equals: the number is 0 when equal, 1 when not
}

func newMeasure(r *spec.Rule) measure {
	m := measure{low: math.Inf(-1), high: math.Inf(1), deadband: r.Deadband}
	switch r.Kind {
	case spec.Equals:
		m.expected, m.high = r.Expected, 0
	default:
		if r.Low != nil {
			m.low = *r.Low
		}
		if r.High != nil {
			m.high = *r.High
		}
	}
	return m
}

// of returns the number for a value; ok is false for a value the rule cannot
// be asked about (text under a numeric limit): it is unknown.
func (m *measure) of(v sample.Value) (x float64, ok bool) {
	if m.expected == nil {
		return v.Number()
	}
	if v.Equal(*m.expected) {
		return 0, true
	}
	return 1, true
}

// Takes says whether all of a parameter's rules can be asked about a value. One
// that they cannot (text under a numeric limit) is as good as none.
func (p *Parameter) Takes(v sample.Value) bool {
	for i := range p.rules {
		if _, ok := p.rules[i].of(v); !ok && !p.rules[i].missing {
			return false
		}
	}
	return true
}

// outside: beyond a limit itself. A value equal to a limit is in.
func (m *measure) outside(x float64) bool { return x > m.high || x < m.low }

// back: inside by at least the deadband, which ends what outside began.
func (m *measure) back(x float64) bool {
	return x <= m.high-m.deadband && x >= m.low+m.deadband
}

// beyond is how far x is outside, 0 when it is not: what worst is measured by.
func (m *measure) beyond(x float64) float64 {
	return finite(math.Max(0, math.Max(x-m.high, m.low-x)))
}

// finite keeps what is computed of huge values representable, in documents and
// saved states: it stops at the largest number there is.
func finite(x float64) float64 {
	return math.Max(-math.MaxFloat64, math.Min(math.MaxFloat64, x))
}

// side names the limit that x is beyond.
func (m *measure) side(x float64) string {
	switch {
	case m.expected != nil:
		return "not_equal"
	case x < m.low:
		return "low"
	default:
		return "high"
	}
}

// stepwise measures hold their value until the next one; others are taken to
// go straight from sample to sample.
func (m *measure) stepwise() bool { return m.expected != nil }
