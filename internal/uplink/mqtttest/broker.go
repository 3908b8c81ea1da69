// Package mqtttest gives tests an MQTT broker within the process, and a wire to
// it that can be cut. It is used by tests only.
package mqtttest

import (
	"crypto/tls"
	"net"
	"sync"
	"testing"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"andon/internal/broker"
)

// Broker is an MQTT broker on a port of the loopback interface.
type Broker struct {
	t    testing.TB
	addr string
	tls  *tls.Config // nil for plain TCP

	mu     sync.Mutex
	server *mqtt.Server
	faults *Faults
}

// Faults are a broker's misdeeds. The zero value is a good broker.
type Faults struct {
	// Lose says which published topics the broker acknowledges and then gives
	// to nobody. It may be nil.
	Lose func(topic string) bool
	// Choke says on which published topics and payloads the broker closes the
	// connection without acknowledging. It may be nil.
	Choke func(topic string, payload []byte) bool
	// Forbid says which topics may not be subscribed. It may be nil.
	Forbid func(topic string) bool
	// Login says whether a user may connect. It may be nil: everybody.
	Login func(user, password string) bool
}

// New starts a broker; it stops with the test.
func New(t testing.TB, f *Faults) *Broker {
	t.Helper()
	return newBroker(t, f, nil)
}

// NewTLS starts a broker that is reached by TLS with these settings.
func NewTLS(t testing.TB, c *tls.Config) *Broker {
	t.Helper()
	return newBroker(t, nil, c)
}

func newBroker(t testing.TB, f *Faults, c *tls.Config) *Broker {
	t.Helper()
	if f == nil {
		f = &Faults{}
	}
	b := &Broker{t: t, faults: f, tls: c}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr = l.Addr().String()
	b.serve(l)
	t.Cleanup(b.Stop)
	return b
}

// Addr is the broker's host:port; it stays when the broker is stopped.
func (b *Broker) Addr() string { return b.addr }

// URL is the broker's address as clients want it.
func (b *Broker) URL() string {
	if b.tls != nil {
		return "tls://" + b.addr
	}
	return "tcp://" + b.addr
}

// Stop ends the broker as a kill would: sessions, queues and retained messages
// are gone. It may be called twice.
func (b *Broker) Stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server == nil {
		return
	}
	if err := b.server.Close(); err != nil {
		b.t.Errorf("stop broker: %v", err)
	}
	b.server = nil
}

// Start starts the broker again, empty, on the same port.
func (b *Broker) Start() {
	b.t.Helper()
	l, err := net.Listen("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.serve(l)
}

func (b *Broker) serve(l net.Listener) {
	b.t.Helper()
	if b.tls != nil {
		l = tls.NewListener(l, b.tls)
	}
	s, err := broker.Start(l, &misdeeds{faults: b.faults})
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.server = s
	b.mu.Unlock()
}

// misdeeds is the hook that carries out Faults.
type misdeeds struct {
	mqtt.HookBase
	faults *Faults
}

func (h *misdeeds) ID() string { return "misdeeds" }

func (h *misdeeds) Provides(b byte) bool {
	switch b {
	case mqtt.OnPacketRead, mqtt.OnPublish, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck:
		return true
	}
	return false
}

func (h *misdeeds) OnConnectAuthenticate(_ *mqtt.Client, pk packets.Packet) bool {
	return h.faults.Login == nil || h.faults.Login(string(pk.Connect.Username), string(pk.Connect.Password))
}

func (h *misdeeds) OnACLCheck(_ *mqtt.Client, topic string, write bool) bool {
	return write || h.faults.Forbid == nil || !h.faults.Forbid(topic)
}

func (h *misdeeds) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Publish && h.faults.Choke != nil && h.faults.Choke(pk.TopicName, pk.Payload) {
		cl.Stop(packets.ErrMalformedPacket)
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

func (h *misdeeds) OnPublish(_ *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if h.faults.Lose != nil && h.faults.Lose(pk.TopicName) {
		return pk, packets.CodeSuccessIgnore
	}
	return pk, nil
}
