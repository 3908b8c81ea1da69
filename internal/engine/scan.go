package engine

import (
	"fmt"
	"slices"
	"time"

	"andon/internal/judge"
	"andon/internal/outbox"
	"andon/internal/production"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
)

// defaultMaxSkew is how far a source's clock may be off when the settings do
// not say (contract, section 4).
const defaultMaxSkew = 5 * time.Second

// seen is a parameter that a scan has values for.
type seen struct {
	place
	slot     int
	from, to int // its values in index.values
}

// scan takes one source's values of one source time: first what they say of the
// context, then of the parameters.
func (d *decision) scan(b *record.Scan) {
	s := d.s
	d.skew(b.Source, b.Server)
	t := d.judgedAt(b)
	d.switchBefore(t)
	d.silentUntil(b, t)
	d.inScan = true
	kept := uint64(0)
	fresh := make([]bool, len(b.Readings))
	for i := range b.Readings {
		r := &b.Readings[i]
		if int(r.Tag) < len(s.Tags) && s.repeats(b, r) {
			d.out.Repeated = append(d.out.Repeated, i)
			d.again(b, r, t)
			continue
		}
		kept++
		fresh[i] = int(r.Tag) < len(s.Tags)
	}
	if kept > 0 {
		d.out.FirstI = s.I + 1
		s.I = s.Outbox.Advance(outbox.Record, kept)
	}
	for i := range b.Readings {
		if fresh[i] {
			fresh[i] = d.note(b, &b.Readings[i], t)
		}
	}
	for _, turn := range s.Turns {
		d.beginOperations(turn.E, turn.From)
	}
	d.judgeReadings(b.Readings, fresh, t)
	d.inScan = false
	d.turnAll()
}

// silentUntil opens the gaps of silence that the clock has not seen yet and that
// a scan of instant t ends: all of them, and what they say of the context, before
// any of its values counts.
func (d *decision) silentUntil(b *record.Scan, t sample.Time) {
	s := d.s
	for i := range b.Readings {
		tag := b.Readings[i].Tag
		if int(tag) < len(s.Tags) && !s.Tags[tag].Blind && t > s.Tags[tag].Heard.Add(s.x.maxGap[tag]) && s.used(tag) && !s.repeats(b, &b.Readings[i]) {
			d.blindOne(tag, quality.CauseSilence, "")
		}
	}
}

// skew keeps how far the source's clock is from ours.
func (d *decision) skew(source string, server sample.Time) {
	i, ok := d.s.x.source[source]
	if !ok || server == 0 {
		return
	}
	src := &d.s.Sources[i]
	src.Skew = server.Sub(d.at)
	limit := d.s.maxSkew(source)
	by := src.Skew > limit || src.Skew < -limit
	if by == src.ByArrival {
		return
	}
	src.ByArrival = by
	if by {
		d.system("clock_skew", source+": its clock is off by "+src.Skew.String()+"; arrival decides until it is back within "+limit.String())
	} else {
		d.system("clock_skew", source+": its clock is back within "+limit.String())
	}
}

// judgedAt is the instant that a scan's values are judged at: their source
// time, the instant as of which a held value is known, or arrival where the
// source's clock cannot be relied on.
func (d *decision) judgedAt(b *record.Scan) sample.Time {
	if d.s.byArrival(b.Source) {
		return d.at
	}
	return d.plausible(b.Source, max(b.Time, b.AsOf))
}

// plausible is an instant of a source's clock, or that clock's now where the
// instant lies ahead of it by more than is allowed: nothing is known of what is
// still to come, and nothing may expire or fall due by such a stamp.
func (d *decision) plausible(source string, t sample.Time) sample.Time {
	i, ok := d.s.x.source[source]
	if !ok {
		return min(t, d.at.Add(defaultMaxSkew))
	}
	src := &d.s.Sources[i]
	now := d.at.Add(src.Skew)
	ahead := t > now.Add(d.s.maxSkew(source))
	if ahead != src.Ahead {
		src.Ahead = ahead
		if ahead {
			d.system("clock_skew", fmt.Sprintf("%s: stamped %s, when its clock shows %s: judged as of that", source, t, now))
		}
	}
	if ahead {
		return now
	}
	return t
}

// maxSkew is how far a source's clock may be off.
func (s *State) maxSkew(source string) time.Duration {
	for _, w := range s.Start.Wiring.Sources {
		if w.Name == source && w.MaxSkew > 0 {
			return w.MaxSkew
		}
	}
	return defaultMaxSkew
}

// byArrival: the source's clock is off by more than is allowed.
func (s *State) byArrival(source string) bool {
	i, ok := s.x.source[source]
	return ok && s.Sources[i].ByArrival
}

// repeats: the reading says only what the last one said.
func (s *State) repeats(b *record.Scan, r *sample.Reading) bool {
	tag := &s.Tags[r.Tag]
	return tag.Seen && tag.T == b.Time && tag.V.Value == r.Value && tag.Q == r.Quality && tag.St == r.Status
}

// again takes a repeated reading: a confirmation of its own source time, or,
// for a value held at reconnection, of the instant it was held at.
func (d *decision) again(b *record.Scan, r *sample.Reading, t sample.Time) {
	tag := &d.s.Tags[r.Tag]
	if b.AsOf == 0 || !d.s.stands(r.Tag) {
		return
	}
	if tag.Blind {
		d.seenAgain(r.Tag, t, b.AsOf != 0)
		return
	}
	d.heard(r.Tag, t)
}

// note takes one new reading into its tag and says whether its value may be
// judged.
func (d *decision) note(b *record.Scan, r *sample.Reading, t sample.Time) (usable bool) {
	s := d.s
	tag := &s.Tags[r.Tag]
	if tag.Seen && t < tag.Last && b.AsOf == 0 {
		d.late(b, r, t)
		return false
	}
	good := r.Quality != sample.Bad && r.Value.Finite()
	last := t
	if b.AsOf != 0 { // what comes next may have been sampled just before the value was asked for
		last = min(t, b.Time)
	}
	*tag = Tag{Seen: true, T: b.Time, Last: last, V: sample.Exact{Value: r.Value}, Q: r.Quality, St: r.Status, Heard: tag.Heard, Blind: tag.Blind, Cause: tag.Cause}
	if !good || r.Quality == sample.Uncertain && !s.acceptsUncertain(r.Tag) {
		d.blindOne(r.Tag, quality.CauseBadQuality, r.Status)
		d.keepBad(r.Tag, t)
		return false
	}
	if !s.takes(r.Tag, r.Value) {
		d.blindOne(r.Tag, quality.CauseBadQuality, "text where a number is judged")
		d.keepBad(r.Tag, t)
		return false
	}
	if tag.Blind {
		d.seenAgain(r.Tag, t, false)
	}
	tag.Heard = max(tag.Heard, t)
	d.bound(r.Tag, r.Value, r.Quality, t)
	return true
}

// takes: the value can be judged by some parameter, or nothing judges the tag.
func (s *State) takes(t sample.Tag, v sample.Value) bool {
	uses := s.x.uses[t]
	return len(uses) == 0 || slices.ContainsFunc(uses, func(u use) bool { return s.x.params[u.e][u.r][u.p].Takes(v) })
}

func (s *State) acceptsUncertain(t sample.Tag) bool {
	return slices.ContainsFunc(s.x.uses[t], func(u use) bool { return s.x.params[u.e][u.r][u.p].Spec.AcceptUncertain })
}

// bound puts a value into the context fields that the tag gives.
func (d *decision) bound(t sample.Tag, v sample.Value, q sample.Quality, at sample.Time) {
	for _, b := range d.s.x.binds[t] {
		text := v.String()
		known := q == sample.Good
		if b.values != nil {
			text, known = mapped(b.values, text, known)
		}
		if !known {
			text = ""
		}
		d.setContext(d.s.x.on[t], b.field, production.Value{From: at, Text: text, Known: known, By: "tag"})
	}
}

// mapped is what a tag's value means; one that the settings give no meaning is
// unknown.
func mapped(values map[string]string, text string, known bool) (string, bool) {
	meaning, ok := values[text]
	return meaning, ok && known
}

// judgeReadings hands the usable values of a scan to the parameters, each of
// which gets all of its own at once.
func (d *decision) judgeReadings(readings []sample.Reading, usable []bool, t sample.Time) {
	x := &d.s.x
	x.seen, x.values = x.seen[:0], x.values[:0]
	for i := range readings {
		if !usable[i] {
			continue
		}
		for _, u := range x.uses[readings[i].Tag] {
			d.collect(u, &readings[i])
		}
	}
	for i := range x.seen {
		v := &x.seen[i]
		x.slots[v.slot] = -1
		values := x.values[v.from:v.to]
		d.step(v.place, judge.Step{Told: judge.ToldScan, T: t, Values: values})
		d.passed(v.place)
		d.classify(v.place, t)
	}
}

// collect adds a value to those of its parameter. A parameter's values stand
// together; one that comes after those of another are moved behind them.
func (d *decision) collect(u use, r *sample.Reading) {
	x := &d.s.x
	def := d.s.x.params[u.e][u.r][u.p]
	if r.Quality == sample.Uncertain && !def.Spec.AcceptUncertain || !def.Takes(r.Value) {
		d.step(u.place, judge.Step{Told: judge.ToldGap, T: d.s.judged(u.place).Inputs[u.input].Heard, Input: u.input})
		d.keepBad(r.Tag, d.s.Tags[r.Tag].Last)
		return
	}
	v := judge.Value{Input: u.input, V: r.Value, Uncertain: r.Quality == sample.Uncertain}
	if x.slots[u.slot] < 0 {
		x.slots[u.slot] = len(x.seen)
		x.seen = append(x.seen, seen{u.place, u.slot, len(x.values), len(x.values)})
	}
	p := &x.seen[x.slots[u.slot]]
	if p.to != len(x.values) {
		from := len(x.values)
		x.values = append(x.values, x.values[p.from:p.to]...)
		p.from, p.to = from, len(x.values)
	}
	x.values = append(x.values, v)
	p.to++
}

// confirm: every tag of the source that is watched has kept its value.
func (d *decision) confirm(b *record.Confirm) {
	s := d.s
	i, ok := s.x.source[b.Source]
	if !ok {
		return
	}
	t := d.at
	if !s.Sources[i].ByArrival {
		t = d.plausible(b.Source, b.Time)
	}
	d.switchBefore(t)
	confirmed := func(k int) bool {
		tag := sample.Tag(k)
		return s.Start.Wiring.Tags[k].Source == b.Source && !slices.Contains(b.Except, tag) && s.Tags[k].Seen && s.stands(tag)
	}
	for k := range s.Tags { // silence that the clock has not seen yet, of all before any ends
		if confirmed(k) && !s.Tags[k].Blind && t > s.Tags[k].Heard.Add(s.x.maxGap[k]) {
			d.blindOne(sample.Tag(k), quality.CauseSilence, "")
		}
	}
	for k := range s.Tags {
		switch tag := &s.Tags[k]; {
		case !confirmed(k):
		case !tag.Blind:
			d.heard(sample.Tag(k), t)
		case tag.Cause == quality.CauseSilence && t > tag.Heard:
			d.found(sample.Tag(k), t)
		}
	}
	s.each(func(a place) {
		d.passed(a)
		d.classify(a, t)
	})
}

// heard: a tag is known to have kept its value up to t.
func (d *decision) heard(t sample.Tag, at sample.Time) {
	tag := &d.s.Tags[t]
	if at <= tag.Heard {
		return
	}
	tag.Heard = at
	for _, u := range d.s.x.uses[t] {
		_, _, p, def := d.s.parameter(u.place)
		if def.Heeds() || p.Past != nil {
			d.step(u.place, judge.Step{Told: judge.ToldHeard, T: at, Input: u.input})
			continue
		}
		(&judge.Judge{P: def, S: &p.Judge}).Heard(u.input, at)
	}
}

// stands says whether a tag's last value may be judged: only such a one can be
// confirmed, or found again behind a gap.
func (s *State) stands(t sample.Tag) bool {
	tag := &s.Tags[t]
	return tag.Q != sample.Bad && tag.V.Finite() && (tag.Q == sample.Good || s.acceptsUncertain(t))
}
