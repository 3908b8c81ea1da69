package people

import (
	"errors"
	"sync"
	"testing"
	"time"
)

func TestNonce(t *testing.T) {
	for _, c := range []struct {
		name string
		age  time.Duration
		want bool
	}{
		{"at once", 0, true},
		{"in time", nonceLife - 1, true},
		{"too late", nonceLife, false},
		{"much too late", 24 * time.Hour, false},
		{"the clock went back", -1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n nonces
			nonce := n.new(at0())
			if got := n.take(nonce, at0().Add(c.age)); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if n.take(nonce, at0()) {
				t.Error("it can be used twice")
			}
		})
	}
}

func TestNonceForged(t *testing.T) {
	var n nonces
	if n.take("", at0()) || n.take("AAAAAAAAAAAAAAAAAAAAAAAAAA", at0()) {
		t.Error("a nonce that was never given is taken")
	}
	a, b := n.new(at0()), n.new(at0())
	if a == b || len(a) < 26 {
		t.Errorf("%q, %q: too easy to guess", a, b)
	}
	var other nonces
	if other.take(a, at0()) {
		t.Error("another gateway's nonce is taken")
	}
}

// TestNoncesBounded asks for far more than are used: memory is bounded, and the
// latest are good.
func TestNoncesBounded(t *testing.T) {
	var n nonces
	first := n.new(at0())
	var last string
	for range 3 * maxNonces {
		last = n.new(at0())
	}
	if len(n.given) > maxNonces || len(n.order) > maxNonces || len(n.given) < maxNonces/2 {
		t.Errorf("%d nonces, %d in order, want at most %d", len(n.given), len(n.order), maxNonces)
	}
	if n.take(first, at0()) {
		t.Error("the oldest of too many is still good")
	}
	if !n.take(last, at0()) {
		t.Error("the latest is not good")
	}
	n.new(at0().Add(nonceLife))
	if len(n.given) != 1 {
		t.Errorf("%d nonces, want only the one that is not too old", len(n.given))
	}
	for range 3 * maxNonces { // used ones take no room
		if !n.take(n.new(at0().Add(nonceLife)), at0().Add(nonceLife)) {
			t.Fatal("a new nonce is not good")
		}
	}
	if len(n.given) > 1 || len(n.order) > maxNonces {
		t.Errorf("%d nonces, %d in order after all were used", len(n.given), len(n.order))
	}
}

// TestReplay uses one nonce from many sides at once: one signs.
//
//andon:req Q16
func TestReplay(t *testing.T) {
	s := withAnn(t)
	g := signed(s, "ann", annPIN, at0())
	var wg sync.WaitGroup
	results := make([]error, 20)
	for i := range results {
		wg.Go(func() { _, results[i] = s.Verify(t.Context(), g) })
	}
	wg.Wait()
	good := 0
	for _, err := range results {
		switch {
		case err == nil:
			good++
		case !errors.Is(err, ErrNonce):
			t.Errorf("refused with %v, want ErrNonce", err)
		}
	}
	if good != 1 {
		t.Errorf("%d of %d replays signed, want 1", good, len(results))
	}
	if owed, err := s.Unrecorded(); err != nil || len(owed) != 1 {
		t.Errorf("%v, owed %+v: a replay is not a try at a PIN", err, owed)
	}
}

// TestNonceIsUsedByAWrongPIN: each try needs its own.
func TestNonceIsUsedByAWrongPIN(t *testing.T) {
	s := withAnn(t)
	g := signed(s, "ann", "999998", at0())
	if _, err := s.Verify(t.Context(), g); !errors.Is(err, ErrPIN) {
		t.Fatal(err)
	}
	g.PIN = annPIN
	if _, err := s.Verify(t.Context(), g); !errors.Is(err, ErrNonce) {
		t.Errorf("%v, want ErrNonce", err)
	}
}

// TestLoginNonces: who asks for numbers for acts voids none of the login form's, and
// neither kind is good for the other.
//
//andon:req Q16
func TestLoginNonces(t *testing.T) {
	s := withAnn(t)
	form, other := s.NewLogin(at0()), s.NewLogin(at0())
	for range 3 * maxNonces {
		s.NewNonce(at0())
	}
	g := signed(s, "ann", annPIN, at0())
	acts := g.Nonce
	g.Act, g.Meaning = View, "logged in"
	if _, err := s.Verify(t.Context(), g); !errors.Is(err, ErrNonce) {
		t.Errorf("an act's nonce for a login: %v, want ErrNonce", err)
	}
	if g.Nonce = form; form == acts {
		t.Fatal("the same nonce twice")
	}
	if _, err := s.Verify(t.Context(), g); err != nil {
		t.Errorf("the form's nonce: %v", err)
	}
	g.Act, g.Meaning, g.Nonce = Ack, "acknowledged", other
	if _, err := s.Verify(t.Context(), g); !errors.Is(err, ErrNonce) {
		t.Errorf("a login's nonce for an act: %v, want ErrNonce", err)
	}
}
