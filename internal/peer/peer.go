// Package peer finds the real programs that tests talk to: a broker, an OPC UA
// server, a browser. It is for tests only.
//
// A test that needs one calls Command, NodeOPCUA or Pymodbus first. Where the peer is
// absent the test is skipped, and its need is noted in the file named by
// PEERS_MISSING, so that `make test` ends with a list of what was not tried.
// With PEERS=required, as in .ci/run, an absent peer fails the test.
package peer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Command returns the path of an installed program. One that `make peers` put
// into .peers comes first, since what the system has was then too old; programs
// that packages put outside an ordinary user's PATH are found too.
func Command(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(filepath.Join(Root(t), ".peers", "bin", name)); err == nil {
		return path
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	missing(t, name, "it is not installed")
	return ""
}

// NodeOPCUA returns the directory with our node-opcua server, its modules
// installed; Command(t, "node") runs it.
func NodeOPCUA(t testing.TB) string {
	t.Helper()
	Command(t, "node")
	dir := filepath.Join(Root(t), "testdata", "peers", "node-opcua")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "node-opcua")); err != nil {
		missing(t, "node-opcua", "its modules are not in testdata/peers/node-opcua/node_modules")
	}
	return dir
}

// Pymodbus returns the Python that has pymodbus, and our Modbus server for it.
func Pymodbus(t testing.TB) (python, script string) {
	t.Helper()
	// Debian's own: another Python on the PATH does not have what apt installs.
	python = "/usr/bin/python3"
	if err := exec.CommandContext(t.Context(), python, "-c", "import pymodbus.server").Run(); err != nil {
		missing(t, "pymodbus", "Debian's Python does not have it")
	}
	return python, filepath.Join(Root(t), "testdata", "peers", "modbus", "server.py")
}

// Root is the directory of go.mod, above the test's own.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the repository: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("find the repository: no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// missing skips the test and notes why, or fails it when peers are required.
func missing(t testing.TB, name, why string) {
	t.Helper()
	if err := note(os.Getenv("PEERS_MISSING"), t.Name(), name); err != nil {
		t.Errorf("note the missing peer %s: %v", name, err)
	}
	if os.Getenv("PEERS") == "required" {
		t.Fatalf("the peer %s is required and %s: run `make peers`", name, why)
	}
	t.Skipf("the peer %s: %s; `make peers` installs it", name, why)
}

// note appends one line to the list; tests of several packages share it.
func note(file, test, name string) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f, "%s: %s\n", name, test); err != nil {
		_ = f.Close() // the write's error says more
		return err
	}
	return f.Close()
}
