package spec

import (
	"fmt"
	"strings"
	"time"

	"andon/internal/sample"
)

// This file lays out a document to be compared: every field of Document and of
// what it is made of, in the order in which a document is written. A test holds
// it to being every field.

func documentPart(d *Document) part {
	return part{parts: []part{
		{key: "id", label: "id", value: d.ID},
		text("title", "title", d.Title),
		{key: "revision", label: "revision", value: d.Revision},
		{key: "document", label: "document", parts: []part{
			text("system", "system", d.Origin.System), text("number", "number", d.Origin.Number),
			text("change", "change", d.Origin.Change), text("reason", "reason", d.Origin.Reason),
		}},
		{key: "effective", label: "effective", parts: []part{
			{key: "from", label: "from", value: d.Effective.From.String()},
			{key: "to", label: "to", value: d.Effective.To.String(), none: "no end"},
		}},
		scopePart(d.Scope),
		{key: "context_required", label: "context_required", value: strings.Join(d.ContextRequired, ", ")},
		appliesPart(d.AppliesWhen),
		parametersPart(d.Parameters),
		classificationPart(d.Classification),
	}}
}

// text is words for people.
func text(key, label, value string) part {
	return part{key: key, label: label, value: value, quoted: true}
}

func scopePart(s Scope) part {
	one := func(key string, names ...string) part {
		return part{key: key, label: strings.ReplaceAll(key, "_", " "), value: strings.Join(names, ", "), none: "any"}
	}
	return part{key: "scope", label: "scope", parts: []part{
		one("materials", s.Materials...), one("operation", s.Operation),
		one("equipment_class", s.EquipmentClass), one("equipment", s.Equipment...),
	}}
}

func appliesPart(list []Condition) part {
	p := part{key: "applies_when", label: "applies_when"}
	for _, c := range list {
		p.parts = append(p.parts, part{key: c.Field, label: c.Field, value: strings.Join(c.Values, ", "), none: "any"})
	}
	return p
}

func classificationPart(c *Classification) part {
	p := part{key: "classification", label: "classification"}
	if c != nil {
		p.parts = []part{{key: "escalate_to_critical_when", label: "critical when", value: strings.Join(c.EscalateToCritical, ", or when "), none: "never"}}
	}
	return p
}

func parametersPart(list []Parameter) part {
	p := part{key: "parameters", listed: true}
	for i := range list {
		p.parts = append(p.parts, parameterPart(&list[i]))
	}
	return p
}

func parameterPart(p *Parameter) part {
	whole := func() string {
		var b strings.Builder
		writer{&b}.parameter(p)
		return dedent(b.String(), 0)
	}
	parts := []part{
		text("name", "name", p.Name),
		{key: "criticality", label: "criticality", value: p.Criticality},
		{key: "inputs", label: "inputs", value: strings.Join(p.Inputs, ", ")},
		{key: "unit", label: "unit", value: p.Unit},
		{key: "precision", label: "precision", value: unlessZero(p.Precision), unit: p.Unit},
		{key: "accept_uncertain", label: "accept_uncertain", value: yesNo(p.AcceptUncertain)},
		{key: "sampling.interval", label: "sampling interval", value: spanUnlessZero(p.Sampling.Interval), none: "as often as the tag"},
		{key: "sampling.max_gap", label: "longest gap", value: spanUnlessZero(p.Sampling.MaxGap), none: "3 intervals"},
		number("target", "target", p.Target, p.Unit),
		number("limits.lsl", "lsl", p.LSL, p.Unit),
		number("limits.usl", "usl", p.USL, p.Unit),
		band("nor", p.NOR, p.Unit),
		band("par", p.PAR, p.Unit),
		computedPart(p),
		rulesPart(p),
	}
	return part{key: "[" + p.ID + "]", label: p.ID, title: "parameter " + p.ID, whole: whole, parts: append(parts, handlingParts(p)...)}
}

// handlingParts are what follows from a parameter's state: what is missing, who
// is told, what is kept.
func handlingParts(p *Parameter) []part {
	least := ""
	if n := p.SensorLoss.MinimumInputs; n > 0 {
		least = fmt.Sprint(n)
	}
	upTo := "max_gap"
	if p.MissingData.UpTo != SameAsMaxGap {
		upTo = Span(p.MissingData.UpTo)
	}
	return []part{
		{key: "missing_data.up_to", label: "missing data: up to", value: upTo},
		{key: "missing_data.action", label: "missing data: action", value: p.MissingData.Action},
		{key: "missing_data.beyond", label: "missing data: beyond it", value: p.MissingData.Beyond},
		{key: "missing_data.credit", label: "missing data: credit", value: p.MissingData.Credit},
		{key: "sensor_loss.minimum_inputs", label: "sensor loss: minimum inputs", value: least, none: "all"},
		{key: "sensor_loss.action", label: "sensor loss: action", value: p.SensorLoss.Action},
		{key: "calibration.overdue", label: "calibration: overdue", value: p.Calibration.Overdue},
		{key: "alarm.priority", label: "alarm: priority", value: p.Alarm.Priority},
		{key: "alarm.respond_within", label: "alarm: respond within", value: spanUnlessZero(p.Alarm.RespondWithin)},
		text("alarm.text", "alarm: text", p.Alarm.Text),
		text("alarm.instruction", "alarm: instruction", p.Alarm.Instruction),
		text("alarm.action", "alarm: action", p.Alarm.Action),
		{key: "evidence.before", label: "evidence: before", value: Span(p.Evidence.Before)},
		{key: "evidence.after", label: "evidence: after", value: Span(p.Evidence.After)},
	}
}

func computedPart(p *Parameter) part {
	c := p.Computed
	x := part{key: "computed", label: "computed", none: "nothing: the inputs themselves are judged"}
	if c == nil {
		return x
	}
	x.value = c.Expression
	if c.Over != "" {
		x.parts = append(x.parts, part{key: "over", label: "over", value: c.Over})
	}
	if k := c.Kinetic; k != nil {
		x.parts = append(x.parts,
			part{key: "mean_kinetic_temperature", label: "mean kinetic temperature of", value: p.input(k.Input)},
			part{key: "delta_h", label: "delta_h", value: num(k.DeltaH), unit: "kJ/mol"},
			part{key: "unit", label: "unit", value: unlessSame(k.Unit, p.Unit), none: "the parameter's"})
	}
	return x
}

// input is the name of an input.
func (p *Parameter) input(i int) string {
	if i < 0 || i >= len(p.Inputs) {
		return fmt.Sprintf("input %d", i)
	}
	return p.Inputs[i]
}

// number is an optional limit.
func number(key, label string, v *float64, unit string) part {
	p := part{key: key, label: label, unit: unit}
	if v != nil {
		p.value = num(*v)
	}
	return p
}

// band is an optional range.
func band(key string, r *[2]float64, unit string) part {
	p := part{key: key, label: strings.ReplaceAll(key, "_", " "), unit: unit}
	if r != nil {
		p.value = num(r[0]) + ".." + num(r[1])
	}
	return p
}

func unlessZero(v float64) string {
	if v == 0 {
		return ""
	}
	return num(v)
}

func spanUnlessZero(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return Span(d)
}

// unlessSame is s, "" where that is what it is anyhow.
func unlessSame(s, same string) string {
	if s == same {
		return ""
	}
	return s
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// expectedText is the value of an equals rule.
func expectedText(v *sample.Value) string {
	if v == nil {
		return ""
	}
	return valueText(*v)
}

// dedent takes n characters of indentation off each line, and the last newline.
func dedent(s string, n int) string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = l[min(n, len(l)):]
	}
	return strings.Join(lines, "\n")
}
