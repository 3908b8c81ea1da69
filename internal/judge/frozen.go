package judge

import (
	"math"

	"andon/internal/sample"
	"andon/internal/spec"
)

// unchanged takes a sample of a value that must not stay the same, and returns
// for how many seconds it has. What it was between the last word of it and a
// sample that differs is not known, and is not counted as unchanged.
func (j *Judge) unchanged(r, k int, t sample.Time, v sample.Value, held sample.Time) (x float64, ok bool) {
	m, se := &j.S.Rules[r].Memory[k], &j.S.Rules[r].Series[0]
	if !j.P.rules[r].joined {
		se = &j.S.Rules[r].Series[k]
	}
	same := m.From != 0 && unchangedFrom(m.V.Value, v)
	if m.From != 0 && se.Known {
		until := t
		if !same {
			until = min(until, held)
		}
		for i := range j.S.Rules[r].Memory { // together they stand as long as the first to change does
			if ru := &j.P.rules[r]; ru.each && i != k {
				until = min(until, j.heardOf(ru, i))
			}
		}
		j.freeze(r, k, until)
	}
	if !same {
		m.V, m.From = sample.Exact{Value: v}, t
	}
	return t.Sub(m.From).Seconds(), true
}

// unchangedFrom: one value is no change from another. Zero has one value,
// whatever its sign.
func unchangedFrom(a, b sample.Value) bool {
	x, okX := a.Number()
	y, okY := b.Number()
	return a.Equal(b) || okX && okY && x == 0 && y == 0
}

// freezeDue puts a rule of kind frozen out where a value has been unchanged for
// longer than allowed: from the instant up to which it was allowed to be, as soon
// as it is known, up to limit, to have stood beyond it.
func (j *Judge) freezeDue(r int, limit sample.Time) {
	if j.P.rules[r].Kind != spec.Frozen {
		return
	}
	for k := range j.S.Rules[r].Series {
		_, heard := j.frozenAt(r, k)
		j.freeze(r, k, min(limit, heard))
	}
}

// freeze is freezeDue for series k, whose values are known up to limit.
func (j *Judge) freeze(r, k int, limit sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	if ru.joined {
		k = 0
	}
	due, _ := j.frozenAt(r, k)
	se := &st.Series[k]
	if due == 0 || due >= limit || se.Out || !se.Known || st.Verdict == NotApplicable {
		return
	}
	j.held = 0                                         // what came before says nothing of this instant
	x := math.Nextafter(ru.For.Seconds(), math.Inf(1)) // longer than For, from here on
	v := Value{Input: k, V: st.Memory[st.newest(ru, k)].V.Value, confirmed: true}
	since := due.Add(-ru.For)
	j.move(r, k, due, x, due)
	j.note(r, &v, due, j.N, x)
	if e := st.Episode; e != nil && e.From == due { // what it showed has been in doubt since it last changed
		e.SuspectFrom = since
	}
	j.settle(r, due, j.N)
}

// newest is the quantity of series k that changed last.
func (st *Rule) newest(ru *rule, k int) int {
	if !ru.joined {
		return k
	}
	for i := range st.Memory {
		if st.Memory[i].From > st.Memory[k].From {
			k = i
		}
	}
	return k
}

// frozenAt is up to when series k may be unchanged, 0 when that is not known,
// and up to when its values are known to have stood. With
// all_inputs it is the input that changed last that counts.
func (j *Judge) frozenAt(r, k int) (due, heard sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	first, last := k, k+1
	if ru.joined {
		first, last = 0, len(st.Memory)
	}
	heard = sample.Time(math.MaxInt64)
	for i := first; i < last; i++ {
		if st.Memory[i].From == 0 {
			return 0, 0
		}
		due = max(due, st.Memory[i].From.Add(ru.For))
		if len(j.S.Inputs) == len(st.Memory) {
			heard = min(heard, j.heardOf(ru, i))
		}
	}
	if heard == math.MaxInt64 { // one value computed of all inputs
		heard = j.S.Passed()
	}
	return due, heard
}

// heardOf is up to when the value that a rule has of input i is known to have
// stood: of one that waits for the others, up to the word before its next.
func (j *Judge) heardOf(ru *rule, i int) sample.Time {
	if ru.queued {
		for k := range j.S.Queue {
			if p := &j.S.Queue[k]; p.Turn == 0 && p.Input == i {
				if p.Gap {
					return p.T
				}
				return p.Held
			}
		}
	}
	return j.S.Inputs[i].Heard
}

// frozenDue is the earliest instant at which freezeDue has something to do, 0
// if none.
func (p *Parameter) frozenDue(s *State, r int) sample.Time {
	j := Judge{P: p, S: s}
	st := &s.Rules[r]
	if p.rules[r].Kind != spec.Frozen || st.Verdict == NotApplicable {
		return 0
	}
	soonest := sample.Time(0)
	for k := range st.Series {
		due, heard := j.frozenAt(r, k)
		if due != 0 && due < heard && st.Series[k].Known && !st.Series[k].Out && (soonest == 0 || due < soonest) {
			soonest = due + 1 // the next instant there is
		}
	}
	return soonest
}
