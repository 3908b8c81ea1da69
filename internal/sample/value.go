package sample

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Kind is the type of a value as it came from the source.
type Kind uint8

// The kinds. A 32-bit float is kept as the float64 that equals it exactly,
// since that is the number that is compared with the limits.
const (
	None Kind = iota
	Bool
	Int
	Uint
	Float
	String
)

// Value is one value of one tag. It is comparable: two values are the same
// reading when they are ==. The zero Value is "no value".
type Value struct {
	kind Kind
	bits uint64
	text string
}

// BoolValue, IntValue, UintValue, FloatValue and StringValue make values.
func BoolValue(v bool) Value {
	if v {
		return Value{kind: Bool, bits: 1}
	}
	return Value{kind: Bool}
}

// IntValue makes a signed integer value.
func IntValue(v int64) Value { return Value{kind: Int, bits: uint64(v)} }

// UintValue makes an unsigned integer value.
func UintValue(v uint64) Value { return Value{kind: Uint, bits: v} }

// FloatValue makes a floating point value; not-a-number and the infinities are
// kept as they came and are never judged (see Number).
func FloatValue(v float64) Value { return Value{kind: Float, bits: math.Float64bits(v)} }

// StringValue makes a text value.
func StringValue(v string) Value { return Value{kind: String, text: v} }

// Of makes a value from its parts, as a decoder reads them.
func Of(k Kind, bits uint64, text string) Value { return Value{kind: k, bits: bits, text: text} }

// Kind, Bits and Text are the parts of a value: its type, the 64 bits of a
// number or boolean, and the text of a string.
func (v Value) Kind() Kind { return v.kind }

// Bits returns the number's 64 bits.
func (v Value) Bits() uint64 { return v.bits }

// Text returns the text of a string value.
func (v Value) Text() string { return v.text }

// Number returns the value as the number that limits are compared with.
// ok is false for text, for no value, and for a float that is not finite.
// Integers above 2^53 are rounded to the nearest float64.
func (v Value) Number() (n float64, ok bool) {
	switch v.kind {
	case Bool, Uint:
		return float64(v.bits), true
	case Int:
		return float64(int64(v.bits)), true
	case Float:
		n = math.Float64frombits(v.bits)
		return n, !math.IsNaN(n) && !math.IsInf(n, 0)
	case None, String:
	}
	return 0, false
}

// Finite says whether v is anything but a float that is not a number or is
// infinite.
func (v Value) Finite() bool {
	if v.kind != Float {
		return true
	}
	_, ok := v.Number()
	return ok
}

// String is the value as people and payloads write it.
func (v Value) String() string {
	switch v.kind {
	case Bool:
		return strconv.FormatBool(v.bits != 0)
	case Int:
		return strconv.FormatInt(int64(v.bits), 10)
	case Uint:
		return strconv.FormatUint(v.bits, 10)
	case Float:
		return strconv.FormatFloat(math.Float64frombits(v.bits), 'g', -1, 64)
	case String:
		return v.text
	case None:
	}
	return ""
}

// Equal reports whether v and w are the same value to a reader: numbers by
// their number whatever their type, text by its bytes.
func (v Value) Equal(w Value) bool {
	if v.kind == w.kind {
		return v == w
	}
	if v.kind.integer() && w.kind.integer() {
		// of two types: the same bits, and not a negative one beside a large one
		return v.bits == w.bits && int64(v.bits) >= 0
	}
	a, okA := v.Number()
	b, okB := w.Number()
	return okA && okB && a == b
}

func (k Kind) integer() bool { return k == Int || k == Uint }

// MarshalJSON writes a number, boolean, string or null. A float that JSON
// cannot hold is written as the string "NaN", "+Inf" or "-Inf".
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case None:
		return []byte("null"), nil
	case String:
		return json.Marshal(v.text)
	case Float:
		n, ok := v.Number()
		if !ok {
			return json.Marshal(v.String())
		}
		return json.Marshal(n)
	case Bool, Int, Uint:
	}
	return []byte(v.String()), nil
}

// UnmarshalJSON reads a JSON scalar: an integer without a fraction becomes an
// Int (or Uint when it needs 64 bits), any other number a Float.
func (v *Value) UnmarshalJSON(b []byte) error {
	var x any
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	switch x := x.(type) {
	case nil:
		*v = Value{}
	case bool:
		*v = BoolValue(x)
	case string:
		*v = StringValue(x)
	case float64:
		if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
			*v = IntValue(n)
		} else if n, err := strconv.ParseUint(string(b), 10, 64); err == nil {
			*v = UintValue(n)
		} else {
			*v = FloatValue(x)
		}
	default:
		return fmt.Errorf("value %s: want a number, boolean, text or null", b)
	}
	return nil
}

// Exact is a Value that encodes to text without losing its type or a bit, for
// saved states. Value itself encodes the way people read it.
type Exact struct{ Value }

// MarshalJSON writes the kind's letter and the value as a JSON string.
func (e Exact) MarshalJSON() ([]byte, error) {
	if e.kind == String {
		return json.Marshal("s" + e.text)
	}
	return json.Marshal(string("nbiuf"[e.kind]) + strconv.FormatUint(e.bits, 16))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Exact) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s == "" {
		return fmt.Errorf("saved value %s: empty", b)
	}
	if s[0] == 's' {
		e.Value = StringValue(s[1:])
		return nil
	}
	for k, c := range "nbiuf" {
		if byte(c) == s[0] {
			bits, err := strconv.ParseUint(s[1:], 16, 64)
			e.Value = Of(Kind(k), bits, "")
			return err
		}
	}
	return fmt.Errorf("saved value %s: unknown kind", b)
}
