package receiver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// TLSFiles are the files that a TLS connection is made with, read anew for each.
type TLSFiles struct {
	CA          string // PEM; the system's if empty
	Certificate string // PEM; empty for none
	Key         string // PEM
}

// maxBatch is how many messages are stored with one fsync.
const maxBatch = 512

// connection is one client on one connection.
type connection struct {
	client mqtt.Client
	queue  chan arrived
	lost   chan error    // capacity 1
	over   chan struct{} // closed when nobody reads queue any more
}

// connection makes one connection and receives on it until it ends. The session
// with the broker is persistent: what comes while we are away is kept for us,
// as far as the broker does that.
func (r *Receiver) connection(ctx context.Context) error {
	c := &connection{queue: make(chan arrived, maxBatch), lost: make(chan error, 1), over: make(chan struct{})}
	opts, err := r.clientOptions(c)
	if err != nil {
		return err
	}
	c.client = mqtt.NewClient(opts)
	defer c.end()
	if err := c.await(ctx, c.client.Connect(), 2*r.o.ConnectTimeout); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	clear(r.sessions) // the states that come now are greeted
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	subscribed := make(chan error, 1)
	// Beside receiving: what an earlier session has left comes before the
	// broker's answer, and must be taken off the line for it to arrive.
	go func() { subscribed <- r.subscribe(ctx, c) }()
	err = r.receive(ctx, c, subscribed)
	cancel()
	return err
}

// clientOptions makes the MQTT library a bare transport. A message is
// acknowledged only by us, when it is on the disk.
func (r *Receiver) clientOptions(c *connection) (*mqtt.ClientOptions, error) {
	opts := mqtt.NewClientOptions().AddBroker(r.o.Broker).
		SetClientID("andon-receive-" + r.o.Name).
		SetUsername(r.o.Username).
		SetProtocolVersion(4).
		SetCleanSession(false).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetOrderMatters(true).
		SetAutoAckDisabled(true).
		SetConnectTimeout(r.o.ConnectTimeout).
		SetWriteTimeout(r.o.WriteTimeout).
		SetKeepAlive(r.o.KeepAlive).
		SetPingTimeout(r.o.KeepAlive / 3).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { c.deliver(m) }).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { c.fail(err) })
	if r.o.PasswordFile != "" {
		password, err := os.ReadFile(r.o.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read the broker's password: %w", err)
		}
		opts.SetPassword(strings.TrimRight(string(password), "\r\n"))
	}
	config, err := r.o.TLS.config()
	if err != nil {
		return nil, err
	}
	return opts.SetTLSConfig(config), nil
}

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

// deliver passes a message to the receiving goroutine. It waits when that is
// behind: the broker then waits for our acknowledgements.
func (c *connection) deliver(m mqtt.Message) {
	select {
	case c.queue <- arrived{topic: m.Topic(), payload: m.Payload(), ack: m.Ack}:
	case <-c.over: // not acknowledged: it comes again
	}
}

// subscribe asks for all that the gateways send, and reads the answer.
func (r *Receiver) subscribe(ctx context.Context, c *connection) error {
	filters := map[string]byte{}
	for name := range r.o.Gateways {
		filters[r.o.Prefix+"andon/v1/"+name+"/up/#"] = 1
	}
	if len(filters) == 0 {
		filters[r.o.Prefix+"andon/v1/+/up/#"] = 1
	}
	for filter := range filters {
		token := c.client.Subscribe(filter, 1, nil)
		if err := c.await(ctx, token, r.o.AckDeadline); err != nil {
			return fmt.Errorf("subscribe %s: %w", filter, err)
		}
		if st, ok := token.(*mqtt.SubscribeToken); ok && st.Result()[filter] > 2 {
			return fmt.Errorf("subscribe %s: the broker refuses it: allow this user to read it", filter)
		}
	}
	return nil
}

// receive stores and answers what comes, in batches, until the connection ends.
func (r *Receiver) receive(ctx context.Context, c *connection, subscribed <-chan error) error {
	send := func(topic string, payload []byte) error {
		// Not waited for: the acknowledgement comes through the goroutine that
		// we are holding up. A receipt that is lost costs a duplicate.
		token := c.client.Publish(topic, 1, false, payload)
		select {
		case <-token.Done():
			return token.Error()
		default:
			return nil
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-c.lost:
			return fmt.Errorf("connection lost: %w", err)
		case err := <-subscribed:
			if err != nil {
				return err
			}
			r.o.Log.Info("connected to the broker", "broker", r.o.Broker)
			r.publish(func(s *Summary) { s.Connected = true; s.Connections++ })
		case m := <-c.queue:
			if err := r.handle(c.more(m), send); err != nil {
				return err
			}
		}
	}
}

// more is m and what else has come already.
func (c *connection) more(m arrived) []arrived {
	msgs := []arrived{m}
	for len(msgs) < maxBatch {
		select {
		case m := <-c.queue:
			msgs = append(msgs, m)
		default:
			return msgs
		}
	}
	return msgs
}

// await waits for a token, the end of ctx, or the limit. (The end of the
// connection completes the token, or ends ctx.)
func (c *connection) await(ctx context.Context, token mqtt.Token, limit time.Duration) error {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return errors.New("no answer")
	}
}

func (c *connection) fail(err error) {
	if err == nil {
		err = errors.New("the connection ended")
	}
	select {
	case c.lost <- err:
	default: // the first reason stays
	}
}

// end lets go of the connection. What was not acknowledged comes again.
func (c *connection) end() {
	close(c.over)
	c.client.Disconnect(250)
}

// parseBroker reads a broker's address.
func parseBroker(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("broker address: %w", err)
	}
	switch {
	case u.Scheme != "tcp" && u.Scheme != "tls":
		return nil, fmt.Errorf("broker %s: want tcp://host:port or tls://host:port", u.Redacted())
	case u.User != nil:
		return nil, fmt.Errorf("broker %s: a user or password in the address: use --user and --password-file", u.Redacted())
	case u.Port() == "":
		return nil, fmt.Errorf("broker %s: the port is missing: usually 8883 with tls, 1883 without", u.Redacted())
	}
	return u, nil
}
