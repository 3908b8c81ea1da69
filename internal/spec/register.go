package spec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"andon/internal/sample"
)

// Why a Register does not take a revision.
var (
	// ErrInstalled: exactly this document is installed already; nothing is to
	// be done. A gateway that offers its directory at each start meets it.
	ErrInstalled = errors.New("installed already")
	// ErrRevision: other bytes stand under the same id and revision, or the
	// revision goes back behind one that is installed.
	ErrRevision = errors.New("revision refused")
)

// Installed is one revision as it was installed. It is what is saved; all else
// is read from the bytes.
type Installed struct {
	Document  []byte      `json:"document"`
	Approvals []byte      `json:"approvals"`
	At        sample.Time `json:"at"` // the instant of installation: never in force before
	// Draft: it is rehearsed, and in force from At on, whatever it says.
	Draft bool `json:"draft,omitempty"`
	// Policy is the revision of the list of approvers under which it was accepted,
	// 0 where that was not noted.
	Policy int `json:"policy,omitempty"`
	// Withdrawal is the note that took it out of force, WithdrawnAt since when; none
	// and 0 while nobody has.
	Withdrawal  []byte      `json:"withdrawal,omitempty"`
	WithdrawnAt sample.Time `json:"withdrawn_at,omitempty"`

	doc *Document
}

// parse reads the document.
func (in *Installed) parse() (*Document, error) {
	d, err := Parse("specification", in.Document)
	if err == nil && in.Draft {
		d.Effective = Effective{From: in.At}
	}
	return d, err
}

// Register is every revision ever installed, and knows which one was in force
// at any instant. It is a value: Install returns another one and shares
// nothing that either could change. As JSON it is the same bytes for the same
// installations, and reads itself back.
//
// What was withdrawn judges no more from then on, and still decides for its id:
// the one before it does not come back.
//
// One id has at most one revision in force. A revision begins at the later of
// its effective.from and its installation; from then on it alone decides for its
// id, also where its scope is narrower than that of the one before and after it
// has expired: what has been superseded never comes back. Specifications of
// different ids are independent of one another and may overlap.
type Register struct {
	installed []Installed // in order of installation
}

// saved is the form of a Register as JSON: an object, so that what is done to
// installed revisions (withdrawals) can stand beside them.
type saved struct {
	Installed []Installed `json:"installed"`
}

// MarshalJSON writes the installations.
func (r Register) MarshalJSON() ([]byte, error) {
	return json.Marshal(saved{append([]Installed{}, r.installed...)})
}

// UnmarshalJSON reads what MarshalJSON wrote. A document that this version
// cannot read is an error: it was approved and installed, so no version may
// quietly stop judging by it.
func (r *Register) UnmarshalJSON(b []byte) error {
	var s saved
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read installed specifications: %w", err)
	}
	for i := range s.Installed {
		d, err := s.Installed[i].parse()
		if err != nil {
			return fmt.Errorf("read installed specification %d of %d: %w", i+1, len(s.Installed), err)
		}
		s.Installed[i].doc = d
	}
	r.installed = s.Installed
	return nil
}

// Install adds a revision that Verify has accepted (or a draft, where somebody
// has asked to rehearse one). The error is or wraps ErrInstalled, ErrRevision or
// strictyaml.Problems; the Register is then unchanged, and the document, if it
// could be read, is the one that was offered. A revision that has expired is
// taken: it is on record and judges nothing (Effective.Expired).
func (r Register) Install(in Installed) (Register, *Document, error) {
	d, err := in.parse()
	if err != nil {
		return r, nil, err
	}
	for i := range r.installed {
		if err := r.installed[i].doc.precedes(d); err != nil {
			return r, d, err
		}
	}
	in.Document, in.Approvals, in.doc = slices.Clone(in.Document), slices.Clone(in.Approvals), d
	return Register{append(slices.Clip(r.installed), in)}, d, nil
}

// precedes says why next cannot be installed after d; nil when it can.
func (d *Document) precedes(next *Document) error {
	switch {
	case d.ID != next.ID:
		return nil
	case d.Revision == next.Revision && d.SHA256 == next.SHA256:
		return fmt.Errorf("%s revision %s: %w", next.ID, next.Revision, ErrInstalled)
	case d.Revision == next.Revision:
		return fmt.Errorf("%s revision %s: %w: another document is installed under this revision (sha256 %s, this one has %s): a change needs a new revision", next.ID, next.Revision, ErrRevision, d.SHA256, next.SHA256)
	case next.Effective.From < d.Effective.From:
		return fmt.Errorf("%s revision %s: %w: it is effective from %s, before revision %s (%s), which is installed: a revision never goes back; issue a new one", next.ID, next.Revision, ErrRevision, next.Effective.From, d.Revision, d.Effective.From)
	}
	return nil
}

// Expired reports whether the revision has ended by t.
func (e Effective) Expired(t sample.Time) bool { return e.To != 0 && t >= e.To }

// begins is the instant from which the revision decides for its id.
func (in *Installed) begins() sample.Time { return max(in.doc.Effective.From, in.At) }

// All lists every revision, in order of installation.
func (r Register) All() []Installed { return slices.Clone(r.installed) }

// Doc is the installed document.
func (in *Installed) Doc() *Document { return in.doc }

// Find is the installed revision of an id; nil when there is none.
func (r Register) Find(id, revision string) *Document {
	for i := range r.installed {
		if d := r.installed[i].doc; d.ID == id && d.Revision == revision {
			return d
		}
	}
	return nil
}

// Holds says whether exactly these bytes, approvals included, are installed.
func (r Register) Holds(document, approvals []byte) bool {
	return slices.ContainsFunc(r.installed, func(in Installed) bool {
		return bytes.Equal(in.Document, document) && bytes.Equal(in.Approvals, approvals)
	})
}

// Place is where and on what something is judged. Material and Operation are ""
// when not known.
type Place struct{ Equipment, Class, Material, Operation string }

// Current lists the revisions in force at an instant, whatever their scope, in
// order of id.
func (r Register) Current(at sample.Time) []*Document {
	return r.newest(at, func(in *Installed) bool { return !in.withdrawn(at) })
}

// Silent lists the revisions that would be in force at an instant had they not
// been withdrawn, in order of id: nothing is judged by them, and nothing in their
// scope is in spec.
func (r Register) Silent(at sample.Time) []*Document {
	return r.newest(at, func(in *Installed) bool { return in.withdrawn(at) })
}

// newest lists, of the revisions that decide for their ids at an instant and have
// not expired, those that are asked for.
func (r Register) newest(at sample.Time, asked func(*Installed) bool) []*Document {
	newest := map[string]*Installed{}
	for i := range r.installed {
		if in := &r.installed[i]; in.begins() <= at && !in.never() {
			newest[in.doc.ID] = in
		}
	}
	var list []*Document
	for _, in := range newest {
		if !in.doc.Effective.Expired(at) && asked(in) {
			list = append(list, in.doc)
		}
	}
	slices.SortFunc(list, func(a, b *Document) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// withdrawn says whether the revision has been withdrawn by t.
func (in *Installed) withdrawn(t sample.Time) bool { return in.WithdrawnAt != 0 && in.WithdrawnAt <= t }

// never: it was withdrawn before it had begun, and will not begin.
func (in *Installed) never() bool { return in.WithdrawnAt != 0 && in.WithdrawnAt <= in.begins() }

// Withdrawn says whether a revision has been withdrawn by t.
func (r Register) Withdrawn(id, revision string, t sample.Time) bool {
	return slices.ContainsFunc(r.installed, func(in Installed) bool {
		return in.doc.ID == id && in.doc.Revision == revision && in.withdrawn(t)
	})
}

// InForce lists the revisions in force at an instant and in scope of a place,
// in order of id. Undecided are those in force that would be in scope if the
// material or operation, which is not known, were theirs: nothing can be judged
// by them, and nothing is in spec for want of them.
func (r Register) InForce(p Place, at sample.Time) (in, undecided []*Document) {
	for _, d := range r.Current(at) {
		switch d.Scope.match(p) {
		case yes:
			in = append(in, d)
		case unknown:
			undecided = append(undecided, d)
		case no:
		}
	}
	return in, undecided
}

// Next is the first instant after t at which what is in force may change by
// itself: a revision begins or expires. 0 when there is none.
func (r Register) Next(t sample.Time) sample.Time {
	var next sample.Time
	for i := range r.installed {
		in := &r.installed[i]
		for _, u := range []sample.Time{in.begins(), in.doc.Effective.To} {
			if !in.never() && u > t && u != 0 && (next == 0 || u < next) {
				next = u
			}
		}
	}
	return next
}

// match is the answer to whether a scope holds a place.
type match uint8

const (
	no match = iota
	unknown
	yes
)

func (s Scope) match(p Place) match {
	if !s.Holds(p.Equipment, p.Class) {
		return no
	}
	m := yes
	if len(s.Materials) > 0 {
		m = min(m, among(p.Material, s.Materials))
	}
	if s.Operation != "" {
		m = min(m, among(p.Operation, []string{s.Operation}))
	}
	return m
}

func among(v string, names []string) match {
	switch {
	case v == "":
		return unknown
	case slices.Contains(names, v):
		return yes
	}
	return no
}
