package judge

import (
	"slices"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

// MissingData is the id and kind of the rule that every parameter has besides
// its own: it is out while an input is in a gap.
const MissingData = "missing_data"

// Parameter is what a State is judged by: a parameter of a specification on one
// piece of equipment. It is derived from the specification and never saved.
type Parameter struct {
	Spec   *spec.Parameter
	MaxGap time.Duration // no interval longer than this earns, is interpolated or is counted
	rules  []rule        // those of Spec, then missing data
	queued bool          // some rule needs all inputs at one instant
}

type rule struct {
	spec.Rule
	measure
	aggregate bool
	missing   bool
}

// NewParameter prepares a parameter whose gaps begin at maxGap.
func NewParameter(p *spec.Parameter, maxGap time.Duration) *Parameter {
	q := &Parameter{Spec: p, MaxGap: maxGap}
	for i := range p.Rules {
		r := rule{Rule: p.Rules[i], measure: newMeasure(&p.Rules[i])}
		r.aggregate = r.Scope != spec.AnyInput && len(p.Inputs) > 1
		q.queued = q.queued || r.aggregate
		q.rules = append(q.rules, r)
	}
	upTo := p.MissingData.UpTo
	if upTo == spec.SameAsMaxGap {
		upTo = maxGap
	}
	q.rules = append(q.rules, rule{missing: true, Rule: spec.Rule{
		ID: MissingData, Kind: MissingData, Class: "major", OnDelay: maxGap, EventDelay: upTo, OnLotChange: "extend"}})
	return q
}

// Rule returns rule i of a State; the last is missing data.
func (p *Parameter) Rule(i int) *spec.Rule { return &p.rules[i].Rule }

// Rules is the number of rules, missing data included.
func (p *Parameter) Rules() int { return len(p.rules) }

// Limit returns the limit that rule i has on a side ("high", "low"); ok is
// false if it has none there.
func (p *Parameter) Limit(i int, side string) (limit float64, ok bool) {
	m := &p.rules[i].measure
	switch {
	case m.expected != nil || p.rules[i].missing:
		return 0, false
	case side == "low":
		return m.low, p.rules[i].Low != nil
	default:
		return m.high, p.rules[i].High != nil
	}
}

// Verdict is what a rule says at an instant.
type Verdict uint8

// The verdicts. Unknown is never counted as in or as out.
const (
	NotApplicable Verdict = iota
	Unknown
	In
	Out
)

var verdictNames = [...]string{"not_applicable", "unknown", "in", "out"}

func (v Verdict) String() string { return verdictNames[v] }

// State is all that is remembered of one parameter on one piece of equipment.
// It holds no pointers into anything else and is saved as it is.
type State struct {
	Inputs []Input  `json:"inputs"`          // in the order of the parameter's inputs
	Queue  []Point  `json:"queue,omitempty"` // in order of time: waits for the limit
	Latest []Latest `json:"latest,omitempty"`
	Rules  []Rule   `json:"rules"` // in the order of Parameter.Rule
	// Turned is the latest instant at which the context has changed.
	Turned sample.Time `json:"turned,omitempty"`
	// Adrift: it is not known whether some rule applies. That is as blind as
	// an input in a gap, and missing data says so.
	Adrift bool `json:"adrift,omitempty"`
}

// Input is what is known of one input.
type Input struct {
	Seen  bool         `json:"seen,omitempty"` // has had a value since the parameter's beginning
	Gap   bool         `json:"gap,omitempty"`  // unknown since From
	From  sample.Time  `json:"from,omitempty"`
	T     sample.Time  `json:"t"` // of the last value
	V     sample.Exact `json:"v"`
	Heard sample.Time  `json:"heard"` // V is known to have stood from T to here
}

// Latest is the value of an input at the place that the queue has reached.
type Latest struct {
	V     sample.Exact `json:"v"`
	Known bool         `json:"known,omitempty"`
}

// Point is a value, or the beginning of a gap (Gap), of an input, waiting in
// the queue. Held is how long the value before it is known to have stood.
type Point struct {
	T     sample.Time  `json:"t"`
	N     uint64       `json:"n"`
	Input int          `json:"input"`
	V     sample.Exact `json:"v"`
	Held  sample.Time  `json:"held,omitempty"`
	Gap   bool         `json:"gap,omitempty"`
	Turn  bool         `json:"turn,omitempty"` // the context has changed: no input's value
}

// Rule is the state of one rule.
type Rule struct {
	Verdict   Verdict     `json:"verdict"`
	Since     sample.Time `json:"since,omitempty"` // when the verdict was last anything but in or out
	Series    []Series    `json:"series"`          // one an input, or a single one of an aggregate
	Alarm     Delay       `json:"alarm"`
	Event     Delay       `json:"event"`
	Episode   *Episode    `json:"episode,omitempty"`    // while Event is not idle
	SplitNext bool        `json:"split_next,omitempty"` // the lot has changed while it was coming to its end
	LastIn    sample.Time `json:"last_in,omitempty"`    // when it was last known to be in
}

// Series is a quantity that is compared with the limits.
type Series struct {
	Known   bool        `json:"known,omitempty"` // X stood at T, and no gap since
	T       sample.Time `json:"t"`
	X       float64     `json:"x"`
	Out     bool        `json:"out,omitempty"`     // from beyond the limit until back by the deadband
	Outside bool        `json:"outside,omitempty"` // beyond the limit itself
}

// Episode is one excursion: what an event says of it.
type Episode struct {
	N           uint64        `json:"n"`                      // the input that first put the rule out
	From        sample.Time   `json:"from"`                   // first sample out
	SuspectFrom sample.Time   `json:"suspect_from,omitempty"` // the last instant known to be in before
	To          sample.Time   `json:"to,omitempty"`           // last return inside the limit; 0 while outside
	DetectedAt  sample.Time   `json:"detected_at,omitempty"`
	ClearedAt   sample.Time   `json:"cleared_at,omitempty"`
	Worst       Worst         `json:"worst"`
	Samples     uint64        `json:"samples"` // samples outside
	Time        Spans         `json:"time"`    // outside, all inputs together
	Area        []float64     `json:"area"`    // by series
	Gaps        time.Duration `json:"gaps"`
	GapFrom     sample.Time   `json:"gap_from,omitempty"` // while unknown
	Uncertain   bool          `json:"uncertain,omitempty"`
}

// Worst is the sample furthest outside.
type Worst struct {
	At     sample.Time  `json:"at"`
	Value  sample.Exact `json:"value"`
	X      float64      `json:"x"`
	Beyond float64      `json:"beyond"`
	Side   string       `json:"side,omitempty"`
	Series int          `json:"series"`
}

// MaxArea is the area of the series that has the largest: an excursion seen by
// four thermocouples at once is not four times as large.
func (e *Episode) MaxArea() float64 {
	var area float64
	for _, a := range e.Area {
		area = max(area, a)
	}
	return area
}

// NewState is the state of a parameter of which nothing is known, from base on:
// silence is counted from there.
func NewState(p *Parameter, base sample.Time) State {
	s := State{Inputs: make([]Input, len(p.Spec.Inputs)), Rules: make([]Rule, len(p.rules))}
	if p.queued {
		s.Latest = make([]Latest, len(p.Spec.Inputs))
	}
	for i := range s.Inputs {
		s.Inputs[i].Heard = base
	}
	for i := range s.Rules {
		n := len(p.Spec.Inputs)
		if p.rules[i].aggregate || p.rules[i].missing {
			n = 1
		}
		s.Rules[i].Series = make([]Series, n)
		s.Rules[i].Verdict = Unknown
	}
	return s
}

// Clone returns a copy that shares nothing with s.
func (s *State) Clone() State {
	c := *s
	c.Inputs, c.Queue, c.Latest = slices.Clone(s.Inputs), slices.Clone(s.Queue), slices.Clone(s.Latest)
	c.Rules = slices.Clone(s.Rules)
	for i := range c.Rules {
		c.Rules[i] = s.Rules[i].Clone()
	}
	return c
}

// Clone returns a copy that shares nothing with r.
func (r *Rule) Clone() Rule {
	c := *r
	c.Series = slices.Clone(r.Series)
	if r.Episode != nil {
		e := r.Episode.Clone()
		c.Episode = &e
	}
	return c
}

// Clone returns a copy that shares nothing with e.
func (e *Episode) Clone() Episode {
	c := *e
	c.Area, c.Time.List = slices.Clone(e.Area), slices.Clone(e.Time.List)
	return c
}

// What happened to a rule.
type What uint8

// The changes.
const (
	VerdictChanged What = iota
	AlarmRaised
	AlarmCleared
	EventOpened
	EventReopened
	EventWorse   // a new worst value
	EventCleared // deadband and off-delay satisfied: back to specification
	EventEnded   // the rule no longer applies: nothing was said of a return
	EventOver    // will not come back: the rejoin time has passed
	EventSplit   // ended at a change of lot; the excursion goes on as a new one
)

// Change is one thing that came of an input. At is the logical instant. The
// episode of event changes is a copy, taken at that moment.
type Change struct {
	What    What
	Rule    int
	At      sample.Time
	Verdict Verdict
	Episode Episode
}
