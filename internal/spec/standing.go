package spec

import "andon/internal/sample"

// States of an installed revision at an instant.
const (
	Pending    = "pending"    // it begins later
	InForce    = "in force"   // it decides for its id
	Superseded = "superseded" // a later one decides, or has decided before this one could begin
	Expired    = "expired"    // it has ended by itself
	Withdrawn  = "withdrawn"  // quality has taken it out of force
)

// Standing is when an installed revision was, is or will be in force, as far as
// is known from what has been installed: a later installation may end it sooner,
// never lengthen it.
type Standing struct {
	// From and To are the time in force: From included, To not. To is 0 for no
	// end. Both are 0 for one that never decides.
	From, To sample.Time

	begins, ends sample.Time
	superseded   bool // that is what ends it
	withdrawn    sample.Time
}

// Standing says when the revision at a place of All is in force: from when it
// begins until it expires or the first of those installed behind it begins.
func (r Register) Standing(i int) Standing {
	in := &r.installed[i]
	s := Standing{begins: in.begins(), ends: in.doc.Effective.To, withdrawn: in.WithdrawnAt}
	for k := i + 1; k < len(r.installed); k++ {
		next := &r.installed[k]
		if u := next.begins(); next.doc.ID == in.doc.ID && !next.never() && (s.ends == 0 || u < s.ends) {
			s.ends, s.superseded = u, true
		}
	}
	if u := in.WithdrawnAt; u != 0 && (s.ends == 0 || u < s.ends) {
		s.ends, s.superseded = u, false
	}
	if s.ends == 0 || s.begins < s.ends {
		s.From, s.To = s.begins, s.ends
	}
	return s
}

// Holds says whether the revision is in force at an instant.
func (s Standing) Holds(at sample.Time) bool {
	return s.From != 0 && s.From <= at && (s.To == 0 || at < s.To)
}

// State is how the revision stands at an instant: Pending, InForce, Superseded,
// Expired or Withdrawn.
func (s Standing) State(at sample.Time) string {
	switch {
	case s.Holds(at):
		return InForce
	case s.withdrawn != 0 && s.withdrawn <= at:
		return Withdrawn
	case at < s.begins && (s.ends == 0 || at < s.ends):
		return Pending
	case s.superseded:
		return Superseded
	}
	return Expired
}
