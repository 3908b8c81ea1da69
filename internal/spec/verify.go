package spec

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/sample"
)

// Refusal is one reason for which approvals are not accepted, and how to mend
// it. Note counts from 1 in the order of the file; 0 means the approvals as a
// whole.
type Refusal struct {
	Note   int    `json:"note"`
	Who    string `json:"who"` // "approved by u7 as quality", as the note claims
	Reason string `json:"reason"`
	Hint   string `json:"hint"`
}

// String is the refusal on one line.
func (r Refusal) String() string {
	var b strings.Builder
	b.WriteString("approvals: ")
	if r.Note > 0 {
		fmt.Fprintf(&b, "note %d (%s): ", r.Note, r.Who)
	}
	b.WriteString(r.Reason)
	if r.Hint != "" {
		b.WriteString(" (" + r.Hint + ")")
	}
	return b.String()
}

// Refusals are all reasons for which approvals are not accepted. As an error
// they print one a line.
type Refusals []Refusal

// Error is every reason on a line of its own.
func (rs Refusals) Error() string {
	lines := make([]string, len(rs))
	for i, r := range rs {
		lines[i] = r.String()
	}
	return strings.Join(lines, "\n")
}

// Verify decides whether a document may judge: it is valid, each signature
// beside it is true and on exactly these bytes, and together they are what the
// policy wants. The error is strictyaml.Problems (of the document, under the
// file name "specification"), Refusals, or both joined. Nothing is accepted in
// part: one wrong note refuses the whole, since somebody meant something by it.
//
// It knows no clock: whether the document is effective is the Register's.
func Verify(p *Policy, document, approvals []byte) (*Document, Approvals, error) {
	d, err := Parse("specification", document)
	if err != nil {
		return nil, nil, err
	}
	list, err := p.Accept(d, approvals)
	if err != nil {
		return nil, nil, err
	}
	return d, list, nil
}

// Accept is Verify for a document that has been parsed already.
func (p *Policy) Accept(d *Document, approvals []byte) (Approvals, error) {
	return p.accept(d.subject(), approvals)
}

// AcceptAt is Accept at the instant of installation: no key may have run out by
// then either. When a note was really signed nobody can prove; an owner of an old
// key could date it back.
func (p *Policy) AcceptAt(d *Document, approvals []byte, at sample.Time) (Approvals, error) {
	return p.acceptAt(d.subject(), approvals, at)
}

func (p *Policy) acceptAt(on subject, approvals []byte, at sample.Time) (Approvals, error) {
	list, err := p.accept(on, approvals)
	if err != nil {
		return nil, err
	}
	var refused Refusals
	for i, a := range list {
		if who := p.Person(a.User); who.expired(at) {
			refused = append(refused, Refusal{i + 1, a.String(), fmt.Sprintf("the key of %s ran out at %s, before this came here", who.ID, who.Until), "put the person's new key into the list of approvers, and sign again"})
		}
	}
	if len(refused) > 0 {
		return nil, refused
	}
	return list, nil
}

// subject is what approvals are on.
type subject struct {
	policy               bool
	id, revision, sha256 string
}

func (d *Document) subject() subject { return subject{false, d.ID, d.Revision, d.SHA256} }

// String names it in words.
func (s subject) String() string {
	if s.policy {
		return "the list of approvers revision " + s.revision
	}
	return s.id + " revision " + s.revision
}

func (a *Approval) subject() subject { return subject{a.Policy, a.ID, a.Revision, a.SHA256} }

func (p *Policy) accept(on subject, approvals []byte) (Approvals, error) {
	list, err := parseApprovals(approvals, on.policy)
	if err != nil {
		reason := strings.TrimPrefix(err.Error(), "approvals: ")
		return nil, Refusals{{Reason: reason, Hint: "take the file as andon spec approve wrote it"}}
	}
	var refused Refusals
	for i := range list {
		refused = append(refused, p.checkNote(on, i+1, &list[i])...)
	}
	if len(refused) == 0 { // what false notes amount to is no matter
		refused = p.checkTogether(on, list)
	}
	if len(refused) > 0 {
		return nil, refused
	}
	return list, nil
}

// checkNote checks one note for itself and sets the signer's printed name.
func (p *Policy) checkNote(on subject, n int, a *Approval) (refused Refusals) {
	no := func(hint, format string, args ...any) {
		refused = append(refused, Refusal{n, a.String(), fmt.Sprintf(format, args...), hint})
	}
	if a.ID != on.id || a.Revision != on.revision {
		no("these approvals belong to another document", "it signs %s, the document is %s", a.subject(), on)
	}
	if a.SHA256 != on.sha256 {
		no("the document was changed after it was signed, or the approvals are another document's: approve it again", "it signs other bytes: sha256 %s, the document has %s", a.SHA256, on.sha256)
	}
	who := p.Person(a.User)
	if who == nil {
		no("only people in the list of approvers may sign", "%s is not in the list of approvers, revision %d", a.User, p.Revision)
		return refused
	}
	if a.Role != who.Role {
		no("", "%s has the role %s", who.ID, who.Role)
	}
	if who.expired(a.Time) {
		no("put the person's new key into the list of approvers, and sign again", "the key of %s ran out at %s, before it was signed", who.ID, who.Until)
	}
	if err := checkSignature(who.verifier, a.User, a.Key, a.signed); err != nil {
		no("sign with the key that belongs to the person", "%v", err)
	}
	a.Name = who.Name
	return refused
}

// checkSignature verifies a note with one person's key and no other. key is what
// its signature line names.
func checkSignature(v note.Verifier, user, key string, signed []byte) error {
	if want := fmt.Sprintf("%s+%08x", v.Name(), v.KeyHash()); key != want {
		return fmt.Errorf("signed with the key %s, which is not the key of %s (%s)", key, user, want)
	}
	_, err := note.Open(signed, note.VerifierList(v))
	var invalid *note.InvalidSignatureError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return fmt.Errorf("the signature is not that of %s on this text: text or signature was changed", key)
	}
	return fmt.Errorf("check the signature: %w", err)
}

// checkTogether checks what true notes amount to.
func (p *Policy) checkTogether(on subject, list Approvals) Refusals {
	refused := list.conflicts()
	if !slices.ContainsFunc(list, func(a Approval) bool { return a.Meaning == Authored }) {
		refused = append(refused, Refusal{Reason: fmt.Sprintf("no note says who authored %s", on), Hint: "its author signs it with the meaning authored"})
	}
	if len(refused) > 0 {
		return refused
	}
	for _, r := range unmet(p.Required, list) {
		refused = append(refused, Refusal{Reason: "missing: " + r.String(), Hint: "each requirement is met by another person"})
	}
	return refused
}

// conflicts are the notes that cannot stand together under any policy: an
// author who reviews or approves, and a person who says the same twice.
func (list Approvals) conflicts() (refused Refusals) {
	authors, seen := map[string]bool{}, map[string]bool{}
	for _, a := range list {
		authors[a.User] = authors[a.User] || a.Meaning == Authored
	}
	for i, a := range list {
		if a.Meaning != Authored && authors[a.User] {
			refused = append(refused, Refusal{i + 1, a.String(), fmt.Sprintf("%s is the author and can neither review nor approve", a.User), "another person signs"})
		}
		if seen[a.Meaning+" "+a.User] {
			refused = append(refused, Refusal{i + 1, a.String(), fmt.Sprintf("%s signed %s already", a.User, a.Meaning), "one note for one meaning"})
		}
		seen[a.Meaning+" "+a.User] = true
	}
	return refused
}

// CanSign reports what speaks against adding a to the approvals that a document
// has, as far as it can be seen without the list of approvers: those that are
// there sign other bytes, or a cannot stand beside them. The error is Refusals;
// the new note has the number after the last.
func (d *Document) CanSign(list Approvals, a Approval) error { return canSign(d.SHA256, list, a) }

func canSign(sha256 string, list Approvals, a Approval) error {
	var refused Refusals
	for i, old := range list {
		if old.SHA256 != sha256 {
			refused = append(refused, Refusal{i + 1, old.String(), "it signs other bytes: the document was changed after it was signed", "remove the approvals and have the document signed again"})
		}
	}
	refused = append(refused, append(slices.Clip(list), a).conflicts()...)
	if len(refused) == 0 {
		return nil
	}
	return refused
}

// String says what the note claims, in words.
func (a Approval) String() string { return fmt.Sprintf("%s by %s as %s", a.Meaning, a.User, a.Role) }
