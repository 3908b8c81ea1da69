package spec

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/sample"
)

// withdrawalHeader is the first line of a withdrawal's text.
const withdrawalHeader = "andon.withdrawal/1"

// reasonShape is one line for people, without what could make a screen or a
// printout show something else than was signed.
var reasonShape = shape{regexp.MustCompile(`^[^\pC\pZ]([^\pC\p{Zl}\p{Zp}]{0,398}[^\pC\pZ])?$`), "one line of up to 400 characters, without control characters"}

// Withdrawal is one person's signed word that a revision must judge no more, from
// the instant at which the gateway takes it in. Only quality may say it: stopping
// to judge is as grave as to begin.
type Withdrawal struct {
	ID       string      `json:"id"`       // of the specification
	Revision string      `json:"revision"` // of the specification
	SHA256   string      `json:"sha256"`   // hex, of the document's bytes
	Reason   string      `json:"reason"`
	Role     string      `json:"role"`
	User     string      `json:"user"` // id in the list of approvers
	Time     sample.Time `json:"time"` // by the clock of the machine that signed

	// Name is the printed name of User; AcceptWithdrawal sets it.
	Name string `json:"name,omitempty"`
	// Key names the key that signed, NAME+hash, as the signature line claims.
	Key string `json:"key"`

	signed []byte
}

// Text is what is signed; it has exactly one form.
func (w Withdrawal) Text() string { return noteText(withdrawalHeader, w.lines()) }

func (w Withdrawal) lines() []noteLine {
	return []noteLine{
		{"specification", w.ID, idShape},
		{"revision", w.Revision, revisionShape},
		{"sha256", w.SHA256, digestShape},
		{"reason", w.Reason, reasonShape},
		{"role", w.Role, userShape},
		{"user", w.User, userShape},
		{"time", w.Time.String(), lineShape},
	}
}

// Sign returns the note as it stands in a file of its own: text, signature line,
// empty line.
func (w Withdrawal) Sign(s note.Signer) ([]byte, error) {
	b, err := signNote(withdrawalHeader, w.lines(), w.Time, s)
	if err != nil {
		return nil, fmt.Errorf("sign withdrawal: %w", err)
	}
	return b, nil
}

// ParseWithdrawal reads one withdrawal. It checks form only; AcceptWithdrawal
// checks that the signature is true and its owner may withdraw.
func ParseWithdrawal(b []byte) (*Withdrawal, error) {
	var list []*Withdrawal
	err := eachNote(b, func(one []byte) error {
		w := new(Withdrawal)
		n, err := parseNote(one, withdrawalHeader, w.lines(), []*string{&w.ID, &w.Revision, &w.SHA256, &w.Reason, &w.Role, &w.User})
		w.Time, w.Key, w.signed = n.time, n.key, n.signed
		list = append(list, w)
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("withdrawal: %w", err)
	case len(list) != 1:
		return nil, fmt.Errorf("withdrawal: %d notes: a withdrawal is one note", len(list))
	}
	return list[0], nil
}

// KeyOf is whose key a key of this name and hash is; nil when it is nobody's of
// the list.
func (p *Policy) KeyOf(s note.Signer) *Person {
	for i := range p.People {
		if v := p.People[i].verifier; v.Name() == s.Name() && v.KeyHash() == s.KeyHash() {
			return &p.People[i]
		}
	}
	return nil
}

// AcceptWithdrawal decides whether a withdrawal is signed by somebody who may
// withdraw, and sets the printed name. at is the instant at which it is taken in,
// by which the key may not have run out. Whether there is such a revision is the
// Register's to say.
func (p *Policy) AcceptWithdrawal(w *Withdrawal, at sample.Time) error {
	who := p.Person(w.User)
	if who == nil {
		return fmt.Errorf("withdrawal: %s is not in the list of approvers, revision %d", w.User, p.Revision)
	}
	var why []string
	if w.Role != who.Role {
		why = append(why, fmt.Sprintf("%s has the role %s", who.ID, who.Role))
	}
	if who.Role != Quality {
		why = append(why, fmt.Sprintf("%s has the role %s: only %s withdraws", who.ID, who.Role, Quality))
	}
	if who.expired(w.Time) || who.expired(at) {
		why = append(why, fmt.Sprintf("the key of %s ran out at %s", who.ID, who.Until))
	}
	if err := checkSignature(who.verifier, w.User, w.Key, w.signed); err != nil {
		why = append(why, err.Error())
	}
	if len(why) > 0 {
		return fmt.Errorf("withdrawal: %s", strings.Join(why, "; "))
	}
	w.Name = who.Name
	return nil
}

// Withdraw takes a revision out of force from an instant on: whatever the clock
// does, it never judges again. A revision that had not begun by then never will,
// and leaves the one before it in force. The error says why there is nothing to
// withdraw; the Register is then unchanged.
func (r Register) Withdraw(w *Withdrawal, b []byte, at sample.Time) (Register, error) {
	for i := range r.installed {
		switch in := &r.installed[i]; {
		case in.doc.ID != w.ID || in.doc.Revision != w.Revision:
			continue
		case in.doc.SHA256 != w.SHA256:
			return r, fmt.Errorf("withdrawal: it is of other bytes than those installed as %s revision %s: sha256 %s, installed is %s", w.ID, w.Revision, w.SHA256, in.doc.SHA256)
		case in.WithdrawnAt != 0:
			return r, fmt.Errorf("withdrawal: %s revision %s is withdrawn already, since %s", w.ID, w.Revision, in.WithdrawnAt)
		}
		next := Register{append([]Installed(nil), r.installed...)}
		next.installed[i].Withdrawal, next.installed[i].WithdrawnAt = append([]byte(nil), b...), at
		return next, nil
	}
	return r, fmt.Errorf("withdrawal: %s revision %s is not installed here", w.ID, w.Revision)
}
