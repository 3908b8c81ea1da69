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
// rest are those that wait behind them.
func (j *Judge) together(points, rest []Point) {
	t, turn := points[0].T, Turn(0)
	for _, p := range points {
		switch {
		case p.Turn != 0:
			turn |= p.Turn
		case p.Gap:
			j.S.Latest[p.Input] = Latest{}
		default:
			j.S.Latest[p.Input] = Latest{p.V, true}
		}
	}
	j.compute(points, t, turn)
	n := points[len(points)-1].N
	for r := range j.P.rules {
		ru := &j.P.rules[r]
		switch {
		case !ru.queued:
		case ru.result:
			j.accrue(r, t, points, rest)
		case ru.Kind == spec.Window:
			j.latch(r, t, n, turn)
		default:
			j.togetherRule(r, t, n, points, turn)
		}
	}
}

// togetherRule judges a rule that is about one number made of all inputs.
func (j *Judge) togetherRule(r int, t sample.Time, n uint64, points []Point, turn Turn) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	j.turnChart(r, t, turn)
	j.begins(r, t)
	x, v, held, fresh, ok := j.joined(r, t, points)
	j.held = held
	switch {
	case !ok:
		for k := range st.Memory {
			st.lose(k)
		}
		st.Series[0].Known = false
	case fresh:
		if ru.derived && !ru.each {
			x, ok = j.derive(r, 0, XY{t, x}, v.V, held)
		}
		if !ok {
			st.Series[0].Known = false
			break
		}
		j.move(r, 0, t, x, held)
		j.note(r, &v, t, n, x)
	}
	j.settle(r, t, n)
}

// joined makes one number of the inputs at the instant of points. held is how
// long the last one is known to have stood; fresh says whether there is a new
// one, or only the context has changed.
func (j *Judge) joined(r int, t sample.Time, points []Point) (x float64, v Value, held sample.Time, fresh, ok bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	held, v.confirmed = math.MaxInt64, true
	for i := range points {
		p := &points[i]
		if p.Turn != 0 {
			continue
		}
		fresh = true
		v.confirmed = v.confirmed && p.Confirmed
		v.Uncertain = v.Uncertain || p.Uncertain
		switch {
		case p.Gap && ru.each:
			st.lose(p.Input)
		case !p.Gap:
			held = min(held, p.Held)
			if ru.each {
				y, _ := ru.of(p.V.Value)
				m := &st.Memory[p.Input]
				m.Point, m.Known = j.derive(r, p.Input, XY{t, y}, p.V.Value, p.Held)
			}
		}
	}
	x, v.V, ok = j.join(r, t)
	return x, v, min(held, t), fresh, ok
}

// join makes one number of the inputs that are known, if they are enough: for
// all_inputs that of the input least outside, so that it is outside when all
// are.
func (j *Judge) join(r int, t sample.Time) (x float64, v sample.Value, ok bool) {
	ru := &j.P.rules[r]
	if j.P.Spec.Computed != nil {
		x, ok = ru.of(j.computed.V.Value)
		return x, j.computed.V.Value, ok && j.computed.Known
	}
	known, low, high := 0, math.Inf(1), math.Inf(-1)
	n := float64(j.numbers(r))
	for i := range j.S.Latest {
		y, w, ok := j.number(r, i)
		if !ok {
			continue
		}
		known++
		first := known == 1
		low, high = math.Min(low, y), math.Max(high, y)
		switch {
		case ru.Scope == spec.Mean:
			x += y / n
			v = sample.FloatValue(x)
		case first, ru.Scope == spec.Max && y > x, ru.Scope == spec.Min && y < x,
			ru.Scope == spec.AllInputs && j.at(r, t).inward(y, x):
			x, v = y, w
		}
	}
	if known == 0 || known < j.P.needed {
		return 0, v, false
	}
	if ru.Kind == spec.Spread {
		x = finite(high - low)
		v = sample.FloatValue(x)
	}
	return x, v, true
}

// numbers is how many inputs there is a number of.
func (j *Judge) numbers(r int) (n int) {
	for i := range j.S.Latest {
		if _, _, ok := j.number(r, i); ok {
			n++
		}
	}
	return n
}

// number is what a rule compares of one input.
func (j *Judge) number(r, i int) (x float64, v sample.Value, ok bool) {
	ru, l := &j.P.rules[r], &j.S.Latest[i]
	if !l.Known {
		return 0, v, false
	}
	if ru.each {
		m := &j.S.Rules[r].Memory[i]
		return m.Point, l.V.Value, m.Known
	}
	x, ok = ru.of(l.V.Value)
	return x, l.V.Value, ok
}

// inward: x is less far out than y, or further in.
func (m *measure) inward(x, y float64) bool {
	if bx, by := m.beyond(x), m.beyond(y); bx != by {
		return bx < by
	}
	return math.Min(m.high-x, x-m.low) > math.Min(m.high-y, y-m.low)
}
