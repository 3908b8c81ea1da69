package judge

import (
	"slices"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// Within is what a soak has come to: the stretches in which all inputs were
// within the tolerance.
type Within struct {
	Upto    sample.Time   `json:"upto"` // as far as it is known
	Sum     time.Duration `json:"sum"`  // of all stretches
	Now     time.Duration `json:"now"`  // the stretch under way
	Last    sample.Time   `json:"last"` // its end so far
	Best    time.Duration `json:"best"` // the longest
	Reduced bool          `json:"reduced,omitempty"`
}

// actual is the soak in seconds: the longest stretch where leaving the
// tolerance restarts the clock, the sum where it stops it.
func (w *Within) actual(mode string) float64 {
	if mode == spec.Cumulative {
		return w.Sum.Seconds()
	}
	return w.Best.Seconds()
}

func (w *Within) add(s Span) {
	if s.From != w.Last {
		w.Now = 0
	}
	d := s.To.Sub(s.From)
	w.Sum, w.Now, w.Last = w.Sum+d, w.Now+d, s.To
	w.Best = max(w.Best, w.Now)
}

// within is the part of a straight line from x to y that lies in a range, both
// ends included.
func within(s Span, x, y float64, tolerance *[2]float64) (in Span, ok bool) {
	m := measure{low: tolerance[0], high: tolerance[1]}
	if !m.outside(x) && !m.outside(y) {
		return s, true
	}
	in = s
	for _, d := range [2][2]float64{{finite(m.low - x), finite(m.low - y)}, {finite(x - m.high), finite(y - m.high)}} {
		switch e, f := d[0], d[1]; {
		case e > 0 && f > 0:
			return in, false
		case e > 0:
			in.From = max(in.From, s.From+cut(s.To-s.From, e, f))
		case f > 0:
			in.To = min(in.To, s.From+cut(s.To-s.From, e, f))
		}
	}
	return in, in.From < in.To
}

// inside adds a stretch within the tolerance.
func (m *Memory) inside(s Span) {
	if n := len(m.Inside); n > 0 && m.Inside[n-1].To == s.From {
		m.Inside[n-1].To = s.To
		return
	}
	m.Inside = append(m.Inside, s)
}

// covered is up to when all inputs that are not lost are known, t at most.
func (j *Judge) covered(r int, t sample.Time) sample.Time {
	upto, any := t, false
	st := &j.S.Rules[r]
	for k := range st.Series {
		if se := &st.Series[k]; se.Known {
			upto, any = min(upto, se.T), true
		}
	}
	if !any {
		return t
	}
	return upto
}

// joinStretches counts the stretches up to upto in which all inputs were within: those
// of the lagging input's entry to the first one's leaving (AMS2750, AMS2759); and,
// of every kind, those in which too few of the inputs were known.
// An input that is lost does not count where sensor_loss allows to go on
// without it.
func (j *Judge) joinStretches(r int, upto sample.Time) {
	st := &j.S.Rules[r]
	run := st.Run
	if run == nil || !run.On || upto <= run.Within.Upto {
		return
	}
	from := run.Within.Upto
	run.Within.Upto = upto
	for _, s := range j.edges(st, Span{from, upto}) {
		in, lost := 0, 0
		for k := range st.Memory {
			switch {
			case holds(st.Memory[k].Inside, s):
				in++
			case holds(st.Memory[k].Absent, s) || st.Memory[k].Away != 0 && st.Memory[k].Away <= s.From:
				lost++
			}
		}
		if len(st.Memory)-lost < j.needed(st) {
			run.Gaps.add(s)
		}
		if in > 0 && in >= j.needed(st) && in+lost == len(st.Memory) {
			run.Within.Reduced = run.Within.Reduced || lost > 0
			run.Within.add(s)
		}
	}
	for k := range st.Memory {
		m := &st.Memory[k]
		m.Inside, m.Absent = later(m.Inside, upto), later(m.Absent, upto)
	}
}

// needed is how many of a rule's quantities must be known.
func (j *Judge) needed(st *Rule) int { return min(j.P.needed, len(st.Series)) }

// edges cuts a stretch wherever any input enters, leaves, is lost or comes back.
func (j *Judge) edges(st *Rule, s Span) []Span {
	cuts := append(j.cuts[:0], s.From, s.To)
	add := func(t sample.Time) {
		if t > s.From && t < s.To {
			cuts = append(cuts, t)
		}
	}
	for k := range st.Memory {
		add(st.Memory[k].Away)
		for _, list := range [2][]Span{st.Memory[k].Inside, st.Memory[k].Absent} {
			for _, x := range list {
				add(x.From)
				add(x.To)
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	j.cuts, j.spans = cuts, j.spans[:0]
	for i := 1; i < len(cuts); i++ {
		j.spans = append(j.spans, Span{cuts[i-1], cuts[i]})
	}
	return j.spans
}

// holds says whether one of the stretches contains s.
func holds(list []Span, s Span) bool {
	for _, x := range list {
		if x.From <= s.From && s.To <= x.To {
			return true
		}
	}
	return false
}

// later drops what lies before t.
func later(list []Span, t sample.Time) []Span {
	k := 0
	for k < len(list) && list[k].To <= t {
		k++
	}
	if k > 0 {
		list = append(list[:0], list[k:]...)
	}
	if len(list) > 0 && list[0].From < t {
		list[0].From = t
	}
	return list
}
