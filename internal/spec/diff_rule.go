package spec

import (
	"fmt"
	"slices"
	"strings"
)

func rulesPart(p *Parameter) part {
	x := part{key: "rules", listed: true}
	for i := range p.Rules {
		x.parts = append(x.parts, rulePart(&p.Rules[i], p))
	}
	return x
}

func rulePart(r *Rule, p *Parameter) part {
	whole := func() string {
		var b strings.Builder
		writer{&b}.rule(r, p)
		return dedent(b.String(), 2)
	}
	return part{key: "[" + r.ID + "]", label: "rule " + r.ID, whole: whole, parts: slices.Concat(
		[]part{{key: "kind", label: "kind", value: r.Kind}, {key: "scope", label: "scope", value: r.Scope}},
		limitParts(r, p), kindParts(r, p), chartParts(r, p), commonParts(r))}
}

// limitParts are the limits of the number that the rule is about, under the
// names that its kind has for them.
func limitParts(r *Rule, p *Parameter) []part {
	low, high := "min", "max"
	names := [2]string{low, high}
	switch r.Kind {
	case High, Low, Band:
		low, high = "limit.low", "limit.high"
		names = [2]string{"lower limit", "upper limit"}
	}
	unit := r.Unit
	if r.Per != 0 {
		unit = fmt.Sprintf("%s (a slope per %s)", r.Unit, Span(r.Per))
	}
	return []part{
		{key: "limit.name", label: "limit by name", value: r.LimitName, none: "a number of its own"},
		limitPart(low, names[0], r.Low, r),
		limitPart(high, names[1], r.High, r),
		{key: "unit", label: "unit", value: unlessSame(unit, p.Unit), none: "the parameter's"},
	}
}

// limitPart is a limit; one that is a time in seconds as a duration.
func limitPart(key, label string, v *float64, r *Rule) part {
	x := number(key, label, v, r.Unit)
	switch r.Kind {
	case Soak, Lethality, Above, Below:
		if x.unit = ""; v != nil {
			x.value = secondsText(*v)
		}
	}
	return x
}

// kindParts are what only some kinds have. What a kind does not have is absent
// in both documents, or goes with a change of kind.
func kindParts(r *Rule, p *Parameter) []part {
	parts := []part{
		{key: "value", label: "value", value: expectedText(r.Expected)},
		{key: "window", label: "window", value: spanUnlessZero(r.Window)},
		band("tolerance", r.Tolerance, p.Unit),
		{key: "mode", label: "mode", value: r.Mode},
		{key: "tref", label: "tref", value: numberOf(r.TRef, r.Kind == Lethality), unit: p.Unit},
		{key: "z", label: "z", value: numberOf(r.Z, r.Kind == Lethality), unit: p.Unit},
		{key: "threshold", label: "value", value: numberOf(r.Threshold, r.Kind == Above || r.Kind == Below), unit: p.Unit},
		{key: "side", label: "side", value: r.Side},
		{key: "for", label: "for", value: spanUnlessZero(r.For)},
	}
	profile := part{key: "profile", label: "profile"}
	for _, pt := range r.Profile {
		at := Span(pt.T)
		profile.parts = append(profile.parts, part{key: "[" + at + "]", label: "at " + at, value: rangeText(pt.Low, pt.High, ""), unit: r.Unit, none: "no point"})
	}
	ranges := part{key: "ranges", label: "ranges"}
	for _, x := range r.Ranges {
		name := p.input(x.Input)
		ranges.parts = append(ranges.parts, part{key: "[" + name + "]", label: name, value: rangeText(x.Low, x.High, x.Unit), none: "not judged"})
	}
	return append(parts, profile, ranges)
}

// numberOf is a number that has a meaning also when it is 0, where it has one.
func numberOf(v float64, meant bool) string {
	if meant {
		return num(v)
	}
	return unlessZero(v)
}

func chartParts(r *Rule, p *Parameter) []part {
	c := r.Chart
	if c == nil {
		return nil
	}
	return []part{
		{key: "chart", label: "chart", value: c.Kind},
		{key: "rules", label: "run rules", value: c.Rules},
		{key: "center", label: "center", value: num(c.Center), unit: p.Unit},
		{key: "sigma", label: "sigma", value: num(c.Sigma), unit: p.Unit},
		{key: "lambda", label: "lambda", value: unlessZero(c.Lambda)},
		{key: "l", label: "l", value: unlessZero(c.L), unit: "sigma"},
		{key: "k", label: "k", value: numberOf(c.K, c.Kind == CUSUM), unit: "sigma"},
		{key: "h", label: "h", value: unlessZero(c.H), unit: "sigma"},
		{key: "fir", label: "fir", value: numberOf(c.Head, c.Kind == CUSUM), unit: "h"},
		{key: "sample.per", label: "a point per", value: c.Per},
		{key: "sample.every", label: "a point every", value: spanUnlessZero(c.Every)},
		{key: "sample.take", label: "a point takes", value: c.Take},
		{key: "subgroup", label: "subgroup", value: fmt.Sprint(c.Subgroup)},
	}
}

// commonParts are what all kinds have.
func commonParts(r *Rule) []part {
	return []part{
		{key: "on_delay", label: "on_delay", value: Span(r.OnDelay)},
		{key: "off_delay", label: "off_delay", value: Span(r.OffDelay)},
		{key: "event_delay", label: "event_delay", value: Span(r.EventDelay)},
		{key: "deadband", label: "deadband", value: num(r.Deadband), unit: r.Unit},
		{key: "rejoin", label: "rejoin", value: Span(r.Rejoin)},
		{key: "always", label: "always", value: yesNo(r.Always)},
		{key: "when", label: "when", value: strings.Join(r.When, ", "), none: "no phase named"},
		{key: "class", label: "class", value: r.Class},
		{key: "on_fail", label: "on_fail", value: r.OnFail, none: "a deviation"},
		{key: "on_lot_change", label: "on_lot_change", value: r.OnLotChange},
	}
}
