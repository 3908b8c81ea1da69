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

// plant is equipment on which every can judge; edits change it.
func plant(edits ...func(*EquipmentFacts)) EquipmentFacts {
	tc, kpa := TagFacts{Unit: "[degF]", Kind: sample.Float}, TagFacts{Unit: "kPa"}
	e := EquipmentFacts{
		Name: "e1",
		Tags: map[string]TagFacts{
			"tc1": tc, "tc2": tc, "tc3": tc, "torque": {Unit: "N.m"}, "angle": {Unit: "deg"},
			"p_in": kpa, "p_out": {Unit: "bar"}, "store": {Unit: "Cel"}, "beat": {Kind: sample.String},
		},
		Context: map[string][]string{"phase": nil, "serials": nil},
	}
	for _, edit := range edits {
		edit(&e)
	}
	return e
}

func TestCheckEveryKind(t *testing.T) {
	tag := func(name string, f TagFacts) func(*EquipmentFacts) {
		return func(e *EquipmentFacts) { e.Tags[name] = f }
	}
	without := func(field string) func(*EquipmentFacts) {
		return func(e *EquipmentFacts) { delete(e.Context, field) }
	}
	always := strings.Replace(every, "applies_when: {phase: [heat, soak, cool]}\n", "", 1)
	for _, test := range []struct {
		name, document string
		edit           func(*EquipmentFacts)
		want           string // "" for none
	}{
		{"fits", every, func(*EquipmentFacts) {}, ""},
		{"the unit of a range", every, tag("angle", TagFacts{Unit: "rad"}), "parameters[1].inputs[1]: the tag e1/angle is in rad, the parameter in deg"},
		{"no unit of a range", every, tag("torque", TagFacts{}), "parameters[1].inputs[0]: the tag e1/torque has no unit in the settings, the parameter has N.m"},
		{"any unit for an expression", every, tag("p_in", TagFacts{Unit: "mbar"}), ""},
		{"no unit for an expression", every, tag("p_in", TagFacts{}), "parameters[2].inputs[0]: the tag e1/p_in has no unit in the settings, and computed makes kPa of it"},
		{"true and false have no unit", every, tag("p_in", TagFacts{Kind: sample.Bool}), ""},
		{"text in an expression", every, tag("p_in", TagFacts{Unit: "kPa", Kind: sample.String}), "parameters[2].inputs[0]: the tag e1/p_in is text, and computed wants numbers"},
		{"a kinetic mean has the unit of its input", every, tag("store", TagFacts{Unit: "K"}), "parameters[3].unit: the tag e1/store is in K, the parameter in Cel"},
		{"frozen takes text", every, tag("beat", TagFacts{Kind: sample.String}), ""},
		{"a point a part", every, without("serials"), "parameters[0].rules[13].kind: e1 never knows its serials"},
		{"the lot is the operation", always, func(e *EquipmentFacts) { e.Context["lot"] = nil }, ""},
		{"no operation", always, without("lot"), "parameters[0].rules[3].kind: rule soak is decided at the end of an operation, and e1 never knows of one"},
		{"no operation for a mean", always, without("lot"), "parameters[3].rules[0].kind: rule mkt is decided at the end of an operation, and e1 never knows of one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := mustParse(t, test.document).Check(Facts{[]EquipmentFacts{plant(test.edit)}})
			switch {
			case test.want == "" && err != nil:
				t.Fatal(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Fatalf("want %q in\n%v", test.want, err)
			}
		})
	}
}

func TestLint(t *testing.T) {
	always := strings.Replace(every, "applies_when: {phase: [heat, soak, cool]}\n", "", 1)
	lot := strings.Replace(always, "parameters:\n", "context_required: [lot]\nparameters:\n", 1)
	for name, document := range map[string]string{"applies when": every, "needs the lot": lot, "judges at once": good} {
		if err := mustParse(t, document).Lint(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := mustParse(t, always).Lint()
	if err == nil {
		t.Fatal("no operation is needed")
	}
	const want = "test.spec.yaml:18:26: parameters[0].rules[3].kind: rule soak is decided at the end of an operation, and the document does not say what one is (add applies_when, or lot to context_required: then a lot's stay is the operation)"
	if !strings.Contains(err.Error(), want) {
		t.Errorf("want %q in\n%v", want, err)
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 10 {
		t.Errorf("%d problems, want one for each of the 9 rules and the mean:\n%v", got, err)
	}
}
