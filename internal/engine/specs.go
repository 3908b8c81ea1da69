package engine

import (
	"errors"
	"fmt"
	"slices"

	"andon/internal/judge"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// policy takes the list of approvers. The first is taken as it is found, and
// its fingerprint goes on record; another one must follow on it.
func (d *decision) policy(b *record.Policy) {
	p, err := spec.ParsePolicy("approvers", b.Document)
	if err != nil {
		d.audit(audit{Who: "gateway", Action: "refuse", Object: "approvers", Reason: err.Error()})
		return
	}
	old := ""
	if d.s.Policy != nil {
		if before, err := spec.ParsePolicy("approvers", d.s.Policy.Document); err == nil {
			if before.SHA256 == p.SHA256 {
				return
			}
			old = fmt.Sprintf("revision %d, sha256 %s", before.Revision, before.SHA256)
		}
	}
	if old != "" {
		d.audit(audit{Who: "gateway", Action: "refuse", Object: "approvers", Old: old, New: p.SHA256,
			Reason: "a changed list of approvers needs signatures under the one before, which this version cannot check: the one before stays"})
		return
	}
	d.s.Policy = b
	d.audit(audit{Who: "gateway", Action: "install", Object: "approvers", New: fmt.Sprintf("revision %d, sha256 %s", p.Revision, p.SHA256)})
}

// specDocument tells of a specification's arrival.
type specDocument struct {
	Schema    string          `json:"schema"`
	State     string          `json:"state"` // installed, refused, effective, ended
	Spec      record.SpecRef  `json:"spec"`
	Equipment string          `json:"equipment,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	By        string          `json:"by,omitempty"`
	Approvals []approvalFacts `json:"approvals,omitempty"`
	At        sample.Time     `json:"at"`
}

type approvalFacts struct {
	User    string      `json:"user"`
	Name    string      `json:"name"`
	Role    string      `json:"role"`
	Meaning string      `json:"meaning"`
	At      sample.Time `json:"at"`
}

// specification verifies a document that is offered and installs it, or refuses
// it whole; what was in force stays in force.
func (d *decision) specification(b *record.Specification) {
	doc, approvals, err := d.verified(b)
	if err != nil {
		d.refuse(doc, b, err)
		return
	}
	reg, doc, err := d.s.Register.Install(spec.Installed{Document: b.Document, Approvals: b.Approvals, At: d.at})
	if errors.Is(err, spec.ErrInstalled) {
		return
	}
	if err != nil {
		d.refuse(doc, b, err)
		return
	}
	d.s.Register = reg
	told := specDocument{State: "installed", Spec: ref(doc), By: b.By}
	for _, a := range approvals {
		told.Approvals = append(told.Approvals, approvalFacts{a.User, a.Name, a.Role, a.Meaning, a.Time})
	}
	if doc.Effective.Expired(d.at) {
		told.Reason = "it has expired: it is on record and judges nothing"
	}
	d.tellSpec(told)
	d.audit(audit{Who: b.By, Action: "install", Object: "specification " + doc.ID, New: doc.Revision + " sha256 " + doc.SHA256})
	d.assignAll(d.at)
}

// verified says whether a document may judge here: approved under the policy,
// untouched, and about equipment and tags that there are.
func (d *decision) verified(b *record.Specification) (*spec.Document, spec.Approvals, error) {
	doc, err := spec.Parse("specification", b.Document)
	if err != nil {
		return nil, nil, err
	}
	if err := doc.Check(d.s.specFacts()); err != nil {
		return doc, nil, err
	}
	if b.Unsigned {
		return doc, nil, nil
	}
	if d.s.Policy == nil {
		return doc, nil, errors.New("there is no list of approvers: nothing can be approved")
	}
	p, err := spec.ParsePolicy("approvers", d.s.Policy.Document)
	if err != nil {
		return doc, nil, err
	}
	approvals, err := p.Accept(doc, b.Approvals)
	return doc, approvals, err
}

func (d *decision) refuse(doc *spec.Document, b *record.Specification, err error) {
	told := specDocument{State: "refused", Reason: err.Error(), By: b.By}
	if doc != nil {
		told.Spec = ref(doc)
	}
	d.tellSpec(told)
	d.audit(audit{Who: b.By, Action: "refuse", Object: "specification " + told.Spec.ID, New: told.Spec.Revision, Reason: err.Error()})
}

func (d *decision) tellSpec(doc specDocument) {
	doc.Schema, doc.At = "andon.spec-event/1", d.at
	subject := d.s.Start.Site
	if doc.Equipment != "" {
		subject = quality.Path(d.s.Start.Site, doc.Equipment)
	}
	d.entry(laneQuality, "quality/spec", subject, d.at, doc)
}

func ref(doc *spec.Document) record.SpecRef {
	return record.SpecRef{ID: doc.ID, Revision: doc.Revision, SHA256: doc.SHA256}
}

// specFacts are what the wiring says that a specification could contradict.
func (s *State) specFacts() spec.Facts { return SpecFacts(&s.Start.Wiring) }

// SpecFacts are what a wiring says that a specification could contradict.
func SpecFacts(w *record.Wiring) spec.Facts {
	var f spec.Facts
	for _, e := range w.Equipment {
		x := spec.EquipmentFacts{Name: e.Name, Class: e.Class, Tags: map[string]spec.TagFacts{}, Context: map[string][]string{}}
		for _, t := range w.Tags {
			if t.Equipment == e.Name && t.Source != "" {
				x.Tags[t.Name] = spec.TagFacts{Unit: t.Unit, Kind: t.Kind}
			}
		}
		for _, b := range e.Context {
			var values []string
			for _, v := range b.Values {
				values = append(values, v)
			}
			slices.Sort(values)
			x.Context[b.Field] = values
		}
		f.Equipment = append(f.Equipment, x)
	}
	return f
}

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
	s.Switch = s.Register.Next(t)
	for e := range s.Equipment {
		d.assign(e, t)
	}
}

func (d *decision) assign(e int, t sample.Time) {
	s := d.s
	want := map[string]*spec.Document{}
	var order []string
	for _, doc := range s.Register.Current(t) {
		if w := s.wired(e); doc.Scope.Holds(w.Name, w.Class) {
			want[doc.ID] = doc
			order = append(order, doc.ID)
		}
	}
	var next []Running
	changed := false
	for i := range s.Equipment[e].Running {
		ru := &s.Equipment[e].Running[i]
		doc := want[ru.Spec.ID]
		switch {
		case doc != nil && ref(doc) == ru.Spec, ru.Operation != 0:
			next = append(next, *ru)
		default:
			changed = true
			if moved := d.supersede(place{e: e, r: i}, doc, t); moved != nil {
				next = append(next, *moved)
			}
		}
		delete(want, s.Equipment[e].Running[i].Spec.ID)
	}
	for _, id := range order {
		if doc := want[id]; doc != nil {
			changed = true
			next = append(next, d.begin(e, doc, t))
		}
	}
	if !changed {
		return
	}
	slices.SortFunc(next, func(a, b Running) int { return compareText(a.Spec.ID, b.Spec.ID) })
	s.Equipment[e].Running = next
	s.reindex()
	d.settleIn(e, t)
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// begin is a revision's state on a piece of equipment of which it knows nothing
// yet.
func (d *decision) begin(e int, doc *spec.Document, t sample.Time) Running {
	ru := Running{Spec: ref(doc), Since: t}
	for p := range doc.Parameters {
		def := judge.NewParameter(&doc.Parameters[p], 0)
		ru.Parameters = append(ru.Parameters, Parameter{ID: doc.Parameters[p].ID, Judge: judge.NewState(def, t)})
	}
	d.tellSpec(specDocument{State: "effective", Spec: ru.Spec, Equipment: d.s.Equipment[e].Name})
	return ru
}

// supersede ends a revision; doc, if there is one, takes over. Excursions of
// rules that the new revision has too go on as the same events, the others end.
func (d *decision) supersede(a place, doc *spec.Document, t sample.Time) *Running {
	s := d.s
	old := &s.Equipment[a.e].Running[a.r]
	d.tellSpec(specDocument{State: "ended", Spec: old.Spec, Equipment: s.Equipment[a.e].Name})
	var next *Running
	if doc != nil {
		ru := d.begin(a.e, doc, t)
		next = &ru
	}
	for p := range old.Parameters {
		a.p = p
		d.handOver(a, next, t)
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
	_, _, p, def := d.s.parameter(a)
	doc := d.s.Register.Find(next.Spec.ID, next.Spec.Revision)
	q := &next.Parameters[to]
	if !slices.Equal(doc.Parameters[to].Inputs, def.Spec.Inputs) {
		return false
	}
	k := len(doc.Parameters[to].Rules) // missing data
	if r < def.Rules()-1 {
		k = slices.IndexFunc(doc.Parameters[to].Rules, func(x spec.Rule) bool {
			return x.ID == def.Rule(r).ID && x.Kind == def.Rule(r).Kind && x.Scope == def.Rule(r).Scope
		})
	}
	if k < 0 {
		return false
	}
	q.Judge.Rules[k] = p.Judge.Rules[r].Clone()
	copy(q.Judge.Inputs, p.Judge.Inputs)
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
			switch {
			case tag.Blind:
				d.step(u.place, func(j *judge.Judge) { j.Gap(u.input, t, d.n) })
			case tag.Seen && tag.Q != sample.Bad:
				v := judge.Value{Input: u.input, V: tag.V.Value, Uncertain: tag.Q == sample.Uncertain}
				d.step(u.place, func(j *judge.Judge) { j.Scan(max(t, tag.Heard), d.n, []judge.Value{v}) })
			}
		}
	}
	for r := range s.Equipment[e].Running {
		for p := range s.Equipment[e].Running[r].Parameters {
			d.step(place{e, r, p}, func(j *judge.Judge) { j.Context(t, d.n) })
		}
	}
	d.operation(e, t)
}

// operation begins and ends operations as applies_when, or the lot where there
// is none, comes and goes. An end lets a newer revision take over.
func (d *decision) operation(e int, t sample.Time) {
	s := d.s
	ended := false
	for r := range s.Equipment[e].Running {
		ru := &s.Equipment[e].Running[r]
		on, lot := s.underWay(e, r, t)
		switch {
		case on && ru.Operation == 0:
			ru.Operation, ru.Lot = t, lot
		case ru.Operation != 0 && !on:
			ru.Operation, ru.Lot, ended = 0, "", true
		case ru.Operation != 0 && lot != ru.Lot:
			ru.Operation, ru.Lot, ended = 0, "", true
		}
	}
	if !ended {
		return
	}
	d.assign(e, t)
	for r := range s.Equipment[e].Running { // the next lot's operation begins where the last one ended
		if on, lot := s.underWay(e, r, t); on && s.Equipment[e].Running[r].Operation == 0 {
			s.Equipment[e].Running[r].Operation, s.Equipment[e].Running[r].Lot = t, lot
		}
	}
}

// underWay says whether a revision's operation is running. What is not known
// changes nothing: an operation neither begins nor ends in a gap.
func (s *State) underWay(e, r int, t sample.Time) (on bool, lot string) {
	ru, doc, c := &s.Equipment[e].Running[r], s.x.docs[e][r], &s.Equipment[e].Context
	now := c.At("lot", t)
	lot = ru.Lot
	if now.Known {
		lot = now.Text
	}
	if len(doc.AppliesWhen) == 0 {
		if !now.Known {
			return ru.Operation != 0, lot
		}
		return now.Text != "", lot
	}
	switch operating(doc, c, t) {
	case judge.Yes:
		return true, lot
	case judge.Maybe:
		return ru.Operation != 0, lot
	case judge.No:
	}
	return false, lot
}
