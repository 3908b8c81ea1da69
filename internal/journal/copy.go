package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// CopyTo writes a consistent copy of the journal to a new file, durably, while
// it is in use. A file that is there already is not touched (fs.ErrExist); of a
// copy that fails nothing is left. The key is not in it.
//
// It holds one transaction for as long as that takes: what is freed meanwhile is
// not used again, so the file grows by what is committed in that time.
func (v *View) CopyTo(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("copy journal: %w", err)
	}
	err = v.copyTo(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("copy journal to %s: %w", path, err), os.Remove(path))
	}
	return nil
}

func (v *View) copyTo(f *os.File) error {
	return v.read(func(tx *bolt.Tx, _ Head) error {
		if _, err := tx.WriteTo(f); err != nil {
			return err
		}
		last, err := headOf(tx, v.id)
		if err != nil {
			return err
		}
		// The transaction may have begun during the last flush of a commit, which
		// is over by now or has failed.
		if last.Size > v.Head().Size {
			return fmt.Errorf("%w: it is in the copy", ErrUncertain)
		}
		return nil
	})
}
