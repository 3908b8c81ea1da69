package signkey

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/mod/sumdb/note"
)

// Create writes a new key file, readable by its owner only (0600), durably. It
// never writes over a file: the error then wraps fs.ErrExist.
func Create(path string, k Key, passphrase []byte) error {
	b, err := Encode(k, passphrase)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create key file: %w", err)
	}
	if err := write(f, b); err != nil {
		// Half a key is of no use and would be in the way of the next try.
		return errors.Join(fmt.Errorf("write key file %s: %w", path, err), os.Remove(path))
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write key file %s: %w", path, err)
	}
	return nil
}

func write(f *os.File, b []byte) error {
	_, err := f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the file's name durable. Windows cannot, and does not need it.
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

// Load reads a key file for signing; passphrase is nil for an unprotected key.
// A file that others than its owner can read, or its group can write, is
// refused: what it signs proves nothing. (The group may read: that is how
// systemd hands over credentials.) The error wraps ErrPassphrase,
// ErrWrongPassphrase or fs.ErrNotExist where that is the cause.
func Load(path string, passphrase []byte) (note.Signer, error) {
	b, err := read(path)
	if err != nil {
		return nil, err
	}
	k, err := Decode(b, passphrase)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	s, err := note.NewSigner(k.Private)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return s, nil
}

// Public is the public key in a key file, in the encoding of package note. It
// needs no passphrase, and takes the word of a protected file's public line.
func Public(path string) (string, error) {
	b, err := read(path)
	if err != nil {
		return "", err
	}
	f, err := parse(b)
	if err == nil && f.public == "" {
		f.public, err = publicOf(f.private)
	}
	if err != nil {
		return "", fmt.Errorf("key file %s: %w", path, err)
	}
	return f.public, nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("key file %s: not a key file: want what andon key new wrote", path)
	}
	if tooOpen(info.Mode()) {
		return nil, fmt.Errorf("key file %s: mode %04o lets others at it: chmod 600 %s, and make a new key if others were at it", path, info.Mode().Perm(), path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return b, nil
}

// tooOpen: others may do anything, or the group may write. Windows has no such
// modes.
func tooOpen(m fs.FileMode) bool { return runtime.GOOS != "windows" && m.Perm()&0o027 != 0 }
