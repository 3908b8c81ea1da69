package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

type object = map[string]any

func load(t *testing.T, name string) object {
	t.Helper()
	b, err := Schema(name)
	if err != nil {
		t.Fatal(err)
	}
	var s object
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// checker holds values against a schema, as far as ours use the language; a word
// that it does not know is an error, so that none is only decoration.
type checker struct{ root object }

func (c checker) check(s object, v any, at string) error {
	for word, x := range s {
		if err := c.word(s, word, x, v, at); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) word(s object, word string, x, v any, at string) error {
	m, isMap := v.(object)
	list, isList := v.([]any)
	text, isText := v.(string)
	n, isNumber := v.(float64)
	wrong := func(why string) error { return fmt.Errorf("%s: %s (%v)", at, why, v) }
	switch word {
	case "$schema", "$id", "$defs", "title", "description", "format":
	case "$ref":
		name := strings.TrimPrefix(x.(string), "#/$defs/")
		return c.check(c.root["$defs"].(object)[name].(object), v, at)
	case "type":
		if !hasType(x, v) {
			return wrong(fmt.Sprintf("is not %v", x))
		}
	case "const":
		if v != x {
			return wrong(fmt.Sprintf("is not %v", x))
		}
	case "enum":
		if !slices.Contains(x.([]any), v) {
			return wrong(fmt.Sprintf("is none of %v", x))
		}
	case "pattern":
		if isText && !regexp.MustCompile(x.(string)).MatchString(text) {
			return wrong("does not match " + x.(string))
		}
	case "minimum":
		if isNumber && n < x.(float64) {
			return wrong("is too small")
		}
	case "maximum":
		if isNumber && n > x.(float64) {
			return wrong("is too great")
		}
	case "minItems", "maxItems":
		if isList && (word == "minItems") == (float64(len(list)) < x.(float64)) && float64(len(list)) != x.(float64) {
			return wrong("has a wrong number of elements")
		}
	case "items":
		for i, e := range list {
			if err := c.check(x.(object), e, at+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
	case "required":
		for _, name := range x.([]any) {
			if _, ok := m[name.(string)]; isMap && !ok {
				return wrong("has no " + name.(string))
			}
		}
	case "properties":
		for name, sub := range x.(object) {
			if e, ok := m[name]; ok {
				if err := c.check(sub.(object), e, at+"."+name); err != nil {
					return err
				}
			}
		}
	case "propertyNames":
		for name := range m {
			if err := c.check(x.(object), name, at+" key"); err != nil {
				return err
			}
		}
	case "additionalProperties":
		return c.additional(s, x, m, at)
	case "anyOf", "oneOf":
		return c.alternatives(word, x.([]any), v, at)
	default:
		return fmt.Errorf("%s: the schema uses %s, which the test does not know", at, word)
	}
	return nil
}

func (c checker) additional(s object, x any, m object, at string) error {
	known, _ := s["properties"].(object)
	for name, e := range m {
		if _, ok := known[name]; ok {
			continue
		}
		sub, open := x.(object)
		if !open && x != true {
			return fmt.Errorf("%s: unknown key %s", at, name)
		}
		if err := c.check(sub, e, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) alternatives(word string, list []any, v any, at string) error {
	var fits int
	var all []string
	for _, sub := range list {
		if err := c.check(sub.(object), v, at); err != nil {
			all = append(all, err.Error())
		} else {
			fits++
		}
	}
	if fits == 0 || word == "oneOf" && fits > 1 {
		return fmt.Errorf("%s: %d of the forms fit: %s", at, fits, strings.Join(all, "; "))
	}
	return nil
}

func hasType(want, v any) bool {
	if list, ok := want.([]any); ok {
		return slices.ContainsFunc(list, func(w any) bool { return hasType(w, v) })
	}
	switch v := v.(type) {
	case object:
		return want == "object"
	case []any:
		return want == "array"
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case float64:
		return want == "number" || want == "integer" && v == math.Trunc(v)
	case nil:
		return want == "null"
	}
	return false
}

// fromYAML makes what JSON would be of a YAML node: a date is text.
func fromYAML(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.DocumentNode:
		return fromYAML(t, n.Content[0])
	case yaml.MappingNode:
		m := object{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = fromYAML(t, n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, e := range n.Content {
			list = append(list, fromYAML(t, e))
		}
		return list
	}
	if n.Tag == "!!null" {
		return nil
	}
	var v any
	if n.Tag != "!!timestamp" {
		if err := n.Decode(&v); err != nil {
			t.Fatal(err)
		}
	}
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64, bool, string:
		return v
	}
	return n.Value
}

func readYAML(t *testing.T, file string) any {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var n yaml.Node
	if err := yaml.Unmarshal(b, &n); err != nil {
		t.Fatal(err)
	}
	return fromYAML(t, &n)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %v, %v", pattern, list, err)
	}
	return list
}

// TestExamplesFit: what is shipped, and what the readers' own tests take, has
// the form.
func TestExamplesFit(t *testing.T) {
	for name, list := range map[string][]string{
		"gateway": {"../../config/gateway.yaml", "../config/testdata/minimal.yaml"},
		"spec":    append(glob(t, "../../config/specs/*.spec.yaml"), glob(t, "../spec/testdata/*.spec.yaml")...),
	} {
		s := load(t, name)
		for _, file := range list {
			if err := (checker{s}).check(s, readYAML(t, file), ""); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// TestWrongOnesDoNot: a form that took everything would be of no use.
func TestWrongOnesDoNot(t *testing.T) {
	s := load(t, "gateway")
	for _, file := range []string{"unknown_key", "gateway_id", "gateway_missing", "gateway_id_missing", "opcua_endpoint", "source_kind", "secret", "modbus_order", "uplink_empty", "panel"} {
		if err := (checker{s}).check(s, readYAML(t, "../config/testdata/bad/"+file+".yaml"), ""); err == nil {
			t.Errorf("%s.yaml fits", file)
		}
	}
	s = load(t, "spec")
	for _, file := range []string{"class_unknown", "criticality_unknown", "duration_unit", "id_missing", "inputs_none", "kind_unknown", "limits_exclusive", "rules_none", "schema_other", "yaml_unknown_key_in_rule"} {
		if err := (checker{s}).check(s, readYAML(t, "../../testdata/specs/bad/"+file+".yaml"), ""); err == nil {
			t.Errorf("%s.yaml fits", file)
		}
	}
}

// TestEventsFit: every payload of the engine's golden file, byte for byte what
// is sent.
func TestEventsFit(t *testing.T) {
	b, err := os.ReadFile("../engine/testdata/payloads.golden")
	if err != nil {
		t.Fatal(err)
	}
	s, n := load(t, "events"), 0
	for line := range strings.Lines(string(b)) {
		topic, payload, _ := strings.Cut(line, " ")
		var v object
		if err := json.Unmarshal([]byte(payload), &v); err != nil {
			t.Fatal(err)
		}
		if err := (checker{s}).check(s, v, topic); err != nil {
			t.Error(err)
		}
		v["lane"] = "record"
		if (checker{s}).check(s, v, topic) == nil {
			t.Errorf("%s of lane record fits", topic)
		}
		n++
	}
	if n < 10 {
		t.Errorf("%d payloads", n)
	}
}

// keysRead are the keys that a reader asks its files for.
func keysRead(t *testing.T, pattern string) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	ask := regexp.MustCompile(`\.(?:Get|Need)\("([a-z_]+)"\)`)
	for _, file := range glob(t, pattern) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ask.FindAllStringSubmatch(string(b), -1) {
			keys[m[1]] = true
		}
	}
	return keys
}

// keysNamed are the names of all properties of a schema, at any depth.
func keysNamed(v any, keys map[string]bool) {
	switch v := v.(type) {
	case object:
		if p, ok := v["properties"].(object); ok {
			for name := range p {
				keys[name] = true
			}
		}
		for _, e := range v {
			keysNamed(e, keys)
		}
	case []any:
		for _, e := range v {
			keysNamed(e, keys)
		}
	}
}

// TestEveryKey: the schemas name the keys that are read, all of them and no
// others.
func TestEveryKey(t *testing.T) {
	for name, pattern := range map[string]string{"gateway": "../config/*.go", "spec": "../spec/parse*.go"} {
		read, named := keysRead(t, pattern), map[string]bool{}
		keysNamed(load(t, name), named)
		for key := range read {
			if !named[key] {
				t.Errorf("%s: the key %s is read and not in the schema", name, key)
			}
		}
		for key := range named {
			if !read[key] {
				t.Errorf("%s: the key %s is in the schema and not read", name, key)
			}
		}
		if len(read) < 20 {
			t.Errorf("%s: only %d keys found", name, len(read))
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range Names() {
		if b, err := Schema(name); err != nil || !utf8.Valid(b) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Schema("../go"); err == nil {
		t.Error("a schema that there is not")
	}
}
