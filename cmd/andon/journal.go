package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/gateway"
	"andon/internal/journal"
	"andon/internal/sample"
)

func newJournalCommand() *cobra.Command {
	cmd := group("journal", "Work on the record: verify, export, root")
	cmd.AddCommand(newVerifyCommand(), newExportCommand(), newRootCommand())
	return cmd
}

// dataFlags say which journal a verb works on.
type dataFlags struct{ data, config string }

func (d *dataFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.data, "data", "", "data directory of a stopped gateway, or a copy of its journal")
	cmd.Flags().StringVar(&d.config, "config", "", "settings of the gateway; a running one is asked")
	cmd.MarkFlagsOneRequired("data", "config")
	cmd.MarkFlagsMutuallyExclusive("data", "config")
}

// dir is the directory, from the settings where they were given.
func (d *dataFlags) dir(cmd *cobra.Command) (string, error) {
	if d.data != "" {
		return d.data, nil
	}
	c, err := loadConfig(cmd, d.config)
	if err != nil {
		return "", err
	}
	return c.Data.Dir, nil
}

func newVerifyCommand() *cobra.Command {
	var d dataFlags
	var key string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify (--data DIR | --config FILE) [--key KEY] [--json]",
		Short: "Hold the record against its hashes, tree and signatures",
		Long: `verify reads the journal from end to end and names the first commit that is not
what was committed. With --key, the gateway's public key as you know it from
elsewhere, it shows too whose journal it is; without, only that it fits together.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := d.dir(cmd)
			if err != nil {
				return err
			}
			r, err := verify(cmd, dir, key)
			if err != nil {
				return err
			}
			return printReport(cmd.OutOrStdout(), r, asJSON)
		},
	}
	d.add(cmd)
	cmd.Flags().StringVar(&key, "key", "", "the gateway's public key, NAME+hash+base64")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as a JSON object")
	return cmd
}

// verify works on the files; the running gateway is asked when it has them.
func verify(cmd *cobra.Command, dir, key string) (r journal.Report, err error) {
	r, err = gateway.Verify(dir, key)
	if errors.Is(err, journal.ErrLocked) {
		var b strings.Builder
		if err := gateway.Ask(cmd.Context(), dir, gateway.AskVerify, &b, "key", key); err != nil {
			return r, exit{exitFound, err}
		}
		err = json.Unmarshal([]byte(b.String()), &r)
	}
	if err != nil {
		return r, exit{exitFound, err}
	}
	return r, nil
}

func printReport(w io.Writer, r journal.Report, asJSON bool) (err error) {
	switch {
	case asJSON:
		err = json.NewEncoder(w).Encode(r)
	case r.OK:
		_, err = fmt.Fprintf(w, "ok: %d commits of gateway %s, epoch %s\nroot %s\nsigned up to commit %d by %s\n", r.Size, r.Gateway, r.Epoch, r.Root, r.Signed, r.Key)
	default:
		_, err = fmt.Fprintf(w, "NOT as it was written: %d commits of gateway %s, epoch %s\n", r.Size, r.Gateway, r.Epoch)
		for _, p := range r.Problems {
			if err == nil && p.Commit != 0 {
				_, err = fmt.Fprintf(w, "commit %d: %s\n", p.Commit, p.What)
			} else if err == nil {
				_, err = fmt.Fprintln(w, p.What)
			}
		}
	}
	if err == nil && !r.OK {
		err = exit{code: exitFound}
	}
	return err
}

func newExportCommand() *cobra.Command {
	var d dataFlags
	var sel gateway.Selection
	var from, to string
	cmd := &cobra.Command{
		Use:   "export (--data DIR | --config FILE) [--from T] [--to T] [--lot L] [--event ID]",
		Short: "Write samples, confirmations and events as JSON lines",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if sel.From, err = instant("from", from); err != nil {
				return err
			}
			if sel.To, err = instant("to", to); err != nil {
				return err
			}
			dir, err := d.dir(cmd)
			if err != nil {
				return err
			}
			v, err := journal.OpenView(dir)
			if errors.Is(err, journal.ErrLocked) {
				err = gateway.Ask(cmd.Context(), dir, gateway.AskExport, cmd.OutOrStdout(), "from", from, "to", to, "lot", sel.Lot, "event", sel.Event)
			} else if err == nil {
				err = errors.Join(gateway.Export(cmd.OutOrStdout(), v, sel), v.Close())
			}
			if err != nil {
				return exit{exitFound, err}
			}
			return nil
		},
	}
	d.add(cmd)
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "not before this instant (RFC 3339)")
	f.StringVar(&to, "to", "", "not after this instant (RFC 3339)")
	f.StringVar(&sel.Lot, "lot", "", "only what concerns this lot")
	f.StringVar(&sel.Event, "event", "", "only this event and its evidence")
	return cmd
}

// instant reads the time of a flag; "" is 0.
func instant(flag, text string) (sample.Time, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, fmt.Errorf("--%s %q: want a time like 2026-03-01T06:00:00Z", flag, text)
	}
	return sample.At(t), nil
}

func newRootCommand() *cobra.Command {
	var d dataFlags
	var size int64
	var signed bool
	cmd := &cobra.Command{
		Use:   "root (--data DIR | --config FILE) [--size N] [--note]",
		Short: "Print the tree's root at a size, or the signed checkpoint",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := d.dir(cmd)
			if err != nil {
				return err
			}
			v, err := journal.OpenView(dir)
			if errors.Is(err, journal.ErrLocked) {
				err = gateway.Ask(cmd.Context(), dir, gateway.AskRoot, cmd.OutOrStdout(), "size", fmt.Sprint(size), "note", fmt.Sprint(signed))
			} else if err == nil {
				err = errors.Join(gateway.WriteRoot(cmd.OutOrStdout(), v, size, signed), v.Close())
			}
			if err != nil {
				return exit{exitFound, err}
			}
			return nil
		},
	}
	d.add(cmd)
	cmd.Flags().Int64Var(&size, "size", -1, "the tree's size in commits (default: all)")
	cmd.Flags().BoolVar(&signed, "note", false, "print the signed checkpoint of the greatest size not above --size")
	return cmd
}
