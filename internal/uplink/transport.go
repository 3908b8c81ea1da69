package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// TLSFiles are the files that a TLS connection is made with. They are read
// anew for each connection, so a renewed certificate needs no restart.
type TLSFiles struct {
	CA          string // PEM; the system's if empty
	Certificate string // PEM; empty for none
	Key         string // PEM
}

// errCredentials is that a broker refused who we say we are.
var errCredentials = errors.New("the broker refuses our user, password or certificate")

// transport is one client on one connection. Neither is ever used again.
type transport struct {
	client mqtt.Client
	lost   chan error // capacity 1: why the connection ended

	mu   sync.Mutex
	conn net.Conn // nil for websockets and before there is one
}

// open connects to a broker. received is called, in no order, for what arrives.
func (u *Uplink) open(ctx context.Context, broker string, will []byte, received func([]byte)) (*transport, error) {
	t := &transport{lost: make(chan error, 1)}
	opts, err := u.clientOptions(broker, t)
	if err != nil {
		return nil, err
	}
	opts.SetBinaryWill(u.topics.up("state"), will, 1, true)
	opts.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { received(m.Payload()) })
	return t, u.connectTo(ctx, t, opts, broker)
}

// connectTo makes the client and connects it.
func (u *Uplink) connectTo(ctx context.Context, t *transport, opts *mqtt.ClientOptions, broker string) error {
	address, err := parseBroker(broker)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(address.Scheme, "ws") {
		opts.SetCustomOpenConnectionFn(func(a *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
			return t.dial(ctx, a, o.TLSConfig, u.o.ConnectTimeout)
		})
	}
	t.client = mqtt.NewClient(opts)
	return t.connect(ctx, u.o.ConnectTimeout)
}

// clientOptions makes the MQTT library a bare transport: it neither reconnects
// nor retries nor stores, speaks 3.1.1 only, and notices a peer that has
// stopped reading.
func (u *Uplink) clientOptions(broker string, t *transport) (*mqtt.ClientOptions, error) {
	opts := mqtt.NewClientOptions().AddBroker(broker).
		SetClientID(u.o.Gateway).
		SetUsername(u.o.Username).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetOrderMatters(false).
		SetConnectTimeout(u.o.ConnectTimeout).
		SetWriteTimeout(u.o.WriteTimeout).
		SetKeepAlive(u.o.KeepAlive).
		SetPingTimeout(u.o.KeepAlive / 3).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { t.fail(err) })
	if u.o.PasswordFile != "" {
		password, err := os.ReadFile(u.o.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read the broker's password: %w", err)
		}
		opts.SetPassword(strings.TrimRight(string(password), "\r\n"))
	}
	config, err := u.o.TLS.config()
	if err != nil {
		return nil, err
	}
	return opts.SetTLSConfig(config), nil
}

// config reads the files.
func (f TLSFiles) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		pem, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("read the broker's CA: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the broker's CA: no certificate in %s: want PEM", f.CA)
		}
	}
	if f.Certificate != "" || f.Key != "" {
		pair, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
		if err != nil {
			return nil, fmt.Errorf("read our certificate for the broker: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// dial opens the connection ourselves: no proxy of the environment comes in
// between, it ends with ctx, and it can be closed at once.
func (t *transport) dial(ctx context.Context, a *url.URL, c *tls.Config, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.Host)
	if err != nil {
		return nil, err
	}
	if a.Scheme == "tls" || a.Scheme == "ssl" || a.Scheme == "mqtts" {
		c = c.Clone()
		c.ServerName = a.Hostname()
		secure := tls.Client(conn, c)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		conn = secure
	}
	t.mu.Lock()
	t.conn = conn
	t.mu.Unlock()
	return conn, nil
}

// connect waits for the broker's answer to CONNECT.
func (t *transport) connect(ctx context.Context, timeout time.Duration) error {
	token := t.client.Connect()
	limit := time.NewTimer(2 * timeout) // the library's own limits come first
	defer limit.Stop()
	select {
	case <-token.Done():
	case <-ctx.Done():
		t.kill()
		return ctx.Err()
	case <-limit.C:
		t.kill()
		return errors.New("connect: no answer")
	}
	err := token.Error()
	if err == nil {
		return nil
	}
	t.kill()
	if ct, ok := token.(*mqtt.ConnectToken); ok && (ct.ReturnCode() == 4 || ct.ReturnCode() == 5) {
		return fmt.Errorf("connect: %w: %w", errCredentials, err)
	}
	return fmt.Errorf("connect: %w", err)
}

// subscribe asks for a topic and reads the broker's answer: it may be no.
func (t *transport) subscribe(ctx context.Context, topic string, timeout time.Duration) error {
	token := t.client.Subscribe(topic, 1, nil)
	if err := t.await(ctx, token, timeout); err != nil {
		return fmt.Errorf("subscribe %s: %w", topic, err)
	}
	if st, ok := token.(*mqtt.SubscribeToken); ok && st.Result()[topic] > 2 {
		return fmt.Errorf("subscribe %s: the broker refuses it: allow the gateway to read this topic", topic)
	}
	return nil
}

// await waits for a token, and never trusts it alone: the connection may be
// gone, or the answer may never come.
func (t *transport) await(ctx context.Context, token mqtt.Token, timeout time.Duration) error {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case err := <-t.lost:
		t.fail(err)
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-limit.C:
		return errors.New("no answer")
	}
}

// fail notes why the connection ended; the first reason stays.
func (t *transport) fail(err error) {
	if err == nil {
		err = errors.New("the connection ended")
	}
	select {
	case t.lost <- err:
	default:
	}
}

// kill ends the connection at once, without a word to the broker, which then
// publishes the will.
func (t *transport) kill() {
	t.mu.Lock()
	if t.conn != nil {
		_ = t.conn.Close() // it may be closed already, and there is nothing left to do with it
	}
	t.mu.Unlock()
	t.client.Disconnect(0)
}
