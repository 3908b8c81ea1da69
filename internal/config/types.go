package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// Type is the type of a tag's value at the source. The zero Type is "as the
// source gives it" (OPC UA only).
type Type struct {
	Name   string // bool, int16, float32, string, bcd16, ...
	Length int    // of a Modbus string, in characters
}

// opcuaTypes are OPC UA's scalar types by our names.
const opcuaTypes = "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64 string"

// modbusTypes are those that registers make.
const modbusTypes = "bool int16 uint16 int32 uint32 int64 uint64 float32 float64 bcd16 bcd32"

// String is the type as the settings have it.
func (t Type) String() string {
	if t.Length > 0 {
		return fmt.Sprintf("%s(%d)", t.Name, t.Length)
	}
	return t.Name
}

// Numeric reports whether values can be scaled and have a unit. A type that is
// left to the source may be.
func (t Type) Numeric() bool { return t.Name != "bool" && t.Name != "string" }

// Bits is the width of one value; 0 where the source decides.
func (t Type) Bits() int {
	switch t.Name {
	case "bool":
		return 1
	case "string":
		return 8 * t.Length
	}
	i := strings.IndexAny(t.Name, "123456789")
	if i < 0 {
		return 0
	}
	bits, err := strconv.Atoi(t.Name[i:])
	if err != nil {
		return 0
	}
	return bits
}

// Registers is how many Modbus registers one value takes.
func (t Type) Registers() int { return max(1, (t.Bits()+15)/16) }

// signed and float tell the numbers apart.
func (t Type) signed() bool { return strings.HasPrefix(t.Name, "int") }
func (t Type) float() bool  { return t.Name == "" || strings.HasPrefix(t.Name, "float") }

// tagType reads a type out of a list; absent is the zero Type.
func tagType(n strictyaml.Node, allowed string) Type {
	if !n.Present() {
		return Type{}
	}
	return Type{Name: n.OneOf(strings.Fields(allowed)...)}
}

var stringForm = regexp.MustCompile(`^string\(([1-9][0-9]{0,2})\)$`)

// modbusType also takes string(N): N characters, two a register.
func modbusType(n strictyaml.Node) Type {
	const most = 250
	m := stringForm.FindStringSubmatch(n.Written())
	if m == nil && strings.HasPrefix(n.Written(), "string") {
		n.Problem("a Modbus text needs its length", "write string(10): ten characters in five registers")
		return Type{}
	}
	if m == nil {
		return tagType(n, modbusTypes)
	}
	length, err := strconv.Atoi(m[1])
	if err != nil || length > most {
		n.Problem("the text is too long", fmt.Sprintf("at most string(%d), what one read can fetch", most))
		return Type{}
	}
	return Type{"string", length}
}

// invalid reads raw values that mean "no value". A hexadecimal number is a bit
// pattern: of an int16, 0x8000 is -32768.
func invalid(n strictyaml.Node, t Type) []sample.Value {
	if n.OK() && !t.Numeric() {
		n.KeyProblem(fmt.Sprintf("invalid of a tag of type %s", t), "only numbers have it: remove it, or change the type")
		return nil
	}
	var out []sample.Value
	for _, e := range n.Seq() {
		if v := raw(e, t); e.OK() {
			out = append(out, v)
		}
	}
	return out
}

// raw is one number of the type's own kind.
func raw(n strictyaml.Node, t Type) sample.Value {
	s := n.Written()
	hex := strings.HasPrefix(s, "0x")
	switch {
	case !n.OK() || t.float() && !hex:
		return sample.FloatValue(n.Float())
	case t.float():
		return sample.FloatValue(float64(n.Int(0, math.MaxInt32)))
	case t.signed() && !hex:
		low := int64(math.MinInt64) >> (64 - t.Bits())
		return sample.IntValue(n.Int(low, -1-low))
	}
	u, err := strconv.ParseUint(s, 0, 64)
	most := uint64(math.MaxUint64) >> (64 - t.Bits())
	if err != nil || u > most || !n.IsNumber() {
		n.Problem(fmt.Sprintf("%s cannot hold %s", t, s), fmt.Sprintf("give a whole number, at most 0x%X", most))
		return sample.Value{}
	}
	if t.signed() {
		shift := 64 - t.Bits()
		return sample.IntValue(int64(u<<shift) >> shift)
	}
	return sample.UintValue(u)
}

// order reads the byte order; of 64 bits A is the highest pair. There is no default above 16 bits: every device
// does it its own way, and a wrong guess reads plausible wrong values.
func order(n, tag strictyaml.Node, t Type) string {
	switch {
	case t.Name == "string" && !n.Present():
		return "ABCD"
	case t.Name == "string":
		return n.OneOf("ABCD", "BADC")
	case t.Bits() > 16 && !n.Present():
		tag.Get("type").Problem(fmt.Sprintf("%s without order", t), "add `order: ABCD`, CDAB, BADC or DCBA as the device's manual says; `andon probe` shows all four")
		return ""
	case t.Bits() > 16:
		return n.OneOf("ABCD", "CDAB", "BADC", "DCBA")
	case t.Name != "":
		n.KeyProblem(fmt.Sprintf("order of a tag of type %s", t), "only values above 16 bits have it: remove it")
	}
	return ""
}
