package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes the file for this process, or says that another has it. The
// byte that is locked lies beyond the text, so that others can still read that.
func lockFile(f *os.File) error {
	at := &windows.Overlapped{Offset: 1 << 20}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}

// syncDir does nothing: Windows writes directories through by itself and knows
// no flush of one.
func syncDir(string) error { return nil }

// noSpace reports whether a write found no room.
func noSpace(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// mapSize is how much of the file is mapped from the start: nothing beyond the
// file, since Windows makes the file as long as its map.
func mapSize(int64) int { return 0 }
