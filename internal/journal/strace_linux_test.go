package journal

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"andon/internal/peer"
)

// Every call by which the journal reaches the disk fails once, at each place in
// the life of a small journal from its creation on. Whatever the child then
// does, it may not acknowledge what is not there, nor commit anything twice,
// and the next one goes on.
func TestEveryCallFails(t *testing.T) {
	strace := peer.Command(t, "strace")
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil && os.Getenv("PEERS") != "required" {
		t.Skipf("strace may not trace here: %v: %s", err, out)
	}
	tests := []struct {
		call, err string
		most      int // more than the child makes
	}{
		{"fdatasync", "EIO", 40},
		{"fsync", "EIO", 20},
		{"pwrite64", "EIO", 150},
		{"pwrite64", "ENOSPC", 150},
		{"/^ftruncate", "ENOSPC", 10}, // ftruncate64 on 32 bits
		{"renameat", "EIO", 10},
	}
	for _, tt := range tests {
		t.Run(tt.call+" "+tt.err, func(t *testing.T) {
			t.Parallel()
			hit := 0
			for when := 1; ; when++ {
				if when > tt.most {
					t.Fatalf("still failing at call %d", when)
				}
				if !failOnce(t, strace, tt.call, tt.err, when) {
					break
				}
				hit++
			}
			t.Logf("%d calls", hit)
			if hit == 0 {
				t.Error("the call was never made")
			}
		})
	}
}

// failOnce lets the when-th call fail and looks at what is there afterwards. It
// reports whether there were so many calls.
func failOnce(t *testing.T, strace, call, errno string, when int) bool {
	t.Helper()
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	data := filepath.Join(dir, "data")
	cmd := exec.Command(strace, "-f", "-qq", "-o", trace, "-e", "trace="+call,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", call, errno, when), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+data, childEnv+"_COMMITS=few")
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	err := cmd.Run()
	t.Logf("%s %d: %v: %s", call, when, err, bytes.TrimSpace(talk.Bytes()))
	if _, traced := os.Stat(trace); traced != nil {
		t.Fatalf("strace: %v: %s", err, talk.String())
	}
	var acknowledged uint64
	if lines := strings.Fields(out.String()); len(lines) > 0 {
		acknowledged = mustNumber(t, lines[len(lines)-1])
	}
	mustContinue(t, data, acknowledged)
	return strings.Contains(string(readAll(t, trace)), "(INJECTED)")
}
