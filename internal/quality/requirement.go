package quality

import (
	"fmt"
	"strings"

	"andon/internal/judge"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// Requirement is what a rule that needs a whole operation asked and what was.
// Actual is nil when nothing was known of it: then it is not met.
func Requirement(rule *spec.Rule, r *judge.Result) record.Requirement {
	q := record.Requirement{Name: rule.ID, Unit: rule.Unit, Met: r.Met}
	if r.Known {
		q.Actual = round(r.Actual)
	}
	low, high := r.Low, r.High
	switch limit := r.Violated(); {
	case limit != nil:
		q.Required = *limit
	case low != nil && high != nil:
		q.Required = [2]float64{*low, *high}
	case low != nil:
		q.Required = *low
	case high != nil:
		q.Required = *high
	}
	return q
}

// chartFacts are what a control chart's signal is judged by.
type chartFacts struct {
	Chart  string  `json:"chart"`
	Rules  string  `json:"rules,omitempty"`
	Center float64 `json:"center"`
	Sigma  float64 `json:"sigma"`
	Lambda float64 `json:"lambda,omitempty"`
	L      float64 `json:"l,omitempty"`
	K      float64 `json:"k,omitempty"`
	H      float64 `json:"h,omitempty"`
	Head   float64 `json:"fir,omitempty"`
	Signal string  `json:"signal"` // the first rule that signalled
}

// requirement is what the event's rule asked and what the worst was; nil where
// nothing was seen.
func (e *Event) requirement(f *Facts) *record.Requirement {
	if e.Type != ProcessParameter || e.Rule < 0 {
		return nil
	}
	rule := f.Parameter.Rule(e.Rule)
	if e.Result != nil {
		q := Requirement(rule, e.Result)
		return &q
	}
	w := &e.Episode.Worst
	q := &record.Requirement{Name: e.RuleID, Actual: w.Value.Value, Unit: rule.Unit}
	if q.Unit == "" {
		q.Unit = f.Parameter.Spec.Unit
	}
	switch rule.Kind {
	case spec.Equals:
		q.Required = *rule.Expected
	case spec.Band:
		q.Required = [2]float64{*rule.Low, *rule.High}
	case spec.Envelope:
		q.Required = violated(w)
	case spec.Window:
		g := &rule.Ranges[w.Series]
		q.Name = e.RuleID + " " + f.Parameter.Spec.Inputs[g.Input]
		q.Required, q.Unit = finiteRange(g), g.Unit
	case spec.Frozen:
		q.Required = rule.For.Seconds()
		q.Actual = e.Episode.Outside().Seconds() + rule.For.Seconds()
	case spec.SPC:
		c := rule.Chart
		q.Required = chartFacts{c.Kind, c.Rules, c.Center, c.Sigma, c.Lambda, c.L, c.K, c.H, c.Head, e.Episode.Signal}
	default:
		q.Required = limitOf(rule, w.Side)
	}
	return q
}

// limitOf is the limit on a side, the other one where there is none there.
func limitOf(rule *spec.Rule, side string) float64 {
	if side == "low" && rule.Low != nil || rule.High == nil {
		return *rule.Low
	}
	return *rule.High
}

// violated is the envelope's limit where the worst sample was.
func violated(w *judge.Worst) float64 {
	if w.Side == "low" {
		return round(w.X + w.Beyond)
	}
	return round(w.X - w.Beyond)
}

// finiteRange is a range as JSON can say it: null for no limit.
func finiteRange(g *spec.InputRange) [2]*float64 {
	var r [2]*float64
	if g.Low-g.Low == 0 {
		r[0] = &g.Low
	}
	if g.High-g.High == 0 {
		r[1] = &g.High
	}
	return r
}

// title says in one line what happened, for people.
func (e *Event) title(f *Facts, r *record.Requirement) string {
	name := f.Parameter.Spec.Name
	if name == "" {
		name = e.Parameter
	}
	at := f.Equipment.Name + ": " + name
	switch {
	case e.Type == Control && e.RuleID == judge.MissingData:
		return f.Equipment.Name + ": " + e.Spec.ID + " revision " + e.Spec.Revision + " was withdrawn: nothing is judged by it"
	case e.Type == Control:
		return at + ": the calibration of an instrument is overdue"
	case len(e.Episode.Missing) > 0:
		return fmt.Sprintf("%s could not be judged: no value of %s (%s)", at, strings.Join(e.missing(f), ", "), e.RuleID)
	case r == nil || e.Episode.Worst.At == 0:
		return at + " not monitored"
	}
	kind, worst := f.Parameter.Rule(e.Rule).Kind, e.Episode.Worst
	switch kind {
	case spec.Equals:
		return fmt.Sprintf("%s is %s, not %v", at, worst.Value, r.Required)
	case spec.Rate:
		return fmt.Sprintf("%s changes by %s %s (%s)", at, number(worst.X), r.Unit, e.RuleID)
	case spec.Spread:
		return fmt.Sprintf("%s: inputs differ by %s %s (%s)", at, number(worst.X), r.Unit, e.RuleID)
	case spec.Frozen:
		return fmt.Sprintf("%s has not changed from %s (%s)", at, worst.Value, e.RuleID)
	case spec.Window:
		return fmt.Sprintf("%s: %s is %s %s (%s)", at, f.Parameter.Spec.Inputs[f.Parameter.Rule(e.Rule).Ranges[worst.Series].Input], worst.Value, r.Unit, e.RuleID)
	case spec.SPC:
		return fmt.Sprintf("%s: control chart signals %s (%s)", at, e.Episode.Signal, e.RuleID)
	case spec.Soak, spec.Lethality, spec.Above, spec.Below, spec.Peak:
		return fmt.Sprintf("%s: %s is %s %s, required %s (%s)", at, kind, number(worst.X), r.Unit, needed(r.Required, worst.Side), e.RuleID)
	}
	beyond := "above limit"
	if worst.Side == "low" {
		beyond = "below limit"
	}
	return fmt.Sprintf("%s %s, %s %s (%s)", at, beyond, worst.Value, r.Unit, e.RuleID)
}

// needed is a limit in words.
func needed(limit any, side string) string {
	if side == "low" {
		return fmt.Sprintf("at least %v", limit)
	}
	return fmt.Sprintf("at most %v", limit)
}

func number(x float64) string { return sample.FloatValue(round(x)).String() }
