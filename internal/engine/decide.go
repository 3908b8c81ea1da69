package engine

import (
	"fmt"
	"slices"
	"time"

	"andon/internal/judge"
	"andon/internal/outbox"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
)

// Decide takes the next input into the state and returns what follows from it.
// An input out of order, or before the first Start, is the shell's broken
// promise and panics.
func Decide(s *State, in record.Input) record.Outcome {
	if in.N != s.N+1 {
		panic(fmt.Sprintf("decide: input %d after %d", in.N, s.N))
	}
	if _, start := in.Body.(*record.Start); !start && s.Start.Epoch == "" {
		panic("decide: an input before the first start")
	}
	s.N, s.At = in.N, in.At
	d := &decision{s: s, n: in.N, at: in.At}
	if _, scan := in.Body.(*record.Scan); !scan && len(s.Turns) > 0 {
		d.turnAll() // nothing came with it
	}
	d.take(in.Body)
	d.lateDue()
	d.receipts()
	return d.out
}

// decision is one input on its way.
type decision struct {
	s   *State
	n   uint64
	at  sample.Time
	out record.Outcome

	inScan bool // its values have not been judged yet
	anew   bool // what came late is being judged
}

func (d *decision) take(body record.Body) {
	d.shelvesOver(body)
	switch b := body.(type) {
	case *record.Start:
		d.start(b)
	case *record.Stop:
		d.stop(b)
	case *record.Scan:
		d.scan(b)
	case *record.Confirm:
		d.confirm(b)
	case *record.Loss:
		d.loss(b)
	case *record.Tick:
		d.tick()
	case *record.Act:
		d.act(b)
	case *record.Context:
		d.context(b)
	case *record.Receipt:
		d.receipt(b)
	case *record.Policy:
		d.policy(b)
	case *record.Specification:
		d.specification(b)
	case *record.Withdrawal:
		d.withdraw(b)
	case *record.Answer:
		d.answer(b)
	case *record.Clock:
		d.clock(b)
	default:
		panic(fmt.Sprintf("decide: input of type %T", body))
	}
}

// start takes in who and where we are. What was seen before is a gap from its
// last known instant on; what has never been seen is missing from now on.
func (d *decision) start(b *record.Start) {
	s := d.s
	again := s.Start.Epoch != ""
	s.Start, s.Clock = *b, b.Clock
	if !again {
		s.Outbox = outbox.New(b.Epoch, b.Wiring.Consumers)
	} else {
		d.retire(s.Outbox.SetConsumers(b.Wiring.Consumers))
	}
	d.wire(&b.Wiring)
	s.reindex()
	d.audit(audit{Who: "gateway", Action: "start", Object: "gateway", Old: lived(b.LastAlive), New: b.Version, Config: b.Config})
	if b.Differs != "" {
		d.system("replay", b.Differs+"; the record counts")
	}
	if b.Cause != "" {
		d.system("restart", b.Cause)
	}
	if again {
		d.blind(d.unwired(), quality.CauseUnwired, "no longer in the settings")
		d.blind(d.wiredTags(""), quality.CauseGatewayDown, "")
	}
	d.refit()
	if again {
		s.each(func(a place) { d.step(a, judge.Step{Told: judge.ToldRewired, T: d.at}) })
	}
	d.assignAll(d.at)
}

// stop: the run ends. Nothing of it is forgotten; when nothing will ever follow,
// what is under way ends too.
func (d *decision) stop(b *record.Stop) {
	d.audit(audit{Who: "gateway", Action: "stop", Object: "gateway", Reason: b.Reason})
	if !b.Final {
		return
	}
	d.s.each(func(a place) {
		_, r, _, _ := d.s.parameter(a)
		turn := judge.Ended
		switch {
		case r.Withdrawn != 0:
			return // it has none
		case r.Operation != 0:
			turn |= judge.InputsEnd
		case len(d.s.x.docs[a.e][a.r].AppliesWhen) > 0 || d.s.Equipment[a.e].Lot != "":
			return // no operation is under way
		}
		// Without applies_when and without lots all that there is was one operation.
		d.step(a, judge.Step{Told: judge.ToldOperation, T: d.at, Turn: turn})
		d.step(a, judge.Step{Told: judge.ToldAdvance, T: d.at})
	})
}

// lived says until when the run before is known to have lived.
func lived(t sample.Time) string {
	if t == 0 {
		return ""
	}
	return "alive until " + t.String()
}

// wire makes room for the sources, equipment and tags of the settings. What the
// settings no longer hold keeps its place.
func (d *decision) wire(w *record.Wiring) {
	s := d.s
	for i := range w.Sources {
		name := w.Sources[i].Name
		if !slices.ContainsFunc(s.Sources, func(x Source) bool { return x.Name == name }) {
			s.Sources = append(s.Sources, Source{Name: name})
		}
	}
	for i := range w.Equipment {
		if s.equipment(w.Equipment[i].Name) < 0 {
			s.Equipment = append(s.Equipment, Equipment{Name: w.Equipment[i].Name})
		}
	}
	for len(s.Tags) < len(w.Tags) {
		s.Tags = append(s.Tags, Tag{Heard: d.at})
	}
}

// wiredTags are the tags of a source, of all when "".
func (d *decision) wiredTags(source string) []sample.Tag {
	var tags []sample.Tag
	for t := range d.s.Tags {
		from := d.s.Start.Wiring.Tags[t].Source
		if from != "" && (source == "" || from == source) {
			tags = append(tags, sample.Tag(t))
		}
	}
	return tags
}

// watched are the tags that something depends on.
func (d *decision) watched() []sample.Tag {
	return slices.DeleteFunc(d.wiredTags(""), func(t sample.Tag) bool { return !d.s.used(t) })
}

// unwired are tags that something depends on and that the settings no longer
// hold: nothing can ever be heard of them.
func (d *decision) unwired() []sample.Tag {
	var tags []sample.Tag
	for t := range d.s.Tags {
		if d.s.Start.Wiring.Tags[t].Source == "" && d.s.used(sample.Tag(t)) {
			tags = append(tags, sample.Tag(t))
		}
	}
	return tags
}

func (d *decision) clock(b *record.Clock) {
	old := d.s.Clock
	d.s.Clock = *b
	if b.Step != 0 || b.Synced != old.Synced {
		d.system("clock", fmt.Sprintf("synchronised: %v, offset %v, step %v", b.Synced, b.Offset, b.Step))
	}
}

// tick lets the clock decide what no input has decided.
func (d *decision) tick() {
	s := d.s
	if due := s.switchDue(); due != 0 && due <= d.at {
		d.assignAll(s.Switch)
	}
	d.silent()
	d.closing()
	s.each(func(a place) {
		if limit := s.clockLimit(a); limit > 0 {
			d.advance(a, limit)
		}
	})
}

// switchDue is when the clock lets revisions be switched: when no sample from
// before can be on its way any more. A sample from after it does so at once.
func (s *State) switchDue() sample.Time {
	if s.Switch == 0 {
		return 0
	}
	lag := time.Duration(0)
	s.each(func(a place) { lag = max(lag, s.lag(a)) })
	return s.Switch.Add(lag)
}

// each visits every parameter.
func (s *State) each(fn func(place)) {
	for e := range s.Equipment {
		for r := range s.Equipment[e].Running {
			for p := range s.Equipment[e].Running[r].Parameters {
				fn(place{e, r, p})
			}
		}
	}
}

// grace is how long after an instant a sample of that instant may still be on
// its way: the tag's own interval and the publishing interval.
func (s *State) grace(t sample.Tag) time.Duration {
	if s.Start.NoGrace {
		return 0
	}
	tag := &s.Start.Wiring.Tags[t]
	return tag.Every + s.publish(tag.Source)
}

// sourceTime is what a tag's source's clock shows at an instant of ours.
func (s *State) sourceTime(t sample.Tag, at sample.Time) sample.Time {
	if i, ok := s.x.source[s.Start.Wiring.Tags[t].Source]; ok && !s.Sources[i].ByArrival {
		return at.Add(s.Sources[i].Skew)
	}
	return at
}

// lag is how far behind our clock, in source time, the clock may decide for a
// parameter: its slowest input's grace, less the skew.
func (s *State) lag(a place) time.Duration {
	lag, first := time.Duration(0), true
	def := s.x.params[a.e][a.r][a.p].Spec
	for _, name := range def.Inputs {
		t, ok := s.Start.Wiring.Find(s.Equipment[a.e].Name, name)
		if !ok {
			continue
		}
		l := s.grace(t) - s.sourceTime(t, 0).Sub(0)
		if first || l > lag {
			lag, first = l, false
		}
	}
	return lag
}

// clockLimit is the source time up to which the clock may decide.
func (s *State) clockLimit(a place) sample.Time { return s.At.Add(-s.lag(a)) }

// Due is the instant of our clock at which a Tick would have something to do,
// 0 if there is none. A Tick before it changes nothing and need not be recorded.
func (s *State) Due() sample.Time {
	due := s.switchDue()
	if late := s.receiptDue(); late != 0 && (due == 0 || late < due) {
		due = late
	}
	soonest := func(t sample.Time) {
		if t != 0 && (due == 0 || t < due) {
			due = t
		}
	}
	soonest(s.shelfDue())
	soonest(s.x.late)
	for t := range s.Tags {
		if tag := sample.Tag(t); !s.Tags[t].Blind && s.used(tag) {
			soonest(s.silentAt(tag))
		}
	}
	for e := range s.Equipment {
		for i := range s.Equipment[e].Closing {
			soonest(s.Equipment[e].Closing[i].Event.EvidenceDue)
		}
	}
	s.each(func(a place) {
		_, _, p, def := s.parameter(a)
		if t := p.due(def); t != 0 {
			soonest(t.Add(s.lag(a)))
		}
	})
	return due
}

// due is the source time at which the parameter has something to do.
func (p *Parameter) due(def *judge.Parameter) sample.Time {
	due := p.Judge.Due(def)
	for i := range p.Events {
		if t := p.Events[i].Due(); t != 0 && (due == 0 || t < due) {
			due = t
		}
	}
	return due
}

// step tells the judge of one parameter something and carries out what comes of
// it.
func (d *decision) step(a place, st judge.Step) {
	s := d.s
	_, _, p, def := s.parameter(a)
	st.N = d.n
	if p.Past != nil {
		p.Past.Keep(&st, def.Heeds())
		d.boundPast(a)
	}
	j := &s.x.judge
	s.x.at, j.P, j.S, j.N, j.Changes = a, def, &p.Judge, d.n, j.Changes[:0]
	j.Take(&st)
	for i := range j.Changes {
		d.change(a, &j.Changes[i])
	}
}

// advance judges a parameter up to a limit, and tells what its events had
// waiting for that instant.
func (d *decision) advance(a place, limit sample.Time) {
	_, _, p, def := d.s.parameter(a)
	if due := p.due(def); due == 0 || due > limit {
		return
	}
	d.step(a, judge.Step{Told: judge.ToldAdvance, T: limit})
	d.eventsDue(a, limit)
}

// passed lets a parameter's own inputs decide as far as all have been heard of.
func (d *decision) passed(a place) {
	_, _, p, _ := d.s.parameter(a)
	if limit := p.Judge.Passed(); limit > 0 {
		d.advance(a, limit)
	}
}
