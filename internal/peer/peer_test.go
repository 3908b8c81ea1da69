package peer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"andon/internal/peer"
)

// fake is a test as the package under test sees it: it notes how it ended.
type fake struct {
	testing.TB
	end string
}

func (f *fake) Name() string { return "TestFake" }
func (f *fake) Helper()      {}

func (f *fake) Skipf(format string, args ...any) {
	f.end = "skip: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (f *fake) Fatalf(format string, args ...any) {
	f.end = "fail: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// try runs need as a test would and says how that test ended; "" is: it ran on.
func try(t *testing.T, need func(testing.TB)) string {
	f := &fake{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		need(f)
	}()
	<-done
	return f.end
}

func TestAbsent(t *testing.T) {
	const absent = "no-such-program-anywhere"
	need := func(t testing.TB) { peer.Command(t, absent) }
	list := filepath.Join(t.TempDir(), "missing")
	t.Setenv("PEERS_MISSING", list)

	t.Setenv("PEERS", "")
	if got, want := try(t, need), "skip: the peer "+absent+": it is not installed; `make peers` installs it"; got != want {
		t.Errorf("not required: got %q, want %q", got, want)
	}
	t.Setenv("PEERS", "required")
	if got, want := try(t, need), "fail: the peer "+absent+" is required and it is not installed: run `make peers`"; got != want {
		t.Errorf("required: got %q, want %q", got, want)
	}
	b, err := os.ReadFile(list)
	if want := absent + ": TestFake\n" + absent + ": TestFake\n"; err != nil || string(b) != want {
		t.Errorf("list: got %q, %v, want %q", b, err, want)
	}
}

func TestPresent(t *testing.T) {
	t.Setenv("PEERS", "required")
	var got string
	if end := try(t, func(t testing.TB) { got = peer.Command(t, "go") }); end != "" || !filepath.IsAbs(got) {
		t.Errorf("go: got %q, test ended with %q", got, end)
	}
}

func TestRoot(t *testing.T) {
	if _, err := os.Stat(filepath.Join(peer.Root(t), "internal", "peer", "peer.go")); err != nil {
		t.Error(err)
	}
}
