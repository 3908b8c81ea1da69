package spec

import (
	"fmt"
	"slices"
	"strings"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// computed reads how one value is made of the inputs: an expression, or a mapping
// that names a known form.
func computed(n strictyaml.Node, par *Parameter) *Computed {
	switch {
	case !n.Present():
		return nil
	case n.IsMap():
		return kineticMean(n, par)
	}
	l := language{want: aNumber, names: map[string]variable{}}
	for i, tag := range par.Inputs {
		if cure := unnameable(tag); cure != "" {
			n.Problem(fmt.Sprintf("an expression cannot name the input %s", tag), cure)
			return &Computed{}
		}
		l.names[tag] = variable{i, aNumber}
	}
	return &Computed{Expression: strings.TrimSpace(n.Text()), program: l.compile(n)}
}

// unnameable is what to do about a tag that an expression cannot name; "" when
// it can.
func unnameable(tag string) string {
	_, function := functionOf(tag)
	reserved := []string{"and", "or", "not", "in", "let", "if", "else", "true", "false", "nil", "matches", "contains", "startsWith", "endsWith"}
	switch {
	case wordForm.FindString(tag) != tag:
		return "rename the tag in the settings: letters, digits and _, no digit first"
	case function || slices.Contains(reserved, tag):
		return "rename the tag in the settings: " + tag + " has a meaning of its own in expressions"
	}
	return ""
}

// kineticMean reads {mean_kinetic_temperature: INPUT, delta_h: kJ/mol, over:
// operation}.
func kineticMean(n strictyaml.Node, par *Parameter) *Computed {
	of, energy := n.Need("mean_kinetic_temperature"), n.Get("delta_h")
	k := &Kinetic{DeltaH: DefaultDeltaH, Unit: par.Unit}
	c := &Computed{Kinetic: k, Over: oneOfOr(n.Get("over"), OverOperation)}
	if energy.OK() {
		if k.DeltaH = energy.Float(); energy.OK() && k.DeltaH <= 0 {
			energy.Problem(fmt.Sprintf("delta_h %s", num(k.DeltaH)), "it is the activation energy in kJ/mol, above 0; 83.144 where no other is known")
		}
	}
	tag := of.Text()
	k.Input = max(0, slices.Index(par.Inputs, tag))
	switch {
	case !of.OK() || len(par.Inputs) == 0:
	case !slices.Contains(par.Inputs, tag):
		of.Problem(fmt.Sprintf("%q is not an input of the parameter", clip(tag)), "it has "+strings.Join(par.Inputs, ", "))
	case len(par.Inputs) > 1:
		of.Problem(fmt.Sprintf("the mean is of %s alone and the parameter has %d inputs", tag, len(par.Inputs)), "name one input: without the others' values there would be none")
	case par.Unit != "" && !slices.Contains([]string{"Cel", "K", "[degF]"}, par.Unit):
		of.Problem(fmt.Sprintf("a mean kinetic temperature in %s", par.Unit), "the parameter's unit is Cel, K or [degF]")
	}
	return c
}

// ofComputed refuses rules that a computed value cannot be asked about.
func ofComputed(n strictyaml.Node, r *Rule, c *Computed) {
	kind := n.Get("kind")
	switch r.Kind {
	case Equals:
		if r.Expected != nil && (r.Expected.Kind() == sample.String || r.Expected.Kind() == sample.Bool) {
			n.Get("value").Problem("a computed value is a number", "give a number; true is 1 and false is 0")
		}
	case High, Low, Band, Peak:
		return
	}
	if c.Over != "" {
		kind.Problem(fmt.Sprintf("a mean over the operation has no %s", r.Kind), "use high, low, band or peak")
	}
}

func classification(n strictyaml.Node) *Classification {
	if !n.Present() {
		return nil
	}
	list := n.Need("escalate_to_critical_when")
	nodes := []strictyaml.Node{list}
	if list.IsSeq() {
		nodes = list.Seq()
	}
	if list.OK() && len(nodes) == 0 {
		list.Problem("no condition", "remove classification: without it nothing is escalated")
	}
	var c Classification
	for _, e := range nodes {
		if p := factsLanguage().compile(e); p != nil {
			c.EscalateToCritical = append(c.EscalateToCritical, e.Text())
			c.programs = append(c.programs, p)
		}
	}
	return &c
}
