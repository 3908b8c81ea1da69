package engine

import (
	"cmp"
	"slices"
	"sort"

	"andon/internal/judge"
	"andon/internal/production"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
)

// loss: samples are known to be missing.
func (d *decision) loss(b *record.Loss) {
	tags := b.Tags
	if len(tags) == 0 {
		tags = d.wiredTags(b.Source)
	}
	tags = slices.DeleteFunc(slices.Clone(tags), func(t sample.Tag) bool { return int(t) >= len(d.s.Tags) })
	d.blind(tags, b.Cause, b.Detail)
}

func (d *decision) blindOne(t sample.Tag, cause, detail string) {
	d.blind([]sample.Tag{t}, cause, detail)
}

// blind: tags are unknown from their last good instant on. What is unknown
// already stays in the gap it is in. One gap is made for each piece of
// equipment; its parameters' states are kept, for data that comes late.
func (d *decision) blind(tags []sample.Tag, cause, detail string) {
	s := d.s
	for e := range s.Equipment {
		g := quality.Gap{Equipment: s.Equipment[e].Name, Cause: cause, Detail: detail, RaisedAt: d.at}
		for _, t := range tags {
			if s.x.on[t] != e {
				continue
			}
			if tag := &s.Tags[t]; tag.Blind {
				if tag.Cause == quality.CauseSilence { // what is known to be lost no confirmation brings back
					tag.Cause = cause
				}
				continue
			}
			s.Tags[t].Blind, s.Tags[t].Cause = true, cause
			if !s.used(t) {
				continue // nothing depends on it: it is unknown, and that is no gap
			}
			w := &s.Start.Wiring.Tags[t]
			g.Tags = append(g.Tags, quality.GapTag{Tag: t, Name: w.Name, From: s.Tags[t].Heard, Every: w.Every})
		}
		if len(g.Tags) > 0 {
			d.open(e, &g)
		}
	}
}

// open arms a gap: names it, keeps the states before it, tells of it and lets
// parameters and context know.
func (d *decision) open(e int, g *quality.Gap) {
	s := d.s
	sort.Slice(g.Tags, func(i, j int) bool { return g.Tags[i].Name < g.Tags[j].Name })
	parts := []string{s.Start.Gateway, s.Start.Epoch, g.Equipment, g.Cause}
	g.From = g.Tags[0].From
	for _, t := range g.Tags {
		parts = append(parts, t.Name)
		g.From = min(g.From, t.From)
	}
	g.ID = quality.ID("gap-", d.n, parts...)
	d.keepPast(g)
	s.Gaps = append(s.Gaps, *g)
	d.tellGap(e, &s.Gaps[len(s.Gaps)-1])
	byFrom := slices.Clone(g.Tags) // the first to be unknown first: a parameter is unknown from there on
	slices.SortStableFunc(byFrom, func(a, b quality.GapTag) int { return cmp.Compare(a.From, b.From) })
	for _, t := range byFrom {
		for _, u := range s.x.uses[t.Tag] {
			from := max(t.From, s.Equipment[u.e].Running[u.r].Since) // nothing is judged retroactively
			d.step(u.place, judge.Step{Told: judge.ToldGap, T: from, Input: u.input})
			d.passed(u.place)
		}
	}
	for _, t := range g.Tags {
		// at its last good instant the field was still known
		for _, b := range s.x.binds[t.Tag] {
			d.setContext(e, b.field, production.Value{From: t.From + 1, By: "tag"})
		}
	}
}

// seenAgain ends a tag's gap at t. held: by a value that it still had, which
// its parameters have seen before.
func (d *decision) seenAgain(t sample.Tag, at sample.Time, held bool) {
	s := d.s
	tag := &s.Tags[t]
	tag.Blind, tag.Cause = false, ""
	tag.Heard = max(tag.Heard, at)
	e := s.x.on[t]
	if g := s.gapOf(t); g != nil && g.Recover(t, at) {
		d.tellGap(e, g)
		id := g.ID
		d.fillable(*g)
		s.Gaps = slices.DeleteFunc(s.Gaps, func(x quality.Gap) bool { return x.ID == id })
	}
	if !held {
		return // its parameters get the new value
	}
	d.bound(t, tag.V.Value, tag.Q, at)
	for _, u := range s.x.uses[t] {
		if tag.Q == sample.Uncertain && !s.x.params[u.e][u.r][u.p].Spec.AcceptUncertain {
			continue // for this one it stays unknown
		}
		d.step(u.place, judge.Step{Told: judge.ToldFound, T: at, Input: u.input})
		d.passed(u.place)
	}
}

// found ends silence by a confirmation.
func (d *decision) found(t sample.Tag, at sample.Time) { d.seenAgain(t, at, true) }

// silentAt is the instant of our clock at which a tag will have been silent for
// too long.
func (s *State) silentAt(t sample.Tag) sample.Time {
	over := s.Tags[t].Heard.Add(s.x.maxGap[t] + s.grace(t))
	return over.Add(-s.sourceTime(t, 0).Sub(0))
}

// silent opens gaps for tags of which nothing has been heard for too long: one
// gap a tag. Inputs of parameters come first, so that a parameter whose phase
// falls silent with it is blind from its own last value on.
func (d *decision) silent() {
	for _, inputs := range []bool{true, false} {
		for _, t := range d.watched() {
			if len(d.s.x.uses[t]) > 0 == inputs && !d.s.Tags[t].Blind && d.s.silentAt(t) <= d.at {
				d.blindOne(t, quality.CauseSilence, "")
			}
		}
	}
}
