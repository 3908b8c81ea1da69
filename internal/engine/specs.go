package engine

import (
	"errors"
	"fmt"
	"slices"

	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// specDocument tells of a specification's arrival.
type specDocument struct {
	Schema    string          `json:"schema"`
	State     string          `json:"state"` // installed, refused, effective, ended
	Spec      record.SpecRef  `json:"spec"`
	Equipment string          `json:"equipment,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	By        string          `json:"by,omitempty"`
	Approvals []approvalFacts `json:"approvals,omitempty"`
	At        sample.Time     `json:"at"`
}

type approvalFacts struct {
	User    string      `json:"user"`
	Name    string      `json:"name"`
	Role    string      `json:"role"`
	Meaning string      `json:"meaning"`
	At      sample.Time `json:"at"`
}

// specification verifies a document that is offered and installs it, or refuses
// it whole; what was in force stays in force.
func (d *decision) specification(b *record.Specification) {
	if d.s.Register.Holds(b.Document, b.Approvals) {
		return // a directory is offered at each start; what was accepted stays so, whoever may sign by now
	}
	doc, approvals, policy, err := d.verified(b)
	if err != nil {
		d.refuse(doc, b, err)
		return
	}
	if err := d.rivals(doc); err != nil {
		d.refuse(doc, b, err)
		return
	}
	reg, doc, err := d.s.Register.Install(spec.Installed{Document: b.Document, Approvals: b.Approvals, At: d.at, Draft: b.Draft, Policy: policy})
	if errors.Is(err, spec.ErrInstalled) {
		return
	}
	if err != nil {
		d.refuse(doc, b, err)
		return
	}
	d.s.Register = reg
	told := specDocument{State: "installed", Spec: ref(doc), By: b.By}
	for _, a := range approvals {
		told.Approvals = append(told.Approvals, approvalFacts{a.User, a.Name, a.Role, a.Meaning, a.Time})
	}
	if doc.Effective.Expired(d.at) {
		told.Reason = "it has expired: it is on record and judges nothing"
	}
	d.tellSpec(told)
	d.audit(audit{Who: b.By, Action: "install", Object: "specification " + doc.ID, New: doc.Revision + " sha256 " + doc.SHA256})
	d.assignAll(d.at)
}

// rivals refuses a parameter that another specification judges on the same
// equipment: their events and alarms could not be told apart.
func (d *decision) rivals(doc *spec.Document) error {
	var errs []error
	for _, in := range d.s.Register.All() {
		other := in.Doc()
		if other.ID == doc.ID || other.Effective.Expired(d.at) {
			continue
		}
		for _, e := range d.s.Start.Wiring.Equipment {
			if !doc.Scope.Holds(e.Name, e.Class) || !other.Scope.Holds(e.Name, e.Class) {
				continue
			}
			for _, p := range doc.Parameters {
				if slices.ContainsFunc(other.Parameters, func(q spec.Parameter) bool { return q.ID == p.ID }) {
					errs = append(errs, fmt.Errorf("the parameter %s is judged on %s by %s revision %s already: give it an id of its own", p.ID, e.Name, other.ID, other.Revision))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// verified says whether a document may judge here: approved under the policy in
// force, whose revision it returns, untouched, and about equipment and tags that
// there are.
func (d *decision) verified(b *record.Specification) (*spec.Document, spec.Approvals, int, error) {
	doc, err := spec.Parse("specification", b.Document)
	if err != nil {
		return nil, nil, 0, err
	}
	if err := doc.Check(d.s.specFacts()); err != nil {
		return doc, nil, 0, err
	}
	if b.Unsigned {
		return doc, nil, 0, nil
	}
	p, err := d.s.policyInForce()
	if err != nil {
		return doc, nil, 0, err
	}
	approvals, err := p.AcceptAt(doc, b.Approvals, d.at)
	return doc, approvals, p.Revision, err
}

func (d *decision) refuse(doc *spec.Document, b *record.Specification, err error) {
	told := specDocument{State: "refused", Reason: err.Error(), By: b.By}
	if doc != nil {
		told.Spec = ref(doc)
	}
	d.tellSpec(told)
	d.notice("specification_refused", "A specification was refused: "+told.Spec.ID+" "+told.Spec.Revision, "Call quality; what was in force stays in force")
	d.audit(audit{Who: b.By, Action: "refuse", Object: "specification " + told.Spec.ID, New: told.Spec.Revision, Reason: err.Error()})
}

func (d *decision) tellSpec(doc specDocument) {
	doc.Schema, doc.At = "andon.spec-event/1", d.at
	subject := d.s.Start.Site
	if doc.Equipment != "" {
		subject = quality.Path(d.s.Start.Site, doc.Equipment)
	}
	d.entry(laneQuality, "quality/spec", subject, d.at, doc)
}

func ref(doc *spec.Document) record.SpecRef {
	return record.SpecRef{ID: doc.ID, Revision: doc.Revision, SHA256: doc.SHA256}
}

// specFacts are what the wiring says that a specification could contradict.
func (s *State) specFacts() spec.Facts { return SpecFacts(&s.Start.Wiring) }

// SpecFacts are what a wiring says that a specification could contradict.
func SpecFacts(w *record.Wiring) spec.Facts {
	var f spec.Facts
	for _, e := range w.Equipment {
		x := spec.EquipmentFacts{Name: e.Name, Class: e.Class, Tags: map[string]spec.TagFacts{}, Context: map[string][]string{}}
		for _, t := range w.Tags {
			if t.Equipment == e.Name && t.Source != "" {
				x.Tags[t.Name] = spec.TagFacts{Unit: t.Unit, Kind: t.Kind, Range: t.Range}
			}
		}
		for _, b := range e.Context {
			var values []string
			for _, v := range b.Values {
				values = append(values, v)
			}
			slices.Sort(values)
			x.Context[b.Field] = slices.Compact(values)
		}
		f.Equipment = append(f.Equipment, x)
	}
	return f
}
