package engine

import (
	"bytes"
	"errors"
	"fmt"

	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// PolicyRevision is one revision of the list of approvers that has been in force,
// with the approvals under which it came.
type PolicyRevision struct {
	Revision  int         `json:"revision"`
	Document  []byte      `json:"document"`
	Approvals []byte      `json:"approvals,omitempty"` // none of the first, which is taken as found
	At        sample.Time `json:"at"`                  // since when; 0 where that was not noted
}

// policy takes the list of approvers. The first is taken as it is found, and its
// fingerprint goes on record: whoever sets the gateway up vouches for it. Every
// other one must be the next revision, signed under the one in force. What is
// refused is on record with its reason, and the one in force stays.
func (d *decision) policy(b *record.Policy) {
	next, err := spec.ParsePolicy("approvers", b.Document)
	if err != nil {
		d.refusePolicy("", err)
		return
	}
	if d.s.Policy == nil {
		d.installPolicy(b, next, nil)
		return
	}
	now, err := d.s.policyInForce()
	switch {
	case err != nil:
		d.refusePolicy(fingerprint(next), err)
	case now.SHA256 == next.SHA256:
		d.policyAgain(b, next)
	default:
		if _, err := now.Next(next, b.Approvals, d.at); err != nil {
			d.refusePolicy(fingerprint(next), err)
			return
		}
		d.installPolicy(b, next, now)
	}
}

// policyAgain: the list in force is offered once more, as at every start. Its
// approvals must still be those of the list before.
func (d *decision) policyAgain(b *record.Policy, same *spec.Policy) {
	s := d.s
	if len(s.Policies) < 2 || bytes.Equal(b.Approvals, s.Policy.Approvals) {
		return
	}
	before, err := spec.ParsePolicy("approvers", s.Policies[len(s.Policies)-2].Document)
	if err == nil {
		_, err = before.Next(same, b.Approvals, s.Policies[len(s.Policies)-1].At)
	}
	if err != nil {
		d.refusePolicy(fingerprint(same), fmt.Errorf("the approvals beside it are not those with which it came: %w", err))
	}
}

func (d *decision) installPolicy(b *record.Policy, next, old *spec.Policy) {
	d.s.Policy = b
	d.s.Policies = append(d.s.Policies, PolicyRevision{next.Revision, b.Document, b.Approvals, d.at})
	a := audit{Who: "gateway", Action: "install", Object: "approvers", New: fingerprint(next)}
	if old != nil {
		a.Old = fingerprint(old)
	}
	d.audit(a)
}

func (d *decision) refusePolicy(offered string, err error) {
	a := audit{Who: "gateway", Action: "refuse", Object: "approvers", New: offered, Reason: err.Error()}
	if now, err := d.s.policyInForce(); err == nil {
		a.Old = fingerprint(now)
	}
	d.notice("approvers_refused", "A list of approvers was refused", "Call quality; the list that was in force stays in force")
	d.audit(a)
}

func fingerprint(p *spec.Policy) string {
	return fmt.Sprintf("revision %d, sha256 %s", p.Revision, p.SHA256)
}

// policyInForce is by whom things may be signed now.
func (s *State) policyInForce() (*spec.Policy, error) {
	if s.Policy == nil {
		return nil, errors.New("there is no list of approvers: nothing can be approved")
	}
	return spec.ParsePolicy("approvers", s.Policy.Document)
}

// PolicyOf is a revision of the list of approvers that is or was in force; false
// when there was none.
func (s *State) PolicyOf(revision int) (PolicyRevision, bool) {
	for _, p := range s.Policies {
		if p.Revision == revision {
			return p, true
		}
	}
	return PolicyRevision{}, false
}

// knowPolicies fills the list of policies in a state that was saved before it was
// kept.
func (s *State) knowPolicies() {
	if s.Policy == nil || len(s.Policies) > 0 {
		return
	}
	revision := 0
	if p, err := s.policyInForce(); err == nil {
		revision = p.Revision
	}
	s.Policies = []PolicyRevision{{Revision: revision, Document: s.Policy.Document, Approvals: s.Policy.Approvals}}
}
