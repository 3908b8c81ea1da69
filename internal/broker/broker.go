// Package broker is an MQTT broker within the process, for the demo and for
// tests: mochi's, behind a listener of our own. It keeps nothing on disk.
package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// Start serves MQTT on l until the returned server is closed, which ends every
// connection of l's.
func Start(l net.Listener, hook mqtt.Hook) (*mqtt.Server, error) {
	s := mqtt.New(&mqtt.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(hook, nil); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if err := s.AddListener(listener{listeners.NewNet("tcp", &accepting{Listener: l, open: map[*conn]bool{}})}); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	if err := s.Serve(); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	return s, nil
}

// listener closes its connections itself. The server's own way (v2.7.9,
// Clients.GetByListener) takes a read lock twice in one goroutine, and hangs
// when a client leaves in between.
type listener struct{ *listeners.Net }

func (l listener) Close(listeners.CloseFn) { l.Net.Close(func(string) {}) }

// accepting remembers what it has accepted, and closes that with itself.
type accepting struct {
	net.Listener

	mu     sync.Mutex
	open   map[*conn]bool
	closed bool
}

func (a *accepting) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, fmt.Errorf("accept: %w", errors.Join(net.ErrClosed, c.Close()))
	}
	k := &conn{Conn: c, of: a}
	a.open[k] = true
	return k, nil
}

func (a *accepting) Close() error {
	a.mu.Lock()
	a.closed = true
	open := a.open
	a.open = nil
	a.mu.Unlock()
	err := a.Listener.Close()
	for c := range open {
		err = errors.Join(err, c.Conn.Close())
	}
	return err
}

// conn is forgotten when it is closed.
type conn struct {
	net.Conn
	of *accepting
}

func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
