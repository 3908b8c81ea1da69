package people

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// fileName is the file's name in the data directory.
const fileName = "users.json"

const (
	lockPatience = 5 * time.Second
	lockPoll     = 5 * time.Millisecond
)

// disk is users.json in one directory.
type disk struct{ dir string }

func (d disk) path() string { return filepath.Join(d.dir, fileName) }

// wrap names the file that an error is about.
func (d disk) wrap(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w: only root and the user that the gateway runs as may", err)
	}
	return fmt.Errorf("%s users file %s: %w", doing, d.path(), err)
}

// read returns the file's content; one that is not there is one without users.
func (d disk) read() ([]byte, error) {
	f, err := os.Open(d.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written through it
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular() || info.Size() == 0 || info.Size() > maxFile:
		return nil, fmt.Errorf("mode %v, %d bytes: not what andon user wrote: restore it from a backup", info.Mode(), info.Size())
	case tooOpen(info.Mode()):
		return nil, fmt.Errorf("mode %04o lets others at the PIN hashes: chmod 600 it, and give new PINs if others were at it", info.Mode().Perm())
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("more than %d bytes", maxFile)
	}
	return b, err
}

// tooOpen: somebody but the owner may do something. Windows has no such modes.
func tooOpen(m fs.FileMode) bool { return runtime.GOOS != "windows" && m.Perm()&0o077 != 0 }

// write replaces the file whole and durably. The caller has the lock.
//
//  1. write beside it, for the owner only, and make that durable
//  2. give it to the owner of the directory: root's commands must not take it
//     away from the gateway's user
//  3. rename, and make the name durable
func (d disk) write(b []byte) (err error) {
	next := d.path() + ".new"
	// what a kill left of another write is in nobody's way: we have the lock
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = giveToOwner(f, d.dir)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(next, d.path())
	}
	if err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return d.sync()
}

// sync makes the file's name durable. Windows cannot, and does not need it.
func (d disk) sync() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// lock keeps other processes from changing the file until unlock is called. It
// waits for a few seconds, for no writer needs longer.
func (d disk) lock(ctx context.Context) (unlock func() error, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lockPatience, errLocked)
	defer cancel()
	for {
		unlock, ok, err := tryLock(d.dir)
		if ok || err != nil {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(lockPoll):
		}
	}
}

var errLocked = errors.New("another process has held its lock for seconds: end it, and try again")
