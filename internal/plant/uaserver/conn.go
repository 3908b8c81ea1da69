package uaserver

import (
	"net"

	"github.com/gopcua/opcua/ua"
)

// conn is one client's connection.
type conn struct {
	server *Server
	tcp    net.Conn
	wire   *wire
}

// take starts to serve a connection, or resets it while the server is down.
func (s *Server) take(tcp net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down || s.closed {
		reset(tcp)
		return
	}
	c := &conn{server: s, tcp: tcp, wire: newWire(tcp, s.nextID())}
	s.conns[c] = struct{}{}
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		c.serve()
	}()
}

// drop cuts the connection; its reader sees the end.
func (c *conn) drop() { reset(c.tcp) }

// reset ends a connection at once, without a farewell and without what may
// still be under way.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // a failure only makes the end politer
	}
	_ = c.Close() // nothing is to be saved
}

// serve answers the client until it leaves, breaks the protocol or is dropped.
// What ends a connection is the client's affair: this server keeps no log.
func (c *conn) serve() {
	defer c.forget()
	defer func() {
		// The codec is not ours and can panic on forged bytes: that ends this
		// client's connection and nothing else.
		_ = recover()
	}()
	_ = c.converse() // as said above
}

// converse shakes hands and answers request after request; it returns what
// ended the connection.
func (c *conn) converse() error {
	if err := c.wire.hello(); err != nil {
		return err
	}
	for {
		m, err := c.wire.next()
		if err != nil {
			return err
		}
		resp := c.answer(m)
		if resp == nil {
			continue // a Publish request: answered when there is something
		}
		if err := c.wire.send(m.id, resp); err != nil {
			return err
		}
	}
}

// answer makes the answer to one request; nil when it comes later.
func (c *conn) answer(m message) ua.Response {
	if m.err != nil {
		return &ua.ServiceFault{ResponseHeader: header(0, status(m.err))}
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return c.server.handle(c, m)
}

// forget ends what lived with the connection: its waiting Publish requests. The
// session stays until its subscriptions have outlived their lifetime, for a
// client may come back and activate it on another connection.
func (c *conn) forget() {
	_ = c.tcp.Close() // may be closed already
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	for _, ses := range s.sessions {
		ses.dropRequests(c)
	}
}
