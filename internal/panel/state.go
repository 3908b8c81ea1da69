package panel

import (
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/quality"
	"andon/internal/sample"
)

// State is everything that is shown, as of one commit. Whoever has one may keep
// it: it is never written to again.
type State struct {
	Gateway   Identity    `json:"gateway"`
	Recording bool        `json:"recording" doc:"false: what comes is not being recorded, and nothing is judged"`
	Head      Head        `json:"head"`
	Clock     Clock       `json:"clock"`
	Sources   []Source    `json:"sources"`
	Equipment []Equipment `json:"equipment"`
	Alarms    []Alarm     `json:"alarms" doc:"unacknowledged first, then by priority, then the newest first; the shelved ones behind all others"`
	Gaps      []Gap       `json:"gaps" doc:"open ones"`
	Outbox    Outbox      `json:"outbox"`
	Specs     []Spec      `json:"specs" doc:"every installed revision, those in force first"`
}

// Active are the alarms that are annunciated: those that are not shelved.
func (s *State) Active() []Alarm {
	if i := slices.IndexFunc(s.Alarms, Alarm.Shelved); i >= 0 {
		return s.Alarms[:i]
	}
	return s.Alarms
}

// Shelved are the others, which are behind them.
func (s *State) Shelved() []Alarm { return s.Alarms[len(s.Active()):] }

// Identity says who this is.
type Identity struct {
	ID      string `json:"id"`
	Site    string `json:"site"`
	Version string `json:"version"`
	Config  string `json:"config_sha256"`
}

// Head is the record's: the same for everyone who has the same record.
type Head struct {
	Size  int64   `json:"size" doc:"commits"`
	Root  string  `json:"root" doc:"of the tree over all commits, base64"`
	Epoch string  `json:"epoch"`
	Time  Instant `json:"time" doc:"of the last commit"`
}

// Clock is the state of the gateway's clock.
type Clock struct {
	Source        string   `json:"source"`
	Synced        bool     `json:"synced"`
	OffsetMS      *float64 `json:"offset_ms" doc:"null: not known, since nothing keeps the clock right"`
	UncertaintyMS *float64 `json:"uncertainty_ms" doc:"null: not known"`
}

// Source is one connection to a PLC.
type Source struct {
	Name      string  `json:"name"`
	Kind      string  `json:"kind"`
	Tags      int     `json:"tags"`
	Blind     int     `json:"blind" doc:"tags of which no good value is known"`
	Cause     string  `json:"cause,omitempty" doc:"why the first of them is blind"`
	Heard     Instant `json:"heard" doc:"last good value or confirmation of any tag, source time"`
	SkewMS    float64 `json:"skew_ms" doc:"its clock less ours"`
	ByArrival bool    `json:"by_arrival" doc:"its clock is too far off: arrival decides"`
}

// Equipment is one work unit, what is being made on it and what is judged.
type Equipment struct {
	Name           string      `json:"name"`
	Title          string      `json:"title"`
	Asset          string      `json:"asset,omitempty"`
	SpecialProcess bool        `json:"special_process"`
	Context        []Field     `json:"context"`
	Specs          []SpecRef   `json:"specs" doc:"revisions that judge here now"`
	Parameters     []Parameter `json:"parameters"`
}

// Field is one field of the context.
type Field struct {
	Name  string  `json:"name"`
	Value string  `json:"value" doc:"unknown when it is not known"`
	Known bool    `json:"known"`
	By    string  `json:"by,omitempty" doc:"who said so: tag, mes, panel"`
	Since Instant `json:"since"`
	From  string  `json:"from,omitempty" enum:"tag,mes,panel" doc:"where the settings have it come from; none: they do not name it"`
	Tag   string  `json:"tag,omitempty" doc:"the tag that gives it; it cannot be said by a person then"`
}

// Where a field of the context comes from.
const (
	FromTag   = "tag"
	FromMES   = "mes"
	FromPanel = "panel"
)

// SpecRef names the exact revision of a specification.
type SpecRef struct {
	ID       string `json:"id"`
	Revision string `json:"revision"`
	SHA256   string `json:"sha256"`
}

// Verdicts, as they are written everywhere.
const (
	In            = "in"
	Out           = "out"
	Unknown       = "unknown"
	NotApplicable = "not_applicable"
	Undecided     = "undecided" // by a rule that needs a whole operation, which is under way
)

// Parameter is one characteristic on one piece of equipment, now.
type Parameter struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Spec        SpecRef     `json:"spec"`
	Criticality string      `json:"criticality,omitempty"`
	Unit        string      `json:"unit"`
	Precision   float64     `json:"precision,omitempty"`
	Target      *float64    `json:"target"`
	LSL         *float64    `json:"lsl"`
	USL         *float64    `json:"usl"`
	NOR         *[2]float64 `json:"nor"`
	PAR         *[2]float64 `json:"par"`
	Computed    bool        `json:"computed" doc:"rules judge one value computed of the inputs, which is the first of them here"`
	Verdict     string      `json:"verdict" enum:"in,out,unknown,not_applicable,undecided"`
	Rules       []Rule      `json:"rules"`
	Inputs      []Input     `json:"inputs"`
	Shown       Shown       `json:"shown" doc:"how a screen shows it"`
}

// Rule is one rule of a parameter and what it says now.
type Rule struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`
	Scope    string   `json:"scope,omitempty"`
	Low      *float64 `json:"low"`
	High     *float64 `json:"high"`
	Expected *Value   `json:"expected"`
	Unit     string   `json:"unit,omitempty" doc:"of low and high, where it is not the parameter's"`
	Class    string   `json:"class"`
	Verdict  string   `json:"verdict" enum:"in,out,unknown,not_applicable,undecided"`
}

// Input is the last value of one tag of a parameter.
type Input struct {
	Tag     string  `json:"tag"`
	Value   Value   `json:"value"`
	Text    string  `json:"text" doc:"the value as it is shown"`
	Quality string  `json:"quality" enum:"good,uncertain,bad,none"`
	Status  string  `json:"status,omitempty"`
	T       Instant `json:"t" doc:"source time of the value"`
	Heard   Instant `json:"heard" doc:"last instant at which it is known to have stood: its age counts from here"`
	Blind   bool    `json:"blind" doc:"no good value is known"`
	Cause   string  `json:"cause,omitempty"`
}

// Alarm is one alarm that is not normal.
type Alarm struct {
	ID        string  `json:"id"`
	Equipment string  `json:"equipment"`
	Parameter string  `json:"parameter"`
	Name      string  `json:"name" doc:"of the parameter"`
	Rule      string  `json:"rule"`
	State     string  `json:"state"`
	Priority  string  `json:"priority"`
	Rank      int     `json:"rank" doc:"1 critical or high, 2 medium, 3 low: the icon's digit"`
	Text      string  `json:"text,omitempty"`
	Action    string  `json:"action,omitempty" doc:"what to do"`
	Value     Value   `json:"value" doc:"furthest outside so far"`
	ValueText string  `json:"value_text" doc:"as it is shown, with its unit"`
	Limit     string  `json:"limit,omitempty" doc:"what it is outside of"`
	Unit      string  `json:"unit,omitempty"`
	RaisedAt  Instant `json:"raised_at"`
	ClearedAt Instant `json:"cleared_at"`
	Count     int     `json:"count"`
	AckedBy   string  `json:"acked_by,omitempty"`
	AckedName string  `json:"acked_by_name,omitempty" doc:"as printed"`
	AckedAt   Instant `json:"acked_at"`
	Comment   string  `json:"comment,omitempty" doc:"said with the acknowledgement, by who acknowledged"`
	RespondS  float64 `json:"respond_within_s,omitempty"`
	EventID   string  `json:"event_id,omitempty" doc:"of the open quality event beside it"`
	Class     string  `json:"class,omitempty" doc:"of the rule; critical needs more than an operator to shelve it"`

	ShelvedBy     string  `json:"shelved_by,omitempty"`
	ShelvedName   string  `json:"shelved_by_name,omitempty" doc:"as printed"`
	ShelvedAt     Instant `json:"shelved_at"`
	ShelvedUntil  Instant `json:"shelved_until" doc:"when it comes back by itself; null for one that is not shelved"`
	ShelvedReason string  `json:"shelved_reason,omitempty"`

	Comments []AlarmComment `json:"comments,omitempty" doc:"said apart from acknowledging, the newest 20, oldest first"`
}

// AlarmComment is what one person has said of an alarm.
type AlarmComment struct {
	By   string  `json:"by"`
	Name string  `json:"name" doc:"as printed"`
	At   Instant `json:"at"`
	Text string  `json:"text"`
}

// Latest are the newest comments, at most n, oldest first.
func (a Alarm) Latest(n int) []AlarmComment { return a.Comments[max(0, len(a.Comments)-n):] }

// Acked says whether nobody need acknowledge it any more.
func (a Alarm) Acked() bool { return a.State == "ACKED" }

// Shelved says whether it has been put aside: it is not annunciated, and listed
// apart.
func (a Alarm) Shelved() bool { return a.State == "SHLVD" }

// Unacked says whether it waits for somebody to acknowledge it.
func (a Alarm) Unacked() bool { return !a.Acked() && !a.Shelved() }

// Standing says whether what it is about still is so.
func (a Alarm) Standing() bool { return a.ClearedAt == 0 }

// Gap is a stretch in which we are blind.
type Gap struct {
	ID        string   `json:"id"`
	Equipment string   `json:"equipment"`
	Cause     string   `json:"cause"`
	Detail    string   `json:"detail,omitempty"`
	Tags      []string `json:"tags"`
	From      Instant  `json:"from"`
}

// Outbox is the reconciliation with the quality system.
type Outbox struct {
	Lanes         map[string]Lane `json:"lanes"`
	Dead          []DeadLetter    `json:"dead" doc:"rejected since the gateway was started; rejected of a lane counts all"`
	OldestPending Instant         `json:"oldest_pending" doc:"since when something waits and nothing has been receipted"`
	Consumers     []string        `json:"consumers"`
	Receipts      string          `json:"receipts" doc:"signed, unsigned or broker"`
}

// Lane is one lane: raised = receipted + pending + rejected.
type Lane struct {
	Raised    uint64 `json:"raised"`
	Receipted uint64 `json:"receipted"`
	Pending   uint64 `json:"pending"`
	Rejected  uint64 `json:"rejected"`
}

// DeadLetter is an entry that a consumer has rejected.
type DeadLetter struct {
	Lane     string `json:"lane"`
	Seq      uint64 `json:"seq"`
	Consumer string `json:"consumer"`
	Code     string `json:"code"`
	Reason   string `json:"reason"`
}

// Spec is one installed revision.
type Spec struct {
	SpecRef
	Title       string      `json:"title"`
	Status      string      `json:"status" enum:"in force,pending,superseded,expired,withdrawn"`
	From        Instant     `json:"effective_from"`
	To          Instant     `json:"effective_to"`
	Installed   Instant     `json:"installed_at"`
	InForceFrom Instant     `json:"in_force_from" doc:"from when it decides for its id, as far as is known from what is installed; null when it never does"`
	InForceTo   Instant     `json:"in_force_to" doc:"until when, not included; null for no end"`
	Origin      string      `json:"origin,omitempty"`
	Change      string      `json:"change,omitempty"`
	Reason      string      `json:"reason,omitempty"`
	Equipment   []string    `json:"equipment" doc:"where it judges now"`
	Approvals   []Approval  `json:"approvals"`
	Parameters  []SpecLimit `json:"parameters"`
}

// Approval is one signature under a specification.
type Approval struct {
	User    string  `json:"user"`
	Name    string  `json:"name" doc:"as printed"`
	Role    string  `json:"role"`
	Meaning string  `json:"meaning"`
	At      Instant `json:"at"`
}

// SpecLimit is one parameter as a specification defines it.
type SpecLimit struct {
	ID     string      `json:"id"`
	Name   string      `json:"name"`
	Inputs []string    `json:"inputs"`
	Unit   string      `json:"unit"`
	Target *float64    `json:"target"`
	LSL    *float64    `json:"lsl"`
	USL    *float64    `json:"usl"`
	NOR    *[2]float64 `json:"nor"`
	PAR    *[2]float64 `json:"par"`
	Rules  []string    `json:"rules" doc:"each in words"`
}

// Receipt states of an event.
const (
	Queued    = "queued"    // recorded, and in the outbox
	Receipted = "receipted" // every consumer has said that it holds every revision
	Rejected  = "rejected"  // a consumer has rejected a revision
)

// Event is one quality event as far as it has been told.
type Event struct {
	ID        string     `json:"event_id"`
	Kind      string     `json:"kind"`
	Type      string     `json:"type,omitempty"`
	Class     string     `json:"class,omitempty"`
	Title     string     `json:"title"`
	State     string     `json:"state"`
	Open      bool       `json:"open"`
	Equipment string     `json:"equipment"`
	Parameter string     `json:"parameter,omitempty"`
	Rule      string     `json:"rule,omitempty"`
	Lots      []string   `json:"lots"`
	From      Instant    `json:"occurred_from"`
	To        Instant    `json:"occurred_to"`
	RaisedAt  Instant    `json:"raised_at"`
	Receipt   string     `json:"receipt" enum:"queued,receipted,rejected"`
	Revisions []Revision `json:"revisions" doc:"oldest first"`
	Complete  bool       `json:"complete" doc:"the first revision is among them"`

	// Of the last revision; one of them.
	Document *Document    `json:"document,omitempty"`
	Gap      *GapDocument `json:"gap,omitempty"`
}

// Document is what was sent of a deviation, nonconformance or signal.
type Document struct{ quality.Document }

// Schema describes it for the API.
func (Document) Schema(huma.Registry) *huma.Schema { return sent() }

// GapDocument is what was sent of a gap.
type GapDocument struct{ quality.GapDocument }

// Schema describes it for the API.
func (GapDocument) Schema(huma.Registry) *huma.Schema { return sent() }

func sent() *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "the document as it was sent: andon schema events describes it"}
}

// Revision is one revision of an event and how far it has come.
type Revision struct {
	Revision int     `json:"revision"`
	State    string  `json:"state"`
	Lane     string  `json:"lane"`
	Seq      uint64  `json:"seq"`
	At       Instant `json:"recorded_at"`
	Receipt  string  `json:"receipt" enum:"queued,receipted,rejected"`
	HeldAt   Instant `json:"receipted_at" doc:"when the last consumer's receipt was recorded; null when that was before this list begins"`
}

// EventList is what is known of past events.
type EventList struct {
	Events []Event `json:"events" doc:"newest first"`
	// Since is the instant from which the list is complete.
	Since Instant `json:"since" doc:"the list is complete from here on; null: from the record's beginning"`
}

// Instant is a time that is shown: RFC 3339 in UTC, null when not known.
type Instant sample.Time

// MarshalJSON writes the text, or null.
func (t Instant) MarshalJSON() ([]byte, error) { return sample.Time(t).MarshalJSON() }

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Instant) UnmarshalJSON(b []byte) error { return (*sample.Time)(t).UnmarshalJSON(b) }

// Std is the instant as a time.Time.
func (t Instant) Std() time.Time { return sample.Time(t).Std() }

// Schema describes it for the API.
func (Instant) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
}

// Value is a value as people and payloads write it.
type Value struct{ sample.Value }

// Schema describes it for the API.
func (Value) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "number, boolean, text or null; a float that JSON cannot hold is text"}
}
