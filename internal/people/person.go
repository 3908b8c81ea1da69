package people

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	longestID   = 32  // bytes
	longestName = 100 // characters
)

// Person is somebody who may be known to sign. There is no way to remove one:
// what was signed must stay attributable, so ids are never given twice.
type Person struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"` // as printed beside a signature
	Role     Role      `json:"role"`
	Disabled bool      `json:"disabled"`
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"` // last change by the commands; a wrong PIN is none
	// LockedUntil is when the id can sign again after too many wrong PINs; zero
	// when it is not locked. Package people fills it in for List and Find, for the
	// instant that they are given.
	LockedUntil time.Time `json:"locked_until,omitzero"`
}

// New is a person to be added.
type New struct {
	ID   string // see CheckID
	Name string // printed name
	Role Role
	PIN  string // see CheckPIN
}

// By says who changes a user, when, where and why. It is for the audit trail.
type By struct {
	Who      string // a unique person or named system: os:root
	Terminal string
	Reason   string
	At       time.Time
}

// CheckID says what is wrong with an id: 1 to 32 of A-Z a-z 0-9 . _ - beginning
// with a letter or digit, so that it can be printed, typed and sent anywhere.
func CheckID(id string) error {
	ok := id != "" && len(id) <= longestID
	for i := 0; ok && i < len(id); i++ {
		c := id[i]
		ok = c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || i > 0 && strings.IndexByte("._-", c) >= 0
	}
	if !ok {
		return fmt.Errorf("id %q: want 1 to %d of A-Z a-z 0-9 . _ - beginning with a letter or digit", id, longestID)
	}
	return nil
}

// CheckName says what is wrong with a printed name: one line of 1 to 100 printable
// characters, without spaces around it.
func CheckName(name string) error {
	switch {
	case name == "" || strings.TrimSpace(name) != name:
		return fmt.Errorf("name %q: want the printed name, without spaces around it", name)
	case !Printable(name):
		return fmt.Errorf("name %q: want printable characters on one line", name)
	case utf8.RuneCountInString(name) > longestName:
		return fmt.Errorf("name: %d characters: want at most %d", utf8.RuneCountInString(name), longestName)
	}
	return nil
}

// Printable says whether a text can stand on one line of a screen or a record and
// be read there as it was meant: nothing in it moves, hides or turns round what is
// beside it, as control characters and those for the direction of writing do
// (Unicode Standard Annex 9; its attack is CVE-2021-42574).
func Printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// check says all that is wrong with a new person.
func (n New) check() error {
	_, roleErr := ParseRole(string(n.Role))
	return errors.Join(CheckID(n.ID), CheckName(n.Name), roleErr, CheckPIN(n.PIN, n.ID))
}
