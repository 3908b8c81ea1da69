package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// disk lets a test put another device under the journal's open file: what bbolt
// writes then goes there, and fails as that device does.
type disk struct {
	t    *testing.T
	f    *os.File
	keep int // the real file
}

// open stands in for os.OpenFile.
func (d *disk) open(name string, flag int, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(name, flag, mode)
	d.f = f
	return f, err
}

func (d *disk) become(device string, flag int) {
	d.t.Helper()
	fd, err := unix.Open(device, flag|unix.O_CLOEXEC, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	if d.keep, err = unix.Dup(int(d.f.Fd())); err != nil {
		d.t.Fatal(err)
	}
	if err := errors.Join(unix.Dup3(fd, int(d.f.Fd()), unix.O_CLOEXEC), unix.Close(fd)); err != nil {
		d.t.Fatal(err)
	}
}

// mend puts the real file back.
func (d *disk) mend() {
	d.t.Helper()
	if err := errors.Join(unix.Dup3(d.keep, int(d.f.Fd()), unix.O_CLOEXEC), unix.Close(d.keep)); err != nil {
		d.t.Fatal(err)
	}
}

// lose gives the real file up, and with it bbolt's lock on it.
func (d *disk) lose() {
	d.t.Helper()
	if err := unix.Close(d.keep); err != nil {
		d.t.Fatal(err)
	}
}

// roomy is a journal with free pages, so that the next commit need not make the
// file longer.
func roomy(t *testing.T, o Options) *Journal {
	t.Helper()
	j := mustOpen(t, t.TempDir(), o)
	for _, size := range []int{200000, 200000, 10, 10, 10} {
		g := group(j.Head(), 2, 2, []Entry{quality(uint64(j.Head().Size) + 1)}, nil)
		g.Snapshot = make([]byte, size)
		mustCommit(t, j, g)
	}
	return j
}

//andon:req Q22
func TestDiskFull(t *testing.T) {
	d := &disk{t: t}
	o := options()
	o.openFile = d.open
	j := roomy(t, o)
	before, err := contentOf(&j.View)
	if err != nil {
		t.Fatal(err)
	}
	g := group(j.Head(), 3, 3, []Entry{quality(6)}, []Retired{{"quality", 1, 2}})
	d.become("/dev/full", unix.O_RDWR)
	for range 3 {
		if _, err := j.Commit(g); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "make room on the disk") {
			t.Fatalf("on a full disk: %v, want ErrFull", err)
		}
	}
	if after, err := contentOf(&j.View); err != nil || after != before {
		t.Errorf("after a full disk: %v\n%s\nwant\n%s", err, after, before)
	}
	d.mend()
	mustCommit(t, j, g) // without reopening
	if entries, err := j.Entries("quality", 0, 10); err != nil || len(entries) != 4 || entries[0].Seq != 3 {
		t.Errorf("outbox after the disk was mended: %v, %v", entries, err)
	}
}

func TestWriteAndFlushFail(t *testing.T) {
	tests := []struct {
		name   string
		device string
		flag   int
	}{
		{"writing is refused", "", unix.O_RDONLY},
		{"what is written is swallowed and the flush fails", os.DevNull, unix.O_RDWR},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &disk{t: t}
			o := options()
			o.openFile = d.open
			j := roomy(t, o)
			before := j.Head()
			g := group(before, 3, 3, []Entry{quality(6)}, nil)
			if tt.device == "" {
				tt.device = j.path
			}
			d.become(tt.device, tt.flag)
			d.lose()
			for range 2 {
				if head, err := j.Commit(g); !errors.Is(err, ErrUncertain) || head != before {
					t.Fatalf("got %+v, %v; want ErrUncertain", head, err)
				}
			}
			if _, err := j.SignNow(testAt); !errors.Is(err, ErrUncertain) {
				t.Errorf("SignNow: %v, want ErrUncertain", err)
			}
			if err := j.Commits(1, func(Header, []byte) error { return nil }); err != nil {
				t.Errorf("reading goes on: %v", err)
			}
			head, err := j.Reopen() // takes the real file again
			if err != nil || head != before {
				t.Fatalf("Reopen: %+v, %v; want %+v", head, err, before)
			}
			if head := mustCommit(t, j, g); head.Size != before.Size+1 {
				t.Errorf("after Reopen: %+v", head)
			}
		})
	}
}

// A disk that is still bad keeps the journal closed; each try says so, and the
// first one on a good disk goes on.
func TestReopenAgainAndAgain(t *testing.T) {
	bad := true
	o := options()
	o.openFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		if bad && flag&os.O_RDWR != 0 {
			return nil, &fs.PathError{Op: "open", Path: name, Err: unix.EIO}
		}
		return os.OpenFile(name, flag, mode)
	}
	dir := t.TempDir()
	head := small(t, dir)
	if _, err := Open(dir, o); !errors.Is(err, unix.EIO) {
		t.Fatalf("Open on a bad disk: %v, want EIO", err)
	}
	bad = false
	j := mustOpen(t, dir, o)
	bad = true
	for range 3 {
		if _, err := j.Reopen(); !errors.Is(err, unix.EIO) {
			t.Fatalf("Reopen on a bad disk: %v, want EIO", err)
		}
		if _, err := j.Commit(group(head, 1, 1, nil, nil)); !errors.Is(err, ErrUncertain) {
			t.Fatalf("Commit on a bad disk: %v, want ErrUncertain", err)
		}
		if err := j.Commits(1, func(Header, []byte) error { return nil }); !errors.Is(err, ErrClosed) {
			t.Fatalf("reading on a bad disk: %v, want ErrClosed", err)
		}
		if j.Head() != head {
			t.Fatalf("head %+v, want %+v", j.Head(), head)
		}
	}
	bad = false
	if got, err := j.Reopen(); err != nil || got != head {
		t.Fatalf("Reopen on a good disk: %+v, %v", got, err)
	}
	mustCommit(t, j, group(head, 1, 1, nil, nil))
}

// The disk comes back with an older file, or with another one.
func TestReopenFindsAnotherFile(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	name := filepath.Join(dir, File)
	old, err := readUsed(name)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, KeyFile), readFile(t, filepath.Join(dir, KeyFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	small(t, other)
	for _, tt := range []struct {
		name string
		file []byte
		want error
	}{
		{"an older state", old, ErrDamaged},
		{"another journal of this gateway", readFile(t, filepath.Join(other, File)), ErrForeign},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(name, old, 0o600); err != nil {
				t.Fatal(err)
			}
			j := mustOpen(t, dir, options())
			head := mustCommit(t, j, group(j.Head(), 1, 1, nil, nil))
			if err := errors.Join(os.WriteFile(name+".swap", tt.file, 0o600), os.Rename(name+".swap", name)); err != nil {
				t.Fatal(err)
			}
			if _, err := j.Reopen(); !errors.Is(err, tt.want) {
				t.Errorf("Reopen: %v, want %v", err, tt.want)
			}
			if j.Head() != head {
				t.Errorf("head %+v, want %+v", j.Head(), head)
			}
		})
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestQuota(t *testing.T) {
	o := options()
	o.Quota = minQuota
	dir := t.TempDir()
	j := mustOpen(t, dir, o)
	var err error
	var before Head
	commits := 0
	for err == nil {
		before = j.Head()
		g := group(before, 1, 1, []Entry{quality(before.N + 1)}, nil)
		g.Records = append(g.Records, frame(9, make([]byte, 3000))...)
		_, err = j.Commit(g)
		commits++
	}
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "data.quota") || j.Head() != before {
		t.Fatalf("at the quota: %v, head %+v; want ErrFull and the head as it was, %+v", err, j.Head(), before)
	}
	if info, err := os.Stat(j.path); err != nil || info.Size() > minQuota {
		t.Errorf("the file has %d bytes, the quota is %d (%v)", info.Size(), minQuota, err)
	}
	if commits < 100 {
		t.Errorf("full after %d commits of 3 KB in 1 MiB", commits)
	}
	if err := j.Commits(1, func(Header, []byte) error { return nil }); err != nil {
		t.Errorf("reading at the quota: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if r := mustVerify(t, dir); r.Size != before.Size {
		t.Errorf("verified %d commits, want %d", r.Size, before.Size)
	}
	o.Quota = 2 * minQuota // a person has acted
	j = mustOpen(t, dir, o)
	mustCommit(t, j, group(j.Head(), 1, 1, nil, []Retired{{"quality", 1, 1 << 40}}))
}

// A directory that the user may not write gives one message, and no file.
func TestUnwritableDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(dir, "data")
	var err, errBelow error
	asNobody(t, func() {
		_, err = Open(dir, options())
		_, errBelow = Open(below, options())
	})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), dir) {
		t.Errorf("Open: %v, want a word on permission and the directory", err)
	}
	if !errors.Is(errBelow, fs.ErrPermission) || !strings.Contains(errBelow.Error(), "data.dir") {
		t.Errorf("Open below it: %v, want a word on permission and data.dir", errBelow)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// asNobody runs do without root's right to write everywhere. It is a matter of
// the thread, which ends with its goroutine.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		var err error
		if os.Getuid() == 0 {
			err = unix.Setfsuid(65534)
		}
		if err == nil {
			do()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
