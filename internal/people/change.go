package people

import (
	"crypto/rand"
	"time"
)

// Kind is what happened, named as on the audit trail.
type Kind string

// The kinds of changes.
const (
	UserAdd     Kind = "user_add"
	UserDisable Kind = "user_disable"
	UserEnable  Kind = "user_enable"
	UserPIN     Kind = "user_pin"
	UserRole    Kind = "user_role"
	SignRefused Kind = "sign_refused" // somebody tried to sign and could not
	UserLocked  Kind = "user_locked"  // too many wrong PINs: alert at once
)

// Change is what the audit trail is owed: one entry. It never holds a PIN or its
// hash.
type Change struct {
	ID       string    `json:"id"` // unique; the same when an entry is recorded twice
	At       time.Time `json:"at"` // when it happened, which may be long before it is recorded
	Kind     Kind      `json:"kind"`
	User     string    `json:"user"`           // whose account; "" when nobody has the id that was tried
	By       string    `json:"by"`             // who did it: os:root, or the id under which somebody tried
	Role     Role      `json:"role,omitempty"` // of By, when that is a user who was known for sure
	Old      string    `json:"old,omitempty"`  // in words
	New      string    `json:"new,omitempty"`  // in words
	Reason   string    `json:"reason,omitempty"`
	Terminal string    `json:"terminal,omitempty"`
}

// newID is an id that no other change has.
func newID() string { return rand.Text() }

// change is an entry about a user.
func (by By) change(k Kind, user, before, after string) Change {
	return Change{
		ID: newID(), At: instant(by.At), Kind: k, User: user, By: by.Who,
		Old: before, New: after, Reason: by.Reason, Terminal: by.Terminal,
	}
}
