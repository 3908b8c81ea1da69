package modbus

import (
	"fmt"

	goburrow "github.com/goburrow/modbus"
)

// Limits of the protocol for one read.
const (
	maxRegisters = 125
	maxBits      = 2000
)

// functions are the only function codes that this package ever sends: the four
// that read.
var functions = map[Table]byte{
	Coil:     goburrow.FuncCodeReadCoils,
	Discrete: goburrow.FuncCodeReadDiscreteInputs,
	Holding:  goburrow.FuncCodeReadHoldingRegisters,
	Input:    goburrow.FuncCodeReadInputRegisters,
}

// exceptionBit is added to the function code of a refusal.
const exceptionBit = 0x80

// request is one read, whatever it is sent over.
type request struct {
	unit     byte
	function byte
	address  uint16
	count    uint16
}

func (r request) String() string {
	return fmt.Sprintf("unit %d, function %d, address %d, count %d", r.unit, r.function, r.address, r.count)
}

// bytes is how many bytes of data the answer carries.
func (r request) bytes() int {
	if r.function == goburrow.FuncCodeReadCoils || r.function == goburrow.FuncCodeReadDiscreteInputs {
		return (int(r.count) + 7) / 8
	}
	return 2 * int(r.count)
}

// pdu is what is asked, without the framing.
func (r request) pdu() []byte {
	return []byte{r.function, byte(r.address >> 8), byte(r.address), byte(r.count >> 8), byte(r.count)}
}

// checkLength refuses the announced length of an answer that can be neither what
// was asked for nor an exception, before any of it is waited for.
func (r request) checkLength(pdu int) error {
	if want := 2 + r.bytes(); pdu != want && pdu != 2 {
		return refuse(StatusLength, "a PDU of %d bytes, want %d, or 2 for an exception", pdu, want)
	}
	return nil
}

// check refuses a PDU that is not the answer to the request: neither its data,
// to the byte, nor an exception.
func (r request) check(pdu []byte) error {
	switch {
	case len(pdu) < 2:
		return refuse(StatusLength, "a PDU of %d bytes", len(pdu))
	case pdu[0] == r.function|exceptionBit && len(pdu) == 2 && pdu[1] != 0:
		return nil
	case pdu[0] != r.function:
		return refuse(StatusFunction, "function %d in a PDU of %d bytes, want %d", pdu[0], len(pdu), r.function)
	case int(pdu[1]) != r.bytes():
		return refuse(StatusByteCount, "%d bytes of data, want %d", pdu[1], r.bytes())
	case len(pdu) != 2+r.bytes():
		return refuse(StatusLength, "a PDU of %d bytes, want %d", len(pdu), 2+r.bytes())
	}
	return nil
}

// reads is the part of the library's client that we use: it reads only.
type reads interface {
	ReadCoils(address, quantity uint16) ([]byte, error)
	ReadDiscreteInputs(address, quantity uint16) ([]byte, error)
	ReadHoldingRegisters(address, quantity uint16) ([]byte, error)
	ReadInputRegisters(address, quantity uint16) ([]byte, error)
}

// ask makes the request through the library's client. A refusal of the device is
// an *Exception.
func (r request) ask(client reads) (data []byte, err error) {
	switch r.function {
	case goburrow.FuncCodeReadCoils:
		data, err = client.ReadCoils(r.address, r.count)
	case goburrow.FuncCodeReadDiscreteInputs:
		data, err = client.ReadDiscreteInputs(r.address, r.count)
	case goburrow.FuncCodeReadHoldingRegisters:
		data, err = client.ReadHoldingRegisters(r.address, r.count)
	case goburrow.FuncCodeReadInputRegisters:
		data, err = client.ReadInputRegisters(r.address, r.count)
	default:
		return nil, fmt.Errorf("function %d: not one that reads", r.function)
	}
	return r.result(data, err)
}

// result is the one place that every answer passes on its way out, and the
// second fence behind check: no more and no less data than was asked for.
func (r request) result(data []byte, err error) ([]byte, error) {
	if e, ok := err.(*goburrow.ModbusError); ok { //nolint:errorlint // the library returns it bare
		return nil, &Exception{Code: e.ExceptionCode}
	}
	if err != nil {
		return nil, err
	}
	if len(data) != r.bytes() {
		return nil, refuse(StatusByteCount, "%d bytes of data, want %d", len(data), r.bytes())
	}
	return data, nil
}
