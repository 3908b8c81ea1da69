package judge

import (
	"math"

	"andon/internal/sample"
	"andon/internal/spec"
)

// latch judges values that are taken together when a phase begins (torque and
// angle at the end of a tightening: VDI/VDE 2862-1). They stand until the phase
// ends, whatever the inputs do meanwhile.
func (j *Judge) latch(r int, t sample.Time, n uint64, turn Turn) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	var missing []int
	if j.Applies(r, t) == Yes && st.Begun != t && (turn&NewPhase != 0 || st.Verdict == NotApplicable) {
		if st.Verdict != NotApplicable {
			j.end(r, t) // the next of the rule's phases: another part
		}
		st.Begun, st.Series[0] = t, Series{}
		x := 0.0
		if x, missing = j.latched(ru); len(missing) == 0 {
			st.Series[0].measure(&ru.measure, t, x)
			j.scratch = j.scratch[:0]
			j.note(r, &Value{Input: 0}, t, n, x)
		}
	}
	j.settle(r, t, n)
	if len(missing) > 0 {
		j.unlatched(r, t, n, missing)
	}
}

// unlatched raises what can never be judged: no value that comes later is one of
// that moment. The alarm stays until the phase ends, as the part is there till
// then.
func (j *Judge) unlatched(r int, t sample.Time, n uint64, missing []int) {
	j.S.Rules[r].Alarm = Delay{Phase: Raised}
	e := &Episode{N: n, From: t, To: t, DetectedAt: t, ClearedAt: t, Area: []float64{0}, Missing: missing}
	j.say(AlarmRaised, r, t, e)
	j.say(EventFound, r, t, e)
}

// latched is how far the values that stand are outside their ranges, in widths
// of the range; 0 when all are inside. missing are the inputs that have none.
func (j *Judge) latched(ru *rule) (x float64, missing []int) {
	for _, g := range ru.Ranges {
		l := j.S.Latest[g.Input]
		v, ok := l.V.Value.Number()
		if !l.Known || !ok {
			missing = append(missing, g.Input)
			continue
		}
		x = max(x, excess(g, v))
	}
	return x, missing
}

// worstInput names the input that is furthest outside its range.
func (j *Judge) worstInput(w *Worst, ru *rule) {
	furthest := -1.0
	for i, g := range ru.Ranges {
		v, ok := j.S.Latest[g.Input].V.Value.Number()
		if b := excess(g, v); ok && b > furthest {
			m := measure{low: g.Low, high: g.High}
			furthest = b
			w.Value, w.Side, w.Series = j.S.Latest[g.Input].V, m.side(v), i
		}
	}
}

// excess is how far a value is outside a range, in widths of the range, so that
// inputs of different units compare.
func excess(g spec.InputRange, v float64) float64 {
	m := measure{low: g.Low, high: g.High}
	if !m.outside(v) {
		return 0
	}
	width := finite(g.High - g.Low)
	switch {
	case math.IsInf(g.Low, 0):
		width = math.Max(1, math.Abs(g.High))
	case math.IsInf(g.High, 0):
		width = math.Max(1, math.Abs(g.Low))
	}
	return math.Max(math.SmallestNonzeroFloat64, finite(m.beyond(v)/width)) // outside, however little
}
