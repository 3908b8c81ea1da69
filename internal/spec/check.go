package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// Facts are what a gateway's settings say about its equipment, as far as a
// specification can contradict it.
type Facts struct{ Equipment []EquipmentFacts }

// EquipmentFacts are the facts of one piece of equipment.
type EquipmentFacts struct {
	Name  string              // furn-03
	Class string              // furnace-class-2
	Tags  map[string]TagFacts // by name within the equipment
	// Context is which context fields the equipment can know, and for each the
	// values it can have; none for any value.
	Context map[string][]string
}

// TagFacts are the facts of one tag. Kind is the type of its values, None when
// the settings do not say.
type TagFacts struct {
	Unit string // "" when the settings give none
	Kind sample.Kind
	// Range is what a good value can be, both ends included; nil for anything.
	Range *[2]float64
}

// Check compares the specification with the gateway on which it is to judge.
// The error is strictyaml.Problems: all that does not fit on any equipment in
// scope, each once, at its place in the document.
func (d *Document) Check(f Facts) error {
	c := checker{d: d}
	inScope := 0
	for i := range f.Equipment {
		e := &f.Equipment[i]
		if d.Scope.Holds(e.Name, e.Class) {
			inScope++
			c.equipment(e)
		}
	}
	if inScope == 0 {
		names := make([]string, len(f.Equipment))
		for i, e := range f.Equipment {
			names[i] = e.Name
		}
		c.problem("scope", "no equipment of this gateway is in scope: "+d.Scope.String(), "this gateway has "+listOr(names, "no equipment"))
	}
	return c.problems.Sorted().Err()
}

// Holds reports whether a piece of equipment is in scope, whatever it makes.
func (s Scope) Holds(equipment, class string) bool {
	return (len(s.Equipment) == 0 || slices.Contains(s.Equipment, equipment)) &&
		(s.EquipmentClass == "" || s.EquipmentClass == class)
}

type checker struct {
	d        *Document
	problems strictyaml.Problems
}

// problem reports at the place that the document has for path.
func (c *checker) problem(path, message, hint string) {
	p := c.d.places[path]
	p.Path, p.Message, p.Hint = path, message, hint
	if p.File == "" {
		p.File = c.d.places["parameters"].File
	}
	c.problems = append(c.problems, p)
}

func (c *checker) equipment(e *EquipmentFacts) {
	for i, field := range c.d.ContextRequired {
		c.field(element("context_required", i), e, field)
	}
	for _, cond := range c.d.AppliesWhen {
		path := "applies_when." + cond.Field
		if c.field(path, e, cond.Field) {
			c.values(path, e, cond.Field, cond.Values)
		}
	}
	for i := range c.d.Parameters {
		c.parameter(element("parameters", i), e, &c.d.Parameters[i])
	}
}

func (c *checker) parameter(path string, e *EquipmentFacts, p *Parameter) {
	for i, tag := range p.Inputs {
		facts, ok := e.Tags[tag]
		input := element(path+".inputs", i)
		if !ok {
			c.problem(input, fmt.Sprintf("%s has no tag %q", e.Name, tag), nearTag(tag, e))
			continue
		}
		c.kind(input, e.Name+"/"+tag, facts.Kind, p)
		c.units(path, e.Name+"/"+tag, i, facts, p)
	}
	for i := range p.Rules {
		c.rule(element(path+".rules", i), e, p, &p.Rules[i])
	}
}

// rule reports what a rule needs to know of the equipment and never will.
func (c *checker) rule(path string, e *EquipmentFacts, p *Parameter, r *Rule) {
	if len(r.When) > 0 && c.field(path+".when", e, "phase") {
		c.values(path+".when", e, "phase", r.When)
	}
	if r.Kind == SPC && r.Chart.Per == PerPart {
		c.field(path+".kind", e, "serials")
	}
	if _, lots := e.Context["lot"]; !lots && len(c.d.AppliesWhen) == 0 && p.needsOperation(r) {
		c.problem(path+".kind", fmt.Sprintf("rule %s is decided at the end of an operation, and %s never knows of one", r.ID, e.Name), "say with applies_when when an operation is under way, or add lot under context of "+e.Name)
	}
}

// needsOperation says whether a rule can be decided only with a whole operation.
func (p *Parameter) needsOperation(r *Rule) bool {
	return NeedsOperation(r.Kind) || p.Computed != nil && p.Computed.Over != ""
}

// kind reports a tag whose values no rule could ever compare: text with a
// limit, or text with a number.
func (c *checker) kind(path, tag string, k sample.Kind, p *Parameter) {
	isText := k == sample.String
	if p.Computed != nil && isText {
		c.problem(path, fmt.Sprintf("the tag %s is text, and computed wants numbers", tag), "use another tag")
		return
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		switch {
		case k == sample.None || r.Kind == Frozen || p.Computed != nil:
		case r.Kind != Equals && isText:
			c.problem(path, fmt.Sprintf("the tag %s is text, and rule %s compares numbers", tag, r.ID), "use kind: equals, or another tag")
		case r.Kind == Equals && isText != (r.Expected.Kind() == sample.String):
			c.problem(path, fmt.Sprintf("the tag %s can never equal %s, which rule %s wants", tag, valueText(*r.Expected), r.ID), "text is written in quotes, a number or true and false without")
		}
	}
}

// InputUnit is the unit in which an input is judged: the parameter's, or the one
// that a window gives it; "" where no rule holds it against a number. mixed
// says that an expression makes the parameter's unit of whatever unit it has.
func (p *Parameter) InputUnit(input int) (unit string, mixed bool) {
	if p.Computed != nil && p.Computed.Kinetic == nil {
		return "", true
	}
	for i := range p.Rules {
		for _, x := range p.Rules[i].Ranges {
			if x.Input == input && x.Unit != p.Unit {
				return x.Unit, false
			}
		}
	}
	return p.Unit, false
}

// units reports a tag whose unit is not the one in which its values are judged.
func (c *checker) units(path, tag string, input int, facts TagFacts, p *Parameter) {
	want, mixed := p.InputUnit(input)
	if mixed {
		if facts.Unit == "" && facts.Kind != sample.Bool {
			c.problem(element(path+".inputs", input), fmt.Sprintf("the tag %s has no unit in the settings, and computed makes %s of it", tag, p.Unit), "give the tag its unit")
		}
		return
	}
	at := path + ".unit"
	if want != p.Unit {
		at = element(path+".inputs", input)
	}
	switch {
	case want == "" || want == facts.Unit:
	case facts.Unit == "":
		c.problem(at, fmt.Sprintf("the tag %s has no unit in the settings, the parameter has %s", tag, want), "give the tag its unit")
	default:
		c.problem(at, fmt.Sprintf("the tag %s is in %s, the parameter in %s", tag, facts.Unit, want), "units are never converted: they must be equal")
	}
}

// field reports a context field that the equipment can never know.
func (c *checker) field(path string, e *EquipmentFacts, field string) bool {
	if _, ok := e.Context[field]; ok {
		return true
	}
	c.problem(path, fmt.Sprintf("%s never knows its %s: the settings give it no such context", e.Name, field), "add "+field+" under context of "+e.Name)
	return false
}

func (c *checker) values(path string, e *EquipmentFacts, field string, values []string) {
	known := e.Context[field]
	for i, v := range values {
		if len(known) > 0 && !slices.Contains(known, v) {
			at := path
			if _, listed := c.d.places[element(path, i)]; listed {
				at = element(path, i)
			}
			c.problem(at, fmt.Sprintf("%s has no %s %q", e.Name, field, v), "it has "+strings.Join(known, ", "))
		}
	}
}

func nearTag(tag string, e *EquipmentFacts) string {
	tags := slices.Sorted(maps.Keys(e.Tags))
	if near := strictyaml.Nearest(tag, tags); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func listOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}
