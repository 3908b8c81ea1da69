package spec

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"andon/internal/sample"
)

// Span writes a duration in the units of a specification: the largest of
// d h min s ms that gives a whole number (90s, 45min, 1500ms). A specification
// has none finer than a millisecond.
func Span(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d != 0 && d%u.of == 0 {
			return strconv.FormatInt(int64(d/u.of), 10) + u.name
		}
	}
	return "0s"
}

// Text is the document in words, for reading on a screen and on paper: every
// value that has an effect, those that the document leaves out included.
func (d *Document) Text() string {
	var b strings.Builder
	w := writer{&b}
	w.line(0, "Specification %s, revision %s", d.ID, d.Revision)
	w.field("title", d.Title)
	w.field("sha256", d.SHA256)
	w.field("document", strings.TrimSpace(d.Origin.System+" "+d.Origin.Number))
	w.field("change", d.Origin.Change)
	w.field("reason", d.Origin.Reason)
	w.field("effective", d.Effective.String())
	w.field("scope", d.Scope.String())
	w.field("needs", strings.Join(d.ContextRequired, ", "))
	w.field("applies", appliesText(d.AppliesWhen))
	if d.Classification != nil {
		w.field("critical", "whatever the rule says, when "+strings.Join(d.Classification.EscalateToCritical, ", or when "))
	}
	for i := range d.Parameters {
		w.line(0, "")
		w.parameter(&d.Parameters[i])
	}
	return b.String()
}

// String is the range of time in words, in UTC.
func (e Effective) String() string {
	if e.To == 0 {
		return fmt.Sprintf("from %s, no end", e.From)
	}
	return fmt.Sprintf("from %s until %s", e.From, e.To)
}

// String is the scope in words.
func (s Scope) String() string {
	var parts []string
	add := func(what string, names ...string) {
		if len(names) > 0 && names[0] != "" {
			parts = append(parts, what+" "+strings.Join(names, ", "))
		}
	}
	add("equipment", s.Equipment...)
	add("equipment class", s.EquipmentClass)
	add("operation", s.Operation)
	add("materials", s.Materials...)
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, "; ")
}

func appliesText(list []Condition) string {
	if len(list) == 0 {
		return "always"
	}
	var parts []string
	for _, c := range list {
		parts = append(parts, fmt.Sprintf("when %s is %s", c.Field, strings.Join(c.Values, " or ")))
	}
	return strings.Join(parts, " and ")
}

// writer lays out words. A strings.Builder takes everything, so nothing here
// can go wrong.
type writer struct{ b *strings.Builder }

func (w writer) line(indent int, format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")
	w.b.WriteString(strings.TrimRight(strings.Repeat("  ", indent)+text, " ") + "\n")
}

func (w writer) field(name, value string) {
	if value != "" {
		w.line(1, "%-10s %s", name, value)
	}
}

func (w writer) parameter(p *Parameter) {
	title := p.ID
	if p.Name != p.ID {
		title += ", " + p.Name
	}
	if p.Criticality != "" {
		title += " (" + p.Criticality + ")"
	}
	w.line(0, "Parameter %s", title)
	w.field("inputs", strings.Join(p.Inputs, ", "))
	w.field("unit", p.Unit)
	w.field("computed", computedText(p))
	w.field("limits", limitsText(p))
	if p.Precision != 0 {
		w.field("precision", num(p.Precision))
	}
	w.field("sampling", samplingText(p.Sampling))
	w.field("quality", qualityText(p.AcceptUncertain))
	w.field("missing", missingText(p.MissingData))
	if p.SensorLoss.MinimumInputs > 0 {
		w.field("sensors", fmt.Sprintf("judged while at least %d of %d inputs are known, with a mark", p.SensorLoss.MinimumInputs, len(p.Inputs)))
	}
	w.field("overdue", map[string]string{"deviation": "an instrument overdue for calibration is a deviation", "flag": "an instrument overdue for calibration is a mark"}[p.Calibration.Overdue])
	w.field("alarm", alarmText(p.Alarm))
	if p.Evidence != (Evidence{}) {
		w.field("evidence", fmt.Sprintf("%s before, %s after", Span(p.Evidence.Before), Span(p.Evidence.After)))
	}
	for i := range p.Rules {
		w.rule(&p.Rules[i], p)
	}
}

func limitsText(p *Parameter) string {
	var parts []string
	one := func(name string, v *float64) {
		if v != nil {
			parts = append(parts, name+" "+num(*v))
		}
	}
	two := func(name string, r *[2]float64) {
		if r != nil {
			parts = append(parts, fmt.Sprintf("%s %s..%s", name, num(r[0]), num(r[1])))
		}
	}
	one("target", p.Target)
	one("lsl", p.LSL)
	one("usl", p.USL)
	two("nor", p.NOR)
	two("par", p.PAR)
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + " (inclusive)"
}

func samplingText(s Sampling) string {
	interval, gap := "as often as the tag", "3 intervals"
	if s.Interval > 0 {
		interval = "every " + Span(s.Interval)
	}
	if s.MaxGap > 0 {
		gap = Span(s.MaxGap)
	}
	return fmt.Sprintf("%s, a gap after %s", interval, gap)
}

func qualityText(acceptUncertain bool) string {
	if acceptUncertain {
		return "good and uncertain values are judged"
	}
	return "only good values are judged"
}

func missingText(m MissingData) string {
	upTo := "the longest gap allowed"
	if m.UpTo >= 0 {
		upTo = Span(m.UpTo)
	}
	beyond := "a deviation"
	if m.Beyond == "flag" {
		beyond = "a mark"
	}
	return fmt.Sprintf("up to %s a mark, beyond it %s; time without data earns nothing", upTo, beyond)
}

func alarmText(a Alarm) string {
	parts := []string{"priority " + a.Priority}
	if a.RespondWithin > 0 {
		parts = append(parts, "respond within "+Span(a.RespondWithin))
	}
	for _, s := range []struct{ what, text string }{{"", a.Text}, {"do: ", a.Action}, {"instruction ", a.Instruction}} {
		if s.text != "" {
			parts = append(parts, s.what+s.text)
		}
	}
	return strings.Join(parts, "; ")
}

// valueText tells text from a number of the same letters.
func valueText(v sample.Value) string {
	if v.Kind() == sample.String {
		return strconv.Quote(v.Text())
	}
	return v.String()
}

func whenText(r *Rule) string {
	switch {
	case r.Always:
		return "judged always"
	case len(r.When) > 0:
		return "judged in phase " + strings.Join(r.When, ", ")
	}
	return "judged while the specification applies"
}

func num(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
