package main

import (
	"path/filepath"
	"testing"

	"andon/internal/config"
	"andon/internal/spec"
	"andon/internal/spec/specdir"
)

// The example that we ship is without mistakes, has its proper name, and fits
// the settings that we ship.
func TestShippedSpecification(t *testing.T) {
	const path = "../../config/specs/HT-7075-T6.A.spec.yaml"
	p, err := specdir.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := spec.Parse(path, p.Document)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.ID+"."+d.Revision+".spec.yaml", filepath.Base(path); got != want {
		t.Errorf("it names itself %s and stands in %s", got, want)
	}
	c, err := config.Load("../../config/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Check(specFacts(c)); err != nil {
		t.Error(err)
	}
}
