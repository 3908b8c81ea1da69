package spec

import (
	"errors"
	"strings"
	"testing"

	"andon/internal/sample"
)

//andon:req Q7
func TestVerifyAcceptsWhatThePolicyWants(t *testing.T) {
	c := newCrew(t)
	d, list, err := Verify(c.policy, []byte(good), []byte(c.approved(t, good)))
	if err != nil {
		t.Fatal(err)
	}
	if d.ID != "HT-7075-T6" || len(list) != 3 {
		t.Fatalf("%s with %d approvals", d.ID, len(list))
	}
	if a := list[1]; a.Name != "quinn Printed" || a.Role != Quality || a.Meaning != Approved || !strings.HasPrefix(a.Key, "quinn+") {
		t.Errorf("second approval %+v", a)
	}
}

//andon:req Q7 Q8
func TestVerifyRefuses(t *testing.T) {
	c := newCrew(t)
	other := strings.Replace(good, "revision: D", "revision: E", 1)
	author, quality, engineer := c.ann.signs(t, good, Authored), c.quinn.signs(t, good, Approved), c.eve.signs(t, good, Approved)
	impostor := c.mallory // signs in quinn's name with a key of his own
	impostor.id = "quinn"
	stolenName := newSignatory(t, "quinn", Quality) // a key that only carries quinn's name

	for _, test := range []struct {
		name, document, approvals string
		want                      []string
	}{
		{"nothing signed", good, "", []string{"no note says who authored"}},
		{"no author", good, quality + engineer, []string{"no note says who authored HT-7075-T6 revision D"}},
		{"author only", good, author, []string{"missing: approved by role quality", "missing: approved by another role than quality"}},
		{"quality only", good, author + quality, []string{"missing: approved by another role than quality"}},
		{"engineering only", good, author + engineer, []string{"missing: approved by role quality"}},
		{"author approves", good, author + quality + c.ann.signs(t, good, Approved), []string{"note 3 (approved by ann as engineering): ann is the author and can neither review nor approve"}},
		{"author reviews", good, author + quality + engineer + c.ann.signs(t, good, Reviewed), []string{"note 4 (reviewed by ann as engineering): ann is the author"}},
		{"twice", good, author + quality + engineer + quality, []string{"note 4 (approved by quinn as quality): quinn signed approved already"}},
		{"stranger", good, author + c.mallory.signs(t, good, Approved) + engineer, []string{"note 2 (approved by mallory as quality): mallory is not in the list of approvers, revision 1"}},
		{"extra stranger", good, author + quality + engineer + c.mallory.signs(t, good, Reviewed), []string{"note 4 (reviewed by mallory as quality): mallory is not in the list"}},
		{"wrong key", good, author + impostor.signs(t, good, Approved) + engineer, []string{"note 2 (approved by quinn as quality): signed with the key mallory+"}},
		{"another key of the same name", good, author + stolenName.signs(t, good, Approved) + engineer, []string{"note 2 (approved by quinn as quality): signed with the key quinn+"}},
		{"role not his", good, author + quality + c.eve.signs(t, good, Approved, func(a *Approval) { a.Role = "production" }), []string{"note 3 (approved by eve as production): eve has the role engineering"}},
		{"other revision", other, author + quality + engineer, []string{"note 1 (authored by ann as engineering): it signs HT-7075-T6 revision D, the document is HT-7075-T6 revision E", "note 3 (approved by eve as engineering): it signs other bytes"}},
		{"changed after", strings.Replace(good, "usl: 895", "usl: 899", 1), author + quality + engineer, []string{"note 1", "note 2 (approved by quinn as quality): it signs other bytes: sha256", "note 3"}},
		{"meaning changed", good, author + quality + strings.Replace(c.eve.signs(t, good, Reviewed), "meaning reviewed", "meaning approved", 1), []string{"note 3 (approved by eve as engineering): the signature is not that of eve+"}},
		{"bad document", "schema: andon.spec/1\n", author + quality + engineer, []string{"specification:1:1: id: missing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, list, err := Verify(c.policy, []byte(test.document), []byte(test.approvals))
			if err == nil || d != nil || list != nil {
				t.Fatalf("accepted: %v %v %v", d, list, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("missing %q in\n%s", want, err)
				}
			}
		})
	}
}

//andon:req Q8
func TestVerifyTakesPeopleForDifferentRequirements(t *testing.T) {
	c := newCrew(t)
	dan := newSignatory(t, "dan", "production")
	yaml := c.yaml() + `  - {id: dan, name: Dan, role: production, key: "` + dan.public + `"}
policy:
  required:
    - {meaning: approved}
    - {meaning: approved, role: quality}
    - {meaning: reviewed, role: production}
`
	p, err := ParsePolicy("approvers.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	author, quality, engineer, review := c.ann.signs(t, good, Authored), c.quinn.signs(t, good, Approved), c.eve.signs(t, good, Approved), dan.signs(t, good, Reviewed)
	for _, test := range []struct {
		name, approvals, missing string
	}{
		// quality first fills the first requirement and must be moved to the second
		{"moved", author + quality + engineer + review, ""},
		{"any order", review + engineer + quality + author, ""},
		{"one person for two", author + quality + review, "missing: approved by role quality"},
		{"reviewer approves too", author + quality + review + dan.signs(t, good, Approved), "missing: reviewed by role production"},
		{"no review", author + quality + engineer, "missing: reviewed by role production"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Verify(p, []byte(good), []byte(test.approvals))
			if test.missing == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var refused Refusals
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.missing) {
				t.Errorf("got %v, want %q", err, test.missing)
			}
		})
	}
}

// Every single bit of the approvals, and every byte of the document, changed,
// must be refused: there is nothing in them that does not matter.
//
//andon:req Q9 Q15
func TestVerifyRefusesEveryChange(t *testing.T) {
	c := newCrew(t)
	document := revision("S", "A", 0, 0, "")
	approvals := []byte(c.approved(t, string(document)))
	d := mustParse(t, string(document))
	if _, err := c.policy.Accept(d, approvals); err != nil {
		t.Fatal(err)
	}
	for i := range approvals {
		for bit := range 8 {
			approvals[i] ^= 1 << bit
			if _, err := c.policy.Accept(d, approvals); err == nil {
				t.Errorf("approvals byte %d with bit %d changed: accepted", i, bit)
			}
			approvals[i] ^= 1 << bit
		}
		if _, err := c.policy.Accept(d, approvals[:i]); err == nil {
			t.Errorf("approvals cut to %d of %d bytes: accepted", i, len(approvals))
		}
	}
	for i := range document {
		for _, bit := range []byte{1, 0x20, 0x80} {
			document[i] ^= bit
			if _, _, err := Verify(c.policy, document, approvals); err == nil {
				t.Errorf("document byte %d with bits %#x changed: accepted", i, bit)
			}
			document[i] ^= bit
		}
		if _, _, err := Verify(c.policy, document[:i], approvals); err == nil {
			t.Errorf("document cut to %d of %d bytes: accepted", i, len(document))
		}
	}
}

func TestParseApprovalsRefuses(t *testing.T) {
	c := newCrew(t)
	note := c.ann.signs(t, good, Authored)
	swap := func(old, with string) string { return strings.Replace(note, old, with, 1) }
	for _, test := range []struct{ name, approvals, want string }{
		{"text", "hello\n", "note 1: no empty line between text and signature"},
		{"unsigned", "hello\n\nworld\n\n", "note 1: no signature line after the text"},
		{"windows line ends", strings.ReplaceAll(note, "\n", "\r\n"), "line 1 ends in a carriage return"},
		{"no last empty line", note[:len(note)-1], "note 1: no empty line after the signature line"},
		{"two lines more", note + "\n", "note 2: no empty line between text and signature"},
		{"other kind of note", swap("andon.approval/1", "andon.withdrawal/1"), `first line "andon.withdrawal/1": want "andon.approval/1"`},
		{"line left out", swap("role engineering\n", ""), "7 lines of text: want 8"},
		{"lines exchanged", swap("revision D\n", "sha256 D\n"), `line 3 "sha256 D": want "revision" and its value`},
		{"time in another zone", swap("09:00:00.000Z", "10:00:00.000+01:00"), "want 2026-02-20T09:00:00.000Z"},
		{"time with other digits", swap("09:00:00.000Z", "09:00:00Z"), "want 2026-02-20T09:00:00.000Z"},
		{"unknown meaning", swap("meaning authored", "meaning liked"), `meaning "liked": want authored, reviewed or approved`},
		{"no user", swap("user ann", "user "), `user ""`},
		{"two signatures", note[:len(note)-1] + note[strings.Index(note, "— "):], "more than one signature line"},
		{"signature damaged", swap("— ann ", "— ann x"), "the signature line is damaged"},
		{"many", strings.Repeat(note, MaxApprovals+1), "more than 64 notes"},
		{"large", strings.Repeat("x", MaxApprovalsBytes+1), "more than 262144"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseApprovals([]byte(test.approvals))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestSignRefusesWhatCouldNotBeReadBack(t *testing.T) {
	c := newCrew(t)
	d := mustParse(t, good)
	fine := Approval{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256, Meaning: Approved, Role: Quality, User: "quinn", Time: 1}
	for name, edit := range map[string]func(*Approval){
		"two lines in user": func(a *Approval) { a.User = "quinn\nuser ann" },
		"space in role":     func(a *Approval) { a.Role = "quality control" },
		"no time":           func(a *Approval) { a.Time = 0 },
		"no digest":         func(a *Approval) { a.SHA256 = "" },
		"meaning":           func(a *Approval) { a.Meaning = "" },
	} {
		a := fine
		edit(&a)
		if b, err := a.Sign(mustSigner(t, c.quinn)); err == nil {
			t.Errorf("%s: signed\n%s", name, b)
		}
	}
}

func TestCanSign(t *testing.T) {
	c := newCrew(t)
	d := mustParse(t, good)
	list, err := ParseApprovals([]byte(c.ann.signs(t, good, Authored) + c.quinn.signs(t, good, Approved)))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ user, meaning, want string }{
		{"eve", Approved, ""},
		{"quinn", Reviewed, ""},
		{"quinn", Approved, "note 3 (approved by quinn as r): quinn signed approved already"},
		{"ann", Reviewed, "note 3 (reviewed by ann as r): ann is the author"},
		{"quinn", Authored, "note 2 (approved by quinn as quality): quinn is the author"},
	} {
		err := d.CanSign(list, Approval{User: test.user, Role: "r", Meaning: test.meaning})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s by %s: %v, want %q", test.meaning, test.user, err, test.want)
		}
	}
	changed := mustParse(t, strings.Replace(good, "usl: 895", "usl: 896", 1))
	if err := changed.CanSign(list, Approval{User: "eve", Meaning: Approved}); err == nil || !strings.Contains(err.Error(), "note 1 (authored by ann as engineering): it signs other bytes") {
		t.Errorf("on a changed document: %v", err)
	}
}

func FuzzParseApprovals(f *testing.F) {
	c := newCrew(f)
	f.Add([]byte(c.approved(f, good)))
	f.Add([]byte("andon.approval/1\n\n— a b\n\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParseApprovals(b)
		if err != nil {
			return
		}
		var again []byte // what was read is all there is
		for _, a := range list {
			again = append(append(again, a.signed...), '\n')
			if !strings.HasPrefix(string(a.signed), a.Text()+"\n") || a.Time == sample.Time(0) {
				t.Errorf("text is not that of the note: %q", a.Text())
			}
		}
		if string(again) != string(b) {
			t.Errorf("read %q, of %q", again, b)
		}
		if _, _, err := Verify(c.policy, []byte(good), b); err == nil && string(b) != c.approved(t, good) {
			t.Errorf("accepted approvals that nobody gave: %q", b)
		}
	})
}
