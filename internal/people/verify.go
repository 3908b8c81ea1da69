package people

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Why a signature is refused. What is shown to the person who tried should be
// these and no more: they do not tell a wrong PIN from an unknown id.
var (
	// ErrIncomplete: user, PIN, meaning or instant is missing, or a text is too
	// long. Nothing was checked, and the nonce can still be used.
	ErrIncomplete = errors.New("the signature is incomplete")
	// ErrNonce: the nonce is not ours, was used, or is older than two minutes.
	// Nothing else was checked, nor counted.
	ErrNonce = errors.New("the signing dialog is out of date: open it again")
	// ErrPIN: no person has this id with this PIN.
	ErrPIN = errors.New("unknown id or wrong PIN")
	// ErrLocked: too many wrong PINs; see LockedError.
	ErrLocked = errors.New("locked after too many wrong PINs")
	// ErrDisabled: id and PIN are right, but the person may not sign any more.
	ErrDisabled = errors.New("this user is disabled")
	// ErrRight: id and PIN are right, but the role has no right to the act.
	ErrRight = errors.New("the role has no right to this act")
)

// LockedError is ErrLocked with the instant at which the lock ends.
type LockedError struct{ Until time.Time }

func (e *LockedError) Error() string {
	return fmt.Sprintf("%v until %s", ErrLocked, e.Until.Format(time.RFC3339))
}

// Is makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// longestText bounds each text of a signature, in bytes.
const longestText = 4096

// Signed is an act as its person signs it.
type Signed struct {
	User     string // id
	PIN      string
	Act      Act       // what the person needs the right to
	Meaning  string    // what signing means, as it was shown: acknowledged
	Comment  string    // may be empty
	Nonce    string    // from NewNonce; from NewLogin when Act is View
	Terminal string    // where; may be empty
	At       time.Time // now, by the gateway's clock
}

// Verify says who has signed, or why nobody has. In this order it holds the
// signature against ErrIncomplete, ErrNonce, ErrBusy, ErrLocked, ErrPIN,
// ErrDisabled and ErrRight; other errors mean that nothing could be checked. All
// refusals from ErrLocked on are owed to the audit trail: call Record soon.
//
// A refusal that the disk does not take counts all the same; the error then
// names both, and Trouble says so until the disk takes it. The act of a person
// who is returned has yet to be recorded.
func (s *Store) Verify(ctx context.Context, g Signed) (Person, error) {
	if err := g.check(); err != nil {
		return Person{}, err
	}
	if !s.noncesFor(g.Act).take(g.Nonce, g.At) {
		return Person{}, ErrNonce
	}
	h, err := s.hashOf(g.User)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return Person{}, err
	}
	right, err := s.fits(ctx, h, g.PIN)
	if err != nil {
		return Person{}, err
	}
	t := try{
		user: g.User, act: g.Act, terminal: g.Terminal, at: g.At,
		right: right, compared: h.String(), refusal: newID(), lock: newID(),
	}
	verdict := errNotJudged
	var p Person
	// who hangs up is not spared the count
	err = s.insist(context.WithoutCancel(ctx), func(st *state) { p, verdict = t.judge(st) })
	switch {
	case errors.Is(verdict, errNotJudged):
		return Person{}, err
	case verdict != nil:
		return Person{}, errors.Join(verdict, err)
	}
	return p, nil // an err is in Trouble: the disk has not taken that wrong PINs before this one are forgiven
}

var errNotJudged = errors.New("not judged")

// check says whether all is there that a signature needs.
func (g Signed) check() error {
	if g.User == "" || g.PIN == "" || g.Act == "" || strings.TrimSpace(g.Meaning) == "" || g.Nonce == "" || g.At.IsZero() {
		return fmt.Errorf("%w: want user, PIN, act, meaning, nonce and instant", ErrIncomplete)
	}
	for _, text := range []string{g.User, g.PIN, string(g.Act), g.Meaning, g.Comment, g.Nonce, g.Terminal} {
		if len(text) > longestText || !utf8.ValidString(text) {
			return fmt.Errorf("%w: want texts of at most %d bytes of UTF-8", ErrIncomplete, longestText)
		}
	}
	return nil
}

// hashOf is what the PIN of an id is compared with. When there is no such person
// it is a hash that nothing fits, and ErrUnknown.
func (s *Store) hashOf(id string) (pinHash, error) {
	h, err := nobody(s.cost), error(ErrUnknown)
	viewErr := s.view(func(st *state) {
		if a := st.find(id); a != nil {
			h, err = parseHash(a.PIN)
		}
	})
	if viewErr != nil {
		err = viewErr
	}
	return h, err
}

// fits compares a PIN when it is its turn.
func (s *Store) fits(ctx context.Context, h pinHash, pin string) (fits bool, err error) {
	err = s.turn.take(ctx, h.cost, func() { fits = h.fits(pin) })
	return fits, err
}

// hash is a PIN as it is kept, made when it is its turn.
func (s *Store) hash(ctx context.Context, pin string) (hash string, err error) {
	err = s.turn.take(ctx, s.cost, func() { hash = newHash(pin, s.cost).String() })
	return hash, err
}
