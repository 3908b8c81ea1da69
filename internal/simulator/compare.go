package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"andon/internal/outbox"
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

// first and last are the first and the last revision.
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
	o.alarms = w.alarms()
	byRule := map[string][]life{}
	for _, l := range lives {
		o.checkLife(w, l)
		byRule[l.first().place()] = append(byRule[l.first().place()], l)
	}
	o.checkGaps(w, byRule)
	for e := range o.plan.Equipment {
		for p := range o.plan.Parameters {
			q := &o.plan.Parameters[p]
			inputs := o.inputs(o.plan.Equipment[e], q)
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
	for place := range o.alarms {
		w.problem("alarms of %s, which nothing in the truth accounts for", place)
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
	want := o.excursionsOf(story, inputs, q.MaxGap)
	o.checkAlarms(w, place, o.annunciations(story, inputs), func(t sample.Time) string { return u.String() + "\n" + story.around(t, o) })
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
		if x, ok := d.Excursion.Worst.Value.(float64); ok && s.rule.beyond(x) != s.rule.beyond(e.worst.x) { // either of two as bad at one instant will do
			diff = append(diff, fmt.Sprintf("worst %v, told %v", e.worst.x, x))
		}
	}
	number := func(what string, want, got float64) {
		if math.Abs(want-got) > 1e-6*max(1, math.Abs(want)) {
			diff = append(diff, fmt.Sprintf("%s %v, told %v", what, want, got))
		}
	}
	number("gaps", e.gaps.Seconds(), d.Excursion.GapsS)
	number("samples", float64(e.outside), float64(d.Excursion.Samples))
	if len(s.series) == 1 { // of several, what counts at the edges of gaps is not laid down
		number("duration", e.duration.Seconds(), d.Excursion.DurationS)
		if d.Excursion.Area != nil {
			number("area", e.area, d.Excursion.Area.Value)
		}
	}
	kind := "deviation"
	if s.rule.Nonconformance {
		kind = "nonconformance"
	}
	if d.Kind != kind || d.Class != s.rule.Class || d.Type != "process_parameter" || d.Spec.ID != "SIM" || d.Spec.Revision != "A" {
		diff = append(diff, fmt.Sprintf("is a %s %s of %s %s %s", d.Class, d.Kind, d.Type, d.Spec.ID, d.Spec.Revision))
	}
	if id := o.id(kind[:3], d.Equipment.ID, e.n, q.ID, s.rule.ID); kind == "deviation" && id != d.EventID {
		diff = append(diff, fmt.Sprintf("id of input %d %s, told %s", e.n, id, d.EventID))
	}
	diff = append(diff, o.late(e.detected, l.first(), q)...)
	diff = append(diff, o.evidence(q, l.last())...)
	return strings.Join(diff, "; ")
}

// id is the name of an event: the same for the same equipment, parameter, rule
// and input that first put the rule out.
func (o *oracle) id(prefix, equipment string, n uint64, of ...string) string {
	parts := append([]string{gatewayName, epoch, equipment}, of...)
	sum := sha256.Sum256([]byte(strings.Join(append(parts, strconv.FormatUint(n, 10)), "\x00")))
	return prefix + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

// inputs are the tags of a parameter on a piece of equipment.
func (o *oracle) inputs(equipment string, q *Parameter) (tags []sample.Tag) {
	e := slices.Index(o.plan.Equipment, equipment)
	for _, n := range q.Inputs {
		tags = append(tags, o.plan.find(e, n))
	}
	return tags
}

// late: an event is told at the latest when the clock has passed its instant,
// the grace for samples on their way included.
func (o *oracle) late(detected sample.Time, x *told, q *Parameter) []string {
	inputs := o.inputs(x.Data.Equipment.ID, q)
	k := sort.Search(len(o.facts), func(k int) bool { return o.clock(k, inputs) >= detected })
	if k < len(o.facts) && x.Data.RaisedAt > o.facts[k].at {
		return []string{fmt.Sprintf("raised by %s at the latest, told at %s", clockTime(o.facts[k].at), clockTime(x.Data.RaisedAt))}
	}
	return nil
}

// evidence: the last revision names every sample of the parameter's inputs in
// its window that was on record by then.
func (o *oracle) evidence(q *Parameter, x *told) []string {
	d := &x.Data
	if d.Evidence == nil {
		return []string{"no evidence"}
	}
	w := d.Evidence.Window
	var diff []string
	if w.From > d.OccurredFrom.Add(-q.Before) || w.To < max(d.OccurredTo, d.ClearedAt).Add(q.After) {
		diff = append(diff, fmt.Sprintf("evidence from %s to %s only", clockTime(w.From), clockTime(w.To)))
	}
	count := 0
	for _, t := range o.inputs(d.Equipment.ID, q) {
		for _, s := range o.tags[t].samples {
			if s.t >= w.From && s.t <= w.To && o.facts[s.k].n < d.Gateway.N {
				count++
			}
		}
	}
	if count != d.Evidence.Count {
		diff = append(diff, fmt.Sprintf("evidence of %d samples, told %d", count, d.Evidence.Count))
	}
	return diff
}
