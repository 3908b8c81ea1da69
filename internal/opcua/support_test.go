package opcua

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
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"andon/internal/acquisition"
	"andon/internal/peer"
	"andon/internal/record"
	"andon/internal/sample"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// recorder is a Sink that keeps all it is given.
type recorder struct {
	source *Source // Committed is called on it, unless withheld

	mu      sync.Mutex
	all     []record.Body
	batches []Batch
	more    chan struct{} // closed and made anew with every batch
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{})} }

func (r *recorder) Put(_ context.Context, b Batch) error {
	r.mu.Lock()
	r.all = append(r.all, b.Inputs...)
	r.batches = append(r.batches, b)
	close(r.more)
	r.more = make(chan struct{})
	r.mu.Unlock()
	if r.source != nil {
		r.source.Committed(b.Token)
	}
	return nil
}

// until waits until what was handed over fulfils cond.
func (r *recorder) until(t *testing.T, what string, cond func(all []record.Body) bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		ok, more, all := cond(r.all), r.more, r.all
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("waited in vain for %s; got\n%s", what, tail(all))
		}
	}
}

// tail writes the last inputs for people.
func tail(all []record.Body) string {
	var b strings.Builder
	for _, in := range all[max(0, len(all)-40):] {
		fmt.Fprintf(&b, "%T %+v\n", in, in)
	}
	return b.String()
}

// mark is how many inputs there are now.
func (r *recorder) mark() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

func (r *recorder) since(mark int) []record.Body {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[mark:]
}

// losses are the losses among inputs.
func losses(all []record.Body) (list []*record.Loss) {
	for _, in := range all {
		if l, ok := in.(*record.Loss); ok {
			list = append(list, l)
		}
	}
	return list
}

// confirms are the confirmations among inputs.
func confirms(all []record.Body) (list []*record.Confirm) {
	for _, in := range all {
		if c, ok := in.(*record.Confirm); ok {
			list = append(list, c)
		}
	}
	return list
}

// point is one value of a tag as it was handed over.
type point struct {
	time, asOf sample.Time
	sample.Reading
}

// points are the values of a tag.
func points(all []record.Body, tag sample.Tag) (list []point) {
	for _, in := range all {
		if s, ok := in.(*record.Scan); ok {
			for _, r := range s.Readings {
				if r.Tag == tag {
					list = append(list, point{s.Time, s.AsOf, r})
				}
			}
		}
	}
	return list
}

// has waits for a value of a tag.
func has(tag sample.Tag, want sample.Value) func([]record.Body) bool {
	return func(all []record.Body) bool {
		for _, p := range points(all, tag) {
			if p.Value == want && p.Quality == sample.Good {
				return true
			}
		}
		return false
	}
}

// start runs a source until the test ends, and then sees that Run returns nil.
func start(t *testing.T, o Options) (*Source, *recorder) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.retry = acquisition.Backoff{First: 20 * time.Millisecond, Most: 200 * time.Millisecond}
	r := newRecorder()
	r.source = s
	run(t, s, r)
	return s, r
}

// run runs a source until the test ends.
func run(t *testing.T, s *Source, sink Sink) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background()) // t.Context ends before the clean-ups
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, sink) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Errorf("Run did not end")
		}
	})
}

// noLeak fails the test if, at its end, goroutines run that did not before it.
func noLeak(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		deadline := time.Now().Add(patience)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<20)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
			runtime.Gosched()
		}
	})
}

// variable is one variable of the node-opcua peer.
type variable struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Value  any    `json:"value"`
	Source string `json:"source,omitempty"`
}

// nodeOptions are the argument of testdata/peers/node-opcua/server.js.
type nodeOptions struct {
	Dir      string            `json:"dir"`
	Port     int               `json:"port,omitempty"`
	Vars     []variable        `json:"vars"`
	Users    map[string]string `json:"users,omitempty"`
	Limits   map[string]int    `json:"limits,omitempty"`
	Lifetime int               `json:"lifetime,omitempty"`
}

// nodeServer is a running node-opcua peer.
type nodeServer struct {
	t           *testing.T
	endpoint    string
	certificate string // its file

	mu      sync.Mutex
	stdin   io.Writer
	next    int
	answers map[int]chan map[string]any
}

// startNode starts the peer, or skips the test when it is not installed.
func startNode(t *testing.T, o nodeOptions) *nodeServer {
	t.Helper()
	dir := peer.NodeOPCUA(t)
	o.Dir = t.TempDir()
	arg, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(peer.Command(t, "node"), filepath.Join(dir, "server.js"), string(arg))
	cmd.Env = append(os.Environ(), "HOME="+o.Dir) // it writes nothing outside
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = &lines{t: t}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := &nodeServer{t: t, stdin: stdin, answers: make(map[int]chan map[string]any)}
	ready := make(chan map[string]any, 1)
	read := make(chan struct{})
	go func() { defer close(read); n.read(stdout, ready) }()
	t.Cleanup(func() {
		stdin.Close()
		timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("node-opcua peer: %v", err)
		}
		timer.Stop()
	})
	select {
	case m := <-ready:
		n.endpoint, n.certificate = m["endpoint"].(string), m["certificate"].(string)
	case <-read:
		t.Fatal("node-opcua peer: ended at once")
	case <-time.After(patience):
		t.Fatal("node-opcua peer: not ready in time")
	}
	return n
}

// lines writes what a program says to the test's log.
type lines struct{ t *testing.T }

func (l *lines) Write(b []byte) (int, error) {
	l.t.Logf("peer: %s", strings.TrimSpace(string(b)))
	return len(b), nil
}

func (n *nodeServer) read(r io.Reader, ready chan<- map[string]any) {
	for s := bufio.NewScanner(r); s.Scan(); {
		var m map[string]any
		if json.Unmarshal(s.Bytes(), &m) != nil {
			continue // the library's own talk
		}
		if m["ready"] == true {
			ready <- m
			continue
		}
		id, _ := m["id"].(float64)
		n.mu.Lock()
		to := n.answers[int(id)]
		delete(n.answers, int(id))
		n.mu.Unlock()
		if to != nil {
			to <- m
		}
	}
}

// command is what the peer is told; begin sends it, and the channel has the
// answer.
type command map[string]any

func (n *nodeServer) begin(c command) <-chan map[string]any {
	n.t.Helper()
	to := make(chan map[string]any, 1)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next++
	n.answers[n.next] = to
	c["id"] = n.next
	b, err := json.Marshal(c)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := n.stdin.Write(append(b, '\n')); err != nil {
		n.t.Fatal(err)
	}
	return to
}

// do sends a command and waits until it is done.
func (n *nodeServer) do(c command) map[string]any {
	n.t.Helper()
	select {
	case m := <-n.begin(c):
		if m["error"] != nil {
			n.t.Fatalf("peer: %v: %v", c, m["error"])
		}
		return m
	case <-time.After(patience):
		n.t.Fatalf("peer: %v: no answer", c)
		return nil
	}
}

// proxy is a wire that can be cut, stalled and stopped in the middle of a frame.
type proxy struct {
	t        *testing.T
	to       string
	listener net.Listener

	mu    sync.Mutex
	conns []net.Conn
	stall chan struct{} // closed when bytes flow; nil is flowing
	deaf  bool          // new connections are closed at once
	after int           // cut after so many more bytes from the server; -1 never
	wait  sync.WaitGroup
}

// startProxy returns a proxy to an opc.tcp endpoint, and its own endpoint.
func startProxy(t *testing.T, endpoint string) (*proxy, string) {
	t.Helper()
	to, err := hostPort(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, to: to, listener: l, after: -1}
	p.wait.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.flow()
		p.cut()
		p.wait.Wait()
	})
	return p, "opc.tcp://" + l.Addr().String()
}

func (p *proxy) accept() {
	for {
		a, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		deaf := p.deaf
		p.mu.Unlock()
		b, err := net.Dial("tcp", p.to)
		if deaf || err != nil {
			a.Close()
			if b != nil {
				b.Close()
			}
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, a, b)
		p.mu.Unlock()
		p.wait.Go(func() { p.copy(b, a, false) })
		p.wait.Go(func() { p.copy(a, b, true) })
	}
}

// copy moves bytes until one side ends.
func (p *proxy) copy(to, from net.Conn, answers bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		stall := p.stall
		end := answers && p.after >= 0 && p.after < n
		if end {
			n = p.after
			p.after = -1
		} else if answers && p.after >= 0 {
			p.after -= n
		}
		p.mu.Unlock()
		if stall != nil {
			<-stall
		}
		if _, err := to.Write(buf[:n]); err != nil || end {
			return
		}
	}
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// refuse closes new connections at once, or no more.
func (p *proxy) refuse(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = deaf
}

// hold swallows bytes until flow.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stall = make(chan struct{})
}

func (p *proxy) flow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stall != nil {
		close(p.stall)
		p.stall = nil
	}
}

// cutAfter ends the connection after n more bytes of the server.
func (p *proxy) cutAfter(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = n
}
