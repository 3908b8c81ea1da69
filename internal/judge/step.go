package judge

import (
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
	// N is the number of the input that is being decided: a rule that a timer
	// puts out is put out by it.
	N uint64
	// Changes is appended to.
	Changes []Change

	scratch  []piece
	beyond   []piece // of scratch, what lies outside the proven range
	envelope measure // of an envelope at the instant in hand
	computed Latest  // of the points in hand
	inputs   []float64
	cuts     []sample.Time
	spans    []Span
	held     sample.Time // how long the values before the points in hand stood
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
	confirmed bool // no sample: the value is known to stand
}

// Scan takes good values of inputs, all of source time t, from the n-th input.
func (j *Judge) Scan(t sample.Time, n uint64, values []Value) {
	t = max(t, j.S.Turned)  // what was decided with the context is not undone: it stands from there
	for i := range values { // nor is what a held value has said: it may have been asked for just after this was sampled
		t = max(t, j.S.Inputs[values[i].Input].T)
	}
	for r := range j.P.rules {
		if !j.P.rules[r].queued && !j.P.rules[r].built {
			j.scanRule(r, t, n, values)
		}
	}
	for _, v := range values {
		in := &j.S.Inputs[v.Input]
		if j.P.queued {
			j.enqueue(Point{T: t, N: n, Input: v.Input, V: sample.Exact{Value: v.V}, Held: in.Heard, Uncertain: v.Uncertain, Confirmed: v.confirmed})
		}
		*in = Input{Seen: true, T: t, V: sample.Exact{Value: v.V}, Heard: max(t, in.Heard)}
	}
	j.missing(t, n)
}

// Heard: input i is known to have kept its value up to t.
func (j *Judge) Heard(i int, t sample.Time) {
	in := &j.S.Inputs[i]
	if in.Gap || t <= in.Heard {
		return
	}
	if !j.P.heeds || !in.Seen {
		in.Heard = t
		return
	}
	waits := false
	for r := range j.P.rules {
		switch ru := &j.P.rules[r]; {
		case !ru.heeds() || ru.Kind == spec.Frozen:
		case ru.queued:
			waits = true
		case ru.derived, j.S.Rules[r].Series[i].Known:
			j.scanRule(r, t, j.N, []Value{{Input: i, V: in.V.Value, confirmed: true}})
		}
	}
	if waits {
		j.enqueue(Point{T: t, N: j.N, Input: i, V: in.V, Held: t, Confirmed: true})
	}
	in.Heard = t
	for r := range j.P.rules {
		if ru := &j.P.rules[r]; ru.Kind == spec.Frozen && !ru.queued {
			j.freeze(r, i, t)
		}
	}
}

// Found ends the gap of an input whose value has turned out to have stood
// through it: silence that a confirmation ends.
func (j *Judge) Found(i int, t sample.Time, n uint64) {
	in := &j.S.Inputs[i]
	if in.Gap && in.Seen {
		j.Scan(t, n, []Value{{Input: i, V: in.V.Value, confirmed: true}})
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
		if ru := &j.P.rules[r]; !ru.queued && !ru.built {
			j.falls(r, i, from)
			j.fireUpTo(r, i, from)
			j.S.Rules[r].lose(i)
			j.settle(r, from, n)
			j.unreach()
		}
	}
	j.missing(from, n)
}

// Turn: another phase, lot or part begins at t. It comes before the values that
// came together with it, since those are the new one's, and Context after them.
func (j *Judge) Turn(t sample.Time, n uint64, turn Turn) {
	for r := range j.P.rules {
		if !j.P.rules[r].queued {
			j.turnChart(r, t, turn)
		}
	}
	j.enqueueTurn(t, n, turn)
}

// Context: what applicability depends on has changed at t.
func (j *Judge) Context(t sample.Time, n uint64) {
	t = max(t, j.S.Turned) // said of an earlier instant, it changes what holds now
	j.S.Turned = t
	j.S.Adrift = false
	for r := range j.P.rules {
		ru := &j.P.rules[r]
		if !ru.queued && !ru.built {
			j.freezeDue(r, t)
			j.settle(r, t, n)
		}
		j.S.Adrift = j.S.Adrift || !ru.built && j.Applies(r, t) == Maybe
	}
	j.builtIn(t, n)
	j.settle(j.P.missing(), t, n)
	j.enqueueTurn(t, n, Changed)
}

// Operation: an operation has begun at t (Begun), has ended there (Ended), or
// will never end, since nothing follows (Ended and InputsEnd).
func (j *Judge) Operation(t sample.Time, n uint64, turn Turn) { j.enqueueTurn(t, n, turn) }

func (j *Judge) enqueueTurn(t sample.Time, n uint64, turn Turn) {
	if j.P.queued {
		j.enqueue(Point{T: max(t, j.S.Turned), N: n, Input: -1, Turn: turn})
	}
}

// Activate takes the rules of another revision to the values that stand at t:
// they are measured anew, and nothing from before t counts.
func (j *Judge) Activate(t sample.Time, n uint64) {
	for r := range j.P.rules {
		ru, st := &j.P.rules[r], &j.S.Rules[r]
		if ru.built || ru.result {
			continue
		}
		st.Since = t
		st.begin(ru, t)
		switch {
		case ru.derived || ru.Kind == spec.Window:
			for i := range st.Series {
				st.Series[i] = Series{} // made of several values: it begins again
			}
			j.stands(r, t, n)
		case ru.joined:
			j.compute(nil, nil, t, 0)
			if x, _, ok := j.join(r, t); ok {
				st.Series[0].measure(j.at(r, t), t, x)
			}
		default:
			for i := range st.Series {
				if x, ok := ru.of(j.S.Inputs[i].V.Value); ok && st.Series[i].Known {
					st.Series[i].measure(j.at(r, t), t, x)
				}
			}
		}
		j.settle(r, t, n)
	}
}

// stands begins a rule that is made of several values with those that stand at
// t: a sensor that is frozen already sends no other.
func (j *Judge) stands(r int, t sample.Time, n uint64) {
	ru := &j.P.rules[r]
	if !ru.derived || !ru.heeds() {
		return
	}
	for i := range j.S.Inputs {
		switch in := &j.S.Inputs[i]; {
		case in.Gap || !in.Seen:
		case ru.queued:
			j.enqueue(Point{T: t, N: n, Input: i, V: in.V, Held: t, Confirmed: true})
		default:
			j.scanRule(r, t, n, []Value{{Input: i, V: in.V.Value, confirmed: true}})
		}
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
	if st.Episode == nil || st.Episode.From >= t { // began after the change, which has been said late: the new lot's
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
		j.together(j.S.Queue[k:e], j.S.Queue[e:])
		k = e
	}
	if k > 0 {
		j.S.Queue = append(j.S.Queue[:0], j.S.Queue[k:]...)
	}
	j.fallDue(limit)
	for r := range j.S.Rules {
		j.plotDue(r, limit)
		j.freezeDue(r, limit)
		j.fire(r, limit, true)
	}
}
