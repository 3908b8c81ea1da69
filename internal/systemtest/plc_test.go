package systemtest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/peer"
	"andon/internal/plant/uaserver"
)

// plc is a PLC of which the test sets the values.
type plc interface {
	// set gives a tag a value and returns its source time.
	set(tag string, value float64) time.Time
	// spoil gives a tag no value but the status Bad_SensorFailure.
	spoil(tag string) time.Time
	endpoint() string
	nodes() map[string]string
}

// ownPLC is our simulated PLC, within the test.
type ownPLC struct {
	t *testing.T
	s *uaserver.Server
}

const ownURI = "urn:andon:systemtest"

// newOwnPLC serves tc1 = 885 and steady = 5; listen is its address, "" a free one.
func newOwnPLC(t *testing.T, listen string) *ownPLC {
	t.Helper()
	s, err := uaserver.Listen(uaserver.Options{Listen: listen, Name: "systemtest", URI: ownURI,
		Variables: []uaserver.Variable{{Folder: "furn-03", Name: "tc1", Type: ua.TypeIDDouble}, {Folder: "furn-03", Name: "steady", Type: ua.TypeIDDouble}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // t.Context ends before the clean-ups
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("PLC: %v", err)
		}
	})
	p := &ownPLC{t, s}
	p.set("tc1", 885)
	p.set("steady", 5)
	return p
}

func (p *ownPLC) change(c uaserver.Change) time.Time {
	p.t.Helper()
	at, err := p.s.Set([]uaserver.Change{c})
	if err != nil {
		p.t.Fatal(err)
	}
	return at
}

func (p *ownPLC) set(tag string, value float64) time.Time {
	p.t.Helper()
	return p.change(uaserver.Change{ID: "furn-03." + tag, Value: value})
}

func (p *ownPLC) spoil(tag string) time.Time {
	p.t.Helper()
	return p.change(uaserver.Change{ID: "furn-03." + tag, Status: ua.StatusBadSensorFailure})
}

func (p *ownPLC) endpoint() string { return p.s.Endpoint() }

func (p *ownPLC) nodes() map[string]string { return ownNodes() }

func ownNodes() map[string]string {
	return map[string]string{"tc1": "nsu=" + ownURI + ";s=furn-03.tc1", "steady": "nsu=" + ownURI + ";s=furn-03.steady"}
}

// nodePLC is the node-opcua peer, a process of its own.
type nodePLC struct {
	t       *testing.T
	in      io.Writer
	answers chan map[string]any
	url     string
	id      int
}

// newNodePLC serves the same as newOwnPLC, or skips the test where there is no
// such peer.
func newNodePLC(t *testing.T) *nodePLC {
	t.Helper()
	dir, home := peer.NodeOPCUA(t), t.TempDir()
	cmd := exec.Command(peer.Command(t, "node"), filepath.Join(dir, "server.js"), fmt.Sprintf(`{"dir":%q,"vars":[
		{"name":"tc1","type":"Double","value":885},{"name":"steady","type":"Double","value":5}]}`, home))
	cmd.Env = append(os.Environ(), "HOME="+home) // it writes nothing outside
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said talk
	cmd.Stderr = &said
	p := &nodePLC{t: t, in: in, answers: make(chan map[string]any)}
	read := make(chan struct{})
	gone := make(chan struct{})
	go func() { defer close(read); p.read(out, gone) }()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // it ends by that, or is killed
		timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		close(gone)
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("node-opcua peer: %v\n%s", err, tail(said.String()))
		}
		timer.Stop()
	})
	ready := p.answer("its start")
	p.url, _ = ready["endpoint"].(string)
	return p
}

// read hands over what the peer says in JSON; the library's own talk is not.
func (p *nodePLC) read(r io.Reader, gone <-chan struct{}) {
	for s := bufio.NewScanner(r); s.Scan(); {
		var m map[string]any
		if json.Unmarshal(s.Bytes(), &m) != nil {
			continue
		}
		select {
		case p.answers <- m:
		case <-gone:
		}
	}
}

func (p *nodePLC) answer(to string) map[string]any {
	p.t.Helper()
	select {
	case m := <-p.answers:
		if m["error"] != nil {
			p.t.Fatalf("node-opcua peer: %s: %v", to, m["error"])
		}
		return m
	case <-time.After(patience):
		p.t.Fatalf("node-opcua peer: no answer to %s", to)
		return nil
	}
}

// tell gives a tag what it is told, at an instant in the peer's resolution.
func (p *nodePLC) tell(tag string, more map[string]any) time.Time {
	p.t.Helper()
	at := time.Now().UTC().Truncate(time.Millisecond)
	p.id++
	c := map[string]any{"id": p.id, "cmd": "set", "var": tag, "time": at.Format("2006-01-02T15:04:05.000Z07:00")}
	for k, v := range more {
		c[k] = v
	}
	b, err := json.Marshal(c)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		p.t.Fatalf("node-opcua peer: %v", err)
	}
	p.answer(string(b))
	return at
}

func (p *nodePLC) set(tag string, value float64) time.Time {
	p.t.Helper()
	return p.tell(tag, map[string]any{"value": value})
}

func (p *nodePLC) spoil(tag string) time.Time {
	p.t.Helper()
	return p.tell(tag, map[string]any{"value": 0, "status": "BadSensorFailure"})
}

func (p *nodePLC) endpoint() string { return p.url }

func (p *nodePLC) nodes() map[string]string {
	return map[string]string{"tc1": "nsu=urn:andon:peer;s=tc1", "steady": "nsu=urn:andon:peer;s=steady"}
}

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// mosquitto runs the real broker on a free port until the test ends, and returns
// its URL; the test is skipped where there is none.
func mosquitto(t *testing.T) string {
	t.Helper()
	path, addr := peer.Command(t, "mosquitto"), freeAddress(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	// Started by root it would become another user, who cannot read our files.
	text := fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous true\n", port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(path, "-c", conf))
	poll(t, "mosquitto listens", func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		return err == nil && c.Close() == nil
	})
	return "tcp://" + addr
}

// forward passes connections to one address on to another, until the test ends.
func forward(t *testing.T, from, to string) {
	t.Helper()
	l, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return // closed
			}
			all.Go(func() { pass(near, to) })
		}
	})
}

// pass joins a connection to an address until one side closes.
func pass(near net.Conn, to string) {
	defer near.Close()
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	ended := make(chan struct{}, 2)
	for _, c := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(c[0], c[1]) // it ends with the connection, however that ends
			ended <- struct{}{}
		}()
	}
	<-ended
}
