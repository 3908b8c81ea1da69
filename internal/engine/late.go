package engine

import (
	"slices"
	"time"

	"andon/internal/judge"
	"andon/internal/production"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// Late samples are judged in their place (contract, section 4): everything that
// a parameter's judge has been told since is kept, the late sample is put among
// it, and all of it is judged anew. What comes out differently corrects the
// events that there are; what comes out besides is a late finding. Nothing is
// withdrawn.

const (
	// settleLate is how long late samples are gathered before they are judged.
	settleLate = time.Second
	// stepsKept is how many steps are kept behind a gap, for what fills it;
	// historyKept for tags whose source has a history.
	stepsKept, historyKept = 256, 4096
	// lateKept is how many late samples are kept for one parameter.
	lateKept = 20_000
	// fillingKept is how many gaps that have ended can still be filled.
	fillingKept = 64
)

// history: late samples are expected of some input, since its source has a
// history.
func (d *decision) history(e int, p *spec.Parameter) bool {
	return slices.ContainsFunc(p.Inputs, func(name string) bool {
		t, ok := d.s.Start.Wiring.Find(d.s.Equipment[e].Name, name)
		return ok && d.s.Start.Wiring.Tags[t].History
	})
}

// keepPast begins to keep what the gap's parameters are told: what fills the gap
// is judged from here.
func (d *decision) keepPast(g *quality.Gap) {
	for _, t := range g.Tags {
		for _, u := range d.s.x.uses[t.Tag] {
			_, _, p, _ := d.s.parameter(u.place)
			if p.Past == nil {
				p.Past = judge.NewPast(&p.Judge, t.From)
			}
		}
	}
}

// boundPast lets go of what has become too old to be judged again.
func (d *decision) boundPast(a place) {
	e, _, p, def := d.s.parameter(a)
	most := d.s.x.kept[a.e][a.r][a.p]
	if len(p.Past.Steps)-p.Past.Late <= most && p.Past.Late <= lateKept {
		return
	}
	if p.LateDue != 0 {
		return // first what waits in it
	}
	if most == historyKept || d.blindInput(e, def.Spec) {
		d.s.x.at = a
		j := judge.Judge{P: def, Applies: d.s.x.judge.Applies}
		p.Past.Forget(&j, len(p.Past.Steps)/2)
		p.Told = slices.DeleteFunc(p.Told, func(ev quality.Event) bool { return ev.Episode.To < p.Past.From })
		return
	}
	p.Past, p.Told = nil, nil
}

// blindInput says whether some input is in a gap.
func (d *decision) blindInput(e *Equipment, p *spec.Parameter) bool {
	return slices.ContainsFunc(p.Inputs, func(name string) bool {
		t, ok := d.s.Start.Wiring.Find(e.Name, name)
		return ok && d.s.Tags[t].Blind
	})
}

// late takes a sample that is older than its tag's last. It is put in its place
// where all that depends on it can be judged again; what cannot is a gap.
func (d *decision) late(b *record.Scan, r *sample.Reading, t sample.Time) {
	s := d.s
	uses := s.x.uses[r.Tag]
	judged := len(s.x.binds[r.Tag]) == 0 && len(uses) > 0
	for _, u := range uses {
		_, _, p, _ := s.parameter(u.place)
		judged = judged && p.Past != nil && p.Past.From <= t && s.remembers(u.e, p.Past.From)
	}
	if !judged {
		d.blindOne(r.Tag, quality.CauseLateData, "a value of "+b.Time.String()+" came after one of "+s.Tags[r.Tag].T.String())
		return
	}
	if r.Quality == sample.Bad || !r.Value.Finite() {
		d.lateBad(r, t)
	} else {
		d.fill(r.Tag, t)
	}
	for _, u := range uses {
		_, _, p, def := s.parameter(u.place)
		st := judge.Step{Told: judge.ToldBad, T: t, N: d.n, Input: u.input}
		uncertain := r.Quality == sample.Uncertain
		if r.Quality != sample.Bad && r.Value.Finite() && (!uncertain || def.Spec.AcceptUncertain) && def.Takes(r.Value) {
			st = judge.Step{Told: judge.ToldScan, T: t, N: d.n, Values: []judge.Value{{Input: u.input, V: r.Value, Uncertain: uncertain}}}
		}
		p.Past.Insert(&st)
		if p.LateDue == 0 {
			p.LateDue = d.at
			if !s.Start.NoGrace {
				p.LateDue = d.at.Add(settleLate)
			}
			if s.x.late == 0 || p.LateDue < s.x.late {
				s.x.late = p.LateDue
			}
		}
	}
}

// indexLate finds when late samples are judged next.
func (s *State) indexLate() {
	s.x.late = 0
	s.each(func(a place) {
		if due := s.Equipment[a.e].Running[a.r].Parameters[a.p].LateDue; due != 0 && (s.x.late == 0 || due < s.x.late) {
			s.x.late = due
		}
	})
}

// keepBad keeps that a tag's sample was bad, for what may come late beside it.
func (d *decision) keepBad(t sample.Tag, at sample.Time) {
	for _, u := range d.s.x.uses[t] {
		if _, _, p, _ := d.s.parameter(u.place); p.Past != nil {
			p.Past.Keep(&judge.Step{Told: judge.ToldBad, T: at, N: d.n, Input: u.input}, false)
		}
	}
}

// lateBad tells of the gap that a bad sample is which came late, unless the tag
// was in one there already.
func (d *decision) lateBad(r *sample.Reading, t sample.Time) {
	s := d.s
	for _, list := range [][]quality.Gap{s.Gaps, s.Filling} {
		for i := range list {
			if list[i].Covers(r.Tag, t) {
				return
			}
		}
	}
	u := s.x.uses[r.Tag][0]
	_, _, p, _ := s.parameter(u.place)
	from, to := p.Past.Around(u.input, t)
	if to == 0 {
		to = max(t, s.Tags[r.Tag].Heard)
	}
	w := &s.Start.Wiring.Tags[r.Tag]
	g := quality.Gap{Equipment: s.Equipment[u.e].Name, Cause: quality.CauseBadQuality, Detail: r.Status, RaisedAt: d.at, From: from,
		Tags: []quality.GapTag{{Tag: r.Tag, Name: w.Name, From: from, Every: w.Every}}}
	g.ID = quality.ID("gap-", d.n, s.Start.Gateway, s.Start.Epoch, g.Equipment, g.Cause, w.Name, "late")
	d.tellGap(u.e, &g)
	g.Recover(r.Tag, to)
	d.tellGap(u.e, &g)
	d.fillable(g)
}

// remembers: what was being made is known back to t.
func (s *State) remembers(e int, t sample.Time) bool {
	c := &s.Equipment[e].Context
	return !slices.ContainsFunc(c.Names(), func(f string) bool { return !c.Remembers(f, t) && f != production.Operator })
}

// fillable keeps a gap that has ended, for samples that may still fill it.
func (d *decision) fillable(g quality.Gap) {
	if len(d.s.Filling) >= fillingKept {
		d.s.Filling = slices.Delete(d.s.Filling, 0, 1)
	}
	d.s.Filling = append(d.s.Filling, g)
}

// fill counts a late sample into the gap that it lies in. The gap is told anew
// when the samples are judged.
func (d *decision) fill(t sample.Tag, at sample.Time) {
	for _, list := range [][]quality.Gap{d.s.Gaps, d.s.Filling} {
		for i := range list {
			if list[i].Fill(t, at) {
				return
			}
		}
	}
}

// lateDue judges the late samples that have been gathered.
func (d *decision) lateDue() {
	if d.s.x.late == 0 || d.s.x.late > d.at {
		return // every sample comes by here
	}
	d.s.each(func(a place) {
		_, _, p, _ := d.s.parameter(a)
		if p.LateDue != 0 && p.LateDue <= d.at {
			p.LateDue = 0
			d.judgeAgain(a)
		}
	})
	d.s.indexLate()
	for i := range d.s.Filling {
		g := &d.s.Filling[i]
		if e := d.s.equipment(g.Equipment); e >= 0 && g.Backfilled > g.Told {
			g.Told = g.Backfilled
			d.tellGap(e, g)
		}
	}
}

// judgeAgain judges a parameter anew with the samples that have come late.
func (d *decision) judgeAgain(a place) {
	_, _, p, def := d.s.parameter(a)
	was := p.Judge.Clone()
	d.s.x.at = a
	j := judge.Judge{P: def, S: &p.Judge, Applies: d.s.x.judge.Applies}
	p.Past.Again(&j)
	d.anew = true
	defer func() { d.anew = false }()
	found := episodes(j.Changes)
	for r := range def.Rules() {
		d.correctRule(a, r, &was.Rules[r], found[r])
	}
	d.passed(a) // what falls due with it does so now
}

// finding is an excursion, or a requirement on a whole operation that was not
// met, as it comes out when everything is judged anew.
type finding struct {
	opened judge.Change // zero where it was open before
	last   judge.Change // its last change
	open   bool
	none   bool // it was back before it would have been an event
}

// episodes are the findings of each rule, in order.
func episodes(changes []judge.Change) map[int][]finding {
	found := map[int][]finding{}
	for _, c := range changes {
		list := found[c.Rule]
		n := len(list) - 1
		running := n >= 0 && list[n].last.Episode.N == c.Episode.N && list[n].last.What != judge.EventFound
		switch c.What {
		case judge.EventFound:
			list = append(list, finding{opened: c, last: c})
		case judge.EventCancelled:
			list = append(list, finding{last: c, none: true})
		case judge.EventOpened:
			list = append(list, finding{opened: c, last: c, open: true})
		case judge.EventReopened, judge.EventWorse, judge.EventCleared, judge.EventEnded, judge.EventSplit:
			if !running {
				list = append(list, finding{})
				n++
			}
			list[n].last = c
			list[n].open = c.What == judge.EventReopened || c.What == judge.EventWorse
		case judge.VerdictChanged, judge.AlarmRaised, judge.AlarmCleared, judge.EventOver, judge.Decided:
			continue
		}
		found[c.Rule] = list
	}
	return found
}

// correctRule compares what a rule says now with what it had said, and tells
// the difference.
func (d *decision) correctRule(a place, r int, was *judge.Rule, found []finding) {
	e, ru, p, def := d.s.parameter(a)
	now := &p.Judge.Rules[r]
	if now.Verdict != was.Verdict {
		d.out.Judgements = append(d.out.Judgements, record.Judgement{Equipment: e.Name, Parameter: p.ID, Rule: def.Rule(r).ID,
			Verdict: now.Verdict.String(), At: d.at, Spec: ru.Spec})
	}
	if now.Last != nil && (was.Last == nil || !now.Last.Same(was.Last)) {
		d.decided(a, &judge.Change{What: judge.Decided, Rule: r, At: now.Last.At, Verdict: now.Last.Verdict(), Result: *now.Last})
		d.correctResult(a, r, now.Last)
	}
	var matched []string
	for _, f := range found {
		matched = append(matched, d.correctEvent(a, r, f, matched))
	}
	d.vanished(a, r, now)
	d.correctAlarm(a, r, was, now)
}

// correctResult tells of a requirement that has turned out to be met after all:
// what was found stays on record, with the result as it is now.
func (d *decision) correctResult(a place, r int, now *judge.Result) {
	_, _, p, _ := d.s.parameter(a)
	if !now.Met {
		return // there is a finding that says so
	}
	for _, list := range [][]quality.Event{p.Events, p.Told} {
		for i := range list {
			if ev := &list[i]; ev.Rule == r && ev.Result != nil && ev.Result.At == now.At {
				result := *now
				ev.Result, ev.Corrected = &result, true
				d.tell(a, ev, quality.Updated, now.At)
			}
		}
	}
}

// correctEvent tells of one finding and returns the event's id: it is an event
// that there is, corrected, or a late one.
func (d *decision) correctEvent(a place, r int, f finding, matched []string) string {
	_, _, p, _ := d.s.parameter(a)
	c := f.last
	c.Rule = r
	if now := p.Judge.Rules[r].Episode; f.open && now != nil {
		c.Episode = now.Clone()
	}
	c.Episode.ClearedAt = clearedBehind(&c.Episode)
	ev := p.known(r, &c.Episode, matched)
	if ev == nil && f.none {
		return ""
	}
	if ev == nil {
		c.What = f.opened.What
		if c.What != judge.EventFound {
			c.What = judge.EventOpened
		}
		return d.openLate(a, &c, f.open)
	}
	if f.none { // it has been raised all the same
		c.Episode.DetectedAt, c.Episode.ClearedAt = max(ev.Episode.DetectedAt, c.Episode.From), c.Episode.To
	}
	if same(&ev.Episode, &c.Episode) && ev.Open == f.open {
		ev.Episode.N = c.Episode.N
		return ev.ID
	}
	d.correct(a, ev, f, c)
	return ev.ID
}

// correct tells an event as it is now.
func (d *decision) correct(a place, ev *quality.Event, f finding, c judge.Change) {
	_, _, p, def := d.s.parameter(a)
	ev.Corrected = true
	state, at := quality.Updated, c.At
	switch {
	case f.open && !ev.Open:
		ev.Reopen(c)
	case f.open:
		ev.Episode = c.Episode
		at = max(c.At, ev.ToldAt)
	default:
		if ev.Open {
			state = ended(c.What)
		}
		ev.Close(state, c, def.Spec.Evidence.After, def.Rule(c.Rule).Rejoin)
		if f.last.What == judge.EventFound && ev.Result != nil {
			result := c.Result
			ev.Result = &result
		}
	}
	d.classifyEvent(a, ev, at)
	d.tell(a, ev, state, at)
	p.revive(ev.ID)
}

// clearedBehind is when an excursion was over: never before its last return,
// which may have come within the rejoin time.
func clearedBehind(e *judge.Episode) sample.Time {
	if e.ClearedAt == 0 {
		return 0
	}
	return max(e.ClearedAt, e.To)
}

// ended is the state of an event that a change has ended.
func ended(w judge.What) string {
	if w == judge.EventCleared {
		return quality.ReturnedToSpec
	}
	return quality.Ended
}

// revive moves an event that had been told to its end back among those that
// wait for their evidence, since that has changed.
func (p *Parameter) revive(id string) {
	i := slices.IndexFunc(p.Told, func(x quality.Event) bool { return x.ID == id })
	if i < 0 {
		return
	}
	x := p.Told[i]
	p.Told = slices.Delete(p.Told, i, i+1)
	p.Events = append(p.Events, x)
}

// openLate opens an event that was found late, and closes it where it has
// ended.
func (d *decision) openLate(a place, c *judge.Change, open bool) (id string) {
	_, _, p, def := d.s.parameter(a)
	before := len(p.Events)
	d.openEvent(a, c)
	if len(p.Events) == before {
		return "" // a mark only
	}
	ev := &p.Events[len(p.Events)-1]
	id = ev.ID
	switch {
	case open:
	case c.What == judge.EventFound:
		d.closeFound(a, c)
	default:
		ev.Close(quality.ReturnedToSpec, *c, def.Spec.Evidence.After, def.Rule(c.Rule).Rejoin)
		d.tell(a, ev, quality.ReturnedToSpec, c.At)
	}
	return id
}

// known is the event that an excursion belongs to: begun by the same input at
// the same instant, or by the same input, or at the same time. Each belongs to
// one excursion.
func (p *Parameter) known(r int, ep *judge.Episode, matched []string) *quality.Event {
	ways := []func(x *judge.Episode) bool{
		func(x *judge.Episode) bool { return x.N == ep.N && x.From == ep.From },
		func(x *judge.Episode) bool { return x.N == ep.N },
		func(x *judge.Episode) bool { return meet(x, ep) },
	}
	for _, way := range ways {
		for _, list := range [][]quality.Event{p.Events, p.Told} {
			for i := len(list) - 1; i >= 0; i-- {
				if ev := &list[i]; ev.Rule == r && way(&ev.Episode) && !slices.Contains(matched, ev.ID) {
					return ev
				}
			}
		}
	}
	return nil
}

// meet says whether two excursions have an instant in common.
func meet(a, b *judge.Episode) bool {
	end := func(e *judge.Episode) sample.Time {
		if e.To == 0 {
			return 1<<63 - 1
		}
		return e.To
	}
	return a.From == b.From || a.From < end(b) && b.From < end(a)
}

// same: nothing that an event says has changed.
func same(a, b *judge.Episode) bool {
	return a.From == b.From && a.To == b.To && a.Worst.At == b.Worst.At && a.Worst.Value == b.Worst.Value && a.Worst.X == b.Worst.X &&
		a.Samples == b.Samples && a.Outside() == b.Outside() && a.MaxArea() == b.MaxArea() && a.Gaps == b.Gaps &&
		a.SuspectFrom == b.SuspectFrom && a.ClearedAt == b.ClearedAt
}

// vanished ends open events whose rule, judged anew, is not out any more: they
// stay on record, and the correction says so. The one that is still out is not
// ended.
func (d *decision) vanished(a place, r int, now *judge.Rule) {
	_, _, p, def := d.s.parameter(a)
	still := ""
	if now.Event.Phase == judge.Raised || now.Event.Phase == judge.Clearing {
		if ev := p.known(r, now.Episode, nil); ev != nil {
			still = ev.ID
		}
	}
	for i := range p.Events {
		ev := &p.Events[i]
		if ev.Rule != r || !ev.Open || ev.ID == still {
			continue
		}
		c := judge.Change{What: judge.EventEnded, Rule: r, At: d.at, Episode: ev.Episode}
		if c.Episode.To == 0 {
			c.Episode.To = max(c.Episode.From, p.Judge.Passed())
		}
		ev.Corrected = true
		ev.Close(quality.Ended, c, def.Spec.Evidence.After, def.Rule(r).Rejoin)
		d.tell(a, ev, quality.Ended, c.At)
	}
}

// correctAlarm annunciates what is out now and was not known to be, and the
// other way round. What came and went in the past is no alarm any more.
func (d *decision) correctAlarm(a place, r int, was, now *judge.Rule) {
	e, _, p, def := d.s.parameter(a)
	on := func(x *judge.Rule) bool { return x.Alarm.Phase == judge.Raised || x.Alarm.Phase == judge.Clearing }
	switch {
	case on(now) && !on(was):
		c := judge.Change{What: judge.AlarmRaised, Rule: r, At: d.at}
		if now.Last != nil {
			c.Episode.Worst.Value.Value = sample.FloatValue(now.Last.Actual)
		}
		if now.Episode != nil {
			c.Episode = now.Episode.Clone()
		}
		d.raiseAlarm(a, &c)
	case on(was) && !on(now):
		d.clearAlarm(e.Name, p.ID, def.Rule(r).ID, d.at)
	}
}
