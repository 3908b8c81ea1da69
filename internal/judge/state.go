package judge

import (
	"slices"
	"time"

	"andon/internal/sample"
)

// Verdict is what a rule says at an instant.
type Verdict uint8

// The verdicts. Unknown is never counted as in or as out.
const (
	NotApplicable Verdict = iota
	Unknown
	In
	Out
	Undecided // needs a whole operation, which is under way
)

var verdictNames = [...]string{"not_applicable", "unknown", "in", "out", "undecided"}

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
	// Mean is what a computed value is averaged over.
	Mean Mean `json:"mean,omitzero"`
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
	T         sample.Time  `json:"t"`
	N         uint64       `json:"n"`
	Input     int          `json:"input"`
	V         sample.Exact `json:"v"`
	Held      sample.Time  `json:"held,omitempty"`
	Uncertain bool         `json:"uncertain,omitempty"`
	Gap       bool         `json:"gap,omitempty"`
	Turn      Turn         `json:"turn,omitempty"` // the context has changed: no input's value
	// Confirmed: no sample, but the word that the value stands.
	Confirmed bool `json:"confirmed,omitempty"`
}

// Turn says what has changed of the context.
type Turn uint8

// Turns, joined by or. Changed is in all of them.
const (
	Changed   Turn = 1 << iota
	NewPhase       // another phase
	NewLot         // another lot
	NewPart        // another part: the field serials
	Ended          // an operation has ended
	Begun          // an operation has begun
	InputsEnd      // nothing follows, ever
)

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

	// What kinds remember that compare more than the last value.
	Begun     sample.Time `json:"begun,omitempty"`     // when it last began to apply
	Tentative bool        `json:"tentative,omitempty"` // since then it has not been known whether it does
	Memory    []Memory    `json:"memory,omitempty"`    // one a series
	Run       *Run        `json:"run,omitempty"`       // of the operation under way
	Last      *Result     `json:"last,omitempty"`      // of the last operation that was decided
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
	Samples     uint64        `json:"samples"`              // samples outside
	Time        Spans         `json:"time"`                 // outside, all inputs together
	Area        []float64     `json:"area"`                 // by series
	OutsidePAR  Spans         `json:"outside_par,omitzero"` // of Time, what was outside the parameter's proven range
	Gaps        time.Duration `json:"gaps"`
	GapFrom     sample.Time   `json:"gap_from,omitempty"` // while unknown
	Uncertain   bool          `json:"uncertain,omitempty"`
	Reduced     bool          `json:"reduced,omitempty"` // some input was lost meanwhile, as sensor_loss allows
	Signal      string        `json:"signal,omitempty"`  // of a chart: what signalled first
	Missing     []int         `json:"missing,omitempty"` // of a window: the inputs without a value when it was to be judged
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
		if p.rules[i].joined {
			n = 1
		}
		s.Rules[i].Series = make([]Series, n)
		s.Rules[i].Verdict = Unknown
		s.Rules[i].begin(&p.rules[i], base)
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

// Clone returns a copy that shares nothing with st.
func (st *Rule) Clone() Rule {
	c := *st
	c.Series, c.Memory = slices.Clone(st.Series), slices.Clone(st.Memory)
	for i := range c.Memory {
		c.Memory[i] = c.Memory[i].clone()
	}
	if st.Last != nil {
		last := *st.Last
		c.Last = &last
	}
	if st.Run != nil {
		run := *st.Run
		c.Run = &run
	}
	if st.Episode != nil {
		e := st.Episode.Clone()
		c.Episode = &e
	}
	return c
}

// Clone returns a copy that shares nothing with e.
func (e *Episode) Clone() Episode {
	c := *e
	c.Area, c.Time.List, c.OutsidePAR.List = slices.Clone(e.Area), slices.Clone(e.Time.List), slices.Clone(e.OutsidePAR.List)
	c.Missing = slices.Clone(e.Missing)
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
	EventWorse     // a new worst value
	EventCleared   // deadband and off-delay satisfied: back to specification
	EventEnded     // the rule no longer applies: nothing was said of a return
	EventOver      // will not come back: the rejoin time has passed
	EventSplit     // ended at a change of lot; the excursion goes on as a new one
	EventFound     // a requirement on a whole operation was not met, or a window could not be judged: opened and over at once
	EventCancelled // back before it was raised: nothing is said of it
	Decided        // a requirement on a whole operation has been decided: Result says how
)

// Change is one thing that came of an input. At is the logical instant. The
// episode of event changes is a copy, taken at that moment.
type Change struct {
	What    What
	Rule    int
	At      sample.Time
	Verdict Verdict
	Episode Episode
	Result  Result // of Decided and EventFound
}
