package plant

import (
	"maps"
	"slices"
	"testing"
	"time"

	"andon/internal/config"
	"andon/internal/sample"
	"andon/internal/spec"
)

func newPlant(t *testing.T, o Options) *Plant {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// The specification that goes with the plant has the limits that its truth is
// counted with, rule for rule, whatever the step.
func TestSpecificationHasTheTruthsLimits(t *testing.T) {
	for _, step := range []time.Duration{DefaultStep, 40 * time.Millisecond, 2 * time.Second} {
		p := newPlant(t, Options{Step: step, Cycle: 40 * step})
		d, err := spec.Parse("HT-DEMO.A.spec.yaml", p.Specification())
		if err != nil {
			t.Fatalf("step %v: %v", step, err)
		}
		if d.ID != SpecID || d.Revision != SpecRevision || d.Effective.From == 0 || d.Effective.To != 0 {
			t.Errorf("step %v: got %s revision %s, %v", step, d.ID, d.Revision, d.Effective)
		}
		limits := Limits(step)
		for _, par := range d.Parameters {
			for _, r := range par.Rules {
				if len(limits) == 0 {
					t.Fatalf("step %v: rule %s/%s is not in the truth", step, par.ID, r.ID)
				}
				compareRule(t, limits[0], par, r)
				limits = limits[1:]
			}
			if par.Sampling.MaxGap != maxGapSteps*step || par.MissingData.UpTo <= 4*step+Settle/4 && step == DefaultStep {
				t.Errorf("step %v: %s: sampling %+v, missing data %+v", step, par.ID, par.Sampling, par.MissingData)
			}
		}
		if len(limits) != 0 {
			t.Errorf("step %v: the truth has rules that the specification has not: %v", step, limits)
		}
	}
}

func compareRule(t *testing.T, l Limit, par spec.Parameter, r spec.Rule) {
	t.Helper()
	same := func(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
	expected := ""
	if r.Expected != nil {
		expected = r.Expected.Text()
	}
	if l.Parameter != par.ID || l.Rule != r.ID || !slices.Equal(l.Tags, par.Inputs) || !same(l.High, r.High) || !same(l.Low, r.Low) ||
		l.Equals != expected || l.Deadband != r.Deadband || l.OffDelay != r.OffDelay || !slices.Equal(l.Phases, r.When) ||
		r.Scope != spec.AnyInput || r.OnDelay != 0 || r.EventDelay != 0 || r.Rejoin != 0 || r.OnFail != "" {
		t.Errorf("specification: %s %+v; truth: %+v", par.ID, r, l)
	}
}

// The settings that go with the plant are settings that a gateway takes, and
// they agree with the specification on every tag.
func TestSettingsAreAccepted(t *testing.T) {
	p := newPlant(t, Options{})
	file := "gateway: {id: demo, site: acme/demo}\ndata: {dir: data}\nspecs: {dir: specs, approvers: approvers.yaml}\n" + p.Settings("furnace-plc", 200*time.Millisecond)
	c, err := config.Parse("gateway.yaml", []byte(file), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	if len(c.Equipment) != 2 || len(c.Equipment[0].Tags) != len(furnaceTags()) {
		t.Fatalf("got %+v", c.Equipment)
	}
	d, err := spec.Parse("HT-DEMO.A.spec.yaml", p.Specification())
	if err != nil {
		t.Fatal(err)
	}
	kindOf := map[string]sample.Kind{"float64": sample.Float, "int32": sample.Int, "string": sample.String}
	var facts spec.Facts
	for _, e := range c.Equipment {
		one := spec.EquipmentFacts{Name: e.Name, Class: e.Class, Tags: map[string]spec.TagFacts{}, Context: map[string][]string{}}
		for _, tag := range e.Tags {
			one.Tags[tag.Name] = spec.TagFacts{Unit: tag.Unit, Kind: kindOf[tag.Type.Name]}
		}
		for _, b := range e.Context {
			one.Context[b.Field] = slices.Sorted(maps.Values(b.Values))
		}
		facts.Equipment = append(facts.Equipment, one)
	}
	if err := d.Check(facts); err != nil {
		t.Error(err)
	}
}
