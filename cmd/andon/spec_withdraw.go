package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/config"
	"andon/internal/gateway"
	"andon/internal/sample"
	"andon/internal/spec"
	"andon/internal/spec/specdir"
	"andon/internal/strictyaml"
)

// withdrawOptions are the flags of spec withdraw.
type withdrawOptions struct{ config, key, reason, passphraseFile string }

func newSpecWithdrawCommand() *cobra.Command {
	var o withdrawOptions
	cmd := &cobra.Command{
		Use:   "withdraw --config FILE --key FILE --reason TEXT ID REVISION",
		Short: "Take a specification out of force, at once and for ever",
		Long: `withdraw signs that a revision must judge no more, hands that to the running
gateway and puts it beside the document. From that instant on everything the
revision is for is unknown, which is a deviation while product is exposed; the
revision before it does not come back. Only somebody whose role in the list of
approvers is quality can withdraw; your key says who you are.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return withdraw(cmd, o, args[0], args[1]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "settings of the gateway (gateway.yaml)")
	f.StringVar(&o.key, "key", "", "your signing key (andon key new)")
	f.StringVar(&o.reason, "reason", "", "why, in one line")
	passphraseFlag(cmd, &o.passphraseFile)
	required(cmd, "config", "key", "reason")
	return cmd
}

// withdraw signs a withdrawal, hands it to the running gateway and only then
// writes it down: what the gateway refuses is not left behind.
func withdraw(cmd *cobra.Command, o withdrawOptions, id, revision string) error {
	c, err := config.Load(o.config)
	var problems strictyaml.Problems
	if errors.As(err, &problems) {
		return refused(cmd, problems)
	}
	if err != nil {
		return exit{exitFound, err}
	}
	if path := specdir.WithdrawalOf(c.Specs.Dir, id, revision); exists(path) {
		return refused(cmd, fmt.Errorf("%s revision %s is withdrawn already: %s is there (the gateway reads it at its start)", id, revision, path))
	}
	w, b, err := signWithdrawal(cmd, c, o, id, revision)
	if err != nil {
		return err
	}
	err = gateway.Withdraw(cmd.Context(), c.Data.Dir, b)
	if err := handedIn(cmd, err); err != nil {
		return err
	}
	at, err := specdir.StoreWithdrawal(c.Specs.Dir, id, revision, b)
	if err != nil {
		return exit{exitFound, err}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s revision %s withdrawn by %s (%s): %s\nsigned into %s\n", id, revision, w.Name, w.User, w.Reason, at)
	return err
}

// handedIn is what the answer of the running gateway means for a command whose
// file is put where it is read at each start: that none is running is told and
// is no error.
func handedIn(cmd *cobra.Command, err error) error {
	var refusal gateway.Refusal
	switch {
	case errors.As(err, &refusal):
		return exit{exitRefused, err}
	case errors.Is(err, gateway.ErrNotRunning):
		_, err = fmt.Fprintln(cmd.ErrOrStderr(), "no gateway is running: it will be read at the next start")
		return err
	case err != nil:
		return exit{exitFound, err}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil // what cannot be looked at cannot be written either, and then says why
}

// signWithdrawal makes the note and judges it as the gateway will.
func signWithdrawal(cmd *cobra.Command, c *config.Config, o withdrawOptions, id, revision string) (*spec.Withdrawal, []byte, error) {
	policy, err := loadPolicy(cmd, c.Specs.Approvers)
	if err != nil {
		return nil, nil, err
	}
	d, err := installedDocument(cmd, c.Specs.Dir, id, revision)
	if err != nil {
		return nil, nil, err
	}
	signer, err := loadSigner(cmd, o.key, o.passphraseFile)
	if err != nil {
		return nil, nil, exit{exitFound, err}
	}
	who := policy.KeyOf(signer)
	if who == nil {
		return nil, nil, refused(cmd, fmt.Errorf("the key %s is nobody's in %s: only people in the list of approvers may withdraw", o.key, c.Specs.Approvers))
	}
	now := sample.At(time.Now().Truncate(time.Millisecond))
	b, err := spec.Withdrawal{ID: id, Revision: revision, SHA256: d.SHA256, Reason: o.reason, Role: who.Role, User: who.ID, Time: now}.Sign(signer)
	if err != nil {
		return nil, nil, err // a flag's value is wrong: usage
	}
	w, err := spec.ParseWithdrawal(b)
	if err == nil {
		err = policy.AcceptWithdrawal(w, now)
	}
	if err != nil {
		return nil, nil, refused(cmd, err)
	}
	return w, b, nil
}

// installedDocument reads a revision from the directory that the gateway reads.
func installedDocument(cmd *cobra.Command, dir, id, revision string) (*spec.Document, error) {
	path := specdir.Document(dir, id, revision)
	p, err := specdir.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, exit{exitFound, fmt.Errorf("%s revision %s is not installed: there is no %s", id, revision, path)}
	}
	if err != nil {
		return nil, exit{exitFound, err}
	}
	d, err := spec.Parse(path, p.Document)
	if err != nil {
		return nil, refused(cmd, err)
	}
	return d, nil
}
