package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"andon/internal/sample"
	"andon/internal/signkey"
	"andon/internal/spec"
	"andon/internal/spec/specdir"
)

func newSpecCommand() *cobra.Command {
	cmd := group("spec", "The life of a specification")
	cmd.AddCommand(
		newSpecLintCommand(),
		newSpecApproveCommand(),
		newSpecVerifyCommand(),
		newSpecInstallCommand(),
		newSpecShowCommand(),
		newSpecWithdrawCommand(),
		newSpecDiffCommand(),
		newSpecListCommand(),
	)
	return cmd
}

// group is a command that only holds others; a word that is none of them is a
// usage error.
func group(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}

// refused says on stderr, one reason a line, why a specification or a list of
// approvers is not accepted.
func refused(cmd *cobra.Command, reasons error) error {
	if _, err := fmt.Fprintln(cmd.ErrOrStderr(), reasons); err != nil {
		return err
	}
	return exit{exitRefused, nil}
}

func newSpecShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Print a specification in words",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := specdir.Load(args[0])
			if err != nil {
				return exit{exitFound, err}
			}
			d, err := spec.Parse(p.Path, p.Document)
			if err != nil {
				return refused(cmd, err)
			}
			list, err := spec.ParseApprovals(p.Approvals)
			if err != nil {
				return refused(cmd, fmt.Errorf("%s: %w", specdir.Approvals(p.Path), err))
			}
			out := cmd.OutOrStdout()
			if _, err := fmt.Fprintf(out, "%s\nSignatures, as claimed (andon spec verify checks them)\n", d.Text()); err != nil {
				return err
			}
			return printApprovals(out, list)
		},
	}
}

// printApprovals lists signatures with what a signature must show: who, when
// and what it means (21 CFR 11.50).
func printApprovals(out io.Writer, list spec.Approvals) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "  none")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, a := range list {
		name := a.User
		if a.Name != "" {
			name = a.Name + " (" + a.User + ")"
		}
		if _, err := fmt.Fprintf(w, "  %s\t%s\t%s\t%s\tkey %s\n", a.Meaning, a.Time, name, a.Role, a.Key); err != nil {
			return err
		}
	}
	return w.Flush()
}

func newSpecVerifyCommand() *cobra.Command {
	var approvers string
	cmd := &cobra.Command{
		Use:   "verify --approvers FILE SPECIFICATION",
		Short: "Check that a specification is approved and untouched",
		Long: `verify checks a specification and the approvals beside it by a list of
approvers. Given the next revision of that list instead, it checks that one.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if isPolicy(args[0]) {
				return verifyPolicy(cmd, approvers, args[0])
			}
			a, err := accept(cmd, approvers, args[0])
			if err != nil {
				return err
			}
			d, out := a.doc, cmd.OutOrStdout()
			if _, err := fmt.Fprintf(out, "%s revision %s: approved under revision %d of the approvers\nsha256 %s\neffective %s\n", d.ID, d.Revision, a.policy.Revision, d.SHA256, d.Effective); err != nil {
				return err
			}
			return printApprovals(out, a.approvals)
		},
	}
	cmd.Flags().StringVar(&approvers, "approvers", "", "list of people and policy (approvers.yaml)")
	required(cmd, "approvers")
	return cmd
}

func loadPolicy(cmd *cobra.Command, path string) (*spec.Policy, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, exit{exitFound, fmt.Errorf("read approvers: %w", err)}
	}
	p, err := spec.ParsePolicy(path, b)
	if err != nil {
		return nil, refused(cmd, err)
	}
	return p, nil
}

// accepted is a specification that may judge, and under which policy.
type accepted struct {
	policy    *spec.Policy
	pair      specdir.Pair
	doc       *spec.Document
	approvals spec.Approvals
}

// accept loads a specification and decides by the list of approvers whether it
// may judge. It says on stderr what a person should know of it.
func accept(cmd *cobra.Command, approvers, path string) (a accepted, err error) {
	if a.policy, err = loadPolicy(cmd, approvers); err != nil {
		return a, err
	}
	if a.pair, err = specdir.Load(path); err != nil {
		return a, exit{exitFound, err}
	}
	if a.doc, err = spec.Parse(path, a.pair.Document); err != nil {
		return a, refused(cmd, err)
	}
	if a.approvals, err = a.policy.Accept(a.doc, a.pair.Approvals); err != nil {
		return a, refused(cmd, fmt.Errorf("%s is refused:\n%w", path, err))
	}
	return a, warnExpired(cmd, a.doc)
}

// warnExpired says so when a revision has ended: it may be kept for the record
// and judges nothing.
func warnExpired(cmd *cobra.Command, d *spec.Document) error {
	if !d.Effective.Expired(sample.At(time.Now())) {
		return nil
	}
	_, err := fmt.Fprintf(cmd.ErrOrStderr(), "andon: %s revision %s ended at %s: it judges nothing\n", d.ID, d.Revision, d.Effective.To)
	return err
}

// approveOptions are the flags of spec approve.
type approveOptions struct{ spec, key, user, role, meaning, passphraseFile string }

func newSpecApproveCommand() *cobra.Command {
	var o approveOptions
	cmd := &cobra.Command{
		Use:   "approve --spec FILE --key FILE --user ID --role ROLE --meaning authored|reviewed|approved",
		Short: "Sign a specification, or a list of approvers",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return approve(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.spec, "spec", "", "the specification, or the next revision of the list of approvers")
	f.StringVar(&o.key, "key", "", "your signing key (andon key new)")
	f.StringVar(&o.user, "user", "", "your id in the list of approvers")
	f.StringVar(&o.role, "role", "", "your role in the list of approvers")
	f.StringVar(&o.meaning, "meaning", "", "authored, reviewed or approved")
	passphraseFlag(cmd, &o.passphraseFile)
	required(cmd, "spec", "key", "user", "role", "meaning")
	return cmd
}

// approve appends one signed note to a document's approvals.
func approve(cmd *cobra.Command, o approveOptions) error {
	p, err := specdir.Load(o.spec)
	if err != nil {
		return exit{exitFound, err}
	}
	on, err := signableOf(p)
	if err != nil {
		return refused(cmd, err)
	}
	a := on.approval
	a.Meaning, a.Role, a.User, a.Time = o.meaning, o.role, o.user, sample.At(time.Now().Truncate(time.Millisecond))
	if err := on.canSign(on.list, a); err != nil {
		return refused(cmd, err)
	}
	signer, err := loadSigner(cmd, o.key, o.passphraseFile)
	if err != nil {
		return exit{exitFound, err}
	}
	signed, err := a.Sign(signer)
	if err != nil {
		return err // a flag's value is wrong: usage
	}
	if err := specdir.Append(o.spec, p.Approvals, signed); err != nil {
		return exit{exitFound, err}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, signed into %s\n", on.name, a, specdir.Approvals(o.spec))
	return err
}

// signable is a document as far as signing it goes.
type signable struct {
	name     string
	approval spec.Approval // what a signature on it says, without who and when
	list     spec.Approvals
	canSign  func(spec.Approvals, spec.Approval) error
}

// signableOf reads a specification or a list of approvers, with its approvals.
func signableOf(p specdir.Pair) (s signable, err error) {
	parse := spec.ParseApprovals
	if spec.IsPolicy(p.Document) {
		policy, err := spec.ParsePolicy(p.Path, p.Document)
		if err != nil {
			return s, err
		}
		parse = spec.ParsePolicyApprovals
		s = signable{name: fmt.Sprintf("approvers revision %d", policy.Revision), approval: policy.Approval(), canSign: policy.CanSign}
	} else {
		d, err := spec.Parse(p.Path, p.Document)
		if err != nil {
			return s, err
		}
		s = signable{name: d.ID + " revision " + d.Revision, canSign: d.CanSign,
			approval: spec.Approval{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256}}
	}
	if s.list, err = parse(p.Approvals); err != nil {
		return s, fmt.Errorf("%s: %w", specdir.Approvals(p.Path), err)
	}
	return s, nil
}

// loadSigner opens a key; a protected one with the passphrase from a file or
// from the person at the terminal.
func loadSigner(cmd *cobra.Command, path, passphraseFile string) (note.Signer, error) {
	passphrase, err := readPassphrase(passphraseFile)
	if err != nil {
		return nil, err
	}
	s, err := signkey.Load(path, passphrase)
	if passphrase == nil && errors.Is(err, signkey.ErrPassphrase) {
		if passphrase, err = askPassphrase(cmd, path); err != nil {
			return nil, err
		}
		s, err = signkey.Load(path, passphrase)
	}
	return s, err
}
