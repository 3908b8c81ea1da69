package opcua

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uapolicy"
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

// readFrame reads one chunk, of at most maxChunk bytes. An ERR message is an
// error.
func readFrame(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(head[4:])
	if size < uint32(len(head)) || size > maxChunk {
		return nil, fmt.Errorf("a message of %d bytes: want 8 to %d", size, maxChunk)
	}
	b := make([]byte, size)
	copy(b, head[:])
	if _, err := io.ReadFull(r, b[len(head):]); err != nil {
		return nil, err
	}
	if string(b[:3]) == uacp.MessageTypeError {
		var e uacp.Error
		if _, err := e.Decode(b[len(head):]); err != nil {
			return nil, fmt.Errorf("the server ended the connection, and its reason cannot be read: %w", err)
		}
		return nil, &endedError{statusName(ua.StatusCode(e.ErrorCode)), e.Reason}
	}
	return b, nil
}

// endedError is the server's word that it ends the connection.
type endedError struct{ status, reason string }

func (e *endedError) Error() string {
	if e.reason == "" {
		return "the server ended the connection: " + e.status
	}
	return fmt.Sprintf("the server ended the connection: %s: %.200q", e.status, e.reason)
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

// read takes chunks until the connection ends. It is the only goroutine that
// reads, and whatever it meets is an error of this connection.
func (c *channel) read() {
	defer func() {
		if r := recover(); r != nil {
			c.fail(fmt.Errorf("a message cannot be read: %v", r))
		}
	}()
	for {
		b, err := readFrame(c.conn)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the server closed the connection")
			}
			c.fail(fmt.Errorf("receive: %w", err))
			return
		}
		if err := c.take(b); err != nil {
			c.fail(err)
			return
		}
	}
}

// take handles one chunk.
func (c *channel) take(b []byte) error {
	k, err := parseChunk(b)
	if err != nil {
		return err
	}
	plain, err := c.unseal(k)
	if err != nil {
		return err
	}
	seq, request, body := sequenceHeader(plain)
	if c.chunks > 0 && !follows(c.received, seq) {
		return fmt.Errorf("chunk %d came after chunk %d", seq, c.received)
	}
	c.chunks, c.received = 1, seq
	if k.open != nil {
		return c.takeOpened(request, body)
	}
	switch k.final {
	case uasc.ChunkTypeIntermediate:
		return c.keep(request, body)
	case uasc.ChunkTypeError:
		return c.aborted(request, body)
	case uasc.ChunkTypeFinal:
		if before := c.partial[request]; before != nil {
			if len(before)+len(body) > maxMessage {
				return fmt.Errorf("a message is longer than %d bytes", maxMessage)
			}
			body = append(before, body...)
			delete(c.partial, request)
		}
		return c.deliver(request, body)
	}
	return fmt.Errorf("a chunk of unknown type %q", k.final)
}

// unseal finds the keys of a chunk and opens it.
func (c *channel) unseal(k chunk) ([]byte, error) {
	if k.open != nil {
		if err := c.sec.checkHeader(k.open); err != nil {
			return nil, err
		}
		return asymmetric(c.sec.algo, c.sec.mode).unseal(k.raw, k.clear)
	}
	c.mu.Lock()
	s, ok := c.tokens[k.token]
	id := c.id
	c.mu.Unlock()
	if !ok || k.channel != id {
		return nil, fmt.Errorf("a message for channel %d, token %d, which is not ours", k.channel, k.token)
	}
	return s.unseal(k.raw, k.clear)
}

// keep stores the part of a message that is not complete.
func (c *channel) keep(request uint32, body []byte) error {
	total := len(body)
	for _, b := range c.partial {
		total += len(b)
	}
	if total > maxMessage {
		return fmt.Errorf("a message is longer than %d bytes", maxMessage)
	}
	c.partial[request] = append(c.partial[request], body...)
	return nil
}

// aborted handles the server's word that a message will not be completed.
func (c *channel) aborted(request uint32, body []byte) error {
	delete(c.partial, request)
	var a uasc.MessageAbort
	if _, err := a.Decode(body); err != nil {
		return fmt.Errorf("abort: %w", err)
	}
	c.answer(request, reply{err: ua.StatusCode(a.ErrorCode)})
	return nil
}

// deliver decodes an answer and hands it to who waits. A message that cannot be
// decoded ends the connection: what was in it, we cannot know.
func (c *channel) deliver(request uint32, body []byte) error {
	resp, err := decode(body)
	if err != nil {
		return err
	}
	r := reply{resp: resp}
	if code := resp.Header().ServiceResult; code&severityMask != severityGood {
		r.err = code
	}
	c.answer(request, r)
	return nil
}

// answer gives a reply to who waits for it; an answer that nobody waits for any
// more came too late and is dropped.
func (c *channel) answer(request uint32, r reply) {
	r.at = c.now()
	c.mu.Lock()
	to, ok := c.waiting[request]
	delete(c.waiting, request)
	c.mu.Unlock()
	if ok {
		to <- r
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
