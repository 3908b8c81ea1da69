package judge

import (
	"math"
	"time"

	"andon/internal/sample"
)

// maxPoints bounds what a rate remembers: where samples come more often than
// this in a window, those that stand closest together are left out.
const maxPoints = 4096

// slope takes a sample into the window and returns the least-squares slope over
// it, in the rule's unit of time. A confirmation counts as a sample of the value
// that stands: of a source that reports changes only, silence is a slope of 0.
// There is no slope before the window is full: a few samples say more of the
// noise than of the process.
func (j *Judge) slope(r, k int, p XY) (x float64, ok bool) {
	ru, m := &j.P.rules[r], &j.S.Rules[r].Memory[k]
	m.follow(p, j.P.MaxGap)
	m.forget(p.T.Add(-ru.Window))
	m.thin(2 * ru.Window / maxPoints)
	if p.T.Sub(m.From) < ru.Window || len(m.Points) < 2 {
		return 0, false
	}
	x, size := leastSquares(m.Points, ru.Per)
	return ru.level(x, size), true
}

// follow appends a sample. The last word of an instant counts; no slope spans a
// stretch longer than gap.
func (m *Memory) follow(p XY, gap time.Duration) {
	n := len(m.Points)
	for n > 0 && m.Points[n-1].T >= p.T {
		n--
	}
	if n > 0 && p.T.Sub(m.Points[n-1].T) > gap {
		n = 0
	}
	if n == 0 {
		m.From = p.T
	}
	m.Points = append(m.Points[:n], p)
}

// forget drops the points before t.
func (m *Memory) forget(t sample.Time) {
	k := 0
	for k < len(m.Points) && m.Points[k].T < t {
		k++
	}
	m.Points = append(m.Points[:0], m.Points[k:]...)
}

// thin leaves out points that stand closer together than least, where there are
// many, so that the points stay few and evenly spread.
func (m *Memory) thin(least time.Duration) {
	n := len(m.Points)
	switch {
	case n > maxPoints:
		m.Points = spaced(m.Points, least)
	case n > maxPoints/4 && m.Points[n-1].T.Sub(m.Points[n-3].T) < least:
		m.Points[n-2] = m.Points[n-1]
		m.Points = m.Points[:n-1]
	}
}

// spaced keeps the first point, the last, and between them those that stand at
// least so far apart.
func spaced(points []XY, least time.Duration) []XY {
	kept, last := points[:1], points[len(points)-1]
	for _, p := range points[1 : len(points)-1] {
		if p.T.Sub(kept[len(kept)-1].T) >= least {
			kept = append(kept, p)
		}
	}
	return append(kept, last)
}

// leastSquares is the slope of the line that lies closest to the points:
// sum((t-T)(x-X)) / sum((t-T)^2) with T and X the means (Gauss; NIST/SEMATECH
// e-Handbook 4.4.3.1), per a unit of time. Both means are subtracted first, so
// that large values and instants cost no digits. size is the largest value over
// the time from the first point to the last: what rounding is measured by.
func leastSquares(points []XY, per time.Duration) (slope, size float64) {
	n := float64(len(points))
	base, unit := points[0], unitOf(points)
	var mt, mx float64
	for _, p := range points {
		mt += float64(p.T-base.T) / n
		mx += (p.X/unit - base.X/unit) / n
	}
	var tx, tt float64
	for _, p := range points {
		dt := float64(p.T-base.T) - mt
		tx += dt * (p.X/unit - base.X/unit - mx)
		tt += dt * dt
		size = math.Max(size, math.Abs(p.X/unit))
	}
	if tt == 0 {
		return 0, 0
	}
	span := float64(points[len(points)-1].T - base.T)
	return finite(tx / tt * float64(per) * unit), finite(size / span * float64(per) * unit)
}

// unitOf is what values are divided by so that sums of them do not overflow: 1
// unless they are huge.
func unitOf(points []XY) float64 {
	const huge = 0x1p900
	for _, p := range points {
		if math.Abs(p.X) > huge {
			return 0x1p120
		}
	}
	return 1
}
