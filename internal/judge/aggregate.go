package judge

import (
	"math"
	"sort"

	"andon/internal/sample"
	"andon/internal/spec"
)

// enqueue keeps the queue in order of time; what comes later at one instant
// stays behind what came before.
func (j *Judge) enqueue(p Point) {
	q := j.S.Queue
	i := sort.Search(len(q), func(i int) bool { return q[i].T > p.T })
	q = append(q, Point{})
	copy(q[i+1:], q[i:])
	q[i] = p
	j.S.Queue = q
}

// together judges the rules that need all inputs, at the instant of points.
func (j *Judge) together(points []Point) {
	t, held := points[0].T, sample.Time(math.MaxInt64)
	for _, p := range points {
		switch {
		case p.Turn:
		case p.Gap:
			j.S.Latest[p.Input] = Latest{}
		default:
			j.S.Latest[p.Input] = Latest{p.V, true}
			held = min(held, p.Held)
		}
	}
	n := points[len(points)-1].N
	for r := range j.P.rules {
		ru := &j.P.rules[r]
		if !ru.aggregate {
			continue
		}
		x, v, ok := j.join(ru)
		if !ok {
			j.S.Rules[r].Series[0].Known = false
		} else {
			j.move(r, 0, t, x, min(held, t))
			j.note(r, Value{V: v}, t, n, x)
		}
		j.settle(r, t, n)
	}
}

// join makes one number of the inputs: for all_inputs that of the input least
// outside, so that it is outside when all are.
func (j *Judge) join(ru *rule) (x float64, v sample.Value, ok bool) {
	sum, n := 0.0, float64(len(j.S.Latest))
	for i, l := range j.S.Latest {
		y, ok := ru.of(l.V.Value)
		if !l.Known || !ok {
			return 0, v, false
		}
		first := i == 0
		switch ru.Scope {
		case spec.Mean:
			sum += y / n
			x, v = sum, sample.FloatValue(sum)
		case spec.Max:
			if first || y > x {
				x, v = y, l.V.Value
			}
		case spec.Min:
			if first || y < x {
				x, v = y, l.V.Value
			}
		default: // all_inputs
			if first || ru.inward(y, x) {
				x, v = y, l.V.Value
			}
		}
	}
	return x, v, true
}

// inward: x is less far out than y, or further in.
func (m *measure) inward(x, y float64) bool {
	if bx, by := m.beyond(x), m.beyond(y); bx != by {
		return bx < by
	}
	return math.Min(m.high-x, x-m.low) > math.Min(m.high-y, y-m.low)
}
