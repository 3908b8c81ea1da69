package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenErrors(t *testing.T) {
	made := func(t *testing.T) string {
		dir := t.TempDir()
		small(t, dir)
		return dir
	}
	write := func(t *testing.T, dir, name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name    string
		dir     func(t *testing.T) string
		options Options
		want    error
		words   string
	}{
		{"another gateway", made, Options{Gateway: "line3", At: testAt}, ErrKey, `key of "line2-ipc1", this is gateway "line3"`},
		{"another file", func(t *testing.T) string {
			dir := made(t)
			write(t, dir, File, strings.Repeat("PostgreSQL dump\n", 1000))
			return dir
		}, options(), ErrForeign, "not a bbolt file"},
		{"an empty file", func(t *testing.T) string {
			dir := made(t)
			write(t, dir, File, "")
			return dir
		}, options(), ErrDamaged, "no valid page"},
		{"a text in place of the key", func(t *testing.T) string {
			dir := made(t)
			write(t, dir, KeyFile, "secret\n")
			return dir
		}, options(), ErrKey, "malformed"},
		{"no key", func(t *testing.T) string {
			dir := made(t)
			if err := os.Remove(filepath.Join(dir, KeyFile)); err != nil {
				t.Fatal(err)
			}
			return dir
		}, options(), ErrKey, "put the key back"},
		{"a new key", func(t *testing.T) string {
			dir := made(t)
			if _, err := makeKey(dir, options()); err != nil {
				t.Fatal(err)
			}
			return dir
		}, options(), ErrKey, "the journal was begun with"},
		{"a file for a directory", func(t *testing.T) string {
			dir := made(t)
			return filepath.Join(dir, File)
		}, options(), nil, "data.dir"},
		{"no gateway", made, Options{}, nil, "gateway id"},
		{"a small quota", made, Options{Gateway: testGateway, Quota: 1}, nil, "quota"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tt.dir(t)
			before := listing(t, filepath.Dir(dir))
			j, err := Open(dir, tt.options)
			if err == nil {
				t.Fatal("opened", j.Close())
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want one that is %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.words) {
				t.Errorf("%v does not say %q", err, tt.words)
			}
			if after := listing(t, filepath.Dir(dir)); after != before {
				t.Errorf("files before\n%safter\n%s", before, after)
			}
		})
	}
}

// listing is what stands below a directory, with sizes, the lock aside.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == lockName {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(&b, path, info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSecondOpener(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	j := mustOpen(t, dir, options())
	_, err := Open(dir, options())
	if want := fmt.Sprintf("process %d", os.Getpid()); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Open: %v, want ErrLocked with %q and the directory", err, want)
	}
	if _, err := OpenView(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("OpenView beside the owner: %v, want ErrLocked", err)
	}
	if _, err := Verify(dir, VerifyOptions{}); !errors.Is(err, ErrLocked) {
		t.Errorf("Verify beside the owner: %v, want ErrLocked", err)
	}
	if _, err := SetAside(dir, testAt); !errors.Is(err, ErrLocked) {
		t.Errorf("SetAside beside the owner: %v, want ErrLocked", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := OpenView(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, options()); !errors.Is(err, ErrLocked) {
		t.Errorf("Open beside a reader: %v, want ErrLocked", err)
	}
	mustVerify(t, dir) // readers do not keep one another out
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir, options())
}

func TestSetAside(t *testing.T) {
	dir := t.TempDir()
	old := small(t, dir)
	first, err := SetAside(dir, testAt)
	if err != nil {
		t.Fatal(err)
	}
	j := mustOpen(t, dir, options())
	if j.Head().Size != 0 || j.Head().Epoch == old.Epoch {
		t.Errorf("after setting aside: %+v, want an empty journal of a new epoch", j.Head())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := SetAside(dir, testAt)
	if err != nil || second == first {
		t.Errorf("set aside twice: %s and %s, %v", first, second, err)
	}
	if r := mustVerify(t, first); r.Size != old.Size || r.Root != old.Root {
		t.Errorf("in quarantine: %+v, was %+v", r, old)
	}
}

func TestCreationCutShort(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{File + ".new", KeyFile + ".new"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half of it"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := mustOpen(t, dir, options())
	mustCommit(t, j, group(j.Head(), 1, 1, nil, nil))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, dir)
	info, err := os.Stat(filepath.Join(dir, KeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("gateway.key: mode %v, %v", info.Mode(), err)
	}
}
