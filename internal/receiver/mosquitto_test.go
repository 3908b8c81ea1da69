package receiver_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"andon/internal/outbox"
	"andon/internal/peer"
)

// mosquitto is a real broker, with its defaults: nothing survives its end.
type mosquitto struct {
	t    testing.TB
	path string
	conf string
	addr string
	cmd  *exec.Cmd
}

func newMosquitto(t *testing.T, settings string) *mosquitto {
	t.Helper()
	m := &mosquitto{t: t, path: peer.Command(t, "mosquitto")}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String() // mosquitto cannot choose one itself
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	m.conf = filepath.Join(dir, "mosquitto.conf")
	_, port, err := net.SplitHostPort(m.addr)
	if err != nil {
		t.Fatal(err)
	}
	// Started by root it would become another user, who cannot read our files.
	text := fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous true\n%s\n", port, settings)
	if err := os.WriteFile(m.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.kill)
	return m
}

func (m *mosquitto) url() string { return "tcp://" + m.addr }

func (m *mosquitto) start() {
	m.t.Helper()
	m.cmd = exec.Command(m.path, "-c", m.conf)
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	poll(m.t, "mosquitto listens", func() bool {
		c, err := net.DialTimeout("tcp", m.addr, time.Second)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// kill is kill -9.
func (m *mosquitto) kill() {
	if m.cmd == nil {
		return
	}
	if err := m.cmd.Process.Kill(); err != nil {
		m.t.Errorf("kill mosquitto: %v", err)
	}
	_ = m.cmd.Wait() // says that it was killed
	m.cmd = nil
}

func TestMosquittoDrainsAndSurvivesKills(t *testing.T) {
	m := newMosquitto(t, "")
	dir := t.TempDir()
	signer, public := newKey(t)
	r := newReceiver(t, options(t, m.url(), dir, signer))
	stop := start(t, r.Run)
	poll(t, "the receiver's subscription", func() bool { return r.Summary().Connected })
	g := newGateway(t, m.url(), public)
	for round := range uint64(4) {
		g.raise(outbox.Quality, 1_000)
		g.raise(outbox.Record, 5_000)
		poll(t, "part of it", func() bool { return r.Summary().Lane(outbox.Quality).Received > round*1_000+100 })
		m.kill()
		m.start()
	}
	g.drained(t, outbox.Quality, outbox.Record)
	stop()
	g.everyEntryOnce(t, dir, outbox.Quality)
	g.everyEntryOnce(t, dir, outbox.Record)
	if len(g.refused) > 0 || len(g.dead) > 0 {
		t.Errorf("refused %v, dead letters %v, want none", g.refused, g.dead)
	}
}

// The receiver is away for longer than the broker's queue lasts: what the
// broker acknowledged and dropped is sent again.
func TestMosquittoDropsFromItsQueue(t *testing.T) {
	m := newMosquitto(t, "max_queued_messages 100")
	dir := t.TempDir()
	signer, public := newKey(t)
	r := newReceiver(t, options(t, m.url(), dir, signer))
	stop := start(t, r.Run)
	poll(t, "the receiver's subscription", func() bool { return r.Summary().Connected })
	stop()
	g := newGateway(t, m.url(), public)
	g.raise(outbox.Quality, 1_000)
	poll(t, "all acknowledged by the broker", func() bool { return g.up.Status().Acked >= 1_000 })
	if c := g.count(outbox.Quality); c.Pending != 1_000 {
		t.Fatalf("%+v: something was retired on a PUBACK", c)
	}
	start(t, newReceiver(t, options(t, m.url(), dir, signer)).Run)
	g.drained(t, outbox.Quality)
	g.everyEntryOnce(t, dir, outbox.Quality)
}

// A message over the broker's limit closes the connection: it goes to the dead
// letters, the rest passes.
func TestMosquittoPacketLimit(t *testing.T) {
	m := newMosquitto(t, "max_packet_size 20000")
	dir := t.TempDir()
	signer, public := newKey(t)
	r := newReceiver(t, options(t, m.url(), dir, signer))
	start(t, r.Run)
	poll(t, "the receiver's subscription", func() bool { return r.Summary().Connected })
	g := newGateway(t, m.url(), public)
	g.mu.Lock()
	for i := range 30 {
		seq := g.state.Next(outbox.Quality)
		pad := ""
		if i == 12 {
			pad = strings.Repeat("x", 50_000)
		}
		g.entries[outbox.Quality] = append(g.entries[outbox.Quality],
			fmt.Appendf(nil, `{"id":%q,"gateway":"g1","epoch":"e1","lane":"quality","seq":%d,"data":{"pad":%q}}`, outbox.ID("g1", epoch, "quality", seq), seq, pad))
	}
	g.mu.Unlock()
	g.up.Wake()
	g.drained(t, outbox.Quality)
	if got, want := g.count(outbox.Quality), (outbox.Count{Raised: 30, Receipted: 29, Rejected: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if len(g.dead) != 1 || g.dead[0].Seq != 13 {
		t.Errorf("dead letters %+v, want number 13", g.dead)
	}
}

// A broker that lets nobody answer: the uplink's receipts never come, and
// nothing is retired. (mosquitto grants a subscription that its ACL forbids.)
func TestMosquittoForbidsReceipts(t *testing.T) {
	acl := filepath.Join(t.TempDir(), "acl")
	if err := os.WriteFile(acl, []byte("pattern readwrite andon/v1/+/up/#\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMosquitto(t, "acl_file "+acl)
	signer, public := newKey(t)
	r := newReceiver(t, options(t, m.url(), t.TempDir(), signer))
	start(t, r.Run)
	poll(t, "the receiver's subscription", func() bool { return r.Summary().Connected })
	g := newGateway(t, m.url(), public)
	g.raise(outbox.Quality, 20)
	poll(t, "receipts given and lost", func() bool { return r.Summary().Receipts > 3 && g.up.Status().SentAgain > 1 })
	if c := g.count(outbox.Quality); c.Pending != 20 {
		t.Errorf("%+v: something was retired without a receipt", c)
	}
}
