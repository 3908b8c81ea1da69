package spec

import (
	"fmt"
	"regexp"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/sample"
)

// What a signature means (21 CFR 11.50: the meaning is part of what is signed).
const (
	Authored = "authored"
	Reviewed = "reviewed"
	Approved = "approved"
)

// The first line of an approval's text, by what is approved. Other acts that are
// signed in the same form (withdrawal) begin with a line of their own, so that a
// signature on one can never be read as another.
const (
	approvalHeader       = "andon.approval/1"
	policyApprovalHeader = "andon.policy-approval/1"
)

// Bounds on an approvals file: far above any real one, low enough that a
// forged one costs nothing to refuse.
const (
	MaxApprovalsBytes = 256 << 10
	MaxApprovals      = 64
)

// shape is the form of a name, and the form in words.
type shape struct {
	*regexp.Regexp
	like string
}

// The shapes of what is named in signed text and in file names. A document's id
// has no dot, so that ID.REVISION is read in one way only.
var (
	idShape       = shape{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`), "up to 64 letters, digits, - and _, a letter or digit first"}
	revisionShape = shape{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`), "up to 32 letters, digits, -, _ and ., a letter or digit first"}
	userShape     = shape{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`), "up to 64 letters, digits, ., _, @ and -, a letter or digit first"}
	digestShape   = shape{regexp.MustCompile(`^[0-9a-f]{64}$`), "64 hex digits"}
	meaningShape  = shape{regexp.MustCompile(`^(authored|reviewed|approved)$`), "authored, reviewed or approved"}
	lineShape     = shape{regexp.MustCompile(`^.*$`), "one line"}
)

// Approval is one person's signed word on one exact document: a specification,
// or a list of approvers. The text that is signed is written by Text; the package
// comment has examples.
type Approval struct {
	// Policy: it is on a list of approvers, which has no ID.
	Policy   bool        `json:"policy,omitempty"`
	ID       string      `json:"id"`       // of the specification
	Revision string      `json:"revision"` // of the document
	SHA256   string      `json:"sha256"`   // hex, of the document's bytes
	Meaning  string      `json:"meaning"`  // Authored, Reviewed, Approved
	Role     string      `json:"role"`     // in which the person signed
	User     string      `json:"user"`     // id in the list of approvers
	Time     sample.Time `json:"time"`     // by the clock of the machine that signed

	// Name is the printed name of User. It is set by Verify only: the text does
	// not hold it, the list of approvers does.
	Name string `json:"name,omitempty"`
	// Key names the key that signed, NAME+hash, as the signature line claims.
	Key string `json:"key"`

	signed []byte // the whole note, signature line included
}

// Approvals are the notes of one approvals file, in the order in which they
// stand there.
type Approvals []Approval

// Text is what is signed: a line that says what it is, then a line for each word
// and its value, in this order and no other, so that an approval has exactly one
// form.
func (a Approval) Text() string { return noteText(a.header(), a.lines()) }

func (a Approval) header() string {
	if a.Policy {
		return policyApprovalHeader
	}
	return approvalHeader
}

func (a Approval) lines() []noteLine {
	list := []noteLine{
		{"specification", a.ID, idShape},
		{"revision", a.Revision, revisionShape},
		{"sha256", a.SHA256, digestShape},
		{"meaning", a.Meaning, meaningShape},
		{"role", a.Role, userShape},
		{"user", a.User, userShape},
		{"time", a.Time.String(), lineShape},
	}
	if a.Policy {
		return list[1:]
	}
	return list
}

// Sign returns the note as it is appended to the approvals file: text,
// signature line, empty line. It refuses an approval that Verify could not read
// back.
func (a Approval) Sign(s note.Signer) ([]byte, error) {
	b, err := signNote(a.header(), a.lines(), a.Time, s)
	if err != nil {
		return nil, fmt.Errorf("sign approval: %w", err)
	}
	return b, nil
}

// ParseApprovals reads the approvals file of a specification: notes one after the
// other, each of a text, an empty line, one signature line and an empty line. It
// checks form only; Verify checks that the signatures are true and enough. Since
// every part has exactly one form, the notes' bytes are those of the file.
func ParseApprovals(b []byte) (Approvals, error) { return parseApprovals(b, false) }

// ParsePolicyApprovals is ParseApprovals for the file beside a list of approvers.
func ParsePolicyApprovals(b []byte) (Approvals, error) { return parseApprovals(b, true) }

func parseApprovals(b []byte, policy bool) (Approvals, error) {
	var list Approvals
	err := eachNote(b, func(one []byte) error {
		a, err := parseApproval(one, policy)
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("approvals: %w", err)
	}
	return list, nil
}

func parseApproval(one []byte, policy bool) (Approval, error) {
	a := Approval{Policy: policy}
	var id string
	into := []*string{&id, &a.Revision, &a.SHA256, &a.Meaning, &a.Role, &a.User}
	if policy {
		into = into[1:]
	}
	n, err := parseNote(one, a.header(), a.lines(), into)
	if err != nil {
		return Approval{}, err
	}
	a.ID, a.Time, a.Key, a.signed = id, n.time, n.key, n.signed
	return a, nil
}
