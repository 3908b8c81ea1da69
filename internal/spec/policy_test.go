package spec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParsePolicy(t *testing.T) {
	c := newCrew(t)
	want := &Policy{Revision: 1, Required: defaultRequired(), People: []Person{
		{ID: "ann", Name: "ann Printed", Role: "engineering", Key: c.ann.public},
		{ID: "quinn", Name: "quinn Printed", Role: "quality", Key: c.quinn.public},
		{ID: "eve", Name: "eve Printed", Role: "engineering", Key: c.eve.public},
	}}
	if diff := cmp.Diff(want, c.policy, cmpopts.IgnoreUnexported(Person{}), cmpopts.IgnoreFields(Policy{}, "SHA256")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if c.policy.Person("eve").ID != "eve" || c.policy.Person("mallory") != nil {
		t.Error("people are not found by id")
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	c := newCrew(t)
	good := c.yaml()
	swap := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	ann, quinn := c.ann.public, c.quinn.public
	renamed := "zoe" + ann[strings.Index(ann, "+"):] // the hash no longer fits
	for _, test := range []struct{ name, policy, want string }{
		{"empty", "", "approvers.yaml:1:1: the file is empty"},
		{"other schema", swap("andon.approvers/1", "andon.spec/1"), `approvers.yaml:1:9: schema: found "andon.spec/1", want andon.approvers/1`},
		{"no revision", swap("revision: 1\n", ""), "revision: missing"},
		{"revision 0", swap("revision: 1", "revision: 0"), "revision: found 0, want a whole number from 1"},
		{"unknown key", good + "roles: []\n", `unknown key "roles"`},
		{"nobody", "schema: andon.approvers/1\nrevision: 1\npeople: []\n", "people: nobody may sign"},
		{"no key", "schema: andon.approvers/1\nrevision: 1\npeople: [{id: a, name: A, role: quality}]\n", "people[0].key: missing"},
		{"same id", swap("id: eve", "id: ann"), "people[2].id: the id of ann again"},
		{"same name", swap("name: eve Printed", "name: ANN Printed"), "people[2].name: the name of ann again"},
		{"same key", swap(c.eve.public, ann), "people[2].key: the key of ann again (each person has an id, a printed name and a key of their own)"},
		{"empty name", swap("name: eve Printed", `name: " "`), "people[2].name: an empty name"},
		{"key renamed", swap(ann, renamed), "people[0].key: not a public key: invalid verifier hash"},
		{"key cut", swap(ann, ann[:len(ann)-4]), "people[0].key: not a public key"},
		{"private key", swap(quinn, c.quinn.private), "people[1].key: this is a private key"},
		{"role with space", swap("role: quality", "role: quality control"), "people[1].role: \"quality control\" is not a name here"},
		{"no quality", swap("role: quality", "role: production"), "people: these people can never approve anything: needed are an author and, by different others, approved by role quality, approved by another role than quality"},
		{"nobody but quality", strings.ReplaceAll(good, "role: engineering", "role: quality"), "can never approve anything"},
		{"empty policy", good + "policy: {}\n", "policy.required: missing"},
		{"nothing required", good + "policy: {required: []}\n", "policy.required: no approval is required"},
		{"only reviews", good + "policy: {required: [{meaning: reviewed}]}\n", "policy.required: no approval is required"},
		{"authored required", good + "policy: {required: [{meaning: authored}]}\n", "found \"authored\", want reviewed or approved"},
		{"role and not role", good + "policy: {required: [{meaning: approved, role: a, not_role: b}]}\n", "policy.required[0].not_role: role and not_role together"},
		{"more than there are", good + "policy: {required: [{meaning: approved}, {meaning: approved}, {meaning: approved}]}\n", "can never approve anything"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := ParsePolicy("approvers.yaml", []byte(test.policy))
			if err == nil || p != nil {
				t.Fatalf("accepted: %+v", p)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("missing %q in\n%v", test.want, err)
			}
			if strings.Contains(err.Error(), "PRIVATE+KEY") {
				t.Errorf("the message shows a private key:\n%v", err)
			}
			placed(t, err)
		})
	}
}

func TestParsePolicyReadsRequirements(t *testing.T) {
	p, err := ParsePolicy("approvers.yaml", []byte(newCrew(t).yaml()+"policy: {required: [{meaning: approved, role: quality}, {meaning: reviewed, not_role: quality}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Requirement{{Approved, "quality", ""}, {Reviewed, "", "quality"}}
	if diff := cmp.Diff(want, p.Required); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func FuzzParsePolicy(f *testing.F) {
	good := newCrew(f).yaml()
	f.Add([]byte(good))
	f.Add([]byte(good + "policy: {required: [{meaning: approved, role: quality}]}\n"))
	f.Add([]byte("schema: andon.approvers/1\npeople: [{key: x}]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePolicy("p.yaml", b)
		if err != nil {
			return
		}
		if p.Revision < 1 || len(p.Required) == 0 || len(p.People) < 2 {
			t.Errorf("accepted %+v", p)
		}
		for _, who := range p.People {
			if who.verifier == nil || who.ID == "" || who.Name == "" || who.Role == "" {
				t.Errorf("accepted %+v", who)
			}
		}
	})
}
