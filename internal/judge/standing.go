package judge

import (
	"time"

	"andon/internal/spec"
)

// Outside is how long the excursion of rule r has lasted, and how long outside
// the parameter's proven range: what has been counted up to the last sample, and
// what its value has stood outside since, as far as it has been heard of. Both
// are 0 without an excursion.
func (p *Parameter) Outside(s *State, r int) (outside, beyond time.Duration) {
	ru, st := &p.rules[r], &s.Rules[r]
	if st.Episode == nil {
		return 0, 0
	}
	e := st.Episode.Clone() // adding to it must not change what is kept
	for k := range st.Series {
		se := &st.Series[k]
		// a slope does not stand while the value does
		if st.Verdict != Out || !se.Known || !se.Outside || ru.Kind == spec.Rate {
			continue
		}
		upto := s.Passed() // up to where all inputs are known, what has come of them has been judged
		if !ru.queued {
			upto = s.Inputs[k].Heard
		}
		stood := Span{max(se.T, st.Since, e.From), upto}
		if stood.To <= stood.From {
			continue
		}
		e.Time.add(stood)
		if ru.value && p.par != nil && p.par.outside(se.X) {
			e.OutsidePAR.add(stood)
		}
	}
	return e.Time.Length(), e.OutsidePAR.Length()
}
