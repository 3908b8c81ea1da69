package opcua

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uasc"

	"andon/internal/sample"
)

// Limits that we announce and keep.
const (
	// maxChunk is the largest chunk we take or send.
	maxChunk = 65535
	// maxMessage is the largest message we take; we announce it, and servers
	// split what is longer. The decoder recurses, and a stack overflow cannot be
	// recovered from: nothing but nested values was measured to overflow the
	// largest stack that Go allows at 2 MiB, with the race detector at 1 MiB. A
	// 32-bit machine has a quarter of that stack.
	maxMessage = 1 << 18
	// maxChunks is how many chunks a message may have; 8192 bytes is the least
	// that a server may use for one.
	maxChunks = maxMessage / 8192
	// writeTimeout is how long the network may refuse to take our bytes.
	writeTimeout = 5 * time.Second
	// tokenLifetime is asked for; the server revises it.
	tokenLifetime = time.Hour
)

// reply is the answer to one request, or why there is none.
type reply struct {
	resp ua.Response
	at   sample.Time // arrival
	err  error
}

// link sends requests and brings their answers.
type link interface {
	// send writes a request. Its answer, or the end of the link, comes on to,
	// which must have room for it. The number names the request for forget.
	send(req ua.Request, to chan<- reply) (uint32, error)
	// forget says that nobody waits for the answer any more.
	forget(request uint32)
	// close ends the link and waits until nothing of it runs any more.
	close()
}

// channel is a secure channel over one TCP connection (OPC 10000-6, 6.7).
type channel struct {
	conn     net.Conn
	sec      *security
	now      func() sample.Time
	lifetime time.Duration
	limits   uacp.Acknowledge // of the server

	work sync.WaitGroup // the reader and the renewer
	done chan struct{}  // closed at the end
	once sync.Once
	err  error // why it ended; set before done is closed

	sending sync.Mutex // orders chunks on the wire; guards sent
	sent    uint32     // sequence number of the last chunk sent

	mu      sync.Mutex // guards what follows
	request uint32     // number of the last request
	waiting map[uint32]chan<- reply
	id      uint32             // of the channel, given by the server
	tokens  map[uint32]sealing // the current and the one before
	token   uint32             // the current one
	opening *opening           // an OPN without an answer yet

	// received belongs to the reader.
	received uint32
	partial  map[uint32][]byte // bodies of messages whose last chunk is to come
	chunks   int
}

// openChannel makes a secure channel over conn, which it closes at its end, or
// at once on an error. ctx covers the handshake only.
func openChannel(ctx context.Context, conn net.Conn, d *dialer, sec *security) (*channel, error) {
	c := &channel{conn: conn, sec: sec, now: d.clock, lifetime: d.lifetime,
		done: make(chan struct{}), waiting: make(map[uint32]chan<- reply),
		tokens: make(map[uint32]sealing), partial: make(map[uint32][]byte)}
	stop := context.AfterFunc(ctx, func() { c.fail(context.Cause(ctx)) })
	defer stop()
	if err := c.hello(d.endpoint); err != nil {
		c.fail(err)
		return nil, c.err
	}
	c.work.Go(c.read)
	lifetime, err := c.open(ua.SecurityTokenRequestTypeIssue, tokenLifetime) // bounded by ctx
	if err != nil {
		c.fail(err)
		c.work.Wait()
		return nil, c.err
	}
	c.work.Go(func() { c.renew(lifetime) })
	return c, nil
}

// fail ends the channel once; everyone who waits gets err.
func (c *channel) fail(err error) {
	c.once.Do(func() {
		c.err = err
		close(c.done)
		// The end is what was wanted; an error in closing adds nothing.
		_ = c.conn.Close()
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, to := range c.waiting {
		delete(c.waiting, id)
		to <- reply{err: c.err, at: c.now()}
	}
	if c.opening != nil {
		c.opening.done <- opened{err: c.err}
		c.opening = nil
	}
}

// close tells the server, ends the connection and waits for the goroutines.
func (c *channel) close() {
	req := &ua.CloseSecureChannelRequest{RequestHeader: c.header(0)}
	// A farewell: whether the server hears it changes nothing.
	_ = c.message(uasc.MessageTypeCloseSecureChannel, 0, req)
	c.fail(errClosed)
	c.work.Wait()
}

var errClosed = errors.New("the connection was closed")

func (c *channel) forget(request uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, request)
}

func (c *channel) send(req ua.Request, to chan<- reply) (uint32, error) {
	id, err := c.expect(to)
	if err != nil {
		return 0, err
	}
	if req.Header() == nil {
		req.SetHeader(c.header(0))
	}
	h := req.Header()
	h.RequestHandle, h.Timestamp = id, c.now().Std()
	if err := c.message(uasc.MessageTypeMessage, id, req); err != nil {
		c.forget(id)
		return 0, err
	}
	return id, nil
}

// expect gives a request its number and registers who waits for the answer.
func (c *channel) expect(to chan<- reply) (uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
		return 0, c.err
	default:
	}
	id := c.number()
	c.waiting[id] = to
	return id, nil
}

// number gives the next request number, never 0. mu is held.
func (c *channel) number() uint32 {
	c.request++
	if c.request == 0 {
		c.request = 1
	}
	return c.request
}

func (c *channel) header(timeout time.Duration) *ua.RequestHeader {
	return &ua.RequestHeader{AuthenticationToken: ua.NewTwoByteNodeID(0),
		Timestamp: c.now().Std(), TimeoutHint: uint32(timeout / time.Millisecond)}
}

// encode makes the body of a message: its type and the service.
func encode(req ua.Request) ([]byte, error) {
	buf := ua.NewBuffer(nil)
	buf.WriteStruct(ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(req)))
	buf.WriteStruct(req)
	return buf.Bytes(), buf.Error()
}

// message sends a request under the current token, in as many chunks as it
// needs.
func (c *channel) message(kind string, id uint32, req ua.Request) error {
	body, err := encode(req)
	if err != nil {
		return fmt.Errorf("encode %T: %w", req, err)
	}
	if most := c.limits.MaxMessageSize; most > 0 && len(body) > int(most) {
		return ua.StatusBadRequestTooLarge
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	c.mu.Lock()
	channelID, token, s := c.id, c.token, c.tokens[c.token]
	c.mu.Unlock()
	if s.algo == nil {
		return errClosed // it never was open
	}
	const clear = headerLength + tokenLength
	room := s.room(int(c.limits.ReceiveBufSize), clear)
	for first := true; first || len(body) > 0; first = false {
		part, final := body, byte(uasc.ChunkTypeFinal)
		if len(part) > room {
			part, final = body[:room], uasc.ChunkTypeIntermediate
		}
		body = body[len(part):]
		b := make([]byte, 0, maxChunk)
		b = append(append(b, kind...), final)
		b = binary.LittleEndian.AppendUint32(b, 0) // size: see seal
		b = binary.LittleEndian.AppendUint32(b, channelID)
		b = binary.LittleEndian.AppendUint32(b, token)
		if err := c.sealed(s, b, id, part); err != nil {
			return err
		}
	}
	return nil
}

// sealed sends one chunk: headers in clear, then sequence header and part under
// s. sending is held.
func (c *channel) sealed(s sealing, b []byte, id uint32, part []byte) error {
	clear := len(b)
	if c.sent++; c.sent > 1<<32-1025 {
		c.sent = 1
	}
	b = binary.LittleEndian.AppendUint32(b, c.sent)
	b = binary.LittleEndian.AppendUint32(b, id)
	b, err := s.seal(append(b, part...), clear)
	if err != nil {
		return err
	}
	return c.write(b)
}

// write sends bytes; when the network does not take them in time the
// connection is over, since a part of a chunk may be gone.
func (c *channel) write(b []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		c.fail(err)
		return c.err
	}
	if _, err := c.conn.Write(b); err != nil {
		c.fail(fmt.Errorf("send: %w", err))
		return c.err
	}
	return nil
}
