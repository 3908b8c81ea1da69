package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"andon/internal/spec"
)

func newSpecDiffCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff FILE1 FILE2 [--json]",
		Short: "Say field by field what the second specification says otherwise than the first",
		Long: `diff compares two documents as the gateway reads them, defaults filled in, and
prints every difference in words, in the order of the document. What a parameter or
rule says that only one of them has stands below its line. Comments, spaces, the
order of keys and a default that is written out are no differences; it says so when
nothing else differs. Signatures are not compared: andon spec verify is for them.

The exit code is 0 with and without differences, 1 when a file cannot be read, and
78 when one is not a valid specification. --json prints a list of {path, old, new,
words}; old or new is empty for what is not there.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, b, err := parseBoth(cmd, args)
			if err != nil {
				return err
			}
			changes := spec.Diff(a, b)
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetEscapeHTML(false)
				return e.Encode(changes)
			}
			return printDiff(cmd.OutOrStdout(), a, b, changes)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the differences as a JSON array")
	return cmd
}

// parseBoth reads two documents and reports what is wrong with either.
func parseBoth(cmd *cobra.Command, paths []string) (a, b *spec.Document, err error) {
	var docs [2]*spec.Document
	var reasons []string
	for i, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, exit{exitFound, fmt.Errorf("read specification: %w", err)}
		}
		if docs[i], err = spec.Parse(path, text); err != nil {
			reasons = append(reasons, err.Error())
		}
	}
	if len(reasons) > 0 {
		return nil, nil, refused(cmd, fmt.Errorf("%s", strings.Join(reasons, "\n")))
	}
	return docs[0], docs[1], nil
}

// printDiff prints for people: what is compared, the changes, how many.
func printDiff(out io.Writer, a, b *spec.Document, changes []spec.Change) error {
	var t strings.Builder
	fmt.Fprintf(&t, "from %s revision %s, sha256 %s\n  to %s revision %s, sha256 %s\n", a.ID, a.Revision, a.SHA256, b.ID, b.Revision, b.SHA256)
	if a.ID != b.ID {
		t.WriteString("These are two specifications, not two revisions of one.\n")
	}
	t.WriteString("\n")
	for _, c := range changes {
		fmt.Fprintln(&t, c.Words)
		if c.Old == "" || c.New == "" { // a parameter or rule as a whole, or a value that is in the words
			whole(&t, c.Old+c.New)
		}
	}
	switch {
	case a.SHA256 == b.SHA256:
		t.WriteString("They are the same, byte for byte.\n")
	case len(changes) == 0:
		t.WriteString("They say the same: only comments, spaces, the order of keys or defaults written out differ.\nThe bytes differ, so a signature on one is none on the other.\n")
	case len(changes) == 1:
		t.WriteString("\n1 difference\n")
	default:
		fmt.Fprintf(&t, "\n%d differences\n", len(changes))
	}
	_, err := io.WriteString(out, t.String())
	return err
}

// whole prints what takes more than one line indented.
func whole(t *strings.Builder, text string) {
	if !strings.Contains(text, "\n") {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(t, "    %s\n", line)
	}
}
