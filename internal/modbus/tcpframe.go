package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	goburrow "github.com/goburrow/modbus"
)

// headerSize is that of the MBAP header: transaction, protocol, length, unit.
// (MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3.)
const headerSize = 7

// tcpFrame is the framing of one read over TCP: it makes the one request, and
// takes nothing but its answer.
type tcpFrame struct {
	request
	transaction uint16
}

// append adds the frame that asks.
func (f tcpFrame) append(b []byte) []byte {
	pdu := f.pdu()
	b = binary.BigEndian.AppendUint16(b, f.transaction)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(1+len(pdu)))
	b = append(b, f.unit)
	return append(b, pdu...)
}

// header checks an answer's header and returns the length of the PDU behind it.
func (f tcpFrame) header(b []byte) (pdu int, err error) {
	if len(b) < headerSize {
		return 0, refuse(StatusLength, "a header of %d bytes", len(b))
	}
	transaction, protocol := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	switch {
	case protocol != 0:
		return 0, refuse(StatusProtocol, "protocol %d, want 0", protocol)
	case transaction != f.transaction:
		return 0, refuse(StatusTransaction, "transaction %d, want %d", transaction, f.transaction)
	case b[6] != f.unit:
		return 0, refuse(StatusUnit, "unit %d, want %d", b[6], f.unit)
	}
	pdu = int(binary.BigEndian.Uint16(b[4:])) - 1
	return pdu, f.checkLength(pdu)
}

// check refuses a frame that is not, to the byte, the answer.
func (f tcpFrame) check(frame []byte) error {
	n, err := f.header(frame)
	if err != nil {
		return err
	}
	if len(frame) != headerSize+n {
		return refuse(StatusLength, "a frame of %d bytes, want %d", len(frame), headerSize+n)
	}
	return f.request.check(frame[headerSize:])
}

// readFrame reads one answer and nothing behind it: what is wrong is known from
// the header, before the rest is waited for. What it returns has not been
// checked whole.
func (f tcpFrame) readFrame(r io.Reader) ([]byte, error) {
	frame := make([]byte, headerSize, headerSize+2+f.bytes())
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, fmt.Errorf("read the answer's header: %w", err)
	}
	n, err := f.header(frame)
	if err != nil {
		return nil, err
	}
	frame = frame[:headerSize+n]
	if _, err := io.ReadFull(r, frame[headerSize:]); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return frame, nil
}

// tcpExchange is one question and its answer on one connection. It is the
// Packager and the Transporter of a library client that lives as long: there is
// no unit id or counter that two requests could share.
type tcpExchange struct {
	tcpFrame
	conn io.ReadWriter
}

// Encode frames the request. It refuses every other than the one that it was
// made for, and so every one that writes.
func (x *tcpExchange) Encode(pdu *goburrow.ProtocolDataUnit) ([]byte, error) {
	if got := append([]byte{pdu.FunctionCode}, pdu.Data...); string(got) != string(x.pdu()) {
		return nil, errors.New("the library asks something else than it was told to")
	}
	return x.append(make([]byte, 0, headerSize+5)), nil
}

// Send writes the request and reads its answer.
func (x *tcpExchange) Send(request []byte) ([]byte, error) {
	if _, err := x.conn.Write(request); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	return x.readFrame(x.conn)
}

// Verify refuses what is not the answer.
func (x *tcpExchange) Verify(_, answer []byte) error { return x.check(answer) }

// Decode takes the framing off an answer that Verify has let pass.
func (x *tcpExchange) Decode(answer []byte) (*goburrow.ProtocolDataUnit, error) {
	return &goburrow.ProtocolDataUnit{FunctionCode: answer[headerSize], Data: answer[headerSize+1:]}, nil
}
