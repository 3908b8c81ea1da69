package simulator

import (
	"slices"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// oracle knows what the gateway was told and when, and works out from that, by
// looking back over the whole run, what must have come of it. It shares no code
// with the packages that it is there to judge.
type oracle struct {
	plan  *Plan
	facts []fact
	tags  []*known
	skew  []time.Duration // of each source, as of the fact that is looked at
	gaps  []*gap
	// clocks is, by source, how far its clock had run by each fact: the latest
	// instant of its own time that the gateway had lived to see before the fact.
	clocks [][]sample.Time
	alarms map[string][]annunciation // as they were told, by place

	wrong      []string // with the world, not with the gateway
	excursions int
	lost       int
}

// known is what the gateway could know of one tag.
type known struct {
	last   point // last sample, as it came
	seen   bool
	heard  sample.Time // last instant at which it was known to be good
	blind  *gap        // that it is in
	maxGap time.Duration
	moves  []move
	hears  []hear
	// samples are all that are on record, by source time.
	samples []hear
}

// move is a change in what is known of a tag: a value, or that it is unknown
// from t on.
type move struct {
	k     int // the fact that brought it
	t     sample.Time
	gap   bool
	v     sample.Value
	held  sample.Time // until when the value before is known to have stood
	found bool        // no sample, but the word that the value stands

	armed  int         // which gap it begins, in the order in which they were armed
	passed sample.Time // of a rule's story: see stretch
}

// hear is an instant up to which a tag had been heard of by fact k.
type hear struct {
	k int
	t sample.Time
}

// gap is a stretch in which tags of one piece of equipment were not seen.
type gap struct {
	equipment int
	cause     string
	n         uint64 // of the input that armed it
	raised    sample.Time
	tags      []blindness
}

// blindness is one tag's part in a gap. to is 0 while it lasts.
type blindness struct {
	tag      sample.Tag
	from, to sample.Time
}

func newOracle(p *Plan, facts []fact) *oracle {
	o := &oracle{plan: p, facts: facts, skew: make([]time.Duration, len(p.Sources)), clocks: make([][]sample.Time, len(p.Sources))}
	for t := range p.Tags {
		o.tags = append(o.tags, &known{maxGap: p.maxGap(t)})
	}
	latest := make([]sample.Time, len(p.Sources))
	for k := range facts {
		for s := range p.Sources {
			o.clocks[s] = append(o.clocks[s], latest[s])
			if _, ok := facts[k].body.(*record.Start); !ok {
				latest[s] = max(latest[s], facts[k].at.Add(o.skew[s]))
			}
		}
		o.learn(k)
	}
	return o
}

// maxGap is how long a tag may be silent: the least that a parameter allows.
func (p *Plan) maxGap(tag int) time.Duration {
	least := time.Duration(0)
	for i := range p.Parameters {
		if q := &p.Parameters[i]; slices.Contains(q.Inputs, p.Tags[tag].Name) && (least == 0 || q.MaxGap < least) {
			least = q.MaxGap
		}
	}
	return least
}

// grace is how long a sample may be on its way.
func (p *Plan) grace(tag sample.Tag) time.Duration {
	return p.Tags[tag].Every + p.Sources[p.Tags[tag].Source].Publish
}

// learn takes in one fact.
func (o *oracle) learn(k int) {
	f := &o.facts[k]
	if b, ok := f.body.(*record.Start); ok {
		o.started(k, b)
		return
	}
	o.silence(k)
	switch b := f.body.(type) {
	case *record.Scan:
		o.scan(k, b)
	case *record.Confirm:
		o.confirm(k, b)
	case *record.Loss:
		o.lose(k, b)
	}
}

func (o *oracle) started(k int, b *record.Start) {
	if b.LastAlive == 0 {
		for _, t := range o.tags {
			t.heard = o.facts[k].at
		}
		return
	}
	o.arm(k, o.of(-1), "gateway_down")
}

// of are the tags of a source, of all with -1.
func (o *oracle) of(source int) (tags []sample.Tag) {
	for t := range o.plan.Tags {
		if source < 0 || o.plan.Tags[t].Source == source {
			tags = append(tags, sample.Tag(t))
		}
	}
	return tags
}

func (o *oracle) source(name string) int {
	return slices.IndexFunc(o.plan.Sources, func(s Source) bool { return s.Name == name })
}

// silence: the clock has come to a fact's instant. What had to be heard of by
// then and was not is silent.
func (o *oracle) silence(k int) {
	for t := range o.tags {
		tag := o.tags[t]
		over := tag.heard.Add(tag.maxGap + o.plan.grace(sample.Tag(t)) - o.skew[o.plan.Tags[t].Source])
		if tag.blind == nil && over <= o.facts[k].at {
			o.arm(k, []sample.Tag{sample.Tag(t)}, "silence")
		}
	}
}

// arm makes tags unknown from when they were last heard of: one gap for each
// piece of equipment. What is unknown already stays in its gap.
func (o *oracle) arm(k int, tags []sample.Tag, cause string) {
	for e := range o.plan.Equipment {
		g := &gap{equipment: e, cause: cause, n: o.facts[k].n, raised: o.facts[k].at}
		for _, t := range tags {
			tag := o.tags[t]
			if o.plan.Tags[t].Equipment != e || tag.blind != nil {
				continue
			}
			tag.blind = g
			tag.moves = append(tag.moves, move{k: k, t: tag.heard, gap: true, armed: len(o.gaps)})
			g.tags = append(g.tags, blindness{tag: t, from: tag.heard})
		}
		if len(g.tags) > 0 {
			o.gaps = append(o.gaps, g)
		}
	}
}

// value: a tag is known to have a value at t. found: it is no new sample.
func (o *oracle) value(k int, t sample.Tag, v sample.Value, at sample.Time, found bool) {
	tag := o.tags[t]
	if tag.blind != nil {
		for i := range tag.blind.tags {
			if b := &tag.blind.tags[i]; b.tag == t {
				b.to = max(at, b.from) // the source's clock may be behind ours at the start
			}
		}
		tag.blind = nil
	}
	tag.moves = append(tag.moves, move{k: k, t: at, v: v, held: tag.heard, found: found})
	tag.hear(k, at)
}

func (t *known) hear(k int, at sample.Time) {
	if at > t.heard {
		t.heard = at
		t.hears = append(t.hears, hear{k, at})
	}
}

func (o *oracle) scan(k int, b *record.Scan) {
	if b.Server != 0 {
		o.skew[o.source(b.Source)] = b.Server.Sub(o.facts[k].at)
	}
	at := max(b.Time, b.AsOf)
	for _, r := range b.Readings {
		o.reading(k, b, r, at)
	}
}

func (o *oracle) reading(k int, b *record.Scan, r sample.Reading, at sample.Time) {
	tag := o.tags[r.Tag]
	p := point{b.Time, r.Value, r.Quality, r.Status}
	if tag.seen && tag.last == p { // said before
		if b.AsOf != 0 && p.known() {
			o.value(k, r.Tag, p.V, at, true)
		}
		return
	}
	if tag.seen && p.T < tag.last.T {
		o.wrong = append(o.wrong, "the simulated source has sent a late value")
	}
	if tag.blind == nil && at.Sub(tag.heard) > tag.maxGap {
		o.arm(k, []sample.Tag{r.Tag}, "silence")
	}
	tag.last, tag.seen = p, true
	tag.samples = append(tag.samples, hear{k, p.T})
	switch {
	case p.known():
		o.value(k, r.Tag, p.V, at, false)
	case tag.blind == nil:
		o.arm(k, []sample.Tag{r.Tag}, "bad_quality")
	}
}

// confirm: what is known has not changed; silence ends. It does not bring back
// what was lost for another cause.
func (o *oracle) confirm(k int, b *record.Confirm) {
	for _, t := range o.of(o.source(b.Source)) {
		tag := o.tags[t]
		if !tag.seen || !tag.last.known() {
			continue
		}
		if tag.blind == nil && b.Time.Sub(tag.heard) > tag.maxGap {
			o.arm(k, []sample.Tag{t}, "silence")
		}
		switch {
		case tag.blind == nil:
			tag.hear(k, b.Time)
		case tag.blind.cause == "silence" && b.Time > tag.heard:
			o.value(k, t, tag.last.V, b.Time, true)
		}
	}
}

func (o *oracle) lose(k int, b *record.Loss) {
	tags := b.Tags
	if len(tags) == 0 {
		tags = o.of(o.source(b.Source))
	}
	o.arm(k, tags, b.Cause)
}

// clock is how far, in a parameter's source time, the clock may have decided
// before fact k.
func (o *oracle) clock(k int, inputs []sample.Tag) sample.Time {
	first := true
	var limit sample.Time
	for _, t := range inputs {
		if c := o.clocks[o.plan.Tags[t].Source][k].Add(-o.plan.grace(t)); first || c < limit {
			limit, first = c, false
		}
	}
	return limit
}
