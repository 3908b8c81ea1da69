package simulator

import (
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// excursion is what must be told of one event.
type excursion struct {
	n                           uint64 // of the input that first put the rule out
	from, to, detected, cleared sample.Time
	suspect                     sample.Time // 0: nothing is said of it
	worst                       node
	outside                     int
	gaps, duration              time.Duration
	area                        float64
	first, last                 int // stretches it goes from and to
}

// excursions are the events of a story: those stretches out that lasted for
// the delay, joined with those that came back too soon.
func (o *oracle) excursionsOf(s *story, inputs []sample.Tag) (list []excursion) {
	u := s.rule
	for i := 0; i < len(s.stretches); i++ {
		if s.stretches[i].v != out {
			continue
		}
		e := excursion{n: s.stretches[i].n, from: s.stretches[i].from, first: i}
		e.detected, i = o.raised(s, inputs, i, u.Event)
		if e.detected == 0 {
			continue
		}
		for {
			e.cleared, i = o.cleared(s, inputs, i, u.Off)
			next := i + 1
			for next < len(s.stretches) && s.stretches[next].v != out {
				next++
			}
			if e.cleared == 0 || next == len(s.stretches) || s.stretches[next].from >= e.cleared.Add(u.Rejoin) {
				break
			}
			i = next
		}
		e.last = i
		o.describe(s, &e)
		list = append(list, e)
	}
	return list
}

// raised is when a stretch out, and those it goes on in behind gaps, has lasted
// for the delay; 0 if it came back before. It returns the stretch of that
// moment, or the one that it ended with.
func (o *oracle) raised(s *story, inputs []sample.Tag, i int, delay time.Duration) (sample.Time, int) {
	lasted := time.Duration(0)
	for ; i < len(s.stretches); i++ {
		st := &s.stretches[i]
		switch st.v {
		case in:
			return 0, i
		case out:
			at := st.from.Add(delay - lasted)
			if o.reaches(st, inputs, at, delay == lasted) {
				return at, i
			}
			lasted += st.until.Sub(st.from)
		case unknown:
		}
	}
	return 0, i
}

// cleared is when a stretch in after stretch i has lasted for the delay.
func (o *oracle) cleared(s *story, inputs []sample.Tag, i int, delay time.Duration) (sample.Time, int) {
	for i++; i < len(s.stretches); i++ {
		st := &s.stretches[i]
		if st.v == in && o.reaches(st, inputs, st.from.Add(delay), delay == 0) {
			return st.from.Add(delay), i
		}
	}
	return 0, i
}

// reaches says whether a timer within a stretch comes to its instant. A sample
// at that instant comes before it. Behind a gap it counts only if the verdict is
// known to have held until then, or the clock had passed it; and a rule is in
// only as far as all of its inputs have been heard of.
func (o *oracle) reaches(st *stretch, inputs []sample.Tag, at sample.Time, atOnce bool) bool {
	switch {
	case atOnce, st.k >= len(o.facts), at <= o.clock(st.k, inputs):
		return true
	case st.v == in && at > st.passed:
		return false
	case st.gap:
		return at <= st.until
	}
	return at < st.until
}

// describe fills in what an event says of its excursion.
func (o *oracle) describe(s *story, e *excursion) {
	end := e.cleared
	if end == 0 {
		end = o.plan.End
	}
	for _, m := range s.instants {
		switch {
		case m.t < e.from || m.t > end || m.v == unknown:
		case m.outside:
			e.to = 0
		case e.to == 0:
			e.to = m.t
		}
	}
	for i := e.first; i < e.last; i++ {
		if s.stretches[i].v == unknown {
			e.gaps += s.stretches[i].until.Sub(s.stretches[i].since)
		}
	}
	if len(s.series) == 1 {
		o.suspect(s, e)
	}
	for i := range s.series {
		o.measure(s, e, s.series[i], end)
	}
}

// suspect is the last instant known to have been in.
func (o *oracle) suspect(s *story, e *excursion) {
	for i := e.first - 1; i >= 0; i-- {
		if s.stretches[i].v != in {
			continue
		}
		e.suspect = s.stretches[i].until
		if !s.stretches[i].gap && s.rule.Scope != spec.AnyInput {
			e.suspect = 0
		} else if !s.stretches[i].gap { // the sample out itself: it was in until last heard of
			for _, n := range s.series[0] {
				if n.t == s.stretches[i].until {
					e.suspect = n.held
				}
			}
		}
		return
	}
}

// measure adds up one series: the worst number, the time outside and the area.
func (o *oracle) measure(s *story, e *excursion, nodes []node, end sample.Time) {
	for i := range nodes {
		n := &nodes[i]
		if b := s.rule.beyond(n.x); b > 0 && n.t >= e.from && n.t <= end {
			e.outside++
			if e.worst.t == 0 || b > s.rule.beyond(e.worst.x) || b == s.rule.beyond(e.worst.x) && n.t < e.worst.t {
				e.worst = *n
			}
		}
	}
}
