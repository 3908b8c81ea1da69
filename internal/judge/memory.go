package judge

import (
	"slices"

	"andon/internal/sample"
	"andon/internal/spc"
	"andon/internal/spec"
)

// Memory is what a rule remembers of one quantity besides its last number.
// Which fields it uses depends on its kind.
type Memory struct {
	// rate: the samples in the window, and since when they follow one another
	// without a break; frozen: since when V has not changed
	Points []XY         `json:"points,omitempty"`
	From   sample.Time  `json:"from,omitempty"`
	V      sample.Exact `json:"v,omitzero"`
	// of each input where they are joined afterwards: what was made of it
	Point float64 `json:"point,omitzero"`
	Known bool    `json:"known,omitempty"`
	// spc: Point is the charted statistic, Signal what it signals; Batch gathers
	// the next point, Group the next subgroup of points
	Chart  spc.State `json:"chart,omitzero"`
	Batch  Batch     `json:"batch,omitzero"`
	Group  Batch     `json:"group,omitzero"`
	Signal string    `json:"signal,omitempty"`
	// spc: instant of the last point that signalled nothing
	Calm sample.Time `json:"calm,omitempty"`
	// soak: stretches within the tolerance, and of every rule that needs a whole
	// operation stretches unknown, that have not been joined with those of the
	// other inputs; unknown since Away
	Inside []Span      `json:"inside,omitempty"`
	Absent []Span      `json:"absent,omitempty"`
	Away   sample.Time `json:"away,omitempty"`
	// lethality, above, below, peak
	Total Total `json:"total,omitzero"`
}

// XY is a number and its instant.
type XY struct {
	T sample.Time `json:"t"`
	X float64     `json:"x"`
}

func (m Memory) clone() Memory {
	m.Points, m.Inside, m.Absent = slices.Clone(m.Points), slices.Clone(m.Inside), slices.Clone(m.Absent)
	return m
}

// begin makes a rule's state ready to judge from t on, with nothing behind it.
func (st *Rule) begin(ru *rule, t sample.Time) {
	st.Begun, st.Tentative = t, ru.derived || ru.Kind == spec.Envelope
	n := len(st.Series)
	switch {
	case ru.each:
		n = ru.inputs
	case ru.result:
		st.Run = &Run{From: t, Whole: true}
	case !ru.derived:
		return
	}
	st.Memory = make([]Memory, n)
}

// clear forgets what an operation has come to.
func (st *Rule) clear() {
	for k := range st.Memory {
		st.Memory[k] = Memory{Away: st.Memory[k].Away}
	}
}

// lose: quantity k is unknown from here on. No slope, run or sum spans it.
func (st *Rule) lose(k int) {
	if k < len(st.Series) {
		st.Series[k].Known = false
	}
	if k >= len(st.Memory) {
		return
	}
	m := &st.Memory[k]
	m.Points, m.From, m.Known = m.Points[:0], 0, false
	if st.Verdict != NotApplicable {
		m.interrupt()
	}
	m.Total.Lost = m.Total.Lost || st.Run != nil && st.Run.On
}

// begins lets a rule know that it begins to apply at t: what it makes of several
// samples it makes of those from here on, and what counts from the beginning of
// a phase counts from here. While nobody knows whether it applies it begins
// again and again.
func (j *Judge) begins(r int, t sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	if !ru.derived && ru.Kind != spec.Envelope || st.Verdict != NotApplicable && !st.Tentative {
		return
	}
	applies := j.Applies(r, t)
	if applies == No || st.Begun == t && !st.Tentative {
		return
	}
	st.Begun, st.Tentative = t, applies == Maybe
	for k := range st.Memory {
		j.beginsMemory(r, k, t)
	}
	for k := range st.Series {
		se := &st.Series[k]
		switch {
		case ru.Kind == spec.Envelope && se.Known:
			se.measure(j.at(r, t), t, se.X)
		case ru.Kind == spec.Frozen && se.Known:
			se.measure(&ru.measure, t, 0)
		case ru.derived:
			*se = Series{}
		}
	}
}

// beginsMemory is begins for what a rule remembers of quantity k. A chart of
// parts or of phases goes on: its points lie apart anyway.
func (j *Judge) beginsMemory(r, k int, t sample.Time) {
	ru, m := &j.P.rules[r], &j.S.Rules[r].Memory[k]
	switch {
	case ru.Kind == spec.Rate:
		m.forget(t)
		m.From = t
	case ru.Kind == spec.Frozen:
		if m.From != 0 {
			m.From = t
		}
	case !whole(ru.Chart):
		*m = Memory{}
	case j.blind(ru, k):
		m.interrupt()
	}
}

// blind: what quantity k is made of is not all known.
func (j *Judge) blind(ru *rule, k int) bool {
	if !ru.joined {
		return j.S.Inputs[k].Gap
	}
	return j.reduced()
}
