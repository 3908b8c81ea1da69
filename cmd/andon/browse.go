package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"andon/internal/config"
	"andon/internal/opcua"
)

// browsed is what `browse` was asked for.
type browsed struct {
	url, from, settings, source string
	insecure                    bool
}

func newBrowseCommand() *cobra.Command {
	var b browsed
	cmd := &cobra.Command{
		Use:   "browse (URL --insecure | --config FILE --source NAME) [--from NODE]",
		Short: "List the nodes of an OPC UA server, as the settings take them",
		Long: `browse walks the address space of an OPC UA server and prints each variable's node
id, path and value, a line each: the id is what stands after node: in the settings.
With --config it connects as the gateway does, with the security of the source;
with a URL, which needs --insecure said, without any: then nobody knows whose
values those are. It changes nothing.`,
		Example: `  andon browse --config gateway.yaml --source furnace-plc
  andon browse opc.tcp://10.1.7.20:4840 --insecure --from "ns=2;s=Furnace"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				b.url = args[0]
			}
			o, err := b.options(cmd)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if err := browse(ctx, cmd.OutOrStdout(), o, b.from); err != nil {
				return exit{exitFound, err}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.from, "from", "", "begin at this node (default: the objects folder)")
	f.StringVar(&b.settings, "config", "", "settings of the gateway (gateway.yaml)")
	f.StringVar(&b.source, "source", "", "the source in the settings")
	f.BoolVar(&b.insecure, "insecure", false, "connect to a URL without security")
	cmd.MarkFlagsRequiredTogether("config", "source")
	return cmd
}

// options are how to connect.
func (b *browsed) options(cmd *cobra.Command) (o opcua.Options, err error) {
	switch {
	case (b.url == "") == (b.settings == ""):
		return o, errors.New("want either a URL or --config with --source")
	case b.url != "" && !b.insecure:
		return o, errors.New("a URL alone has no security: say --insecure, or use --config and --source")
	case b.url != "":
		return opcua.Options{Name: "browse", Endpoint: b.url, Policy: "None", Mode: "None", Insecure: true}, nil
	}
	c, err := loadConfig(cmd, b.settings)
	if err != nil {
		return o, err
	}
	for i := range c.Sources {
		if s := &c.Sources[i]; s.Name == b.source && s.OPCUA != nil {
			return sourceOptions(c, s)
		}
	}
	return o, exit{exitFound, fmt.Errorf("%s has no OPC UA source %q", b.settings, b.source)}
}

// sourceOptions are a source's, without its tags.
func sourceOptions(c *config.Config, s *config.Source) (opcua.Options, error) {
	u := s.OPCUA
	o := opcua.Options{Name: s.Name, Endpoint: u.Endpoint, Policy: u.Policy, Mode: u.Mode, Insecure: u.Insecure, Trust: u.Trust, Username: u.Identity.Username}
	if !u.Identity.Password.None() {
		password, err := u.Identity.Password.Read(os.Getenv("CREDENTIALS_DIRECTORY"))
		if err != nil {
			return o, exit{exitFound, fmt.Errorf("source %s: password: %w", s.Name, err)}
		}
		o.Password = password
	}
	if u.Policy != "None" {
		own := filepath.Join(c.Data.Dir, "own")
		o.Certificate, o.Key = filepath.Join(own, opcua.CertificateFile), filepath.Join(own, opcua.KeyFile)
	}
	return o, nil
}

// browse prints variables as they are found: a server may have many.
func browse(ctx context.Context, out io.Writer, o opcua.Options, from string) error {
	return opcua.Browse(ctx, o, from, func(f opcua.Found) error {
		if !f.Variable {
			return nil
		}
		value := f.Reading.Value.String()
		if f.Reading.Status != "" || value == "" {
			value = f.Reading.Quality.String() + " " + f.Reading.Status
		}
		const widest = 60
		if r := []rune(value); len(r) > widest {
			value = string(r[:widest]) + "…"
		}
		_, err := fmt.Fprintf(out, "%s\t%s\t%q\t%s\n", f.Node, f.Path, value, f.Time)
		return err
	})
}
