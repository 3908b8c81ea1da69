package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/config"
	"andon/internal/gateway"
	"andon/internal/sample"
	"andon/internal/spec"
	"andon/internal/spec/specdir"
)

// isPolicy says whether a file is a list of approvers. One that cannot be read is
// none: whoever reads it next says why.
func isPolicy(path string) bool {
	b, err := os.ReadFile(path)
	return err == nil && spec.IsPolicy(b)
}

// nextPolicy is a list of approvers that may follow on another.
type nextPolicy struct {
	policy    *spec.Policy
	pair      specdir.Pair
	approvals spec.Approvals
}

// acceptPolicy decides by the list in force, if there is one, whether another may
// follow on it.
func acceptPolicy(cmd *cobra.Command, now *spec.Policy, path string) (n nextPolicy, err error) {
	if n.pair, err = specdir.Load(path); err != nil {
		return n, exit{exitFound, err}
	}
	if n.policy, err = spec.ParsePolicy(path, n.pair.Document); err != nil {
		return n, refused(cmd, err)
	}
	if now == nil || now.SHA256 == n.policy.SHA256 {
		return n, nil
	}
	if n.approvals, err = now.Next(n.policy, n.pair.Approvals, sample.At(time.Now())); err != nil {
		return n, refused(cmd, fmt.Errorf("%s is refused:\n%w", path, err))
	}
	return n, nil
}

// verifyPolicy checks that a list is the next one after another and approved
// under it.
func verifyPolicy(cmd *cobra.Command, approvers, path string) error {
	now, err := loadPolicy(cmd, approvers)
	if err != nil {
		return err
	}
	n, err := acceptPolicy(cmd, now, path)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if now.SHA256 == n.policy.SHA256 {
		_, err = fmt.Fprintf(out, "approvers revision %d: the same list\nsha256 %s\n", n.policy.Revision, n.policy.SHA256)
		return err
	}
	if _, err := fmt.Fprintf(out, "approvers revision %d: approved under revision %d\nsha256 %s\n", n.policy.Revision, now.Revision, n.policy.SHA256); err != nil {
		return err
	}
	return printApprovals(out, n.approvals)
}

// installPolicy hands the next list of approvers to the running gateway and puts
// it where it is read at each start. What the running one refuses is not put
// there. A file that stands there already is judged by the gateway alone: the one
// before it is nowhere else.
func installPolicy(cmd *cobra.Command, c *config.Config, path string) error {
	now, err := policyBeside(cmd, c.Specs.Approvers, path)
	if err != nil {
		return err
	}
	n, err := acceptPolicy(cmd, now, path)
	if err != nil {
		return err
	}
	err = gateway.Offer(cmd.Context(), c.Data.Dir, n.pair.Document, n.pair.Approvals, io.Discard)
	if err := handedIn(cmd, err); err != nil {
		return err
	}
	if !sameFile(path, c.Specs.Approvers) {
		if err := specdir.StoreApprovers(c.Specs.Approvers, n.pair); err != nil {
			return exit{exitFound, err}
		}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "approvers revision %d installed as %s\n", n.policy.Revision, c.Specs.Approvers)
	return err
}

// policyBeside is the list that the gateway reads at its start; nil when there is
// none yet, or when it is the very file that is to be installed.
func policyBeside(cmd *cobra.Command, approvers, path string) (*spec.Policy, error) {
	if _, err := os.Stat(approvers); errors.Is(err, fs.ErrNotExist) || sameFile(path, approvers) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	return loadPolicy(cmd, approvers)
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return filepath.Clean(a) == filepath.Clean(b)
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
