package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/engine"
	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// TestSpecsOf: revisions are listed with how they stand at the instant, those in
// force first, and what was superseded stays so when the clock steps back.
//
//andon:req Q9 Q10
func TestSpecsOf(t *testing.T) {
	hour := func(n int) sample.Time { return at0.Add(time.Duration(n) * time.Hour) }
	s := engine.New()
	for _, x := range []struct {
		id, revision string
		from, at     int
	}{{"L", "A", 0, 1}, {"L", "B", 10, 2}, {"M", "A", 30, 3}} {
		document := fmt.Appendf(nil, "schema: andon.spec/1\nid: %s\nrevision: %s\neffective: {from: %s}\nparameters: [{id: p, inputs: [tc1], unit: Cel, rules: [{id: r, kind: high, limit: 5}]}]\n", x.id, x.revision, hour(x.from))
		var err error
		if s.Register, _, err = s.Register.Install(spec.Installed{Document: document, At: hour(x.at)}); err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range map[int]string{
		1:  "L A in force, L B pending, M A pending",
		10: "L B in force, M A pending, L A superseded",
		30: "L B in force, M A in force, L A superseded",
	} {
		if got := standing(specsOf(s, hour(at))); got != want {
			t.Errorf("hour %d: %s, want %s", at, got, want)
		}
	}
	s.At, s.Reached = hour(5), hour(10) // the clock has stepped back behind the switch
	if got, want := standing(newViewer("v").specifications(s)), "L B in force, M A pending, L A superseded"; got != want {
		t.Errorf("after a step back: %s, want %s", got, want)
	}
	all := s.Register.All()
	all[2].WithdrawnAt = hour(11)
	if specKey(s, all) == specKey(s, s.Register.All()) {
		t.Error("a withdrawal of what is not in force yet is not shown")
	}
	if then := standing(panel.SpecsAt(specsOf(s, hour(30)), panel.Instant(hour(9)))); then != "L A superseded" {
		t.Errorf("in force at hour 9: %s", then)
	}
}

// TestPolicyOf: a signature is printed with the name that the list of approvers
// had for it when the revision was installed.
//
//andon:req Q14
func TestPolicyOf(t *testing.T) {
	people := ""
	for id, role := range map[string]string{"ann": "process", "eve": "process", "quinn": "quality"} {
		_, public, err := note.GenerateKey(nil, id)
		if err != nil {
			t.Fatal(err)
		}
		people += fmt.Sprintf("  - {id: %s, name: %s NAME, role: %s, key: %q}\n", id, id, role, public)
	}
	list := func(revision int, name string) []byte {
		return fmt.Appendf(nil, "schema: andon.approvers/1\nrevision: %d\npeople:\n%s", revision, strings.ReplaceAll(people, "NAME", name))
	}
	s := engine.New()
	s.Policies = []engine.PolicyRevision{{Revision: 1, Document: list(1, "Author")}, {Revision: 2, Document: list(2, "Newname")}}
	s.Policy = &record.Policy{Document: s.Policies[1].Document}
	for installed, want := range map[int]string{1: "ann Author", 2: "ann Newname", 0: "ann Newname"} {
		p := policyOf(s, &spec.Installed{Policy: installed})
		if p == nil {
			_, err := spec.ParsePolicy("approvers", s.Policy.Document)
			t.Fatalf("no policy: %v", err)
		}
		if got := p.Person("ann").Name; got != want {
			t.Errorf("installed under revision %d: %s, want %s", installed, got, want)
		}
	}
}

// standing is a list of revisions in words.
func standing(list []panel.Spec) string {
	text := ""
	for i, x := range list {
		if i > 0 {
			text += ", "
		}
		text += x.ID + " " + x.Revision + " " + x.Status
	}
	return text
}
