package systemtest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// program is the path of the built andon: set once by TestMain, before any test.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

// build builds the program into a directory that other users can read, runs the
// tests and removes it.
func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "andon-system-")
	if err == nil {
		defer func() {
			if err := os.RemoveAll(dir); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}()
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a directory for the program:", err)
		return 1
	}
	program = filepath.Join(dir, "andon")
	args := []string{"build", "-trimpath", "-o", program}
	if withRace {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "andon/cmd/andon")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	// They wait for processes and clocks most of the time: more of them at a time
	// than there are cores.
	if err := flag.Set("test.parallel", "4"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// process is a program that runs until the test ends it, at the latest at the
// test's own end.
type process struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended; err is set before that
	err   error

	stdout, stderr talk
}

// talk is what a program has written.
type talk struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *talk) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

func (w *talk) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// andon starts the program.
func andon(t *testing.T, args ...string) *process {
	t.Helper()
	return start(t, command(args...))
}

// command is one command line of the program.
func command(args ...string) *exec.Cmd { return exec.Command(program, args...) }

// start starts any program; its standard input is not touched.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: filepath.Base(cmd.Path) + " " + strings.Join(cmd.Args[1:], " "), cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.stdout, &p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		if p.running() {
			p.kill()
		}
		if t.Failed() && p.stderr.String() != "" {
			t.Logf("%s said:\n%s", p.name, tail(p.stderr.String()))
		}
	})
	return p
}

// tail is the end of a text.
func tail(text string) string { return text[max(0, len(text)-4000):] }

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill is kill -9; it returns when the process is gone.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("kill %s: %v", p.name, err)
	}
	<-p.ended
}

// stop asks the program to end, and wants exit code 0.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("stop %s: %v", p.name, err)
	}
	p.exits(0)
}

// exits waits for the program's end and wants an exit code.
func (p *process) exits(want int) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%s: has not ended", p.name)
	}
	var e *exec.ExitError
	if p.err != nil && !errors.As(p.err, &e) {
		p.t.Fatalf("%s: %v", p.name, p.err)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		p.t.Fatalf("%s: exit code %d, want %d; it said:\n%s", p.name, got, want, tail(p.stderr.String()))
	}
}

// says waits until the program has said all of what, in any order.
func (p *process) says(what ...string) {
	p.t.Helper()
	for _, w := range what {
		poll(p.t, p.name+": saying "+w, func() bool {
			if strings.Contains(p.stderr.String(), w) {
				return true
			}
			if !p.running() && !strings.Contains(p.stderr.String(), w) {
				p.t.Fatalf("%s ended (%v) without saying %q:\n%s", p.name, p.err, w, tail(p.stderr.String()))
			}
			return false
		})
	}
}

// output runs the program to its end, wants an exit code and returns what it
// wrote to stdout and stderr.
func output(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	p := andon(t, args...)
	p.exits(code)
	return p.stdout.String(), p.stderr.String()
}

// poll waits until a condition holds.
func poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}
