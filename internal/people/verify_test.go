package people

import (
	"context"
	"errors"
	"testing"
	"time"
)

// at0 is the instant at which the tests begin.
func at0() time.Time { return time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC) }

func by(at time.Time) By { return By{Who: "os:root", Terminal: "tty1", At: at} }

// newStore is an empty store whose hashes cost next to nothing.
func newStore(t *testing.T) *Store {
	t.Helper()
	return openCheap(t, t.TempDir())
}

func openCheap(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.cost = cost{kib: 8, passes: 1, threads: 1}
	return s
}

const annPIN = "471193"

// withAnn is a store with one operator.
func withAnn(t *testing.T) *Store {
	t.Helper()
	s := newStore(t)
	add(t, s, New{"ann", "Ann Meyer", Operator, annPIN})
	return s
}

func add(t *testing.T, s *Store, n New) {
	t.Helper()
	if err := s.Add(t.Context(), n, by(at0())); err != nil {
		t.Fatal(err)
	}
}

// sign tries to acknowledge something.
func sign(s *Store, user, pin string, at time.Time) (Person, error) {
	return s.Verify(context.Background(), signed(s, user, pin, at))
}

func signed(s *Store, user, pin string, at time.Time) Signed {
	return Signed{User: user, PIN: pin, Act: Ack, Meaning: "acknowledged", Nonce: s.NewNonce(at), Terminal: "panel", At: at}
}

func TestVerify(t *testing.T) {
	s := withAnn(t)
	add(t, s, New{"vic", "Vic Tan", Viewer, "802215"})
	add(t, s, New{"gone", "Gus One", Operator, "390275"})
	if err := s.Disable(t.Context(), "gone", by(at0())); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, user, pin string
		want            error
	}{
		{"right", "ann", annPIN, nil},
		{"case of the id does not matter", "ANN", annPIN, nil},
		{"wrong PIN", "ann", "471194", ErrPIN},
		{"somebody else's PIN", "ann", "802215", ErrPIN},
		{"longer", "ann", annPIN + "0", ErrPIN},
		{"unknown id", "bob", annPIN, ErrPIN},
		{"no right", "vic", "802215", ErrRight},
		{"disabled", "gone", "390275", ErrDisabled},
		{"disabled says nothing to who does not know the PIN", "gone", "390276", ErrPIN},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := sign(s, c.user, c.pin, at0())
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err == nil && (p.ID != "ann" || p.Name != "Ann Meyer" || p.Role != Operator) {
				t.Errorf("person %+v", p)
			}
			if err != nil && p != (Person{}) {
				t.Errorf("a refused signature returns %+v", p)
			}
		})
	}
}
