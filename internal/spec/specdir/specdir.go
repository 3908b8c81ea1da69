// Package specdir keeps specifications as files: ID.REVISION.spec.yaml with the
// document and, beside it, ID.REVISION.approvals with its signed notes. It is
// used by the commands with which people sign and install, and by the gateway
// when it starts; it judges nothing (that is package spec).
//
// Every write is whole or not at all, also across a power cut: a new file is
// written beside the old one under its name and ".new", made durable, and
// renamed. That file is also the lock: of two writers at a time one is refused.
package specdir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"andon/internal/sample"
	"andon/internal/spec"
)

const (
	documentEnding  = ".spec.yaml"
	approvalsEnding = ".approvals"
)

// Pair is a document and its approvals, as they stand in the files.
type Pair struct {
	Path      string // of the document
	Document  []byte
	Approvals []byte // empty when there are none
}

// Approvals is the path of the approvals that belong to a document.
func Approvals(document string) string {
	for _, ending := range []string{documentEnding, ".yaml", ".yml"} {
		if base, ok := strings.CutSuffix(document, ending); ok {
			return base + approvalsEnding
		}
	}
	return document + approvalsEnding
}

// Load reads one document and its approvals. A document without approvals is
// no error here.
func Load(path string) (Pair, error) {
	document, err := os.ReadFile(path)
	if err != nil {
		return Pair{}, fmt.Errorf("read specification: %w", err)
	}
	approvals, err := os.ReadFile(Approvals(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Pair{}, fmt.Errorf("read approvals: %w", err)
	}
	return Pair{path, document, approvals}, nil
}

// Read loads every specification of a directory in the order in which they can
// be installed: by id, then by effective.from. Documents that are not valid come
// last, for the caller to refuse in words. Files that cannot be read are in the
// error; the others are returned all the same.
func Read(dir string) ([]Pair, error) {
	paths, err := filepath.Glob(filepath.Join(escape(dir), "*"+documentEnding))
	if err != nil {
		return nil, fmt.Errorf("read specifications: %w", err)
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("read specifications: %w", err)
	}
	type entry struct {
		Pair
		id   string
		from sample.Time
	}
	var list []entry
	var errs error
	for _, path := range paths {
		p, err := Load(path)
		if err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		e := entry{Pair: p, id: "\xff"} // after every id
		if d, err := spec.Parse(path, p.Document); err == nil {
			e.id, e.from = d.ID, d.Effective.From
		}
		list = append(list, e)
	}
	slices.SortStableFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.from, b.from), cmp.Compare(a.Path, b.Path))
	})
	pairs := make([]Pair, len(list))
	for i, e := range list {
		pairs[i] = e.Pair
	}
	return pairs, errs
}

// escape takes the meaning from characters that Glob would read as a pattern.
func escape(dir string) string {
	if runtime.GOOS == "windows" { // where a backslash is a separator
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// Append adds one signed note behind the approvals of a document. have are the
// approvals that the caller has read and found in order; when the file holds
// others by now, nothing is written.
func Append(document string, have, note []byte) error {
	path := Approvals(document)
	return replace(path, 0o644, func() ([]byte, error) {
		now, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if string(now) != string(have) {
			return nil, errors.New("somebody else signed in the meantime: try again")
		}
		return append(slices.Clip(now), note...), nil
	})
}

// Store puts an accepted document and its approvals into a directory under
// their proper names, and returns the document's path. The document comes last:
// a gateway that starts in between sees either none of it or all.
func Store(dir string, d *spec.Document, p Pair) (string, error) {
	path := filepath.Join(dir, d.ID+"."+d.Revision+documentEnding)
	old, err := os.ReadFile(path)
	switch {
	case err == nil && string(old) != string(p.Document):
		return "", fmt.Errorf("%s: another document is installed under this revision: a change needs a new revision", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("store specification: %w", err)
	}
	for _, f := range []struct {
		path string
		b    []byte
	}{{Approvals(path), p.Approvals}, {path, p.Document}} {
		if err := replace(f.path, 0o644, func() ([]byte, error) { return f.b, nil }); err != nil {
			return "", err
		}
	}
	return path, nil
}

// replace writes a file whole or not at all. content is asked for while the
// lock is held.
func replace(path string, mode fs.FileMode, content func() ([]byte, error)) error {
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write %s: %s is there: another write is under way, or was cut off: wait, then remove it", path, next)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	b, err := content()
	if err == nil {
		_, err = f.Write(b)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(next)))
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// syncDir makes a new name durable. Windows cannot, and does not need it.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
