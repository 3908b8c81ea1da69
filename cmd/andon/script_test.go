package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"andon": main})
}

// TestScript runs testdata/script/*.txtar. In them `andon` is this program's
// main itself, in a process of its own; `exits CODE andon …` wants that exact
// exit code; TESTDATA is the repository's testdata. What a script starts in the
// background it stops, or it ends by itself.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: false,
		RequireUniqueNames:  true,
		Setup:               setupScript,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "flip": flip},
	})
}

func setupScript(env *testscript.Env) error {
	dir, err := filepath.Abs("../../testdata")
	if err != nil {
		return err
	}
	env.Setenv("TESTDATA", dir)
	return nil
}

// exits runs a program and wants one exit code: exits 78 andon spec lint FILE.
// Its output is there for `stdout` and `stderr`.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// flip changes one bit of a file, in the first letter of the first place where
// TEXT stands: flip FILE TEXT.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE TEXT")
	}
	b := []byte(ts.ReadFile(args[0]))
	i := bytes.Index(b, []byte(args[1]))
	if i < 0 {
		ts.Fatalf("%s: no %q", args[0], args[1])
	}
	b[i] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}
