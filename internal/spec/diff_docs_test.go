package spec

import (
	"os"
	"strings"
	"testing"
)

// TestDocumentedDiff holds the example in docs/spec-control.md to what is printed
// for the shipped specification and the changes that the example is about.
func TestDocumentedDiff(t *testing.T) {
	b, err := os.ReadFile("../../config/specs/HT-7075-T6.A.spec.yaml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/spec-control.md")
	if err != nil {
		t.Fatal(err)
	}
	const normal = "      - {id: normal,"
	next := strings.NewReplacer("\nrevision: A ", "\nrevision: B ", "CR-0912", "CR-1044", "First issue for edge monitoring", "Tighter upper limit after QR-81",
		"2026-03-01T06:00:00-05:00", "2026-12-07T06:00:00-05:00", "usl: 895, incl", "usl: 893, incl", "event_delay: 2min", "event_delay: 5min", "respond_within: 3min", "respond_within: 2min",
		normal, "      - {id: ramp, kind: rate, window: 5min, max: 12, unit: \"[degF]/min\", when: heat, class: minor}\n"+normal).Replace(string(b))
	changes := Diff(mustParse(t, string(b)), mustParse(t, next))
	if len(changes) != 9 {
		t.Errorf("%d changes, the example is about 9: %+v", len(changes), changes)
	}
	for _, c := range changes {
		if !strings.Contains(string(page), "\n"+c.Words+"\n") {
			t.Errorf("the page does not say %q", c.Words)
		}
	}
}
