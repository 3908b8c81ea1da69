package quality

import (
	"slices"
	"strconv"
	"time"

	"andon/internal/judge"
	"andon/internal/production"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// Schema names the form of every document here.
const Schema = "andon.quality-event/1"

// Facts are what a document says besides the event itself, all as of the
// instant of the revision.
type Facts struct {
	Gateway   record.Start // identity, version, settings
	Clock     record.Clock
	Equipment record.Equipment
	Site      string
	Context   *production.Context
	At        sample.Time // source time of the revision
	Revised   sample.Time // arrival of the input that made it
	N         uint64      // number of that input
	Parameter *judge.Parameter
	Sensors   []record.Tag // of the parameter's inputs
}

// Document is one immutable revision of a deviation or nonconformance, in the
// form of quality.md section 5. Its JSON is what is sent.
type Document struct {
	Schema       string              `json:"schema"`
	EventID      string              `json:"event_id"`
	Revision     int                 `json:"revision"`
	Supersedes   int                 `json:"supersedes"`
	Kind         string              `json:"kind"`
	Type         string              `json:"type"`
	State        string              `json:"state"`
	Late         bool                `json:"late"`      // found in samples that came late
	Corrected    bool                `json:"corrected"` // changed by samples that came late
	Class        string              `json:"class"`
	ClassBasis   string              `json:"class_basis"`
	Title        string              `json:"title"`
	DetectedAt   sample.Time         `json:"detected_at"`
	OccurredFrom sample.Time         `json:"occurred_from"`
	OccurredTo   sample.Time         `json:"occurred_to"`
	ClearedAt    sample.Time         `json:"cleared_at"`
	RaisedAt     sample.Time         `json:"raised_at"`
	RevisedAt    sample.Time         `json:"revised_at"`
	Clock        ClockFacts          `json:"clock"`
	Equipment    Equipment           `json:"equipment"`
	Operation    Operation           `json:"operation"`
	Product      Product             `json:"product"`
	People       People              `json:"people"`
	Spec         Spec                `json:"spec"`
	Limits       Limits              `json:"limits"`
	Excursion    Excursion           `json:"excursion"`
	Requirement  *record.Requirement `json:"requirement"`
	Evidence     *Evidence           `json:"evidence"`
	Links        Links               `json:"links"`
	Gateway      GatewayFacts        `json:"gateway"`
}

// ClockFacts is the state of the gateway's clock.
type ClockFacts struct {
	Source        string  `json:"source"`
	Synced        bool    `json:"synced"`
	OffsetMS      float64 `json:"offset_ms"`
	UncertaintyMS float64 `json:"uncertainty_ms"`
}

// Equipment is where it happened, and by which sensors it was seen.
type Equipment struct {
	Hierarchy      string   `json:"hierarchy"`
	ID             string   `json:"id"`
	Name           string   `json:"name,omitempty"`
	Asset          string   `json:"asset,omitempty"`
	SpecialProcess bool     `json:"special_process"`
	Sensors        []Sensor `json:"sensors,omitempty"`
}

// Sensor is one input's instrument.
type Sensor struct {
	Input          string `json:"input"`
	Sensor         string `json:"sensor,omitempty"`
	CalibrationDue string `json:"calibration_due,omitempty"`
	Overdue        bool   `json:"calibration_overdue,omitempty"` // at the instant of the revision
}

// Operation is what was being done; "unknown" where it is not known.
type Operation struct {
	WorkOrder string `json:"work_order"`
	Operation string `json:"operation"`
	Phase     string `json:"phase"`
}

// Product is what was exposed.
type Product struct {
	Exposed     bool        `json:"exposed"`
	Basis       string      `json:"basis"` // who said which lot: tag, mes, panel, unknown
	Material    string      `json:"material"`
	Lots        []string    `json:"lots"`
	Serials     string      `json:"serials"`
	SuspectFrom sample.Time `json:"suspect_from"`
	SuspectTo   sample.Time `json:"suspect_to"`
}

// People are who was there and who has acknowledged.
type People struct {
	Operator string `json:"operator"`
	Ack      []Ack  `json:"ack"`
}

// Spec names what judged.
type Spec struct {
	record.SpecRef
	Parameter string `json:"parameter"`
	Rule      string `json:"rule"`
	RuleKind  string `json:"rule_kind"`
}

// Limits are the parameter's.
type Limits struct {
	LSL       *float64    `json:"lsl"`
	USL       *float64    `json:"usl"`
	Target    *float64    `json:"target"`
	NOR       *[2]float64 `json:"nor"`
	PAR       *[2]float64 `json:"par"`
	Unit      string      `json:"unit"`
	Inclusive bool        `json:"inclusive"`
}

// Excursion is how far and how long.
type Excursion struct {
	Side      string      `json:"side"`
	Worst     *WorstValue `json:"worst"`
	DurationS float64     `json:"duration_s"`
	Area      *Area       `json:"area"`
	Samples   uint64      `json:"samples"`
	GapsS     float64     `json:"gaps_s"`
	Missing   []string    `json:"missing,omitempty"` // inputs without a value when they were to be judged together
	Quality   string      `json:"quality"`           // good, uncertain, reduced (inputs lost, as sensor_loss allows), unknown
}

// WorstValue is the sample furthest outside.
type WorstValue struct {
	Value sample.Value `json:"value"`
	At    sample.Time  `json:"at"`
}

// Area is the integral beyond the limit over time.
type Area struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// Links are to other records.
type Links struct {
	Related   []string `json:"related"`
	QMSRecord *string  `json:"qms_record"`
}

// GatewayFacts say which program judged, and at which input.
type GatewayFacts struct {
	ID           string `json:"id"`
	Version      string `json:"version"`
	ConfigSHA256 string `json:"config_sha256"`
	N            uint64 `json:"n"`
}

// Document writes the event's next revision down.
func (e *Event) Document(f *Facts) *Document {
	ep := &e.Episode
	lots, exposed := e.Exposed(f.Context, f.At)
	if !f.Context.Remembers(production.Lot, ep.From) {
		lots = union(e.Lots, lots)
	}
	e.Lots, e.ToldAt = lots, max(f.At, e.ToldAt)
	d := &Document{
		Schema: Schema, EventID: e.ID, Revision: e.Revision, Supersedes: e.Revision - 1,
		Kind: e.Kind, Type: e.Type, State: e.State, Late: e.Late, Corrected: e.Corrected, Class: e.Class, ClassBasis: e.basis(),
		DetectedAt: ep.DetectedAt, OccurredFrom: ep.From, OccurredTo: ep.To, ClearedAt: ep.ClearedAt,
		RaisedAt: e.RaisedAt, RevisedAt: f.Revised,
		Clock:     clockFacts(f.Clock),
		Equipment: f.equipment(),
		Operation: f.operation(ep.From),
		Product:   f.product(e, lots, exposed),
		People:    People{Operator: f.Context.At(production.Operator, ep.From).String(), Ack: append([]Ack{}, e.Acks...)},
		Evidence:  e.Evidence,
		Links:     Links{Related: []string{}},
		Gateway:   GatewayFacts{f.Gateway.Gateway, f.Gateway.Version, f.Gateway.Config, f.N},
	}
	p := f.Parameter.Spec
	d.Limits = Limits{p.LSL, p.USL, p.Target, p.NOR, p.PAR, p.Unit, true}
	d.Spec = Spec{e.Spec, e.Parameter, e.RuleID, judge.MissingData}
	if e.Rule >= 0 {
		d.Spec.RuleKind = f.Parameter.Rule(e.Rule).Kind
	}
	d.Excursion = e.excursion(f)
	d.Requirement = e.requirement(f)
	d.Title = e.title(f, d.Requirement)
	return d
}

// basis says what has given the event its class.
func (e *Event) basis() string {
	if e.Raised {
		return "classification:escalate_to_critical_when"
	}
	return "rule:" + e.RuleID
}

// union is a, then what of b is not in it.
func union(a, b []string) []string {
	all := append([]string(nil), a...)
	for _, x := range b {
		if !slices.Contains(all, x) {
			all = append(all, x)
		}
	}
	return all
}

func clockFacts(c record.Clock) ClockFacts {
	return ClockFacts{c.Source, c.Synced, milliseconds(c.Offset), milliseconds(c.Uncertainty)}
}

// seconds is d exactly to the nanosecond: Duration.Seconds adds two parts and is
// off in the last digit.
func seconds(d time.Duration) float64 { return float64(d) / 1e9 }

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func (f *Facts) equipment() Equipment {
	e := Equipment{Hierarchy: Path(f.Site, f.Equipment.Name), ID: f.Equipment.Name, Name: f.Equipment.Title,
		Asset: f.Equipment.Asset, SpecialProcess: f.Equipment.SpecialProcess}
	for _, t := range f.Sensors {
		e.Sensors = append(e.Sensors, Sensor{t.Name, t.Sensor, t.CalibrationDue,
			t.CalibrationDue != "" && f.At.Std().Format(time.DateOnly) > t.CalibrationDue})
	}
	return e
}

// Path is the equipment's place in the plant by ISA-95 levels.
func Path(site, equipment string) string {
	if site == "" {
		return equipment
	}
	return site + "/" + equipment
}

func (f *Facts) operation(t sample.Time) Operation {
	return Operation{f.Context.At(production.WorkOrder, t).String(), f.Context.At(production.Operation, t).String(), f.Context.At(production.Phase, t).String()}
}

func (f *Facts) product(e *Event, lots []string, exposed bool) Product {
	ep := &e.Episode
	lot := f.Context.At(production.Lot, ep.From)
	basis := lot.By
	if !lot.Known {
		basis = production.Unknown
	}
	from := ep.SuspectFrom
	if from == 0 || e.Type == MonitoringLost || e.RuleID == judge.MissingData {
		from = ep.From
	}
	return Product{Exposed: exposed, Basis: basis, Material: f.Context.At(production.Material, ep.From).String(),
		Lots: append([]string{}, lots...), Serials: f.Context.At(production.Serials, ep.From).String(),
		SuspectFrom: from, SuspectTo: ep.To}
}

func (e *Event) excursion(f *Facts) Excursion {
	ep := &e.Episode
	x := Excursion{Samples: ep.Samples, GapsS: seconds(ep.Gaps), Quality: "good", Side: ep.Worst.Side}
	switch {
	case ep.Uncertain:
		x.Quality = "uncertain"
	case ep.Reduced:
		x.Quality = "reduced"
	}
	switch {
	case e.Type == MonitoringLost, e.RuleID == judge.MissingData:
		x.Quality, x.Side, x.Missing = production.Unknown, "missing", e.missing(f)
		if ep.To > ep.From {
			x.GapsS = seconds(ep.To.Sub(ep.From))
		}
		return x
	case e.Type == Control:
		x.Side = "overdue"
		return x
	case e.Result != nil: // the requirement says it
		if e.Result.None {
			x.Quality = production.Unknown
		}
		return x
	}
	x.DurationS = seconds(ep.Outside())
	if ep.Worst.At != 0 { // split off in a gap, it has no value of its own yet
		x.Worst = &WorstValue{ep.Worst.Value.Value, ep.Worst.At}
	}
	if unit, ok := areaUnit(f, e.Rule); ok {
		x.Area = &Area{round(ep.MaxArea()), unit + ".s"}
	}
	return x
}

// missing names the inputs that had no value when they were to be judged.
func (e *Event) missing(f *Facts) (names []string) {
	for _, i := range e.Episode.Missing {
		names = append(names, f.Parameter.Spec.Inputs[i])
	}
	return names
}

// areaUnit is the unit of what a rule compares, ok only where the distance
// beyond a limit can be summed over time.
func areaUnit(f *Facts, rule int) (unit string, ok bool) {
	if rule < 0 {
		return f.Parameter.Spec.Unit, true
	}
	r := f.Parameter.Rule(rule)
	switch r.Kind {
	case spec.Equals, spec.Frozen, spec.Window, spec.SPC:
		return "", false
	}
	if r.Unit != "" {
		return r.Unit, true
	}
	return f.Parameter.Spec.Unit, true
}

// round drops the digits of a sum that are not known: nine significant ones are
// kept, which is more than any sensor has.
func round(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 9, 64), 64)
	if err != nil {
		return x // rounded up past the largest number
	}
	return y
}
