package judge

import (
	"math"

	"andon/internal/sample"
	"andon/internal/spec"
)

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

// falls lets what series i falls due by itself up to t, before its input is
// lost there.
func (j *Judge) falls(r, i int, t sample.Time) {
	switch j.P.rules[r].Kind {
	case spec.Frozen:
		j.freeze(r, i, min(t, j.S.Inputs[i].Heard))
	case spec.SPC:
		j.plotSeries(r, i, t)
	}
}

// fireTogether is fireUpTo for the rules that need all inputs.
func (j *Judge) fireTogether(t sample.Time) {
	for r := range j.P.rules {
		if j.P.rules[r].queued {
			j.plotDue(r, t)
			j.freezeDue(r, t)
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
func (s *State) Due(p *Parameter) sample.Time {
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
		switch p.rules[r].Kind {
		case spec.Frozen:
			soonest(p.frozenDue(s, r))
		case spec.SPC:
			soonest(s.Rules[r].batchDue(&p.rules[r]))
		}
	}
	if p.due != nil {
		soonest(p.nextDue(s))
	}
	return due
}
