package engine

import (
	"slices"
	"strconv"

	"andon/internal/judge"
	"andon/internal/production"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// change carries out one thing that judging has brought up. Alarm and quality
// event are fed by the same evaluation and know nothing of one another.
func (d *decision) change(a place, c *judge.Change) {
	e, r, p, def := d.s.parameter(a)
	rule := def.Rule(c.Rule)
	switch c.What {
	case judge.VerdictChanged:
		d.out.Judgements = append(d.out.Judgements, record.Judgement{Equipment: e.Name, Parameter: p.ID, Rule: rule.ID,
			Verdict: c.Verdict.String(), At: c.At, Spec: r.Spec})
	case judge.AlarmRaised:
		d.raiseAlarm(a, c)
	case judge.AlarmCleared:
		d.clearAlarm(e.Name, p.ID, rule.ID, c.At)
	case judge.EventOpened:
		d.openEvent(a, c)
	case judge.EventWorse:
		if ev := p.eventOf(c, true); ev != nil {
			ev.Worse(*c)
		}
	case judge.EventReopened:
		if ev := p.eventOf(c, false); ev != nil {
			ev.Reopen(*c)
			d.tell(a, ev, quality.Updated, c.At)
		}
	case judge.EventCleared:
		d.closeEvent(a, c, quality.ReturnedToSpec)
	case judge.EventEnded, judge.EventSplit:
		d.closeEvent(a, c, quality.Ended)
	case judge.EventFound:
		d.openEvent(a, c)
		d.closeFound(a, c)
	case judge.Decided:
		d.decided(a, c)
	case judge.EventOver, judge.EventCancelled:
	}
}

// decided records what an operation has come to, met or not.
func (d *decision) decided(a place, c *judge.Change) {
	e, r, p, def := d.s.parameter(a)
	d.out.Judgements = append(d.out.Judgements, record.Judgement{Equipment: e.Name, Parameter: p.ID, Rule: def.Rule(c.Rule).ID,
		Verdict: c.Verdict.String(), At: c.At, Spec: r.Spec,
		Result: &record.Result{From: c.Result.From, Requirement: quality.Requirement(def.Rule(c.Rule), &c.Result),
			GapsS: float64(c.Result.Gaps) / 1e9, Cut: c.Result.Cut}})
}

// closeFound: what was found at the end of an operation, or could not be judged
// when a phase began, is over as it is found.
// It returns to nothing, so no other revision says so.
func (d *decision) closeFound(a place, c *judge.Change) {
	_, _, p, def := d.s.parameter(a)
	if ev := p.event(c.Rule, true); ev != nil {
		ev.Close(ev.State, *c, def.Spec.Evidence.After, 0)
	}
}

// event is the newest event of a rule that is open or not, as asked.
func (p *Parameter) event(rule int, open bool) *quality.Event {
	for i := len(p.Events) - 1; i >= 0; i-- {
		if p.Events[i].Rule == rule && p.Events[i].Open == open {
			return &p.Events[i]
		}
	}
	return nil
}

// eventOf is the event of a change's excursion, open or not, as asked; the
// newest of its rule where the excursion is another one by now.
func (p *Parameter) eventOf(c *judge.Change, open bool) *quality.Event {
	for i := len(p.Events) - 1; i >= 0; i-- {
		if ev := &p.Events[i]; ev.Rule == c.Rule && ev.Open == open && ev.Episode.N == c.Episode.N && ev.Episode.From == c.Episode.From {
			return ev
		}
	}
	for i := len(p.Events) - 1; i >= 0; i-- {
		if ev := &p.Events[i]; ev.Rule == c.Rule && ev.Open == open && ev.Episode.N == c.Episode.N {
			return ev
		}
	}
	return p.event(c.Rule, open)
}

func (d *decision) openEvent(a place, c *judge.Change) {
	e, r, p, def := d.s.parameter(a)
	rule := def.Rule(c.Rule)
	ev := quality.Event{Kind: quality.Deviation, Type: quality.ProcessParameter, Class: rule.Class, Parameter: p.ID,
		Rule: c.Rule, RuleID: rule.ID, Spec: r.Spec, RaisedAt: d.at, Episode: c.Episode, Open: true}
	if c.What == judge.EventFound && spec.NeedsOperation(rule.Kind) {
		result := c.Result
		ev.Result = &result
	}
	unjudged := c.What == judge.EventFound && rule.Kind == spec.Window
	if unjudged {
		ev.Type = quality.MonitoringLost
	}
	prefix := "dev-"
	switch {
	case rule.Kind == judge.MissingData:
		if def.Spec.MissingData.Beyond == "flag" {
			return // the gap itself is on record
		}
		ev.Type = quality.MonitoringLost
		if r.Withdrawn != 0 {
			ev.Type = quality.Control
		}
	case rule.Kind == judge.CalibrationOverdue:
		if def.Spec.Calibration.Overdue == "flag" {
			return // every document of the parameter says so
		}
		ev.Type = quality.Control
	case rule.Class == quality.Signal:
		ev.Kind, prefix = quality.Signal, "sig-"
	case rule.OnFail == quality.Nonconformance && !unjudged: // what is not known does not conform or fail to
		ev.Kind, prefix = quality.Nonconformance, "nc-"
	}
	ev.Late = d.anew
	parts := []string{d.s.Start.Gateway, d.s.Start.Epoch, e.Name, p.ID, rule.ID}
	if d.anew { // the input may have put the rule out before, at another instant
		parts = append(parts, "late", strconv.FormatUint(d.n, 10), c.Episode.From.String())
	}
	ev.ID = quality.ID(prefix, c.Episode.N, parts...)
	if d.reopened(a, ev.ID, c) {
		return
	}
	d.classifyEvent(a, &ev, c.At)
	p.Events = append(p.Events, ev)
	d.tell(a, &p.Events[len(p.Events)-1], quality.Opened, c.At)
}

// reopened: what opens is an event already, which a correction had ended.
func (d *decision) reopened(a place, id string, c *judge.Change) bool {
	_, _, p, _ := d.s.parameter(a)
	p.revive(id)
	i := slices.IndexFunc(p.Events, func(ev quality.Event) bool { return ev.ID == id })
	if i < 0 {
		return false
	}
	p.Events[i].Reopen(*c)
	d.tell(a, &p.Events[i], quality.Updated, c.At)
	return true
}

func (d *decision) closeEvent(a place, c *judge.Change, state string) {
	_, _, p, def := d.s.parameter(a)
	ev := p.eventOf(c, true)
	if ev == nil {
		return // a signal or a flag: nothing was opened
	}
	ev.Close(state, *c, def.Spec.Evidence.After, def.Rule(c.Rule).Rejoin)
	d.classifyEvent(a, ev, c.At)
	d.tell(a, ev, state, c.At)
}

// tell makes the event's next revision.
func (d *decision) tell(a place, ev *quality.Event, state string, at sample.Time) {
	_, _, p, def := d.s.parameter(a)
	if now := p.Judge.Rules[ev.Rule].Episode; ev.Open && now != nil && now.N == ev.Episode.N {
		ev.Episode = now.Clone() // what has happened since the last change too
	}
	ev.Revision++
	ev.State = state
	d.tellAs(a.e, def, ev, at)
}

// tellAs writes the event's revision down and sends it.
func (d *decision) tellAs(e int, def *judge.Parameter, ev *quality.Event, at sample.Time) {
	doc := ev.Document(d.facts(e, def, at))
	lane, topic := laneQuality, "quality/"+ev.Kind
	if ev.Kind == quality.Signal {
		lane, topic = laneEvent, "event/signal"
	}
	d.entry(lane, topic, doc.Equipment.Hierarchy, ev.RaisedAt, doc)
}

// eventsDue tells what a parameter's events have gathered, and asks for the
// evidence of those whose window has closed.
func (d *decision) eventsDue(a place, limit sample.Time) {
	_, _, p, def := d.s.parameter(a)
	for i := range p.Events {
		ev := &p.Events[i]
		if at := ev.UpdateDue; at != 0 && at <= limit {
			ev.UpdateDue = 0
			d.tell(a, ev, quality.Updated, at)
		}
		d.askEvidence(a.e, def, ev, limit)
	}
}

func (d *decision) askEvidence(e int, def *judge.Parameter, ev *quality.Event, limit sample.Time) {
	if ev.EvidenceDue == 0 || ev.EvidenceDue > limit {
		return
	}
	ev.EvidenceDue, ev.Asked = 0, "evidence/"+ev.ID
	d.out.Needs = append(d.out.Needs, d.s.need(e, def, ev))
}

// closing asks for the evidence of events that outlived their revision.
func (d *decision) closing() {
	for e := range d.s.Equipment {
		for i := range d.s.Equipment[e].Closing {
			c := &d.s.Equipment[e].Closing[i]
			d.askEvidence(e, d.s.closingParameter(c), &c.Event, d.at)
		}
	}
}

// closingParameter is the parameter as the revision that judged it had it.
func (s *State) closingParameter(c *Closing) *judge.Parameter {
	doc := s.Register.Find(c.Spec.ID, c.Spec.Revision)
	i := slices.IndexFunc(doc.Parameters, func(p spec.Parameter) bool { return p.ID == c.Event.Parameter })
	return judge.NewParameter(&doc.Parameters[i], 0, nil)
}

// need is the question for an event's evidence: all samples of the parameter's
// inputs in the event's window.
func (s *State) need(e int, def *judge.Parameter, ev *quality.Event) record.Need {
	w := ev.EvidenceWindow(def.Spec.Evidence.Before, def.Spec.Evidence.After)
	n := record.Need{ID: ev.Asked, From: w.From, To: w.To}
	for _, name := range def.Spec.Inputs {
		if t, ok := s.Start.Wiring.Find(s.Equipment[e].Name, name); ok {
			n.Tags = append(n.Tags, t)
		}
	}
	return n
}

// answer takes the evidence that was asked for; with it the event is told for
// the last time and needs no more remembering.
func (d *decision) answer(b *record.Answer) {
	d.s.each(func(a place) {
		_, _, p, def := d.s.parameter(a)
		if i := slices.IndexFunc(p.Events, func(ev quality.Event) bool { return ev.Asked == b.Need }); i >= 0 {
			d.prove(a.e, def, &p.Events[i], b)
			if p.Past != nil {
				p.Told = append(p.Told, p.Events[i])
			}
			p.Events = slices.Delete(p.Events, i, i+1)
		}
	})
	for e := range d.s.Equipment {
		eq := &d.s.Equipment[e]
		if i := slices.IndexFunc(eq.Closing, func(c Closing) bool { return c.Event.Asked == b.Need }); i >= 0 {
			d.prove(e, d.s.closingParameter(&eq.Closing[i]), &eq.Closing[i].Event, b)
			eq.Closing = slices.Delete(eq.Closing, i, i+1)
		}
	}
}

// prove puts the evidence into an event and tells it.
func (d *decision) prove(e int, def *judge.Parameter, ev *quality.Event, b *record.Answer) {
	ev.Evidence = &quality.Evidence{Window: ev.EvidenceWindow(def.Spec.Evidence.Before, def.Spec.Evidence.After),
		Records: [2]uint64{b.First, b.Last}, Count: b.Count, SHA256: b.SHA256, Inline: []string{}}
	ev.Asked, ev.State = "", quality.Updated
	ev.Revision++
	d.tellAs(e, def, ev, max(ev.Episode.ClearedAt, ev.Episode.To))
}

// facts are what documents of a parameter's events say besides the event.
func (d *decision) facts(e int, def *judge.Parameter, at sample.Time) *quality.Facts {
	s := d.s
	f := s.equipmentFacts(d, e, at)
	f.Parameter = def
	for _, name := range def.Spec.Inputs {
		if t, ok := s.Start.Wiring.Find(s.Equipment[e].Name, name); ok {
			f.Sensors = append(f.Sensors, s.Start.Wiring.Tags[t])
		}
	}
	return f
}

func (s *State) equipmentFacts(d *decision, e int, at sample.Time) *quality.Facts {
	return &quality.Facts{Gateway: s.Start, Clock: s.Clock, Equipment: s.wired(e), Site: s.Start.Site,
		Context: &s.Equipment[e].Context, At: at, Revised: d.at, N: d.n}
}

func (d *decision) tellGap(e int, g *quality.Gap) {
	g.Revision++
	doc := g.Document(d.s.equipmentFacts(d, e, max(g.From, g.To)))
	d.entry(laneQuality, "quality/gap", doc.Equipment.Hierarchy, g.RaisedAt, doc)
}

// setContext puts a value into a field of the context and lets everything that
// depends on it know: at once, or, within a scan, when its values have been
// judged, so that no value from before is judged with what came together with
// the next.
func (d *decision) setContext(e int, field string, v production.Value) {
	if !d.s.Equipment[e].Context.Set(field, v) {
		return
	}
	t := Turn{E: e, From: v.From, What: judge.Changed | d.turnOf(e, field, v)}
	if t.lot() {
		d.split(t)
	}
	d.eachOn(e, func(a place) { d.step(a, judge.Step{Told: judge.ToldTurn, T: t.From, Turn: t.What}) })
	if d.inScan {
		d.s.Turns = append(d.s.Turns, t)
		return
	}
	d.turned(t)
}

// Turn is a change of the context of one piece of equipment.
type Turn struct {
	E    int         `json:"e"`
	From sample.Time `json:"from"`
	What judge.Turn  `json:"what"`
}

func (t Turn) lot() bool { return t.What&judge.NewLot != 0 }

// turnAll lets everything know that has been waiting for the values that came
// together with it.
func (d *decision) turnAll() {
	turns := d.s.Turns
	d.s.Turns = nil
	for _, t := range turns {
		d.turned(t)
	}
}

// turned lets everything that depends on the context know.
func (d *decision) turned(t Turn) {
	d.eachOn(t.E, func(a place) {
		d.step(a, judge.Step{Told: judge.ToldContext, T: t.From})
		if t.lot() {
			d.tellLot(a, t.From)
		}
		d.passed(a)
	})
	d.operation(t.E, t.From)
}

// split ends open events at another lot, where the rule says so: before what
// came together with it is judged, since that is the new lot's.
func (d *decision) split(t Turn) {
	d.eachOn(t.E, func(a place) {
		_, _, _, def := d.s.parameter(a)
		for r := range def.Rules() {
			if def.Rule(r).OnLotChange == "split" {
				d.step(a, judge.Step{Told: judge.ToldSplit, T: t.From, Input: r})
			}
		}
	})
}

// tellLot tells the other open events of new product.
func (d *decision) tellLot(a place, t sample.Time) {
	_, _, p, def := d.s.parameter(a)
	for r := range def.Rules() {
		if ev := p.event(r, true); ev != nil && ev.ToldAt < t && def.Rule(r).OnLotChange != "split" {
			d.tell(a, ev, quality.Updated, t)
		}
	}
}

// eachOn visits every parameter of one piece of equipment.
func (d *decision) eachOn(e int, fn func(place)) {
	for r := range d.s.Equipment[e].Running {
		for p := range d.s.Equipment[e].Running[r].Parameters {
			fn(place{e, r, p})
		}
	}
}

// turnOf says what a value of a field begins: another lot, phase or part than
// the last that was known, also where it was unknown in between.
func (d *decision) turnOf(e int, field string, v production.Value) judge.Turn {
	eq := &d.s.Equipment[e]
	last, what := (*string)(nil), judge.Turn(0)
	switch field {
	case production.Lot:
		last, what = &eq.Lot, judge.NewLot
	case production.Phase:
		last, what = &eq.Phase, judge.NewPhase
	case production.Serials:
		last, what = &eq.Part, judge.NewPart
	default:
		return 0
	}
	if !v.Known || v.Text == *last {
		return 0
	}
	first := *last == ""
	*last = v.Text
	if first && field != production.Phase { // the first that is known ends nothing
		return 0
	}
	return what
}
