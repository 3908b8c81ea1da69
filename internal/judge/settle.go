package judge

import (
	"math"
	"slices"

	"andon/internal/sample"
	"andon/internal/spec"
)

// lastIn is the last instant before t at which a rule is known to have been in:
// while it is in, every confirmation of its inputs says so again. A gap that
// begins before what has been judged takes back that it was in from there on.
func (j *Judge) lastIn(r int, t sample.Time) sample.Time {
	st := &j.S.Rules[r]
	last := st.LastIn
	switch {
	case j.P.rules[r].Kind == spec.SPC:
		last = st.calm()
	case st.Verdict != In:
	case j.P.rules[r].queued:
		last = max(last, j.held)
	default:
		last = max(last, j.S.Passed())
	}
	return min(last, t)
}

// calm is the last instant at which all of a rule's charts had a point without a
// signal.
func (st *Rule) calm() sample.Time {
	last := sample.Time(math.MaxInt64)
	for k := range st.Memory {
		last = min(last, st.Memory[k].Calm)
	}
	return last
}

// verdict joins the series of a rule.
func (j *Judge) verdict(r int, t sample.Time) Verdict {
	switch j.Applies(r, t) {
	case No:
		return NotApplicable
	case Maybe:
		return Unknown
	case Yes:
	}
	known, st := 0, &j.S.Rules[r]
	for i := range st.Series {
		se := &st.Series[i]
		switch {
		case !se.Known:
		case se.Out:
			return Out
		default:
			known++
		}
	}
	if known > 0 && known >= j.needed(st) {
		return In
	}
	return Unknown
}

// settle brings verdict, alarm and event of a rule to what holds at t.
func (j *Judge) settle(r int, t sample.Time, n uint64) {
	st := &j.S.Rules[r]
	j.fire(r, t, false)
	j.begins(r, t)
	v := j.verdict(r, t)
	if v != st.Verdict {
		switch {
		case st.Verdict == In && v == Unknown: // in until the gap began
			st.LastIn = max(st.LastIn, t)
		case st.Verdict < In && v >= In:
			st.Since = t
		}
		st.Verdict = v
		j.Changes = append(j.Changes, Change{What: VerdictChanged, Rule: r, At: t, Verdict: v})
	}
	j.inside(st, v, t)
	ru := &j.P.rules[r]
	switch v {
	case Out:
		j.out(r, t, n)
	case In:
		st.LastIn = max(st.LastIn, t)
		j.answer(r, st.Alarm.in(t, ru.OffDelay, 0), t, true)
		j.answer(r, st.Event.in(t, ru.OffDelay, ru.Rejoin), t, false)
	case Unknown:
		st.Alarm.unknown(t)
		st.Event.unknown(t)
	case NotApplicable:
		j.end(r, t)
	case Undecided: // of rules that are decided elsewhere: accrue
	}
}

// inside keeps when the excursion was last left, and how long it was unknown.
func (j *Judge) inside(st *Rule, v Verdict, t sample.Time) {
	e := st.Episode
	if e == nil {
		return
	}
	if v == Unknown {
		if e.GapFrom == 0 {
			e.GapFrom = t
		}
		return
	}
	if e.GapFrom != 0 {
		e.Gaps += max(0, t.Sub(e.GapFrom))
		e.GapFrom = 0
	}
	outside := false
	for i := range st.Series {
		se := &st.Series[i] // in a gap too it has not been seen back, unless the rule is in without it
		outside = outside || se.Outside && (se.Known || v != In)
	}
	switch {
	case outside:
		e.To = 0
	case e.To == 0:
		e.To = max(t, e.From)
	}
}

// splitNow ends an event whose lot has changed while it was coming to its end:
// what is out at t is another lot's.
func (j *Judge) splitNow(r int, t sample.Time) {
	st := &j.S.Rules[r]
	if st.SplitNext && (st.Event.Phase == Clearing || st.Event.Phase == Lingering) {
		if st.Event.Phase == Clearing {
			st.Episode.ClearedAt = t
			j.say(EventCleared, r, t, st.Episode)
		}
		st.Event, st.Episode = Delay{}, nil
	}
	st.SplitNext = false
}

func (j *Judge) out(r int, t sample.Time, n uint64) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	j.splitNow(r, t)
	if st.Episode == nil { // missing data, or out since before the rule applied
		st.Episode = &Episode{N: n, From: t, SuspectFrom: min(st.LastIn, t), Area: make([]float64, len(st.Series))}
		j.first(r, t)
	}
	j.answer(r, st.Alarm.out(t, ru.OnDelay), t, true)
	j.answer(r, st.Event.out(t, ru.EventDelay), t, false)
}

// first gives an episode that no sample began (the rule began to apply while
// its input stood outside) the value that stands.
func (j *Judge) first(r int, t sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	if ru.built {
		return
	}
	for i := range st.Series {
		se := &st.Series[i]
		if b := j.at(r, t).beyond(se.X); se.Known && se.Outside && (st.Episode.Worst.At == 0 || b > st.Episode.Worst.Beyond) {
			v := sample.FloatValue(se.X)
			switch {
			case !ru.joined:
				v = j.S.Inputs[i].V.Value
			case j.P.Spec.Computed == nil:
				if _, w, ok := j.join(r, t); ok {
					v = w
				}
			}
			st.Episode.Worst = j.worst(r, i, t, v, se.X)
		}
	}
}

// end: the rule does not apply from t on.
func (j *Judge) end(r int, t sample.Time) {
	st := &j.S.Rules[r]
	if st.Alarm.Phase == Raised || st.Alarm.Phase == Clearing {
		j.say(AlarmCleared, r, t, st.Episode)
	}
	if e := st.Episode; e != nil && (st.Event.Phase == Raised || st.Event.Phase == Clearing) {
		if e.To == 0 {
			e.To = max(t, e.From) // that it ended may be said late
		}
		j.say(EventEnded, r, t, e)
	}
	st.Alarm, st.Event, st.Episode, st.LastIn = Delay{}, Delay{}, nil, 0
}

// fire ends the phases that are due: with last those due at t too, else only
// those before t, since a sample at t comes before a timer at t. The end of the
// rejoin time is the exception: out again at that instant is a new excursion.
func (j *Judge) fire(r int, t sample.Time, last bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	ready := func(d *Delay) bool {
		if x := j.reached; x != nil && (d.Phase == Pending && d.Due > x.out || d.Phase == Clearing && d.Due > x.in) {
			return false
		}
		return d.Due != 0 && (d.Due < t || d.Due == t && (last || d.Phase == Lingering))
	}
	for ready(&st.Alarm) {
		s, at := st.Alarm.fire(0)
		j.answer(r, s, at, true)
	}
	for ready(&st.Event) {
		s, at := st.Event.fire(ru.Rejoin)
		j.answer(r, s, at, false)
	}
}

// answer turns what a Delay said at t into changes.
func (j *Judge) answer(r int, s said, t sample.Time, alarm bool) {
	st := &j.S.Rules[r]
	switch {
	case s == nothing:
	case alarm:
		j.answerAlarm(r, s, t)
	case s == raised:
		st.Episode.DetectedAt = t
		j.say(EventOpened, r, t, st.Episode)
	case s == raisedAgain:
		st.Episode.ClearedAt = 0
		j.say(EventReopened, r, t, st.Episode)
	case s == cleared:
		t = max(t, st.Episode.To) // a confirmation that a sample contradicts has been judged
		st.Episode.ClearedAt = t
		j.say(EventCleared, r, t, st.Episode)
	case s == cancelled:
		j.say(EventCancelled, r, t, st.Episode)
		st.Episode = nil
	case s == over:
		j.say(EventOver, r, t, st.Episode)
		st.Episode = nil
	}
}

func (j *Judge) answerAlarm(r int, s said, t sample.Time) {
	st := &j.S.Rules[r]
	switch s {
	case raised:
		j.say(AlarmRaised, r, t, st.Episode)
	case cleared:
		st.Alarm = Delay{} // an alarm does not linger: out again is a new one
		j.say(AlarmCleared, r, t, st.Episode)
	case nothing, raisedAgain, cancelled, over:
	}
}

// say records a change, with a copy of the episode as it stands.
func (j *Judge) say(w What, r int, t sample.Time, e *Episode) {
	c := Change{What: w, Rule: r, At: t, Verdict: j.S.Rules[r].Verdict}
	if e != nil {
		c.Episode = e.Clone()
	}
	j.Changes = append(j.Changes, c)
}

// builtIn judges the rules that a parameter has besides its own.
func (j *Judge) builtIn(t sample.Time, n uint64) {
	if r := j.P.missing() - 1; j.P.due != nil || j.S.Rules[r].Verdict != Unknown {
		se := &j.S.Rules[r].Series[0]
		at := max(se.T, t)                                             // what was said of a later instant is not unsaid
		*se = Series{Known: true, T: at, Out: se.Out || j.overdue(at)} // until other settings say otherwise: Rewired
		se.Outside = se.Out
		j.settle(r, at, n)
	}
	j.missing(t, n)
}

// Rewired: what is known of the inputs' instruments may have changed. One that
// was overdue has been so until t, whatever its new certificate says.
func (j *Judge) Rewired(t sample.Time, n uint64) {
	j.S.Rules[j.P.missing()-1].Series[0].Out = false
	j.builtIn(t, n)
}

// overdue: some input's instrument is overdue for calibration at t.
func (j *Judge) overdue(t sample.Time) bool {
	return slices.ContainsFunc(j.P.due, func(due sample.Time) bool { return due != 0 && due <= t })
}

// nextDue is when the next calibration falls due, 0 if none will.
func (p *Parameter) nextDue(s *State) sample.Time {
	next, se := sample.Time(0), &s.Rules[p.missing()-1].Series[0]
	for _, due := range p.due {
		if due > se.T && !se.Out && (next == 0 || due < next) {
			next = due
		}
	}
	return next
}

// fallDue lets calibrations fall due, each at its instant.
func (j *Judge) fallDue(limit sample.Time) {
	if j.P.due == nil {
		return
	}
	if next := j.P.nextDue(j.S); next != 0 && next <= limit {
		j.builtIn(next, j.N)
	}
}

// missing judges the rule that is out while fewer inputs are known than the
// parameter needs, or nobody knows whether the rules apply. It is in once every
// input has a value; before the first it is unknown.
func (j *Judge) missing(t sample.Time, n uint64) {
	r := j.P.missing()
	se := &j.S.Rules[r].Series[0]
	was := *se
	here := 0
	se.Known = true
	for i := range j.S.Inputs {
		in := &j.S.Inputs[i]
		if !in.Gap {
			here++
		}
		se.Known = se.Known && (in.Seen || in.Gap)
	}
	se.Out = j.S.Adrift || here < j.P.needed
	// while an input has yet to be seen for the first time, what was missing
	// goes on to be
	se.Out = se.Out || was.Out && !se.Known
	se.Known = se.Known || se.Out
	se.Outside = se.Out
	if was != *se {
		j.settle(r, t, n)
	}
}
