package judge

import (
	"math"
	"slices"
	"time"

	"andon/internal/sample"
	"andon/internal/spc"
	"andon/internal/spec"
)

// The ids and kinds of the rules that a parameter has besides its own.
const (
	// MissingData is out while fewer inputs are known than the parameter needs.
	MissingData = "missing_data"
	// CalibrationOverdue is out while an input's instrument is overdue (ISO 9001
	// 7.1.5.2).
	CalibrationOverdue = "calibration_overdue"
)

// Parameter is what a State is judged by: a parameter of a specification on one
// piece of equipment. It is derived from the specification and never saved.
type Parameter struct {
	Spec   *spec.Parameter
	MaxGap time.Duration // no interval longer than this earns, is interpolated or is counted
	rules  []rule        // those of Spec, then calibration, if it is known, then missing data
	queued bool          // some rule needs all inputs at one instant
	heeds  bool          // some rule can change by a value's being confirmed
	needed int           // inputs that must be known for the parameter to be
	par    *measure      // the proven acceptable range, nil for none
	due    []sample.Time // by input: when its calibration is overdue, 0 for never
}

type rule struct {
	spec.Rule
	measure
	queued  bool // judged when all inputs have passed an instant
	joined  bool // one series made of all inputs, else one an input
	derived bool // compares something made of several samples
	each    bool // derived of each input, then joined
	inputs  int
	result  bool // decided when an operation, or a phase of it, has ended
	value   bool // compares the value itself
	built   bool // not of the specification
	chart   spc.Chart
}

// NewParameter prepares a parameter whose gaps begin at maxGap. due is, by
// input, when the calibration of its instrument is overdue; 0 or none for never.
func NewParameter(p *spec.Parameter, maxGap time.Duration, due []sample.Time) *Parameter {
	q := &Parameter{Spec: p, MaxGap: maxGap, needed: p.SensorLoss.MinimumInputs}
	if q.needed == 0 {
		q.needed = len(p.Inputs)
	}
	if p.PAR != nil {
		q.par = &measure{low: p.PAR[0], high: p.PAR[1]}
	}
	for i := range p.Rules {
		r := newRule(&p.Rules[i], p)
		q.queued = q.queued || r.queued
		q.heeds = q.heeds || r.heeds()
		q.rules = append(q.rules, r)
	}
	for _, t := range due {
		if t != 0 {
			q.due = due
		}
	}
	q.rules = append(q.rules, builtIn(spec.Rule{ID: CalibrationOverdue, Kind: CalibrationOverdue}))
	upTo := p.MissingData.UpTo
	if upTo == spec.SameAsMaxGap {
		upTo = maxGap
	}
	q.rules = append(q.rules, builtIn(spec.Rule{ID: MissingData, Kind: MissingData, OnDelay: maxGap, EventDelay: upTo}))
	return q
}

func builtIn(r spec.Rule) rule {
	r.Class, r.OnLotChange = spec.Major, "extend"
	return rule{Rule: r, measure: measure{low: math.Inf(-1), high: math.Inf(1)}, joined: true, built: true}
}

func newRule(s *spec.Rule, p *spec.Parameter) rule {
	r := rule{Rule: *s, measure: newMeasure(s), inputs: len(p.Inputs)}
	several := len(p.Inputs) > 1
	r.joined = several && s.Scope != spec.AnyInput || p.Computed != nil
	r.queued = r.joined
	switch s.Kind {
	case spec.Spread, spec.Window:
		r.joined, r.queued = true, true
	case spec.Soak: // the inputs' stretches within are joined, not their values
		r.joined, r.queued = p.Computed != nil, true
	case spec.Lethality, spec.Above, spec.Below, spec.Peak:
		r.joined, r.queued = r.joined && s.Scope != spec.AllInputs, true
	case spec.Rate, spec.Frozen:
		r.derived = true
	case spec.SPC:
		r.derived = true
		r.chart = newChart(s.Chart)
	}
	r.each = r.derived && r.joined && s.Scope == spec.AllInputs && p.Computed == nil
	r.result = spec.NeedsOperation(s.Kind)
	r.value = s.Kind == spec.High || s.Kind == spec.Low || s.Kind == spec.Band || s.Kind == spec.Envelope
	return r
}

// heeds: a confirmation alone can change what the rule says. Its limits move
// (envelope), or what it compares is made of time too (rate, frozen, charts of
// more than single samples).
func (ru *rule) heeds() bool {
	switch ru.Kind {
	case spec.Envelope, spec.Rate, spec.Frozen:
		return true
	case spec.SPC:
		return ru.Chart.Per != spec.PerSample
	}
	return false
}

// newChart is the chart of a rule. The specification has been checked: its run
// rules are ones that there are.
func newChart(c *spec.Charting) spc.Chart {
	tests, err := spc.ParseRules(c.Rules)
	if c.Kind == spec.Individuals && err != nil {
		panic("chart of a specification: " + err.Error())
	}
	return spc.Chart{Kind: spc.Kind(c.Kind), Center: c.Center, Sigma: c.Sigma, Rules: tests,
		Lambda: c.Lambda, L: c.L, K: c.K, H: c.H, Head: c.Head}
}

// Rule returns rule i of a State.
func (p *Parameter) Rule(i int) *spec.Rule { return &p.rules[i].Rule }

// Rules is the number of rules, those built in included.
func (p *Parameter) Rules() int { return len(p.rules) }

// BuiltIn says whether rule i is not one of the specification.
func (p *Parameter) BuiltIn(i int) bool { return p.rules[i].built }

// Same is the position of the rule of p that is rule i of another revision's
// parameter: the same id, kind and scope; -1 if p has none.
func (p *Parameter) Same(of *Parameter, i int) int {
	was := &of.rules[i]
	return slices.IndexFunc(p.rules, func(r rule) bool {
		return r.ID == was.ID && r.Kind == was.Kind && r.Scope == was.Scope && r.built == was.built
	})
}

// Heeds says whether a confirmation alone, without a sample, can change what
// some rule says.
func (p *Parameter) Heeds() bool { return p.heeds }

// follows is within what time of one another two samples of an input come
// between which none is missing: its interval and a half.
func (p *Parameter) follows() time.Duration {
	interval := p.Spec.Sampling.Interval
	if interval == 0 {
		interval = p.MaxGap / 3 // what max_gap is when only the interval is known
	}
	return interval + interval/2
}

// missing is the position of the rule MissingData.
func (p *Parameter) missing() int { return len(p.rules) - 1 }
