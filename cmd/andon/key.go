package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"andon/internal/signkey"
)

func newKeyCommand() *cobra.Command {
	cmd := group("key", "Signing keys of people and gateways")
	cmd.AddCommand(newKeyNewCommand(), newKeyShowCommand())
	return cmd
}

func newKeyNewCommand() *cobra.Command {
	var name, out, passphraseFile string
	var unprotected bool
	cmd := &cobra.Command{
		Use:   "new --name NAME --out FILE (--passphrase-file FILE | --no-passphrase)",
		Short: "Make a signing key and print its public half",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			passphrase, err := readPassphrase(passphraseFile)
			if err != nil {
				return exit{exitFound, err}
			}
			k, err := signkey.Generate(name)
			if err != nil {
				return err // the name is wrong: usage
			}
			err = signkey.Create(out, k, passphrase)
			if errors.Is(err, fs.ErrExist) {
				err = fmt.Errorf("%s is there already: a key is never written over; choose another file", out)
			}
			if err != nil {
				return exit{exitFound, err}
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), k.Public)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "whose key it is: a person's id, or a gateway's")
	f.StringVar(&out, "out", "", "file for the private key (mode 0600)")
	passphraseFlag(cmd, &passphraseFile)
	f.BoolVar(&unprotected, "no-passphrase", false, "keep the key unprotected, for machines that start alone")
	required(cmd, "name", "out")
	cmd.MarkFlagsOneRequired("passphrase-file", "no-passphrase")
	cmd.MarkFlagsMutuallyExclusive("passphrase-file", "no-passphrase")
	return cmd
}

func newKeyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Print the public half of a key, never the private one",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			public, err := signkey.Public(args[0])
			if err != nil {
				return exit{exitFound, err}
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), public)
			return err
		},
	}
}

func passphraseFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "passphrase-file", "", "file with the key's passphrase on its only line")
}

// required marks flags that must be given.
func required(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // we name a flag that we have not defined
		}
	}
}

// readPassphrase is the line in a file; nil when no file is named.
func readPassphrase(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read passphrase: %w", err)
	}
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	switch {
	case len(b) == 0:
		return nil, fmt.Errorf("read passphrase: %s is empty", file)
	case bytes.ContainsAny(b, "\r\n"):
		return nil, fmt.Errorf("read passphrase: %s has more than one line", file)
	}
	return b, nil
}

// askPassphrase asks the person at the terminal for a key's passphrase.
func askPassphrase(cmd *cobra.Command, key string) ([]byte, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return nil, fmt.Errorf("key file %s: %w: give --passphrase-file", key, signkey.ErrPassphrase)
	}
	if _, err := fmt.Fprintf(cmd.ErrOrStderr(), "passphrase of %s: ", key); err != nil {
		return nil, err
	}
	b, err := term.ReadPassword(in)
	if err != nil {
		return nil, fmt.Errorf("read passphrase: %w", err)
	}
	_, err = fmt.Fprintln(cmd.ErrOrStderr())
	return b, err
}
