package spec

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"andon/internal/sample"
)

// TestDiffWords holds the words against what a quality engineer is to read.
//
//andon:req Q9 Q53
func TestDiffWords(t *testing.T) {
	edits := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(good) }
	const over = "      - {id: over, kind: high, limit: usl, scope: any_input, on_delay: 5s, off_delay: 30s, event_delay: 1min, deadband: 2, rejoin: 10s, always: true, class: major}\n"
	const normal = "      - {id: normal, kind: band, limit: nor, scope: mean, when: soak, class: minor, on_lot_change: split}\n"
	for _, test := range []struct {
		name, old, new string
		want           []string
	}{
		{"the same", good, good, nil},
		{"only how it is written", good, "# reviewed twice\n" + edits("accept_uncertain: false", "accept_uncertain:  false  # as always", "lsl: 875, usl: 895", "usl: 895.0, lsl: 875"), nil},
		{"a limit and the rules that use it", good, edits("usl: 895,", "usl: 896,"), []string{
			"load_temp: usl: 895 -> 896 [degF]",
			"load_temp: rule over: upper limit: 895 -> 896 [degF]",
			"load_temp: rule spec: upper limit: 895 -> 896 [degF]",
		}},
		{"a name for a number", good, edits("limit: usl, scope", "limit: 895, scope"), []string{"load_temp: rule over: limit by name: usl -> a number of its own"}},
		{"delays, class and phases", good, edits("on_delay: 5s", "on_delay: 45s", "always: true, class: major", "when: [heat, soak], class: critical, on_fail: nonconformance"), []string{
			"load_temp: rule over: on_delay: 5s -> 45s",
			"load_temp: rule over: always: yes -> no",
			"load_temp: rule over: when: no phase named -> heat, soak",
			"load_temp: rule over: class: major -> critical",
			"load_temp: rule over: on_fail: a deviation -> nonconformance",
		}},
		{"effective and scope", good, edits(", to: 2027-03-01T00:00:00-05:00", "", "materials: [7075-FRAME, 7075-BRKT], ", "", "{phase: [heat, soak]}", "{phase: [heat, soak], recipe: R-1}"), []string{
			"effective: to: 2027-03-01T05:00:00.000Z -> no end",
			"scope: materials: 7075-FRAME, 7075-BRKT -> any",
			"applies_when: recipe: any -> R-1",
		}},
		{"texts", good, edits("Load temperature out of band", `Load it \"hot\"`, "revision: D", "revision: E"), []string{
			"revision: D -> E",
			`load_temp: alarm: text: "Load temperature out of band" -> "Load it \"hot\""`,
		}},
		{"a rule less", good, edits(over, ""), []string{"load_temp: rule over: removed"}},
		{"a rule more", edits(over, ""), good, []string{"load_temp: rule over: added"}},
		{"rules exchanged", good, edits(over, normal, normal, over), []string{"load_temp: rules: in another order: normal, over, spec, low"}},
		{"a parameter more", good, good + "  - {id: p, inputs: [x], unit: bar, rules: [{id: r, kind: low, limit: 5}]}\n", []string{"parameter p: added"}},
		{"a computed value", every, strings.Replace(every, "p_in > 0 ? p_in - p_out : 0", "p_in - p_out", 1), []string{"dp: computed: p_in > 0 ? p_in - p_out : 0 -> p_in - p_out"}},
		{"a soak, a slope, a profile, ranges", every, strings.NewReplacer("min: 45min, max: 75min", "min: 50min", `unit: "[degF]/min", scope`, `unit: "[degF]/h", scope`, "[45min, 870, null]", "[50min, 870, null]", "angle: [40, null]}", "angle: [40, 90]}").Replace(every), []string{
			"load_temp: rule ramp: unit: [degF]/min (a slope per 1min) -> [degF]/h (a slope per 1h)",
			"load_temp: rule soak: min: 45min -> 50min",
			"load_temp: rule soak: max: 75min -> none",
			"load_temp: rule golden: profile: at 50min: no point -> at least 870 [degF]",
			"load_temp: rule golden: profile: at 45min: at least 870 [degF] -> no point",
			"joint: rule final: ranges: angle: at least 40 deg -> within 40..90 deg",
		}},
		{"a classification", every, every[:strings.Index(every, "classification:")], []string{
			`classification: critical when: product_exposed and special_process and outside_par_for > 5min, or when class == "major" and outside_for > 1h -> never`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, c := range Diff(mustParse(t, test.old), mustParse(t, test.new)) {
				got = append(got, c.Words)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDiffWhole: a rule that is new is there in words, and its path names it.
func TestDiffWhole(t *testing.T) {
	const low = "      - {id: low, kind: low, limit: 870.5, class: signal}\n"
	got := Diff(mustParse(t, strings.Replace(good, low, "", 1)), mustParse(t, good))
	want := []Change{{Path: "parameters[load_temp].rules[low]", Words: "load_temp: rule low: added",
		New: "rule low: out when any input is below 870.5 [degF]\n  judged while the specification applies\n  raises a signal at once, its alarm at once\n  over at once; a change of lot does not end it"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if d := Diff(mustParse(t, good), mustParse(t, strings.Replace(good, "unit: \"[degF]\"", "unit: Cel", 1))); len(d) != 1 || d[0] != (Change{"parameters[load_temp].unit", "[degF]", "Cel", "load_temp: unit: [degF] -> Cel"}) {
		t.Errorf("another unit: %+v", d)
	}
}

// uncompared are the fields that Diff leaves out, and why.
var uncompared = map[string]string{
	"Document.SHA256": "it is of the bytes, and Diff compares what they say",
}

// TestDiffCoversEveryField changes every field of documents that have
// everything, one at a time, and wants Diff to tell, both ways. A field
// that is added to Document or to what it is made of without words in Diff, or
// without a place in these documents, fails here.
//
//andon:req Q9
func TestDiffCoversEveryField(t *testing.T) {
	visited := map[string]bool{}
	for name, document := range map[string]string{"good": good, "every": every} {
		original, changed := mustParse(t, document), mustParse(t, document)
		if d := Diff(original, changed); len(d) > 0 {
			t.Fatalf("%s: differs from itself: %+v", name, d)
		}
		eachField(reflect.ValueOf(changed).Elem(), "Document", func(field, change string) {
			visited[field] = true
			there, back := Diff(original, changed), Diff(changed, original)
			if _, left := uncompared[field]; left {
				return
			}
			if len(there) == 0 || len(back) == 0 {
				t.Errorf("%s: %s %s: %d changes, and %d back", name, field, change, len(there), len(back))
			}
			for _, c := range there {
				if c.Path == "" || c.Words == "" || c.Old == c.New || strings.Contains(c.Words, ": : ") {
					t.Errorf("%s: %s %s: %+v", name, field, change, c)
				}
			}
		})
	}
	for _, field := range fieldsOf(reflect.TypeFor[Document](), "Document", nil) {
		if !visited[field] {
			t.Errorf("%s is in none of the documents that this test changes", field)
		}
	}
}

// leaf says of which types no field is looked into.
func leaf(t reflect.Type) bool { return t == reflect.TypeFor[sample.Value]() }

// fieldsOf lists the exported fields of a type and of what it is made of, each
// as Type.Field.
func fieldsOf(t reflect.Type, name string, list []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || leaf(t) {
		return append(list, name)
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			list = fieldsOf(f.Type, t.Name()+"."+f.Name, list)
		}
	}
	return list
}

// eachField changes what v is made of, one value at a time, calls told, and
// changes it back.
func eachField(v reflect.Value, name string, told func(field, change string)) {
	set := func(to any, change string) {
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		v.Set(reflect.ValueOf(to).Convert(v.Type()))
		told(name, change)
		v.Set(before)
	}
	switch v.Kind() {
	case reflect.Struct:
		if leaf(v.Type()) {
			set(sample.StringValue("changed"), "another value")
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				eachField(v.Field(i), v.Type().Name()+"."+f.Name, told)
			}
		}
	case reflect.Pointer:
		if v.IsNil() {
			return // the other way round is none of it where there is one
		}
		set(reflect.Zero(v.Type()).Interface(), "none")
		eachField(v.Elem(), name, told)
	case reflect.Slice:
		if v.Len() > 0 {
			set(v.Slice(0, v.Len()-1).Interface(), "one less")
		}
		for i := range v.Len() {
			eachField(v.Index(i), name, told)
		}
	case reflect.Array:
		for i := range v.Len() {
			eachField(v.Index(i), name, told)
		}
	case reflect.String:
		set(v.String()+"x", "another text")
	case reflect.Bool:
		set(!v.Bool(), "the opposite")
	case reflect.Float64:
		to := v.Float() + 1.5
		if math.IsInf(to, 0) {
			to = 400
		}
		set(to, "another number")
	case reflect.Int, reflect.Int64:
		set(v.Int()+int64(another(v.Type())), "another number")
	default:
		panic(fmt.Sprintf("%s: cannot change a %s", name, v.Type()))
	}
}

// another is how far another whole number is: documents know nothing finer than
// a millisecond.
func another(t reflect.Type) time.Duration {
	if t.Kind() == reflect.Int {
		return 1
	}
	return time.Minute
}
