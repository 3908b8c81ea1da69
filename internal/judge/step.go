package judge

import (
	"math"
	"slices"
	"time"

	"andon/internal/sample"
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
	// While a rule takes an input's values or gap: how far its timers may be
	// fired by it (see reach). Not set: no further limit.
	reached *reached
	reach1  reached
}

// Value is a good value of one input in a scan.
type Value struct {
	Input     int
	V         sample.Value
	Uncertain bool
}

// Scan takes good values of inputs, all of source time t, from the n-th input.
func (j *Judge) Scan(t sample.Time, n uint64, values []Value) {
	t = max(t, j.S.Turned) // what was decided with the context is not undone: it stands from there
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
			j.fireUpTo(r, i, from)
			j.S.Rules[r].Series[i].Known = false
			j.settle(r, from, n)
			j.unreach()
		}
	}
	j.missing(from, n)
}

// Context: what applicability depends on has changed at t.
func (j *Judge) Context(t sample.Time, n uint64) {
	j.S.Turned = max(j.S.Turned, t)
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

// Activate takes the rules of another revision to the values that stand at t:
// they are measured anew, and nothing from before t counts.
func (j *Judge) Activate(t sample.Time, n uint64) {
	for r := range j.P.rules {
		ru, st := &j.P.rules[r], &j.S.Rules[r]
		if ru.missing {
			continue
		}
		st.Since = t
		if ru.aggregate {
			if x, _, ok := j.join(ru); ok {
				st.Series[0].measure(&ru.measure, t, x)
			}
		} else {
			for i := range st.Series {
				if x, ok := ru.of(j.S.Inputs[i].V.Value); ok && st.Series[i].Known {
					st.Series[i].measure(&ru.measure, t, x)
				}
			}
		}
		j.settle(r, t, n)
	}
}

// measure puts a series at x.
func (se *Series) measure(m *measure, t sample.Time, x float64) {
	se.Known, se.T, se.X, se.Outside = true, t, x, m.outside(x)
	if se.Outside {
		se.Out = true
	} else if m.back(x) {
		se.Out = false
	}
}

// Split ends the open event of a rule at t and begins a new one there, since
// the product has changed and the rule says so.
func (j *Judge) Split(r int, t sample.Time, n uint64) {
	st := &j.S.Rules[r]
	if st.Episode == nil {
		return
	}
	if st.Event.Phase == Clearing || st.Event.Phase == Lingering {
		st.SplitNext = true // out again will be the new lot's
		return
	}
	if st.Event.Phase != Raised {
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
		// a sample, and a timer, count before a gap that begins behind them
		for e < len(j.S.Queue) && j.S.Queue[e].T == j.S.Queue[k].T && j.S.Queue[e].Gap == j.S.Queue[k].Gap {
			e++
		}
		if j.S.Queue[k].Gap {
			j.fireTogether(j.S.Queue[k].T)
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

// reached is how far timers may be fired by what one input says: on-delays as
// far as some input is known to have been out, off-delays as far as all inputs
// that are not in a gap have been heard of. The rest is for Advance.
type reached struct{ out, in sample.Time }

// reach sets how far a rule's timers may be fired. heard is how far an input
// has been heard of.
func (j *Judge) reach(st *Rule, heard func(i int) sample.Time) {
	j.reach1 = reached{in: math.MaxInt64}
	for i := range j.S.Inputs {
		if j.S.Inputs[i].Gap {
			continue
		}
		j.reach1.in = min(j.reach1.in, heard(i))
		if st.Series[i].Known && st.Series[i].Out {
			j.reach1.out = max(j.reach1.out, heard(i))
		}
	}
	j.reach1.out = max(j.reach1.out, j.reach1.in)
	j.reached = &j.reach1
}

func (j *Judge) unreach() { j.reached = nil }

// fireUpTo fires what is due up to the beginning of input i's gap, which does
// not touch what was known until then, and leaves that reach set.
func (j *Judge) fireUpTo(r, i int, from sample.Time) {
	st := &j.S.Rules[r]
	in := &j.S.Inputs[i]
	in.Gap = false
	j.reach(st, func(i int) sample.Time { return j.S.Inputs[i].Heard })
	in.Gap = true
	j.fire(r, from, true)
}

// fireTogether is fireUpTo for the rules that need all inputs.
func (j *Judge) fireTogether(t sample.Time) {
	for r := range j.P.rules {
		if j.P.rules[r].aggregate {
			j.fire(r, t, true)
		}
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

// scanRule judges one rule of scope any_input by the values of a scan.
func (j *Judge) scanRule(r int, t sample.Time, n uint64, values []Value) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	quiet := st.Verdict == In && st.Episode == nil && st.Alarm.Phase == Idle
	if !quiet {
		j.reach(st, func(i int) sample.Time {
			if slices.ContainsFunc(values, func(v Value) bool { return v.Input == i }) {
				return t
			}
			return j.S.Inputs[i].Heard
		})
		defer j.unreach()
	}
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
	se.measure(&ru.measure, t, x)
}

// note puts a sample, and the stretch before it, into the excursion.
func (j *Judge) note(r int, v Value, t sample.Time, n uint64, x float64) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	se := &st.Series[v.Input]
	if st.Verdict == NotApplicable || j.S.Adrift { // it begins to apply here: the way up to here does not count
		j.scratch = j.scratch[:0]
	}
	if se.Outside {
		// timers due before this sample are fired first: the excursion that the
		// sample belongs to may be over
		j.fire(r, t, false)
		j.splitNow(r, t)
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
			e.Area[v.Input] = finite(e.Area[v.Input] + p.area)
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

// Outside is the time outside so far, the stretch since the last sample not
// included.
func (e *Episode) Outside() time.Duration { return e.Time.Length() }
