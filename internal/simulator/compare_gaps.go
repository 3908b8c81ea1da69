package simulator

import (
	"fmt"
	"math"
	"slices"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// checkMissing: monitoring lost, once for each stretch in which any input was
// unknown for longer than allowed, if product was exposed.
func (o *oracle) checkMissing(w *world, e int, q *Parameter, inputs []sample.Tag, byRule map[string][]life) {
	place := o.plan.Equipment[e] + " " + q.ID + " missing_data"
	got := byRule[place]
	delete(byRule, place)
	var want []blindness
	var alarms []annunciation
	for _, b := range o.blind(inputs, never) { // an alarm that was cleared is over
		if o.plan.Lot != "" && (b.to == 0 || b.to.Sub(b.from) > q.MaxGap) {
			alarms = append(alarms, annunciation{b.from.Add(q.MaxGap), b.to})
		}
	}
	o.checkAlarms(w, place, alarms, func(t sample.Time) string { return o.blindness(inputs, t) })
	for _, b := range o.blind(inputs, q.UpTo) {
		if o.plan.Lot != "" && !q.Flag && (b.to == 0 || b.to.Sub(b.from) > q.UpTo) {
			want = append(want, b)
		}
	}
	o.lost += len(want)
	for i := 0; i < max(len(want), len(got)); i++ {
		switch {
		case i >= len(got):
			w.problem("%s: monitoring lost from %s to %s was not told", place, clockTime(want[i].from), clockTime(want[i].to))
			return
		case i >= len(want):
			w.problem("%s: told and not in the truth: from %s", place, clockTime(got[i].first().Data.OccurredFrom))
			return
		}
		d := &got[i].last().Data
		b := want[i]
		if d.OccurredFrom != b.from || d.OccurredTo != b.to || d.DetectedAt != b.from.Add(q.UpTo) || d.ClearedAt != b.to || d.Type != "monitoring_lost" {
			w.problem("%s: monitoring lost for %s\n%sfrom %s to %s, told %s to %s, detected %s cleared %s", place, q.UpTo, o.blindness(inputs, b.from), clockTime(b.from), clockTime(b.to), clockTime(d.OccurredFrom), clockTime(d.OccurredTo), clockTime(d.DetectedAt), clockTime(d.ClearedAt))
			return
		}
	}
}

// never is a delay that no run is long enough for.
const never = time.Duration(math.MaxInt64)

// blind are the stretches in which it was known that any of the inputs was
// unknown. Each begins where the gap that it was first known by did, and what
// has been told does not begin anew (nor does it end before all have been seen): a gap behind it that turns out to have
// begun before its end is the same.
func (o *oracle) blind(inputs []sample.Tag, upTo time.Duration) (list []blindness) {
	all := o.each(inputs)
	slices.SortStableFunc(all, func(a, b tagged) int {
		switch {
		case a.k != b.k:
			return a.k - b.k
		case a.gap && b.gap && a.armed != b.armed:
			return a.armed - b.armed
		case a.gap && b.gap:
			return int(a.t - b.t)
		case a.gap:
			return -1
		case b.gap:
			return 1
		}
		return 0
	})
	gone, seen := make([]bool, len(inputs)), make([]bool, len(inputs))
	for _, m := range all {
		last := len(list) - 1
		before := last >= 0 && list[last].to == 0
		gone[m.i], seen[m.i] = m.gap, seen[m.i] || !m.gap
		switch after := slices.Contains(gone, true) || before && slices.Contains(seen, false); {
		case before && !after:
			list[last].to = max(m.t, list[last].from)
		case before || !after:
		case last >= 0 && m.t < list[last].to && o.clock(m.k, inputs) < list[last].to && list[last].to.Sub(list[last].from) > upTo:
			list[last].to = 0
		default:
			list = append(list, blindness{from: m.t})
		}
	}
	return list
}

// checkGaps: every gap once, with its cause, tags, beginning and end.
func (o *oracle) checkGaps(w *world, byRule map[string][]life) {
	byCause := map[string][]*gap{}
	for _, g := range o.gaps {
		place := "gap " + o.plan.Equipment[g.equipment] + " " + g.cause
		byCause[place] = append(byCause[place], g)
	}
	for place, want := range byCause {
		got := byRule[place]
		delete(byRule, place)
		if len(got) != len(want) {
			w.problem("%s: %d, told %d", place, len(want), len(got))
		}
		for i := 0; i < min(len(want), len(got)); i++ {
			if diff := o.gapDiffers(want[i], got[i]); diff != "" {
				w.problem("%s: %s", place, diff)
				break
			}
		}
	}
}

func (o *oracle) gapDiffers(g *gap, l life) string {
	d := &l.last().Data
	var names []string
	from, to, open := g.tags[0].from, sample.Time(0), false
	for _, b := range g.tags {
		names = append(names, o.plan.Equipment[g.equipment]+"/"+o.plan.Names[o.plan.Tags[b.tag].Name])
		from, to, open = min(from, b.from), max(to, b.to), open || b.to == 0
	}
	if open {
		to = 0
	}
	slices.Sort(names)
	if !slices.Equal(names, d.Tags) || d.OccurredFrom != from || d.OccurredTo != to || d.RaisedAt != g.raised || d.Gateway.N < g.n {
		return fmt.Sprintf("of %v from %s to %s raised %s, told %v from %s to %s raised %s", names, clockTime(from), clockTime(to), clockTime(g.raised), d.Tags, clockTime(d.OccurredFrom), clockTime(d.OccurredTo), clockTime(d.RaisedAt))
	}
	return ""
}

// checkSamples: every sample that was handed over and committed is in the
// record once, as the plant had it, and nothing else is.
func (o *oracle) checkSamples(w *world) {
	plant := map[taggedTime]point{}
	for t := range o.plan.Tags {
		for _, p := range series(o.plan, t) {
			plant[taggedTime{sample.Tag(t), p.T}] = p
		}
	}
	had := map[taggedTime]int{}
	for tag, is := range w.jr.byTag {
		for _, i := range is {
			s := &w.jr.samples[i-1]
			k := taggedTime{tag, s.T}
			had[k]++
			if p, ok := plant[k]; !ok || p != (point{s.T, s.V, s.Q, s.St}) {
				w.problem("sample %d (%s %s) is not what the plant put out", i, s.Tag, s.T)
			}
		}
	}
	told := o.handed()
	for k := range told {
		if had[k] != 1 {
			w.problem("the sample of tag %d at %s is in the record %d times", k.tag, k.t, had[k])
		}
	}
	if len(told) != len(had) {
		w.problem("%d samples were handed over, %d are in the record", len(told), len(had))
	}
}

// taggedTime is one sample's place.
type taggedTime struct {
	tag sample.Tag
	t   sample.Time
}

// handed are the samples that were handed over and committed.
func (o *oracle) handed() map[taggedTime]bool {
	all := map[taggedTime]bool{}
	for k := range o.facts {
		if b, ok := o.facts[k].body.(*record.Scan); ok {
			for _, r := range b.Readings {
				all[taggedTime{r.Tag, b.Time}] = true
			}
		}
	}
	return all
}
