package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"andon/internal/clock"
	"andon/internal/config"
	"andon/internal/gateway"
	"andon/internal/journal"
)

func TestClock(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    clock.State
		ok   bool
		want string
	}{
		{"right", clock.State{Source: "kernel", Synced: true, Offset: time.Millisecond}, true, "synchronised"},
		{"not synchronised", clock.State{Source: "kernel"}, false, "nothing keeps it right"},
		{"nobody can say", clock.State{Source: "none"}, false, "nobody can say"},
		{"far off", clock.State{Source: "kernel", Synced: true, Offset: -time.Second}, false, "-1s wrong"},
	} {
		f := judgeClock(tt.s)
		if f.OK != tt.ok || !strings.Contains(f.Found, tt.want) {
			t.Errorf("%s: %+v", tt.name, f)
		}
		hasCure(t, f)
	}
}

// hasCure wants every failure to say why and what to do.
func hasCure(t *testing.T, list ...Finding) {
	t.Helper()
	for _, f := range list {
		if f.Check == "" || f.Subject == "" || f.Found == "" || !f.OK && (f.Why == "" || f.Do == "") {
			t.Errorf("not a whole finding: %+v", f)
		}
	}
}

func TestDisk(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, dir, want string }{
		{"absent", filepath.Join(dir, "absent"), "is not there"},
		{"a file", file, "is not a directory"},
		{"through a file", filepath.Join(file, "x"), "cannot be seen"},
	} {
		list := disk(&config.Config{Data: config.Data{Dir: tt.dir}})
		if len(list) != 1 || list[0].OK || list[0].Found != tt.want {
			t.Errorf("%s: %+v", tt.name, list)
		}
		hasCure(t, list...)
	}
	list := disk(&config.Config{Data: config.Data{Dir: dir, Quota: 1 << 62}})
	hasCure(t, list...)
	if last := list[len(list)-1]; len(list) == 2 && last.OK {
		t.Errorf("a quota beyond any disk: %+v", last)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("it left %v behind, %v", left, err)
	}
}

// TestSpaceCountsTheJournal: what the journal has already need not be free.
func TestSpaceCountsTheJournal(t *testing.T) {
	dir := t.TempDir()
	free, kind, ok := statfs(dir)
	if !ok || kind != "" {
		t.Skipf("not a disk: %q", kind)
	}
	f, err := os.Create(filepath.Join(dir, journal.File))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(1<<40), f.Close()); err != nil { // sparse
		t.Fatal(err)
	}
	if got, _ := space(dir, 1<<40+free/2); !got.OK {
		t.Errorf("%+v", got)
	}
}

func TestSecretsAndCertificates(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	write := func(name string, b []byte, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, b, mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		name string
		f    Finding
		ok   bool
	}{
		{"private", secret("x", write("a", nil, 0o640)), true},
		{"open", secret("x", write("b", nil, 0o644)), false},
		{"absent", secret("x", filepath.Join(dir, "absent")), false},
		{"good", certificate("x", write("c", newCertificate(t, now, 365*24*time.Hour), 0o644), now), true},
		{"ends soon", certificate("x", write("d", newCertificate(t, now, 20*24*time.Hour), 0o644), now), false},
		{"expired", certificate("x", write("e", newCertificate(t, now, -time.Hour), 0o644), now), false},
		{"not yet", certificate("x", write("f", newCertificate(t, now, 365*24*time.Hour), 0o644), now.Add(-48*time.Hour)), false},
		{"none", certificate("x", write("g", []byte("x"), 0o644), now), false},
		{"no file", certificate("x", filepath.Join(dir, "absent"), now), false},
	} {
		if tt.f.OK != tt.ok {
			t.Errorf("%s: %+v", tt.name, tt.f)
		}
		hasCure(t, tt.f)
	}
}

func newCertificate(t *testing.T, now time.Time, left time.Duration) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(left)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestReadings: one finding says that all is well, else one a bad tag.
func TestReadings(t *testing.T) {
	good, bad := gateway.TagReading{Tag: "furn-03/tc1", Quality: "good"}, gateway.TagReading{Tag: "furn-03/tc2", Quality: "bad BadNodeIdUnknown", Bad: true}
	if list := readings("plc", []gateway.TagReading{good}); len(list) != 1 || !list[0].OK || list[0].Found != "1 tag read, none bad" {
		t.Errorf("%+v", list)
	}
	list := readings("plc", []gateway.TagReading{good, bad, bad})
	hasCure(t, list...)
	if len(list) != 2 || list[0].OK || !strings.Contains(list[0].Why, "BadNodeIdUnknown") {
		t.Errorf("%+v", list)
	}
}

// TestCures: the errors that happen in plants have a cure of their own.
func TestCures(t *testing.T) {
	general := cure(errors.New("something new"))
	for _, err := range []error{
		&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)},
		&net.DNSError{Err: "no such host", Name: "plc"},
		x509.UnknownAuthorityError{},
		x509.HostnameError{Certificate: &x509.Certificate{}, Host: "plc"},
		x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired},
		os.ErrPermission,
		context.DeadlineExceeded,
	} {
		if cure(err) == general {
			t.Errorf("%v has no cure of its own", err)
		}
	}
}

// TestExamineTellsAll: what cannot be told any more ends nothing silently.
func TestExamineTellsAll(t *testing.T) {
	c := &config.Config{Data: config.Data{Dir: t.TempDir(), Quota: 1 << 20}}
	told := 0
	if _, err := Examine(t.Context(), c, func(f Finding) error { told++; hasCure(t, f); return nil }); err != nil || told < 2 {
		t.Errorf("told %d findings, %v", told, err)
	}
	broken := errors.New("broken pipe")
	if _, err := Examine(t.Context(), c, func(Finding) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("the reader has gone: %v", err)
	}
}
