package people

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what a person is at the line. A person has one.
type Role string

// The roles, as they are written in files and on the audit trail.
const (
	Viewer          Role = "viewer"
	Operator        Role = "operator"
	ShiftLead       Role = "shift_lead"
	ProcessEngineer Role = "process_engineer"
	Quality         Role = "quality"
	Maintenance     Role = "maintenance"
	Administrator   Role = "administrator"
)

// Roles lists all roles, those with the fewest rights first.
func Roles() []Role {
	return []Role{Viewer, Operator, ShiftLead, ProcessEngineer, Quality, Maintenance, Administrator}
}

// ParseRole takes a role as a person types it. The error names those there are.
func ParseRole(s string) (Role, error) {
	if r := Role(s); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", fmt.Errorf("role %q: want one of %s", s, roleNames())
}

func roleNames() string {
	var b strings.Builder
	for i, r := range Roles() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(r))
	}
	return b.String()
}

// Act is something that a person does and signs for.
type Act string

// The acts, named as on the audit trail.
const (
	View       Act = "view"    // log in to look
	Ack        Act = "ack"     // acknowledge an alarm
	Comment    Act = "comment" // say something about an alarm
	SetContext Act = "context" // say what is being made
	Shelve     Act = "shelve"  // put an alarm aside for a time, and take it back
	// ShelveCritical is Shelve for alarms of critical rules: those whom ISA-18.2
	// calls highly managed (ANSI/ISA-18.2-2016, clause 11) need more than an operator.
	ShelveCritical Act = "shelve_critical"
	Reclassify     Act = "reclassify" // give a quality event another class
	Withdraw       Act = "withdraw"   // withdraw a quality event or a specification
)

// May says whether a role has the right to an act. What the table does not name
// nobody may. An administrator looks after accounts and has no say in quality:
// who can make users must not be able to decide about product.
func (r Role) May(a Act) bool {
	switch a {
	case View:
		return slices.Contains(Roles(), r)
	case Ack, Comment:
		return r == Operator || r == ShiftLead || r == ProcessEngineer || r == Quality || r == Maintenance || r == Administrator
	case SetContext, Shelve:
		return r == Operator || r == ShiftLead || r == ProcessEngineer || r == Quality
	case ShelveCritical:
		return r == ShiftLead || r == ProcessEngineer || r == Quality
	case Reclassify, Withdraw:
		return r == Quality
	}
	return false
}
