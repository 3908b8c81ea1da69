package spec

import (
	"fmt"
	"math"
	"strings"
	"time"
)

func (w writer) rule(r *Rule, p *Parameter) {
	w.line(1, "rule %s: out when %s", r.ID, outText(r, p))
	for _, pt := range r.Profile {
		w.line(3, "at %s %s", Span(pt.T), rangeText(pt.Low, pt.High, p.Unit))
	}
	raises := r.Class
	if r.OnFail != "" {
		raises += " " + r.OnFail
	} else if r.Class != Signal {
		raises += " deviation"
	}
	lot := "a change of lot does not end it"
	if r.OnLotChange == "split" {
		lot = "a change of lot begins another"
	}
	if NeedsOperation(r.Kind) {
		w.line(2, "%s, decided when the operation ends", whenText(r))
		w.line(2, "raises a %s", raises)
		return
	}
	w.line(2, "%s", whenText(r))
	w.line(2, "raises a %s %s, its alarm %s", raises, after(r.EventDelay, "outside"), after(r.OnDelay, "outside"))
	back := "over " + after(r.OffDelay, "inside")
	if r.Deadband != 0 {
		back += fmt.Sprintf(", %s %s back from the limit", num(r.Deadband), r.Unit)
	}
	if r.Rejoin != 0 {
		back += fmt.Sprintf(", out again within %s is the same event", Span(r.Rejoin))
	}
	w.line(2, "%s; %s", back, lot)
}

// after says for how long a value must be where it is.
func after(d time.Duration, where string) string {
	if d == 0 {
		return "at once"
	}
	return "after " + Span(d) + " " + where
}

// scopeText says of what a rule is asked.
func scopeText(r *Rule, p *Parameter) string {
	if p.Computed != nil {
		return "the computed value"
	}
	return map[string]string{
		AnyInput: "any input", AllInputs: "all inputs together", Mean: "the mean of the inputs", Max: "the highest input", Min: "the lowest input",
	}[r.Scope]
}

// outText says in which case a rule is broken.
func outText(r *Rule, p *Parameter) string {
	of := scopeText(r, p)
	switch r.Kind {
	case Equals:
		if r.Expected == nil {
			return ""
		}
		return fmt.Sprintf("%s is not %s", of, valueText(*r.Expected))
	case Rate:
		return fmt.Sprintf("the slope of %s, by least squares over %s, is %s", of, Span(r.Window), beyondText(r))
	case Spread:
		return fmt.Sprintf("the largest difference between inputs is %s", beyondText(r))
	case Envelope:
		return of + " is outside the profile since the beginning of the phase or operation"
	case Frozen:
		if r.Scope == AllInputs && len(p.Inputs) > 1 {
			of = "every one of the inputs"
		}
		return fmt.Sprintf("%s is unchanged for longer than %s", of, Span(r.For))
	case Window:
		return windowText(r, p)
	case SPC:
		return chartText(r, of)
	case Soak, Lethality, Above, Below, Peak:
		return operationText(r, p, of)
	}
	return fmt.Sprintf("%s is %s", of, beyondText(r))
}

// beyondText says beyond what number, in the rule's unit.
func beyondText(r *Rule) string {
	text := sidesText(r, "below ", "above ", num) + " " + r.Unit
	if r.LimitName != "" {
		text += " (" + r.LimitName + ")"
	}
	return text
}

func sidesText(r *Rule, below, above string, write func(float64) string) string {
	var sides []string
	if r.Low != nil {
		sides = append(sides, below+write(*r.Low))
	}
	if r.High != nil {
		sides = append(sides, above+write(*r.High))
	}
	return strings.Join(sides, " or ")
}

// timeText says beyond what time.
func timeText(r *Rule) string { return sidesText(r, "shorter than ", "longer than ", secondsText) }

// secondsText writes a number of seconds as a duration.
func secondsText(s float64) string { return Span(time.Duration(math.Round(s * float64(time.Second)))) }

// operationText says of what at the end of an operation.
func operationText(r *Rule, p *Parameter, of string) string {
	switch r.Kind {
	case Soak:
		leaving := "leaving restarts it"
		if r.Mode == Cumulative {
			leaving = "leaving pauses it"
		}
		return fmt.Sprintf("the time with all inputs %s, from the entry of the lagging one (%s), is %s", rangeText(r.Tolerance[0], r.Tolerance[1], p.Unit), leaving, timeText(r))
	case Lethality:
		return fmt.Sprintf("the sum of 10^((T - %s)/%s) dt of %s is %s", num(r.TRef), num(r.Z), of, timeText(r))
	case Peak:
		extreme := "largest"
		if r.Side == Low {
			extreme = "smallest"
		}
		return fmt.Sprintf("the %s value of %s is %s", extreme, of, beyondText(r))
	}
	threshold := fmt.Sprintf("%s %s %s", r.Kind, num(r.Threshold), p.Unit)
	if r.LimitName != "" {
		threshold += " (" + r.LimitName + ")"
	}
	return fmt.Sprintf("the time of %s %s is %s", of, threshold, timeText(r))
}

// rangeText is a range of which an end may be missing.
func rangeText(low, high float64, unit string) string {
	switch {
	case math.IsInf(low, 0) && math.IsInf(high, 0):
		return "without limits"
	case math.IsInf(low, 0):
		return strings.TrimSpace(fmt.Sprintf("at most %s %s", num(high), unit))
	case math.IsInf(high, 0):
		return strings.TrimSpace(fmt.Sprintf("at least %s %s", num(low), unit))
	}
	return strings.TrimSpace(fmt.Sprintf("within %s..%s %s", num(low), num(high), unit))
}

func windowText(r *Rule, p *Parameter) string {
	var parts []string
	for _, x := range r.Ranges {
		parts = append(parts, p.Inputs[x.Input]+" "+rangeText(x.Low, x.High, x.Unit))
	}
	return "the values that stand when the phase begins are not all inside: " + strings.Join(parts, ", ")
}

func chartText(r *Rule, of string) string {
	c := r.Chart
	chart := map[string]string{
		Individuals: "run rules " + c.Rules,
		EWMA:        fmt.Sprintf("EWMA, lambda %s, limits at %s sigma", num(c.Lambda), num(c.L)),
		CUSUM:       fmt.Sprintf("CUSUM, k %s and h %s sigma, head start %s h", num(c.K), num(c.H), num(c.Head)),
	}[c.Kind]
	point := "each sample"
	take := map[string]string{"last": "the last value", Mean: "the mean", Max: "the largest value", Min: "the smallest value"}[c.Take]
	switch c.Per {
	case PerInterval:
		point = fmt.Sprintf("%s of each %s", take, Span(c.Every))
	case PerPart, PerPhase:
		point = fmt.Sprintf("%s of each %s", take, c.Per)
	}
	if c.Subgroup > 1 {
		point = fmt.Sprintf("the mean of %d in a row: %s", c.Subgroup, point)
	}
	return fmt.Sprintf("the chart signals (%s; centre %s, sigma %s %s; of %s; a point is %s)", chart, num(c.Center), num(c.Sigma), r.Unit, of, point)
}

func computedText(p *Parameter) string {
	c := p.Computed
	switch {
	case c == nil:
		return ""
	case c.Kinetic != nil:
		return fmt.Sprintf("mean kinetic temperature of %s over the operation, activation energy %s kJ/mol", p.Inputs[c.Kinetic.Input], num(c.Kinetic.DeltaH))
	}
	return c.Expression
}
