package spec

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// list is a list of approvers of a revision.
func list(revision int, people ...signatory) string {
	var b strings.Builder
	fmt.Fprintf(&b, "schema: andon.approvers/1\nrevision: %d\npeople:\n", revision)
	for _, s := range people {
		fmt.Fprintf(&b, "  - {id: %s, name: %s Printed, role: %s, key: \"%s\"}\n", s.id, s.id, s.role, s.public)
	}
	return b.String()
}

func policyOf(t testing.TB, yaml string) *Policy {
	t.Helper()
	p, err := ParsePolicy("approvers.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// signsList is one note on a list of approvers.
func (s signatory) signsList(t testing.TB, yaml, meaning string, edit ...func(*Approval)) string {
	t.Helper()
	a := policyOf(t, yaml).Approval()
	a.Meaning, a.Role, a.User, a.Time = meaning, s.role, s.id, day(40)
	for _, e := range edit {
		e(&a)
	}
	b, err := a.Sign(mustSigner(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// signed are the notes that the default policy wants for a list.
func (c crew) signed(t testing.TB, yaml string) string {
	return c.ann.signsList(t, yaml, Authored) + c.quinn.signsList(t, yaml, Approved) + c.eve.signsList(t, yaml, Approved)
}

// Whoever was there before decides who comes and goes; a person who is taken out
// may sign that too.
//
//andon:req Q8
func TestNextTakesWhatTheOldPolicyWants(t *testing.T) {
	c := newCrew(t)
	dan, newQuinn := newSignatory(t, "dan", Quality), newSignatory(t, "quinn", Quality)
	for name, people := range map[string][]signatory{
		"one comes":             {c.ann, c.quinn, c.eve, dan},
		"one goes, and signs":   {c.ann, dan, c.eve},
		"a key is changed":      {c.ann, newQuinn, c.eve},
		"a key is taken away":   {c.ann, c.quinn},
		"all others from today": {dan, newSignatory(t, "fay", "production"), newSignatory(t, "gus", "production")},
	} {
		t.Run(name, func(t *testing.T) {
			yaml := list(2, people...)
			if len(people) == 2 { // two people can still meet a policy of one approval
				yaml += "policy: {required: [{meaning: approved, role: quality}]}\n"
			}
			approvals, err := c.policy.Next(policyOf(t, yaml), []byte(c.signed(t, yaml)), day(50))
			if err != nil {
				t.Fatal(err)
			}
			if len(approvals) != 3 || approvals[1].Name != "quinn Printed" || approvals[1].Revision != "2" {
				t.Errorf("approvals %+v", approvals)
			}
		})
	}
}

//andon:req Q8
func TestNextRefuses(t *testing.T) {
	c := newCrew(t)
	admin := newSignatory(t, "admin", Quality) // who has the machine, and would like to be quality
	two := list(2, c.ann, c.quinn, c.eve, admin)
	three, one := list(3, c.ann, c.quinn, c.eve, admin), c.yaml()
	edited := strings.Replace(one, "id: eve", "id: ivy", 1)
	newKey := newSignatory(t, "quinn", Quality)
	rotated := list(2, c.ann, newKey, c.eve)
	ofSpec := c.ann.signs(t, good, Authored) + c.quinn.signs(t, good, Approved) + c.eve.signs(t, good, Approved)
	author, quality, engineer := c.ann.signsList(t, two, Authored), c.quinn.signsList(t, two, Approved), c.eve.signsList(t, two, Approved)
	for _, test := range []struct{ name, list, approvals, want string }{
		{"edited by hand", edited, "", "another list is in force under revision 1"},
		{"edited by hand and signed", edited, c.signed(t, edited), "a change is revision 2, with its approvals"},
		{"no approvals", two, "", "no note says who authored the list of approvers revision 2"},
		{"revision left out", three, c.signed(t, three), "revision 3 cannot follow revision 1"},
		{"one that signs himself in", two, author + admin.signsList(t, two, Approved) + engineer, "note 2 (approved by admin as quality): admin is not in the list of approvers, revision 1"},
		{"quality left out", two, author + engineer, "missing: approved by role quality"},
		{"author approves", two, author + quality + c.ann.signsList(t, two, Approved), "ann is the author and can neither review nor approve"},
		{"another role than he has", two, author + c.eve.signsList(t, two, Approved, func(a *Approval) { a.Role = Quality }) + engineer, "eve has the role engineering"},
		{"the key that comes with it", rotated, c.ann.signsList(t, rotated, Authored) + newKey.signsList(t, rotated, Approved) + c.eve.signsList(t, rotated, Approved), "which is not the key of quinn"},
		{"approvals of another list", two, c.signed(t, rotated), "it signs other bytes"},
		{"approvals of another revision", two, c.signed(t, three), "it signs the list of approvers revision 3, the document is the list of approvers revision 2"},
		{"approvals of a specification", two, ofSpec, `first line "andon.approval/1": want "andon.policy-approval/1"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := c.policy.Next(policyOf(t, test.list), []byte(test.approvals), day(50))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := verifiedBy(c, good, c.signed(t, two)); err == nil {
		t.Error("approvals of a list of approvers were taken for a specification's")
	}
	second := policyOf(t, two)
	if _, err := second.Next(c.policy, []byte(c.signed(t, one)), day(50)); !errors.Is(err, ErrPolicyRevision) || !strings.Contains(err.Error(), "revision 1 goes back behind revision 2") {
		t.Errorf("the older one again: %v", err)
	}
	if _, err := second.Next(second, nil, day(50)); !errors.Is(err, ErrPolicyRevision) {
		t.Errorf("the same again: %v", err)
	}
}

// verifiedBy verifies a specification under the crew's policy.
func verifiedBy(c crew, document, approvals string) (*Document, error) {
	d, _, err := Verify(c.policy, []byte(document), []byte(approvals))
	return d, err
}

// A key that has run out signs nothing: neither by the time that the note gives,
// which its owner chose, nor by that of the installation.
func TestKeysRunOut(t *testing.T) {
	c := newCrew(t)
	until := func(at int) *Policy {
		return policyOf(t, strings.Replace(c.yaml(), "role: quality, key", fmt.Sprintf("role: quality, until: %s, key", day(at)), 1))
	}
	document := string(revision("S", "A", 0, 0, ""))
	d := mustParse(t, document)
	dated := func(s signatory, meaning string, at int) string {
		return s.signs(t, document, meaning, func(a *Approval) { a.Time = day(at) })
	}
	for _, test := range []struct {
		name         string
		policy       *Policy
		signed, then int
		want         string
	}{
		{"in time", until(60), 40, 50, ""},
		{"no end", c.policy, 40, 5000, ""},
		{"signed after", until(60), 61, 62, "note 2 (approved by quinn as quality): the key of quinn ran out at " + day(60).String() + ", before it was signed"},
		{"signed at the very instant", until(60), 60, 62, "before it was signed"},
		{"dated back", until(60), 40, 61, "the key of quinn ran out at " + day(60).String() + ", before this came here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			approvals := dated(c.ann, Authored, test.signed) + dated(c.quinn, Approved, test.signed) + dated(c.eve, Approved, test.signed)
			_, err := test.policy.AcceptAt(d, []byte(approvals), day(test.then))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Every bit of a list's approvals and every byte of the list, changed, is refused.
//
//andon:req Q15
func TestNextRefusesEveryChange(t *testing.T) {
	c := newCrew(t)
	yaml := []byte(list(2, c.ann, c.quinn, c.eve, newSignatory(t, "dan", Quality)))
	approvals := []byte(c.signed(t, string(yaml)))
	at := day(50)
	next := policyOf(t, string(yaml))
	if _, err := c.policy.Next(next, approvals, at); err != nil {
		t.Fatal(err)
	}
	for i := range approvals {
		for bit := range 8 {
			approvals[i] ^= 1 << bit
			if _, err := c.policy.Next(next, approvals, at); err == nil {
				t.Errorf("approvals byte %d with bit %d changed: accepted", i, bit)
			}
			approvals[i] ^= 1 << bit
		}
		if _, err := c.policy.Next(next, approvals[:i], at); err == nil {
			t.Errorf("approvals cut to %d of %d bytes: accepted", i, len(approvals))
		}
	}
	for i := range yaml {
		for _, bit := range []byte{1, 0x20, 0x80} {
			yaml[i] ^= bit
			if p, err := ParsePolicy("approvers.yaml", yaml); err == nil {
				if _, err := c.policy.Next(p, approvals, at); err == nil {
					t.Errorf("list byte %d with bits %#x changed: accepted", i, bit)
				}
			}
			yaml[i] ^= bit
		}
	}
}

func TestCanSignAList(t *testing.T) {
	c := newCrew(t)
	yaml := list(2, c.ann, c.quinn, c.eve)
	p := policyOf(t, yaml)
	have, err := ParsePolicyApprovals([]byte(c.ann.signsList(t, yaml, Authored)))
	if err != nil {
		t.Fatal(err)
	}
	a := p.Approval()
	a.Meaning, a.User = Approved, "ann"
	if err := p.CanSign(have, a); err == nil || !strings.Contains(err.Error(), "ann is the author") {
		t.Errorf("the author: %v", err)
	}
	a.User = "quinn"
	if err := p.CanSign(have, a); err != nil {
		t.Error(err)
	}
	if err := policyOf(t, list(3, c.ann, c.quinn, c.eve)).CanSign(have, a); err == nil || !strings.Contains(err.Error(), "it signs other bytes") {
		t.Errorf("on another list's: %v", err)
	}
}

func TestIsPolicy(t *testing.T) {
	for text, want := range map[string]bool{newCrew(t).yaml(): true, "schema: andon.approvers/1\nnonsense: [\n": false, "schema: andon.approvers/1\n": true, good: false, "": false, "[]": false, "schema: {a: b}\n": false} {
		if IsPolicy([]byte(text)) != want {
			t.Errorf("%.40q: want %v", text, want)
		}
	}
}

// FuzzParsePolicyApprovals: foreign bytes never panic; what is accepted is
// written in its one form.
func FuzzParsePolicyApprovals(f *testing.F) {
	c := newCrew(f)
	yaml := list(2, c.ann, c.quinn, c.eve)
	f.Add([]byte(c.signed(f, yaml)))
	f.Add([]byte(c.approved(f, good)))
	f.Add([]byte("andon.policy-approval/1\n\n— a b\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParsePolicyApprovals(b)
		if err != nil {
			return
		}
		var again []byte
		for _, a := range list {
			if !a.Policy || !strings.HasPrefix(string(a.signed), a.Text()+"\n") {
				t.Errorf("accepted %+v", a)
			}
			again = append(append(again, a.signed...), '\n')
		}
		if string(again) != string(b) {
			t.Errorf("%q is read as %q", b, again)
		}
	})
}
