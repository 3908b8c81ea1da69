package spec

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/sample"
)

// What a signature means (21 CFR 11.50: the meaning is part of what is signed).
const (
	Authored = "authored"
	Reviewed = "reviewed"
	Approved = "approved"
)

// approvalHeader is the first line of every approval's text. Other acts that
// will be signed in the same form (withdrawal, concession) begin with a line of
// their own, so that a signature on one can never be read as another.
const approvalHeader = "andon.approval/1"

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
)

// Approval is one person's signed word on one exact document. The text that is
// signed is written by Text; the package comment has an example.
type Approval struct {
	ID       string      `json:"id"`       // of the specification
	Revision string      `json:"revision"` // of the specification
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

// Text is what is signed: eight lines of a word and its value, in this order
// and no other, so that an approval has exactly one form.
func (a Approval) Text() string {
	var b strings.Builder
	b.WriteString(approvalHeader + "\n")
	for _, l := range a.lines() {
		fmt.Fprintf(&b, "%s %s\n", l.word, l.value)
	}
	return b.String()
}

type approvalLine struct{ word, value string }

func (a Approval) lines() []approvalLine {
	return []approvalLine{
		{"specification", a.ID},
		{"revision", a.Revision},
		{"sha256", a.SHA256},
		{"meaning", a.Meaning},
		{"role", a.Role},
		{"user", a.User},
		{"time", a.Time.String()},
	}
}

// Sign returns the note as it is appended to the approvals file: text,
// signature line, empty line. It refuses an approval that Verify could not read
// back.
func (a Approval) Sign(s note.Signer) ([]byte, error) {
	if err := a.wellFormed(); err != nil {
		return nil, fmt.Errorf("sign approval: %w", err)
	}
	b, err := note.Sign(&note.Note{Text: a.Text()}, s)
	if err != nil {
		return nil, fmt.Errorf("sign approval: %w", err)
	}
	return append(b, '\n'), nil
}

// wellFormed checks each field's shape, not whether it is true.
func (a Approval) wellFormed() error {
	switch a.Meaning {
	case Authored, Reviewed, Approved:
	default:
		return fmt.Errorf("meaning %q: want %s, %s or %s", a.Meaning, Authored, Reviewed, Approved)
	}
	for _, f := range []struct {
		word, value string
		shape       shape
	}{
		{"specification", a.ID, idShape},
		{"revision", a.Revision, revisionShape},
		{"sha256", a.SHA256, digestShape},
		{"role", a.Role, userShape},
		{"user", a.User, userShape},
	} {
		if !f.shape.MatchString(f.value) {
			return fmt.Errorf("%s %q: want %s", f.word, clip(f.value), f.shape.like)
		}
	}
	if a.Time == 0 {
		return errors.New("time: missing")
	}
	return nil
}

// ParseApprovals reads an approvals file: notes one after the other, each of a
// text, an empty line, one signature line and an empty line. It checks form
// only; Verify checks that the signatures are true and enough. Since every part
// has exactly one form, the notes' bytes are those of the file.
func ParseApprovals(b []byte) (Approvals, error) {
	if len(b) > MaxApprovalsBytes {
		return nil, fmt.Errorf("approvals: %d bytes, more than %d", len(b), MaxApprovalsBytes)
	}
	if i := bytes.IndexByte(b, '\r'); i >= 0 {
		return nil, fmt.Errorf("approvals: line %d ends in a carriage return: the file was saved by an editor or sent as text; bring it again as it was signed", bytes.Count(b[:i], []byte("\n"))+1)
	}
	var list Approvals
	for len(b) > 0 {
		n := len(list) + 1
		if n > MaxApprovals {
			return nil, fmt.Errorf("approvals: more than %d notes", MaxApprovals)
		}
		one, rest, err := cutNote(b)
		if err != nil {
			return nil, fmt.Errorf("approvals: note %d: %w", n, err)
		}
		a, err := parseApproval(one)
		if err != nil {
			return nil, fmt.Errorf("approvals: note %d: %w", n, err)
		}
		list, b = append(list, a), rest
	}
	return list, nil
}

var sigPrefix = []byte("— ")

// cutNote takes the first note, without its closing empty line, off b.
func cutNote(b []byte) (one, rest []byte, err error) {
	i := bytes.Index(b, []byte("\n\n"))
	if i < 0 {
		return nil, nil, errors.New("no empty line between text and signature: the note is cut short")
	}
	j := bytes.IndexByte(b[i+2:], '\n')
	if j < 0 || !bytes.HasPrefix(b[i+2:], sigPrefix) {
		return nil, nil, errors.New("no signature line after the text: the note is cut short or not signed")
	}
	end := i + 2 + j + 1
	switch rest = b[end:]; {
	case bytes.HasPrefix(rest, sigPrefix):
		return nil, nil, errors.New("more than one signature line: one note carries one person's signature")
	case len(rest) == 0 || rest[0] != '\n':
		return nil, nil, errors.New("no empty line after the signature line: the note is cut short or another was put behind it by hand")
	}
	return b[:end], rest[1:], nil
}

func parseApproval(one []byte) (Approval, error) {
	split := bytes.LastIndex(one, []byte("\n\n"))
	text, sig := string(one[:split+1]), string(one[split+2:len(one)-1])
	a, err := parseApprovalText(text)
	if err != nil {
		return Approval{}, err
	}
	if a.Key, err = parseSignatureLine(sig); err != nil {
		return Approval{}, err
	}
	a.signed = bytes.Clone(one)
	return a, nil
}

// parseApprovalText reads what Text wrote and nothing else.
func parseApprovalText(text string) (Approval, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != approvalHeader {
		return Approval{}, fmt.Errorf("first line %q: want %q", clip(lines[0]), approvalHeader)
	}
	var a Approval
	var when string
	into := []*string{&a.ID, &a.Revision, &a.SHA256, &a.Meaning, &a.Role, &a.User, &when}
	want := a.lines()
	if len(lines) != 1+len(want) {
		return Approval{}, fmt.Errorf("%d lines of text: want %d", len(lines), 1+len(want))
	}
	for i, l := range want {
		value, ok := strings.CutPrefix(lines[i+1], l.word+" ")
		if !ok {
			return Approval{}, fmt.Errorf("line %d %q: want %q and its value", i+2, clip(lines[i+1]), l.word)
		}
		*into[i] = value
	}
	std, err := time.Parse(time.RFC3339Nano, when)
	if err != nil {
		return Approval{}, fmt.Errorf("time %q: want RFC 3339 in UTC", clip(when))
	}
	a.Time = sample.At(std)
	if err := a.wellFormed(); err != nil {
		return Approval{}, err
	}
	if a.Text() != text { // another way to write the same instant
		return Approval{}, fmt.Errorf("time %q: want %s", clip(when), a.Time)
	}
	return a, nil
}

// parseSignatureLine returns the key that a signature line names. The line must
// be the one form of its signature: base64 leaves bits that a laxer reader
// ignores.
func parseSignatureLine(line string) (key string, err error) {
	name, b64, ok := strings.Cut(strings.TrimPrefix(line, string(sigPrefix)), " ")
	raw, err := base64.StdEncoding.Strict().DecodeString(b64)
	const hashAndEd25519 = 4 + 64
	if !ok || err != nil || len(raw) != hashAndEd25519 || strings.ContainsRune(name, '+') {
		return "", errors.New("the signature line is damaged")
	}
	return fmt.Sprintf("%s+%08x", name, binary.BigEndian.Uint32(raw)), nil
}

// clip keeps foreign text in messages short.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
