package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// fastDir is a directory in memory where there is one: these tests open a file
// tens of thousands of times and flush nothing.
func fastDir(t *testing.T) string {
	t.Helper()
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err != nil || !info.IsDir() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(shm, "andon-journal-") //nolint:usetesting // TempDir is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// readUsed reads the pages of a journal that are in use, without the room that
// the file has been given beyond them.
func readUsed(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	meta, torn, err := newestMeta(f)
	if err = errors.Join(torn, err); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b := make([]byte, meta.pages*pageSize)
	_, err = f.ReadAt(b, 0)
	return b, errors.Join(err, f.Close())
}

// used is a small journal as bytes.
func used(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	small(t, dir)
	b, err := readUsed(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every byte of a small journal is changed, one at a time. Each change must
// either be named by Verify, or be one that nobody can see in anything that is
// read.
//
//andon:req Q5
func TestEveryByteChanged(t *testing.T) {
	whole := used(t)
	dir := fastDir(t)
	ref := filepath.Join(dir, "whole")
	if err := os.WriteFile(ref, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	want, err := content(ref)
	if err != nil {
		t.Fatal(err)
	}
	step := 1
	if testing.Short() || raced {
		step = 13
	}
	live := inUse(t, whole)
	var mu sync.Mutex
	var named, harmless int
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			f := newFlipper(t, filepath.Join(dir, "flip"+string(rune('a'+w))), whole)
			for at := w * step; at < len(whole); at += workers * step {
				if !live[at/pageSize] && at%16 != 0 {
					continue // nothing leads to this page: a sixteenth will do
				}
				// Another bit for each byte, so that over the file all are tried.
				ok := f.flip(at, 1<<(at*7%8), want)
				mu.Lock()
				if ok {
					harmless++
				} else {
					named++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("%d bytes: %d changes named, %d harmless", len(whole), named, harmless)
	if named == 0 || harmless == 0 {
		t.Error("a test that finds all named, or none, does not test")
	}
}

// inUse says of each page of a journal whether anything leads to it.
func inUse(t *testing.T, whole []byte) []bool {
	t.Helper()
	r := bytes.NewReader(whole)
	meta, _, err := newestMeta(r)
	if err != nil {
		t.Fatal(err)
	}
	w := &walker{r: r, pages: meta.pages, seen: make([]uint64, meta.pages/64+1)}
	if err := w.page(meta.root, bounds{}, nil, 0); err != nil {
		t.Fatal(err)
	}
	live := make([]bool, meta.pages)
	for p := range live {
		live[p] = p < 2 || w.seen[p/64]&(1<<(p%64)) != 0
	}
	return live
}

type flipper struct {
	t    *testing.T
	f    *os.File
	name string
	b    []byte
}

func newFlipper(t *testing.T, name string, whole []byte) *flipper {
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		t.Error(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return &flipper{t, f, name, whole}
}

// flip changes one byte, looks, and changes it back. It reports whether nobody
// noticed, having made sure that there was nothing to notice.
func (f *flipper) flip(at int, bits byte, want string) (harmless bool) {
	f.write(at, f.b[at]^bits)
	defer f.write(at, f.b[at])
	r, err := Verify(f.name, VerifyOptions{Changes: changes})
	if err != nil {
		if !errors.Is(err, ErrForeign) {
			f.t.Errorf("byte %d of page %d: %v", at%pageSize, at/pageSize, err)
		}
		return false
	}
	if !r.OK {
		if len(r.Problems) == 0 || r.Problems[0].What == "" {
			f.t.Errorf("byte %d of page %d: not in order, and no word of what", at%pageSize, at/pageSize)
		}
		return false
	}
	if got, err := content(f.name); err != nil || got != want {
		f.t.Errorf("byte %d of page %d: verified, but reads otherwise (%v)\n%s\nwant\n%s", at%pageSize, at/pageSize, err, got, want)
	}
	return true
}

func (f *flipper) write(at int, b byte) {
	if _, err := f.f.WriteAt([]byte{b}, int64(at)); err != nil {
		f.t.Error(err)
	}
}

// A file that has been cut anywhere is refused in words, by reader and owner
// alike, and can be set aside.
func TestCutAnywhere(t *testing.T) {
	whole := used(t)
	dir := fastDir(t)
	name := filepath.Join(dir, File)
	if _, err := makeKey(dir, options()); err != nil {
		t.Fatal(err)
	}
	for size := 0; size < len(whole); size += 1021 {
		if err := os.WriteFile(name, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if j, err := Open(dir, options()); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes: Open: %v, %v; want ErrDamaged", size, j, err)
		}
		if r, err := Verify(dir, VerifyOptions{}); err != nil || r.OK {
			t.Errorf("cut to %d bytes: Verify: %+v, %v", size, r, err)
		}
	}
	if _, err := SetAside(dir, testAt); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir, options())
}

// What is cut off while the journal is open is met as a fault in reading the
// map; it must become an error, not the end of the gateway.
func TestCutWhileOpen(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	j := mustOpen(t, dir, options())
	if err := os.Truncate(filepath.Join(dir, File), 2*pageSize); err != nil {
		t.Fatal(err)
	}
	if err := j.Commits(1, func(Header, []byte) error { return nil }); !errors.Is(err, ErrDamaged) {
		t.Errorf("reading: %v, want ErrDamaged", err)
	}
	if _, err := j.Commit(group(j.Head(), 1, 1, nil, nil)); !errors.Is(err, ErrUncertain) || !errors.Is(err, ErrDamaged) {
		t.Errorf("committing: %v, want ErrUncertain because of ErrDamaged", err)
	}
	if _, err := j.Reopen(); !errors.Is(err, ErrDamaged) {
		t.Errorf("reopening: %v, want ErrDamaged", err)
	}
	if _, err := j.Commit(group(j.Head(), 1, 1, nil, nil)); !errors.Is(err, ErrUncertain) {
		t.Errorf("committing again: %v, want ErrUncertain", err)
	}
}

// larger is a journal that has branch pages in its buckets, as bytes.
func larger(t *testing.T, dir string) []byte {
	t.Helper()
	j, err := Open(dir, options())
	if err != nil {
		t.Fatal(err)
	}
	for range 70 {
		mustCommit(t, j, next(j.Head()))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := readUsed(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The same as TestEveryByteChanged for some bytes of a larger journal; and the
// gateway itself, given the file, opens it or says that it is damaged.
func TestSomeBytesChangedInALargerJournal(t *testing.T) {
	dir := fastDir(t)
	whole := larger(t, dir)
	want, err := content(dir)
	if err != nil {
		t.Fatal(err)
	}
	step := 389
	if testing.Short() || raced {
		step = 997
	}
	f := newFlipper(t, filepath.Join(dir, "flip"), whole)
	var named, refused int
	for at := 0; at < len(whole); at += step {
		if !f.flip(at, 1<<(at%8), want) {
			named++
		}
		if at%(7*step) != 0 {
			continue
		}
		b := append([]byte(nil), whole...)
		b[at] ^= 1 << (at % 8)
		if !opens(t, dir, b) {
			refused++
		}
	}
	t.Logf("%d bytes, every %dth changed: %d named, %d of a seventh of them refused at opening", len(whole), step, named, refused)
	if named == 0 {
		t.Error("nothing was named")
	}
}

// opens gives the gateway a file and reports whether it takes it.
func opens(t *testing.T, dir string, b []byte) bool {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, File), b, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := Open(dir, options())
	if err == nil {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		return true
	}
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrKey) {
		t.Errorf("Open: %v", err)
	}
	return false
}

// A branch that points to itself, or two that point to the same page, would
// send bbolt round in circles until the stack is used up.
func TestPagesInCircles(t *testing.T) {
	dir := fastDir(t)
	whole := larger(t, dir)
	tried := 0
	for p := 2; p < len(whole)/pageSize; p++ {
		page := whole[p*pageSize:]
		if native.Uint64(page) != uint64(p) || native.Uint16(page[8:]) != branchFlag {
			continue
		}
		for _, to := range []uint64{uint64(p), native.Uint64(page[pageHeaderSize+elementSize+8:]), 0, 1, 1 << 60} {
			b := append([]byte(nil), whole...)
			native.PutUint64(b[p*pageSize+pageHeaderSize+8:], to)
			if reachable := opens(t, dir, b); reachable {
				continue // a page that is no longer in use
			}
			tried++
			r, err := Verify(dir, VerifyOptions{})
			if err != nil || r.OK {
				t.Errorf("page %d points to %d: %+v, %v", p, to, r, err)
			}
		}
	}
	if tried < 5 {
		t.Errorf("%d circles tried", tried)
	}
}
