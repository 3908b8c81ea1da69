package judge

import (
	"math"
	"slices"
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
	j.compute(points, rest, t, turn)
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
			if !ru.each { // what is made of each input is lost with that input
				st.lose(k)
			}
		}
		st.Series[0].Known = false
	case fresh:
		if ru.derived && !ru.each {
			x, ok = j.derive(r, 0, XY{t, x}, &v, held)
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
		if p.Turn != 0 { // with an operation begins another mean over it
			fresh = fresh || p.Turn&Begun != 0 && j.P.Spec.Computed != nil && j.P.Spec.Computed.Over == spec.OverOperation
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
				m.Point, m.Known = j.derive(r, p.Input, XY{t, y}, &Value{V: p.V.Value}, p.Held)
				m.Point += 0 // never -0: it would not survive being saved
			}
		}
	}
	if ru.each && ru.Kind == spec.Frozen { // the time goes on for inputs that have sent nothing too
		for i := range st.Memory {
			st.Memory[i].Point = t.Sub(st.Memory[i].From).Seconds()
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
	j.inputs = j.inputs[:0]
	for i := range j.S.Latest {
		y, w, ok := j.number(r, i)
		if !ok {
			continue
		}
		first := len(j.inputs) == 0
		if first || ru.Scope == spec.Max && y > x || ru.Scope == spec.Min && y < x || ru.Scope == spec.AllInputs && j.at(r, t).inward(y, x) {
			x, v = y, w
		}
		j.inputs = append(j.inputs, y)
	}
	if n := len(j.inputs); n == 0 || n < j.P.needed {
		return 0, v, false
	}
	if ru.Kind == spec.Spread || ru.Scope == spec.Mean {
		x = ru.combined(j.inputs)
		v = sample.FloatValue(x)
	}
	return x, v, true
}

// combined is the spread or the mean of numbers, which is at a limit where only
// rounding puts it beyond.
func (ru *rule) combined(numbers []float64) float64 {
	low, high := slices.Min(numbers), slices.Max(numbers)
	x := high - low
	if ru.Kind != spec.Spread {
		x = mean(numbers)
	}
	return ru.level(finite(x), math.Max(math.Abs(low), math.Abs(high)))
}

// mean is the arithmetic mean, with the digits that adding up loses added back
// (Neumaier, ZAMM 54, 1974).
func mean(numbers []float64) float64 {
	n := float64(len(numbers))
	sum, lost, small := 0.0, 0.0, 0.0
	for _, x := range numbers {
		s := sum + x
		if math.Abs(sum) >= math.Abs(x) {
			lost += (sum - s) + x
		} else {
			lost += (x - s) + sum
		}
		sum, small = s, small+x/n
	}
	if m := (sum + lost) / n; !math.IsNaN(m) && !math.IsInf(m, 0) {
		return m
	}
	return small // the sum overflows
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
