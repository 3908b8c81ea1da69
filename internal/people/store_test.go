package people

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

//andon:req Q6
func TestNoDefaultAccount(t *testing.T) {
	s := newStore(t)
	if list, err := s.List(at0()); err != nil || len(list) != 0 {
		t.Errorf("%v, people %+v", err, list)
	}
	if owed, err := s.Unrecorded(); err != nil || len(owed) != 0 {
		t.Errorf("%v, owed %+v", err, owed)
	}
	for _, id := range []string{"admin", "root", "operator", "administrator", "andon"} {
		if _, err := sign(s, id, "000000", at0()); !errors.Is(err, ErrPIN) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("before there is a directory: %v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	s := withAnn(t)
	for _, c := range []struct {
		name string
		n    New
		by   By
		is   error
		want []string
	}{
		{"everything", New{"a b", " ", "boss", "12"}, by(at0()), ErrWeakPIN, []string{`id "a b"`, `name " "`, `role "boss"`, "2 digits"}},
		{"taken", New{"ann", "Ann Other", Viewer, annPIN}, by(at0()), ErrTaken, []string{"add user ann", "Ann Meyer, operator", "choose another"}},
		{"taken in another case", New{"ANN", "Ann Other", Viewer, annPIN}, by(at0()), ErrTaken, []string{"add user ANN"}},
		{"nobody does it", New{"bob", "Bob Ray", Viewer, annPIN}, By{At: at0()}, nil, []string{"add user bob: who does it"}},
		{"never", New{"bob", "Bob Ray", Viewer, annPIN}, By{Who: "os:root"}, nil, []string{"and when, is not known"}},
		{"a reason without end", New{"bob", "Bob Ray", Viewer, annPIN}, By{Who: "os:root", At: at0(), Reason: strings.Repeat("x", longestText+1)}, nil, []string{"at most 4096 bytes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := s.Add(t.Context(), c.n, c.by)
			if err == nil || c.is != nil && !errors.Is(err, c.is) {
				t.Fatalf("%v, want %v", err, c.is)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
			}
		})
	}
	if list, err := s.List(at0()); err != nil || len(list) != 1 {
		t.Errorf("%v, people %+v", err, list)
	}
}

func TestChangeRefuses(t *testing.T) {
	s := withAnn(t)
	ctx := t.Context()
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"disable nobody", s.Disable(ctx, "bob", by(at0())), ErrUnknown},
		{"enable nobody", s.Enable(ctx, "bob", by(at0())), ErrUnknown},
		{"role of nobody", s.SetRole(ctx, "bob", Viewer, by(at0())), ErrUnknown},
		{"PIN of nobody", s.SetPIN(ctx, "bob", "802215", by(at0())), ErrUnknown},
		{"weak PIN", s.SetPIN(ctx, "ann", "111111", by(at0())), ErrWeakPIN},
		{"the same PIN", s.SetPIN(ctx, "ann", annPIN, by(at0())), ErrUnchanged},
		{"the same role", s.SetRole(ctx, "ann", Operator, by(at0())), ErrUnchanged},
		{"not disabled", s.Enable(ctx, "ann", by(at0())), ErrUnchanged},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
	if err := s.SetRole(ctx, "ann", "boss", by(at0())); err == nil {
		t.Error("a role that there is not is given")
	}
	if owed, err := s.Unrecorded(); err != nil || len(owed) != 1 {
		t.Errorf("%v, owed %+v, want nothing of what was refused", err, owed)
	}
}

func TestFileOnDisk(t *testing.T) {
	s := withAnn(t)
	info, err := os.Stat(s.disk.path())
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != 0o600 {
		t.Errorf("mode %v, want 0600", got)
	}
	if _, err := sign(s, "471193", "802215", at0()); !errors.Is(err, ErrPIN) { // the PIN in the field of the id
		t.Fatal(err)
	}
	if _, err := sign(s, "ann", "390275", at0()); !errors.Is(err, ErrPIN) {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.disk.path())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{annPIN, "802215", "390275"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("%s stands in the file:\n%s", secret, b)
		}
	}
}

func TestBadFiles(t *testing.T) {
	good, err := full().encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		make func(path string) error
		want string
	}{
		{"others may read", func(p string) error { return errors.Join(os.WriteFile(p, good, 0o600), os.Chmod(p, 0o640)) }, "mode 0640 lets others at the PIN hashes: chmod 600"},
		{"empty", func(p string) error { return os.WriteFile(p, nil, 0o600) }, "0 bytes: not what andon user wrote"},
		{"a directory", func(p string) error { return os.Mkdir(p, 0o700) }, "not what andon user wrote"},
		{"huge", func(p string) error { return errors.Join(os.WriteFile(p, nil, 0o600), os.Truncate(p, maxFile+1)) }, "not what andon user wrote"},
		{"cut", func(p string) error { return os.WriteFile(p, good[:200], 0o600) }, "restore it from a backup, or move it away"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, fileName)
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v, want %q and the path", err, c.want)
			}
		})
	}
}

// TestDamagedWhileOpen: from then on nobody signs, and nothing is written over.
func TestDamagedWhileOpen(t *testing.T) {
	s := withAnn(t)
	if err := os.WriteFile(s.disk.path(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, findErr := func() (bool, error) { _, ok, err := s.Find("ann", at0()); return ok, err }()
	_, signErr := sign(s, "ann", annPIN, at0())
	_, listErr := s.List(at0())
	for name, err := range map[string]error{
		"sign": signErr, "find": findErr, "list": listErr,
		"add":     s.Add(t.Context(), New{"bob", "Bob Ray", Viewer, "802215"}, by(at0())),
		"disable": s.Disable(t.Context(), "ann", by(at0())),
		"record":  s.Record(t.Context(), func(context.Context, Change) error { return nil }),
	} {
		if err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b, err := os.ReadFile(s.disk.path()); err != nil || string(b) != "{" {
		t.Errorf("%v, the file is now %q", err, b)
	}
}

// TestTwoProcesses works on one directory from two stores, as the gateway and a
// command do: each sees at once what the other has done.
func TestTwoProcesses(t *testing.T) {
	gateway := withAnn(t)
	command := openCheap(t, gateway.disk.dir)
	if err := command.Disable(t.Context(), "ann", by(at0())); err != nil {
		t.Fatal(err)
	}
	if _, err := sign(gateway, "ann", annPIN, at0()); !errors.Is(err, ErrDisabled) {
		t.Errorf("disabled by the command: %v", err)
	}
	lockAnn(t, gateway)
	list, err := command.List(at0())
	if err != nil || list[0].LockedUntil.IsZero() {
		t.Errorf("%v, locked by the gateway: %+v", err, list)
	}
}

// TestManyWriters: no change of one is lost to another.
func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 4, 6
	var wg sync.WaitGroup
	for w := range writers {
		s := openCheap(t, dir)
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("u%d-%d", w, i)
				if err := s.Add(t.Context(), New{id, "Name " + id, Viewer, annPIN}, by(at0())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s := openCheap(t, dir)
	list, err := s.List(at0())
	if err != nil || len(list) != writers*each {
		t.Errorf("%v, %d people, want %d", err, len(list), writers*each)
	}
	if owed, err := s.Unrecorded(); err != nil || len(owed) != writers*each {
		t.Errorf("%v, %d entries owed, want %d", err, len(owed), writers*each)
	}
}

// TestHeldLock: who holds the lock for good is named, and nobody waits for ever.
func TestHeldLock(t *testing.T) {
	s := withAnn(t)
	unlock, ok, err := tryLock(s.disk.dir)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errLocked)
	defer cancel()
	if err := s.Disable(ctx, "ann", by(at0())); !errors.Is(err, errLocked) || !strings.Contains(err.Error(), "disable user ann: lock users file") {
		t.Errorf("%v, want %v", err, errLocked)
	}
	freed := make(chan error, 1)
	go func() { freed <- unlock() }()
	if err := s.Disable(t.Context(), "ann", by(at0())); err != nil {
		t.Errorf("after it was given up: %v", err)
	}
	if err := <-freed; err != nil {
		t.Error(err)
	}
}

// TestLeftOver: what a kill in mid-write leaves is in nobody's way.
func TestLeftOver(t *testing.T) {
	s := withAnn(t)
	if err := os.WriteFile(s.disk.path()+".new", []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	add(t, s, New{"bob", "Bob Ray", Viewer, "802215"})
	if _, err := os.Stat(s.disk.path() + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want it gone", err)
	}
}

// TestStoreModel plays random changes, tries and restarts against a map.
func TestStoreModel(t *testing.T) {
	type person struct {
		pin      string
		role     Role
		disabled bool
		wrong    int
	}
	pins := []string{"471193", "802215", "390275"}
	top, round := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		dir := filepath.Join(top, strconv.Itoa(round))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		open := func() *Store {
			s, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			s.cost = cost{kib: 8, passes: 1, threads: 1}
			return s
		}
		s, ctx, model, owed := open(), context.Background(), map[string]*person{}, 0
		anybody := func() string { return rapid.SampledFrom([]string{"ann", "bob", "eve"}).Draw(t, "id") }
		want := func(doing string, err, want error) {
			if !errors.Is(err, want) || want == nil && err != nil {
				t.Fatalf("%s: %v, want %v", doing, err, want)
			}
			if err == nil {
				owed++
			}
		}
		missing := func(m *person, ok bool) error {
			switch {
			case m == nil:
				return ErrUnknown
			case !ok:
				return ErrUnchanged
			}
			return nil
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				id, pin, role := anybody(), rapid.SampledFrom(pins).Draw(t, "pin"), rapid.SampledFrom(Roles()).Draw(t, "role")
				var refused error
				if model[id] != nil {
					refused = ErrTaken
				} else {
					model[id] = &person{pin: pin, role: role}
				}
				want("add", s.Add(ctx, New{id, "Name", role, pin}, by(at0())), refused)
			},
			"disable": func(*rapid.T) {
				id := anybody()
				m := model[id]
				want("disable", s.Disable(ctx, id, by(at0())), missing(m, m != nil && !m.disabled))
				if m != nil {
					m.disabled = true
				}
			},
			"enable": func(*rapid.T) {
				id := anybody()
				m := model[id]
				want("enable", s.Enable(ctx, id, by(at0())), missing(m, m != nil && m.disabled))
				if m != nil {
					m.disabled = false
				}
			},
			"role": func(t *rapid.T) {
				id, role := anybody(), rapid.SampledFrom(Roles()).Draw(t, "role")
				m := model[id]
				want("role", s.SetRole(ctx, id, role, by(at0())), missing(m, m != nil && m.role != role))
				if m != nil {
					m.role = role
				}
			},
			"pin": func(t *rapid.T) {
				id, pin := anybody(), rapid.SampledFrom(pins).Draw(t, "pin")
				m := model[id]
				want("pin", s.SetPIN(ctx, id, pin, by(at0())), missing(m, m != nil && m.pin != pin))
				if m != nil && m.pin != pin {
					m.pin, m.wrong = pin, 0
				}
			},
			"sign": func(t *rapid.T) {
				id, pin := anybody(), rapid.SampledFrom(pins).Draw(t, "pin")
				m := model[id]
				var refused error
				switch {
				case m == nil:
					refused = ErrPIN
				case m.wrong == MaxWrong:
					refused = ErrLocked
				case m.pin != pin:
					refused = ErrPIN
					if m.wrong++; m.wrong == MaxWrong {
						refused = ErrLocked
						owed++ // for the lock
					}
				case m.disabled:
					m.wrong, refused = 0, ErrDisabled
				case !m.role.May(Ack):
					m.wrong, refused = 0, ErrRight
				default:
					m.wrong = 0
				}
				if refused != nil {
					owed++
				}
				p, err := s.Verify(ctx, signed(s, id, pin, at0()))
				if !errors.Is(err, refused) || refused == nil && err != nil {
					t.Fatalf("sign as %s: %v, want %v", id, err, refused)
				}
				if refused == nil && (p.ID != id || p.Role != m.role) {
					t.Fatalf("signed as %s: %+v", id, p)
				}
			},
			"restart": func(*rapid.T) { s = open() },
			"record": func(t *rapid.T) {
				n := 0
				if err := s.Record(ctx, func(context.Context, Change) error { n++; return nil }); err != nil {
					t.Fatal(err)
				}
				if n != owed {
					t.Fatalf("%d entries recorded, want %d", n, owed)
				}
				owed = 0
			},
			"": func(t *rapid.T) {
				list, err := s.List(at0())
				if err != nil || len(list) != len(model) {
					t.Fatalf("%v, %d people, want %d", err, len(list), len(model))
				}
				for _, p := range list {
					if m := model[p.ID]; m == nil || p.Role != m.role || p.Disabled != m.disabled || p.LockedUntil.IsZero() != (m.wrong < MaxWrong) {
						t.Fatalf("%+v, want %+v", p, m)
					}
				}
			},
		})
	})
}
