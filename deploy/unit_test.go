package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"andon/internal/peer"
)

const unitFile = "../systemd/andon.service"

// unitDir is a directory with the unit, its program being one that is here, and
// with drop-ins.
func unitDir(t *testing.T, dropIns ...string) (unit string) {
	t.Helper()
	dir := t.TempDir()
	text := strings.Replace(read(t, unitFile), "/usr/bin/andon", "/bin/true", 1)
	unit = filepath.Join(dir, "andon.service")
	write(t, unit, text)
	for _, d := range dropIns {
		if err := os.MkdirAll(unit+".d", 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(unit+".d", filepath.Base(d)), read(t, d))
	}
	return unit
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestUnitVerifies: systemd takes every line of the unit, alone and with each
// drop-in.
func TestUnitVerifies(t *testing.T) {
	analyze := peer.Command(t, "systemd-analyze")
	dropIns, err := filepath.Glob("../systemd/examples/*.conf")
	if err != nil || len(dropIns) != 3 {
		t.Fatalf("drop-ins %q, %v", dropIns, err)
	}
	for _, with := range append([]string{""}, dropIns...) {
		unit := unitDir(t)
		if with != "" {
			unit = unitDir(t, with)
		}
		out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput()
		if err != nil || strings.Contains(string(out), "andon.service") {
			t.Errorf("with %q: %v\n%s", with, err, out)
		}
	}
}

// TestUnitExposure: what is left to an attacker within the service is at most
// 1.5 of 10, which needs every line of the hardening.
func TestUnitExposure(t *testing.T) {
	analyze := peer.Command(t, "systemd-analyze")
	exposure := func(file string) error {
		out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=15", file).CombinedOutput()
		if err != nil && !strings.Contains(string(out), "exposure level") {
			t.Fatalf("%v\n%s", err, out)
		}
		return err
	}
	if err := exposure(unitDir(t)); err != nil {
		t.Errorf("exposure is above 1.5: %v", err)
	}
	weak := unitDir(t)
	write(t, weak, strings.Replace(read(t, weak), "ProtectSystem=strict\n", "", 1))
	if exposure(weak) == nil {
		t.Error("without ProtectSystem it is taken too: the threshold holds nothing")
	}
}

// TestUnitTraps holds what was found by running the unit, and what no tool
// checks.
func TestUnitTraps(t *testing.T) {
	var lines []string
	for line := range strings.Lines(read(t, unitFile)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	for _, want := range []string{"Type=notify", "NotifyAccess=main", "StateDirectory=andon", "RuntimeDirectory=andon", "User=andon",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK", "RestartPreventExitStatus=2 78"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %s", want)
		}
	}
	var filters []string
	for _, line := range lines {
		if v, ok := strings.CutPrefix(line, "SystemCallFilter="); ok {
			filters = append(filters, v)
		}
		for _, never := range []string{"ProtectClock=", "ProcSubset=", "LoadCredential=", "DynamicUser="} {
			if strings.HasPrefix(line, never) {
				t.Errorf("%s is there; the comments say why not", line)
			}
		}
	}
	if want := []string{"@system-service", "~@privileged @resources", "adjtimex"}; !slices.Equal(filters, want) {
		t.Errorf("filters %q, want %q in this order: the last line gives back what the one before takes", filters, want)
	}
}
