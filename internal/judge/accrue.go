package judge

import (
	"math"
	"slices"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// Total is what one quantity has come to in an operation.
type Total struct {
	// Time is what above and below add up, in whole nanoseconds: a sum of tenths
	// of a second must come to the limit that it is held against.
	Time time.Duration `json:"time,omitempty"`
	// Sum is of lethality the nanoseconds at the reference temperature, which are
	// exact where the rate is 1; of a peak the extreme, which may be -0.
	Sum  float64 `json:"sum"`
	Any  bool    `json:"any,omitempty"`  // something is known of it
	Lost bool    `json:"lost,omitempty"` // it was unknown for a while
}

// actual is the total in the rule's unit: seconds, or the parameter's.
func (t *Total) actual(kind string) float64 {
	switch kind {
	case spec.Above, spec.Below:
		return t.Time.Seconds()
	case spec.Lethality:
		return t.Sum / float64(time.Second)
	}
	return t.Sum
}

// accrue judges a rule that needs a whole operation, at the instant of points;
// rest are the points that come behind them. Values come before what the
// context says of the instant, and each thing that it says in its order.
func (j *Judge) accrue(r int, t sample.Time, points, rest []Point) {
	ru := &j.P.rules[r]
	if ru.joined {
		j.accrueJoined(r, t, points, rest)
	} else {
		for i := range points {
			j.accrueInput(r, t, &points[i])
		}
	}
	j.joinStretches(r, j.covered(r, t))
	for i := range points {
		if p := &points[i]; p.Turn != 0 {
			j.turnRun(r, t, p.N, p.Turn, rest)
		}
	}
}

// accrueInput takes a point of one input.
func (j *Judge) accrueInput(r int, t sample.Time, p *Point) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	switch {
	case p.Turn != 0:
	case p.Gap:
		j.stand(r, p.Input, t) // it stood until here
		st.lose(p.Input)
		st.away(p.Input, t)
	default:
		if x, ok := ru.of(p.V.Value); ok {
			j.earn(r, p.Input, XY{t, x}, p.Held)
		} else {
			st.lose(p.Input)
			st.away(p.Input, t)
		}
	}
}

// away: quantity k is unknown from t on, unless it is already.
func (st *Rule) away(k int, t sample.Time) {
	if m := &st.Memory[k]; m.Away == 0 {
		m.Away = t
	}
}

// accrueJoined takes the number made of all inputs.
func (j *Judge) accrueJoined(r int, t sample.Time, points, rest []Point) {
	st := &j.S.Rules[r]
	x, _, held, fresh, ok := j.joined(r, t, points)
	switch {
	case !ok:
		j.stand(r, 0, min(held, j.stoodAll(t, rest)))
		if se := &st.Series[0]; se.Known {
			st.away(0, se.T)
		} else if slices.ContainsFunc(points, func(p Point) bool { return p.Gap }) {
			st.away(0, t)
		}
		st.lose(0)
	case fresh:
		j.earn(r, 0, XY{t, x}, held)
	}
	if run := st.Run; ok && run != nil && run.On {
		run.Reduced = run.Reduced || slices.ContainsFunc(j.S.Latest, func(l Latest) bool { return !l.Known })
	}
}

// earn takes a quantity on to p. held is how long its last number is known to
// have stood. Time that is longer than the largest gap earns nothing.
func (j *Judge) earn(r, k int, p XY, held sample.Time) {
	st := &j.S.Rules[r]
	se := &st.Series[k]
	if se.Known {
		// the clock may have let it be counted further than where an input is
		// found to have been lost: that stands, and nothing is counted twice
		p.T = max(p.T, se.T)
		held = min(max(held, se.T), p.T)
		j.hold(r, k, held)
		if p.T.Sub(held) <= j.P.MaxGap {
			j.stretch(r, k, Span{held, p.T}, se.X, p.X)
		} else if run := st.Run; run != nil && run.On && p.T > run.OnFrom {
			st.Memory[k].Total.Lost = true
			st.Memory[k].Absent = append(st.Memory[k].Absent, Span{held, p.T})
		}
	}
	if m := &st.Memory[k]; m.Away != 0 {
		m.Absent, m.Away = append(m.Absent, Span{m.Away, p.T}), 0
	}
	se.Known, se.T, se.X = true, p.T, p.X
}

// stand takes a quantity on to the last instant at which its number is known to
// have stood.
func (j *Judge) stand(r, k int, held sample.Time) {
	if se := &j.S.Rules[r].Series[k]; se.Known {
		held = max(held, se.T)
		j.hold(r, k, held)
		se.T = held
	}
}

// hold counts a number that stood until held. Into an extreme it goes here, when
// its instant has passed, and not when it comes: the operation may have ended at
// that very instant, and what comes together with the end is no part of it.
func (j *Judge) hold(r, k int, held sample.Time) {
	st := &j.S.Rules[r]
	se, run := &st.Series[k], st.Run
	switch {
	case run == nil || !run.On:
	case j.P.rules[r].Kind != spec.Peak:
		j.stretch(r, k, Span{se.T, held}, se.X, se.X)
	case held >= run.OnFrom:
		j.peak(r, k, se.X)
	}
}

// stretch adds what a quantity earns on a straight line from x to y, as far as
// the rule applies.
func (j *Judge) stretch(r, k int, s Span, x, y float64) {
	if run := j.S.Rules[r].Run; run != nil && run.On {
		j.stretchIn(r, k, line{s, x, y}, Span{run.OnFrom, math.MaxInt64})
	}
}

// line is a straight line between two numbers.
type line struct {
	Span
	x, y float64
}

// stretchIn adds what a line earns within a window of time.
func (j *Judge) stretchIn(r, k int, l line, window Span) {
	ru, m := &j.P.rules[r], &j.S.Rules[r].Memory[k]
	if l.To <= l.From || l.To <= window.From || l.From >= window.To {
		return
	}
	m.Total.Any = true
	switch ru.Kind {
	case spec.Above, spec.Below:
		beyond := measure{low: math.Inf(-1), high: ru.Threshold}
		if ru.Kind == spec.Below {
			beyond = measure{low: ru.Threshold, high: math.Inf(1)}
		}
		j.scratch = beyond.pieces(j.scratch[:0], l.From, l.To, l.x, l.y)
		for _, p := range j.scratch {
			if p, ok := p.in(window); ok {
				m.Total.Time += p.span.To.Sub(p.span.From)
			}
		}
	case spec.Lethality:
		p, _ := newPiece(l.Span, lethalRate(ru, l.x), lethalRate(ru, l.y)).in(window)
		m.Total.Sum = finite(m.Total.Sum + finite((p.e/2+p.f/2)*float64(p.span.To-p.span.From)))
	case spec.Soak:
		if in, ok := within(l.Span, l.x, l.y, ru.Tolerance); ok {
			in.From, in.To = max(in.From, window.From), min(in.To, window.To)
			m.inside(in)
		}
	}
}

// in is the part of a piece within a window of time; ok is false when there is
// none.
func (p piece) in(window Span) (part piece, ok bool) {
	if p, ok = p.since(window.From); !ok || window.To >= p.span.To {
		return p, ok
	}
	if window.To <= p.span.From {
		return p, false
	}
	return newPiece(Span{p.span.From, window.To}, p.e, along(p.span, p.e, p.f, window.To)), true
}

// lethalRate is how many seconds at the reference temperature one second at x
// is worth: 10^((x - Tref)/z) (Bigelow; EN 285, ISO 17665; F0 with Tref 121.1
// Cel, z 10 K).
func lethalRate(ru *rule, x float64) float64 {
	return finite(math.Pow(10, (x-ru.TRef)/ru.Z))
}

// stretchTo counts for every quantity what lies between its last number and t,
// at which the rule stops to apply: where the next number is known already, on
// the line to it, else as far as the last one is known to have stood. last:
// nothing follows, and what came at t is a part of it.
func (j *Judge) stretchTo(r int, t sample.Time, rest []Point, last bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	window := Span{st.Run.OnFrom, t}
	for k := range st.Series {
		se := &st.Series[k]
		if !se.Known || se.T > t || se.T == t && !last {
			continue
		}
		held, next, ok := j.ahead(r, k, t, rest)
		held = min(max(held, se.T), t)
		j.hold(r, k, held)
		if ok && ru.Kind != spec.Peak && next.T > held && next.T.Sub(held) <= j.P.MaxGap {
			j.stretchIn(r, k, line{Span{held, next.T}, se.X, next.X}, window)
		}
	}
	j.joinStretches(r, t)
}

// ahead is how long series k's number is known to have stood, and the next one
// if it waits behind t.
func (j *Judge) ahead(r, k int, t sample.Time, rest []Point) (held sample.Time, next XY, ok bool) {
	ru := &j.P.rules[r]
	if ru.joined {
		return j.aheadJoined(r, t, rest)
	}
	p, ok := following(rest, k)
	if !ok {
		return j.stood(k, rest), next, false
	}
	x, ok := ru.of(p.V.Value)
	return p.Held, XY{p.T, x}, ok
}

// aheadJoined is ahead for the number made of all inputs.
func (j *Judge) aheadJoined(r int, t sample.Time, rest []Point) (held sample.Time, next XY, ok bool) {
	from := 0
	for from < len(rest) && rest[from].Turn != 0 {
		from++
	}
	if from == len(rest) || rest[from].Gap {
		return j.stoodAll(math.MaxInt64, rest), next, false
	}
	to := from + 1
	for to < len(rest) && rest[to].T == rest[from].T && !rest[to].Gap {
		to++
	}
	group := rest[from:to]
	latest, mean, computed := append([]Latest(nil), j.S.Latest...), j.S.Mean, j.computed
	for _, p := range group {
		if p.Turn == 0 {
			j.S.Latest[p.Input] = Latest{p.V, true}
		}
	}
	next.T = group[0].T
	j.compute(group, rest[to:], next.T, 0)
	next.X, _, held, _, ok = j.joined(r, next.T, group)
	copy(j.S.Latest, latest)
	j.S.Mean, j.computed = mean, computed
	return held, next, ok
}

// following is the next sample of an input in the queue, none if a gap comes
// first.
func following(rest []Point, input int) (Point, bool) {
	for _, p := range rest {
		if p.Input == input && p.Turn == 0 {
			return p, !p.Gap
		}
	}
	return Point{}, false
}

// stood is how long an input's value is known to stand at the place that the
// queue has reached.
func (j *Judge) stood(input int, rest []Point) sample.Time {
	for _, p := range rest {
		if p.Input == input && p.Turn == 0 {
			if p.Gap {
				return p.T
			}
			return p.Held
		}
	}
	return j.S.Inputs[input].Heard
}

// stoodAll is how long the values of all inputs that are known are known to
// stand, t at most.
func (j *Judge) stoodAll(t sample.Time, rest []Point) sample.Time {
	for i := range j.S.Latest {
		if j.S.Latest[i].Known {
			t = min(t, j.stood(i, rest))
		}
	}
	return t
}

// peak takes a number into the extreme.
func (j *Judge) peak(r, k int, x float64) {
	total, low := &j.S.Rules[r].Memory[k].Total, j.P.rules[r].Side == spec.Low
	if !total.Any || low && x < total.Sum || !low && x > total.Sum {
		total.Any, total.Sum = true, x
	}
}
