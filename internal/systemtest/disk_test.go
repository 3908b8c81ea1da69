package systemtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"andon/internal/peer"
	"andon/internal/uplink/mqtttest"
)

// TestFullDisk: without room nothing is acknowledged and the gateway says NOT
// RECORDING; when there is room again it goes on by itself, the same excursion
// is the same event, and nothing that was on record is lost.
//
//andon:req Q22
func TestFullDisk(t *testing.T) {
	t.Parallel()
	data := smallDisk(t)
	p := newOwnPLC(t, "")
	s := newSite(t, siteOptions{endpoint: p.endpoint(), broker: mqtttest.New(t, nil).URL(), dataDir: data})
	receiver, gateway := s.receive(), s.run()
	gateway.says("source connected")
	poll(t, "the first values at the quality system", func() bool { return len(s.received("record")) >= 2 })
	from := p.set("tc1", 905)
	poll(t, "the event at the quality system", func() bool { return len(events(t, s.received("quality"), "deviation")) == 1 })

	filler := fill(t, data)
	stop := wobble(p)
	gateway.says("NOT RECORDING: no room for the record", "make room on the disk")
	poll(t, "the status to say so", func() bool { return !s.status().Recording })
	size := s.status().Size
	before := len(s.received("quality"))
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	gateway.says("recording again")
	poll(t, "the status to say so", func() bool { st := s.status(); return st.Recording && st.Size > size })
	stop()
	to := p.set("tc1", 885)
	poll(t, "the end of the event at the quality system", func() bool {
		return events(t, s.received("quality"), "deviation")[0].told()
	})
	gateway.stop()
	receiver.stop()
	if n := strings.Count(gateway.stderr.String(), "NOT RECORDING"); n != 1 {
		t.Errorf("said NOT RECORDING %d times, want once for one stretch", n)
	}
	if len(s.received("quality")) <= before {
		t.Error("nothing came after there was room again")
	}
	s.oneExcursion(from, to)
	s.nothingLost()
	s.whole()
}

// TestFullAtStart: a disk without room for a journal is refused with the cure,
// and nothing is left on it but what tells who was there.
func TestFullAtStart(t *testing.T) {
	t.Parallel()
	data := smallDisk(t)
	s := newSite(t, siteOptions{dataDir: data})
	filler := fill(t, data)
	p := s.run()
	p.exits(1)
	p.says("no space left on device", "make room on the disk")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"journal.db", "journal.db.new"} {
		if _, err := os.Stat(filepath.Join(data, name)); err == nil {
			t.Errorf("%s was left half written", name)
		}
	}
	gateway := s.run()
	gateway.says("msg=recording")
	gateway.stop()
	s.whole()
}

// smallDisk is a file system of 24 MiB; the test is skipped where none can be
// mounted.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		if os.Getenv("PEERS") == "required" && os.Geteuid() == 0 {
			t.Fatalf("mount a small disk: %v", err)
		}
		t.Skipf("NOT TRIED: a full disk; mounting a small one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount the small disk: %v", err)
		}
	})
	return dir
}

// fill leaves no room on a disk, and returns the file that takes it.
func fill(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1 << 16, 1 << 12} {
		for b := make([]byte, n); err == nil; {
			_, err = f.Write(b)
		}
		err = nil
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestFailingDisk: while the disk refuses to make commits durable, their fate is
// unknown: the gateway says NOT RECORDING and starts over from what is there,
// again and again, until the disk works. The excursion under way stays one
// event, and the time is a gap.
//
//andon:req Q55
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	p := newOwnPLC(t, "")
	s := newSite(t, siteOptions{endpoint: p.endpoint(), broker: mqtttest.New(t, nil).URL()})
	receiver, wire, gateway := s.receive(), watchWire(t, s.o.broker), s.run()
	gateway.says("source connected")
	poll(t, "the first values at the quality system", func() bool { return len(s.received("record")) >= 2 })
	from := p.set("tc1", 905)
	poll(t, "the event at the quality system", func() bool { return len(events(t, s.received("quality"), "deviation")) == 1 })

	stop := wobble(p)
	d := down{}
	mend := breakDisk(t, gateway)
	gateway.says("NOT RECORDING: starting over from what is on the disk")
	d.from = time.Now()
	poll(t, "the status to say so", func() bool { return !s.status().Recording })
	gateway.says("NOT RECORDING: journal cannot be opened")
	d.to = time.Now()
	mend()
	poll(t, "recording to go on", func() bool { return s.status().Recording })
	poll(t, "the source to be back", func() bool { return strings.Count(gateway.stderr.String(), "source connected") >= 2 })
	stop()
	to := p.set("tc1", 885)
	poll(t, "the end of the event at the quality system", func() bool {
		list := events(t, s.received("quality"), "deviation")
		return list[0].told() && allClosed(events(t, s.received("quality"), "gap"))
	})
	poll(t, "the system event at the quality system", func() bool { return s.told("system", "input/output error") > 0 })
	gateway.stop()
	receiver.stop()
	s.oneExcursion(from, to)
	s.downsAreGaps([]down{d})
	s.nothingLost()
	s.whole()
	wire.consistent()
}

// breakDisk lets every fdatasync of a process fail until it is mended.
func breakDisk(t *testing.T, p *process) (mend func()) {
	t.Helper()
	strace := peer.Command(t, "strace")
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil && os.Getenv("PEERS") != "required" {
		t.Skipf("NOT TRIED: a failing disk; strace may not trace here: %v: %s", err, out)
	}
	tracer := start(t, exec.Command(strace, "-f", "-o", os.DevNull, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO",
		"-p", strconv.Itoa(p.cmd.Process.Pid)))
	tracer.says("attached")
	return func() {
		t.Helper()
		if err := tracer.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatalf("end strace: %v", err)
		}
		<-tracer.ended // by the signal, or with 130
	}
}
