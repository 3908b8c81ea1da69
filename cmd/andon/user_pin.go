package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"andon/internal/people"
)

// pin is a new PIN for a user, from the file or from the terminal. A weak one is
// refused before anything is changed.
func (u *userFlags) pin(cmd *cobra.Command, id string) (string, error) {
	get := func() (string, error) { return readPIN(cmd.ErrOrStderr(), u.pinFile) }
	if u.pinFile == "" {
		get = func() (string, error) { return askPIN(cmd, id) }
	}
	pin, err := get()
	if err != nil {
		return "", err
	}
	if err := people.CheckPIN(pin, id); err != nil {
		if u.pinFile != "" {
			err = fmt.Errorf("PIN file %s: %w", u.pinFile, err)
		}
		return "", err
	}
	return pin, nil
}

// readPIN is the only line of a file.
func readPIN(talk io.Writer, file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read PIN: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written through it
	b, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return "", fmt.Errorf("read PIN: %w", err)
	}
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	switch {
	case len(b) == 0:
		return "", fmt.Errorf("PIN file %s: it is empty: want the PIN on its only line", file)
	case bytes.ContainsAny(b, "\r\n"):
		return "", fmt.Errorf("PIN file %s: it has more than one line: want the PIN on its only line", file)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		_, err = fmt.Fprintf(talk, "PIN file %s: mode %04o lets others read it: delete it, or give another PIN if others were at it\n", file, info.Mode().Perm())
	}
	return string(b), err
}

// askPIN has a new PIN typed twice at the terminal.
func askPIN(cmd *cobra.Command, id string) (string, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return "", errors.New("there is no terminal to ask for the PIN: give --pin-file")
	}
	var typed [2]string
	for i, prompt := range [...]string{"new PIN of %s: ", "once more: "} {
		if i == 0 {
			prompt = fmt.Sprintf(prompt, id)
		}
		if _, err := fmt.Fprint(cmd.ErrOrStderr(), prompt); err != nil {
			return "", err
		}
		b, err := term.ReadPassword(in)
		if err != nil {
			return "", fmt.Errorf("read PIN: %w", err)
		}
		if _, err := fmt.Fprintln(cmd.ErrOrStderr()); err != nil {
			return "", err
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two PINs differ: nothing was changed")
	}
	return typed[0], nil
}
