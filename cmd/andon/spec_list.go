package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/gateway"
	"andon/internal/journal"
	"andon/internal/panel"
	"andon/internal/sample"
)

func newSpecListCommand() *cobra.Command {
	var d dataFlags
	var at string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list (--config FILE | --data DIR) [--at T] [--json]",
		Short: "List every revision ever installed, or those in force at an instant",
		Long: `list prints every revision that was ever installed on a gateway, those in force
first: how it stands now, its hash, its effective time, when it was installed, when
it was in force, and who signed it. The running gateway is asked; a stopped one's
record is read. With --at it prints the revisions that were in force at that
instant. Which of them judged a value depends on scope and on the operation that
was running, which keeps its revision: each event names it.

States: in force; pending (it begins later); expired; superseded; withdrawn. The
exit code is 0 also when there is none.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return listSpecs(cmd, &d, at, asJSON) },
	}
	d.add(cmd)
	cmd.Flags().StringVar(&at, "at", "", "only what was in force at this instant (RFC 3339)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as a JSON object, with the parameters")
	return cmd
}

func listSpecs(cmd *cobra.Command, d *dataFlags, at string, asJSON bool) error {
	var then sample.Time
	if at != "" {
		t, err := time.Parse(time.RFC3339Nano, at)
		if then = sample.At(t); err != nil || then == 0 {
			return fmt.Errorf("--at %q is no instant: write it like 2026-03-01T06:00:00-05:00", at)
		}
	}
	r, err := readSpecs(cmd, d)
	if err != nil {
		return err
	}
	if at != "" {
		r = r.InForceAt(then)
	}
	if asJSON {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	return printSpecs(cmd.OutOrStdout(), &r)
}

// readSpecs asks the running gateway, or reads a stopped one's journal.
func readSpecs(cmd *cobra.Command, d *dataFlags) (gateway.SpecReport, error) {
	return readReport(cmd, d, gateway.AskSpecs, func(v *journal.View) (gateway.SpecReport, error) {
		return gateway.Specs(v, sample.At(time.Now()))
	})
}

// printSpecs prints for people, one block a revision.
func printSpecs(out io.Writer, r *gateway.SpecReport) error {
	var b bytes.Buffer
	switch {
	case r.At != 0 && len(r.Specs) == 0:
		fmt.Fprintf(&b, "No specification was in force at %s.\n", sample.Time(r.At))
	case r.At != 0:
		fmt.Fprintf(&b, "In force at %s\n", sample.Time(r.At))
	case len(r.Specs) == 0:
		b.WriteString("No specification is installed.\n")
	}
	for i := range r.Specs {
		if r.At != 0 || i > 0 {
			b.WriteString("\n")
		}
		printSpec(&b, &r.Specs[i])
	}
	_, err := out.Write(b.Bytes())
	return err
}

func printSpec(b *bytes.Buffer, x *panel.Spec) {
	fmt.Fprintf(b, "%s revision %s: %s\n", x.ID, x.Revision, x.Status)
	line := func(word, text string) {
		if text != "" {
			fmt.Fprintf(b, "  %-10s %s\n", word, text)
		}
	}
	inForce := "never"
	if x.InForceFrom != 0 {
		inForce = fromTo(x.InForceFrom, x.InForceTo)
	}
	line("title", x.Title)
	line("sha256", x.SHA256)
	line("document", x.Origin)
	line("change", x.Change)
	line("reason", x.Reason)
	line("effective", fromTo(x.From, x.To))
	line("installed", sample.Time(x.Installed).String())
	line("in force", inForce)
	line("judges on", strings.Join(x.Equipment, ", "))
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, a := range x.Approvals {
		fmt.Fprintf(w, "  %s\t%s\t%s (%s)\t%s\n", a.Meaning, sample.Time(a.At), a.Name, a.User, a.Role) //nolint:errcheck // a buffer takes all
	}
	_ = w.Flush() // a buffer takes all
	if len(x.Approvals) == 0 {
		line("approvals", "none")
	}
}

// fromTo is a range of time in words, in UTC.
func fromTo(from, to panel.Instant) string {
	if to == 0 {
		return fmt.Sprintf("from %s, no end", sample.Time(from))
	}
	return fmt.Sprintf("from %s until %s", sample.Time(from), sample.Time(to))
}
