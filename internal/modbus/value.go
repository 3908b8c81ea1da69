package modbus

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"andon/internal/sample"
)

// Statuses of readings that were made bad because of their value. Those of reads
// that failed are in failure.go.
const (
	StatusInvalid   = "invalid"      // one of Item.Invalid: the device says it has no value
	StatusRange     = "out_of_range" // outside Item.Range
	StatusNotFinite = "not_a_number" // NaN or an infinity, as read or once scaled
	StatusNotBCD    = "not_bcd"      // a digit above 9
	StatusText      = "bad_text"     // not UTF-8, or with control characters
)

// Table is one of the four tables of a Modbus device.
type Table string

// The tables.
const (
	Coil     Table = "coil"
	Discrete Table = "discrete"
	Holding  Table = "holding"
	Input    Table = "input"
)

// Bits reports whether the table holds single bits; the others hold registers of
// 16 bits.
func (t Table) Bits() bool { return t == Coil || t == Discrete }

// Types are the types of numbers that registers make, by their names in
// settings; beside them there are bool and string(N).
func Types() []string {
	return []string{"int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bcd16", "bcd32"}
}

// Orders are the orders in which the bytes of a value above 16 bits may lie,
// named after four bytes of which A is the highest: ABCD has the highest register
// first, CDAB the lowest register first; BADC and DCBA are the same two with the
// bytes of each register exchanged. Of 64 bits, in the same way, ABCD and BADC
// have the highest of the four registers first, CDAB and DCBA the lowest.
func Orders() []string { return []string{"ABCD", "CDAB", "BADC", "DCBA"} }

// maxText is the longest text of one read, in characters.
const maxText = 250

// coding is how a value lies in registers.
type coding struct {
	name          string // of the type, without the length of a text
	registers     int    // that one value takes; of a bit table: bits
	length        int    // of a text, in characters
	lowFirst      bool   // the register with the lowest bits comes first
	bytesSwapped  bool   // the low byte of each register comes first
	bit           int    // of a bool out of a register
	outOfBitTable bool
}

// newCoding checks and joins a type, its order and its bit.
func newCoding(table Table, typ, order string, bit int) (coding, error) {
	c := coding{name: typ, registers: 1, bit: bit, outOfBitTable: table.Bits()}
	if table.Bits() {
		if typ != "bool" {
			return c, fmt.Errorf("type %s of a %s: want bool", typ, table)
		}
		return c, nil
	}
	if typ == "bool" {
		if bit < 0 || bit > 15 {
			return c, fmt.Errorf("bit %d of a register: want 0 to 15", bit)
		}
		return c, nil
	}
	if n, ok := strings.CutPrefix(typ, "string("); ok {
		return c.text(n, order)
	}
	bits, ok := map[string]int{"int16": 16, "uint16": 16, "bcd16": 16, "int32": 32, "uint32": 32, "float32": 32, "bcd32": 32,
		"int64": 64, "uint64": 64, "float64": 64}[typ]
	if !ok {
		return c, fmt.Errorf("type %q: want bool, string(N) or one of %s", typ, strings.Join(Types(), " "))
	}
	c.registers = bits / 16
	return c.ordered(order)
}

func (c coding) text(length, order string) (coding, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(length, ")"))
	if err != nil || !strings.HasSuffix(length, ")") || n < 1 || n > maxText {
		return c, fmt.Errorf("type %s: want string(1) to string(%d)", c.name, maxText)
	}
	c.name, c.length, c.registers = "string", n, (n+1)/2
	switch order {
	case "", "ABCD":
	case "BADC":
		c.bytesSwapped = true
	default:
		return c, fmt.Errorf("order %q of a text: want ABCD, or BADC for the low byte first", order)
	}
	return c, nil
}

// ordered takes the order. There is no default above 16 bits: each device does
// it its own way, and a wrong guess reads plausible wrong values.
func (c coding) ordered(order string) (coding, error) {
	switch {
	case c.registers == 1 && order == "":
		return c, nil
	case c.registers == 1:
		return c, fmt.Errorf("order %s of type %s: only values above 16 bits have one", order, c.name)
	}
	switch order {
	case "ABCD":
	case "CDAB":
		c.lowFirst = true
	case "BADC":
		c.bytesSwapped = true
	case "DCBA":
		c.lowFirst, c.bytesSwapped = true, true
	default:
		return c, fmt.Errorf("order %q of type %s: want one of %s", order, c.name, strings.Join(Orders(), " "))
	}
	return c, nil
}

// decode makes the raw value of the bytes of c.registers registers as they came,
// and says what is wrong with it; "" if nothing is. It panics when there are
// fewer: whoever calls has checked the answer's length.
func (c coding) decode(b []byte) (v sample.Value, status string) {
	if c.name == "string" {
		return c.decodeText(b)
	}
	u := c.number(b)
	switch c.name {
	case "bool":
		return sample.BoolValue(u>>c.bit&1 == 1), ""
	case "int16":
		return sample.IntValue(int64(int16(u))), ""
	case "int32":
		return sample.IntValue(int64(int32(u))), ""
	case "int64":
		return sample.IntValue(int64(u)), ""
	case "uint16", "uint32", "uint64":
		return sample.UintValue(u), ""
	case "float32":
		return finite(float64(math.Float32frombits(uint32(u))))
	case "float64":
		return finite(math.Float64frombits(u))
	case "bcd16", "bcd32":
		return bcd(u)
	}
	panic("modbus: type " + c.name + " was not checked")
}

// number joins the registers to one number, the first bit the lowest.
func (c coding) number(b []byte) uint64 {
	var u uint64
	for i := range c.registers {
		r := i
		if c.lowFirst {
			r = c.registers - 1 - i
		}
		high, low := b[2*r], b[2*r+1]
		if c.bytesSwapped {
			high, low = low, high
		}
		u = u<<16 | uint64(high)<<8 | uint64(low)
	}
	return u
}

func finite(f float64) (sample.Value, string) {
	v := sample.FloatValue(f)
	if !v.Finite() {
		return v, StatusNotFinite
	}
	return v, ""
}

// bcd reads four bits a decimal digit. There is no value when one is no digit.
func bcd(u uint64) (sample.Value, string) {
	var n, factor uint64 = 0, 1
	for ; u != 0; u >>= 4 {
		digit := u & 15
		if digit > 9 {
			return sample.Value{}, StatusNotBCD
		}
		n += digit * factor
		factor *= 10
	}
	return sample.UintValue(n), ""
}

// decodeText reads two characters a register, up to the first zero byte; blanks
// at the end are padding and are left out.
func (c coding) decodeText(b []byte) (sample.Value, string) {
	text := make([]byte, 0, c.length+1)
	for i := range c.registers {
		high, low := b[2*i], b[2*i+1]
		if c.bytesSwapped {
			high, low = low, high
		}
		text = append(text, high, low)
	}
	s, _, _ := strings.Cut(string(text[:c.length]), "\x00")
	s = strings.TrimRight(s, " ")
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return sample.Value{}, StatusText
	}
	return sample.StringValue(s), ""
}

// Decode makes the value that registers hold under a type and order (of Types
// and Orders, or bool with a bit, or string(N)). ok is false when the registers
// are too few, or hold no value of that type: a digit above 9, bytes that are no
// text; a float that is not a number is a value here.
func Decode(registers []byte, typ, order string, bit int) (v sample.Value, ok bool) {
	c, err := newCoding(Holding, typ, order, bit)
	if err != nil || len(registers) < 2*c.registers {
		return sample.Value{}, false
	}
	v, status := c.decode(registers)
	return v, status == "" || status == StatusNotFinite
}
