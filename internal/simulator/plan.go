package simulator

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// start is the instant at which every run begins.
const start = sample.Time(1767225600e9) // 2026-01-01T00:00:00Z

// Rule is one rule as the plan draws it. The engine reads it from the
// specification's text, the oracle from here.
type Rule struct {
	ID, Kind, Scope        string
	Low, High              *float64
	Expected               string // of equals
	On, Off, Event, Rejoin time.Duration
	Deadband               float64
	Class                  string
	Always, Nonconformance bool
}

// Parameter is one parameter of the specification, judged on every piece of
// equipment.
type Parameter struct {
	ID            string
	Inputs        []int // positions in Plan.Names
	Text          bool  // a discrete text, not a number
	Rules         []Rule
	MaxGap, UpTo  time.Duration
	Flag          bool // beyond UpTo a mark, no deviation
	Before, After time.Duration
}

// Source is one connection and its habits.
type Source struct {
	Name     string
	Publish  time.Duration
	Offset   time.Duration // its clock less the true one
	OneStamp bool          // all tags are sampled at the same instants
	OnChange bool          // only changes are reported; needs Confirms
	Confirms bool          // every publish says that the rest has not changed
	Tells    bool          // it says what its clock shows
}

// Tag is one tag on one piece of equipment.
type Tag struct {
	Equipment int
	Name      int // position in Plan.Names
	Source    int
	Every     time.Duration
	Phase     time.Duration // of its sampling instants
	Text      bool
}

// Plan is all that the seed decides before a run begins.
type Plan struct {
	Seed       uint64
	Calm, End  sample.Time // from Calm on nothing goes wrong any more; End: of the plant's series
	Lot        string      // what the MES says is being made; "" for nothing
	Names      []string    // of tags, the same on every piece of equipment
	Equipment  []string
	Sources    []Source
	Tags       []Tag
	Parameters []Parameter
}

// chance draws from a list.
func chance[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// odds is true once in n times.
func odds(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

// between draws a duration down to the nanosecond, so that what the network
// does never coincides with what the plant does.
func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	return lo + time.Duration(r.Int64N(int64(hi-lo)))
}

// dice are the chance of one concern of a run, so that more of one changes
// nothing in the others.
func dice(seed, concern uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, concern)) }

// NewPlan draws a plan. length is how long the plant misbehaves.
func NewPlan(seed uint64, length time.Duration) *Plan {
	r := dice(seed, 1)
	p := &Plan{Seed: seed, Calm: start.Add(length), End: start.Add(length + 3*time.Minute), Lot: chance(r, "L-1", "L-1", "L-1", "")}
	p.Equipment = []string{"furn-01", "furn-02"}
	p.sources(r)
	for i := range 2 + r.IntN(3) {
		p.Names = append(p.Names, fmt.Sprintf("t%d", i))
	}
	text := odds(r, 2) // the last tag is a text
	for e := range p.Equipment {
		for n := range p.Names {
			p.Tags = append(p.Tags, p.tag(r, e, n, text && n == len(p.Names)-1))
		}
	}
	p.parameters(r, text)
	return p
}

func (p *Plan) sources(r *rand.Rand) {
	for i := range 1 + r.IntN(2) {
		s := Source{Name: fmt.Sprintf("plc%d", i), Publish: millis(r, 500, 1000, 2000), OneStamp: odds(r, 2)}
		s.Confirms = !odds(r, 4)
		s.OnChange = s.Confirms && !odds(r, 3)
		if s.Tells = odds(r, 2); s.Tells {
			s.Offset = between(r, -2*time.Second, 2*time.Second).Truncate(time.Millisecond)
		}
		p.Sources = append(p.Sources, s)
	}
}

func (p *Plan) tag(r *rand.Rand, e, n int, text bool) Tag {
	t := Tag{Equipment: e, Name: n, Source: e % len(p.Sources), Text: text, Every: 500 * time.Millisecond}
	if !p.Sources[t.Source].OneStamp {
		t.Every = millis(r, 250, 500, 1000)
		t.Phase = millis(r, 0, 0, 40, 130)
	}
	return t
}

func (p *Plan) parameters(r *rand.Rand, text bool) {
	numbers := len(p.Names)
	if text {
		numbers--
		p.Parameters = append(p.Parameters, p.parameter(r, []int{numbers}, true))
	}
	for i := 0; i < numbers; i++ {
		p.Parameters = append(p.Parameters, p.parameter(r, []int{i}, false))
	}
	if numbers >= 2 {
		p.Parameters = append(p.Parameters, p.parameter(r, []int{0, 1}, false))
	}
}

func (p *Plan) parameter(r *rand.Rand, inputs []int, text bool) Parameter {
	q := Parameter{ID: fmt.Sprintf("p%d", len(p.Parameters)), Inputs: inputs, Text: text, Flag: odds(r, 6),
		MaxGap: millis(r, 3037, 5037, 8037),
		Before: millis(r, 0, 2000, 10000), After: millis(r, 0, 2000, 10000)}
	q.UpTo = q.MaxGap + millis(r, 0, 0, 2113)
	for range 1 + r.IntN(2) {
		q.Rules = append(q.Rules, p.rule(r, fmt.Sprintf("r%d", len(q.Rules)), &q))
	}
	return q
}

// Limits of every parameter that is a number: its values move about them.
const (
	usl = 100.0
	lsl = 80.0
)

func (p *Plan) rule(r *rand.Rand, id string, q *Parameter) Rule {
	delay := func(ms ...int) time.Duration { return millis(r, ms...) }
	u := Rule{ID: id, On: delay(0, 0, 500, 1000, 2250), Event: delay(0, 0, 0, 1000, 1500, 2500), Off: delay(0, 0, 500, 1000, 2500),
		Rejoin: delay(0, 0, 1000, 4000), Class: chance(r, spec.Minor, spec.Major, spec.Critical),
		Always: odds(r, 2), Nonconformance: odds(r, 5), Scope: spec.AnyInput}
	if q.Text {
		u.Kind, u.Expected = spec.Equals, "R-1"
		return u
	}
	if len(q.Inputs) > 1 {
		u.Scope = chance(r, spec.AnyInput, spec.AllInputs, spec.Mean, spec.Max, spec.Min)
	}
	u.Kind = chance(r, spec.High, spec.High, spec.Low, spec.Band)
	u.Deadband = chance(r, 0.0, 0, 2, 3)
	high, low := usl, lsl
	if odds(r, 4) {
		high, low = usl+5, lsl-5
	}
	if u.Kind != spec.Low {
		u.High = &high
	}
	if u.Kind != spec.High {
		u.Low = &low
	}
	return u
}

// wiring is the plan as the settings would have it.
func (p *Plan) wiring() record.Wiring {
	w := record.Wiring{Consumers: []string{consumer}, Receipts: "signed"}
	for _, s := range p.Sources {
		w.Sources = append(w.Sources, record.Source{Name: s.Name, Kind: "opcua", Publish: s.Publish})
	}
	for _, e := range p.Equipment {
		w.Equipment = append(w.Equipment, record.Equipment{Name: e, Class: "furnace", Context: []record.Binding{{Field: "lot", From: "mes"}}})
	}
	for _, t := range p.Tags {
		x := record.Tag{Equipment: p.Equipment[t.Equipment], Name: p.Names[t.Name], Source: p.Sources[t.Source].Name, Every: t.Every, Unit: "[degF]"}
		if t.Text {
			x.Unit = ""
		}
		w.Tags = append(w.Tags, x)
	}
	return w
}

// find is the number of a tag.
func (p *Plan) find(equipment, name int) sample.Tag {
	return sample.Tag(equipment*len(p.Names) + name)
}

// document is the plan's specification, as quality would write it.
func (p *Plan) document() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "schema: andon.spec/1\nid: SIM\ntitle: Simulated\nrevision: A\neffective: {from: 2026-01-01T00:00:00Z}\nscope: {equipment: [%s]}\nparameters:\n", strings.Join(p.Equipment, ", "))
	for i := range p.Parameters {
		p.Parameters[i].write(&b, p.Names)
	}
	return []byte(b.String())
}

func (q *Parameter) write(b *strings.Builder, names []string) {
	var inputs []string
	for _, i := range q.Inputs {
		inputs = append(inputs, names[i])
	}
	fmt.Fprintf(b, "  - id: %s\n    inputs: [%s]\n    sampling: {max_gap: %s}\n    evidence: {before: %s, after: %s}\n", q.ID, strings.Join(inputs, ", "), ms(q.MaxGap), ms(q.Before), ms(q.After))
	if !q.Text {
		fmt.Fprintf(b, "    unit: \"[degF]\"\n")
	}
	beyond := "deviation"
	if q.Flag {
		beyond = "flag"
	}
	fmt.Fprintf(b, "    missing_data: {up_to: %s, beyond: %s}\n    rules:\n", ms(q.UpTo), beyond)
	for i := range q.Rules {
		q.Rules[i].write(b)
	}
}

func (u *Rule) write(b *strings.Builder) {
	fmt.Fprintf(b, "      - {id: %s, kind: %s, scope: %s, on_delay: %s, event_delay: %s, off_delay: %s, rejoin: %s, class: %s", u.ID, u.Kind, u.Scope, ms(u.On), ms(u.Event), ms(u.Off), ms(u.Rejoin), u.Class)
	switch u.Kind {
	case spec.Equals:
		fmt.Fprintf(b, ", value: %s", u.Expected)
	case spec.Band:
		fmt.Fprintf(b, ", limit: [%v, %v], deadband: %v", *u.Low, *u.High, u.Deadband)
	case spec.High:
		fmt.Fprintf(b, ", limit: %v, deadband: %v", *u.High, u.Deadband)
	case spec.Low:
		fmt.Fprintf(b, ", limit: %v, deadband: %v", *u.Low, u.Deadband)
	}
	if u.Always {
		b.WriteString(", always: true")
	}
	if u.Nonconformance {
		b.WriteString(", on_fail: nonconformance")
	}
	b.WriteString("}\n")
}

// ms writes a duration as specifications have it.
func ms(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// millis draws one of some numbers of milliseconds.
func millis(r *rand.Rand, ms ...int) time.Duration {
	return time.Duration(chance(r, ms...)) * time.Millisecond
}
