package journal

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

// A copy made while the journal is open is a journal of its own that verifies to
// the same root, and a file that is there is not touched.
//
//andon:req Q44 Q46
func TestCopyVerifies(t *testing.T) {
	j := mustOpen(t, t.TempDir(), options())
	for range 3 {
		mustCommit(t, j, next(j.Head()))
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := j.CopyTo(path); err != nil {
		t.Fatal(err)
	}
	if r := mustVerify(t, path); r.Root != j.Head().Root || r.Size != 3 {
		t.Errorf("copy: %+v; want root %v", r, j.Head().Root)
	}
	if err := j.CopyTo(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a copy over a file: %v, want fs.ErrExist", err)
	}
	mustVerify(t, path)
}

// What is not known to be on the disk is not in a copy either.
func TestCopyIsNotAhead(t *testing.T) {
	j := mustOpen(t, t.TempDir(), options())
	before := j.Head()
	mustCommit(t, j, next(before))
	j.head.Store(&before) // as it is while the commit is being flushed
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := j.CopyTo(path); !errors.Is(err, ErrUncertain) || exists(path) {
		t.Errorf("copy: %v, left behind: %t; want ErrUncertain and nothing", err, exists(path))
	}
}
