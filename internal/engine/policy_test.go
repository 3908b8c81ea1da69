package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// signer is a person with a key.
type signer struct{ id, role, private, public string }

func newSigner(t *testing.T, id, role string) signer {
	t.Helper()
	private, public, err := note.GenerateKey(nil, id)
	if err != nil {
		t.Fatal(err)
	}
	return signer{id, role, private, public}
}

func (s signer) key(t *testing.T) note.Signer {
	t.Helper()
	k, err := note.NewSigner(s.private)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// approvers is a list of them.
func approvers(revision int, people ...signer) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "schema: andon.approvers/1\nrevision: %d\npeople:\n", revision)
	for _, s := range people {
		fmt.Fprintf(&b, "  - {id: %s, name: %s Printed, role: %s, key: \"%s\"}\n", s.id, s.id, s.role, s.public)
	}
	return []byte(b.String())
}

// approved are the notes of an author and two approvers on a list or a document.
func approved(t *testing.T, document []byte, people ...signer) []byte {
	t.Helper()
	var a spec.Approval
	if spec.IsPolicy(document) {
		p, err := spec.ParsePolicy("approvers", document)
		if err != nil {
			t.Fatal(err)
		}
		a = p.Approval()
	} else {
		d, err := spec.Parse("document", document)
		if err != nil {
			t.Fatal(err)
		}
		a = spec.Approval{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256}
	}
	var all []byte
	for i, s := range people {
		a.Meaning, a.Role, a.User, a.Time = spec.Approved, s.role, s.id, epoch0-1e9
		if i == 0 {
			a.Meaning = spec.Authored
		}
		b, err := a.Sign(s.key(t))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// policyPlayer is a gateway whose first list holds ann, quinn and eve.
func policyPlayer(t *testing.T) (p *player, ann, quinn, eve signer, first []byte) {
	p = newPlayer(t, propertySpec, propertyWiring)
	ann, quinn, eve = newSigner(t, "ann", "engineering"), newSigner(t, "quinn", "quality"), newSigner(t, "eve", "engineering")
	first = approvers(1, ann, quinn, eve)
	p.decide(epoch0, &record.Policy{Document: first})
	return p, ann, quinn, eve, first
}

// audits are what the audit trail has gained by an input.
func (p *player) audits(at sample.Time, body record.Body) (list []audit) {
	p.t.Helper()
	from := len(p.payloads)
	p.decide(at, body)
	for _, e := range p.payloads[from:] {
		var x struct{ Data audit }
		if e.Topic != "event/audit" {
			continue
		}
		if err := json.Unmarshal(e.Payload, &x); err != nil {
			p.t.Fatal(err)
		}
		list = append(list, x.Data)
	}
	return list
}

// The first list is taken as found; every other one needs the signatures of the
// one before. All are kept, through a restart too.
//
//andon:req Q8
func TestPolicyRevisions(t *testing.T) {
	p, ann, quinn, eve, first := policyPlayer(t)
	dan := newSigner(t, "dan", "quality")
	second := approvers(2, ann, dan, eve) // quinn leaves, and signs it
	notes := approved(t, second, ann, quinn, eve)
	got := p.audits(epoch0+1e9, &record.Policy{Document: second, Approvals: notes})
	if len(got) != 1 || got[0].Action != "install" || !strings.HasPrefix(got[0].Old, "revision 1, sha256 ") || !strings.HasPrefix(got[0].New, "revision 2, sha256 ") {
		t.Fatalf("audit %+v", got)
	}
	s, err := Load(p.s.Save())
	if err != nil {
		t.Fatal(err)
	}
	p.s = s
	for revision, want := range map[int]PolicyRevision{1: {1, first, nil, epoch0}, 2: {2, second, notes, epoch0 + 1e9}} {
		if got, ok := p.s.PolicyOf(revision); !ok || !bytes.Equal(got.Document, want.Document) || !bytes.Equal(got.Approvals, want.Approvals) || got.At != want.At {
			t.Errorf("revision %d: %+v", revision, got)
		}
	}
	if got := p.audits(epoch0+2e9, &record.Policy{Document: second, Approvals: notes}); len(got) != 0 {
		t.Errorf("the same again, as at each start: %+v", got)
	}
	third := approvers(3, ann, quinn, eve)
	if got := p.audits(epoch0+3e9, &record.Policy{Document: third, Approvals: approved(t, third, ann, quinn, eve)}); len(got) != 1 || got[0].Action != "refuse" || !strings.Contains(got[0].Reason, "quinn is not in the list of approvers, revision 2") {
		t.Errorf("quinn signs himself in again: %+v", got)
	}
	if got := p.audits(epoch0+4e9, &record.Policy{Document: third, Approvals: approved(t, third, ann, dan, eve)}); len(got) != 1 || got[0].Action != "install" {
		t.Errorf("dan takes him in again: %+v", got)
	}
}

// Each that is refused is on record with its reason and an alarm, and the one in
// force stays.
//
//andon:req Q8
func TestPolicyRefused(t *testing.T) {
	p, ann, quinn, eve, first := policyPlayer(t)
	admin := newSigner(t, "admin", "quality")
	second := approvers(2, ann, quinn, eve, admin)
	good := approved(t, second, ann, quinn, eve)
	changed := bytes.Clone(good)
	changed[len(changed)/2] ^= 1
	edited := bytes.Replace(first, []byte("eve Printed"), []byte("Eve Printer"), 1)
	for _, test := range []struct {
		name           string
		list, notes    []byte
		want, recorded string
	}{
		{"unreadable", []byte("people: ["), nil, "approvers:", ""},
		{"edited by hand", edited, nil, "another list is in force under revision 1", "revision 1, "},
		{"without signatures", second, nil, "no note says who authored", "revision 2, "},
		{"signed by who comes in", second, approved(t, second, ann, admin, eve), "admin is not in the list of approvers, revision 1", "revision 2, "},
		{"a changed byte", second, changed, "note", "revision 2, "},
		{"approvals of another", second, approved(t, approvers(2, ann, quinn, eve), ann, quinn, eve), "it signs other bytes", "revision 2, "},
		{"a revision left out", approvers(3, ann, quinn, eve), nil, "revision 3 cannot follow revision 1", "revision 3, "},
	} {
		got := p.audits(epoch0+1e9, &record.Policy{Document: test.list, Approvals: test.notes})
		if len(got) != 1 || got[0].Action != "refuse" || got[0].Object != "approvers" || !strings.Contains(got[0].Reason, test.want) || !strings.HasPrefix(got[0].New, test.recorded) || !strings.HasPrefix(got[0].Old, "revision 1, ") {
			t.Errorf("%s: audit %+v", test.name, got)
		}
		if !bytes.Equal(p.s.Policy.Document, first) || len(p.s.Policies) != 1 {
			t.Fatalf("%s: it is in force", test.name)
		}
	}
	if al := p.s.alarm("", noticeParameter, "approvers_refused"); al == nil || al.Count == 0 {
		t.Errorf("alarm %+v", al)
	}
	p.decide(epoch0+2e9, &record.Policy{Document: second, Approvals: good})
	for name, b := range map[string]*record.Policy{
		"the older one again":          {Document: first},
		"its approvals changed by now": {Document: second, Approvals: changed},
		"its approvals taken away":     {Document: second},
	} {
		got := p.audits(epoch0+3e9, b)
		if len(got) != 1 || got[0].Action != "refuse" || !bytes.Equal(p.s.Policy.Document, second) || !bytes.Equal(p.s.Policy.Approvals, good) {
			t.Errorf("%s: audit %+v", name, got)
		}
	}
}

// What counts for a specification's approvals is the list that is in force when
// it is installed; what is installed stays so, whoever may sign by then.
//
//andon:req Q7 Q8
func TestApprovalsCountByThePolicyInForceAtInstallation(t *testing.T) {
	p, ann, quinn, eve, _ := policyPlayer(t)
	b := []byte(strings.Replace(propertySpec, "revision: A", "revision: B", 1))
	c := []byte(strings.Replace(propertySpec, "revision: A", "revision: C", 1))
	offer := func(document []byte) []audit {
		return p.audits(epoch0+1e9, &record.Specification{Document: document, Approvals: approved(t, document, ann, quinn, eve), By: "file"})
	}
	notes := approved(t, b, ann, quinn, eve)
	if got := p.audits(epoch0+1e9, &record.Specification{Document: b, Approvals: notes, By: "file"}); len(got) != 1 || got[0].Action != "install" {
		t.Fatalf("audit %+v", got)
	}
	second := approvers(2, ann, newSigner(t, "dan", "quality"), eve)
	p.decide(epoch0+2e9, &record.Policy{Document: second, Approvals: approved(t, second, ann, quinn, eve)})
	if got := offer(c); len(got) != 1 || got[0].Action != "refuse" || !strings.Contains(got[0].Reason, "quinn is not in the list of approvers, revision 2") {
		t.Errorf("approved before quinn left, offered after: %+v", got)
	}
	if got := p.audits(epoch0+3e9, &record.Specification{Document: b, Approvals: notes, By: "file"}); len(got) != 0 {
		t.Errorf("what is installed is offered at the next start: %+v", got)
	}
	changed := bytes.Clone(notes)
	changed[len(changed)-5] ^= 1
	if got := p.audits(epoch0+3e9, &record.Specification{Document: b, Approvals: changed, By: "file"}); len(got) != 1 || got[0].Action != "refuse" {
		t.Errorf("with other approvals: %+v", got)
	}
	installed := p.s.Register.All()
	if last := installed[len(installed)-1]; last.Doc().Revision != "B" || last.Policy != 1 {
		t.Errorf("installed %s under policy %d", last.Doc().Revision, last.Policy)
	}
}

// A state from before lists were kept has the one in force.
func TestPolicyOfAnOlderState(t *testing.T) {
	p, _, _, _, first := policyPlayer(t)
	p.s.Policies = nil
	s, err := Load(p.s.Save())
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := s.PolicyOf(1); !ok || !bytes.Equal(got.Document, first) || got.At != 0 {
		t.Errorf("%+v", got)
	}
}
