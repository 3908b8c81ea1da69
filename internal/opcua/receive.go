package opcua

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uasc"
)

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
