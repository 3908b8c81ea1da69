package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"andon/internal/sample"
)

// clockTime is an instant as seconds from the start of the run.
func clockTime(t sample.Time) string {
	if t == 0 {
		return "-"
	}
	return fmt.Sprintf("%.9f", t.Sub(start).Seconds())
}

func (u *Rule) String() string {
	limits := u.Expected
	if u.Low != nil {
		limits += fmt.Sprintf(" low %v", *u.Low)
	}
	if u.High != nil {
		limits += fmt.Sprintf(" high %v", *u.High)
	}
	return fmt.Sprintf("(%s %s%s deadband %v on %s event %s off %s rejoin %s)", u.Kind, u.Scope, limits, u.Deadband, u.On, u.Event, u.Off, u.Rejoin)
}

// around shows what a rule was judged by about an instant (0: all), for people.
func (s *story) around(t sample.Time, o *oracle) string {
	var b strings.Builder
	for i := range s.stretches {
		st := &s.stretches[i]
		if st.from > t.Add(12*time.Second) || st.until != 0 && st.until < t.Add(-4*time.Second) {
			continue
		}
		fmt.Fprintf(&b, "  %s %s..%s gap=%v", [...]string{"unknown", "in", "out"}[st.v], clockTime(st.from), clockTime(st.until), st.gap)
		if st.k < len(o.facts) {
			fmt.Fprintf(&b, " ended by input %d at %s", o.facts[st.k].n, clockTime(o.facts[st.k].at))
		}
		b.WriteByte('\n')
	}
	for i := range s.series {
		for _, n := range s.series[i] {
			if n.t >= t.Add(-2*time.Second) && n.t <= t.Add(8*time.Second) {
				fmt.Fprintf(&b, "  series %d: %v at %s (before: held to %s, first %v)\n", i, n.x, clockTime(n.t), clockTime(n.held), n.first)
			}
		}
	}
	return b.String()
}

// blindness shows the gaps of some tags about an instant (0: all), for people.
func (o *oracle) blindness(inputs []sample.Tag, t sample.Time) string {
	var b strings.Builder
	for _, g := range o.gaps {
		for _, x := range g.tags {
			if slices.Contains(inputs, x.tag) && (t == 0 || x.from < t.Add(15*time.Second) && (x.to == 0 || x.to > t.Add(-5*time.Second))) {
				fmt.Fprintf(&b, "  gap of tag %d from %s to %s, %s by input %d at %s\n", x.tag, clockTime(x.from), clockTime(x.to), g.cause, g.n, clockTime(g.raised))
			}
		}
	}
	return b.String()
}
