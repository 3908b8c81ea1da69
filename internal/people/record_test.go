package people

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// blockWrites makes every write of the file fail until the returned function is
// called; also for root, whom no mode keeps out.
func blockWrites(t *testing.T, s *Store) (free func()) {
	t.Helper()
	in := filepath.Join(s.disk.path()+".new", "in the way")
	if err := os.MkdirAll(in, 0o700); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.RemoveAll(filepath.Dir(in)); err != nil {
			t.Fatal(err)
		}
	}
}

// record takes what is owed.
func record(t *testing.T, s *Store) []Change {
	t.Helper()
	var list []Change
	if err := s.Record(t.Context(), func(_ context.Context, c Change) error { list = append(list, c); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestEntries is what the audit trail is told, word for word.
//
//andon:req Q1
func TestEntries(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	at := func(s int) time.Time { return at0().Add(time.Duration(s) * time.Second) }
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(s.Add(ctx, New{"ann", "Ann Meyer", Viewer, annPIN}, By{"os:root", "vm", "new hire", at(1)}))
	if _, err := sign(s, "ann", annPIN, at(2)); !errors.Is(err, ErrRight) {
		t.Fatal(err)
	}
	do(s.SetRole(ctx, "ANN", Operator, by(at(3))))
	do(s.SetPIN(ctx, "ann", "802215", by(at(4))))
	do(s.Disable(ctx, "ann", by(at(5))))
	if _, err := sign(s, "ann", "802215", at(6)); !errors.Is(err, ErrDisabled) {
		t.Fatal(err)
	}
	do(s.Enable(ctx, "ann", by(at(7))))
	for i := range MaxWrong + 1 {
		if _, err := sign(s, "Ann", annPIN, at(8+i)); err == nil {
			t.Fatal("signed with the old PIN")
		}
	}
	for i, id := range []string{"bob", "390275", "drop table;", "771"} {
		if _, err := sign(s, id, annPIN, at(20+i)); !errors.Is(err, ErrPIN) {
			t.Fatal(err)
		}
	}
	refused := func(at time.Time, user, by, why string) Change {
		return Change{At: at, Kind: SignRefused, User: user, By: by, New: "refused: ack", Reason: why, Terminal: "panel"}
	}
	known := func(c Change, r Role) Change { c.Role = r; return c }
	want := []Change{
		{At: at(1), Kind: UserAdd, User: "ann", By: "os:root", New: "Ann Meyer, viewer", Reason: "new hire", Terminal: "vm"},
		known(refused(at(2), "ann", "ann", "viewer has no right to ack"), Viewer),
		{At: at(3), Kind: UserRole, User: "ann", By: "os:root", Old: "viewer", New: "operator", Terminal: "tty1"},
		{At: at(4), Kind: UserPIN, User: "ann", By: "os:root", Old: "a PIN", New: "another PIN", Terminal: "tty1"},
		{At: at(5), Kind: UserDisable, User: "ann", By: "os:root", Old: "enabled", New: "disabled", Terminal: "tty1"},
		known(refused(at(6), "ann", "ann", "the user is disabled"), Operator),
		{At: at(7), Kind: UserEnable, User: "ann", By: "os:root", Old: "disabled", New: "enabled", Terminal: "tty1"},
		refused(at(8), "ann", "ann", "wrong PIN, 1 in a row"),
		refused(at(9), "ann", "ann", "wrong PIN, 2 in a row"),
		refused(at(10), "ann", "ann", "wrong PIN, 3 in a row"),
		refused(at(11), "ann", "ann", "wrong PIN, 4 in a row"),
		refused(at(12), "ann", "ann", "wrong PIN, 5 in a row"),
		{At: at(12), Kind: UserLocked, User: "ann", By: "andon", Old: "not locked", New: "locked until 2026-03-04T09:15:12Z", Reason: "5 wrong PINs in a row", Terminal: "panel"},
		refused(at(13), "ann", "ann", "the id is locked until 2026-03-04T09:15:12Z"),
		refused(at(20), "", "bob", "unknown id"),
		refused(at(21), "", "unknown", "unknown id"), // it may be somebody's PIN
		refused(at(22), "", "unknown", "unknown id"), // it could not be an id
		refused(at(23), "", "771", "unknown id"),
	}
	if diff := cmp.Diff(want, record(t, s), cmpopts.IgnoreFields(Change{}, "ID")); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if again := record(t, s); len(again) != 0 {
		t.Errorf("recorded again: %+v", again)
	}
}

// TestRecordStops: what the gateway could not record stays owed, in its order.
func TestRecordStops(t *testing.T) {
	s := withAnn(t)
	lockAnn(t, s)
	all, err := s.Unrecorded()
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("NOT RECORDING")
	n := 0
	err = s.Record(t.Context(), func(context.Context, Change) error {
		if n++; n == 3 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), `record sign_refused of user "ann"`) {
		t.Errorf("%v, want %v", err, broken)
	}
	rest := record(t, openCheap(t, s.disk.dir))
	if diff := cmp.Diff(all[2:], rest); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

// TestRecordTwice: a fault between the record and the file brings an entry again
// after a restart, under its id; within this process it does not.
func TestRecordTwice(t *testing.T) {
	s := withAnn(t)
	var first Change
	free := func() {}
	err := s.Record(t.Context(), func(_ context.Context, c Change) error {
		first, free = c, blockWrites(t, s)
		return nil
	})
	if err == nil || s.Trouble() == nil {
		t.Fatalf("%v, trouble %v: the file could be written", err, s.Trouble())
	}
	if again := record(t, s); len(again) != 0 {
		t.Errorf("recorded again by this process: %+v", again)
	}
	free()
	if again := record(t, openCheap(t, s.disk.dir)); len(again) != 1 || again[0] != first {
		t.Errorf("after a kill: %+v, want %+v", again, first)
	}
}

// TestRecordAtOnce: two who record at the same time do not record twice.
func TestRecordAtOnce(t *testing.T) {
	s := withAnn(t)
	lockAnn(t, s)
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := s.Record(t.Context(), func(_ context.Context, c Change) error {
				mu.Lock()
				defer mu.Unlock()
				seen[c.ID]++
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(seen) != 7 {
		t.Errorf("%d entries, want 7", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s recorded %d times", id, n)
		}
	}
}

// TestFullDisk: when the file cannot be written, wrong PINs count and are owed
// all the same, right ones sign, and nothing is lost once it can be written.
func TestFullDisk(t *testing.T) {
	s := withAnn(t)
	add(t, s, New{"bob", "Bob Ray", Operator, "802215"})
	record(t, s)
	free := blockWrites(t, s)
	for range MaxWrong - 1 {
		if _, err := sign(s, "ann", "999998", at0()); !errors.Is(err, ErrPIN) || !strings.Contains(err.Error(), "write users file") {
			t.Fatalf("%v, want both that the PIN is wrong and that this could not be written", err)
		}
	}
	if _, err := sign(s, "bob", "802215", at0()); err != nil {
		t.Errorf("a right PIN on a full disk: %v", err)
	}
	_, err := sign(s, "ann", "999998", at0())
	wantLocked(t, err, at0().Add(LockFor))
	_, err = sign(s, "ann", annPIN, at0())
	wantLocked(t, err, at0().Add(LockFor))
	if s.Trouble() == nil {
		t.Error("no trouble")
	}
	if err := s.Disable(t.Context(), "bob", by(at0())); err == nil {
		t.Error("a change that could not be written is said to be done")
	}
	if p, ok, err := s.Find("bob", at0()); err != nil || !ok || p.Disabled {
		t.Errorf("%v, and it holds: %+v", err, p)
	}
	free()
	if err := s.SetRole(t.Context(), "bob", ShiftLead, by(at0())); err != nil {
		t.Fatal(err)
	}
	if err := s.Trouble(); err != nil {
		t.Errorf("trouble that is over: %v", err)
	}
	s = openCheap(t, s.disk.dir)
	_, err = sign(s, "ann", annPIN, at0())
	wantLocked(t, err, at0().Add(LockFor))
	if got := len(record(t, s)); got != 5+1+1+1+1 { // wrong, locked, tried, role, tried again
		t.Errorf("%d entries, want 9", got)
	}
}

// TestFullDiskForgives: a right PIN after wrong ones signs on a full disk, and
// the wrong ones stay forgiven.
func TestFullDiskForgives(t *testing.T) {
	s := withAnn(t)
	for range MaxWrong - 1 {
		if _, err := sign(s, "ann", "999998", at0()); !errors.Is(err, ErrPIN) {
			t.Fatal(err)
		}
	}
	free := blockWrites(t, s)
	defer free()
	if _, err := sign(s, "ann", annPIN, at0()); err != nil {
		t.Errorf("right PIN: %v", err)
	}
	if _, err := sign(s, "ann", "999998", at0()); !errors.Is(err, ErrPIN) || errors.Is(err, ErrLocked) {
		t.Errorf("the next wrong PIN: %v, want the first of five", err)
	}
}

// TestTooMuchUnrecorded: a gateway that does not record lets nobody sign, and
// wrong PINs do not fill memory or disk.
func TestTooMuchUnrecorded(t *testing.T) {
	s := withAnn(t)
	if err := s.update(t.Context(), func(st *state) error {
		for !st.full() {
			st.owe(by(at0()).change(UserRole, "ann", "x", "y"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, pin := range []string{annPIN, "999998"} {
		if _, err := sign(s, "ann", pin, at0()); !errors.Is(err, ErrUnrecorded) {
			t.Errorf("%v, want ErrUnrecorded", err)
		}
	}
	if err := s.Disable(t.Context(), "ann", by(at0())); !errors.Is(err, ErrUnrecorded) {
		t.Errorf("%v, want ErrUnrecorded", err)
	}
	if got := len(record(t, s)); got != maxUnrecorded {
		t.Errorf("%d entries, want %d", got, maxUnrecorded)
	}
	if _, err := sign(s, "ann", annPIN, at0()); err != nil {
		t.Errorf("after it was recorded: %v", err)
	}
}

// TestUnsavedBounded: on a disk that stays full while the gateway records, memory
// has its bound, and beyond it nobody can try at all: who could, and saw the right
// PIN accepted, would have tries without end.
func TestUnsavedBounded(t *testing.T) {
	s := withAnn(t)
	free := blockWrites(t, s)
	for range maxUnrecorded {
		s.unsaved = append(s.unsaved, func(st *state) { st.Users[0].Wrong = 1 })
	}
	for _, pin := range []string{"999998", annPIN, "999997", annPIN} {
		p, err := sign(s, "ann", pin, at0())
		if err == nil || errors.Is(err, ErrPIN) || !strings.Contains(err.Error(), "write users file") || p != (Person{}) {
			t.Fatalf("%+v, %v, want only that it could not be written", p, err)
		}
	}
	if len(s.unsaved) != maxUnrecorded {
		t.Errorf("%d changes in memory, want %d", len(s.unsaved), maxUnrecorded)
	}
	free()
	if _, err := sign(s, "ann", annPIN, at0()); err != nil || len(s.unsaved) != 0 {
		t.Errorf("%v, %d left in memory", err, len(s.unsaved))
	}
}

// TestJudgeTwice: a try that is applied again, because a write failed after the
// file was in place, counts once and is owed once.
func TestJudgeTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := full()
		st.Users[0].Wrong = rapid.IntRange(0, MaxWrong-1).Draw(t, "wrong before")
		x := try{
			user: rapid.SampledFrom([]string{"ann", "u1042", "bob"}).Draw(t, "user"), act: Ack,
			at:    at0().Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "min")) * time.Minute),
			right: rapid.Bool().Draw(t, "right"), compared: st.Users[0].PIN, refusal: "R", lock: "L",
		}
		_, firstErr := x.judge(st)
		once, err := st.encode()
		if err != nil {
			t.Fatal(err)
		}
		_, secondErr := x.judge(st)
		twice, err := st.encode()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(once), string(twice)); diff != "" {
			t.Fatalf("the second time changes:\n%s", diff)
		}
		if (firstErr == nil) != (secondErr == nil) {
			t.Fatalf("first %v, then %v", firstErr, secondErr)
		}
	})
}
