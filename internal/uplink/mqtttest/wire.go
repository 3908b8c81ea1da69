package mqtttest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Wire is a TCP connection's way to a broker, with faults on demand.
type Wire struct {
	t      testing.TB
	to     string
	l      net.Listener
	closed sync.WaitGroup

	mu    sync.Mutex
	cond  *sync.Cond
	mode  mode
	pairs map[net.Conn]net.Conn
}

type mode int

const (
	through mode = iota
	stalled      // nothing moves, nothing is closed
	deaf         // what the broker says is thrown away
)

// NewWire listens on a port of the loopback interface and passes connections on
// to the address to. It ends with the test.
func NewWire(t testing.TB, to string) *Wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{t: t, to: to, l: l, pairs: map[net.Conn]net.Conn{}}
	w.cond = sync.NewCond(&w.mu)
	w.closed.Go(w.accept)
	t.Cleanup(w.close)
	return w
}

// URL is the wire's near end as MQTT clients want it.
func (w *Wire) URL() string { return "tcp://" + w.l.Addr().String() }

// Cut closes all connections; new ones are passed on.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for near, far := range w.pairs {
		shut(near)
		shut(far)
	}
}

// Stall stops all bytes, without closing anything.
func (w *Wire) Stall() { w.set(stalled) }

// Deafen throws away all that the broker says.
func (w *Wire) Deafen() { w.set(deaf) }

// Mend lets bytes through again. What was held back by a stall goes on.
func (w *Wire) Mend() { w.set(through) }

func (w *Wire) set(m mode) {
	w.mu.Lock()
	w.mode = m
	w.mu.Unlock()
	w.cond.Broadcast()
}

func (w *Wire) accept() {
	for {
		near, err := w.l.Accept()
		if err != nil {
			return // closed
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil {
			shut(near) // the broker is away
			continue
		}
		w.mu.Lock()
		w.pairs[near] = far
		w.mu.Unlock()
		w.closed.Go(func() { w.copy(far, near, false) })
		w.closed.Go(func() { w.copy(near, far, true) })
	}
}

func (w *Wire) copy(to, from net.Conn, fromBroker bool) {
	defer shut(to)
	defer shut(from)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && w.pass(fromBroker) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits out a stall and says whether the bytes are to go on.
func (w *Wire) pass(fromBroker bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.mode == stalled {
		w.cond.Wait()
	}
	return w.mode != deaf || !fromBroker
}

func (w *Wire) close() {
	shut(w.l)
	w.Mend()
	w.Cut()
	w.closed.Wait()
}

// shut closes what may be closed already; there is nothing to do about an error.
func shut(c io.Closer) { _ = c.Close() }
