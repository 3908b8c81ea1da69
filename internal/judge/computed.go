package judge

import (
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// Mean is the mean of a computed number over an operation, by trapezoids. What
// was not known earns nothing and weighs nothing.
type Mean struct {
	Known  bool        `json:"known,omitempty"`
	T      sample.Time `json:"t"`
	X      float64     `json:"x"`
	From   sample.Time `json:"from,omitempty"` // when the operation began: nothing before counts
	Sum    float64     `json:"sum"`            // of the number over time, in seconds
	Weight float64     `json:"weight"`         // seconds
}

// compute makes the computed value of the inputs that stand at the instant of
// points; rest are the points behind them.
func (j *Judge) compute(points, rest []Point, t sample.Time, turn Turn) {
	c := j.P.Spec.Computed
	if c == nil {
		return
	}
	x, ok := j.computation(c)
	if c.Over == spec.OverOperation {
		held, fresh := heldOf(points, t)
		switch m := &j.S.Mean; {
		case !ok:
			m.stand(min(held, j.stoodAll(t, rest)))
			m.Known = false
		case fresh, !m.Known:
			m.add(XY{t, x}, held, j.P.MaxGap)
		}
		if turn&Begun != 0 {
			j.S.Mean = Mean{Known: j.S.Mean.Known, T: j.S.Mean.T, X: j.S.Mean.X, From: t}
		}
		if ok {
			x, ok = c.Back(j.S.Mean.value())
		}
	}
	j.computed = Latest{Known: ok}
	if ok {
		j.computed.V = sample.Exact{Value: sample.FloatValue(x)}
	}
}

// computation is the number made of the inputs that stand.
func (j *Judge) computation(c *spec.Computed) (x float64, ok bool) {
	j.inputs = j.inputs[:0]
	for i := range j.S.Latest {
		x, ok := j.S.Latest[i].V.Value.Number()
		if !ok || !j.S.Latest[i].Known {
			return 0, false
		}
		j.inputs = append(j.inputs, x)
	}
	return c.Value(j.inputs)
}

// heldOf is how long the values before points are known to have stood; fresh
// says whether there are values among them.
func heldOf(points []Point, t sample.Time) (held sample.Time, fresh bool) {
	held = t
	for i := range points {
		if points[i].Turn == 0 && !points[i].Gap {
			held, fresh = min(held, points[i].Held), true
		}
	}
	return held, fresh
}

// add takes the mean on to p. held is how long the last number is known to have
// stood; what is longer than the largest gap is not counted.
func (m *Mean) add(p XY, held sample.Time, maxGap time.Duration) {
	if m.Known {
		p.T = max(p.T, m.T) // as in earn
		held = min(max(held, m.T), p.T)
		m.along(Span{m.T, held}, m.X, m.X)
		if p.T.Sub(held) <= maxGap {
			m.along(Span{held, p.T}, m.X, p.X)
		}
	}
	m.Known, m.T, m.X = true, p.T, p.X
}

// stand takes the mean on to the last instant at which its number is known to
// have stood.
func (m *Mean) stand(held sample.Time) {
	if m.Known && held > m.T {
		m.along(Span{m.T, held}, m.X, m.X)
		m.T = held
	}
}

// along counts a straight line from x to y.
func (m *Mean) along(s Span, x, y float64) {
	if p, ok := newPiece(s, x, y).since(m.From); ok {
		m.Sum, m.Weight = finite(m.Sum+p.area), m.Weight+p.span.To.Sub(p.span.From).Seconds()
	}
}

// value is the mean so far: the number itself where no time has passed.
func (m *Mean) value() float64 {
	if m.Weight == 0 {
		return m.X
	}
	return m.Sum / m.Weight
}
