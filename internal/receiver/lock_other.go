//go:build !unix

package receiver

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockDir opens the lock file; here it keeps nobody out.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("lock the receiver's directory: %w", err)
	}
	return f, nil
}

// syncDir does nothing: directories cannot be synced here, and need not be.
func syncDir(string) error { return nil }
