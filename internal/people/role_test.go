package people

import (
	"strings"
	"testing"
)

// TestRights is the table of rights, written a second time: a right is never
// given or taken by the way.
//
//andon:req Q37
func TestRights(t *testing.T) {
	acts := []Act{View, Ack, Comment, SetContext, Reclassify, Withdraw, Shelve, ShelveCritical, "", "no such act", "Ack"}
	for _, c := range []struct {
		role Role
		may  string // x for each of acts that it may
	}{
		{Viewer, "x.........."},
		{Operator, "xxxx..x...."},
		{ShiftLead, "xxxx..xx..."},
		{ProcessEngineer, "xxxx..xx..."},
		{Quality, "xxxxxxxx..."},
		{Maintenance, "xxx........"},
		{Administrator, "xxx........"},
		{"", "..........."},
		{"root", "..........."},
		{"Operator", "..........."},
	} {
		var got strings.Builder
		for _, a := range acts {
			if c.role.May(a) {
				got.WriteByte('x')
			} else {
				got.WriteByte('.')
			}
		}
		if got.String() != c.may {
			t.Errorf("%q may %s, want %s", c.role, got.String(), c.may)
		}
	}
}

func TestParseRole(t *testing.T) {
	for _, r := range Roles() {
		if got, err := ParseRole(string(r)); got != r || err != nil {
			t.Errorf("%s: %q, %v", r, got, err)
		}
	}
	for _, s := range []string{"", "root", "Operator", "shift lead", "operator "} {
		if got, err := ParseRole(s); err == nil {
			t.Errorf("%q: accepted as %q", s, got)
		}
	}
}

func TestCheckIDAndName(t *testing.T) {
	for id, ok := range map[string]bool{
		"ann": true, "u1042": true, "A.b_c-9": true, "7": true, strings.Repeat("a", 32): true,
		"": false, strings.Repeat("a", 33): false, " ann": false, "ann ": false, ".ann": false, "-f": false, "a/b": false, "änn": false, "a\nb": false, "a\x00": false,
	} {
		if err := CheckID(id); (err == nil) != ok {
			t.Errorf("id %q: %v", id, err)
		}
	}
	for name, ok := range map[string]bool{
		"Ann Meyer": true, "李伟": true, "Anna-Luise O'Neill, Dr.": true, strings.Repeat("ä", 100): true,
		"": false, " ": false, " Ann": false, "Ann\n": false, "Ann\tMeyer": false, "Ann\x1b[31m": false, "\xff": false, "Ann\u202eMeyer": false, strings.Repeat("ä", 101): false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
}
