package simulator

import (
	"math"
	"slices"
	"sort"

	"andon/internal/sample"
	"andon/internal/spec"
)

// verdict is what one rule can say.
type verdict int

const (
	unknown verdict = iota
	in
	out
)

// stretch is a stretch of source time in which a rule said one thing.
type stretch struct {
	v           verdict
	from, until sample.Time
	since       sample.Time // unknown: what it was known by had ended then, maybe before from
	judged      sample.Time // the last instant at which it was said, maybe after until: the clock had passed it
	n           uint64      // of the input that began it
	passed      sample.Time // when it ended, all inputs not in a gap had been heard of up to here
	k           int         // the fact that ended it; beyond all facts while it lasts
	gap         bool        // ended by a gap, from until on
}

// instant is one at which a rule was judged.
type instant struct {
	t       sample.Time
	v       verdict
	outside bool // beyond a limit itself
}

// node is one number that a rule was judged by. Nodes of one series follow one
// another; first is set where nothing is known of what came before.
type node struct {
	t     sample.Time
	held  sample.Time // until when the one before stood
	x     float64
	v     sample.Value
	first bool
	found bool // no sample: a value turned out to have stood
}

// story is all that a rule had to say, of one parameter on one piece of
// equipment.
type story struct {
	rule      *Rule
	stretches []stretch
	instants  []instant
	series    [][]node
}

// beyond is how far a number is outside a rule's limits, 0 when it is not.
func (u *Rule) beyond(x float64) float64 {
	b := 0.0
	if u.Kind == spec.Equals {
		return x
	}
	if u.High != nil {
		b = math.Max(b, x-*u.High)
	}
	if u.Low != nil {
		b = math.Max(b, *u.Low-x)
	}
	return b
}

// back says whether a number is inside by at least the deadband.
func (u *Rule) back(x float64) bool {
	if u.Kind == spec.Equals {
		return x == 0
	}
	return (u.High == nil || x <= *u.High-u.Deadband) && (u.Low == nil || x >= *u.Low+u.Deadband)
}

// gauge is one series under judgement.
type gauge struct {
	known, out, outside bool
}

// take moves a gauge on to a number: out from beyond a limit until back by the
// deadband.
func (g *gauge) take(u *Rule, x float64) {
	g.known, g.outside = true, u.beyond(x) > 0
	switch {
	case g.outside:
		g.out = true
	case u.back(x):
		g.out = false
	}
}

// joined is the verdict of several gauges: out when one is, in when all are
// known to be in.
func joined(gauges []gauge) verdict {
	v := in
	for _, g := range gauges {
		switch {
		case g.known && g.out:
			return out
		case !g.known:
			v = unknown
		}
	}
	return v
}

// say goes on to another verdict: it holds from the move's instant on.
// A gap ends what was before it just behind t, a sample at t itself.
func (s *story) say(v verdict, m move, n uint64, outside bool) {
	t, last := m.t, len(s.stretches)-1
	if last >= 0 && m.gap { // what has been judged at once stays judged
		t = max(t, s.stretches[last].from)
	}
	if last >= 0 {
		s.stretches[last].judged = s.instants[len(s.instants)-1].t
	}
	s.instants = append(s.instants, instant{t, v, outside})
	if last >= 0 && s.stretches[last].v == v {
		return
	}
	if last >= 0 {
		s.stretches[last].until, s.stretches[last].k, s.stretches[last].gap = t, m.k, m.gap
		s.stretches[last].passed = m.passed
	}
	s.stretches = append(s.stretches, stretch{v: v, from: t, since: m.t, n: n, k: math.MaxInt})
}

// tell works out a rule's story.
func (o *oracle) tell(inputs []sample.Tag, u *Rule) *story {
	s := &story{rule: u, series: make([][]node, 1)}
	if u.Scope == spec.AnyInput {
		s.series = make([][]node, len(inputs))
		o.tellEach(s, inputs)
	} else {
		o.tellTogether(s, inputs)
	}
	return s
}

// tagged is a move of input i.
type tagged struct {
	move
	i int
}

// each are the moves of all inputs.
func (o *oracle) each(inputs []sample.Tag) (all []tagged) {
	for i, t := range inputs {
		for _, m := range o.tags[t].moves {
			all = append(all, tagged{m, i})
		}
	}
	return all
}

// tellEach judges each input at once, as it comes: what one fact says at one
// instant together, what it says to be unknown first.
func (o *oracle) tellEach(s *story, inputs []sample.Tag) {
	all := o.each(inputs)
	slices.SortStableFunc(all, func(a, b tagged) int {
		switch {
		case a.k != b.k:
			return a.k - b.k
		case a.gap != b.gap && a.gap:
			return -1
		case a.gap != b.gap:
			return 1
		}
		return 0
	})
	gauges := make([]gauge, len(inputs))
	for from, to := 0, 0; from < len(all); from = to {
		for to = from; to < len(all) && all[to].k == all[from].k && all[to].gap == all[from].gap; to++ {
		}
		s.judge(gauges, all[from:to], o.facts[all[from].k].n, o.passed(inputs, gauges, all[from:to]))
	}
}

// judge takes moves of one fact, all values or all gaps. passed is the instant
// by which every input that was not in a gap had been heard of.
func (s *story) judge(gauges []gauge, moves []tagged, n uint64, passed sample.Time) {
	m := moves[0].move
	m.passed = passed
	if m.gap {
		m.t = ends(joined(gauges), gauges, moves)
	}
	for _, v := range moves {
		g := &gauges[v.i]
		if v.gap { // what was outside when last seen has not come back yet
			g.known = false
			continue
		}
		x := s.rule.number(v.v)
		s.series[v.i] = append(s.series[v.i], node{v.t, v.held, x, v.v, !g.known, v.found})
		g.take(s.rule, x)
	}
	outside := slices.ContainsFunc(gauges, func(g gauge) bool { return g.outside })
	s.say(joined(gauges), m, n, outside)
}

// passed is how far all inputs that are not in a gap have been heard of, by the
// moves of one fact and all facts before.
func (o *oracle) passed(inputs []sample.Tag, gauges []gauge, moves []tagged) sample.Time {
	passed := sample.Time(math.MaxInt64)
	for i, t := range inputs {
		m := slices.IndexFunc(moves, func(m tagged) bool { return m.i == i })
		switch {
		case m >= 0:
			passed = min(passed, moves[m].t)
		case gauges[i].known:
			passed = min(passed, o.tags[t].heardBefore(moves[0].k))
		}
	}
	return passed
}

// heardBefore is up to when a tag had been heard of before a fact.
func (t *known) heardBefore(k int) sample.Time {
	i := sort.Search(len(t.hears), func(i int) bool { return t.hears[i].k >= k })
	if i == 0 {
		return 0
	}
	return t.hears[i-1].t
}

// ends is when a verdict ends by gaps: out with the last input that was out, in
// with the first of all.
func ends(v verdict, gauges []gauge, gaps []tagged) sample.Time {
	var t sample.Time
	for _, m := range gaps {
		switch {
		case v == out && gauges[m.i].out:
			t = max(t, m.t)
		case v != out && (t == 0 || m.t < t):
			t = m.t
		}
	}
	if t == 0 { // none that was out: the verdict does not change
		return gaps[0].t
	}
	return t
}

// tellTogether judges one number made of all inputs, at each instant at which
// one of them has a value. What the clock had passed before a gap was known has
// been judged by then.
func (o *oracle) tellTogether(s *story, inputs []sample.Tag) {
	all := o.each(inputs)
	at := func(m tagged) sample.Time {
		if m.gap {
			return max(m.t, o.clock(m.k, inputs))
		}
		return m.t
	}
	slices.SortStableFunc(all, func(a, b tagged) int {
		switch {
		case at(a) != at(b):
			return int(at(a) - at(b))
		case a.gap != b.gap && b.gap: // a sample counts before the gap behind it
			return -1
		case a.gap != b.gap:
			return 1
		case a.t != b.t:
			return int(a.t - b.t)
		}
		return a.k - b.k
	})
	values := make([]*sample.Value, len(inputs))
	gauges := make([]gauge, 1)
	for from, to := 0, 0; from < len(all); from = to {
		for to = from; to < len(all) && at(all[to]) == at(all[from]) && all[to].gap == all[from].gap; to++ {
		}
		o.judgeTogether(s, &gauges[0], values, all[from:to])
		last := all[to-1]
		if last.gap {
			last = all[from] // unknown from the first of them on
		}
		last.move.passed = math.MaxInt64 // they are judged together when all have been heard of
		s.say(joined(gauges), last.move, o.facts[last.k].n, gauges[0].outside)
	}
}

func (o *oracle) judgeTogether(s *story, g *gauge, values []*sample.Value, moves []tagged) {
	held, found := sample.Time(math.MaxInt64), true
	for _, m := range moves {
		if m.gap {
			values[m.i] = nil
			continue
		}
		found = found && m.found
		v := m.v
		values[m.i], held = &v, min(held, m.held)
	}
	if slices.Contains(values, nil) {
		g.known = false
		return
	}
	x := s.rule.together(values)
	s.series[0] = append(s.series[0], node{moves[0].t, held, x, sample.FloatValue(x), !g.known, found})
	g.take(s.rule, x)
}

// together makes one number of several.
func (u *Rule) together(values []*sample.Value) float64 {
	xs := make([]float64, len(values))
	sum := 0.0
	for i, v := range values {
		xs[i] = u.number(*v)
		sum += xs[i]
	}
	switch u.Scope {
	case spec.Mean:
		return sum / float64(len(xs))
	case spec.Max:
		return slices.Max(xs)
	case spec.Min:
		return slices.Min(xs)
	}
	return slices.MinFunc(xs, func(a, b float64) int { // all_inputs: the one least outside
		if u.depth(a) < u.depth(b) {
			return -1
		}
		return 1
	})
}

// depth grows from deep inside to far outside.
func (u *Rule) depth(x float64) float64 {
	d := math.Inf(-1)
	if u.High != nil {
		d = math.Max(d, x-*u.High)
	}
	if u.Low != nil {
		d = math.Max(d, *u.Low-x)
	}
	return d
}
