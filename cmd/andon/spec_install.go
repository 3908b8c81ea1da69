package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"andon/internal/config"
	"andon/internal/engine"
	"andon/internal/gateway"
	"andon/internal/record"
	"andon/internal/spec"
	"andon/internal/spec/specdir"
	"andon/internal/strictyaml"
)

func newSpecInstallCommand() *cobra.Command {
	var settings string
	cmd := &cobra.Command{
		Use:   "install --config FILE SPECIFICATION",
		Short: "Put an approved specification in force on this gateway",
		Long: `install hands a specification with the approvals beside it to the running
gateway, and puts it into the directory that is read at each start. The next
revision of the list of approvers is installed in the same way.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return install(cmd, settings, args[0]) },
	}
	cmd.Flags().StringVar(&settings, "config", "", "settings of the gateway (gateway.yaml)")
	required(cmd, "config")
	return cmd
}

// install checks a specification in every respect and only then touches the
// gateway's directory.
func install(cmd *cobra.Command, settings, path string) error {
	c, err := config.Load(settings)
	var problems strictyaml.Problems
	if errors.As(err, &problems) {
		return refused(cmd, problems)
	}
	if err != nil {
		return exit{exitFound, err}
	}
	if isPolicy(path) {
		return installPolicy(cmd, c, path)
	}
	a, err := accept(cmd, c.Specs.Approvers, path)
	if err != nil {
		return err
	}
	if err := a.doc.Check(specFacts(c)); err != nil {
		return refused(cmd, err)
	}
	installed, err := readRegister(cmd.ErrOrStderr(), a.policy, c.Specs.Dir)
	if err != nil {
		return exit{exitFound, err}
	}
	_, _, err = installed.Install(spec.Installed{Document: a.pair.Document, Approvals: a.pair.Approvals})
	if err != nil && !errors.Is(err, spec.ErrInstalled) {
		return refused(cmd, err)
	}
	at, err := installSpecification(cmd, c, a)
	var refusal gateway.Refusal
	if errors.As(err, &refusal) {
		return exit{exitRefused, err}
	}
	if err != nil {
		return exit{exitFound, err}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s revision %s installed as %s, effective %s\n", a.doc.ID, a.doc.Revision, at, a.doc.Effective)
	return err
}

// installSpecification hands an accepted specification to the running gateway,
// puts it into the directory that is read at each start, and says where it is.
// What the running one refuses is not put there.
func installSpecification(cmd *cobra.Command, c *config.Config, a accepted) (at string, err error) {
	err = gateway.Offer(cmd.Context(), c.Data.Dir, a.pair.Document, a.pair.Approvals, io.Discard)
	if errors.Is(err, gateway.ErrNotRunning) {
		_, err = fmt.Fprintln(cmd.ErrOrStderr(), "no gateway is running: it will be read at the next start")
	}
	if err != nil {
		return "", err
	}
	return specdir.Store(c.Specs.Dir, a.doc, a.pair)
}

// readRegister is what the daemon would install from a directory. It says what
// it would refuse there, which is no reason to refuse another specification.
func readRegister(talk io.Writer, policy *spec.Policy, dir string) (spec.Register, error) {
	pairs, err := specdir.Read(dir)
	if err != nil {
		return spec.Register{}, err
	}
	var r spec.Register
	for _, p := range pairs {
		_, _, err := spec.Verify(policy, p.Document, p.Approvals)
		if err == nil {
			r, _, err = r.Install(spec.Installed{Document: p.Document, Approvals: p.Approvals})
		}
		if err == nil {
			continue
		}
		if _, err := fmt.Fprintf(talk, "andon: %s in the directory does not count:\n%v\n", p.Path, err); err != nil {
			return r, err
		}
	}
	return r, nil
}

// specFacts are what the settings say that a specification could contradict, as
// the daemon will see it.
func specFacts(c *config.Config) spec.Facts {
	w := gateway.Wiring(c, &record.Wiring{})
	return engine.SpecFacts(&w)
}
