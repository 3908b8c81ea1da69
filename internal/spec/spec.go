package spec

import (
	"time"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// Schema is the value of `schema` in every specification of this form.
const Schema = "andon.spec/1"

// Document is one revision of a controlled specification, parsed and valid.
// Optional fields are at their defaults.
type Document struct {
	ID       string
	Title    string
	Revision string
	SHA256   string // hex, of the document's bytes: with ID and Revision what every judgement names

	Origin          Origin
	Effective       Effective
	Scope           Scope
	ContextRequired []string
	// AppliesWhen is when the specification applies on equipment in scope: a
	// field of the context and the values it may have. Empty: always.
	AppliesWhen []Condition
	Parameters  []Parameter

	// places says where in the file each checked value stands, by path; for
	// problems found later (Check).
	places map[string]strictyaml.Problem
}

// Origin says where the document comes from in the quality system.
type Origin struct{ System, Number, Change, Reason string }

// Effective is the time in which a revision may judge: From included, To not.
// To is 0 for no end.
type Effective struct{ From, To sample.Time }

// Scope says what the document is for. An empty field restricts nothing.
type Scope struct {
	Materials      []string
	Operation      string
	EquipmentClass string
	Equipment      []string
}

// Condition is a context field and the values at which it is met.
type Condition struct {
	Field  string // phase, operation, material, ...
	Values []string
}

// Parameter is one characteristic of the process and the rules it must meet.
type Parameter struct {
	ID          string
	Name        string
	Criticality string // CPP, KPP, CQA, info
	Inputs      []string
	Unit        string // UCUM
	Precision   float64
	Sampling    Sampling
	Target      *float64
	LSL, USL    *float64
	NOR, PAR    *[2]float64
	// AcceptUncertain lets values of uncertain quality be judged.
	AcceptUncertain bool
	Rules           []Rule
	MissingData     MissingData
	Alarm           Alarm
	Evidence        Evidence
}

// Sampling is how often a value is expected and how long it may be missing.
// Zero: the tag's own interval, and three times the interval.
type Sampling struct{ Interval, MaxGap time.Duration }

// SameAsMaxGap is the UpTo of a parameter that does not give one: its max_gap,
// which may be derived from its tags.
const SameAsMaxGap time.Duration = -1

// MissingData says what follows when the parameter is unknown: up to UpTo
// (default: MaxGap) the gap is a mark on the record, beyond it a deviation or a
// mark only.
type MissingData struct {
	UpTo   time.Duration
	Action string // flag
	Beyond string // deviation, flag
	Credit string // none
}

// Alarm is what an operator is told and asked to do.
type Alarm struct {
	Priority      string // low, medium, high, critical
	RespondWithin time.Duration
	Text          string
	Instruction   string
	Action        string
}

// Evidence is the stretch of samples kept with an event, before its first and
// after its last sample outside.
type Evidence struct{ Before, After time.Duration }

// Classes of what a rule raises. A signal is no deviation.
const (
	Minor    = "minor"
	Major    = "major"
	Critical = "critical"
	Signal   = "signal"
)

// Rule kinds that this version judges.
const (
	High   = "high"
	Low    = "low"
	Band   = "band"
	Equals = "equals"
)

// Ways in which several inputs make one verdict.
const (
	AnyInput  = "any_input"
	AllInputs = "all_inputs"
	Mean      = "mean"
	Max       = "max"
	Min       = "min"
)

// Rule is one requirement on a parameter. Limits are inclusive: a value equal
// to a limit is in.
type Rule struct {
	ID    string
	Kind  string
	Scope string // AnyInput, ...
	// LimitName is how the document names the limit: usl, lsl, nor, par, limits
	// (a band from lsl to usl), or "" for a number of its own.
	LimitName string
	Low, High *float64      // the limits, resolved
	Expected  *sample.Value // of Equals

	OnDelay    time.Duration // out this long before the alarm
	OffDelay   time.Duration // back this long before it is over
	EventDelay time.Duration // out this long before the quality event
	Deadband   float64       // in the parameter's unit
	Rejoin     time.Duration // out again within this after the end: the same event

	Always      bool     // judged whether or not the specification applies
	When        []string // phases in which it is judged; empty: all
	Class       string   // Minor, Major (when the document does not say), Critical, Signal
	OnFail      string   // "" or nonconformance
	OnLotChange string   // extend, split
}
