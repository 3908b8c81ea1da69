package specdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"andon/internal/spec"
)

func document(id, revision, from string) []byte {
	return fmt.Appendf(nil, `schema: andon.spec/1
id: %s
revision: %s
effective: {from: %s}
parameters: [{id: p, inputs: [x], unit: bar, rules: [{id: r, kind: high, limit: 5}]}]
`, id, revision, from)
}

func parsed(t *testing.T, b []byte) *spec.Document {
	t.Helper()
	d, err := spec.Parse("test", b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestApprovalsPath(t *testing.T) {
	for document, want := range map[string]string{
		"a/LOAD.A.spec.yaml": "a/LOAD.A.approvals", "draft.yaml": "draft.approvals", "draft.yml": "draft.approvals", "draft": "draft.approvals",
	} {
		if got := Approvals(document); got != want {
			t.Errorf("%s: %s, want %s", document, got, want)
		}
	}
}

func TestStoreAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odd [name]*")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// Names in an order that is not that of installation.
	for _, b := range [][]byte{document("S", "B", "2026-01-01T00:00:00Z"), document("S", "A", "2026-05-01T00:00:00Z"), document("R", "Z", "2027-01-01T00:00:00Z")} {
		if _, err := Store(dir, parsed(t, b), Pair{Document: b, Approvals: []byte("notes\n")}); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "A.A.spec.yaml"), []byte("not: valid\n"))
	write(t, filepath.Join(dir, "stray.approvals"), []byte("x"))
	pairs, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range pairs {
		names = append(names, strings.TrimSuffix(filepath.Base(p.Path), ".spec.yaml")+"="+string(p.Approvals))
	}
	if got, want := strings.Join(names, " "), "R.Z=notes\n S.B=notes\n S.A=notes\n A.A="; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestReadOfNothing(t *testing.T) {
	if pairs, err := Read(t.TempDir()); err != nil || len(pairs) != 0 {
		t.Errorf("%v %v", pairs, err)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is not there: %v", err)
	}
}

// What cannot be read is named, and the rest is there all the same.
func TestReadNamesWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "S.A.spec.yaml"), document("S", "A", "2026-01-01T00:00:00Z"))
	if err := os.Mkdir(filepath.Join(dir, "S.B.spec.yaml"), 0o755); err != nil {
		t.Fatal(err)
	}
	pairs, err := Read(dir)
	if len(pairs) != 1 || err == nil || !strings.Contains(err.Error(), "S.B.spec.yaml") {
		t.Errorf("%v %v", pairs, err)
	}
}

//andon:req Q9
func TestStoreRefusesOtherBytes(t *testing.T) {
	dir := t.TempDir()
	old, changed := document("S", "A", "2026-01-01T00:00:00Z"), document("S", "A", "2026-02-01T00:00:00Z")
	path, err := Store(dir, parsed(t, old), Pair{Document: old, Approvals: []byte("one\n")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Store(dir, parsed(t, changed), Pair{Document: changed}); err == nil || !strings.Contains(err.Error(), "another document is installed under this revision") {
		t.Errorf("other bytes: %v", err)
	}
	// The same document again, with a signature more.
	if _, err := Store(dir, parsed(t, old), Pair{Document: old, Approvals: []byte("one\ntwo\n")}); err != nil {
		t.Error(err)
	}
	p, err := Load(path)
	if err != nil || string(p.Document) != string(old) || string(p.Approvals) != "one\ntwo\n" {
		t.Errorf("%q %q %v", p.Document, p.Approvals, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.new"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "S.A.spec.yaml")
	if err := Append(path, nil, []byte("one\n")); err != nil {
		t.Fatal(err)
	}
	if err := Append(path, []byte("one\n"), []byte("two\n")); err != nil {
		t.Fatal(err)
	}
	if err := Append(path, []byte("one\n"), []byte("three\n")); err == nil || !strings.Contains(err.Error(), "somebody else signed in the meantime") {
		t.Errorf("on what was read before: %v", err)
	}
	if b, err := os.ReadFile(Approvals(path)); err != nil || string(b) != "one\ntwo\n" {
		t.Errorf("%q %v", b, err)
	}
	// Another writer holds the lock, or was killed with it.
	write(t, Approvals(path)+".new", nil)
	if err := Append(path, []byte("one\ntwo\n"), []byte("three\n")); err == nil || !strings.Contains(err.Error(), "another write is under way, or was cut off") {
		t.Errorf("while another writes: %v", err)
	}
	if b, err := os.ReadFile(Approvals(path)); err != nil || string(b) != "one\ntwo\n" {
		t.Errorf("%q %v", b, err)
	}
}

// Many people sign at the same time: each either signs or is told to try again,
// and no signature is lost.
func TestAppendAtTheSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "S.A.spec.yaml")
	const people = 8
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			for t.Context().Err() == nil {
				have, err := os.ReadFile(Approvals(path))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
					return
				}
				if Append(path, have, fmt.Appendf(nil, "note %d\n", i)) == nil {
					return
				}
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(Approvals(path))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(strings.ReplaceAll(string(b), "note ", ""))
	slices.Sort(lines)
	if got, want := strings.Join(lines, " "), "0 1 2 3 4 5 6 7"; got != want {
		t.Errorf("signed: %s, want %s", got, want)
	}
}
