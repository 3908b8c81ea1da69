package modbus

import (
	"errors"
	"fmt"
	"math"
	"time"

	"andon/internal/sample"
)

// Item is one tag and where its value is.
type Item struct {
	// Tag is the number under which readings are handed over.
	Tag sample.Tag
	// Unit is the unit id: 0 to 255, often 1 or 255 where there is but one.
	Unit uint8
	// Table and Address (from 0) say where it is.
	Table   Table
	Address uint16
	// Type is one of Types, bool or string(N).
	Type string
	// Order is one of Orders, and is required above 16 bits; of a text it may be
	// BADC for the low byte first.
	Order string
	// Bit is the bit of a register, 0 the lowest, of which a bool is made. It
	// means nothing for other types and tables.
	Bit int
	// Every is the time from one poll to the next.
	Every time.Duration
	// Scale and Offset make the engineering value: raw x Scale + Offset. A Scale
	// of 0 is no scaling, that is 1.
	Scale, Offset float64
	// Range, in engineering units and inclusive, is what the sensor can give: what
	// is outside is bad.
	Range *[2]float64
	// Invalid are the raw numbers by which the device says that it has no value.
	Invalid []sample.Value
}

// minEvery and maxEvery bound how often a device may be asked.
const (
	minEvery = 10 * time.Millisecond
	maxEvery = 24 * time.Hour
)

// item is an Item made ready.
type item struct {
	Item
	coding coding
}

// newItem checks an item.
func newItem(it Item) (*item, error) {
	switch it.Table {
	case Coil, Discrete, Holding, Input:
	default:
		return nil, fmt.Errorf("table %q: want coil, discrete, holding or input", it.Table)
	}
	c, err := newCoding(it.Table, it.Type, it.Order, it.Bit)
	if err != nil {
		return nil, err
	}
	number := it.Type != "bool" && c.name != "string"
	switch {
	case it.Every < minEvery || it.Every > maxEvery:
		return nil, fmt.Errorf("every %v: want %v to %v", it.Every, minEvery, maxEvery)
	case int(it.Address)+c.registers > 1<<16:
		return nil, fmt.Errorf("its %d registers end after 65535", c.registers)
	case math.IsNaN(it.Scale+it.Offset) || math.IsInf(it.Scale+it.Offset, 0):
		return nil, errors.New("scale and offset must be numbers")
	case (it.Scale != 0 || it.Offset != 0) && !number:
		return nil, fmt.Errorf("a %s cannot be scaled", it.Type)
	case (it.Range != nil || len(it.Invalid) > 0) && !number:
		return nil, fmt.Errorf("a %s has no range and no invalid numbers", it.Type)
	case it.Range != nil && !(it.Range[0] <= it.Range[1]):
		return nil, errors.New("range: the low end is above the high end")
	}
	return &item{Item: it, coding: c}, nil
}

// span is the stretch of its table that the item's value takes.
func (it *item) span() span { return span{int(it.Address), int(it.Address) + it.coding.registers} }

// reading makes a reading of the data of an answer that begins at address from
// and holds all of the item's registers or bits.
func (it *item) reading(data []byte, from int) sample.Reading {
	r := sample.Reading{Tag: it.Tag}
	at := int(it.Address) - from
	if it.coding.outOfBitTable {
		r.Value = sample.BoolValue(data[at/8]>>(at%8)&1 == 1)
		return r
	}
	value, status := it.coding.decode(data[2*at : 2*(at+it.coding.registers)])
	r.Value = value
	if n, ok := value.Number(); ok && it.scaled() {
		r.Raw, r.Value = value, sample.FloatValue(n*it.factor()+it.Offset)
	}
	if it.isInvalid(value) {
		status = StatusInvalid
	}
	if status == "" {
		status = it.doubt(r.Value)
	}
	if status != "" {
		r.Quality, r.Status = sample.Bad, status
	}
	return r
}

// bad is a reading without a value.
func (it *item) bad(status string) sample.Reading {
	return sample.Reading{Tag: it.Tag, Quality: sample.Bad, Status: status}
}

// doubt says why a value must not be believed; "" if nothing is wrong.
func (it *item) doubt(v sample.Value) string {
	n, isNumber := v.Number()
	switch {
	case !v.Finite():
		return StatusNotFinite
	case it.Range != nil && isNumber && (n < it.Range[0] || n > it.Range[1]):
		return StatusRange
	}
	return ""
}

func (it *item) isInvalid(raw sample.Value) bool {
	for _, x := range it.Invalid {
		if x.Equal(raw) {
			return true
		}
	}
	return false
}

func (it *item) scaled() bool { return it.Scale != 0 || it.Offset != 0 }

func (it *item) factor() float64 {
	if it.Scale == 0 {
		return 1
	}
	return it.Scale
}
