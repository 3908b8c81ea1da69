package opcua

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uapolicy"
)

// opening is an OPN that waits for its answer.
type opening struct {
	request uint32
	nonce   []byte
	done    chan opened // room for one
}

// opened is how long the new token lives, or why there is none.
type opened struct {
	lifetime time.Duration
	err      error
}

// hello agrees on the sizes of chunks and messages.
func (c *channel) hello(endpoint string) error {
	body, err := ua.Encode(&uacp.Hello{ReceiveBufSize: maxChunk, SendBufSize: maxChunk,
		MaxMessageSize: maxMessage, MaxChunkCount: maxChunks, EndpointURL: endpoint})
	if err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	b := append([]byte("HELF\x00\x00\x00\x00"), body...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	if err := c.write(b); err != nil {
		return err
	}
	b, err = readFrame(c.conn)
	if err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	if string(b[:4]) != "ACKF" {
		return fmt.Errorf("hello: answered by %q, which is not OPC UA", b[:4])
	}
	if _, err := c.limits.Decode(b[8:]); err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	// Part 6, 7.1.2.4: no more than we offered, and 8192 at least; we would also
	// live with less.
	if c.limits.ReceiveBufSize < 1024 || c.limits.SendBufSize > maxChunk {
		return fmt.Errorf("hello: the server wants buffers of %d and %d bytes", c.limits.ReceiveBufSize, c.limits.SendBufSize)
	}
	c.limits.ReceiveBufSize = min(c.limits.ReceiveBufSize, maxChunk)
	return nil
}

// open asks for the first or for a new token and waits for the answer. It
// returns how long the token lives.
func (c *channel) open(kind ua.SecurityTokenRequestType, timeout time.Duration) (time.Duration, error) {
	mine, err := nonce(c.sec.algo.NonceLength())
	if err != nil {
		return 0, err
	}
	o := &opening{nonce: mine, done: make(chan opened, 1)}
	c.mu.Lock()
	o.request = c.number()
	c.opening = o
	channelID := c.id
	c.mu.Unlock()
	req := &ua.OpenSecureChannelRequest{RequestHeader: c.header(0), RequestType: kind,
		SecurityMode: c.sec.mode, ClientNonce: mine, RequestedLifetime: uint32(c.lifetime / time.Millisecond)}
	if err := c.sendOpen(channelID, o.request, req); err != nil {
		return 0, err
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case r := <-o.done:
		return r.lifetime, r.err
	case <-timer.C:
		return 0, errors.New("the server did not answer in time")
	case <-c.done:
		return 0, c.err
	}
}

// sendOpen sends an OPN; it is one chunk always.
func (c *channel) sendOpen(channelID, id uint32, req ua.Request) error {
	body, err := encode(req)
	if err != nil {
		return fmt.Errorf("encode open: %w", err)
	}
	head, err := c.sec.header().Encode()
	if err != nil {
		return fmt.Errorf("encode open: %w", err)
	}
	b := append([]byte("OPNF"), 0, 0, 0, 0)
	b = append(binary.LittleEndian.AppendUint32(b, channelID), head...)
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.sealed(asymmetric(c.sec.algo, c.sec.mode), b, id, body)
}

// renew asks for a new token when three quarters of the old one's life are
// over. A token that cannot be renewed ends the channel, and so is seen.
func (c *channel) renew(lifetime time.Duration) {
	for {
		timer := time.NewTimer(lifetime * 3 / 4)
		select {
		case <-c.done:
			timer.Stop()
			return
		case <-timer.C:
		}
		next, err := c.open(ua.SecurityTokenRequestTypeRenew, lifetime/4)
		if err != nil {
			c.fail(fmt.Errorf("renew security token: %w", err))
			return
		}
		lifetime = next
	}
}

// takeOpened handles the answer to our OPN. The new keys must be in place
// before the next chunk is read.
func (c *channel) takeOpened(request uint32, body []byte) error {
	v, err := decode(body)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.opening
	if o == nil || o.request != request {
		return errors.New("the server opened a channel that we did not ask for")
	}
	c.opening = nil
	resp, ok := v.(*ua.OpenSecureChannelResponse)
	if code := v.Header().ServiceResult; !ok || code != ua.StatusGood {
		return fmt.Errorf("open secure channel: %s", statusName(code))
	}
	return c.install(o, resp)
}

// install puts the keys of a new token in place. mu is held.
func (c *channel) install(o *opening, resp *ua.OpenSecureChannelResponse) error {
	if len(resp.ServerNonce) < c.sec.algo.NonceLength() {
		return fmt.Errorf("open secure channel: the server's nonce has %d bytes, want %d", len(resp.ServerNonce), c.sec.algo.NonceLength())
	}
	t := resp.SecurityToken
	if _, known := c.tokens[t.TokenID]; known || len(c.tokens) > 0 && t.ChannelID != c.id {
		return errors.New("open secure channel: the server gave a token that was in use")
	}
	algo, err := uapolicy.Symmetric(c.sec.policy, o.nonce, resp.ServerNonce)
	if err != nil {
		return fmt.Errorf("open secure channel: %w", err)
	}
	for id := range c.tokens {
		if id != c.token {
			delete(c.tokens, id) // older than the one before
		}
	}
	c.id, c.token = t.ChannelID, t.TokenID
	c.tokens[c.token] = symmetric(algo, c.sec.mode)
	lifetime := min(time.Duration(t.RevisedLifetime)*time.Millisecond, c.lifetime)
	o.done <- opened{lifetime: max(lifetime, time.Second)}
	return nil
}
