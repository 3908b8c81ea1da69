package mqtttest

import (
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Client says what the test wants said, and listens to one topic.
type Client struct {
	t      testing.TB
	client mqtt.Client
	got    chan []byte
}

// NewClient connects and subscribes. It ends with the test.
func NewClient(t testing.TB, url, topic string) *Client {
	t.Helper()
	c := &Client{t: t, got: make(chan []byte, 1000)}
	c.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("test-client").
		SetProtocolVersion(4).SetAutoReconnect(false))
	c.done("connect", c.client.Connect())
	c.done("subscribe", c.client.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { c.got <- m.Payload() }))
	t.Cleanup(func() { c.client.Disconnect(0) })
	return c
}

func (c *Client) done(what string, token mqtt.Token) {
	c.t.Helper()
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		c.t.Fatalf("%s: %v", what, token.Error())
	}
}

// Publish sends one message and waits for the broker's acknowledgement.
func (c *Client) Publish(topic string, payload []byte) {
	c.t.Helper()
	c.done("publish", c.client.Publish(topic, 1, false, payload))
}

// Next returns the next message on the topic.
func (c *Client) Next() []byte {
	c.t.Helper()
	select {
	case b := <-c.got:
		return b
	case <-time.After(10 * time.Second):
		c.t.Fatal("no message within 10 s")
		return nil
	}
}

// PublishRetained does as Publish, and the broker keeps the message for those
// who come later.
func (c *Client) PublishRetained(topic string, payload []byte) {
	c.t.Helper()
	c.done("publish", c.client.Publish(topic, 1, true, payload))
}
