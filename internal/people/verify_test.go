package people

import (
	"context"
	"errors"
	"strings"
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

// TestIncomplete: what is not all there is refused before anything is checked,
// counted or used up.
func TestIncomplete(t *testing.T) {
	s := withAnn(t)
	good := signed(s, "ann", annPIN, at0())
	long := strings.Repeat("x", longestText+1)
	for name, spoil := range map[string]func(*Signed){
		"no user":       func(g *Signed) { g.User = "" },
		"no PIN":        func(g *Signed) { g.PIN = "" },
		"no act":        func(g *Signed) { g.Act = "" },
		"no meaning":    func(g *Signed) { g.Meaning = " \t" },
		"no nonce":      func(g *Signed) { g.Nonce = "" },
		"no instant":    func(g *Signed) { g.At = time.Time{} },
		"long user":     func(g *Signed) { g.User = long },
		"long PIN":      func(g *Signed) { g.PIN = long },
		"long act":      func(g *Signed) { g.Act = Act(long) },
		"long meaning":  func(g *Signed) { g.Meaning = long },
		"long comment":  func(g *Signed) { g.Comment = long },
		"long nonce":    func(g *Signed) { g.Nonce = long },
		"long terminal": func(g *Signed) { g.Terminal = long },
		"not UTF-8":     func(g *Signed) { g.Comment = "\xff" },
	} {
		g := good
		spoil(&g)
		if _, err := s.Verify(t.Context(), g); !errors.Is(err, ErrIncomplete) {
			t.Errorf("%s: %v, want ErrIncomplete", name, err)
		}
	}
	if _, err := s.Verify(t.Context(), good); err != nil {
		t.Errorf("the nonce was used up: %v", err)
	}
	if owed, err := s.Unrecorded(); err != nil || len(owed) != 1 {
		t.Errorf("%v, owed %+v", err, owed)
	}
}

// TestUnknownAct: what no table gives nobody may.
func TestUnknownAct(t *testing.T) {
	s := withAnn(t)
	g := signed(s, "ann", annPIN, at0())
	g.Act = "launch"
	if _, err := s.Verify(t.Context(), g); !errors.Is(err, ErrRight) {
		t.Errorf("%v, want ErrRight", err)
	}
}

// TestChangedWhileChecked: a PIN that was replaced, or a person disabled, while
// the old one was being compared does not sign.
func TestChangedWhileChecked(t *testing.T) {
	st := full()
	old := st.Users[0].PIN
	x := try{user: "ann", act: Ack, at: at0(), right: true, compared: old, refusal: "R", lock: "L"}
	st.Users[0].PIN = strings.Replace(old, "$AAAA", "$BBBB", 1)
	if _, err := x.judge(st); !errors.Is(err, ErrPIN) || st.Users[0].Wrong != 3 {
		t.Errorf("another PIN by now: %v, %+v", err, st.Users[0])
	}
	st = full()
	st.Users[0].Disabled = true
	if _, err := x.judge(st); !errors.Is(err, ErrDisabled) {
		t.Errorf("disabled by now: %v", err)
	}
}

// TestFind shows whose name a signature will bear.
func TestFind(t *testing.T) {
	s := withAnn(t)
	p, ok, err := s.Find("ANN", at0())
	if err != nil || !ok || p.ID != "ann" || p.Name != "Ann Meyer" {
		t.Errorf("%+v, %v, %v", p, ok, err)
	}
	if p, ok, err := s.Find("bob", at0()); err != nil || ok || p != (Person{}) {
		t.Errorf("%+v, %v, %v", p, ok, err)
	}
}
