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
	// Classification says when an event is worse than its rule says; may be nil.
	Classification *Classification

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
	// Computed makes one value of the inputs, and the rules judge that; nil: they
	// judge the inputs.
	Computed    *Computed
	Rules       []Rule
	MissingData MissingData
	SensorLoss  SensorLoss
	Calibration Calibration
	Alarm       Alarm
	Evidence    Evidence
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

// SensorLoss says how many inputs must be known for the parameter to be: with
// fewer it is unknown. 0: all of them.
type SensorLoss struct {
	MinimumInputs int
	Action        string // continue_and_flag
}

// Calibration says what follows when an input's instrument is overdue for
// calibration while product is in process (quality.md Q24): a deviation of type
// control, or a mark on every document of the parameter only.
type Calibration struct {
	Overdue string // deviation, flag
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

// Rule kinds.
const (
	High      = "high"
	Low       = "low"
	Band      = "band"
	Equals    = "equals"
	Rate      = "rate"
	Spread    = "spread"
	Envelope  = "envelope"
	Frozen    = "frozen"
	Window    = "window"
	SPC       = "spc"
	Soak      = "soak"
	Lethality = "lethality"
	Above     = "above"
	Below     = "below"
	Peak      = "peak"
)

// NeedsOperation says whether a kind can be decided only when an operation, or
// a phase of it, has ended.
func NeedsOperation(kind string) bool {
	switch kind {
	case Soak, Lethality, Above, Below, Peak:
		return true
	}
	return false
}

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
	Scope string // AnyInput, ...; AllInputs for Spread, Soak and Window, which are about all by themselves
	// LimitName is how the document names the limit: usl, lsl, nor, par, limits
	// (a band from lsl to usl), or "" for a number of its own.
	LimitName string
	// Low and High are the limits, resolved, on the number that the rule is
	// about, in Unit: the value itself, the slope (rate), the largest difference
	// (spread), the extreme (peak), or a time in seconds (soak, lethality, above,
	// below). nil for no limit there.
	Low, High *float64
	Unit      string
	Expected  *sample.Value // of Equals

	Window    time.Duration  // of Rate: what the slope is fitted to
	Per       time.Duration  // of Rate: the unit of time of Unit
	Tolerance *[2]float64    // of Soak
	Mode      string         // of Soak: Continuous, Cumulative
	TRef, Z   float64        // of Lethality, in the parameter's unit
	Threshold float64        // of Above and Below
	Side      string         // of Peak: "high" for the largest value, "low" for the smallest
	Profile   []ProfilePoint // of Envelope, in order of time, at least one
	Ranges    []InputRange   // of Window
	For       time.Duration  // of Frozen
	Chart     *Charting      // of SPC

	OnDelay    time.Duration // out this long before the alarm
	OffDelay   time.Duration // back this long before it is over
	EventDelay time.Duration // out this long before the quality event
	Deadband   float64       // in Unit
	Rejoin     time.Duration // out again within this after the end: the same event

	Always      bool     // judged whether or not the specification applies
	When        []string // phases in which it is judged; empty: all
	Class       string   // Minor, Major (when the document does not say), Critical, Signal
	OnFail      string   // "" or nonconformance
	OnLotChange string   // extend, split
}

// Modes of Soak: leaving the tolerance restarts the clock, or stops it until
// all inputs are back.
const (
	Continuous = "continuous"
	Cumulative = "cumulative"
)

// ProfilePoint is a point of an envelope: the limits at a time since the phase
// began. Between two points they go straight; before the first and after the
// last those of that point hold. Infinite for no limit.
type ProfilePoint struct {
	T         time.Duration
	Low, High float64
}

// InputRange is the range that an input must be in. Input is its position among
// the parameter's inputs, Unit its unit: the parameter's, if the rule gives it
// none of its own. Low or High, not both, may be infinite for no limit.
type InputRange struct {
	Input     int
	Low, High float64
	Unit      string
}

// Ways in which a chart takes its points from the samples.
const (
	PerSample   = "sample"   // each sample is a point: for tags that hold one value a part
	PerInterval = "interval" // one point an Every
	PerPart     = "part"     // one point for each value of the context field serials
	PerPhase    = "phase"    // one point for each stay in the phases of when
)

// Charting is a control chart of approved, fixed limits (ISO 7870-2 phase II)
// and how its points are taken.
type Charting struct {
	Kind          string        // individuals, ewma, cusum
	Rules         string        // of individuals: the run rules, as spc names them
	Center, Sigma float64       // of the charted points, in the parameter's unit
	Lambda, L     float64       // of ewma
	K, H          float64       // of cusum, in sigma
	Head          float64       // of cusum: where its sums start, as a fraction of H
	Per           string        // PerSample, ...
	Every         time.Duration // of PerInterval
	Take          string        // last, mean, max, min of the samples of an interval, part or phase
	Subgroup      int           // values whose mean is one point; 1: each value is
}
