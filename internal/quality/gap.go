package quality

import (
	"time"

	"andon/internal/production"
	"andon/internal/sample"
)

// Causes of gaps.
const (
	CauseSilence     = "silence"      // no value and no confirmation for max_gap
	CauseBadQuality  = "bad_quality"  // the source gave a value and said not to trust it
	CauseGatewayDown = "gateway_down" // the gateway was not running
	CauseLateData    = "late_data"    // values came too late to be judged in their place
	CauseUnwired     = "unwired"      // the settings no longer say where the tag is
)

// Gap is a stretch in which tags of one piece of equipment were not seen, for
// one cause. It is open until the last of them has been seen again.
type Gap struct {
	ID        string      `json:"id"`
	Equipment string      `json:"equipment"`
	Cause     string      `json:"cause"`
	Detail    string      `json:"detail,omitempty"`
	Tags      []GapTag    `json:"tags"` // by name
	From      sample.Time `json:"from"` // earliest last-good of the tags
	To        sample.Time `json:"to"`   // 0 while open
	RaisedAt  sample.Time `json:"raised_at"`
	Revision  int         `json:"revision"`
	// Backfilled are the samples of the gap that have come late.
	Backfilled uint64 `json:"backfilled,omitempty"`
	Told       uint64 `json:"told,omitempty"` // of those, as last told
}

// GapTag is one tag of a gap.
type GapTag struct {
	Tag   sample.Tag    `json:"tag"`
	Name  string        `json:"name"`
	From  sample.Time   `json:"from"` // last instant known
	To    sample.Time   `json:"to"`   // first instant known again; 0 while blind
	Every time.Duration `json:"every"`
}

// Recover takes the return of one tag and reports whether the gap is over.
func (g *Gap) Recover(t sample.Tag, at sample.Time) (over bool) {
	over = true
	for i := range g.Tags {
		if g.Tags[i].Tag == t && g.Tags[i].To == 0 {
			g.Tags[i].To = max(at, g.Tags[i].From)
		}
		over = over && g.Tags[i].To != 0
		g.To = max(g.To, g.Tags[i].To)
	}
	if !over {
		g.To = 0
	}
	return over
}

// Fill counts a late sample of a tag and reports whether it lies in the gap.
func (g *Gap) Fill(t sample.Tag, at sample.Time) bool {
	if !g.Covers(t, at) {
		return false
	}
	g.Backfilled++
	return true
}

// Covers says whether a tag was in the gap at an instant.
func (g *Gap) Covers(t sample.Tag, at sample.Time) bool {
	for i := range g.Tags {
		if x := &g.Tags[i]; x.Tag == t && at > x.From && (x.To == 0 || at < x.To) {
			return true
		}
	}
	return false
}

// expected is how many samples the tags should have had in the time they were
// away; a tag with the source's own cycle counts for none.
func (g *Gap) expected() (n uint64) {
	for _, t := range g.Tags {
		if t.To != 0 && t.Every > 0 {
			n += uint64(t.To.Sub(t.From) / t.Every)
		}
	}
	return n
}

// GapDocument is one revision of a gap. Its JSON is what is sent.
type GapDocument struct {
	Schema       string       `json:"schema"`
	EventID      string       `json:"event_id"`
	Revision     int          `json:"revision"`
	Supersedes   int          `json:"supersedes"`
	Kind         string       `json:"kind"`
	State        string       `json:"state"` // opened, closed
	Cause        string       `json:"cause"`
	Detail       string       `json:"detail,omitempty"`
	Tags         []string     `json:"tags"`
	OccurredFrom sample.Time  `json:"occurred_from"`
	OccurredTo   *sample.Time `json:"occurred_to"`
	RaisedAt     sample.Time  `json:"raised_at"`
	RevisedAt    sample.Time  `json:"revised_at"`
	Expected     *uint64      `json:"expected"`   // samples; null while open
	Received     uint64       `json:"received"`   // of those, late ones included
	Backfilled   uint64       `json:"backfilled"` // that came late
	Clock        ClockFacts   `json:"clock"`
	Equipment    Equipment    `json:"equipment"`
	Operation    Operation    `json:"operation"`
	Product      Product      `json:"product"`
	Gateway      GatewayFacts `json:"gateway"`
}

// Document writes the gap's next revision down.
func (g *Gap) Document(f *Facts) *GapDocument {
	d := &GapDocument{
		Schema: Schema, EventID: g.ID, Revision: g.Revision, Supersedes: g.Revision - 1, Kind: "gap", State: Opened,
		Cause: g.Cause, Detail: g.Detail, OccurredFrom: g.From, RaisedAt: g.RaisedAt, RevisedAt: f.Revised,
		Clock: clockFacts(f.Clock), Equipment: f.equipment(), Operation: f.operation(g.From),
		Gateway: GatewayFacts{f.Gateway.Gateway, f.Gateway.Version, f.Gateway.Config, f.N},
	}
	for _, t := range g.Tags {
		d.Tags = append(d.Tags, g.Equipment+"/"+t.Name)
	}
	d.Received, d.Backfilled = g.Backfilled, g.Backfilled
	to := f.At + 1
	if g.To != 0 {
		n := g.expected()
		d.State, d.OccurredTo, d.Expected = "closed", &g.To, &n
		to = g.To
	}
	d.Product = g.product(f, to)
	return d
}

func (g *Gap) product(f *Facts, to sample.Time) Product {
	p := Product{Basis: production.Unknown, Lots: []string{}, Material: f.Context.At(production.Material, g.From).String(),
		Serials: f.Context.At(production.Serials, g.From).String(), SuspectFrom: g.From, SuspectTo: g.To}
	for i, v := range f.Context.During(production.Lot, g.From, to) {
		if i == 0 && v.Known {
			p.Basis = v.By
		}
		if v.String() != "" {
			p.Exposed, p.Lots = true, append(p.Lots, v.String())
		}
	}
	return p
}
