package judge

import (
	"andon/internal/sample"
	"andon/internal/spec"
)

// Mean is the mean of a computed number over an operation, by trapezoids. What
// was not known earns nothing and weighs nothing.
type Mean struct {
	Known  bool        `json:"known,omitempty"`
	T      sample.Time `json:"t"`
	X      float64     `json:"x"`
	Sum    float64     `json:"sum"`    // of the number over time, in seconds
	Weight float64     `json:"weight"` // seconds
}

// compute makes the computed value of the inputs that stand at the instant of
// points.
func (j *Judge) compute(points []Point, t sample.Time, turn Turn) {
	c := j.P.Spec.Computed
	if c == nil {
		return
	}
	x, ok := j.computation(c)
	if ok && c.Over == spec.OverOperation {
		j.S.Mean.add(t, x, heldOf(points, t), j)
		if turn&Begun != 0 {
			j.S.Mean = Mean{Known: true, T: t, X: x}
		}
		x, ok = c.Back(j.S.Mean.value())
	} else if !ok {
		j.S.Mean.Known = false
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

// heldOf is how long the values before points are known to have stood.
func heldOf(points []Point, t sample.Time) sample.Time {
	held := t
	for i := range points {
		if points[i].Turn == 0 && !points[i].Gap {
			held = min(held, points[i].Held)
		}
	}
	return held
}

func (m *Mean) add(t sample.Time, x float64, held sample.Time, j *Judge) {
	if m.Known && t > m.T {
		held = min(max(held, m.T), t)
		m.Sum, m.Weight = m.Sum+m.X*held.Sub(m.T).Seconds(), m.Weight+held.Sub(m.T).Seconds()
		if d := t.Sub(held); d <= j.P.MaxGap {
			m.Sum, m.Weight = m.Sum+(m.X/2+x/2)*d.Seconds(), m.Weight+d.Seconds()
		}
	}
	m.Known, m.T, m.X = true, t, x
}

// value is the mean so far: the number itself where no time has passed.
func (m *Mean) value() float64 {
	if m.Weight == 0 {
		return m.X
	}
	return m.Sum / m.Weight
}
