package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"andon/internal/config"
	"andon/internal/gateway"
	"andon/internal/journal"
	"andon/internal/strictyaml"
)

func newRunCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "run --config FILE",
		Short: "The daemon: read, judge, record, raise",
		Long: `run reads the PLCs, judges every value against the specifications in force,
records everything in data.dir and raises deviations to the quality system. A PLC
or a broker that is not there does not keep it from starting: that is recorded.
It ends on SIGTERM or an interrupt, after what has come in has been committed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd, file)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			o := gateway.Options{Config: c, Version: version, Log: newLog(cmd)}
			if err := underService(&o); err != nil {
				return err
			}
			return runGateway(ctx, o)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "the settings (gateway.yaml)")
	required(cmd, "config")
	return cmd
}

// loadConfig reads the settings; what is wrong with them has been said when it
// returns an error.
func loadConfig(cmd *cobra.Command, file string) (*config.Config, error) {
	c, err := config.Load(file)
	var problems strictyaml.Problems
	if errors.As(err, &problems) {
		return nil, refused(cmd, problems)
	}
	if err != nil {
		return nil, exit{exitRefused, err}
	}
	return c, nil
}

// newLog writes to stderr; under systemd, which adds it, without the time.
func newLog(cmd *cobra.Command) *slog.Logger {
	o := &slog.HandlerOptions{}
	if os.Getenv("JOURNAL_STREAM") != "" {
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), o))
}

// runGateway runs until ctx ends and turns what went wrong into an exit code
// and a cure.
func runGateway(ctx context.Context, o gateway.Options) error {
	g, err := gateway.Open(o)
	if err != nil {
		return exit{exitFound, cure(err)}
	}
	if err := g.Run(ctx); err != nil {
		return exit{exitFound, cure(err)}
	}
	return nil
}

// cure adds to an error what a person can do about it, where the error does not
// say it itself.
func cure(err error) error {
	switch {
	case errors.Is(err, journal.ErrFull):
		return errors.Join(err, errors.New("make room on the disk or raise data.quota; nothing that was recorded is lost"))
	case errors.Is(err, os.ErrPermission):
		return errors.Join(err, errors.New("give the directory to the user that andon runs as"))
	case errors.Is(err, syscall.ENOTDIR):
		return errors.Join(err, errors.New("data.dir is a file, or lies below one: move that away, or name another directory"))
	}
	return err
}
