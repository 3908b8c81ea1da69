package plant

import (
	"cmp"
	"slices"
	"time"

	"andon/internal/sample"
)

// Truth is what had to be found in what the plant put out between From and
// Until, both source times.
type Truth struct {
	From       sample.Time `json:"from"`
	Until      sample.Time `json:"until"`
	Steps      int         `json:"steps"`   // put out, or withheld by an interruption
	Samples    int         `json:"samples"` // new values put out; those withheld are not counted
	Deviations []Deviation `json:"deviations"`
	Gaps       []Gap       `json:"gaps"`
	Lots       []Lot       `json:"lots"`
}

// Deviation is one excursion of one parameter of one furnace that had to become
// exactly one event.
type Deviation struct {
	Equipment string      `json:"equipment"`
	Parameter string      `json:"parameter"`
	Rule      string      `json:"rule"`
	From      sample.Time `json:"occurred_from"` // first value out
	To        sample.Time `json:"occurred_to"`   // first value back in; 0 while it is out
	Worst     Worst       `json:"worst"`
	Steps     int         `json:"steps"` // at which it was out
	Lots      []string    `json:"lots"`  // that were in the furnace meanwhile
	// Within is by how much later than From, To and Worst.At say a client may see
	// them, in nanoseconds: 0 where it is told of every value with its source time,
	// more where it polls.
	Within time.Duration `json:"within_ns,omitempty"`
}

// Worst is the value furthest outside; of several the first.
type Worst struct {
	Value sample.Value `json:"value"`
	At    sample.Time  `json:"at"`
	Tag   string       `json:"tag"`
}

// Gap is a stretch without a good value that had to be recorded: From is the
// last good value, To the next; 0 while there is none. After an interruption a
// client sees the next value when it is back, which is never before To.
type Gap struct {
	Equipment string      `json:"equipment"`
	Tags      []string    `json:"tags"`
	Cause     string      `json:"cause"` // bad_quality, link
	From      sample.Time `json:"occurred_from"`
	To        sample.Time `json:"occurred_to"`
}

// Lot is one lot's stay in a furnace; To is 0 while it is there.
type Lot struct {
	Equipment string      `json:"equipment"`
	Lot       string      `json:"lot"`
	Order     string      `json:"work_order"`
	From      sample.Time `json:"from"`
	To        sample.Time `json:"to"`
}

// Causes of gaps, as gap events name them.
const (
	causeBad  = "bad_quality"
	causeLink = "link"
)

// frame is one step of one furnace as it was put out.
type frame struct {
	at        sample.Time
	reachable bool      // the server answered; else nobody could see it
	readings  []Reading // all tags
	fresh     int       // how many of them are new
}

// tally keeps the truth of one furnace, frame by frame.
type tally struct {
	equipment string
	tags      []string           // that an interruption hides
	phase     func(int32) string // names of phases
	within    time.Duration      // see Deviation.Within
	limits    []Limit
	watches   []watch // one a limit
	truth     Truth   // closed and open findings, in the order of their beginning
	lastSeen  sample.Time
	lastGood  map[string]sample.Time // of each tag: when it was last known good
	badGap    map[string]int         // tag -> its open gap in truth.Gaps
	linkGap   int                    // the open interruption in truth.Gaps; -1: none
}

// watch follows one limit.
type watch struct {
	open  int         // its deviation in truth.Deviations; -1: none
	clear sample.Time // since when all is well within; 0: it is not
}

func newTally(equipment string, limits []Limit) *tally {
	t := &tally{
		equipment: equipment, tags: furnaceTags(), phase: furnacePhase,
		limits: limits, watches: make([]watch, len(limits)),
		lastGood: make(map[string]sample.Time), badGap: make(map[string]int), linkGap: -1,
	}
	for i := range t.watches {
		t.watches[i].open = -1
	}
	return t
}

func furnacePhase(n int32) string { return Phase(n).String() }

// add takes the next frame.
func (t *tally) add(f frame) {
	if t.truth.From == 0 {
		t.truth.From = f.at
	}
	t.truth.Until = f.at
	t.truth.Steps++
	if !f.reachable {
		t.loseSight()
		return
	}
	t.truth.Samples += f.fresh
	values := make(map[string]any, len(f.readings))
	for _, r := range f.readings {
		values[r.Tag] = r.Value
	}
	t.regainSight(f.at)
	t.noteLot(f.at, values)
	for _, r := range f.readings {
		t.noteQuality(f.at, r)
	}
	for i := range t.limits {
		t.judge(i, f.at, values)
	}
	t.lastSeen = f.at
}

// loseSight begins an interruption: every tag's gap runs from the last frame
// that could be seen. What was clear must be clear anew afterwards.
func (t *tally) loseSight() {
	for i := range t.watches {
		t.watches[i].clear = 0
	}
	if t.linkGap >= 0 || t.lastSeen == 0 {
		return
	}
	t.linkGap = len(t.truth.Gaps)
	t.truth.Gaps = append(t.truth.Gaps, Gap{Equipment: t.equipment, Tags: t.tags, Cause: causeLink, From: t.lastSeen})
}

func (t *tally) regainSight(at sample.Time) {
	if t.linkGap >= 0 {
		t.truth.Gaps[t.linkGap].To = at
		t.linkGap = -1
	}
}

// noteQuality follows one tag through good and bad.
func (t *tally) noteQuality(at sample.Time, r Reading) {
	i, open := t.badGap[r.Tag]
	switch {
	case r.Value != nil && open:
		t.truth.Gaps[i].To = at
		delete(t.badGap, r.Tag)
	case r.Value == nil && !open:
		t.badGap[r.Tag] = len(t.truth.Gaps)
		t.truth.Gaps = append(t.truth.Gaps, Gap{Equipment: t.equipment, Tags: []string{r.Tag}, Cause: causeBad, From: t.lastGood[r.Tag]})
	}
	if r.Value != nil {
		t.lastGood[r.Tag] = at
	}
}

func (t *tally) noteLot(at sample.Time, values map[string]any) {
	lot, _ := values[tagLot].(string) // the script never leaves it out
	order, _ := values[tagOrder].(string)
	if n := len(t.truth.Lots); n > 0 {
		if t.truth.Lots[n-1].Lot == lot {
			return
		}
		t.truth.Lots[n-1].To = at
	}
	t.truth.Lots = append(t.truth.Lots, Lot{Equipment: t.equipment, Lot: lot, Order: order, From: at})
}

// judge applies one limit to one frame.
func (t *tally) judge(i int, at sample.Time, values map[string]any) {
	l, w := t.limits[i], &t.watches[i]
	if w.clear != 0 && at.Sub(w.clear) > l.OffDelay {
		*w = watch{open: -1}
	}
	out := l.outside(values, t.phase)
	if len(out) > 0 {
		if w.open < 0 {
			w.open = len(t.truth.Deviations)
			t.truth.Deviations = append(t.truth.Deviations, Deviation{
				Equipment: t.equipment, Parameter: l.Parameter, Rule: l.Rule, From: at, Within: t.within,
			})
		}
		w.clear = 0
		t.truth.Deviations[w.open].extend(at, l, out, values)
		return
	}
	if w.open < 0 {
		return
	}
	if d := &t.truth.Deviations[w.open]; d.To == 0 {
		d.To = at
	}
	switch {
	case !l.wellInside(values):
		w.clear = 0
	case w.clear == 0:
		w.clear = at
	}
}

// extend adds a step outside to a deviation.
func (d *Deviation) extend(at sample.Time, l Limit, out []string, values map[string]any) {
	d.To = 0
	d.Steps++
	if lot, ok := values[tagLot].(string); ok && !slices.Contains(d.Lots, lot) {
		d.Lots = append(d.Lots, lot)
	}
	for _, tag := range out {
		if d.Worst.At == 0 || l.excess(values[tag]) > l.excessOf(d.Worst.Value) {
			d.Worst = Worst{Value: valueOf(values[tag]), At: at, Tag: tag}
		}
	}
}

// outside lists the tags that are beyond the limit; none where it is not
// judged. A tag without a good value is neither in nor out.
func (l Limit) outside(values map[string]any, name func(int32) string) []string {
	phase, known := values[tagPhase].(int32)
	if l.Phases != nil && (!known || !slices.Contains(l.Phases, name(phase))) {
		return nil
	}
	var out []string
	for _, tag := range l.Tags {
		if v := values[tag]; v != nil && l.excess(v) > 0 {
			out = append(out, tag)
		}
	}
	return out
}

// wellInside says whether every tag is known and inside by the deadband.
func (l Limit) wellInside(values map[string]any) bool {
	for _, tag := range l.Tags {
		if v := values[tag]; v == nil || l.excess(v) > -l.Deadband {
			return false
		}
	}
	return true
}

// excess is how far beyond the limit a value is, negative when it is inside. A
// text is 1 beyond when it is not the one wanted, and infinitely inside when it
// is: there is no deadband.
func (l Limit) excess(v any) float64 {
	if l.Equals != "" {
		if v == l.Equals {
			return -1
		}
		return 1
	}
	x, _ := v.(float64) // the script's numbers with limits are all float64
	switch {
	case l.High == nil:
		return *l.Low - x
	case l.Low == nil:
		return x - *l.High
	}
	return max(x-*l.High, *l.Low-x)
}

func (l Limit) excessOf(v sample.Value) float64 {
	if n, ok := v.Number(); ok {
		return l.excess(n)
	}
	return l.excess(v.Text())
}

// valueOf is a script's value as a sample's.
func valueOf(v any) sample.Value {
	switch v := v.(type) {
	case float64:
		return sample.FloatValue(v)
	case int32:
		return sample.IntValue(int64(v))
	case string:
		return sample.StringValue(v)
	}
	return sample.Value{}
}

// join puts the furnaces' truths together, in the order of time.
func join(ts []*tally, until sample.Time) Truth {
	out := Truth{Deviations: []Deviation{}, Gaps: []Gap{}, Lots: []Lot{}}
	for i, t := range ts {
		out.Samples += t.truth.Samples
		if i == 0 {
			out.From, out.Until, out.Steps = t.truth.From, t.truth.Until, t.truth.Steps
		}
		for _, d := range t.truth.Deviations {
			d.Lots = slices.Clone(d.Lots) // the tally goes on adding
			out.Deviations = append(out.Deviations, d)
		}
		out.Gaps = append(out.Gaps, t.truth.Gaps...)
		out.Lots = append(out.Lots, t.truth.Lots...)
	}
	if until != 0 {
		out.Until = min(out.Until, until)
		out.Deviations = slices.DeleteFunc(out.Deviations, func(d Deviation) bool { return d.From > until })
		out.Gaps = slices.DeleteFunc(out.Gaps, func(g Gap) bool { return g.From > until })
		out.Lots = slices.DeleteFunc(out.Lots, func(l Lot) bool { return l.From > until })
	}
	slices.SortStableFunc(out.Deviations, func(a, b Deviation) int { return cmp.Compare(a.From, b.From) })
	slices.SortStableFunc(out.Gaps, func(a, b Gap) int { return cmp.Compare(a.From, b.From) })
	slices.SortStableFunc(out.Lots, func(a, b Lot) int { return cmp.Compare(a.From, b.From) })
	return out
}

// instant is a Go time as ours.
func instant(t time.Time) sample.Time { return sample.At(t) }
