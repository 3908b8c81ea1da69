package engine

import (
	"time"

	"andon/internal/judge"
	"andon/internal/production"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// index is what Decide looks things up in. It is derived from the state, made
// again whenever wiring or specifications change, and never saved.
type index struct {
	source map[string]int
	uses   [][]use  // by tag: the parameters it is an input of
	binds  [][]bind // by tag: the context fields it gives
	on     []int    // by tag: its equipment, -1 if none
	maxGap []time.Duration
	docs   [][]*spec.Document     // by equipment, running
	params [][][]*judge.Parameter // by equipment, running, parameter
	kept   [][][]int              // likewise: how many steps of its past are kept
	late   sample.Time            // when late samples of some parameter are judged next, 0 for none
	judge  judge.Judge            // reused: made ready by state.step
	at     place                  // the parameter that judge is made ready for
	// for the scan that is being taken: the parameters it has values for, where
	// each stands in seen (by slot, -1 when it is not there), and their values
	seen   []seen
	slots  []int
	values []judge.Value
}

// place is a parameter: positions in Equipment, Running, Parameters.
type place struct{ e, r, p int }

// use is a tag's place among the inputs of a parameter. slot is the parameter's
// number among all.
type use struct {
	place
	input, slot int
}

type bind struct {
	field  string
	values map[string]string
}

// defaultMaxGap is how long a tag may be silent when neither specification nor
// settings say how often it comes.
const defaultMaxGap = 3 * time.Second

// reindex makes the index from the state.
func (s *State) reindex() {
	w := &s.Start.Wiring
	x := index{source: map[string]int{}, uses: make([][]use, len(w.Tags)), binds: make([][]bind, len(w.Tags)),
		on: make([]int, len(w.Tags)), maxGap: make([]time.Duration, len(w.Tags))}
	for i := range s.Sources {
		x.source[s.Sources[i].Name] = i
	}
	byPath := map[[2]string]sample.Tag{}
	for i := range w.Tags {
		byPath[[2]string{w.Tags[i].Equipment, w.Tags[i].Name}] = sample.Tag(i)
		x.on[i] = s.equipment(w.Tags[i].Equipment)
	}
	for e := range s.Equipment {
		x.docs = append(x.docs, nil)
		x.params, x.kept = append(x.params, nil), append(x.kept, nil)
		for _, b := range s.wired(e).Context {
			if t, ok := byPath[[2]string{s.Equipment[e].Name, b.Tag}]; ok && b.Tag != "" {
				x.binds[t] = append(x.binds[t], bind{b.Field, b.Values})
			}
		}
		for r := range s.Equipment[e].Running {
			s.indexRunning(&x, byPath, e, r)
		}
	}
	s.x = x
	s.indexLate()
	for t := range w.Tags {
		s.x.maxGap[t] = s.maxGapOf(sample.Tag(t))
	}
	s.x.judge.Applies = func(rule int, t sample.Time) judge.Applies { return s.applies(rule, t) }
}

func (s *State) indexRunning(x *index, byPath map[[2]string]sample.Tag, e, r int) {
	ru := &s.Equipment[e].Running[r]
	doc := s.Register.Find(ru.Spec.ID, ru.Spec.Revision)
	params, kept := make([]*judge.Parameter, len(doc.Parameters)), make([]int, len(doc.Parameters))
	for p := range doc.Parameters {
		def := &doc.Parameters[p]
		var due []sample.Time // by input: nil where the settings say nothing
		kept[p] = stepsKept
		for i, name := range def.Inputs {
			t, ok := byPath[[2]string{s.Equipment[e].Name, name}]
			if !ok {
				continue
			}
			x.uses[t] = append(x.uses[t], use{place{e, r, p}, i, len(x.slots)})
			tag := &s.Start.Wiring.Tags[t]
			if tag.History {
				kept[p] = historyKept
			}
			if day := overdue(tag); day != 0 {
				if due == nil {
					due = make([]sample.Time, len(def.Inputs))
				}
				due[i] = day
			}
		}
		x.slots = append(x.slots, -1)
		if ru.Withdrawn != 0 {
			def = silenced(def)
		}
		params[p] = judge.NewParameter(def, s.parameterMaxGap(e, def), due)
	}
	x.docs[e] = append(x.docs[e], doc)
	x.params[e], x.kept[e] = append(x.params[e], params), append(x.kept[e], kept)
}

// equipment is the position of a piece of equipment, -1 if there is none.
func (s *State) equipment(name string) int {
	for e := range s.Equipment {
		if s.Equipment[e].Name == name {
			return e
		}
	}
	return -1
}

// wired is what the settings say of a piece of equipment; nothing but its name
// when they no longer hold it.
func (s *State) wired(e int) record.Equipment {
	for i := range s.Start.Wiring.Equipment {
		if s.Start.Wiring.Equipment[i].Name == s.Equipment[e].Name {
			return s.Start.Wiring.Equipment[i]
		}
	}
	return record.Equipment{Name: s.Equipment[e].Name}
}

// parameterMaxGap is the parameter's max_gap, or three times the interval at
// which its values are expected (contract, section 4).
func (s *State) parameterMaxGap(e int, p *spec.Parameter) time.Duration {
	if p.Sampling.MaxGap > 0 {
		return p.Sampling.MaxGap
	}
	interval := p.Sampling.Interval
	for _, name := range p.Inputs {
		if t, ok := s.Start.Wiring.Find(s.Equipment[e].Name, name); ok && p.Sampling.Interval == 0 {
			interval = max(interval, s.cycle(t))
		}
	}
	if interval == 0 {
		return defaultMaxGap
	}
	return 3 * interval
}

// overdue is from when on a tag's instrument is overdue for calibration: the day
// after the due date, in UTC; 0 where the settings do not say.
func overdue(t *record.Tag) sample.Time {
	day, err := time.Parse(time.DateOnly, t.CalibrationDue)
	if err != nil { // the settings have been checked: there is none
		return 0
	}
	return sample.At(day.AddDate(0, 0, 1))
}

// cycle is how often a tag is expected to be heard of: its own interval, or
// that at which its source publishes if that is longer.
func (s *State) cycle(t sample.Tag) time.Duration {
	tag := &s.Start.Wiring.Tags[t]
	return max(tag.Every, s.publish(tag.Source))
}

func (s *State) publish(source string) time.Duration {
	for i := range s.Start.Wiring.Sources {
		if s.Start.Wiring.Sources[i].Name == source {
			return s.Start.Wiring.Sources[i].Publish
		}
	}
	return 0
}

// maxGapOf is how long a tag may be silent: the shortest that any parameter
// allows it.
func (s *State) maxGapOf(t sample.Tag) time.Duration {
	d := time.Duration(0)
	for _, u := range s.x.uses[t] {
		if g := s.x.params[u.e][u.r][u.p].MaxGap; d == 0 || g < d {
			d = g
		}
	}
	if d == 0 {
		d = 3 * s.cycle(t)
	}
	if d == 0 {
		d = defaultMaxGap
	}
	return d
}

// used says whether anything depends on a tag. Gaps are made of those alone.
func (s *State) used(t sample.Tag) bool {
	return len(s.x.uses[t]) > 0 || len(s.x.binds[t]) > 0
}

// judged is the judge's state of a parameter.
func (s *State) judged(a place) *judge.State {
	return &s.Equipment[a.e].Running[a.r].Parameters[a.p].Judge
}

func (s *State) parameter(a place) (*Equipment, *Running, *Parameter, *judge.Parameter) {
	e := &s.Equipment[a.e]
	r := &e.Running[a.r]
	return e, r, &r.Parameters[a.p], s.x.params[a.e][a.r][a.p]
}

// applies answers for a rule of the parameter that x.judge is made ready for.
func (s *State) applies(rule int, t sample.Time) judge.Applies {
	a := s.x.at
	p, doc := s.x.params[a.e][a.r][a.p], s.x.docs[a.e][a.r]
	c := &s.Equipment[a.e].Context
	ru := p.Rule(rule)
	var answer judge.Applies
	switch {
	case s.Equipment[a.e].Running[a.r].Withdrawn != 0:
		return s.appliesSilent(a, ru.Kind, t)
	case s.Equipment[a.e].Running[a.r].Misfit != "":
		answer = judge.Maybe
	case ru.Always:
		return judge.Yes
	default:
		answer = operating(doc, c, t)
	}
	if len(ru.When) > 0 {
		answer = min(answer, met(c, production.Phase, ru.When, t))
	}
	if ru.Kind == judge.MissingData && answer != judge.No || ru.Kind == judge.CalibrationOverdue && answer == judge.Yes {
		return exposed(c, t)
	}
	return answer
}

// exposed: what could not be seen matters unless it is known that nothing was
// in process.
func exposed(c *production.Context, t sample.Time) judge.Applies {
	if lot := c.At(production.Lot, t); lot.Known && lot.Text == "" {
		return judge.No
	}
	return judge.Yes
}

// operating says whether a specification applies at an instant: its scope in
// what is made, and applies_when.
func operating(doc *spec.Document, c *production.Context, t sample.Time) judge.Applies {
	answer := judge.Yes
	if len(doc.Scope.Materials) > 0 {
		answer = min(answer, met(c, production.Material, doc.Scope.Materials, t))
	}
	if doc.Scope.Operation != "" {
		answer = min(answer, met(c, production.Operation, []string{doc.Scope.Operation}, t))
	}
	for _, cond := range doc.AppliesWhen {
		answer = min(answer, met(c, cond.Field, cond.Values, t))
	}
	return answer
}

func met(c *production.Context, field string, values []string, t sample.Time) judge.Applies {
	met, known := c.Met(field, values, t)
	switch {
	case !known:
		return judge.Maybe
	case met:
		return judge.Yes
	}
	return judge.No
}
