package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/config"
	"andon/internal/sample"
	"andon/internal/spec"
	"andon/internal/spec/specdir"
	"andon/internal/strictyaml"
)

func newCheckCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check --config FILE [--json]",
		Short: "Find every mistake in settings and specifications, and explain them",
		Long: `check reads settings, approvers and specifications as the daemon does, and
reaches neither PLC nor broker. Every mistake is reported at once with its
place, its cause and its cure. Then it says in words what would be read, judged
and sent. The exit code is 78 when anything is wrong, and 0 with warnings only.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return check(cmd, file, asJSON)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "the settings (gateway.yaml)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the problems as a JSON array on stdout")
	required(cmd, "config")
	return cmd
}

// check explains on stdout and complains on stderr; with asJSON it only
// complains, on stdout.
func check(cmd *cobra.Command, file string, asJSON bool) error {
	c := checkAll(file, sample.At(time.Now()))
	if asJSON {
		if err := c.printJSON(cmd); err != nil {
			return err
		}
	} else if err := c.print(cmd); err != nil {
		return err
	}
	if len(c.errors) > 0 {
		return exit{exitRefused, nil}
	}
	return nil
}

// checked is what was read and all that is wrong with it.
type checked struct {
	file     string
	now      sample.Time
	config   *config.Config   // nil when the settings are wrong
	policy   *spec.Policy     // nil when there is none, or it is wrong
	register spec.Register    // the specifications that the daemon would accept
	refused  []*spec.Document // those it would not, though the document itself is right
	found    int              // specifications found, right or wrong

	errors, warnings strictyaml.Problems
}

// checkAll reads everything. Specifications are checked also where the settings
// are wrong, so that one run tells it all.
func checkAll(file string, now sample.Time) *checked {
	c := &checked{file: file, now: now}
	cfg, err := config.Load(file)
	c.config = cfg
	c.fail(file, err)
	var specs config.Specs
	if cfg != nil {
		c.warnings = append(c.warnings, cfg.Warnings...)
		specs = cfg.Specs
	} else {
		var ok bool
		if specs, ok = config.LoadSpecs(file); !ok {
			return c
		}
	}
	pairs := c.findSpecs(specs.Dir)
	c.readPolicy(specs.Approvers, len(pairs) > 0)
	for _, p := range pairs {
		c.readSpec(p)
	}
	c.checkFit()
	return c
}

// fail records an error at a file: its problems, or itself as one.
func (c *checked) fail(file string, err error) {
	var ps strictyaml.Problems
	switch {
	case err == nil:
	case errors.As(err, &ps):
		c.errors = append(c.errors, ps...)
	default:
		c.errors = append(c.errors, strictyaml.Problem{File: file, Message: err.Error()})
	}
}

func (c *checked) warn(file, message, hint string) {
	c.warnings = append(c.warnings, strictyaml.Problem{File: file, Message: message, Hint: hint})
}

// readPolicy reads the list of approvers. It may be absent as long as there is
// nothing to approve.
func (c *checked) readPolicy(path string, needed bool) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p := strictyaml.Problem{File: path, Message: "there is no list of approvers: no specification is accepted", Hint: "list in it who may sign, with their public keys (andon key show)"}
		if needed {
			c.errors = append(c.errors, p)
		} else {
			c.warnings = append(c.warnings, p)
		}
	case err != nil:
		c.fail(path, fmt.Errorf("read approvers: %w", err))
	default:
		c.policy, err = spec.ParsePolicy(path, b)
		c.fail(path, err)
	}
}

// findSpecs reads the files in the order in which the daemon would install
// them.
func (c *checked) findSpecs(dir string) []specdir.Pair {
	pairs, err := specdir.Read(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(pairs) == 0:
		c.warn(dir, "there is no such directory: without a specification every parameter is unknown", "make it, and install specifications with andon spec install")
	case err != nil:
		c.fail(dir, err)
	case len(pairs) == 0:
		c.warn(dir, "there is no specification: every parameter is unknown", "install one with andon spec install")
	}
	c.found = len(pairs)
	return pairs
}

// readSpec checks one document, its name and its approvals, and installs it
// when the daemon would.
func (c *checked) readSpec(p specdir.Pair) {
	d, err := spec.Parse(p.Path, p.Document)
	if err != nil {
		c.fail(p.Path, err)
		return
	}
	before := len(c.errors)
	if want := d.ID + "." + d.Revision + ".spec.yaml"; filepath.Base(p.Path) != want {
		c.errors = append(c.errors, strictyaml.Problem{File: p.Path, Message: fmt.Sprintf("it holds %s revision %s", d.ID, d.Revision), Hint: "name the file " + want})
	}
	c.accept(d, p)
	if c.policy == nil || len(c.errors) > before {
		c.refused = append(c.refused, d)
		return
	}
	r, _, err := c.register.Install(spec.Installed{Document: p.Document, Approvals: p.Approvals})
	if err != nil {
		c.fail(p.Path, err)
		return
	}
	c.register = r
	if d.Effective.Expired(c.now) {
		c.warn(p.Path, fmt.Sprintf("it ended at %s: it judges nothing", d.Effective.To), "")
	}
}

// accept records why the approvals do not let a document judge.
func (c *checked) accept(d *spec.Document, p specdir.Pair) {
	if c.policy == nil {
		return
	}
	file := specdir.Approvals(p.Path)
	_, err := c.policy.Accept(d, p.Approvals)
	var refused spec.Refusals
	if !errors.As(err, &refused) {
		c.fail(file, err)
		return
	}
	for _, r := range refused {
		problem := strictyaml.Problem{File: file, Message: r.Reason, Hint: r.Hint}
		if r.Note > 0 {
			problem.Path = fmt.Sprintf("note %d (%s)", r.Note, r.Who)
		}
		c.errors = append(c.errors, problem)
	}
}

// checkFit compares the revisions that judge, now or later, with the settings,
// and those that would if they were approved. Those that are over are history
// and need not fit any more.
func (c *checked) checkFit() {
	if c.config == nil {
		return
	}
	facts := specFacts(c.config)
	for _, d := range append(c.judging(), c.refused...) {
		if !d.Effective.Expired(c.now) {
			c.fail(c.file, d.Check(facts))
		}
	}
}

// judging are the revisions in force and those that will be.
func (c *checked) judging() []*spec.Document {
	list := c.register.Current(c.now)
	for _, in := range c.register.All() {
		if d := in.Doc(); d.Effective.From > c.now {
			list = append(list, d)
		}
	}
	return list
}

// jsonProblem is a problem as --json prints it; severity tells the warnings,
// which do not decide the exit code.
type jsonProblem struct {
	strictyaml.Problem
	Severity string `json:"severity"`
}

func (c *checked) printJSON(cmd *cobra.Command) error {
	list := []jsonProblem{}
	for _, p := range c.errors.Sorted() {
		list = append(list, jsonProblem{p, "error"})
	}
	for _, p := range c.warnings.Sorted() {
		list = append(list, jsonProblem{p, "warning"})
	}
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(list)
}

func (c *checked) print(cmd *cobra.Command) error {
	var talk strings.Builder
	for _, p := range c.warnings.Sorted() {
		fmt.Fprintf(&talk, "warning: %s\n", p)
	}
	for _, p := range c.errors.Sorted() {
		fmt.Fprintf(&talk, "%s\n", p)
	}
	if _, err := fmt.Fprint(cmd.ErrOrStderr(), talk.String()); err != nil {
		return err
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), c.explain())
	return err
}
