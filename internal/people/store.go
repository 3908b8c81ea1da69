package people

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

var (
	// ErrUnknown: nobody has the id.
	ErrUnknown = errors.New("no such user: see andon user list")
	// ErrTaken: somebody has the id already, or had it.
	ErrTaken = errors.New("the id is taken")
	// ErrUnchanged: it is so already.
	ErrUnchanged = errors.New("nothing to change")
	// ErrUnrecorded: too many changes wait for the audit trail; nobody can sign and
	// nothing can be changed until the gateway has recorded them.
	ErrUnrecorded = errors.New("too many changes are not on record yet: let the gateway run and record")
)

// Store is the people of one gateway. Its methods may be called from any
// goroutine, and the same directory may be open in several processes.
type Store struct {
	disk   disk
	cost   cost   // of new PINs
	nonces nonces // for acts
	logins nonces // for the login form: who asks for many of the others does not void these
	turn   turnstile

	mu sync.Mutex // over reading, changing and writing the file
	// unsaved is what the disk would not take, oldest first; under mu. It is applied
	// to all that is read until it can be written, so that a full disk gives nobody
	// more tries and no entry is forgotten while this process lives.
	unsaved []func(*state)
	trouble error // why the disk took nothing when it was last tried; under mu

	recording sync.Mutex // over Record, so that nothing is recorded twice at the same time
}

// Open returns the people kept in a gateway's data directory. Without a file
// there are none: there is no default account. A file that cannot be read or
// understood is an error, here and in every method.
func Open(dir string) (*Store, error) {
	s := &Store{disk: disk{dir}, cost: fullCost(), turn: newTurnstile()}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, err := s.load()
	return s, err
}

// load reads the file. The bytes are those that are on disk. mu is held.
func (s *Store) load() (*state, []byte, error) {
	b, err := s.disk.read()
	if err != nil {
		return nil, nil, s.disk.wrap("read", err)
	}
	st, err := parse(b)
	if err != nil {
		return nil, nil, s.disk.wrap("read", fmt.Errorf("%w: restore it from a backup, or move it away and add the people again", err))
	}
	for _, apply := range s.unsaved {
		apply(st)
	}
	return st, b, nil
}

// view calls fn with the state as it is now.
func (s *Store) view(fn func(*state)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, _, err := s.load()
	if err == nil {
		fn(st)
	}
	return err
}

// update changes the file by what fn does; when fn returns an error nothing is
// written, and that is the error.
func (s *Store) update(ctx context.Context, fn func(*state) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.change(ctx, fn)
	return err
}

// insist changes the file by what fn does. What the disk does not take holds for
// this process all the same, and is written with the next change that the disk
// takes; the error says so. fn must do nothing when it finds that it has been
// applied: an error may come after the file is in place.
func (s *Store) insist(ctx context.Context, fn func(*state)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost, err := s.change(ctx, func(st *state) error { fn(st); return nil })
	if lost {
		s.unsaved = append(s.unsaved, fn)
	}
	return err
}

// change is the one way in which the file changes. lost says that what fn did is
// not on disk for sure, though fn agreed to it. mu is held.
func (s *Store) change(ctx context.Context, fn func(*state) error) (lost bool, err error) {
	unlock, err := s.disk.lock(ctx)
	if err != nil {
		return false, s.disk.wrap("lock", err)
	}
	defer func() { err = errors.Join(err, s.disk.wrap("unlock", unlock())) }()
	st, before, err := s.load()
	if err != nil {
		return false, err
	}
	if len(s.unsaved) >= maxUnrecorded { // no more is held in memory
		if err := s.save(st, before); err != nil {
			return false, err
		}
	}
	if err := fn(st); err != nil {
		return false, err
	}
	err = s.save(st, before)
	return err != nil, err
}

// save writes the state, unless it is what is there. mu and the lock are held.
func (s *Store) save(st *state, before []byte) error {
	after, err := st.encode()
	if err != nil {
		return s.disk.wrap("write", err)
	}
	if len(before) == 0 && len(st.Users)+len(st.Unrecorded) == 0 || bytes.Equal(before, after) {
		return nil
	}
	if len(after) > maxFile {
		return s.disk.wrap("write", fmt.Errorf("%d bytes: want at most %d", len(after), maxFile))
	}
	s.trouble = s.disk.wrap("write", s.disk.write(after))
	if s.trouble == nil {
		s.unsaved = nil
	}
	return s.trouble
}

// List returns everybody as they stand at an instant, in the order in which they
// were added.
func (s *Store) List(now time.Time) ([]Person, error) {
	var list []Person
	err := s.view(func(st *state) {
		for i := range st.Users {
			list = append(list, st.Users[i].person(now))
		}
	})
	return list, err
}

// Find returns the person with an id, in whatever case it is typed; ok says
// whether there is one. It shows whose name a signature will bear, and proves
// nothing about who is asking.
func (s *Store) Find(id string, now time.Time) (p Person, ok bool, err error) {
	err = s.view(func(st *state) {
		if a := st.find(id); a != nil {
			p, ok = a.person(now), true
		}
	})
	return p, ok, err
}

// Trouble says why the file could not be written when that was last tried; nil
// when it could. Until it can again, what could not be written is in memory only.
func (s *Store) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// NewNonce returns a number for one signature within two minutes.
func (s *Store) NewNonce(now time.Time) string { return s.nonces.new(now) }

// NewLogin returns a number for one login, a signature with the right to View,
// within two minutes.
func (s *Store) NewLogin(now time.Time) string { return s.logins.new(now) }

// noncesFor are those of which one is good for an act.
func (s *Store) noncesFor(a Act) *nonces {
	if a == View {
		return &s.logins
	}
	return &s.nonces
}
