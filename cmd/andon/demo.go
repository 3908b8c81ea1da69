package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/demo"
)

func newDemoCommand() *cobra.Command {
	o := demo.Options{Version: version, Now: time.Now}
	var asJSON, verbose bool
	cmd := &cobra.Command{
		Use:   "demo [--for D] [--json] [--panel ADDR] [--dir D]",
		Short: "Simulated PLCs, broker, receiver and gateway: the whole way on one machine",
		Long: `demo needs no set-up: it makes keys, approvers, an approved specification and
settings of its own, starts two simulated furnaces (OPC UA) and a press (Modbus
TCP), an MQTT broker, the reference receiver and a gateway on the loopback
interface, and says what happens. The operators' page is at the address it
prints, with the id and PIN to sign with. At the end it counts whether every
excursion became exactly one deviation, receipted, and whether every gap was
recorded. The exit code is 1 when anything is missing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.For < 0 || o.For == 0 && cmd.Flags().Changed("for") {
				return fmt.Errorf("--for %v: want more than 0, or leave it out to go on until interrupted", o.For)
			}
			o.Log = slog.New(slog.DiscardHandler)
			if verbose {
				o.Log = newLog(cmd)
			}
			o.Talk = cmd.OutOrStdout()
			if asJSON {
				o.Talk = cmd.ErrOrStderr()
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			sum, err := demo.Run(ctx, o)
			if err != nil {
				return exit{exitFound, err}
			}
			return printSummary(cmd.OutOrStdout(), sum, asJSON)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&o.For, "for", 0, "how long the plant works; then everything is drained and counted (default: until interrupted)")
	f.BoolVar(&asJSON, "json", false, "print the count as one JSON object on stdout; what happens goes to stderr")
	f.StringVar(&o.Dir, "dir", "", "keep settings, keys, journal and what was received there (default: a temporary directory)")
	f.StringVar(&o.Panel, "panel", "127.0.0.1:0", "address of the operators' page; \"\" for none")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of the simulated plant")
	f.BoolVarP(&verbose, "verbose", "v", false, "log what the parts say to stderr")
	return cmd
}

func printSummary(w io.Writer, sum *demo.Summary, asJSON bool) error {
	var err error
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		err = e.Encode(sum)
	} else {
		err = explainSummary(w, sum)
	}
	if err == nil && !sum.OK() {
		err = exit{exitFound, errors.New("not everything that had to be found was found and receipted")}
	}
	return err
}

func explainSummary(w io.Writer, s *demo.Summary) error {
	_, err := fmt.Fprintf(w, `
samples recorded     %d, received by the quality system %d, missing %d
deviations           expected %d, raised %d, receipted %d
gaps                 expected %d, recorded %d
alarms               %d
journal              %d commits, verified: %v
sample to durable    p50 %.0f ms, p99 %.0f ms
sample to alarm      p50 %.0f ms, p99 %.0f ms
sample to receipt    p50 %.0f ms, p99 %.0f ms
`, s.Samples, s.Records.Received, s.Records.Missing, s.Deviations.Expected, s.Deviations.Raised, s.Deviations.Receipted,
		s.Gaps.Expected, s.Gaps.Recorded, s.Alarms, s.Journal.Size, s.Journal.Verified,
		s.Latency.Durable.P50, s.Latency.Durable.P99, s.Latency.Alarm.P50, s.Latency.Alarm.P99, s.Latency.Receipt.P50, s.Latency.Receipt.P99)
	for _, m := range s.Mismatches {
		if err == nil {
			_, err = fmt.Fprintln(w, "differs:", m)
		}
	}
	return err
}
