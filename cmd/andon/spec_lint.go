package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"andon/internal/spec"
	"andon/internal/strictyaml"
)

func newSpecLintCommand() *cobra.Command {
	var settings string
	cmd := &cobra.Command{
		Use:   "lint [--config FILE] FILE...",
		Short: "Find every mistake in specifications",
		Long: `lint reports all mistakes of all files at once, each with its place, its cause and
its cure: what cannot be read, what contradicts itself, rules that can never fire,
and, of several files, what does not go together: two documents under one revision,
two revisions from one instant, one parameter in two specifications at one time.
With --config it looks too whether they fit the equipment of that gateway: tags,
units, phases, and what a good value of a tag can be.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			facts, err := lintFacts(cmd, settings)
			if err != nil {
				return err
			}
			return lint(cmd, facts, args)
		},
	}
	cmd.Flags().StringVar(&settings, "config", "", "settings of the gateway on which they are to judge (gateway.yaml)")
	return cmd
}

// lintFacts are what the settings say of the equipment; nil without settings.
func lintFacts(cmd *cobra.Command, settings string) (*spec.Facts, error) {
	if settings == "" {
		return nil, nil
	}
	c, err := loadConfig(cmd, settings)
	if err != nil {
		return nil, err
	}
	f := specFacts(c)
	return &f, nil
}

// lint reads all files before it says anything: some mistakes are between them.
func lint(cmd *cobra.Command, facts *spec.Facts, paths []string) error {
	var docs []*spec.Document
	var all error
	clean := map[*spec.Document]string{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return exit{exitFound, fmt.Errorf("read specification: %w", err)}
		}
		d, err := spec.Parse(path, b)
		if err != nil {
			all = errors.Join(all, err)
			continue
		}
		docs = append(docs, d)
		if err := lintOne(d, facts); err != nil {
			all = errors.Join(all, err)
			continue
		}
		clean[d] = path
	}
	together := spec.LintTogether(docs, facts)
	for _, d := range docs {
		if path, ok := clean[d]; ok && !about(together, path) {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s revision %s: no mistakes found\n", path, d.ID, d.Revision); err != nil {
				return err
			}
		}
	}
	if all = errors.Join(all, together); all != nil {
		return refused(cmd, all)
	}
	return nil
}

// lintOne is what is wrong with one document, for itself and where it is to
// judge.
func lintOne(d *spec.Document, facts *spec.Facts) error {
	err := d.Lint()
	if facts != nil {
		err = errors.Join(err, d.Check(*facts), d.LintOn(*facts))
	}
	return err
}

// about says whether a problem is in a file.
func about(err error, path string) bool {
	var problems strictyaml.Problems
	if !errors.As(err, &problems) {
		return false
	}
	for _, p := range problems {
		if p.File == path {
			return true
		}
	}
	return false
}
