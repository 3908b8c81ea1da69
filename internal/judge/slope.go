package judge

import (
	"time"

	"andon/internal/sample"
)

// maxPoints bounds what a rate remembers: of a window with more samples than
// this every second one is left out, which does not turn a line.
const maxPoints = 4096

// slope takes a sample into the window and returns the least-squares slope over
// it, in the rule's unit of time. There is none before the window is full: a
// few samples say more of the noise than of the process.
func (j *Judge) slope(r, k int, p XY, held sample.Time) (x float64, ok bool) {
	ru, m := &j.P.rules[r], &j.S.Rules[r].Memory[k]
	if n := len(m.Points); n > 0 {
		last := m.Points[n-1]
		held = min(max(held, last.T), p.T)
		switch {
		case p.T.Sub(held) > j.P.MaxGap:
			m.Points = m.Points[:0]
		case held > last.T && held < p.T: // it stood until there
			m.Points = append(m.Points, XY{held, last.X})
		case p.T == last.T:
			m.Points = m.Points[:n-1]
		}
	}
	if len(m.Points) == 0 {
		m.From = p.T
	}
	m.Points = append(m.Points, p)
	m.forget(p.T.Add(-ru.Window))
	if p.T.Sub(m.From) < ru.Window || len(m.Points) < 2 {
		return 0, false
	}
	return leastSquares(m.Points, ru.Per), true
}

// forget drops the points before t.
func (m *Memory) forget(t sample.Time) {
	k := 0
	for k < len(m.Points) && m.Points[k].T < t {
		k++
	}
	m.Points = append(m.Points[:0], m.Points[k:]...)
	if len(m.Points) <= maxPoints {
		return
	}
	for i := 1; 2*i < len(m.Points); i++ {
		m.Points[i] = m.Points[2*i]
	}
	m.Points = m.Points[:(len(m.Points)+1)/2]
}

// leastSquares is the slope of the line that lies closest to the points:
// sum((t-T)(x-X)) / sum((t-T)^2) with T and X the means (Gauss; NIST/SEMATECH
// e-Handbook 4.4.3.1), per a unit of time. Both means are subtracted first, so
// that large values and instants cost no digits.
func leastSquares(points []XY, per time.Duration) float64 {
	n := float64(len(points))
	base := points[0]
	var mt, mx float64
	for _, p := range points {
		mt += float64(p.T-base.T) / n
		mx += (p.X - base.X) / n
	}
	var tx, tt float64
	for _, p := range points {
		dt := float64(p.T-base.T) - mt
		tx += dt * (p.X - base.X - mx)
		tt += dt * dt
	}
	if tt == 0 {
		return 0
	}
	return finite(tx / tt * float64(per))
}
