package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/gateway"
)

// readAtMost is how long one source may take to give all its tags.
const readAtMost = 30 * time.Second

func newReadCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "read --config FILE",
		Short: "Read every tag once, print, store nothing",
		Long: `read connects to every PLC of the settings, reads each tag once and prints it. It
stores nothing, sends nothing, and may run beside the daemon. The exit code is 1
when a PLC cannot be reached or a value is bad.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd, file)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			ctx, cancel := context.WithTimeout(ctx, readAtMost)
			defer cancel()
			return printReadings(cmd.OutOrStdout(), cmd.ErrOrStderr(), gateway.ReadOnce(ctx, gateway.Options{Config: c, Log: newLog(cmd)}))
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "the settings (gateway.yaml)")
	required(cmd, "config")
	return cmd
}

func printReadings(out, talk io.Writer, list []gateway.SourceReading) error {
	failed := false
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "TAG\tVALUE\tUNIT\tQUALITY\tSOURCE TIME"); err != nil {
		return err
	}
	for _, s := range list {
		if s.Err != nil {
			failed = true
			if _, err := fmt.Fprintf(talk, "andon: source %s: %v\n", s.Source, s.Err); err != nil {
				return err
			}
		}
		for _, r := range s.Readings {
			failed = failed || r.Bad
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Tag, r.Value, r.Unit, r.Quality, r.Time); err != nil {
				return err
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if failed {
		return exit{code: exitFound}
	}
	return nil
}
