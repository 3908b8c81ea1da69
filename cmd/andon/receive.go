package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"andon/internal/receiver"
	"andon/internal/signkey"
)

// received is what `receive` was asked for.
type received struct {
	o                             receiver.Options
	key, passphraseFile, gateways string
	unsigned, json                bool
}

func newReceiveCommand() *cobra.Command {
	var r received
	cmd := &cobra.Command{
		Use:   "receive --broker URL --out DIR (--key FILE | --unsigned --name NAME)",
		Short: "The reference receiver: stores every event durably, answers receipts",
		Long: `Subscribes to what gateways send, stores every event and record as a line of
JSON in DIR, and answers each with a receipt, signed with the key, when it is on
the disk. Runs until it is interrupted; started again it goes on where it was.

The key's name is the consumer's name in the gateways' settings:

    andon key new --name qms --out qms.key --no-passphrase
    uplink: {mqtt: {consumers: {qms: {key: "the line that it printed"}}}}`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&r.o.Broker, "broker", "", "tls://host:port, or tcp://host:port")
	f.StringVar(&r.o.Dir, "out", "", "directory for what is received")
	f.StringVar(&r.key, "key", "", "file with the key that signs the receipts")
	passphraseFlag(cmd, &r.passphraseFile)
	f.BoolVar(&r.unsigned, "unsigned", false, "answer without signature, for gateways with `receipts: unsigned`: anybody at the broker could")
	f.StringVar(&r.o.Name, "name", "", "the consumer's name (default: the key's)")
	f.StringVar(&r.gateways, "gateways", "", "file of the gateways to receive, one a line: ID, or ID and the key of its checkpoints (default: all)")
	f.StringVar(&r.o.Prefix, "prefix", "", "what stands before andon/v1/ in the topics")
	f.StringVar(&r.o.Username, "user", "", "user at the broker (default: the consumer's name)")
	f.StringVar(&r.o.PasswordFile, "password-file", "", "file with the user's password")
	f.StringVar(&r.o.TLS.CA, "ca", "", "PEM file of the CAs that are trusted (default: the system's)")
	f.StringVar(&r.o.TLS.Certificate, "certificate", "", "PEM file of our certificate")
	f.StringVar(&r.o.TLS.Key, "certificate-key", "", "PEM file of its key")
	f.BoolVar(&r.json, "json", false, "print the counts as JSON at the end")
	required(cmd, "broker", "out")
	cmd.MarkFlagsOneRequired("key", "unsigned")
	cmd.MarkFlagsMutuallyExclusive("key", "unsigned")
	cmd.MarkFlagsRequiredTogether("certificate", "certificate-key")
	return cmd
}

func (r *received) run(cmd *cobra.Command) error {
	if err := r.sign(); err != nil {
		return err
	}
	if err := r.readGateways(); err != nil {
		return exit{exitFound, err}
	}
	r.o.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	rec, err := receiver.New(r.o)
	if err != nil {
		return exit{exitFound, err}
	}
	ctx, stop := signal.NotifyContext(parent(cmd), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = rec.Run(ctx)
	if err := errors.Join(err, r.print(cmd, rec.Summary())); err != nil {
		return exit{exitFound, err}
	}
	return nil
}

// parent is the command's context; there is none when main runs it.
func parent(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}

// sign reads the key that signs the receipts.
func (r *received) sign() error {
	if r.unsigned {
		if r.o.Name == "" {
			return errors.New("--unsigned needs --name: without a key it cannot be told who receives")
		}
		return nil
	}
	passphrase, err := readPassphrase(r.passphraseFile)
	if err != nil {
		return exit{exitFound, err}
	}
	r.o.Signer, err = signkey.Load(r.key, passphrase)
	if err != nil {
		return exit{exitFound, err}
	}
	if r.o.Name == "" {
		r.o.Name = r.o.Signer.Name()
	}
	return nil
}

// readGateways reads the file of the gateways to receive.
func (r *received) readGateways() error {
	if r.gateways == "" {
		return nil
	}
	b, err := os.ReadFile(r.gateways)
	if err != nil {
		return fmt.Errorf("read the list of gateways: %w", err)
	}
	r.o.Gateways, err = parseGateways(r.gateways, string(b))
	return err
}

// parseGateways reads lines of a gateway's id and, if it is known, the public
// key of its checkpoints; # begins a comment.
func parseGateways(file, text string) (map[string]string, error) {
	gateways := map[string]string{}
	var errs []error
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		id, key := fields[0], strings.Join(fields[1:], " ")
		if _, twice := gateways[id]; twice {
			errs = append(errs, fmt.Errorf("%s:%d: gateway %s is there already: remove one", file, i+1, id))
		}
		if key != "" {
			if _, err := note.NewVerifier(key); err != nil {
				errs = append(errs, fmt.Errorf("%s:%d: key of gateway %s: %w: want the line that `andon key show` prints", file, i+1, id, err))
			}
		}
		gateways[id] = key
	}
	if len(gateways) == 0 {
		errs = append(errs, fmt.Errorf("%s: names no gateway: leave --gateways out to receive all", file))
	}
	return gateways, errors.Join(errs...)
}

// print prints the counts.
func (r *received) print(cmd *cobra.Command, s receiver.Summary) error {
	if r.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
	}
	names := make([]string, 0, len(s.Lanes))
	for name := range s.Lanes {
		names = append(names, name)
	}
	slices.Sort(names)
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	lines := []string{"gateway/epoch/lane\treceived\tduplicated\tmissing\tconflicts\n"}
	for _, name := range names {
		c := s.Lanes[name]
		lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t%d\t%d\n", name, c.Received, c.Duplicated, c.Missing, c.Conflicts))
	}
	for _, line := range lines {
		if _, err := fmt.Fprint(w, line); err != nil {
			return err
		}
	}
	return w.Flush()
}
