package spec

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"andon/internal/strictyaml"
	"andon/internal/ucum"
)

func (p *parser) parameter(n strictyaml.Node) Parameter {
	limits := n.Get("limits")
	par := Parameter{
		ID:              shaped(n.Need("id"), idShape),
		Name:            words(n.Get("name")),
		Criticality:     n.Get("criticality").OneOf("CPP", "KPP", "CQA", "info"),
		Inputs:          p.inputs(n.Need("inputs")),
		Unit:            p.unit(n.Get("unit")),
		Precision:       precision(n.Get("precision")),
		Sampling:        sampling(n.Get("sampling")),
		Target:          optional(n.Get("target")),
		LSL:             optional(limits.Get("lsl")),
		USL:             optional(limits.Get("usl")),
		NOR:             n.Get("nor").Range(),
		PAR:             n.Get("par").Range(),
		AcceptUncertain: n.Get("accept_uncertain").Bool(),
		Alarm:           alarm(n.Get("alarm")),
		Evidence:        evidence(n.Get("evidence")),
	}
	p.placeOf(n, "id", "target", "nor", "par")
	par.MissingData = missingData(n.Get("missing_data"), par.Sampling)
	if par.Name == "" {
		par.Name = par.ID
	}
	par.Computed = computed(n.Get("computed"), &par)
	par.SensorLoss = sensorLoss(n.Get("sensor_loss"), &par)
	par.Calibration.Overdue = oneOfOr(n.Get("calibration").Get("overdue"), "deviation", "flag")
	inclusive(limits)
	relations(n, &par)
	p.rules(n.Need("rules"), parameterNode{n, &par})
	ownUnits(n.Get("rules"), &par)
	if u := n.Get("unit"); !u.Present() && n.OK() && !unitless(par.Rules) {
		n.Need("unit") // says that it is missing
	}
	return par
}

// unitless tells a parameter none of whose rules holds a number against one in
// the parameter's unit: a discrete one, or one whose windows name their units.
func unitless(rules []Rule) bool {
	for _, r := range rules {
		switch r.Kind {
		case Equals, Frozen:
		case Window:
			if slices.ContainsFunc(r.Ranges, func(x InputRange) bool { return x.Unit == "" }) {
				return false
			}
		default:
			return false
		}
	}
	return len(rules) > 0
}

// ownUnits refuses a window that gives an input a unit of its own beside a rule
// that takes it to be in another.
func ownUnits(rules strictyaml.Node, par *Parameter) {
	for k, w := range par.Rules {
		for _, x := range w.Ranges {
			if x.Unit == par.Unit {
				continue
			}
			if other := otherUnit(par, x); other != "" {
				rules.Seq()[k].Get("units").Problem(fmt.Sprintf("rule %s takes %s to be in another unit than %s", other, par.Inputs[x.Input], x.Unit), "give that rule to another parameter")
				return
			}
		}
	}
}

// otherUnit is a rule that takes the input of a range to be in another unit.
func otherUnit(par *Parameter, x InputRange) string {
	for _, r := range par.Rules {
		switch r.Kind {
		case Equals, Frozen:
		case Window:
			if slices.ContainsFunc(r.Ranges, func(y InputRange) bool { return y.Input == x.Input && y.Unit != x.Unit }) {
				return r.ID
			}
		default:
			return r.ID
		}
	}
	return ""
}

// sensorLoss reads how many inputs may fail.
func sensorLoss(n strictyaml.Node, par *Parameter) SensorLoss {
	if !n.Present() {
		return SensorLoss{}
	}
	least := n.Need("minimum_inputs")
	s := SensorLoss{MinimumInputs: int(least.Int(1, 1_000_000)), Action: oneOfOr(n.Get("action"), "continue_and_flag")}
	if least.OK() && s.MinimumInputs >= len(par.Inputs) && len(par.Inputs) > 0 {
		least.Problem(fmt.Sprintf("minimum_inputs %d of %d inputs: none may be lost", s.MinimumInputs, len(par.Inputs)), "give fewer than there are inputs, or remove sensor_loss: without it all are needed")
	}
	if par.Computed != nil {
		n.Problem("a computed value needs all its inputs", "remove sensor_loss")
	}
	return s
}

func (p *parser) inputs(n strictyaml.Node) []string {
	if n.OK() && !n.IsSeq() {
		n.Problem("the inputs are not a list", "write inputs: [tag, …]")
	}
	for _, e := range n.Seq() {
		if s := words(e); e.OK() && strings.Contains(s, "/") {
			e.Problem(fmt.Sprintf("%q names equipment", s), fmt.Sprintf("inputs are tags within the equipment: write %s", s[strings.LastIndex(s, "/")+1:]))
		}
	}
	return p.names(n, tagShape)
}

func (p *parser) unit(n strictyaml.Node) string {
	p.place(n)
	return unitOf(n)
}

// unitOf is a unit of UCUM, "" when absent or wrong.
func unitOf(n strictyaml.Node) string {
	if n.IsNumber() && n.Float() == 1 { // the unit of a plain number, as UCUM writes it
		n.Problem("a number where a unit is wanted", `write "1" for a plain number`)
		return ""
	}
	u := n.Text()
	if !n.OK() {
		return ""
	}
	if cause, cure := ucum.Check(u); cause != "" {
		n.Problem(cause, cure)
		return ""
	}
	return u
}

func precision(n strictyaml.Node) float64 {
	v := n.Float()
	if n.OK() && v <= 0 {
		n.Problem(fmt.Sprintf("a precision of %v", v), "it is the smallest step shown, above 0")
	}
	return v
}

func optional(n strictyaml.Node) *float64 {
	v := n.Float()
	if !n.OK() {
		return nil
	}
	return &v
}

func inclusive(limits strictyaml.Node) {
	if n := limits.Get("inclusive"); n.OK() && !n.Bool() {
		n.Problem("limits are inclusive in this version: a value equal to a limit is in", "write the last value that is still in, or remove the key")
	}
}

func sampling(n strictyaml.Node) Sampling {
	s := Sampling{Interval: positive(n.Get("interval")), MaxGap: positive(n.Get("max_gap"))}
	gap := n.Get("max_gap")
	switch {
	case gap.OK() && s.MaxGap < s.Interval:
		gap.Problem(fmt.Sprintf("max_gap %s is shorter than interval %s", Span(s.MaxGap), Span(s.Interval)), "every sample would end a gap")
	case !gap.Present():
		s.MaxGap = 3 * s.Interval
	}
	return s
}

// positive is a duration above 0, 0 when absent or wrong.
func positive(n strictyaml.Node) time.Duration {
	d := delay(n)
	if n.OK() && d == 0 {
		n.Problem("a duration of 0", "give one above 0, or remove the key")
	}
	return d
}

// delay is a duration. What begins with a minus gets its own message, since it
// is a mistake about the process and not about spelling.
func delay(n strictyaml.Node) time.Duration {
	if n.OK() && !n.IsMap() && !n.IsSeq() && !n.IsNumber() && strings.HasPrefix(n.Text(), "-") {
		n.Problem(fmt.Sprintf("the duration %s is negative", n.Text()), "time runs forward: give 0s or more")
	}
	return n.Duration()
}

func missingData(n strictyaml.Node, s Sampling) MissingData {
	m := MissingData{
		UpTo:   delay(n.Get("up_to")),
		Action: oneOfOr(n.Get("action"), "flag"),
		Beyond: oneOfOr(n.Get("beyond"), "deviation", "flag"),
		Credit: oneOfOr(n.Get("credit"), "none"),
	}
	if !n.Get("up_to").Present() {
		m.UpTo = s.MaxGap
		if s.MaxGap == 0 {
			m.UpTo = SameAsMaxGap
		}
	}
	return m
}

// oneOfOr is one of the words, the first when the key is absent.
func oneOfOr(n strictyaml.Node, words ...string) string {
	if !n.Present() {
		return words[0]
	}
	return n.OneOf(words...)
}

func alarm(n strictyaml.Node) Alarm {
	a := Alarm{
		Priority:      n.Get("priority").OneOf("low", "medium", "high", "critical"),
		RespondWithin: positive(n.Get("respond_within")),
		Text:          words(n.Get("text")),
		Instruction:   words(n.Get("instruction")),
		Action:        words(n.Get("action")),
	}
	if a.Priority == "" {
		a.Priority = "medium"
	}
	return a
}

func evidence(n strictyaml.Node) Evidence {
	return Evidence{Before: delay(n.Get("before")), After: delay(n.Get("after"))}
}

// relations checks the limits of a parameter against one another: lsl below
// usl, the normal range within the proven one and within the limits, the target
// within all of them (ICH Q8, quality control practice).
func relations(n strictyaml.Node, par *Parameter) {
	limits, nor, target := n.Get("limits"), n.Get("nor"), n.Get("target")
	if limits.OK() && !limits.Get("lsl").Present() && !limits.Get("usl").Present() && limits.IsMap() {
		limits.Problem("neither lsl nor usl", "give one, or remove the key")
	}
	if par.LSL != nil && par.USL != nil && *par.LSL >= *par.USL {
		limits.Get("lsl").Problem(fmt.Sprintf("lsl %v is not below usl %v", *par.LSL, *par.USL), "they may be exchanged")
		return // what follows would repeat it
	}
	ranges := []namedRange{{"nor", par.NOR}, {"par", par.PAR}, {"limits", specRange(par)}}
	if par.NOR != nil {
		for _, r := range ranges[1:] {
			if !r.holds(par.NOR[0]) || !r.holds(par.NOR[1]) {
				nor.Problem(fmt.Sprintf("nor [%v, %v] reaches outside %s %s", par.NOR[0], par.NOR[1], r.name, r), "the normal operating range lies within the proven and the specified one")
				return
			}
		}
	}
	if par.Target == nil {
		return
	}
	for _, r := range ranges {
		if !r.holds(*par.Target) {
			target.Problem(fmt.Sprintf("target %v is outside %s %s", *par.Target, r.name, r), "")
			return
		}
	}
}

// namedRange is a range of the document; nil holds everything.
type namedRange struct {
	name string
	r    *[2]float64
}

func (r namedRange) holds(v float64) bool { return r.r == nil || r.r[0] <= v && v <= r.r[1] }

func (r namedRange) String() string {
	switch {
	case math.IsInf(r.r[0], -1):
		return "(up to " + num(r.r[1]) + ")"
	case math.IsInf(r.r[1], 1):
		return "(from " + num(r.r[0]) + ")"
	}
	return fmt.Sprintf("[%s, %s]", num(r.r[0]), num(r.r[1]))
}
