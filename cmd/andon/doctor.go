package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"andon/internal/doctor"
)

func newDoctorCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor --config FILE [--json]",
		Short: "Reach each PLC and broker, look at clock and disk, say what to do",
		Long: `doctor looks at everything that the settings name: each PLC is asked for all its
tags, each broker whether it takes us and lets us hear receipts, the clock whether
something keeps it right, the disk how long a flush takes and whether the quota
fits, secrets and certificates. For each failure it says what, why and what to do.
It stores and sends nothing, and may run beside the daemon. Run it as the user that
andon runs as, so that it sees what the daemon sees. The exit code is 1 when
anything failed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd, file)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			tell := func(f doctor.Finding) error { return printFinding(cmd.OutOrStdout(), &f) }
			var list []doctor.Finding
			if asJSON {
				tell = func(f doctor.Finding) error { list = append(list, f); return nil }
			}
			well, err := doctor.Examine(ctx, c, tell)
			if err == nil && asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(list)
			}
			if err == nil && !well {
				err = exit{code: exitFound}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "the settings (gateway.yaml)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as a JSON array")
	required(cmd, "config")
	return cmd
}

func printFinding(w io.Writer, f *doctor.Finding) error {
	if f.OK {
		_, err := fmt.Fprintf(w, "ok    %s %s: %s\n", f.Check, f.Subject, f.Found)
		return err
	}
	_, err := fmt.Fprintf(w, "FAIL  %s %s: %s\n      why: %s\n      do:  %s\n", f.Check, f.Subject, f.Found, f.Why, f.Do)
	return err
}
