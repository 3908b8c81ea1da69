package systemtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"andon/internal/gateway"
	"andon/internal/uplink/mqtttest"
)

// TestPLCAbsent: without a PLC the gateway runs, says so and records the gap; it
// ends by itself when the PLC is there.
//
//andon:req Q21
func TestPLCAbsent(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	s := newSite(t, siteOptions{endpoint: "opc.tcp://" + addr, broker: mqtttest.New(t, nil).URL()})
	receiver, gateway := s.receive(), s.run()
	gateway.says("msg=recording", "source lost", addr)
	poll(t, "the gap at the quality system", func() bool { return len(events(t, s.received("quality"), "gap")) == 1 })
	p := newOwnPLC(t, addr)
	gateway.says("source connected")
	poll(t, "the gap's end", func() bool { return allClosed(events(t, s.received("quality"), "gap")) })
	s.excursion(p, 1, 901)
	gateway.stop()
	receiver.stop()
	gaps := events(t, s.received("quality"), "gap")
	if d := gaps[0].Data; len(gaps) != 1 || d.Cause != "link" || !slices.Equal(d.Tags, []string{"furn-03/steady", "furn-03/tc1"}) ||
		!strings.Contains(gaps[0].all[0].Data.Detail, addr) {
		t.Errorf("%d gaps, the first %+v; want one of the link to %s", len(gaps), d, addr)
	}
	if n := strings.Count(gateway.stderr.String(), "source lost"); n != 1 {
		t.Errorf("said %d times that there is no PLC, want once", n)
	}
	s.whole()
}

// TestBrokerAbsent: without a broker the gateway runs, and what it has raised
// waits, over a restart too; when the broker is there all of it is receipted.
//
//andon:req Q30 Q51
func TestBrokerAbsent(t *testing.T) {
	t.Parallel()
	broker, absent, p := mqtttest.New(t, nil), freeAddress(t), newOwnPLC(t, "")
	s := newSite(t, siteOptions{endpoint: p.endpoint(), broker: broker.URL(), way: "tcp://" + absent})
	receiver, gateway := s.receive(), s.run()
	gateway.says("msg=recording", "source connected", "no connection to the broker", absent)
	for i := range 3 {
		p.set("tc1", 901)
		poll(t, "the deviation on record", func() bool { return len(events(t, s.export(), "deviation")) == i+1 })
		p.set("tc1", 885)
		poll(t, "its evidence on record", func() bool { return events(t, s.export(), "deviation")[i].told() })
	}
	gateway.stop()
	gateway = s.run()
	gateway.says("source connected")
	if n := len(s.received("quality")); n != 0 {
		t.Fatalf("%d events went another way", n)
	}
	forward(t, absent, broker.Addr())
	poll(t, "all of it at the quality system", func() bool {
		return count(events(t, s.received("quality"), "deviation"), (*event).told) == 3
	})
	poll(t, "all samples at the quality system", func() bool { return len(s.received("record")) == len(rows(t, s.export(), "")) })
	gateway.stop()
	receiver.stop()
	s.nothingLost()
	s.whole()
}

// TestSecondInstance: one on the same directory is refused and says who has it;
// the first does not notice.
func TestSecondInstance(t *testing.T) {
	t.Parallel()
	p := newOwnPLC(t, "")
	s := newSite(t, siteOptions{endpoint: p.endpoint(), broker: mqtttest.New(t, nil).URL()})
	receiver, gateway := s.receive(), s.run()
	gateway.says("source connected")
	second := s.run()
	second.exits(1)
	second.says("in use by another process", fmt.Sprintf("(process %d)", gateway.cmd.Process.Pid), "stop it")
	s.excursion(p, 1, 901)
	if !s.status().Recording {
		t.Error("the first does not record any more")
	}
	gateway.stop()
	receiver.stop()
	s.whole()
}

// status asks the running gateway.
func (s *site) status() (st gateway.ControlStatus) {
	s.t.Helper()
	var b strings.Builder
	if err := gateway.Ask(s.t.Context(), s.data(), gateway.AskStatus, &b); err != nil {
		s.t.Fatalf("ask the gateway: %v", err)
	}
	if err := json.Unmarshal([]byte(b.String()), &st); err != nil {
		s.t.Fatalf("status %q: %v", b.String(), err)
	}
	return st
}

// TestUnwritableDirectory: a directory that the gateway may not write is refused
// with the cure, and nothing is left in it.
func TestUnwritableDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o555); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, siteOptions{dataDir: data})
	p := s.runAsNobody(dir)
	p.exits(1)
	p.says(data, "permission denied", "give the directory to the user that andon runs as")
	if left, err := os.ReadDir(data); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if n := len(lines(p.stderr.String())); n > 3 {
		t.Errorf("%d lines, want one message:\n%s", n, p.stderr.String())
	}
}

// runAsNobody starts the gateway as a user who owns nothing. dir is opened to
// that user, and what the gateway reads is copied there. Whoever is not root is
// such a user.
func (s *site) runAsNobody(dir string) *process {
	s.t.Helper()
	if os.Geteuid() != 0 {
		return s.run()
	}
	readable := filepath.Join(dir, "settings")
	if err := os.CopyFS(readable, os.DirFS(s.dir)); err != nil {
		s.t.Fatal(err)
	}
	for _, d := range []string{filepath.Dir(dir), dir, readable, filepath.Join(readable, "specs")} {
		if err := os.Chmod(d, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	cmd := command("run", "--config", filepath.Join(readable, "gateway.yaml"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return start(s.t, cmd)
}

// TestForeignFile: a file that is no journal is refused and not touched.
func TestForeignFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"a text":         "shopping list: milk, bread\n" + strings.Repeat("and more of it\n", 1000),
		"other database": "SQLite format 3\x00" + strings.Repeat("\x10\x00\x01\x01", 4096),
		"a short text":   "x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refusesForeign(t, content)
		})
	}
}

func refusesForeign(t *testing.T, content string) {
	s := newSite(t, siteOptions{})
	gateway := s.run() // so that there is a key
	gateway.says("msg=recording")
	gateway.stop()
	s.write("data/journal.db", content)
	p := s.run()
	p.exits(1)
	p.says("journal", "not this gateway's journal", "move it away")
	if b, err := os.ReadFile(s.path("data", "journal.db")); err != nil || string(b) != content {
		t.Errorf("the file was touched (%v)", err)
	}
	if _, err := os.Stat(s.path("data", "quarantine")); err == nil {
		t.Error("something was set aside")
	}
}

// TestDamagedJournal: it is set aside and kept, a new epoch begins, and that is
// said and recorded; the line is watched on.
//
//andon:req Q55
func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		damage func(b []byte) []byte
	}{
		{"cut short", func(b []byte) []byte { return b[:20_000] }},
		{"its two first pages changed", func(b []byte) []byte {
			for i := range 8192 {
				if i%4096 > 24 { // the marks are left, so that it is known for a journal
					b[i] ^= 0x55
				}
			}
			return b
		}},
		{"pages in the middle gone", func(b []byte) []byte { clear(b[4*4096 : 8*4096]); return b }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, p := settled(t)
			epoch := s.whole().Epoch
			file := filepath.Join(s.data(), "journal.db")
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			damaged := c.damage(b)
			if err := os.WriteFile(file, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if r := s.verify(); r.OK {
				t.Error("verify says ok before the start")
			}
			receiver, gateway := s.receive(), s.run()
			gateway.says("journal is damaged: set aside, a new epoch begins", "quarantine", "source connected")
			s.excursion(p, 2, 902)
			poll(t, "the system event at the quality system", func() bool { return s.told("system", "a new epoch begins") == 1 })
			gateway.stop()
			receiver.stop()
			s.setAside(damaged)
			if r := s.whole(); r.Epoch == epoch {
				t.Errorf("the epoch is still %s", r.Epoch)
			}
		})
	}
}

// setAside wants the damaged file, and nothing else, in quarantine.
func (s *site) setAside(want []byte) {
	s.t.Helper()
	kept, err := filepath.Glob(filepath.Join(s.data(), "quarantine", "*"))
	if err != nil || len(kept) != 1 {
		s.t.Fatalf("set aside: %v, %v", kept, err)
	}
	if b, err := os.ReadFile(kept[0]); err != nil || string(b) != string(want) {
		s.t.Errorf("%s is not the damaged file (%v)", kept[0], err)
	}
}

// told counts the events of a kind whose text says what, at the quality system.
func (s *site) told(kind, what string) (n int) {
	for _, m := range messages(s.t, s.received("event")) {
		if m.Type == "andon."+kind+".v1" && strings.Contains(m.Data.Text, what) {
			n++
		}
	}
	return n
}
