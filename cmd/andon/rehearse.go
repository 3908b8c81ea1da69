package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"andon/internal/journal"
	"andon/internal/rehearse"
	"andon/internal/sample"
	"andon/internal/spec/specdir"
	"andon/internal/strictyaml"
)

// rehearseFlags are the flags of rehearse, as they were written.
type rehearseFlags struct {
	spec, samples, approvers  string
	unsigned                  bool
	mapped, context           []string
	equipment, start, until   string
	data, against, from, till string
}

func newRehearseCommand() *cobra.Command {
	var f rehearseFlags
	cmd := &cobra.Command{
		Use:   "rehearse (--spec FILE --samples FILE.csv | --data DIR)",
		Short: "Judge a file of samples, or a recorded day again",
		Long: `rehearse --spec FILE --samples FILE.csv judges a table of samples exactly as the
daemon would have judged them, and prints quality events, alarm transitions and
results as JSON lines in the order in which they are known. The exit code is 0
also when something was found out of specification, 78 when the specification is
refused, and 1 when the samples cannot be read.

rehearse --data DIR judges the record of a stopped gateway, or a copy of one,
once more, and holds what follows against what was recorded, byte for byte;
--against EXPORT.jsonl holds it against what was exported too. The exit code is 1
when anything differs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.data == "" && f.against == "" {
				return f.run(cmd)
			}
			return f.again(cmd)
		},
	}
	f.define(cmd)
	return cmd
}

func (f *rehearseFlags) define(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&f.spec, "spec", "", "the specification; its approvals stand beside it")
	s.StringVar(&f.samples, "samples", "", "table of samples (CSV), - for standard input")
	s.StringVar(&f.approvers, "approvers", "", "list of people and policy (default: approvers.yaml beside the specification, or above)")
	s.BoolVar(&f.unsigned, "unsigned", false, "judge a draft, whoever has signed it")
	s.StringArrayVar(&f.mapped, "map", nil, "input=column: which column is an input of the specification")
	s.StringArrayVar(&f.context, "context", nil, "field=value: what is being made, from the first row on")
	s.StringVar(&f.equipment, "equipment", "", "name of the equipment")
	s.StringVar(&f.start, "start", "", "what seconds in the column t are counted from (default 2026-01-01T00:00:00Z)")
	s.StringVar(&f.until, "until", "", "the clock runs on until this instant, or for so long (10min) after the last sample")
	s.StringVar(&f.data, "data", "", "data directory of a stopped gateway, or a copy of its journal, to judge again")
	s.StringVar(&f.against, "against", "", "what it must come to: an export of the record")
	s.StringVar(&f.from, "from", "", "compare nothing that came before this instant (RFC 3339)")
	s.StringVar(&f.till, "to", "", "compare nothing that came after this instant (RFC 3339)")
	cmd.MarkFlagsRequiredTogether("spec", "samples")
	for _, other := range []string{"spec", "samples", "approvers", "unsigned", "map", "context", "start", "until"} {
		cmd.MarkFlagsMutuallyExclusive("data", other)
		cmd.MarkFlagsMutuallyExclusive("against", other)
	}
}

// run judges a table of samples.
func (f *rehearseFlags) run(cmd *cobra.Command) error {
	if f.spec == "" {
		return errors.New("want --spec and --samples, or --data")
	}
	o, err := f.options(cmd)
	if err != nil {
		return err
	}
	if err := f.documents(cmd, &o); err != nil {
		return err
	}
	in, closing := io.Reader(cmd.InOrStdin()), func() error { return nil }
	if f.samples != "-" {
		file, err := os.Open(f.samples)
		if err != nil {
			return exit{exitFound, fmt.Errorf("read samples: %w", err)}
		}
		in, closing = file, file.Close
	}
	o.Samples, o.SamplesFile = in, f.samples
	out := bufio.NewWriter(cmd.OutOrStdout())
	err = rehearse.Run(out, o)
	return rehearsed(cmd, errors.Join(err, out.Flush(), closing()))
}

// rehearsed gives an error its exit code and puts reasons on lines of their own.
func rehearsed(cmd *cobra.Command, err error) error {
	var no rehearse.Refused
	var wrong strictyaml.Problems
	var usage rehearse.Usage
	switch {
	case err == nil, errors.As(err, &usage):
		return err
	case errors.As(err, &no):
		return refused(cmd, no)
	case errors.As(err, &wrong):
		if _, err := fmt.Fprintln(cmd.ErrOrStderr(), wrong); err != nil {
			return err
		}
		return exit{exitFound, nil}
	}
	return exit{exitFound, err}
}

// options are the flags that need no file.
func (f *rehearseFlags) options(cmd *cobra.Command) (o rehearse.Options, err error) {
	o = rehearse.Options{Unsigned: f.unsigned, Equipment: f.equipment, Version: version, Note: func(s string) {
		cmd.PrintErrln("andon: note: " + s)
	}}
	if o.Map, err = assignments("map", "input=column", f.mapped); err != nil {
		return o, err
	}
	if o.Context, err = assignments("context", "field=value", f.context); err != nil {
		return o, err
	}
	if o.Start, err = instant("start", f.start); err != nil {
		return o, err
	}
	if f.start == "" {
		o.Start = rehearse.DefaultStart
	}
	o.Until, err = until(f.until, o.Start)
	return o, err
}

// assignments reads the name=value of a flag that may be given often.
func assignments(flag, form string, list []string) (map[string]string, error) {
	m := map[string]string{}
	for _, a := range list {
		name, value, ok := strings.Cut(a, "=")
		name = strings.TrimSpace(name)
		if _, again := m[name]; !ok || name == "" || again {
			return nil, fmt.Errorf("--%s %q: want %s, each name once", flag, a, form)
		}
		m[name] = strings.TrimSpace(value)
	}
	return m, nil
}

// until reads an instant as the samples' first column has it, or a duration as
// specifications have it.
func until(text string, start sample.Time) (u rehearse.Until, err error) {
	if text == "" {
		return u, nil
	}
	if u.At, err = rehearse.Instant(text, start); err == nil {
		return u, nil
	}
	y := strictyaml.Parse("--until", []byte("until: "+text+"\n"))
	u.For = y.Root().Need("until").Duration()
	if y.Err() != nil || u.For <= 0 {
		return u, fmt.Errorf("--until %q: want an instant like 2026-03-01T06:00:00Z, seconds after the start, or a duration like 10min", text)
	}
	return u, nil
}

// documents reads the specification and, unless a draft is judged, what says
// that it may judge.
func (f *rehearseFlags) documents(cmd *cobra.Command, o *rehearse.Options) error {
	p, err := specdir.Load(f.spec)
	if err != nil {
		return exit{exitFound, err}
	}
	o.Spec, o.Approvals = rehearse.File{Name: p.Path, Bytes: p.Document}, p.Approvals
	if f.unsigned {
		return nil
	}
	path := f.approvers
	if path == "" {
		if path = nearApprovers(f.spec); path == "" {
			return refused(cmd, fmt.Errorf("%s: there is no list of approvers beside it or above: give --approvers, or --unsigned to judge a draft", f.spec))
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return exit{exitFound, fmt.Errorf("read approvers: %w", err)}
	}
	o.Approvers = rehearse.File{Name: path, Bytes: b}
	return nil
}

// nearApprovers is the list of approvers where a plant keeps it: beside the
// specifications or in the directory above them; "" when there is none.
func nearApprovers(spec string) string {
	dir := filepath.Dir(spec)
	for _, d := range []string{dir, filepath.Join(dir, "..")} {
		path := filepath.Join(d, "approvers.yaml")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// again judges a record once more and compares.
func (f *rehearseFlags) again(cmd *cobra.Command) (err error) {
	o := rehearse.Comparison{Equipment: f.equipment}
	if o.From, err = instant("from", f.from); err != nil {
		return err
	}
	if o.To, err = instant("to", f.till); err != nil {
		return err
	}
	data := f.data
	if data == "" {
		data = f.against
	} else if f.against != "" {
		file, err := os.Open(f.against)
		if err != nil {
			return exit{exitFound, fmt.Errorf("read export: %w", err)}
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		o.Export, o.ExportFile = file, f.against
	}
	v, err := journal.OpenView(data)
	if errors.Is(err, journal.ErrForeign) && f.data == "" {
		err = fmt.Errorf("%s is no journal, and an export alone holds neither settings nor specifications: say with --data where the record is, or a copy of it", data)
	}
	if err != nil {
		return exit{exitFound, err}
	}
	r, err := rehearse.Again(v, o)
	if err = errors.Join(err, v.Close()); err != nil {
		return exit{exitFound, err}
	}
	return printComparison(cmd, r)
}

func printComparison(cmd *cobra.Command, r rehearse.Report) error {
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), r.JSON()); err != nil {
		return err
	}
	if r.Differences == 0 {
		return nil
	}
	return exit{exitFound, fmt.Errorf("judged again, it does not come out the same: %s", r.First)}
}
