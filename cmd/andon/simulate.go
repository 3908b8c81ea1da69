package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/plant"
	"andon/internal/strictyaml"
)

// simulated is what `simulate` was asked for.
type simulated struct {
	file, listen, truth, write string
	press, listenModbus        string
	forTime                    time.Duration
}

func newSimulateCommand() *cobra.Command {
	var s simulated
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "The simulated PLCs alone",
		Long: `Runs the simulated plant: two furnaces over OPC UA and a press over Modbus TCP,
with excursions, bad values and interruptions. Prints one JSON line with its
addresses, and writes at the end what a gateway had to find (--truth). A plant
file says itself whether there is a press.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.file != "" && !cmd.Flags().Changed("press") {
				s.press = ""
			}
			return s.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.file, "plant", "", "plant file; default: the built-in plant")
	f.DurationVar(&s.forTime, "for", 0, "how long to run; everything expected has returned 8 s before (default: until interrupted)")
	f.StringVar(&s.listen, "listen", "", "address of the OPC UA server (default: a free port of 127.0.0.1, or the plant file's)")
	f.StringVar(&s.press, "press", "press-1", `name of the press over Modbus TCP; "" for none`)
	f.StringVar(&s.listenModbus, "listen-modbus", "", "address of the Modbus server (default: a free port of 127.0.0.1, or the plant file's)")
	f.StringVar(&s.truth, "truth", "", "write what had to be found to this file at the end, as JSON")
	f.StringVar(&s.write, "write", "", "write the settings and the specifications that go with the plant to this directory")
	return cmd
}

func (s *simulated) run(cmd *cobra.Command) error {
	opt, err := s.options()
	if err != nil {
		var problems strictyaml.Problems
		if errors.As(err, &problems) {
			return refused(cmd, problems)
		}
		return err
	}
	p, err := plant.New(opt)
	if err != nil {
		return exit{exitFound, err}
	}
	defer p.Close()
	if err := s.announce(cmd, p); err != nil {
		return exit{exitFound, err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if s.forTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.forTime)
		defer cancel()
	}
	if err := p.Run(ctx); err != nil {
		return exit{exitFound, err}
	}
	if err := s.writeTruth(p); err != nil {
		return exit{exitFound, err}
	}
	return nil
}

// options joins the plant file and the command line, which wins.
func (s *simulated) options() (plant.Options, error) {
	if s.forTime < 0 {
		return plant.Options{}, fmt.Errorf("--for %v: want a positive time", s.forTime)
	}
	var opt plant.Options
	if s.file != "" {
		b, err := os.ReadFile(s.file)
		if err != nil {
			return opt, exit{exitFound, fmt.Errorf("read plant file: %w", err)}
		}
		if opt, err = plant.ParseFile(s.file, b); err != nil {
			return opt, err
		}
	}
	if s.listen != "" {
		opt.Listen = s.listen
	}
	if s.press != "" {
		opt.Press = s.press
	}
	if s.listenModbus != "" {
		opt.ListenModbus = s.listenModbus
	}
	if opt.Schedule == nil { // a schedule of one's own stands as it is written
		opt.For = s.forTime
	}
	return opt, nil
}

// announce says where the plant is and writes the files that go with it.
func (s *simulated) announce(cmd *cobra.Command, p *plant.Plant) error {
	if s.write != "" {
		if err := s.writeSite(p); err != nil {
			return err
		}
	}
	o := p.Options()
	for _, e := range p.Schedule(time.Minute) {
		if _, err := fmt.Fprintln(cmd.ErrOrStderr(), e.Describe(o.Step)); err != nil {
			return err
		}
	}
	equipment := o.Equipment
	if o.Press != "" {
		equipment = append(slices.Clone(equipment), o.Press)
	}
	line := struct {
		Endpoint  string   `json:"endpoint"`
		Modbus    string   `json:"modbus,omitempty"`
		Namespace string   `json:"namespace"`
		Equipment []string `json:"equipment"`
		Step      string   `json:"step"`
		Cycle     string   `json:"cycle"`
		Seed      uint64   `json:"seed"`
	}{p.Endpoint(), p.PressEndpoint(), plant.Namespace, equipment, o.Step.String(), o.Cycle.String(), o.Seed}
	return json.NewEncoder(cmd.OutOrStdout()).Encode(line)
}

// writeSite writes the settings and specifications that go with the plant.
func (s *simulated) writeSite(p *plant.Plant) error {
	files := map[string][]byte{
		"plant-settings.yaml": []byte(p.Settings("furnace-plc", 200*time.Millisecond)),
		plant.SpecID + "." + plant.SpecRevision + ".spec.yaml": p.Specification(),
	}
	if p.Options().Press != "" {
		files[plant.PressSpecID+"."+plant.PressSpecRevision+".spec.yaml"] = p.PressSpecification()
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(s.write, name), b, 0o644); err != nil {
			return fmt.Errorf("write what goes with the plant: %w", err)
		}
	}
	return nil
}

func (s *simulated) writeTruth(p *plant.Plant) error {
	if s.truth == "" {
		return nil
	}
	b, err := json.MarshalIndent(p.Truth(time.Time{}), "", "  ")
	if err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}
	if err := os.WriteFile(s.truth, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}
	return nil
}
