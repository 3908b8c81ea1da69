package spec

import (
	"strings"
	"testing"

	"andon/internal/sample"
)

// furnace is equipment on which good can judge; edits change it.
func furnace(name string, edits ...func(*EquipmentFacts)) EquipmentFacts {
	e := EquipmentFacts{
		Name: name, Class: "furnace-class-2",
		Tags: map[string]TagFacts{
			"tc1": {Unit: "[degF]", Kind: sample.Float}, "tc2": {Unit: "[degF]"},
			"recipe": {Kind: sample.String}, "phase": {Kind: sample.Int},
		},
		Context: map[string][]string{"phase": {"idle", "heat", "soak"}, "lot": nil, "work_order": nil},
	}
	for _, edit := range edits {
		edit(&e)
	}
	return e
}

func TestCheck(t *testing.T) {
	tag := func(name string, f TagFacts) func(*EquipmentFacts) {
		return func(e *EquipmentFacts) { e.Tags[name] = f }
	}
	for _, test := range []struct {
		name      string
		equipment []EquipmentFacts
		want      []string
	}{
		{"fits", []EquipmentFacts{furnace("furn-03"), furnace("furn-04"), {Name: "press-1"}}, nil},
		{"none here", []EquipmentFacts{{Name: "press-1", Class: "press"}, furnace("furn-09")},
			[]string{"f.yaml:7:8: scope: no equipment of this gateway is in scope: equipment furn-03, furn-04; equipment class furnace-class-2; operation 0040; materials 7075-FRAME, 7075-BRKT (this gateway has press-1, furn-09)"}},
		{"no equipment at all", nil, []string{"(this gateway has no equipment)"}},
		{"other class", []EquipmentFacts{furnace("furn-03", func(e *EquipmentFacts) { e.Class = "" })}, []string{"no equipment of this gateway is in scope"}},
		{"no tag", []EquipmentFacts{furnace("furn-03", func(e *EquipmentFacts) { delete(e.Tags, "tc2"); e.Tags["tc-2"] = TagFacts{} })},
			[]string{`f.yaml:14:19: parameters[0].inputs[1]: furn-03 has no tag "tc2" (did you mean "tc-2"?)`}},
		{"one of two", []EquipmentFacts{furnace("furn-03"), furnace("furn-04", tag("tc1", TagFacts{Unit: "Cel"}))},
			[]string{"f.yaml:15:11: parameters[0].unit: the tag furn-04/tc1 is in Cel, the parameter in [degF] (units are never converted: they must be equal)"}},
		{"no unit", []EquipmentFacts{furnace("furn-03", tag("tc1", TagFacts{}))},
			[]string{"parameters[0].unit: the tag furn-03/tc1 has no unit in the settings, the parameter has [degF]"}},
		{"text tag", []EquipmentFacts{furnace("furn-03", tag("tc1", TagFacts{Unit: "[degF]", Kind: sample.String}))},
			[]string{"parameters[0].inputs[0]: the tag furn-03/tc1 is text, and rule over compares numbers"}},
		{"never equal", []EquipmentFacts{furnace("furn-03", tag("recipe", TagFacts{Kind: sample.Int}))},
			[]string{`parameters[1].inputs[0]: the tag furn-03/recipe can never equal "R-885", which rule right wants`}},
		{"phase in applies_when", []EquipmentFacts{furnace("furn-03", func(e *EquipmentFacts) { e.Context["phase"] = []string{"heat", "halt"} })},
			[]string{
				`f.yaml:9:30: applies_when.phase[1]: furn-03 has no phase "soak" (it has heat, halt)`,
				`f.yaml:25:65: parameters[0].rules[1].when: furn-03 has no phase "soak"`,
			}},
		{"any phase", []EquipmentFacts{furnace("furn-03", func(e *EquipmentFacts) { e.Context["phase"] = nil })}, nil},
		{"no phase", []EquipmentFacts{furnace("furn-03", func(e *EquipmentFacts) { delete(e.Context, "phase") })},
			[]string{"applies_when.phase: furn-03 never knows its phase: the settings give it no such context (add phase under context of furn-03)"}},
		{"needed context", []EquipmentFacts{furnace("furn-03", func(e *EquipmentFacts) { delete(e.Context, "work_order") })},
			[]string{"f.yaml:8:20: context_required[0]: furn-03 never knows its work_order"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse("f.yaml", []byte(good))
			if err != nil {
				t.Fatal(err)
			}
			err = d.Check(Facts{test.equipment})
			if len(test.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatal("fits")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("missing %q in\n%v", want, err)
				}
			}
		})
	}
}
