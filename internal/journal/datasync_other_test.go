//go:build !linux

package journal

import "os"

// datasync is the flush that bbolt uses.
func datasync(f *os.File) error { return f.Sync() }
