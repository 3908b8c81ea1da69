//go:build unix

package people

import (
	"os"
	"syscall"
	"testing"
)

// TestOwner: what root's commands write stays the gateway's.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can write for somebody else")
	}
	dir := t.TempDir()
	const uid, gid = 12345, 23456
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	s := openCheap(t, dir)
	for range 2 { // a new file, and one that is replaced
		add(t, s, New{"u" + newID()[:8], "Somebody", Viewer, annPIN})
		info, err := os.Stat(s.disk.path())
		if err != nil {
			t.Fatal(err)
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != uid || st.Gid != gid || info.Mode() != 0o600 {
			t.Errorf("owner %d:%d, mode %v, want %d:%d and 0600", st.Uid, st.Gid, info.Mode(), uid, gid)
		}
	}
}
