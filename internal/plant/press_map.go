package plant

import (
	"encoding/binary"
	"math"

	"andon/internal/plant/modbusserver"
)

// Where the press has its values: unit 1, holding registers from 100 on, in one
// stretch so that one read gets them all, and a coil.
const (
	pressUnit     = 1
	addrForce     = 100 // float32, the low word first
	addrDistance  = 102 // float32, the low word first
	addrParts     = 104 // uint32, the low word first
	addrPhase     = 106
	addrLot       = 107 // 12 characters
	addrSerial    = 113 // 12 characters
	pressTextSize = 12
	addrAlive     = 8     // coil
	noDistance    = -9999 // the sensor's word for having none
)

// pressImage is what the server holds for a step's readings.
func pressImage(readings []Reading) *modbusserver.Image {
	m := &modbusserver.Image{Holding: map[uint16]uint16{}, Coils: map[uint16]bool{}}
	for _, r := range readings {
		switch v := r.Value.(type) {
		case bool:
			m.Coils[addrAlive] = v
		case string:
			putText(m, map[string]uint16{tagLot: addrLot, tagSerial: addrSerial}[r.Tag], v)
		case int32:
			if r.Tag == tagPhase {
				m.Holding[addrPhase] = uint16(v)
			} else {
				putLong(m, addrParts, uint32(v))
			}
		case float64:
			putLong(m, map[string]uint16{tagForce: addrForce, tagDistance: addrDistance}[r.Tag], math.Float32bits(float32(v)))
		case nil: // of the distance alone
			putLong(m, addrDistance, math.Float32bits(noDistance))
		}
	}
	return m
}

// putLong puts 32 bits in two registers, the low word first.
func putLong(m *modbusserver.Image, at uint16, v uint32) {
	m.Holding[at], m.Holding[at+1] = uint16(v), uint16(v>>16)
}

// putText puts a text in registers, two characters each, the rest zero.
func putText(m *modbusserver.Image, at uint16, text string) {
	var b [pressTextSize]byte
	copy(b[:], text)
	for i := 0; i < len(b); i += 2 {
		m.Holding[at+uint16(i/2)] = binary.BigEndian.Uint16(b[i:])
	}
}
