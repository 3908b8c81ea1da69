package people

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	schema = "andon.users/1"
	// maxFile is far above the 10,000 users that the gateway is meant for at most.
	maxFile = 16 << 20
	// maxUnrecorded is how many changes may wait for the audit trail.
	maxUnrecorded = 1000
)

// account is a person with what must not leave the package.
type account struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Role     Role      `json:"role"`
	PIN      string    `json:"pin"` // see pinHash.String
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"`
	tries              // of wrong PINs
}

// person is an account as others see it at an instant.
func (a *account) person(now time.Time) Person {
	return Person{
		ID: a.ID, Name: a.Name, Role: a.Role, Disabled: a.Disabled,
		Created: a.Created, Changed: a.Changed, LockedUntil: a.at(now).until(),
	}
}

// state is the file's content.
type state struct {
	Schema     string    `json:"schema"`
	Users      []account `json:"users"`
	Unrecorded []Change  `json:"unrecorded,omitempty"` // oldest first
}

// find returns the account of an id, nil when there is none. Case does not tell
// people apart: u7 and U7 would be one person on paper.
func (s *state) find(id string) *account {
	for i := range s.Users {
		if strings.EqualFold(s.Users[i].ID, id) {
			return &s.Users[i]
		}
	}
	return nil
}

// owe notes changes for the audit trail.
func (s *state) owe(c ...Change) { s.Unrecorded = append(s.Unrecorded, c...) }

// full says whether more changes wait than may.
func (s *state) full() bool { return len(s.Unrecorded) >= maxUnrecorded }

// encode is the file's bytes.
func (s *state) encode() ([]byte, error) {
	s.Schema = schema
	if s.Users == nil {
		s.Users = []account{} // [] and not null
	}
	b, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// parse reads what encode wrote and refuses everything else: what is not
// understood could be a right that somebody has or has not. No bytes at all are
// no users.
func parse(b []byte) (*state, error) {
	s := &state{}
	if len(b) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, decodeError(b, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("line %d: something follows the end", line(b, d.InputOffset()))
	}
	if s.Schema != schema {
		return nil, fmt.Errorf("schema %q: this version reads %s", s.Schema, schema)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, s.same(b)
}

// same refuses what the decoder lets pass and would be lost at the next write: a
// key twice or in another case. Space between tokens does not matter.
func (s *state) same(b []byte) error {
	ours, err := s.encode()
	if err != nil {
		return err
	}
	var is, want bytes.Buffer
	if err := errors.Join(json.Compact(&is, b), json.Compact(&want, ours)); err != nil {
		return err
	}
	if !bytes.Equal(is.Bytes(), want.Bytes()) {
		return errors.New("something is there twice, or not as andon user writes it")
	}
	return nil
}

// decodeError says on which line the decoder stopped.
func decodeError(b []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w", line(b, syntax.Offset), err)
	case errors.As(err, &kind):
		return fmt.Errorf("line %d: %w", line(b, kind.Offset), err)
	}
	return err
}

func line(b []byte, offset int64) int {
	return 1 + bytes.Count(b[:min(max(offset, 0), int64(len(b)))], []byte("\n"))
}

// check says what cannot be so.
func (s *state) check() error {
	seen := map[string]bool{}
	for i := range s.Users {
		a := &s.Users[i]
		if err := a.check(); err != nil {
			return fmt.Errorf("user %d (%q): %w", i+1, a.ID, err)
		}
		id := strings.ToLower(a.ID)
		if seen[id] {
			return fmt.Errorf("user %d: id %q is there twice", i+1, a.ID)
		}
		seen[id] = true
	}
	return s.checkUnrecorded()
}

func (a *account) check() error {
	_, roleErr := ParseRole(string(a.Role))
	_, pinErr := parseHash(a.PIN)
	err := errors.Join(CheckID(a.ID), CheckName(a.Name), roleErr, pinErr)
	if a.Wrong < 0 || a.Wrong >= MaxWrong || a.Wrong > 0 && a.locked() {
		err = errors.Join(err, fmt.Errorf("wrong %d, locked_at %v: want fewer than %d, and none with a lock", a.Wrong, a.LockedAt, MaxWrong))
	}
	return err
}

func (s *state) checkUnrecorded() error {
	ids := make([]string, 0, len(s.Unrecorded))
	for i, c := range s.Unrecorded {
		if c.ID == "" || c.Kind == "" || c.At.IsZero() {
			return fmt.Errorf("unrecorded change %d: want id, at and kind", i+1)
		}
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != len(s.Unrecorded) {
		return errors.New("unrecorded changes: an id is there twice")
	}
	return nil
}
