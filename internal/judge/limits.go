package judge

import (
	"math"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// measure turns a value into the number that a rule is about, and says where
// that number stands.
type measure struct {
	low, high float64 // inclusive limits; infinite where there is none
	deadband  float64
	slack     float64       // by how much rounding alone may put a number beyond a limit that has been computed
	expected  *sample.Value // of equals: the number is 0 when equal, 1 when not
	step      bool          // holds its number until the next; others go straight from one to the next
	text      bool          // can be asked about text
}

func newMeasure(r *spec.Rule) measure {
	m := measure{low: math.Inf(-1), high: math.Inf(1), deadband: r.Deadband}
	switch r.Kind {
	case spec.Equals:
		m.expected, m.high, m.step, m.text = r.Expected, 0, true, true
	case spec.Frozen:
		m.high, m.step, m.text = r.For.Seconds(), true, true
	case spec.Window, spec.SPC:
		m.high, m.step = 0, true
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
	switch {
	case m.expected != nil && v.Equal(*m.expected):
		return 0, true
	case m.expected != nil:
		return 1, true
	case m.text:
		return 0, true // compared with itself only
	}
	return v.Number()
}

// Takes says whether all of a parameter's rules can be asked about a value. One
// that they cannot (text under a numeric limit) is as good as none.
func (p *Parameter) Takes(v sample.Value) bool {
	for i := range p.rules {
		if _, ok := p.rules[i].of(v); !ok && !p.rules[i].built {
			return false
		}
	}
	return true
}

// outside: beyond a limit itself. A value equal to a limit is in.
func (m *measure) outside(x float64) bool { return x > m.high+m.slack || x < m.low-m.slack }

// back: inside by at least the deadband, which ends what outside began.
func (m *measure) back(x float64) bool {
	return x <= m.high-m.deadband+m.slack && x >= m.low+m.deadband-m.slack
}

// rounding is the relative error that reading decimals and one or two
// operations on them can make: 8 units in the last place of a float64. A number
// that we have computed is not beyond a limit by that: two thermocouples at
// 120.3 and 118.3 differ by 2.
const rounding = 0x1p-49

// level returns the limit in place of a computed number that differs from it by
// no more than rounding; size is the size of what it was computed from.
func level(x, limit, size float64) float64 {
	if d := math.Abs(x - limit); !math.IsInf(d, 0) && d <= rounding*math.Abs(size) {
		return limit
	}
	return x
}

// level takes a computed number to the limit that it equals but for rounding.
func (m *measure) level(x, size float64) float64 {
	return level(level(x, m.low, size), m.high, size)
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
	if x < m.low {
		return "low"
	}
	return "high"
}

// at returns the measure of a rule at an instant: an envelope's limits go along
// with the time since the rule began to apply.
func (j *Judge) at(r int, t sample.Time) *measure {
	ru := &j.P.rules[r]
	if ru.Kind != spec.Envelope {
		return &ru.measure
	}
	j.envelope = ru.measure
	j.envelope.low, j.envelope.high = profileAt(ru.Profile, t.Sub(j.S.Rules[r].Begun))
	j.envelope.slack = rounding * math.Max(size(j.envelope.low), size(j.envelope.high))
	return &j.envelope
}

// profileAt are the limits of a profile at a time since its beginning: on a
// straight line between two points, and those of the first and the last point
// outside. Where a point has no limit there is none up to the next one, and one
// that the next point no longer has holds up to there.
func profileAt(profile []spec.ProfilePoint, d time.Duration) (low, high float64) {
	return profileIn(profile, after(profile, d), d)
}

// profileIn is profileAt on the line before point i.
func profileIn(profile []spec.ProfilePoint, i int, d time.Duration) (low, high float64) {
	switch {
	case i == 0:
		return profile[0].Low, profile[0].High
	case i == len(profile):
		return profile[i-1].Low, profile[i-1].High
	}
	a, b := &profile[i-1], &profile[i]
	return between(a.Low, b.Low, d-a.T, b.T-a.T), between(a.High, b.High, d-a.T, b.T-a.T)
}

// after is the position of the first point later than d.
func after(profile []spec.ProfilePoint, d time.Duration) int {
	lo, hi := 0, len(profile)
	for lo < hi {
		if mid := (lo + hi) / 2; profile[mid].T <= d {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// between is the part d of the way of length l from a to b; a where one of them
// is no limit.
func between(a, b float64, d, l time.Duration) float64 {
	switch {
	case math.IsInf(a, 0) || math.IsInf(b, 0):
		return a
	case math.IsInf(b-a, 0):
		f := float64(d) / float64(l)
		return a*(1-f) + b*f
	case d == l:
		return b
	}
	return a + (b-a)*(float64(d)/float64(l))
}

// size is a limit's, 0 of none.
func size(limit float64) float64 {
	if math.IsInf(limit, 0) {
		return 0
	}
	return math.Abs(limit)
}
