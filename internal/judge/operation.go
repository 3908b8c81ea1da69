package judge

import (
	"slices"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// Run is one operation as a rule sees it that needs a whole one.
type Run struct {
	From sample.Time `json:"from"` // when the operation began
	// Whole: no operation has begun yet. Where there are none, all that there is
	// is one.
	Whole bool `json:"whole,omitempty"`
	// On: the rule applies, and time earns; since OnFrom.
	On     bool        `json:"on,omitempty"`
	OnFrom sample.Time `json:"on_from,omitempty"`
	// PhaseFrom is when the rule first began to apply, of a soak when its phase
	// began; 0 when it has not yet.
	PhaseFrom sample.Time `json:"phase_from,omitempty"`
	// Dark: it was last not known whether the rule applies.
	Dark    bool   `json:"dark,omitempty"`
	Unseen  bool   `json:"unseen,omitempty"`  // it was Dark at some time
	Decided bool   `json:"decided,omitempty"` // what began at PhaseFrom has been decided
	Earlier bool   `json:"earlier,omitempty"` // a phase before it has been
	Reduced bool   `json:"reduced,omitempty"` // an input of a joined number was lost meanwhile
	Within  Within `json:"within,omitzero"`   // of a soak
	Gaps    Within `json:"gaps,omitzero"`     // while it applied and too few quantities were known
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
	// Gaps is how long too few inputs were known while the rule applied; Blind: so
	// long at a stretch that nobody knows whether a limit that was kept where it
	// was looked was kept there too.
	Gaps  time.Duration
	Blind bool
	None  bool // no value was seen while the rule applied
}

// Verdict is In when the requirement was met, Unknown when too little is known.
func (r *Result) Verdict() Verdict {
	switch {
	case !r.Known, r.Blind:
		return Unknown
	case r.Met:
		return In
	}
	return Out
}

// Same says whether two results say the same.
func (r *Result) Same(s *Result) bool {
	return r.At == s.At && r.From == s.From && r.Actual == s.Actual && r.Known == s.Known && r.Met == s.Met && r.Cut == s.Cut && r.Reduced == s.Reduced &&
		r.Gaps == s.Gaps && r.Blind == s.Blind && r.None == s.None
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

// turnRun begins, ends and decides the rule's operation as one thing that the
// context says has it.
func (j *Judge) turnRun(r int, t sample.Time, n uint64, turn Turn, rest []Point) {
	st := &j.S.Rules[r]
	applies, cut := No, turn&InputsEnd != 0
	last := turn&Ended != 0 && (cut || st.Run != nil && st.Run.Whole)
	if turn&Ended == 0 {
		applies = j.Applies(r, t)
	}
	dark := st.Run != nil && st.Run.Dark
	if st.Run != nil && j.phaseOver(r, t, applies, rest, last) {
		j.decide(r, t, n, cut)
	}
	if run := st.Run; run != nil && turn&Ended != 0 {
		run.drop(t)
		// one that ended as it began has not been
		if !run.Decided && t > run.From && (run.PhaseFrom != 0 || !cut) {
			j.decide(r, t, n, cut)
		}
		st.Run = nil
	}
	if turn&Begun != 0 {
		j.beginRun(r, t)
		st.Run.Dark, st.Run.Unseen = applies == Maybe, applies == Maybe
	}
	if run := st.Run; run != nil && !run.On && applies == Yes {
		j.resume(r, t, dark)
	}
}

// phaseOver lets the rule stop to apply, if it does, and says whether a phase
// has ended that is decided by itself. One that was last unknown ends when it
// is known to be over.
func (j *Judge) phaseOver(r int, t sample.Time, applies Applies, rest []Point, last bool) bool {
	ru, run := &j.P.rules[r], j.S.Rules[r].Run
	if run.On && applies != Yes {
		j.stretchTo(r, t, rest, last)
	}
	was := run.On || run.Dark && run.PhaseFrom != 0 && !run.Decided
	if applies == No {
		was = was && run.PhaseFrom != t
		run.drop(t)
	}
	run.On, run.Dark = run.On && applies == Yes, applies == Maybe
	run.Unseen = run.Unseen || run.Dark
	return was && applies == No && ru.Kind == spec.Soak && len(ru.When) > 0
}

// drop forgets a phase that is over at t if it began there: it has not been.
func (run *Run) drop(t sample.Time) {
	if run.PhaseFrom == t {
		run.PhaseFrom, run.Decided = 0, run.Earlier
	}
}

// resume: the rule applies from t on, and time earns. Another phase of a soak is
// another soak, unless it is the same one seen again.
func (j *Judge) resume(r int, t sample.Time, again bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	run := st.Run
	if run.PhaseFrom == 0 || ru.Kind == spec.Soak && (run.Decided || !again) {
		st.clear()
		run.Earlier = run.Earlier || run.Decided
		run.Within, run.Gaps, run.PhaseFrom, run.Decided = Within{}, Within{}, t, false
	}
	run.On, run.OnFrom = true, t
	run.Within.Upto = max(run.Within.Upto, t)
	for k := range st.Memory { // lost before it began to apply, and still
		m := &st.Memory[k]
		m.Total.Lost = m.Total.Lost || m.Away != 0
	}
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

// decide says what the operation has come to.
func (j *Judge) decide(r int, t sample.Time, n uint64, cut bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	st.Run.Decided = true
	res := Result{At: t, From: st.Run.From, Low: ru.Low, High: ru.High, Cut: cut}
	j.come(r, &res)
	res.Met = res.Known && !ru.outside(res.Actual)
	if res.Met && ru.hideable() && st.Run.Gaps.Best > j.P.rules[j.P.missing()].EventDelay {
		res.Met, res.Blind = false, true // unknown is never in; the gap has raised what is to be raised
	}
	st.Verdict, st.Last = res.Verdict(), &res
	c := Change{What: Decided, Rule: r, At: t, Verdict: st.Verdict, Result: res}
	j.Changes = append(j.Changes, c)
	if st.Verdict == Out {
		j.found(r, t, n, c)
	}
}

// hideable: a limit that was kept as far as was looked may have been broken in a
// gap. A time can only have been longer, and an extreme further out.
func (ru *rule) hideable() bool {
	if ru.Kind == spec.Peak && ru.Side == spec.Low {
		return ru.Low != nil
	}
	return ru.High != nil
}

// come puts into a result what the operation has come to. What nobody has seen
// is not met by it: where too little is known, only a time that is too short is
// known, since a gap earns nothing, or an extreme that is outside.
func (j *Judge) come(r int, res *Result) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	run := st.Run
	res.Actual, res.Known, res.Reduced = j.total(r)
	if ru.Kind == spec.Soak {
		res.Actual, res.Reduced = run.Within.actual(ru.Mode), run.Within.Reduced
		if len(ru.When) > 0 && run.PhaseFrom != 0 {
			res.From = run.PhaseFrom
		}
	}
	res.Gaps, res.None = run.Gaps.Sum, run.PhaseFrom != 0 && !j.seen(st)
	switch {
	case run.PhaseFrom == 0:
		// its phase has not been, or nobody knows whether it has
		res.Known = !run.Unseen && ru.Kind != spec.Peak
	case !res.Known && ru.Kind == spec.Peak:
		res.Known = j.seen(st) && ru.Scope != spec.AllInputs && ru.outside(res.Actual)
	case !res.Known:
		res.Known = ru.outside(res.Actual)
	}
}

// seen: something is known of some quantity.
func (j *Judge) seen(st *Rule) bool {
	return slices.ContainsFunc(st.Memory, func(m Memory) bool { return m.Total.Any })
}

// found raises what has not been met.
func (j *Judge) found(r int, t sample.Time, n uint64, c Change) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	v := sample.Exact{Value: sample.FloatValue(c.Result.Actual)}
	c.Episode = Episode{N: n, From: c.Result.From, To: t, DetectedAt: t, ClearedAt: t, Reduced: c.Result.Reduced || c.Result.Gaps > 0, Gaps: c.Result.Gaps, Area: []float64{0},
		Worst: Worst{At: t, Value: v, X: c.Result.Actual, Beyond: ru.beyond(c.Result.Actual), Side: ru.side(c.Result.Actual)}}
	st.Alarm = Delay{Phase: Raised}
	c.What = AlarmRaised
	j.Changes = append(j.Changes, c)
	c.What = EventFound
	j.Changes = append(j.Changes, c)
}

// total joins what the inputs have come to: the one that is furthest outside,
// with all_inputs the one that is least. One that was lost for a while counts
// only when too few others are left. known is whether enough of them have been
// seen to say so.
func (j *Judge) total(r int) (actual float64, known, reduced bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	whole, seen, first := 0, 0, true
	for k := range st.Memory {
		if !st.Memory[k].Total.Lost {
			whole++
		}
	}
	reduced = !ru.joined && whole < len(st.Memory) && whole >= j.P.needed
	for k := range st.Memory {
		total := &st.Memory[k].Total
		if reduced && total.Lost {
			continue
		}
		if total.Any {
			seen++
		} else if ru.Kind == spec.Peak {
			continue
		}
		x := total.actual(ru.Kind)
		if first || (ru.Scope == spec.AllInputs) == ru.inward(x, actual) {
			actual, first = x, false
		}
	}
	return actual, seen >= j.needed(st), reduced || st.Run.Reduced
}
