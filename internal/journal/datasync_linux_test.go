package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// datasync is the flush that bbolt uses.
func datasync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
