package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/gateway"
	"andon/internal/journal"
	"andon/internal/outbox"
)

func newOutboxCommand() *cobra.Command {
	cmd := group("outbox", "What must reach the quality system: counts, dead letters")
	cmd.AddCommand(newOutboxStatusCommand(), newOutboxDeadCommand(), newOutboxRequeueCommand())
	return cmd
}

// readOutbox asks the running gateway, or reads a stopped one's journal.
func readOutbox(cmd *cobra.Command, d *dataFlags) (gateway.OutboxReport, error) {
	return readReport(cmd, d, gateway.AskOutbox, gateway.Outbox)
}

// readReport asks the running gateway for a report, or makes it of a stopped
// one's journal.
func readReport[T any](cmd *cobra.Command, d *dataFlags, ask string, of func(*journal.View) (T, error)) (r T, err error) {
	dir, err := d.dir(cmd)
	if err != nil {
		return r, err
	}
	v, err := journal.OpenView(dir)
	switch {
	case errors.Is(err, journal.ErrLocked):
		var b bytes.Buffer
		if err = gateway.Ask(cmd.Context(), dir, ask, &b); err == nil {
			err = json.Unmarshal(b.Bytes(), &r)
		}
	case err == nil:
		r, err = of(v)
		err = errors.Join(err, v.Close())
	}
	if err != nil {
		return r, exit{exitFound, err}
	}
	return r, nil
}

func newOutboxStatusCommand() *cobra.Command {
	var d dataFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status (--data DIR | --config FILE) [--json]",
		Short: "Raised = receipted + pending + rejected, by lane",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := readOutbox(cmd, &d)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			return printOutbox(cmd.OutOrStdout(), &r)
		},
	}
	d.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as a JSON object, the dead letters with it")
	return cmd
}

func printOutbox(out io.Writer, r *gateway.OutboxReport) error {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "lane\traised\treceipted\tpending\trejected\t\n") //nolint:errcheck // a buffer takes all
	for _, lane := range outbox.Lanes() {
		n := r.Lanes[lane]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", lane, n.Raised, n.Receipted, n.Pending, n.Rejected) //nolint:errcheck // a buffer takes all
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.OldestPending != nil {
		fmt.Fprintf(&b, "the oldest without a receipt is of %s\n", r.OldestPending.Format(time.RFC3339))
	}
	if n := len(r.Dead); n > 0 {
		fmt.Fprintf(&b, "%d dead letters: `andon outbox dead` shows them\n", n)
	}
	_, err := out.Write(b.Bytes())
	return err
}

func newOutboxDeadCommand() *cobra.Command {
	var d dataFlags
	cmd := &cobra.Command{
		Use:   "dead (--data DIR | --config FILE)",
		Short: "The dead letters, one a line: why they were rejected, and their bytes",
		Long: `dead prints a JSON object a line: lane, seq, id, at, consumer, code and reason of
the rejection, requeued (the id under which it was sent again), topic and payload.
They are part of the record and never dropped.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := readOutbox(cmd, &d)
			if err != nil {
				return err
			}
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetEscapeHTML(false)
			for i := range r.Dead {
				if err := e.Encode(&r.Dead[i]); err != nil {
					return err
				}
			}
			return nil
		},
	}
	d.add(cmd)
	return cmd
}

func newOutboxRequeueCommand() *cobra.Command {
	var settings, reason string
	cmd := &cobra.Command{
		Use:   "requeue --config FILE --reason TEXT LANE SEQ",
		Short: "Send a dead letter again, as a new entry with the same content",
		Long: `requeue asks the running gateway to send a dead letter again, when what made the
quality system reject it has been mended there. It gets a number of its own; the
rejected one stays rejected. Who asked and why is on the audit trail.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			seq, err := strconv.ParseUint(args[1], 10, 64)
			if err != nil || seq == 0 {
				return fmt.Errorf("%q is no entry's number", args[1])
			}
			c, err := loadConfig(cmd, settings)
			if err != nil {
				return err
			}
			d, err := gateway.AskToRequeue(cmd.Context(), c.Data.Dir, args[0], seq, reason)
			if errors.Is(err, gateway.ErrNotRunning) {
				err = fmt.Errorf("%w: start it, since sending again is an act on its record", err)
			}
			if err != nil {
				return exit{exitFound, err}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is sent again as %s\n", d.ID, d.Requeued)
			return err
		},
	}
	cmd.Flags().StringVar(&settings, "config", "", "settings of the gateway (gateway.yaml)")
	cmd.Flags().StringVar(&reason, "reason", "", "why it can be taken now; goes on record")
	required(cmd, "config", "reason")
	return cmd
}
