package people

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Add makes a person known. It refuses an id that somebody has or had (ErrTaken)
// and a weak PIN (ErrWeakPIN), and says all that is wrong at once.
func (s *Store) Add(ctx context.Context, n New, by By) error {
	if err := n.check(); err != nil {
		return fmt.Errorf("add user: %w", err)
	}
	pin, err := s.hash(ctx, n.PIN)
	if err != nil {
		return fmt.Errorf("add user %s: %w", n.ID, err)
	}
	a := account{ID: n.ID, Name: n.Name, Role: n.Role, PIN: pin, Created: instant(by.At), Changed: instant(by.At)}
	return s.alter(ctx, "add", n.ID, by, func(st *state) (Change, error) {
		if has := st.find(n.ID); has != nil {
			return Change{}, fmt.Errorf("%w: %s, %s: ids are never given twice: choose another, or see andon user pin, role and enable", ErrTaken, has.Name, has.Role)
		}
		st.Users = append(st.Users, a)
		return by.change(UserAdd, n.ID, "", fmt.Sprintf("%s, %s", n.Name, n.Role)), nil
	})
}

// Disable keeps a person from signing. What was signed stays.
func (s *Store) Disable(ctx context.Context, id string, by By) error {
	return s.edit(ctx, "disable", id, by, func(a *account) (Change, error) {
		if a.Disabled {
			return Change{}, fmt.Errorf("%w: disabled already", ErrUnchanged)
		}
		a.Disabled = true
		return by.change(UserDisable, a.ID, "enabled", "disabled"), nil
	})
}

// Enable takes Disable back; PIN and role are as they were.
func (s *Store) Enable(ctx context.Context, id string, by By) error {
	return s.edit(ctx, "enable", id, by, func(a *account) (Change, error) {
		if !a.Disabled {
			return Change{}, fmt.Errorf("%w: not disabled", ErrUnchanged)
		}
		a.Disabled = false
		return by.change(UserEnable, a.ID, "disabled", "enabled"), nil
	})
}

// SetRole gives a person another role.
func (s *Store) SetRole(ctx context.Context, id string, r Role, by By) error {
	if _, err := ParseRole(string(r)); err != nil {
		return fmt.Errorf("change role of user %s: %w", id, err)
	}
	return s.edit(ctx, "change role of", id, by, func(a *account) (Change, error) {
		if a.Role == r {
			return Change{}, fmt.Errorf("%w: the role is %s already", ErrUnchanged, r)
		}
		old := a.Role
		a.Role = r
		return by.change(UserRole, a.ID, string(old), string(r)), nil
	})
}

// SetPIN gives a person a new PIN and ends a lock. A weak PIN is refused
// (ErrWeakPIN), and the one that there is (ErrUnchanged).
func (s *Store) SetPIN(ctx context.Context, id, pin string, by By) error {
	wrap := func(err error) error { return fmt.Errorf("change PIN of user %s: %w", id, err) }
	if err := CheckPIN(pin, id); err != nil {
		return wrap(err)
	}
	old, err := s.hashOf(id)
	if err != nil {
		return wrap(err)
	}
	same, err := s.fits(ctx, old, pin)
	if err != nil {
		return wrap(err)
	}
	if same {
		return wrap(fmt.Errorf("%w: it is the PIN that there is", ErrUnchanged))
	}
	next, err := s.hash(ctx, pin)
	if err != nil {
		return wrap(err)
	}
	return s.edit(ctx, "change PIN of", id, by, func(a *account) (Change, error) {
		was := "a PIN"
		if a.at(by.At).locked() {
			was = "a PIN, locked"
		}
		a.PIN, a.tries = next, tries{}
		return by.change(UserPIN, a.ID, was, "another PIN"), nil
	})
}

// edit changes one account.
func (s *Store) edit(ctx context.Context, doing, id string, by By, fn func(*account) (Change, error)) error {
	return s.alter(ctx, doing, id, by, func(st *state) (Change, error) {
		a := st.find(id)
		if a == nil {
			return Change{}, ErrUnknown
		}
		c, err := fn(a)
		a.Changed = instant(by.At)
		return c, err
	})
}

// alter changes the file together with the audit entry that is owed for it.
func (s *Store) alter(ctx context.Context, doing, id string, by By, fn func(*state) (Change, error)) error {
	wrap := func(err error) error { return fmt.Errorf("%s user %s: %w", doing, id, err) }
	if err := by.check(); err != nil {
		return wrap(err)
	}
	err := s.update(ctx, func(st *state) error {
		if st.full() {
			return ErrUnrecorded
		}
		c, err := fn(st)
		if err == nil {
			st.owe(c)
		}
		return err
	})
	if err != nil {
		return wrap(err)
	}
	return nil
}

// check says whether a change can be attributed.
func (by By) check() error {
	if by.Who == "" || by.At.IsZero() {
		return errors.New("who does it, and when, is not known")
	}
	for _, text := range []string{by.Who, by.Terminal, by.Reason} {
		if len(text) > longestText || strings.ToValidUTF8(text, "") != text {
			return fmt.Errorf("who, where or why: want at most %d bytes of UTF-8", longestText)
		}
	}
	return nil
}
