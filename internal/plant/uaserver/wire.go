package uaserver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uasc"
)

// Limits of the transport. The first is the smallest buffer that OPC 10000-6,
// 7.1.2.3 lets a peer have.
const (
	minBuffer        = 8192
	bufferSize       = 65535
	maxMessage       = 1 << 20
	handshakeTimeout = 5 * time.Second
	writeTimeout     = 5 * time.Second
)

// headerSize is that of a connection protocol header: type, chunk type, size.
// chunkOverhead is all that precedes the body in a MSG chunk.
const (
	headerSize    = 8
	chunkOverhead = 24
)

// message is one request as it came off the wire.
type message struct {
	id   uint32     // request id, repeated in the answer
	body ua.Request // nil when it could not be decoded
	err  error      // then: why
}

// wire speaks the connection protocol and a secure channel of policy None over
// one socket. Reading is for one goroutine; send may be called by any.
type wire struct {
	conn    net.Conn
	r       *bufio.Reader
	channel uint32 // secure channel id; the one token has the same number

	mu       sync.Mutex // guards what follows
	seq      uint32     // of the last chunk sent
	sendSize uint32     // what the client takes in one chunk
}

func newWire(conn net.Conn, channel uint32) *wire {
	return &wire{conn: conn, r: bufio.NewReader(conn), channel: channel, sendSize: minBuffer}
}

// hello answers the client's first message. A client that says nothing is
// given up after handshakeTimeout.
func (w *wire) hello() error {
	if err := w.conn.SetReadDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	typ, b, err := w.chunk()
	if err != nil {
		return err
	}
	if typ != "HELF" {
		return w.refuse(ua.StatusBadTCPMessageTypeInvalid)
	}
	var hel uacp.Hello
	if _, err := hel.Decode(b[headerSize:]); err != nil {
		return fmt.Errorf("decode hello: %w", err)
	}
	if hel.ReceiveBufSize < minBuffer || hel.SendBufSize < minBuffer {
		return w.refuse(ua.StatusBadConnectionRejected)
	}
	w.sendSize = min(hel.ReceiveBufSize, bufferSize)
	ack := &uacp.Acknowledge{
		ReceiveBufSize: min(hel.SendBufSize, bufferSize),
		SendBufSize:    w.sendSize,
		MaxMessageSize: maxMessage,
		MaxChunkCount:  maxMessage / minBuffer,
	}
	return w.writePlain(uacp.MessageTypeAcknowledge, ack)
}

// next returns the next request. Requests to open or renew the channel are
// answered here. An error ends the connection; io.EOF is the client's farewell.
func (w *wire) next() (message, error) {
	var body []byte
	for {
		typ, b, err := w.chunk()
		if err != nil {
			return message{}, err
		}
		if typ[:3] == uasc.MessageTypeCloseSecureChannel {
			return message{}, io.EOF
		}
		c, err := w.open(typ, b)
		if err != nil {
			return message{}, err
		}
		switch typ[3] {
		case uasc.ChunkTypeError: // the client gave this message up
			body = nil
			continue
		case uasc.ChunkTypeIntermediate:
			if body = append(body, c.Data...); len(body) > maxMessage {
				return message{}, w.refuse(ua.StatusBadTCPMessageTooLarge)
			}
			continue
		}
		m := decode(c.RequestID, append(body, c.Data...))
		body = nil
		if r, ok := m.body.(*ua.OpenSecureChannelRequest); ok && typ == "OPNF" {
			if err := w.answerOpen(m.id, r); err != nil {
				return message{}, err
			}
			continue
		}
		return m, nil
	}
}

// chunk reads one chunk, header included, and its type with the chunk type
// ("MSGF").
func (w *wire) chunk() (typ string, b []byte, err error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(w.r, h[:]); err != nil {
		return "", nil, err
	}
	size := binary.LittleEndian.Uint32(h[4:])
	if size < headerSize || size > bufferSize {
		return "", nil, w.refuse(ua.StatusBadTCPMessageTooLarge)
	}
	b = make([]byte, size)
	copy(b, h[:])
	if _, err := io.ReadFull(w.r, b[headerSize:]); err != nil {
		return "", nil, err
	}
	return string(h[:4]), b, nil
}

// open takes a chunk out of its security headers and checks that it belongs to
// this channel and carries no security, for there is none.
func (w *wire) open(typ string, b []byte) (*uasc.MessageChunk, error) {
	if len(b) < headerSize+4 {
		return nil, w.refuse(ua.StatusBadTCPMessageTypeInvalid)
	}
	c := new(uasc.MessageChunk)
	if _, err := c.Decode(b); err != nil {
		return nil, fmt.Errorf("decode %s chunk: %w", typ, err)
	}
	if c.AsymmetricSecurityHeader != nil && c.SecurityPolicyURI != ua.SecurityPolicyURINone {
		return nil, w.refuse(ua.StatusBadSecurityPolicyRejected)
	}
	if c.SymmetricSecurityHeader != nil && (c.SecureChannelID != w.channel || c.TokenID != w.channel) {
		return nil, w.refuse(ua.StatusBadTCPSecureChannelUnknown)
	}
	n, err := c.SequenceHeader.Decode(c.Data)
	if err != nil {
		return nil, fmt.Errorf("decode %s sequence header: %w", typ, err)
	}
	c.Data = c.Data[n:]
	return c, nil
}

// decode turns a whole message's body into a request. What cannot be decoded
// is kept as an error: it is answered with a fault, as the client's own later
// requests may be sound.
func decode(id uint32, b []byte) message {
	_, v, err := ua.DecodeService(b)
	if err != nil {
		return message{id: id, err: err}
	}
	r, ok := v.(ua.Request)
	if !ok || r.Header() == nil {
		return message{id: id, err: ua.StatusBadServiceUnsupported}
	}
	return message{id: id, body: r}
}

// answerOpen grants the channel, or its renewal, for as long as was asked: with
// no keys there is nothing to renew but the number.
func (w *wire) answerOpen(id uint32, r *ua.OpenSecureChannelRequest) error {
	if r.SecurityMode != ua.MessageSecurityModeNone {
		return w.refuse(ua.StatusBadSecurityModeRejected)
	}
	if err := w.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	return w.send(id, &ua.OpenSecureChannelResponse{
		ResponseHeader: header(r.RequestHeader.RequestHandle, ua.StatusOK),
		SecurityToken: &ua.ChannelSecurityToken{
			ChannelID:       w.channel,
			TokenID:         w.channel,
			CreatedAt:       time.Now(),
			RevisedLifetime: r.RequestedLifetime,
		},
		ServerNonce: []byte{},
	})
}

// send writes one answer. A client that does not take it within writeTimeout
// loses the connection.
func (w *wire) send(id uint32, resp ua.Response) error {
	typeID := ua.ServiceTypeID(resp)
	if typeID == 0 {
		return fmt.Errorf("encode %T: not a known service", resp)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	m := &uasc.Message{
		MessageHeader: w.header(resp, id),
		TypeID:        ua.NewFourByteExpandedNodeID(0, typeID),
		Service:       resp,
	}
	chunks, err := m.EncodeChunks(w.sendSize - chunkOverhead)
	if err != nil {
		return fmt.Errorf("encode %T: %w", resp, err)
	}
	for i, c := range chunks {
		if i > 0 { // EncodeChunks gives every chunk the first one's number
			binary.LittleEndian.PutUint32(c[16:], w.nextSeq())
		}
		if err := w.write(c); err != nil {
			return err
		}
	}
	return nil
}

// header makes the headers of an answer. mu is held.
func (w *wire) header(resp ua.Response, id uint32) *uasc.MessageHeader {
	h := &uasc.MessageHeader{SequenceHeader: uasc.NewSequenceHeader(w.nextSeq(), id)}
	if _, ok := resp.(*ua.OpenSecureChannelResponse); ok {
		h.Header = uasc.NewHeader(uasc.MessageTypeOpenSecureChannel, uasc.ChunkTypeFinal, w.channel)
		h.AsymmetricSecurityHeader = uasc.NewAsymmetricSecurityHeader(ua.SecurityPolicyURINone, nil, nil)
		return h
	}
	h.Header = uasc.NewHeader(uasc.MessageTypeMessage, uasc.ChunkTypeFinal, w.channel)
	h.SymmetricSecurityHeader = uasc.NewSymmetricSecurityHeader(w.channel)
	return h
}

// nextSeq counts chunks; mu is held. It would have to begin anew near 2^32,
// which takes this server longer than it will run.
func (w *wire) nextSeq() uint32 {
	w.seq++
	return w.seq
}

// refuse tells the client why the connection ends, and returns that as the
// error it ends with.
func (w *wire) refuse(code ua.StatusCode) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.writePlain(uacp.MessageTypeError, &uacp.Error{ErrorCode: uint32(code), Reason: code.Error()})
	return errors.Join(code, err)
}

// writePlain writes a message of the connection protocol.
func (w *wire) writePlain(typ string, v any) error {
	body, err := ua.Encode(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", typ, err)
	}
	h := uacp.Header{MessageType: typ, ChunkType: 'F', MessageSize: uint32(headerSize + len(body))}
	b, err := h.Encode()
	if err != nil {
		return fmt.Errorf("encode %s: %w", typ, err)
	}
	return w.write(append(b, body...))
}

func (w *wire) write(b []byte) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := w.conn.Write(b)
	return err
}
