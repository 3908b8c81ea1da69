package uplink

import (
	"context"
	"time"
)

// ErrCredentials is that a broker refused who we say we are.
var ErrCredentials = errCredentials

// Probe connects to one broker as the gateway would, asks to hear receipts, and
// goes; for diagnosis. It sends nothing, leaves no last will, and has a client
// id of its own, so that a gateway that is running keeps its connection. Of o it
// needs what a connection is made with: Gateway, Username, PasswordFile, Prefix,
// TLS.
func Probe(ctx context.Context, o Options, broker string) error {
	o = defaults(o)
	topics, err := newTopics(o.Prefix, o.Gateway)
	if err != nil {
		return err
	}
	u := &Uplink{o: o, topics: topics}
	t := &transport{lost: make(chan error, 1)}
	opts, err := u.clientOptions(broker, t)
	if err != nil {
		return err
	}
	opts.SetClientID(o.Gateway + "-doctor")
	if err := u.connectTo(ctx, t, opts, broker); err != nil {
		return err
	}
	defer t.kill()
	if err := t.subscribe(ctx, topics.receipt(), o.ConnectTimeout); err != nil {
		return err
	}
	t.client.Disconnect(uint(100 * time.Millisecond / time.Millisecond))
	return nil
}
