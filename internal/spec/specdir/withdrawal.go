package specdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

const withdrawalEnding = ".withdrawal"

// Withdrawal is the file of a signed withdrawal, beside the document that it is
// of.
type Withdrawal struct {
	Path string
	Note []byte
}

// Withdrawals reads all withdrawals of a directory, in order of their names. Files
// that cannot be read are in the error; the others are returned all the same.
func Withdrawals(dir string) ([]Withdrawal, error) {
	paths, err := filepath.Glob(filepath.Join(escape(dir), "*"+withdrawalEnding))
	if err != nil {
		return nil, fmt.Errorf("read withdrawals: %w", err)
	}
	slices.Sort(paths)
	var list []Withdrawal
	var errs error
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("read withdrawal: %w", err))
			continue
		}
		list = append(list, Withdrawal{path, b})
	}
	return list, errs
}

// Document is the path of an installed revision.
func Document(dir, id, revision string) string {
	return filepath.Join(dir, id+"."+revision+documentEnding)
}

// WithdrawalOf is the path of the withdrawal of an installed revision.
func WithdrawalOf(dir, id, revision string) string {
	return filepath.Join(dir, id+"."+revision+withdrawalEnding)
}

// StoreWithdrawal puts an accepted withdrawal beside its document and returns its
// path.
func StoreWithdrawal(dir, id, revision string, note []byte) (string, error) {
	path := WithdrawalOf(dir, id, revision)
	return path, replace(path, 0o644, func() ([]byte, error) { return note, nil })
}
