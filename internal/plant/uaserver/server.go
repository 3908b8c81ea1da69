package uaserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Variable describes one variable of the address space.
type Variable struct {
	Folder string    // the object it stands under: "furn-03"
	Name   string    // its browse name: "tc1"
	Type   ua.TypeID // of its value
}

// ID is the variable's string identifier in the server's namespace:
// "furn-03.tc1".
func (v Variable) ID() string { return v.Folder + "." + v.Name }

// Change is a new value of a variable. A nil Value is "no value", as a server
// sends it with a bad status.
type Change struct {
	ID     string
	Value  any
	Status ua.StatusCode
}

// Options says what to serve and where.
type Options struct {
	Listen     string // TCP address; "" is 127.0.0.1:0
	Name       string // application name, and part of its URI
	URI        string // namespace URI of the variables
	Variables  []Variable
	MinPublish time.Duration // shortest publishing interval granted; 0 is 10 ms
}

// Namespace is the index of the variables' namespace in the server's namespace
// array: after OPC UA's own and the server's.
const Namespace = 2

// Server serves variables over OPC UA. Its methods may be called from any
// goroutine.
type Server struct {
	opt      Options
	listener net.Listener
	endpoint string
	started  time.Time
	wg       sync.WaitGroup   // one for each goroutine that Serve must wait for
	nodes    map[string]*node // by identifier; the map never changes

	mu       sync.Mutex // guards the nodes and all that follows
	down     bool       // connections are refused
	closed   bool       // Serve is ending
	conns    map[*conn]struct{}
	sessions map[string]*session // by authentication token
	subs     map[uint32]*subscription
	lastID   uint32 // of channels, sessions, subscriptions and items
}

// node is a variable's value and who watches it. Guarded by Server.mu.
type node struct {
	Variable
	value  *ua.Variant
	status ua.StatusCode
	source time.Time // zero until it is first set
	items  map[*item]struct{}
}

// Listen takes the address and returns a server that answers once Serve runs.
// Connections made before that wait.
func Listen(o Options) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.MinPublish == 0 {
		o.MinPublish = 10 * time.Millisecond
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("OPC UA server: %w", err)
	}
	s := &Server{
		opt:      o,
		listener: l,
		endpoint: "opc.tcp://" + l.Addr().String(),
		started:  time.Now(),
		nodes:    make(map[string]*node, len(o.Variables)),
		conns:    make(map[*conn]struct{}),
		sessions: make(map[string]*session),
		subs:     make(map[uint32]*subscription),
	}
	for _, v := range o.Variables {
		if s.nodes[v.ID()] != nil {
			return nil, errors.Join(fmt.Errorf("OPC UA server: variable %s is given twice", v.ID()), l.Close())
		}
		s.nodes[v.ID()] = &node{Variable: v, items: make(map[*item]struct{})}
	}
	return s, nil
}

// Endpoint is the URL that clients connect to.
func (s *Server) Endpoint() string { return s.endpoint }

// Serve answers clients until ctx ends, then closes every connection and
// returns nil when the last goroutine has ended. It is called once.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.Close)
	defer stop()
	defer s.wg.Wait()
	for {
		c, err := s.listener.Accept()
		switch {
		case err == nil:
			s.take(c)
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return nil
		default:
			// Out of file descriptors, most likely: passing.
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

// Close ends the server as the end of Serve's context does, and is there for a
// server that was never served. It does not wait.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.dropAll()
	s.mu.Unlock()
	_ = s.listener.Close() // only ever reports that it is closed already
}

// Interrupt drops every connection and forgets every session and subscription,
// as a PLC that restarts; new connections are reset until Resume. The address
// is kept, so nobody else can take the port meanwhile.
func (s *Server) Interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	s.dropAll()
}

// Resume lets clients in again.
func (s *Server) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
}

// Set gives variables new values, all at the instant that it returns: their
// source time, in the resolution of OPC UA (100 ns). The instant is taken under
// the lock under which notifications are made, so no notification that was
// published later lacks them, and none published earlier has them.
// An unknown variable or an impossible value is an error, and nothing is set.
func (s *Server) Set(changes []Change) (time.Time, error) {
	values := make([]*ua.Variant, len(changes))
	for i, c := range changes {
		if s.nodes[c.ID] == nil {
			return time.Time{}, fmt.Errorf("set %s: no such variable", c.ID)
		}
		if c.Value == nil {
			continue
		}
		v, err := ua.NewVariant(c.Value)
		if err != nil {
			return time.Time{}, fmt.Errorf("set %s: %w", c.ID, err)
		}
		values[i] = v
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	for i, c := range changes {
		n := s.nodes[c.ID]
		n.value, n.status, n.source = values[i], c.Status, at
		for it := range n.items {
			it.report(n.dataValue(at))
		}
	}
	return at, nil
}

// now is the instant in OPC UA's resolution.
func now() time.Time { return time.Now().UTC().Truncate(100 * time.Nanosecond) }

// dataValue is the variable's state as a client is told it at an instant.
func (n *node) dataValue(at time.Time) *ua.DataValue {
	if n.source.IsZero() {
		return &ua.DataValue{Status: ua.StatusBadWaitingForInitialData, ServerTimestamp: at}
	}
	return &ua.DataValue{Value: n.value, Status: n.status, SourceTimestamp: n.source, ServerTimestamp: at}
}

// dropAll closes every connection and ends every session; mu is held.
func (s *Server) dropAll() {
	for c := range s.conns {
		c.drop()
	}
	for _, sub := range s.subs {
		s.removeSubscription(sub)
	}
	clear(s.sessions)
}

// nextID numbers what clients refer to; mu is held.
func (s *Server) nextID() uint32 {
	s.lastID++
	return s.lastID
}

// Sessions is the number of sessions that clients have open.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}
