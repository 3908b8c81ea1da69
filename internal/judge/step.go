package judge

import (
	"math"
	"sort"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// Applies says whether a rule applies at an instant of source time.
type Applies uint8

// Whether a rule applies. Maybe: the context that decides it is unknown.
const (
	No Applies = iota
	Maybe
	Yes
)

// Judge steps one State. It is made for a call and not kept.
type Judge struct {
	P *Parameter
	S *State
	// Applies answers for a rule of P (missing data included) at an instant.
	Applies func(rule int, t sample.Time) Applies
	// Changes is appended to.
	Changes []Change

	scratch []piece
}

// Value is a good value of one input in a scan.
type Value struct {
	Input     int
	V         sample.Value
	Uncertain bool
}

// Scan takes good values of inputs, all of source time t, from the n-th input.
func (j *Judge) Scan(t sample.Time, n uint64, values []Value) {
	for r := range j.P.rules {
		if !j.P.rules[r].aggregate && !j.P.rules[r].missing {
			j.scanRule(r, t, n, values)
		}
	}
	for _, v := range values {
		in := &j.S.Inputs[v.Input]
		if j.P.queued {
			j.enqueue(Point{T: t, N: n, Input: v.Input, V: sample.Exact{Value: v.V}, Held: in.Heard})
		}
		*in = Input{Seen: true, T: t, V: sample.Exact{Value: v.V}, Heard: max(t, in.Heard)}
	}
	j.missing(t, n)
}

// Heard: input i is known to have kept its value up to t.
func (j *Judge) Heard(i int, t sample.Time) {
	if in := &j.S.Inputs[i]; !in.Gap && t > in.Heard {
		in.Heard = t
	}
}

// Found ends the gap of an input whose value has turned out to have stood
// through it: silence that a confirmation ends.
func (j *Judge) Found(i int, t sample.Time, n uint64) {
	in := &j.S.Inputs[i]
	if in.Gap && in.Seen {
		j.Scan(t, n, []Value{{Input: i, V: in.V.Value}})
	}
}

// Gap: input i is unknown from from on.
func (j *Judge) Gap(i int, from sample.Time, n uint64) {
	in := &j.S.Inputs[i]
	if in.Gap {
		return
	}
	in.Gap, in.From = true, from
	if j.P.queued {
		j.enqueue(Point{T: from, N: n, Input: i, Gap: true})
	}
	for r := range j.P.rules {
		if ru := &j.P.rules[r]; !ru.aggregate && !ru.missing {
			j.S.Rules[r].Series[i].Known = false
			j.settle(r, from, n)
		}
	}
	j.missing(from, n)
}

// Context: what applicability depends on has changed at t.
func (j *Judge) Context(t sample.Time, n uint64) {
	j.S.Adrift = false
	for r := range j.P.rules {
		ru := &j.P.rules[r]
		if !ru.aggregate && !ru.missing {
			j.settle(r, t, n)
		}
		j.S.Adrift = j.S.Adrift || !ru.missing && j.Applies(r, t) == Maybe
	}
	j.missing(t, n)
	j.settle(len(j.P.rules)-1, t, n)
	if j.P.queued {
		j.enqueue(Point{T: t, N: n, Input: -1, Turn: true})
	}
}

// Split ends the open event of a rule at t and begins a new one there, since
// the product has changed and the rule says so.
func (j *Judge) Split(r int, t sample.Time, n uint64) {
	st := &j.S.Rules[r]
	if st.Episode == nil || st.Event.Phase != Raised {
		return
	}
	old := *st.Episode
	old.To, old.ClearedAt = t, t
	j.say(EventSplit, r, t, &old)
	st.Since = t
	st.Episode = &Episode{N: n, From: t, DetectedAt: t, Area: make([]float64, len(old.Area)), GapFrom: old.GapFrom}
	j.first(r, t)
	j.say(EventOpened, r, t, st.Episode)
}

// Advance: all that will be known up to limit is known. Queued points are
// judged and timers that are due by then are fired.
func (j *Judge) Advance(limit sample.Time) {
	k := 0
	for k < len(j.S.Queue) && j.S.Queue[k].T <= limit {
		e := k + 1
		for e < len(j.S.Queue) && j.S.Queue[e].T == j.S.Queue[k].T {
			e++
		}
		j.together(j.S.Queue[k:e])
		k = e
	}
	if k > 0 {
		j.S.Queue = append(j.S.Queue[:0], j.S.Queue[k:]...)
	}
	for r := range j.S.Rules {
		j.fire(r, limit, true)
	}
}

// Passed is the instant up to which every input that is not in a gap has been
// heard of; 0 when all are in gaps and only the clock can tell.
func (s *State) Passed() sample.Time {
	passed := sample.Time(math.MaxInt64)
	for i := range s.Inputs {
		if in := &s.Inputs[i]; !in.Gap {
			passed = min(passed, in.Heard)
		}
	}
	if passed == math.MaxInt64 {
		return 0
	}
	return passed
}

// Due is the earliest instant at which Advance has something to do, 0 if none.
func (s *State) Due() sample.Time {
	due := sample.Time(0)
	soonest := func(t sample.Time) {
		if t != 0 && (due == 0 || t < due) {
			due = t
		}
	}
	if len(s.Queue) > 0 {
		soonest(s.Queue[0].T)
	}
	for r := range s.Rules {
		soonest(s.Rules[r].Alarm.Due)
		soonest(s.Rules[r].Event.Due)
	}
	return due
}

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

// scanRule judges one rule of scope any_input by the values of a scan.
func (j *Judge) scanRule(r int, t sample.Time, n uint64, values []Value) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	quiet := st.Verdict == In && st.Episode == nil && st.Alarm.Phase == Idle
	for _, v := range values {
		in, se := &j.S.Inputs[v.Input], &st.Series[v.Input]
		x, ok := ru.of(v.V)
		if !ok {
			se.Known = false
			quiet = false
			continue
		}
		if quiet && !ru.outside(x) { // the way nearly every sample goes
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

// move takes a series on to x at t. held is how long its last number is known
// to have stood. What was passed on the way outside is counted into the
// excursion, one that x begins included.
func (j *Judge) move(r, series int, t sample.Time, x float64, held sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	se := &st.Series[series]
	j.scratch = j.scratch[:0]
	if se.Known && t > se.T {
		held = min(max(held, se.T), t)
		j.scratch = ru.pieces(j.scratch, se.T, held, se.X, se.X)
		if t.Sub(held) <= j.P.MaxGap {
			j.scratch = ru.pieces(j.scratch, held, t, se.X, x)
		}
	}
	se.Known, se.T, se.X = true, t, x
	se.Outside = ru.outside(x)
	if se.Outside {
		se.Out = true
	} else if ru.back(x) {
		se.Out = false
	}
}

// note puts a sample, and the stretch before it, into the excursion.
func (j *Judge) note(r int, v Value, t sample.Time, n uint64, x float64) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	se := &st.Series[v.Input]
	if se.Outside {
		// timers due before this sample are fired first: the excursion that the
		// sample belongs to may be over
		j.fire(r, t, false)
		if st.Episode == nil && j.Applies(r, t) == Yes {
			st.Episode = &Episode{N: n, From: t, SuspectFrom: j.lastIn(st, t), Area: make([]float64, len(st.Series))}
		}
	}
	e := st.Episode
	if e == nil {
		return
	}
	for _, p := range j.scratch {
		if p, ok := p.since(st.Since); ok {
			e.Time.add(p.span)
			e.Area[v.Input] += p.area
		}
	}
	e.Time.settle(j.S.Passed())
	if !se.Outside {
		return
	}
	e.Samples++
	e.From = min(e.From, t)
	e.Uncertain = e.Uncertain || v.Uncertain
	if b := ru.beyond(x); b > e.Worst.Beyond || e.Worst.At == 0 {
		e.Worst = Worst{t, sample.Exact{Value: v.V}, x, b, ru.side(x), v.Input}
		if st.Event.Phase == Raised || st.Event.Phase == Clearing {
			j.say(EventWorse, r, t, e)
		}
	}
}

// lastIn is the last instant before t at which a rule is known to have been in:
// while it is in, every confirmation of its inputs says so again.
func (j *Judge) lastIn(st *Rule, t sample.Time) sample.Time {
	if st.Verdict != In {
		return st.LastIn
	}
	return max(st.LastIn, min(j.S.Passed(), t))
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
	known := true
	for i := range j.S.Rules[r].Series {
		se := &j.S.Rules[r].Series[i]
		switch {
		case !se.Known:
			known = false
		case se.Out:
			return Out
		}
	}
	if known {
		return In
	}
	return Unknown
}

// settle brings verdict, alarm and event of a rule to what holds at t.
func (j *Judge) settle(r int, t sample.Time, n uint64) {
	st := &j.S.Rules[r]
	j.fire(r, t, false)
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
		outside = outside || st.Series[i].Known && st.Series[i].Outside
	}
	switch {
	case outside:
		e.To = 0
	case e.To == 0:
		e.To = t
	}
}

func (j *Judge) out(r int, t sample.Time, n uint64) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	if st.Episode == nil { // missing data, or out since before the rule applied
		st.Episode = &Episode{N: n, From: t, SuspectFrom: st.LastIn, Area: make([]float64, len(st.Series))}
		j.first(r, t)
	}
	j.answer(r, st.Alarm.out(t, ru.OnDelay), t, true)
	j.answer(r, st.Event.out(t, ru.EventDelay), t, false)
}

// first gives an episode that no sample began (the rule began to apply while
// its input stood outside) the value that stands.
func (j *Judge) first(r int, t sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	if ru.missing {
		return
	}
	for i := range st.Series {
		se := &st.Series[i]
		if b := ru.beyond(se.X); se.Known && se.Outside && (st.Episode.Worst.At == 0 || b > st.Episode.Worst.Beyond) {
			v := sample.FloatValue(se.X)
			if !ru.aggregate {
				v = j.S.Inputs[i].V.Value
			}
			st.Episode.Worst = Worst{t, sample.Exact{Value: v}, se.X, b, ru.side(se.X), i}
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
			e.To = t
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
		st.Episode.ClearedAt = t
		j.say(EventCleared, r, t, st.Episode)
	case s == cancelled:
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

// missing judges the rule that is out while any input is in a gap or nobody
// knows whether the rules apply. It is in once every input has a value; before
// the first it is unknown.
func (j *Judge) missing(t sample.Time, n uint64) {
	r := len(j.P.rules) - 1
	se := &j.S.Rules[r].Series[0]
	was := *se
	se.Out, se.Known = j.S.Adrift, true
	for i := range j.S.Inputs {
		in := &j.S.Inputs[i]
		se.Out = se.Out || in.Gap
		se.Known = se.Known && (in.Seen || in.Gap)
	}
	se.Known = se.Known || se.Out
	se.Outside = se.Out
	if was != *se {
		j.settle(r, t, n)
	}
}

// Outside is the time outside so far, the stretch since the last sample not
// included.
func (e *Episode) Outside() time.Duration { return e.Time.Length() }
