package judge

import (
	"slices"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// scanRule judges one rule of scope any_input by the values of a scan.
func (j *Judge) scanRule(r int, t sample.Time, n uint64, values []Value) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	j.begins(r, t)
	quiet := st.Verdict == In && st.Episode == nil && st.Alarm.Phase == Idle
	if !quiet || ru.derived {
		j.reach(st, func(i int) sample.Time {
			if slices.ContainsFunc(values, func(v Value) bool { return v.Input == i }) {
				return t
			}
			return j.S.Inputs[i].Heard
		})
		defer j.unreach()
	}
	for i := range values {
		v := &values[i]
		in, se := &j.S.Inputs[v.Input], &st.Series[v.Input]
		x, ok := ru.of(v.V)
		if ok && ru.derived {
			own := *v
			v = &own
			x, ok = j.derive(r, v.Input, XY{t, x}, v, in.Heard)
			quiet = quiet && st.Episode == nil && st.Alarm.Phase == Idle
		}
		if !ok {
			se.Known = false
			quiet = false
			continue
		}
		m := j.at(r, t)
		if quiet && !m.outside(x) { // the way nearly every sample goes
			se.Known, se.T, se.X = true, t, x
			continue
		}
		quiet = false
		j.move(r, v.Input, t, x, in.Heard)
		j.note(r, v, t, n, x)
	}
	if quiet && j.Applies(r, t) == Yes {
		st.LastIn = t
		return
	}
	j.settle(r, t, n)
}

// derive makes the number of a rule that compares something made of several
// samples. ok is false while there is none.
func (j *Judge) derive(r, k int, p XY, v *Value, held sample.Time) (x float64, ok bool) {
	switch ru := &j.P.rules[r]; ru.Kind {
	case spec.Rate:
		return j.slope(r, k, p)
	case spec.Frozen:
		return j.unchanged(r, k, p.T, v.V, held)
	default:
		return j.charted(r, k, p, v)
	}
}

// move takes a series on to x at t. held is how long its last number is known
// to have stood. What was passed on the way outside is counted into the
// excursion, one that x begins included.
func (j *Judge) move(r, series int, t sample.Time, x float64, held sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	se := &st.Series[series]
	j.scratch, j.beyond = j.scratch[:0], j.beyond[:0]
	if se.Known && t > se.T {
		if ru.Kind == spec.Rate { // a slope does not hold while the value does
			held = se.T
		}
		held = min(max(held, se.T), t)
		j.pass(r, se.T, held, se.X, se.X)
		if t.Sub(held) <= j.P.MaxGap || ru.Kind == spec.SPC {
			j.pass(r, held, t, se.X, x)
		}
	}
	se.measure(j.at(r, t), t, x)
}

// pass adds what lies outside between (a, x) and (b, y) to scratch.
func (j *Judge) pass(r int, a, b sample.Time, x, y float64) {
	ru := &j.P.rules[r]
	if ru.value && j.P.par != nil {
		j.beyond = j.P.par.pieces(j.beyond, a, b, x, y)
	}
	if ru.Kind != spec.Envelope {
		j.scratch = ru.pieces(j.scratch, a, b, x, y)
		return
	}
	j.scratch = ru.piecesAlong(j.scratch, j.S.Rules[r].Begun, Span{a, b}, x, y)
}

// note puts a sample, and the stretch before it, into the excursion.
func (j *Judge) note(r int, v *Value, t sample.Time, n uint64, x float64) {
	st := &j.S.Rules[r]
	se := &st.Series[v.Input]
	if st.Verdict == NotApplicable || j.S.Adrift { // it begins to apply here: the way up to here does not count
		j.scratch, j.beyond = j.scratch[:0], j.beyond[:0]
	}
	if se.Outside {
		// timers due before this sample are fired first: the excursion that the
		// sample belongs to may be over
		j.fire(r, t, false)
		j.splitNow(r, t)
		if st.Episode == nil && j.Applies(r, t) == Yes {
			st.Episode = &Episode{N: n, From: t, SuspectFrom: j.lastIn(r, t), Area: make([]float64, len(st.Series))}
		}
	}
	e := st.Episode
	if e == nil {
		return
	}
	for _, p := range j.scratch {
		if p, ok := p.since(st.Since); ok {
			e.Time.add(p.span)
			e.Area[v.Input] = finite(e.Area[v.Input] + p.area)
		}
	}
	for _, p := range j.beyond {
		if p, ok := p.since(max(st.Since, e.From)); ok {
			e.OutsidePAR.add(p.span)
		}
	}
	e.Time.settle(j.S.Passed())
	e.OutsidePAR.settle(j.S.Passed())
	if se.Outside && j.Applies(r, t) != No { // what came with the next phase is the next phase's
		j.outside(r, v, t, x)
	}
}

// outside counts a sample outside into the excursion.
func (j *Judge) outside(r int, v *Value, t sample.Time, x float64) {
	st := &j.S.Rules[r]
	e := st.Episode
	if !v.confirmed {
		e.Samples++
	}
	e.From = min(e.From, t)
	e.SuspectFrom = min(e.SuspectFrom, e.From)
	e.Uncertain = e.Uncertain || v.Uncertain
	e.Reduced = e.Reduced || j.reduced()
	if b := j.at(r, t).beyond(x); b > e.Worst.Beyond || e.Worst.At == 0 {
		e.Worst = j.worst(r, v.Input, t, v.V, x)
		if e.Signal == "" && j.P.rules[r].Kind == spec.SPC {
			e.Signal = e.Worst.Side
		}
		if st.Event.Phase == Raised || st.Event.Phase == Clearing {
			j.say(EventWorse, r, t, e)
		}
	}
}

// worst describes a number outside: what a person is shown is the value itself
// where there is one, else what the rule has made of the values.
func (j *Judge) worst(r, series int, t sample.Time, v sample.Value, x float64) Worst {
	ru, st, m := &j.P.rules[r], &j.S.Rules[r], j.at(r, t)
	w := Worst{At: t, Value: sample.Exact{Value: v}, X: x, Beyond: m.beyond(x), Side: m.side(x), Series: series}
	switch ru.Kind {
	case spec.Equals:
		w.Side = "not_equal"
	case spec.Frozen:
		w.Side = "frozen"
	case spec.Rate, spec.Spread:
		w.Value.Value = sample.FloatValue(x)
	case spec.SPC:
		w.Value.Value, w.Side = sample.FloatValue(st.Memory[series].Point), st.Memory[series].Signal
	case spec.Window:
		j.worstInput(&w, ru)
	}
	return w
}

// reduced: some input is lost, and the parameter is known without it.
func (j *Judge) reduced() bool {
	return slices.ContainsFunc(j.S.Inputs, func(in Input) bool { return in.Gap })
}

// Outside is the time outside so far, the stretch since the last sample not
// included.
func (e *Episode) Outside() time.Duration { return e.Time.Length() }
