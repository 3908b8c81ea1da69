package simulator

import (
	"math"
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
func (o *oracle) excursionsOf(s *story, inputs []sample.Tag, maxGap time.Duration) (list []excursion) {
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
		o.describe(s, &e, maxGap)
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
func (o *oracle) describe(s *story, e *excursion, maxGap time.Duration) {
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
		o.integrate(s, e, s.series[i], end, maxGap)
	}
}

// suspect is the last instant known to have been in.
func (o *oracle) suspect(s *story, e *excursion) {
	for i := e.first - 1; i >= 0; i-- {
		if s.stretches[i].v != in {
			continue
		}
		e.suspect = s.stretches[i].until
		if s.stretches[i].gap {
			e.suspect = max(e.suspect, s.stretches[i].judged)
		}
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
			if !n.found {
				e.outside++
			}
			if e.worst.t == 0 || b > s.rule.beyond(e.worst.x) || b == s.rule.beyond(e.worst.x) && n.t < e.worst.t {
				e.worst = *n
			}
		}
	}
}

// integrate adds up the time outside and the distance beyond the limit over it:
// a number stands as long as it is known to have stood, and then goes straight
// to the next one. What touches a gap, or is too long, is not counted.
func (o *oracle) integrate(s *story, e *excursion, nodes []node, end sample.Time, maxGap time.Duration) {
	of := func(n *node) bool { return s.rule.beyond(n.x) > 0 && n.t >= e.from && n.t <= end }
	area := 0.0
	for i := 1; i < len(nodes); i++ {
		a, b := &nodes[i-1], &nodes[i]
		if b.first || !of(a) && !of(b) {
			continue
		}
		held := min(max(b.held, a.t), b.t)
		spans := [][2]node{{*a, {t: held, x: a.x}}}
		if b.t.Sub(held) <= maxGap {
			spans = append(spans, [2]node{{t: held, x: a.x}, *b})
		}
		for _, x := range spans {
			d, v := s.rule.outsideBetween(x[0], x[1])
			e.duration += d
			area += v
		}
	}
	e.area = max(e.area, area)
}

// outsideBetween is for how long, and with what area, a number that goes
// straight from a to b is beyond the limits.
func (u *Rule) outsideBetween(a, b node) (d time.Duration, area float64) {
	length := b.t.Sub(a.t)
	switch {
	case length <= 0:
		return 0, 0
	case u.Kind == spec.Equals: // holds until the next one
		return time.Duration(a.x) * length, 0
	}
	over := func(x, y float64) {
		if x <= 0 && y <= 0 {
			return
		}
		part, mean := 1.0, (x+y)/2
		if x < 0 || y < 0 {
			part, mean = max(x, y)/math.Abs(x-y), max(x, y)/2
		}
		t := time.Duration(part * float64(length))
		d += t
		area += mean * t.Seconds()
	}
	if u.High != nil {
		over(a.x-*u.High, b.x-*u.High)
	}
	if u.Low != nil {
		over(*u.Low-a.x, *u.Low-b.x)
	}
	return d, area
}

// annunciation is one raising of an alarm; cleared is 0 while it stands.
type annunciation struct{ raised, cleared sample.Time }

// annunciations are the alarms of a story.
func (o *oracle) annunciations(s *story, inputs []sample.Tag) (list []annunciation) {
	for i := 0; i < len(s.stretches); i++ {
		if s.stretches[i].v != out {
			continue
		}
		var a annunciation
		if a.raised, i = o.raised(s, inputs, i, s.rule.On); a.raised == 0 {
			continue
		}
		a.cleared, i = o.cleared(s, inputs, i, s.rule.Off)
		list = append(list, a)
	}
	return list
}
