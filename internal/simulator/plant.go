package simulator

import (
	"math"
	"math/rand/v2"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// point is one value of one tag, as the plant put it out: the truth.
type point struct {
	T      sample.Time // source time
	V      sample.Value
	Q      sample.Quality
	Status string
}

// same says that a source which reports changes would not report q after p.
func (p point) same(q point) bool { return p.V == q.V && p.Q == q.Q && p.Status == q.Status }

// known says that the value may be judged.
func (p point) known() bool { return p.Q == sample.Good && p.V.Finite() }

// ladder are the values that matter about the limits: on them, a quarter beside
// them, at the deadbands' ends, far beyond. All are multiples of a quarter, so
// that means of two are exact.
var ladder = []float64{
	usl - 3, usl - 2.75, usl - 2, usl - 1.75, usl - 0.25, usl, usl + 0.25, usl + 2, usl + 3, usl + 5, usl + 5.25, usl + 12,
	lsl + 3, lsl + 2.75, lsl + 2, lsl + 1.75, lsl + 0.25, lsl, lsl - 0.25, lsl - 2, lsl - 3, lsl - 5, lsl - 5.25, lsl - 12,
}

// series is all that a tag does in a run. It has moods: calm, restless about
// one of the limits, and not to be trusted.
func series(p *Plan, tag int) []point {
	t := &p.Tags[tag]
	r := dice(p.Seed, 100+uint64(tag))
	m := mood{r: r, text: t.Text}
	first := start.Add(p.Sources[t.Source].Offset)
	first += sample.Time(t.Phase) - first%sample.Time(t.Every)
	var list []point
	for at := first; at < p.End; at = at.Add(t.Every) {
		list = append(list, m.next(at, at > start.Add(10*time.Second) && at < p.Calm))
	}
	return list
}

// mood is how a tag behaves just now.
type mood struct {
	r    *rand.Rand
	text bool
	left int // samples until the mood changes
	kind int
	last point
}

const (
	calm = iota
	restless
	faulty
)

func (m *mood) next(at sample.Time, wild bool) point {
	if m.left--; m.left <= 0 {
		m.turn()
	}
	if !wild {
		m.kind = calm
	}
	p := m.last
	if p.T == 0 || p.Q != sample.Good || m.kind != restless || !odds(m.r, 3) { // else it stays
		p = point{V: m.value()}
	}
	if m.kind == faulty {
		p = m.fault()
	}
	p.T = at
	m.last = p
	return p
}

func (m *mood) turn() {
	m.kind = chance(m.r, calm, restless, restless, restless, restless, restless, faulty)
	m.left = 1 + m.r.IntN(25)
	if m.kind == faulty {
		m.left = 1 + m.r.IntN(12)
	}
}

func (m *mood) value() sample.Value {
	switch {
	case m.text && m.kind == restless:
		return sample.StringValue(chance(m.r, "R-1", "R-1", "R-2", "R-3"))
	case m.text:
		return sample.StringValue("R-1")
	case m.kind == restless:
		return sample.FloatValue(chance(m.r, ladder...))
	}
	return sample.FloatValue(85 + float64(m.r.IntN(40))/4)
}

// fault is a value that must not be judged.
func (m *mood) fault() point {
	if m.last.Q != sample.Good && !odds(m.r, 4) {
		return m.last
	}
	p := point{V: m.value(), Q: sample.Bad, Status: "BadSensorFailure"}
	switch m.r.IntN(4) {
	case 0:
		p.Q, p.Status = sample.Uncertain, "UncertainLastUsableValue"
	case 1:
		if !m.text {
			p = point{V: sample.FloatValue(math.NaN())}
		}
	}
	return p
}

// number is what a rule makes of a value.
func (u *Rule) number(v sample.Value) float64 {
	if u.Kind == spec.Equals {
		if v.Text() == u.Expected {
			return 0
		}
		return 1
	}
	x, _ := v.Number()
	return x
}
