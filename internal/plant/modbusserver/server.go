// Package modbusserver is a small Modbus TCP server for the simulated plant: one
// unit with holding registers and coils that clients can read, and nothing that
// they can write. All registers change at one instant, so an answer never holds
// values of two; and it can drop its clients and refuse new ones, as a PLC that
// restarts.
//
// Its framing is its own: nothing of the client that reads it is used here, so
// that neither's mistake hides the other's.
package modbusserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// maxConns is how many clients may be connected at once; more are refused. idle
// is how long one may say nothing.
const (
	maxConns = 32
	idle     = time.Minute
	writing  = 5 * time.Second
)

// Server is a Modbus TCP server. Make it with Listen.
type Server struct {
	listener net.Listener
	unit     byte
	image    atomic.Pointer[Image]

	mu     sync.Mutex // guards what follows
	down   bool
	closed bool
	conns  map[net.Conn]struct{}
	served sync.WaitGroup // one a connection
}

// Listen takes an address; "" is a free port of the loopback interface. The
// server answers once it is served.
func Listen(address string, unit byte) (*Server, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("modbus server: %w", err)
	}
	s := &Server{listener: l, unit: unit, conns: make(map[net.Conn]struct{})}
	s.image.Store(&Image{})
	return s, nil
}

// Endpoint is the address as settings have it: tcp://host:port.
func (s *Server) Endpoint() string { return "tcp://" + s.listener.Addr().String() }

// Set makes an image what clients see from now on. It must not be changed
// afterwards.
func (s *Server) Set(m *Image) { s.image.Store(m) }

// Serve answers clients until ctx ends, then closes every connection and returns
// nil when the last goroutine has ended. It is called once.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.Close)
	defer s.served.Wait()
	defer s.Close()
	defer stop()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("modbus server: %w", err)
		}
		s.take(conn)
	}
}

// take serves a connection, or resets it.
func (s *Server) take(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down || s.closed || len(s.conns) >= maxConns {
		reset(conn)
		return
	}
	s.conns[conn] = struct{}{}
	s.served.Go(func() {
		s.converse(conn)
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
		_ = conn.Close() // the conversation is over, however it ends
	})
}

// converse answers request after request until the client goes, says what is no
// Modbus, or says nothing for too long.
func (s *Server) converse(conn net.Conn) {
	for {
		if conn.SetReadDeadline(time.Now().Add(idle)) != nil {
			return
		}
		q, err := readRequest(conn)
		if err != nil {
			return
		}
		pdu := exception(q.pdu[0], noSuchUnit)
		if q.unit == s.unit {
			pdu = s.image.Load().answer(q.pdu)
		}
		if conn.SetWriteDeadline(time.Now().Add(writing)) != nil {
			return
		}
		if _, err := conn.Write(q.frame(pdu)); err != nil {
			return
		}
	}
}

// Interrupt drops every connection, as a PLC that restarts; new connections are
// reset until Resume. The address is kept, so nobody else can take the port.
func (s *Server) Interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	for conn := range s.conns {
		reset(conn)
	}
}

// Resume lets clients in again.
func (s *Server) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
}

// Close ends the server as the end of Serve's context does, and is there for a
// server that was never served. It does not wait.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = s.listener.Close() // only ever reports that it is closed already
	for conn := range s.conns {
		reset(conn)
	}
}

// reset ends a connection without a word.
func reset(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0) // if it cannot, the client is told politely
	}
	_ = conn.Close() // nothing of ours waits to be sent
}
