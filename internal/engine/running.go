package engine

import (
	"cmp"
	"fmt"
	"slices"

	"andon/internal/judge"
	"andon/internal/quality"
	"andon/internal/sample"
	"andon/internal/spec"
)

// switchBefore brings into force what an instant of source time has reached.
func (d *decision) switchBefore(t sample.Time) {
	for d.s.Switch != 0 && d.s.Switch <= t {
		d.assignAll(d.s.Switch)
	}
}

// assignAll gives all equipment the revisions that are in force at t. One that
// carries an operation out keeps the revision with which it began.
func (d *decision) assignAll(t sample.Time) {
	s := d.s
	t = max(t, s.Reached)
	s.Reached, s.Switch = t, s.Register.Next(t)
	for e := range s.Equipment {
		d.assign(e, t)
	}
}

func (d *decision) assign(e int, t sample.Time) {
	s := d.s
	want, order := s.wanted(e, t)
	var next []Running
	changed := false
	for i := range s.Equipment[e].Running {
		ru := &s.Equipment[e].Running[i]
		x := want[ru.Spec.ID]
		switch {
		case x.is(ru), ru.Operation != 0 && !s.Register.Withdrawn(ru.Spec.ID, ru.Spec.Revision, t):
			next = append(next, *ru)
		default:
			changed = true
			if moved := d.supersede(place{e: e, r: i}, x, t); moved != nil {
				next = append(next, *moved)
			}
		}
		delete(want, s.Equipment[e].Running[i].Spec.ID)
	}
	for _, id := range order {
		if x := want[id]; x.doc != nil {
			changed = true
			next = append(next, d.begin(e, x, t))
		}
	}
	if !changed {
		return
	}
	slices.SortFunc(next, func(a, b Running) int { return cmp.Compare(a.Spec.ID, b.Spec.ID) })
	s.Equipment[e].Running = next
	s.reindex()
	d.settleIn(e, t)
}

// wanted is a revision that decides for its id: in force, or withdrawn and so
// without judgement.
type wanted struct {
	doc    *spec.Document // nil for none
	silent bool           // withdrawn
}

// is says whether it is the one that is running.
func (x wanted) is(ru *Running) bool {
	return x.doc != nil && ref(x.doc) == ru.Spec && x.silent == (ru.Withdrawn != 0)
}

// wanted are the revisions that decide on a piece of equipment at t, by id, and
// their ids in order.
func (s *State) wanted(e int, t sample.Time) (want map[string]wanted, order []string) {
	want = map[string]wanted{}
	w := s.wired(e)
	add := func(docs []*spec.Document, silent bool) {
		for _, doc := range docs {
			if doc.Scope.Holds(w.Name, w.Class) {
				want[doc.ID] = wanted{doc, silent}
				order = append(order, doc.ID)
			}
		}
	}
	add(s.Register.Current(t), false)
	add(s.Register.Silent(t), true)
	return want, order
}

// misfit says in what the settings of this run contradict a document, "" for in
// nothing. They may have changed since it was installed.
func (d *decision) misfit(doc *spec.Document) string {
	if err := doc.Check(d.s.specFacts()); err != nil {
		return err.Error()
	}
	return ""
}

// refit looks after a start whether what is running still fits the settings.
func (d *decision) refit() {
	s := d.s
	for e := range s.Equipment {
		for r := range s.Equipment[e].Running {
			ru := &s.Equipment[e].Running[r]
			was := ru.Misfit
			if ru.Misfit = d.misfit(s.x.docs[e][r]); ru.Misfit == was {
				continue
			}
			if ru.Misfit != "" {
				d.system("misfit", fmt.Sprintf("%s revision %s cannot judge on %s: the settings contradict it: %s", ru.Spec.ID, ru.Spec.Revision, s.Equipment[e].Name, ru.Misfit))
			}
			for p := range ru.Parameters {
				d.step(place{e, r, p}, judge.Step{Told: judge.ToldContext, T: d.at})
			}
		}
	}
}

// begin is a revision's state on a piece of equipment of which it knows nothing
// yet.
func (d *decision) begin(e int, x wanted, t sample.Time) Running {
	doc := x.doc
	ru := Running{Spec: ref(doc), Since: t, Misfit: d.misfit(doc)}
	if x.silent {
		ru.Withdrawn = t
	}
	for p := range doc.Parameters {
		def := judge.NewParameter(&doc.Parameters[p], 0, nil)
		par := Parameter{ID: doc.Parameters[p].ID, Judge: judge.NewState(def, t)}
		if !x.silent && d.history(e, def.Spec) {
			par.Past = judge.NewPast(&par.Judge, t)
		}
		ru.Parameters = append(ru.Parameters, par)
	}
	if !x.silent {
		d.tellSpec(specDocument{State: "effective", Spec: ru.Spec, Equipment: d.s.Equipment[e].Name})
	}
	return ru
}

// supersede ends a revision; x, if there is one, takes over. Excursions of rules
// that the new revision has too go on as the same events, the others end. With a
// withdrawal all end.
func (d *decision) supersede(a place, x wanted, t sample.Time) *Running {
	s := d.s
	old := &s.Equipment[a.e].Running[a.r]
	if old.Withdrawn == 0 { // else it was told then
		d.tellSpec(specDocument{State: "ended", Spec: old.Spec, Equipment: s.Equipment[a.e].Name})
	}
	var next *Running
	if x.doc != nil {
		ru := d.begin(a.e, x, t)
		next = &ru
	}
	for p := range old.Parameters {
		a.p = p
		d.step(a, judge.Step{Told: judge.ToldAdvance, T: t}) // what the operation has come to is the old revision's
		d.handOver(a, next, t)
		if x.silent {
			d.silence(a, t)
		}
	}
	return next
}

// handOver takes what is open of one parameter to the next revision's, or ends
// it as superseded.
func (d *decision) handOver(a place, next *Running, t sample.Time) {
	e, _, p, def := d.s.parameter(a)
	to := -1
	if next != nil {
		to = slices.IndexFunc(next.Parameters, func(q Parameter) bool { return q.ID == p.ID })
	}
	for r := range def.Rules() {
		st := &p.Judge.Rules[r]
		kept := to >= 0 && d.carry(a, r, next, to)
		if kept {
			continue
		}
		if st.Alarm.Phase == judge.Raised || st.Alarm.Phase == judge.Clearing {
			d.clearAlarm(e.Name, p.ID, def.Rule(r).ID, t)
		}
		if ev := p.event(r, true); ev != nil {
			c := judge.Change{What: judge.EventEnded, Rule: r, At: t, Episode: ev.Episode}
			if st.Episode != nil {
				c.Episode = st.Episode.Clone()
			}
			if c.Episode.To == 0 {
				c.Episode.To = t
			}
			d.closeEvent(a, &c, quality.Superseded)
		}
	}
	d.finish(a, next, to)
}

// carry takes an excursion over into the rule of the same id; it reports false
// when there is none to take it.
func (d *decision) carry(a place, r int, next *Running, to int) bool {
	_, old, p, def := d.s.parameter(a)
	if old.Withdrawn != 0 || next.Withdrawn != 0 {
		return false
	}
	doc := d.s.Register.Find(next.Spec.ID, next.Spec.Revision)
	q := &next.Parameters[to]
	if !slices.Equal(doc.Parameters[to].Inputs, def.Spec.Inputs) || !doc.Parameters[to].Computed.Same(def.Spec.Computed) {
		return false
	}
	k := judge.NewParameter(&doc.Parameters[to], 0, nil).Same(def, r)
	if k < 0 {
		return false
	}
	q.Judge.Rules[k] = p.Judge.Rules[r].Clone()
	copy(q.Judge.Inputs, p.Judge.Inputs)
	q.Judge.Queue = slices.Clone(p.Judge.Queue)
	if len(q.Judge.Latest) == len(p.Judge.Latest) {
		copy(q.Judge.Latest, p.Judge.Latest)
	}
	for _, ev := range p.Events {
		if ev.Rule == r {
			ev.Rule, ev.Spec = k, next.Spec
			q.Events = append(q.Events, ev)
		}
	}
	return true
}

// finish keeps the events that ended with the revision until their evidence has
// been told.
func (d *decision) finish(a place, next *Running, to int) {
	e, r, p, _ := d.s.parameter(a)
	for _, ev := range p.Events {
		taken := to >= 0 && slices.ContainsFunc(next.Parameters[to].Events, func(x quality.Event) bool { return x.ID == ev.ID })
		if !taken && !ev.Open {
			e.Closing = append(e.Closing, Closing{r.Spec, ev})
		}
	}
}

// settleIn gives the parameters of new revisions the values that stand: a value
// held at activation is judged as of that instant.
func (d *decision) settleIn(e int, t sample.Time) {
	s := d.s
	for k := range s.Tags {
		tag := &s.Tags[k]
		for _, u := range s.x.uses[k] {
			_, ru, p, _ := s.parameter(u.place)
			if u.e != e || ru.Since != t || p.Judge.Inputs[u.input].Seen || p.Judge.Inputs[u.input].Gap {
				continue
			}
			if !tag.Blind && tag.Seen && t > tag.Heard.Add(s.x.maxGap[k]) {
				d.blindOne(sample.Tag(k), quality.CauseSilence, "")
			}
			switch {
			case tag.Blind, tag.Q == sample.Uncertain && !s.x.params[u.e][u.r][u.p].Spec.AcceptUncertain:
				d.step(u.place, judge.Step{Told: judge.ToldGap, T: t, Input: u.input})
			case tag.Seen && s.stands(sample.Tag(k)):
				v := judge.Value{Input: u.input, V: tag.V.Value, Uncertain: tag.Q == sample.Uncertain}
				d.step(u.place, judge.Step{Told: judge.ToldScan, T: max(t, tag.Heard), Values: []judge.Value{v}})
			}
		}
	}
	for r := range s.Equipment[e].Running {
		for p := range s.Equipment[e].Running[r].Parameters {
			a := place{e, r, p}
			if s.Equipment[e].Running[r].Since == t {
				d.step(a, judge.Step{Told: judge.ToldActivate, T: t})
			}
			d.step(a, judge.Step{Told: judge.ToldContext, T: t})
		}
	}
	d.operation(e, t)
}
