package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
)

// told is what the comparison reads of any entry of lane quality.
type told struct {
	Seq  uint64 `json:"seq"`
	Type string `json:"type"`
	Data struct {
		EventID      string      `json:"event_id"`
		Revision     int         `json:"revision"`
		Supersedes   int         `json:"supersedes"`
		Kind         string      `json:"kind"`
		Type         string      `json:"type"`
		Class        string      `json:"class"`
		State        string      `json:"state"`
		Cause        string      `json:"cause"`
		Tags         []string    `json:"tags"`
		OccurredFrom sample.Time `json:"occurred_from"`
		OccurredTo   sample.Time `json:"occurred_to"`
		DetectedAt   sample.Time `json:"detected_at"`
		ClearedAt    sample.Time `json:"cleared_at"`
		RaisedAt     sample.Time `json:"raised_at"`
		Equipment    struct {
			ID string `json:"id"`
		} `json:"equipment"`
		Product struct {
			SuspectFrom sample.Time `json:"suspect_from"`
		} `json:"product"`
		Spec struct {
			ID, Revision, Parameter, Rule string
		} `json:"spec"`
		Excursion struct {
			Worst *struct {
				Value any         `json:"value"`
				At    sample.Time `json:"at"`
			} `json:"worst"`
			DurationS float64 `json:"duration_s"`
			Area      *struct {
				Value float64 `json:"value"`
			} `json:"area"`
			Samples int     `json:"samples"`
			GapsS   float64 `json:"gaps_s"`
		} `json:"excursion"`
		Evidence *struct {
			Window  struct{ From, To sample.Time } `json:"window"`
			Records [2]uint64                      `json:"records"`
			Count   int                            `json:"count"`
		} `json:"evidence"`
		Gateway struct {
			N uint64 `json:"n"`
		} `json:"gateway"`
	} `json:"data"`
}

// life is all revisions of one event, in the order of their numbers.
type life []told

// first and last revision; returned: the last that says that it is over.
func (l life) first() *told { return &l[0] }
func (l life) last() *told  { return &l[len(l)-1] }

// lives are all events that the quality system got, its rejected entries
// included, in the order in which they were opened.
func (w *world) lives() (list []life) {
	lane := outbox.Quality
	at := map[string]int{}
	for seq := uint64(1); seq <= w.jr.raised[lane]; seq++ {
		b := w.rx.stored[lane][seq]
		if no, ok := w.rx.refused[lane][seq]; ok {
			b = no
		}
		if bytes.Contains(b, []byte(`"type":"andon.spec.v1"`)) {
			continue
		}
		var x told
		if err := json.Unmarshal(b, &x); err != nil {
			w.problem("entry %d of lane quality: %v", seq, err)
			continue
		}
		i, ok := at[x.Data.EventID]
		if !ok {
			i = len(list)
			at[x.Data.EventID] = i
			list = append(list, nil)
		}
		list[i] = append(list[i], x)
	}
	return list
}

// check compares what was told with what had to be.
func (o *oracle) check(w *world) {
	for _, s := range o.wrong {
		w.problem("%s", s)
	}
	lives := w.lives()
	byRule := map[string][]life{}
	for _, l := range lives {
		o.checkLife(w, l)
		byRule[l.first().place()] = append(byRule[l.first().place()], l)
	}
	o.checkGaps(w, byRule)
	for e := range o.plan.Equipment {
		for p := range o.plan.Parameters {
			q := &o.plan.Parameters[p]
			var inputs []sample.Tag
			for _, n := range q.Inputs {
				inputs = append(inputs, o.plan.find(e, n))
			}
			for r := range q.Rules {
				o.checkRule(w, e, q, &q.Rules[r], inputs, byRule)
			}
			o.checkMissing(w, e, q, inputs, byRule)
		}
	}
	for place, l := range byRule {
		if len(l) > 0 {
			w.problem("%d events of %s, which nothing in the truth accounts for", len(l), place)
		}
	}
	o.checkSamples(w)
}

// place is what an event is about: only events of one place can be confused.
func (x *told) place() string {
	d := &x.Data
	if d.Kind == "gap" {
		return "gap " + d.Equipment.ID + " " + d.Cause
	}
	return d.Equipment.ID + " " + d.Spec.Parameter + " " + d.Spec.Rule
}

// checkLife: revisions count up without a hole and keep what they must.
func (o *oracle) checkLife(w *world, l life) {
	for i := range l {
		a, b := &l[0].Data, &l[i].Data
		if b.Revision != i+1 || b.Supersedes != i || a.RaisedAt != b.RaisedAt || a.Kind != b.Kind || l[i].place() != l[0].place() {
			w.problem("event %s: revision %d of %d does not follow on the ones before: %+v", a.EventID, i+1, len(l), b)
		}
	}
	if n := l.first().Data.Gateway.N; n == 0 || n > uint64(len(o.facts)) || o.facts[n-1].at != l.first().Data.RaisedAt {
		w.problem("event %s: raised at %s by input %d, which is not so", l.first().Data.EventID, l.first().Data.RaisedAt, n)
	}
}

func (o *oracle) checkRule(w *world, e int, q *Parameter, u *Rule, inputs []sample.Tag, byRule map[string][]life) {
	place := o.plan.Equipment[e] + " " + q.ID + " " + u.ID
	story := o.tell(inputs, u)
	want := o.excursionsOf(story, inputs)
	got := byRule[place]
	delete(byRule, place)
	o.excursions += len(want)
	for i := 0; i < max(len(want), len(got)); i++ {
		var diff string
		switch {
		case i >= len(got):
			diff = "was not told"
		case i >= len(want):
			w.problem("%s %+v: told and not in the truth: from %s (revision 1: %+v)", place, *u, got[i].first().Data.OccurredFrom, got[i].first().Data)
			return
		default:
			diff = o.differs(&want[i], story, q, got[i])
		}
		if diff != "" {
			w.problem("%s %s: excursion %d: %s\n%s", place, u, i, diff, story.around(want[i].from, o))
			return
		}
	}
}

// differs says how an event is told differently from what it was.
func (o *oracle) differs(e *excursion, s *story, q *Parameter, l life) string {
	i := len(l) - 1
	for i > 0 && l[i].Data.State != "returned_to_spec" {
		i--
	}
	d := &l[i].Data
	var diff []string
	at := func(what string, want, got sample.Time) {
		if want != got {
			diff = append(diff, fmt.Sprintf("%s %s, told %s", what, clockTime(want), clockTime(got)))
		}
	}
	at("occurred_from", e.from, d.OccurredFrom)
	at("occurred_to", e.to, d.OccurredTo)
	at("detected_at", e.detected, d.DetectedAt)
	at("cleared_at", e.cleared, d.ClearedAt)
	if e.suspect != 0 {
		at("suspect_from", e.suspect, d.Product.SuspectFrom)
	}
	if d.Excursion.Worst == nil {
		diff = append(diff, "no worst value")
	} else {
		at("worst at", e.worst.t, d.Excursion.Worst.At)
		if x, ok := d.Excursion.Worst.Value.(float64); ok && x != e.worst.x {
			diff = append(diff, fmt.Sprintf("worst %v, told %v", e.worst.x, x))
		}
	}
	if math.Abs(d.Excursion.GapsS-e.gaps.Seconds()) > 1e-6 {
		diff = append(diff, fmt.Sprintf("gaps %s, told %v", e.gaps, d.Excursion.GapsS))
	}
	kind := "deviation"
	if s.rule.Nonconformance {
		kind = "nonconformance"
	}
	if d.Kind != kind || d.Class != s.rule.Class || d.Type != "process_parameter" || d.Spec.ID != "SIM" || d.Spec.Revision != "A" {
		diff = append(diff, fmt.Sprintf("is a %s %s of %s %s %s", d.Class, d.Kind, d.Type, d.Spec.ID, d.Spec.Revision))
	}
	if e.cleared != 0 && l.last().Data.Evidence == nil {
		diff = append(diff, "no evidence")
	}
	return strings.Join(diff, "; ")
}

// checkMissing: monitoring lost, once for each stretch in which any input was
// unknown for longer than allowed, if product was exposed.
func (o *oracle) checkMissing(w *world, e int, q *Parameter, inputs []sample.Tag, byRule map[string][]life) {
	place := o.plan.Equipment[e] + " " + q.ID + " missing_data"
	got := byRule[place]
	delete(byRule, place)
	var want []blindness
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

// blindness shows the gaps of some tags about an instant, for people.
func (o *oracle) blindness(inputs []sample.Tag, t sample.Time) string {
	var b strings.Builder
	for _, g := range o.gaps {
		for _, x := range g.tags {
			if slices.Contains(inputs, x.tag) && x.from < t.Add(15*time.Second) && (x.to == 0 || x.to > t.Add(-5*time.Second)) {
				fmt.Fprintf(&b, "  gap of tag %d from %s to %s, %s by input %d at %s\n", x.tag, clockTime(x.from), clockTime(x.to), g.cause, g.n, clockTime(g.raised))
			}
		}
	}
	return b.String()
}

// blind are the stretches in which it was known that any of the inputs was
// unknown. Each begins where the gap that it was first known by did, and what
// has been told does not begin anew: a gap behind it that turns out to have
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
	gone := make([]bool, len(inputs))
	for _, m := range all {
		before := slices.Contains(gone, true)
		gone[m.i] = m.gap
		last := len(list) - 1
		switch after := slices.Contains(gone, true); {
		case before && !after:
			list[last].to = max(m.t, list[last].from)
		case before || !after:
		case last >= 0 && m.t < list[last].to && list[last].to.Sub(list[last].from) > upTo:
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

// clockTime is an instant as seconds from the start of the run.
func clockTime(t sample.Time) string {
	if t == 0 {
		return "-"
	}
	return fmt.Sprintf("%.9f", t.Sub(start).Seconds())
}

func (u *Rule) String() string {
	limits := u.Expected
	if u.Low != nil {
		limits += fmt.Sprintf(" low %v", *u.Low)
	}
	if u.High != nil {
		limits += fmt.Sprintf(" high %v", *u.High)
	}
	return fmt.Sprintf("(%s %s%s deadband %v on %s event %s off %s rejoin %s)", u.Kind, u.Scope, limits, u.Deadband, u.On, u.Event, u.Off, u.Rejoin)
}

// around shows what a rule was judged by about an instant, for people.
func (s *story) around(t sample.Time, o *oracle) string {
	var b strings.Builder
	for i := range s.stretches {
		st := &s.stretches[i]
		if st.from > t.Add(12*time.Second) || st.until != 0 && st.until < t.Add(-4*time.Second) {
			continue
		}
		fmt.Fprintf(&b, "  %s %s..%s gap=%v", [...]string{"unknown", "in", "out"}[st.v], clockTime(st.from), clockTime(st.until), st.gap)
		if st.k < len(o.facts) {
			fmt.Fprintf(&b, " ended by input %d at %s", o.facts[st.k].n, clockTime(o.facts[st.k].at))
		}
		b.WriteByte('\n')
	}
	for i := range s.series {
		for _, n := range s.series[i] {
			if n.t >= t.Add(-2*time.Second) && n.t <= t.Add(8*time.Second) {
				fmt.Fprintf(&b, "  series %d: %v at %s (before: held to %s, first %v)\n", i, n.x, clockTime(n.t), clockTime(n.held), n.first)
			}
		}
	}
	return b.String()
}
