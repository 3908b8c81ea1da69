//go:build unix

package people

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock on the directory itself: there is no lock file whose
// owner could be the wrong one, and a kill leaves nothing behind.
func tryLock(dir string) (unlock func() error, ok bool, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, false, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil:
		return f.Close, true, nil // the lock goes with the descriptor
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EINTR):
		return nil, false, f.Close()
	}
	return nil, false, errors.Join(err, f.Close())
}

// giveToOwner gives a file to the owner of a directory when we are root.
func giveToOwner(f *os.File, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("the owner of the directory is not known")
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}
