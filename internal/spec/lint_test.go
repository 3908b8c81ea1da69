package spec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// problemsOf are the lines of an error.
func problemsOf(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// TestLintNeverFires: what could never be out is said, at its place, and what
// could is not.
//
//andon:req Q13
func TestLintNeverFires(t *testing.T) {
	const head = "schema: andon.spec/1\nid: A\nrevision: 1\neffective: {from: 2026-01-01T00:00:00Z}\n"
	const parameter = "parameters: [{id: p, inputs: [x], unit: bar, %srules: [{id: r, kind: high, limit: 5}]}]\n"
	plain, par := fmt.Sprintf(parameter, ""), fmt.Sprintf(parameter, "par: [1, 6], ")
	for _, test := range []struct {
		name, document string
		want           []string
	}{
		{"an operation out of scope", `scope: {operation: "0040"}` + "\n" + `applies_when: {operation: ["0050", "0060"]}` + "\n" + plain, []string{
			"test.spec.yaml:6:27: applies_when.operation: operation 0050 or 0060 is never in scope, which is operation 0040: no rule could ever fire (make both name the same, or remove one)"}},
		{"one of them in scope", `scope: {operation: "0040"}` + "\n" + `applies_when: {operation: ["0050", "0040"]}` + "\n" + plain, nil},
		{"a material out of scope", "scope: {materials: [M1, M2]}\napplies_when: {material: M3}\n" + plain, []string{
			"test.spec.yaml:6:26: applies_when.material: material M3 is never in scope, which is material M1, M2: no rule could ever fire (make both name the same, or remove one)"}},
		{"a material of any scope", "applies_when: {material: M3}\n" + plain, nil},
		{"outside a par that there is not", plain + "classification: {escalate_to_critical_when: [outside_for > 1h, product_exposed and outside_par_for > 5min]}\n", []string{
			`test.spec.yaml:6:45: classification.escalate_to_critical_when: "product_exposed and outside_par_for > 5min" asks for outside_par_for, and no parameter has a par: it is always 0 (give the parameters their par, or ask for outside_for)`}},
		{"outside a par", par + "classification: {escalate_to_critical_when: [outside_par_for > 5min]}\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, problemsOf(mustParse(t, head+test.document).Lint())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestLintOn: a rule is idle exactly when no good value of its inputs can break
// it; a limit at the end of the range cannot be passed.
//
//andon:req Q13
func TestLintOn(t *testing.T) {
	const head = "schema: andon.spec/1\nid: A\nrevision: 1\neffective: {from: 2026-01-01T00:00:00Z}\napplies_when: {phase: run}\nscope: {equipment: [e1]}\nparameters:\n  - {id: p, inputs: [x, y], unit: bar, %s}\n"
	wide, narrow := &[2]float64{0, 100}, &[2]float64{0, 50}
	for _, test := range []struct {
		name, keys string
		x, y       *[2]float64
		want       []string // paths
	}{
		{"high within", "rules: [{id: r, kind: high, limit: 99}]", wide, narrow, nil},
		{"high at the end", "rules: [{id: r, kind: high, limit: 100}]", wide, narrow, []string{"rules[0].kind"}},
		{"high beyond", "rules: [{id: r, kind: high, limit: 60}]", narrow, narrow, []string{"rules[0].kind"}},
		{"one input may be anything", "rules: [{id: r, kind: high, limit: 100}]", nil, narrow, nil},
		{"low at the end", "rules: [{id: r, kind: low, limit: 0}]", wide, wide, []string{"rules[0].kind"}},
		{"a band of which one end is within", "rules: [{id: r, kind: band, limit: [0, 90]}]", wide, wide, nil},
		{"a band beyond", "rules: [{id: r, kind: band, limit: [-1, 101]}]", wide, wide, []string{"rules[0].kind"}},
		{"a peak", "rules: [{id: r, kind: peak, max: 100}]", wide, wide, []string{"rules[0].kind"}},
		{"a spread", "rules: [{id: r, kind: spread, max: 100}, {id: q, kind: spread, max: 99}]", wide, narrow, []string{"rules[0].kind"}},
		{"time above what never is", "rules: [{id: r, kind: above, value: 100, max: 5s}, {id: q, kind: above, value: 100, min: 5s}, {id: s, kind: below, value: 0, max: 5s}]", wide, wide, []string{"rules[0].kind", "rules[2].kind"}},
		{"target and ranges", "target: 100.5, par: [-5, 105], nor: [0, 102], rules: [{id: r, kind: high, limit: 50}]", wide, wide, []string{"nor", "par", "target"}},
		{"ranges that fit", "target: 100, par: [0, 100], rules: [{id: r, kind: high, limit: 50}]", wide, wide, nil},
		{"a computed value may be anything", "computed: x + y, rules: [{id: r, kind: high, limit: 150}]", wide, wide, nil},
		{"a rule of another kind", "rules: [{id: r, kind: frozen, for: 5s}]", wide, wide, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			document := fmt.Sprintf(head, test.keys)
			e := EquipmentFacts{Name: "e1", Tags: map[string]TagFacts{"x": {Range: test.x}, "y": {Range: test.y}}}
			other := EquipmentFacts{Name: "e2", Tags: map[string]TagFacts{"x": {Range: &[2]float64{0, 1}}, "y": {Range: &[2]float64{0, 1}}}}
			lines := problemsOf(mustParse(t, document).LintOn(Facts{[]EquipmentFacts{e, other}}))
			if len(lines) != len(test.want) {
				t.Fatalf("%d problems, want %d:\n%s", len(lines), len(test.want), strings.Join(lines, "\n"))
			}
			all := strings.Join(lines, "\n")
			for _, path := range test.want {
				if !strings.Contains(all, " parameters[0]."+path+": ") || strings.Contains(all, "spec.yaml: ") {
					t.Errorf("no %s with its place in\n%s", path, all)
				}
			}
		})
	}
}

//andon:req Q13
func TestLintTogether(t *testing.T) {
	// one is a document of an id and revision, effective and in a scope, with a
	// parameter.
	one := func(name, effective, scope, parameter string) *Document {
		id, revision, _ := strings.Cut(name, ".")
		d, err := Parse(name+".spec.yaml", fmt.Appendf(nil, "schema: andon.spec/1\nid: %s\nrevision: %s\neffective: {%s}\nscope: {%s}\nparameters: [{id: %s, inputs: [x], unit: bar, rules: [{id: r, kind: high, limit: 5}]}]\n", id, revision, effective, scope, parameter))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const year, next, open = "from: 2026-01-01T00:00:00Z, to: 2027-01-01T00:00:00Z", "from: 2027-01-01T00:00:00Z, to: 2028-01-01T00:00:00Z", "from: 2026-06-01T00:00:00Z"
	const e1, e2, all = "equipment: [e1]", "equipment: [e2]", "operation: all"
	facts := &Facts{[]EquipmentFacts{{Name: "e1", Class: "k"}, {Name: "e2", Class: "m"}}}
	for _, test := range []struct {
		name  string
		docs  []*Document
		facts *Facts
		want  string // "" for none
	}{
		{"one after the other", []*Document{one("L.A", year, e1, "p"), one("L.B", next, e1, "p")}, nil, ""},
		{"the next ends the one before", []*Document{one("L.A", year, e1, "p"), one("L.B", open, e1, "p")}, nil, ""},
		{"the same file twice", []*Document{one("L.A", year, e1, "p"), one("L.A", year, e1, "p")}, nil, ""},
		{"other bytes", []*Document{one("L.A", year, e1, "p"), one("L.A", open, e1, "p")}, nil,
			"L.A.spec.yaml:3:11: revision: L revision A is L.A.spec.yaml too, with other bytes (one revision is one document: a change needs a new revision)"},
		{"from one instant", []*Document{one("L.A", year, e1, "p"), one("L.B", year, e2, "q")}, nil,
			"L.B.spec.yaml:4:19: effective.from: revision A (L.A.spec.yaml) is effective from the same instant: the one that is installed last would judge (let the later revision begin later)"},
		{"nothing behind it", []*Document{one("L.B", "from: 2026-02-01T00:00:00Z, to: 2026-03-01T00:00:00Z", e1, "p"), one("L.A", year, e1, "p")}, nil,
			"L.B.spec.yaml:4:45: effective.to: it ends at 2026-03-01T00:00:00.000Z, and revision A (L.A.spec.yaml), which goes on after that, does not come back: nothing would judge from then on (let it end no sooner, or issue the revision that follows it)"},
		{"one behind it", []*Document{one("L.A", year, e1, "p"), one("L.B", "from: 2026-02-01T00:00:00Z, to: 2026-03-01T00:00:00Z", e1, "p"), one("L.C", "from: 2026-03-01T00:00:00Z", e1, "p")}, nil, ""},
		{"one parameter in two", []*Document{one("L.A", year, e1, "p"), one("M.A", open, e1, "p")}, nil,
			"M.A.spec.yaml:6:19: parameters[0].id: L revision A (L.A.spec.yaml) judges a parameter p on the same equipment at the same time (give it an id of its own: events and alarms are told apart by it)"},
		{"at other times", []*Document{one("L.A", year, e1, "p"), one("M.A", next, e1, "p")}, nil, ""},
		{"other parameters", []*Document{one("L.A", year, e1, "p"), one("M.A", year, e1, "q")}, nil, ""},
		{"other equipment", []*Document{one("L.A", year, e1, "p"), one("M.A", year, e2, "p")}, nil, ""},
		{"everything and one", []*Document{one("L.A", year, all, "p"), one("M.A", year, e2, "p")}, nil, "M.A.spec.yaml:6:19"},
		{"other classes", []*Document{one("L.A", year, "equipment_class: k", "p"), one("M.A", year, "equipment_class: m", "p")}, nil, ""},
		{"one class", []*Document{one("L.A", year, "equipment_class: k", "p"), one("M.A", year, "equipment_class: k", "p")}, nil, "M.A.spec.yaml:6:19"},
		{"a class and a name, unknown", []*Document{one("L.A", year, "equipment_class: k", "p"), one("M.A", year, e1, "p")}, nil, ""},
		{"a class and a name of it", []*Document{one("L.A", year, "equipment_class: k", "p"), one("M.A", year, e1, "p")}, facts, "M.A.spec.yaml:6:19"},
		{"a class and a name of another", []*Document{one("L.A", year, "equipment_class: k", "p"), one("M.A", year, e2, "p")}, facts, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := problemsOf(LintTogether(test.docs, test.facts))
			if len(got) > 1 || (len(got) == 0) != (test.want == "") || len(got) == 1 && !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), test.want)
			}
		})
	}
}
