package spec

import (
	"fmt"
	"slices"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// LintTogether reports, as strictyaml.Problems, what is wrong with documents
// beside one another: two under one revision, two revisions from one instant, a
// revision that ends and leaves nothing behind it where the one before went on,
// and a parameter that two specifications judge at one time. Each is reported at
// the later of the two. facts say which equipment is in whose scope; nil: only
// what the scopes themselves say.
//
// That the effective time of a revision reaches into that of the next is no
// mistake: the next ends it (Register).
func LintTogether(docs []*Document, facts *Facts) error {
	var all strictyaml.Problems
	for i, d := range docs {
		c := checker{d: d}
		for _, other := range docs[:i] {
			switch {
			case other.SHA256 == d.SHA256: // given twice
			case other.ID == d.ID:
				c.revisions(other)
			default:
				c.rivals(other, facts)
			}
		}
		all = append(all, c.problems...)
	}
	for _, d := range docs {
		c := checker{d: d}
		c.leavesNothing(docs)
		all = append(all, c.problems...)
	}
	return all.Sorted().Err()
}

// file is where the document was read from.
func (d *Document) file() string { return d.places["parameters"].File }

// revisions compares two documents of one id.
func (c *checker) revisions(other *Document) {
	switch {
	case other.Revision == c.d.Revision:
		c.problem("revision", fmt.Sprintf("%s revision %s is %s too, with other bytes", c.d.ID, c.d.Revision, other.file()), "one revision is one document: a change needs a new revision")
	case other.Effective.From == c.d.Effective.From:
		c.problem("effective.from", fmt.Sprintf("revision %s (%s) is effective from the same instant: the one that is installed last would judge", other.Revision, other.file()), "let the later revision begin later")
	}
}

// leavesNothing reports a revision that ends before one that it supersedes, with
// none to follow it: what is superseded never comes back.
func (c *checker) leavesNothing(docs []*Document) {
	ends := c.d.Effective.To
	if ends == 0 || slices.ContainsFunc(docs, func(o *Document) bool {
		return o.ID == c.d.ID && o.Effective.From > c.d.Effective.From && o.Effective.From <= ends
	}) {
		return
	}
	for _, o := range docs {
		if o.ID == c.d.ID && o.Effective.From < c.d.Effective.From && o.Effective.until(ends) {
			c.problem("effective.to", fmt.Sprintf("it ends at %s, and revision %s (%s), which goes on after that, does not come back: nothing would judge from then on", ends, o.Revision, o.file()), "let it end no sooner, or issue the revision that follows it")
			return
		}
	}
}

// until says whether the time goes on at and behind an instant.
func (e Effective) until(t sample.Time) bool { return e.From < t && !e.Expired(t) }

// rivals reports parameters that another specification judges at the same time
// on the same equipment: their events could not be told apart.
func (c *checker) rivals(other *Document, facts *Facts) {
	a, b := c.d.Effective, other.Effective
	if a.Expired(b.From) || b.Expired(a.From) || !meet(c.d.Scope, other.Scope, facts) {
		return
	}
	for i := range c.d.Parameters {
		id := c.d.Parameters[i].ID
		if slices.ContainsFunc(other.Parameters, func(p Parameter) bool { return p.ID == id }) {
			c.problem(element("parameters", i)+".id", fmt.Sprintf("%s revision %s (%s) judges a parameter %s on the same equipment at the same time", other.ID, other.Revision, other.file(), id), "give it an id of its own: events and alarms are told apart by it")
		}
	}
}

// meet says whether some equipment is in both scopes; without facts, whether
// there must be such, if there is any in scope at all.
func meet(a, b Scope, facts *Facts) bool {
	if facts != nil {
		return slices.ContainsFunc(facts.Equipment, func(e EquipmentFacts) bool { return a.Holds(e.Name, e.Class) && b.Holds(e.Name, e.Class) })
	}
	sameClass := a.EquipmentClass == b.EquipmentClass
	switch {
	case a.EquipmentClass != "" && b.EquipmentClass != "" && !sameClass:
		return false
	case len(a.Equipment) > 0 && len(b.Equipment) > 0:
		return slices.ContainsFunc(a.Equipment, func(name string) bool { return slices.Contains(b.Equipment, name) })
	case len(a.Equipment) > 0:
		return b.EquipmentClass == "" || sameClass
	case len(b.Equipment) > 0:
		return a.EquipmentClass == "" || sameClass
	}
	return true
}
