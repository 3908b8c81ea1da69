package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// evict drops what the kernel remembers of a file. After a failed flush its
// memory and the disk may differ, and it no longer knows: what is read next
// must come from the disk.
func evict(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED), f.Close())
}
