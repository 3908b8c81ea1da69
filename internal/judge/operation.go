package judge

import (
	"math"

	"andon/internal/sample"
	"andon/internal/spec"
)

// Run is one operation as a rule sees it that needs a whole one.
type Run struct {
	From sample.Time `json:"from"` // when the operation began
	// On: the rule applies, and time earns; since OnFrom.
	On     bool        `json:"on,omitempty"`
	OnFrom sample.Time `json:"on_from,omitempty"`
	// PhaseFrom is when the rule first began to apply, of a soak when its phase
	// began; 0 when it has not yet.
	PhaseFrom sample.Time `json:"phase_from,omitempty"`
	// Dark: it was last not known whether the rule applies.
	Dark    bool   `json:"dark,omitempty"`
	Unseen  bool   `json:"unseen,omitempty"`  // it was Dark at some time
	Decided bool   `json:"decided,omitempty"` // a phase of the operation has been
	Within  Within `json:"within,omitzero"`   // of a soak
}

// Total is what one quantity has come to in an operation.
type Total struct {
	Sum  float64 `json:"sum"` // seconds; of a peak the extreme
	Any  bool    `json:"any,omitempty"`
	Lost bool    `json:"lost,omitempty"` // it was unknown for a while
}

// Result is what a rule that needs a whole operation has come to.
type Result struct {
	At      sample.Time // when it was decided
	From    sample.Time // when the operation, or the phase of it, began
	Actual  float64     // in the rule's unit
	Known   bool        // there is an Actual
	Low     *float64    // the limits
	High    *float64
	Met     bool
	Cut     bool // the operation was under way when the inputs ended
	Reduced bool // inputs were lost, as sensor_loss allows
}

// Verdict is In when the requirement was met, Unknown when nothing is known.
func (r *Result) Verdict() Verdict {
	switch {
	case !r.Known:
		return Unknown
	case r.Met:
		return In
	}
	return Out
}

// Same says whether two results say the same.
func (r *Result) Same(s *Result) bool {
	return r.At == s.At && r.From == s.From && r.Actual == s.Actual && r.Known == s.Known && r.Met == s.Met && r.Cut == s.Cut && r.Reduced == s.Reduced
}

// Violated is the limit that the result does not keep, nil for none.
func (r *Result) Violated() *float64 {
	switch {
	case !r.Known:
		return nil
	case r.Low != nil && r.Actual < *r.Low:
		return r.Low
	case r.High != nil && r.Actual > *r.High:
		return r.High
	}
	return nil
}

// accrue judges a rule that needs a whole operation, at the instant of points;
// rest are the points that come behind them.
func (j *Judge) accrue(r int, t sample.Time, points, rest []Point) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	turn, n := Turn(0), points[len(points)-1].N
	for i := range points {
		p := &points[i]
		switch {
		case p.Turn != 0:
			turn |= p.Turn
		case ru.joined:
		case p.Gap:
			if se := &st.Series[p.Input]; se.Known { // it stood until here
				j.earn(r, p.Input, XY{t, se.X}, t)
			}
			st.lose(p.Input)
			st.Memory[p.Input].Away = t
		default:
			if x, ok := ru.of(p.V.Value); ok {
				j.earn(r, p.Input, XY{t, x}, p.Held)
			} else {
				st.lose(p.Input)
			}
		}
	}
	if ru.joined {
		switch x, _, held, fresh, ok := j.joined(r, t, points); {
		case !ok:
			st.lose(0)
		case fresh:
			j.earn(r, 0, XY{t, x}, held)
		}
	}
	if ru.Kind == spec.Soak {
		j.joinStretches(r, j.covered(r, t))
	}
	if turn != 0 {
		j.turnRun(r, t, n, turn, rest)
	}
	if ru.Kind == spec.Peak && st.Run != nil && st.Run.On {
		j.peaks(r, t)
	}
}

// turnRun begins, ends and decides the rule's operation as the context says.
func (j *Judge) turnRun(r int, t sample.Time, n uint64, turn Turn, rest []Point) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	applies := j.Applies(r, t)
	if turn&Ended != 0 && turn&Changed == 0 {
		applies = No
	}
	cut, dark := turn&InputsEnd != 0, false
	if run := st.Run; run != nil {
		if run.On && applies != Yes {
			j.stretchTo(r, t, rest)
		}
		dark = run.Dark
		phaseOver := (run.On || run.Dark) && applies == No
		run.On, run.Dark = run.On && applies == Yes, applies == Maybe
		run.Unseen = run.Unseen || run.Dark
		if phaseOver && ru.Kind == spec.Soak && len(ru.When) > 0 {
			j.decide(r, t, n, cut)
		}
	}
	if run := st.Run; run != nil && turn&Ended != 0 {
		j.stretchTo(r, t, rest)
		if !run.Decided && (run.PhaseFrom != 0 || !cut) {
			j.decide(r, t, n, cut)
		}
		st.Run = nil
	}
	if turn&Begun != 0 {
		j.beginRun(r, t)
		applies = j.Applies(r, t)
	}
	if run := st.Run; run != nil && !run.On && applies == Yes {
		j.resume(r, t, dark)
	}
}

// resume: the rule applies from t on, and time earns. Another phase of a soak is
// another soak, unless it is the same one seen again.
func (j *Judge) resume(r int, t sample.Time, again bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	run := st.Run
	if run.PhaseFrom == 0 || ru.Kind == spec.Soak && !again {
		st.clear()
		run.Within, run.PhaseFrom = Within{}, t
	}
	run.On, run.OnFrom = true, t
	run.Within.Upto = max(run.Within.Upto, t)
	j.undecide(r, t)
}

// beginRun begins another operation: nothing of the one before counts, and its
// alarm is over.
func (j *Judge) beginRun(r int, t sample.Time) {
	st := &j.S.Rules[r]
	if st.Alarm.Phase == Raised {
		st.Alarm = Delay{}
		j.say(AlarmCleared, r, t, nil)
	}
	st.clear()
	st.Run = &Run{From: t}
	j.undecide(r, t)
}

// undecide: what comes of the operation under way is not known yet.
func (j *Judge) undecide(r int, t sample.Time) {
	if st := &j.S.Rules[r]; st.Verdict != Undecided {
		st.Verdict = Undecided
		j.Changes = append(j.Changes, Change{What: VerdictChanged, Rule: r, At: t, Verdict: Undecided})
	}
}

// earn takes a quantity on to p. held is how long its last number is known to
// have stood. Time that is longer than the largest gap earns nothing.
func (j *Judge) earn(r, k int, p XY, held sample.Time) {
	st := &j.S.Rules[r]
	se := &st.Series[k]
	if se.Known && p.T > se.T && st.Run != nil {
		held = min(max(held, se.T), p.T)
		j.stretch(r, k, Span{se.T, held}, se.X, se.X)
		if p.T.Sub(held) <= j.P.MaxGap {
			j.stretch(r, k, Span{held, p.T}, se.X, p.X)
		} else {
			st.Memory[k].Total.Lost = true
		}
	}
	if m := &st.Memory[k]; m.Away != 0 {
		m.Absent, m.Away = append(m.Absent, Span{m.Away, p.T}), 0
	}
	se.Known, se.T, se.X = true, p.T, p.X
}

// stretch adds what a quantity earns on a straight line from x to y.
func (j *Judge) stretch(r, k int, s Span, x, y float64) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	run, total := st.Run, &st.Memory[k].Total
	if !run.On || s.To <= run.OnFrom || s.To <= s.From {
		return
	}
	switch ru.Kind {
	case spec.Above, spec.Below:
		m := measure{low: math.Inf(-1), high: ru.Threshold}
		if ru.Kind == spec.Below {
			m = measure{low: ru.Threshold, high: math.Inf(1)}
		}
		j.scratch = m.pieces(j.scratch[:0], s.From, s.To, x, y)
		for _, p := range j.scratch {
			if p, ok := p.since(run.OnFrom); ok {
				total.Sum += p.span.To.Sub(p.span.From).Seconds()
			}
		}
	case spec.Lethality:
		a, b := lethalRate(ru, x), lethalRate(ru, y)
		if p, ok := newPiece(s, a, b).since(run.OnFrom); ok {
			total.Sum = finite(total.Sum + p.area)
		}
	case spec.Soak:
		if in, ok := within(s, x, y, ru.Tolerance); ok && in.To > run.OnFrom {
			in.From = max(in.From, run.OnFrom)
			st.Memory[k].inside(in)
		}
	}
}

// lethalRate is how many seconds at the reference temperature one second at x
// is worth: 10^((x - Tref)/z) (Bigelow; EN 285, ISO 17665; F0 with Tref 121.1
// Cel, z 10 K).
func lethalRate(ru *rule, x float64) float64 {
	return finite(math.Pow(10, (x-ru.TRef)/ru.Z))
}

// stretchTo takes every quantity on to t, at which the rule stops to apply:
// where the next sample is known already, on the line to it, else as far as the
// last value is known to have stood.
func (j *Judge) stretchTo(r int, t sample.Time, rest []Point) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	for k := range st.Series {
		se := &st.Series[k]
		if !se.Known || se.T >= t {
			continue
		}
		held := j.until(ru, k, t)
		if next, ok := following(rest, k); ok && !ru.joined && held < t && next.T > held && next.T.Sub(held) <= j.P.MaxGap {
			if v, ok := ru.of(next.V.Value); ok {
				held = max(held, min(next.Held, t))
				j.earn(r, k, XY{t, along(Span{held, next.T}, se.X, v, t)}, held)
				continue
			}
		}
		if held > se.T {
			j.earn(r, k, XY{min(held, t), se.X}, held)
		}
	}
	if ru.Kind == spec.Soak {
		j.joinStretches(r, t)
	}
}

// until is how long the last value of series k is known to have stood, t at
// most.
func (j *Judge) until(ru *rule, k int, t sample.Time) sample.Time {
	if !ru.joined {
		return min(j.S.Inputs[k].Heard, t)
	}
	for i := range j.S.Inputs {
		if in := &j.S.Inputs[i]; !in.Gap {
			t = min(t, in.Heard)
		}
	}
	return t
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

// peaks takes the samples at t into the extremes.
func (j *Judge) peaks(r int, t sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	for k := range st.Series {
		se, total := &st.Series[k], &st.Memory[k].Total
		switch {
		case !se.Known || se.T != t:
		case !total.Any, ru.Side == spec.Low && se.X < total.Sum, ru.Side != spec.Low && se.X > total.Sum:
			total.Any, total.Sum = true, se.X
		}
	}
}

// decide says what the operation has come to.
func (j *Judge) decide(r int, t sample.Time, n uint64, cut bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	st.Run.Decided = true
	res := Result{At: t, From: st.Run.From, Low: ru.Low, High: ru.High, Cut: cut}
	if ru.Kind == spec.Soak {
		res.Actual, res.Known, res.Reduced = st.Run.Within.actual(ru.Mode), true, st.Run.Within.Reduced
		if len(ru.When) > 0 && st.Run.PhaseFrom != 0 {
			res.From = st.Run.PhaseFrom
		}
	} else {
		res.Actual, res.Known, res.Reduced = j.total(r)
	}
	if st.Run.PhaseFrom == 0 && st.Run.Unseen {
		res.Known = false // nobody knows whether its phase has been
	}
	res.Met = res.Known && !ru.outside(res.Actual)
	st.Verdict, st.Last = res.Verdict(), &res
	c := Change{What: Decided, Rule: r, At: t, Verdict: st.Verdict, Result: res}
	j.Changes = append(j.Changes, c)
	if st.Verdict == Out {
		j.found(r, t, n, c)
	}
}

// found raises what has not been met.
func (j *Judge) found(r int, t sample.Time, n uint64, c Change) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	v := sample.Exact{Value: sample.FloatValue(c.Result.Actual)}
	c.Episode = Episode{N: n, From: c.Result.From, To: t, DetectedAt: t, ClearedAt: t, Reduced: c.Result.Reduced, Area: []float64{0},
		Worst: Worst{At: t, Value: v, X: c.Result.Actual, Beyond: ru.beyond(c.Result.Actual), Side: ru.side(c.Result.Actual)}}
	st.Alarm = Delay{Phase: Raised}
	c.What = AlarmRaised
	j.Changes = append(j.Changes, c)
	c.What = EventFound
	j.Changes = append(j.Changes, c)
}

// total joins what the inputs have come to: the one that is furthest outside,
// with all_inputs the one that is least. One that was lost for a while counts
// only when too few others are left.
func (j *Judge) total(r int) (actual float64, known, reduced bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	whole := 0
	for k := range st.Memory {
		if !st.Memory[k].Total.Lost {
			whole++
		}
	}
	reduced = !ru.joined && whole < len(st.Memory) && whole >= j.P.needed
	for k := range st.Memory {
		total := &st.Memory[k].Total
		switch {
		case ru.Kind == spec.Peak && !total.Any, reduced && total.Lost:
		case !known, (ru.Scope == spec.AllInputs) == ru.inward(total.Sum, actual):
			actual, known = total.Sum, true
		}
	}
	return actual, known, reduced
}
