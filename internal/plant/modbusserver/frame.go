package modbusserver

import (
	"encoding/binary"
	"errors"
	"io"
)

// Functions and exceptions of the MODBUS Application Protocol Specification
// V1.1b3, sections 6 and 7.
const (
	readCoils     = 1
	readDiscrete  = 2
	readHolding   = 3
	readInput     = 4
	exceptionBit  = 0x80
	maxBits       = 2000
	maxRegisters  = 125
	headerSize    = 7
	maxPDU        = 253
	badFunction   = 1
	badAddress    = 2
	badValue      = 3
	noSuchUnit    = 11
	badHeaderText = "not a Modbus frame"
)

// request is one frame of a client.
type request struct {
	transaction uint16
	unit        byte
	pdu         []byte // at least the function
}

// readRequest reads one frame. Whoever does not speak Modbus is not answered.
func readRequest(r io.Reader) (request, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return request{}, err
	}
	n := int(binary.BigEndian.Uint16(h[4:])) - 1
	if binary.BigEndian.Uint16(h[2:]) != 0 || n < 1 || n > maxPDU {
		return request{}, errors.New(badHeaderText)
	}
	q := request{binary.BigEndian.Uint16(h[:]), h[6], make([]byte, n)}
	_, err := io.ReadFull(r, q.pdu)
	return q, err
}

// frame puts the answer's PDU in a frame.
func (q request) frame(pdu []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, q.transaction)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(1+len(pdu)))
	return append(append(b, q.unit), pdu...)
}

// Image is what a device holds: the registers and coils that there are. An image
// that was set is not changed any more.
type Image struct {
	Holding map[uint16]uint16
	Coils   map[uint16]bool
}

// answer is the PDU that the image gives to a PDU. Only coils and holding
// registers exist, and only reading.
func (m *Image) answer(pdu []byte) []byte {
	function := pdu[0]
	if function < readCoils || function > readInput {
		return exception(function, badFunction)
	}
	if len(pdu) != 5 {
		return exception(function, badValue)
	}
	address, count := int(binary.BigEndian.Uint16(pdu[1:])), int(binary.BigEndian.Uint16(pdu[3:]))
	most := maxRegisters
	if function <= readDiscrete {
		most = maxBits
	}
	if count < 1 || count > most {
		return exception(function, badValue)
	}
	data, ok := m.data(function, address, count)
	if !ok {
		return exception(function, badAddress)
	}
	return append([]byte{function, byte(len(data))}, data...)
}

// data reads count registers or coils; false when one of them does not exist.
func (m *Image) data(function byte, address, count int) ([]byte, bool) {
	var b []byte
	if function == readCoils {
		b = make([]byte, (count+7)/8)
	}
	for i := range count {
		at := uint16(address + i)
		set, isCoil := m.Coils[at]
		word, isRegister := m.Holding[at]
		switch {
		case address+i > 0xFFFF:
			return nil, false
		case function == readCoils && isCoil:
			if set {
				b[i/8] |= 1 << (i % 8)
			}
		case function == readHolding && isRegister:
			b = binary.BigEndian.AppendUint16(b, word)
		default:
			return nil, false
		}
	}
	return b, true
}

func exception(function, code byte) []byte { return []byte{function | exceptionBit, code} }
