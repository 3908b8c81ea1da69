package spec

import (
	"errors"
	"fmt"
	"strconv"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// ErrPolicyRevision: a list of approvers is not the next revision of the one in
// force, whoever signed it.
var ErrPolicyRevision = errors.New("list of approvers refused")

// IsPolicy says whether a file is a list of approvers, by its schema alone: it
// may be wrong in every other respect.
func IsPolicy(b []byte) bool {
	return strictyaml.Parse("file", b).Root().Get("schema").Text() == PolicySchema
}

// Next decides whether another list may take the place of p: it is the revision
// after p, and its approvals are what p wants, of people of p and with their keys
// as p has them. So nobody comes in, or into another role, but by the word of
// those who were there before; who is taken out may sign that, since p counts. at
// is the instant of installation, by which no key may have run out (AcceptAt).
//
// The error wraps ErrPolicyRevision or is Refusals.
func (p *Policy) Next(next *Policy, approvals []byte, at sample.Time) (Approvals, error) {
	if err := p.precedes(next); err != nil {
		return nil, err
	}
	return p.acceptAt(next.subject(), approvals, at)
}

func (p *Policy) precedes(next *Policy) error {
	switch {
	case next.Revision < p.Revision:
		return fmt.Errorf("%w: revision %d goes back behind revision %d, which is in force: a revision never comes back", ErrPolicyRevision, next.Revision, p.Revision)
	case next.Revision == p.Revision && next.SHA256 != p.SHA256:
		return fmt.Errorf("%w: another list is in force under revision %d (sha256 %s, this one has %s): a change is revision %d, with its approvals", ErrPolicyRevision, p.Revision, p.SHA256, next.SHA256, p.Revision+1)
	case next.Revision == p.Revision:
		return fmt.Errorf("%w: revision %d is in force already", ErrPolicyRevision, p.Revision)
	case next.Revision > p.Revision+1:
		return fmt.Errorf("%w: revision %d cannot follow revision %d: install those in between first, each is signed under the one before", ErrPolicyRevision, next.Revision, p.Revision)
	}
	return nil
}

// Approval is what an approval of p says; the caller adds who signs, and when.
func (p *Policy) Approval() Approval {
	return Approval{Policy: true, Revision: strconv.Itoa(p.Revision), SHA256: p.SHA256}
}

// CanSign is Document.CanSign for a list of approvers.
func (p *Policy) CanSign(list Approvals, a Approval) error { return canSign(p.SHA256, list, a) }

func (p *Policy) subject() subject {
	return subject{policy: true, revision: strconv.Itoa(p.Revision), sha256: p.SHA256}
}
