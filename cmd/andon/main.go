// Command andon is the shop-floor edge gateway: it reads critical process
// parameters from PLCs, judges them against controlled specifications, records
// everything and raises deviations to the quality management system.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// Exit codes (contract, section 2).
const (
	exitFound   = 1  // something wrong was found
	exitUsage   = 2  // the command line is wrong
	exitRefused = 78 // settings or specification refused
)

// exit is an error that decides the exit code. A nil err prints nothing: what
// was to be said has been said.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e exit) Unwrap() error { return e.err }

func main() { os.Exit(run(os.Args[1:])) }

// run executes one command line and returns the exit code.
func run(args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return 0
	}
	code := exitUsage
	var e exit
	if errors.As(err, &e) {
		code = e.code
		if e.err == nil {
			return code
		}
	}
	fmt.Fprintln(os.Stderr, "andon: "+err.Error())
	return code
}

// newRoot lists every verb. An error that is not an exit is a usage error.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "andon",
		Short:         "The quality conscience of a production line",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(
		newBrowseCommand(),
		newCheckCommand(),
		newDemoCommand(),
		newDoctorCommand(),
		newJournalCommand(),
		newKeyCommand(),
		newProbeCommand(),
		newOutboxCommand(),
		newReceiveCommand(),
		newRehearseCommand(),
		newReadCommand(),
		newRunCommand(),
		newSchemaCommand(),
		newSimulateCommand(),
		newSPCCommand(),
		newSpecCommand(),
		newUserCommand(),
		newVersionCommand(),
	)
	return root
}
