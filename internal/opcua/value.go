package opcua

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gopcua/opcua/ua"

	"andon/internal/sample"
)

// Statuses of readings that we made bad ourselves. All others are the names of
// OPC UA status codes, as in BadSensorFailure.
const (
	StatusType      = "type mismatch"     // a value of another type than declared
	StatusRange     = "out of range"      // outside Item.Range
	StatusNotFinite = "not a number"      // NaN or an infinity
	StatusNoValue   = "no value"          // the server gave none, and said good
	StatusNoTime    = "no time"           // neither source nor server time
	StatusText      = "text not usable"   // not UTF-8, or too long
	StatusSemantics = "semantics changed" // the server says that unit or range of the node have changed
	StatusNamespace = "unknown namespace" // the server does not know the node's namespace URI
)

// Bits of a status code beside its meaning (OPC 10000-4, 7.39.1).
const (
	overflowBits  = 0x480 // info type DataValue, and Overflow
	semanticsBit  = 0x4000
	meaningMask   = 0xFFFF0000
	severityMask  = 0xC0000000
	severityGood  = 0x00000000
	severityMaybe = 0x40000000
)

// maxText is the longest text that a reading may hold, in bytes.
const maxText = 4096

// item is an Item made ready: parsed, with its defaults.
type item struct {
	Item
	node    node
	typeID  ua.TypeID // 0: any
	maxText int
}

// types are the declared types by their names in settings.
var types = map[string]ua.TypeID{
	"bool": ua.TypeIDBoolean, "int8": ua.TypeIDSByte, "uint8": ua.TypeIDByte,
	"int16": ua.TypeIDInt16, "uint16": ua.TypeIDUint16,
	"int32": ua.TypeIDInt32, "uint32": ua.TypeIDUint32,
	"int64": ua.TypeIDInt64, "uint64": ua.TypeIDUint64,
	"float32": ua.TypeIDFloat, "float64": ua.TypeIDDouble, "string": ua.TypeIDString,
}

// newItem checks an item.
func newItem(it Item) (*item, error) {
	n, err := parseNode(it.Node)
	if err != nil {
		return nil, err
	}
	r := &item{Item: it, node: n, maxText: maxText}
	if err := r.declare(it.Type); err != nil {
		return nil, err
	}
	switch {
	case it.Every < 0:
		return nil, errors.New("every is below 0")
	case math.IsNaN(it.Scale+it.Offset) || math.IsInf(it.Scale+it.Offset, 0):
		return nil, errors.New("scale and offset must be numbers")
	case (it.Scale != 0 || it.Offset != 0) && (r.typeID == ua.TypeIDString || r.typeID == ua.TypeIDBoolean):
		return nil, fmt.Errorf("a %s cannot be scaled", it.Type)
	case it.Range != nil && !(it.Range[0] <= it.Range[1]):
		return nil, errors.New("range: the low end is above the high end")
	}
	if r.Queue == 0 {
		r.Queue = queueFor(it.Every)
	}
	return r, nil
}

// declare reads the declared type.
func (it *item) declare(name string) error {
	if n, ok := strings.CutPrefix(name, "string("); ok {
		v, err := strconv.Atoi(strings.TrimSuffix(n, ")"))
		if err != nil || !strings.HasSuffix(n, ")") || v < 1 || v > maxText {
			return fmt.Errorf("type %s: want string(1) to string(%d)", name, maxText)
		}
		it.typeID, it.maxText = ua.TypeIDString, v
		return nil
	}
	id, ok := types[name]
	if !ok && name != "" {
		return fmt.Errorf("type %q is not known", name)
	}
	it.typeID = id
	return nil
}

// queueFor is room for ten seconds of values: longer than it takes to notice
// that nothing comes any more.
func queueFor(every time.Duration) uint32 {
	const least, most = 10, 1000
	if every <= 0 {
		return most
	}
	return uint32(min(max(10*time.Second/every, least), most))
}

// reading makes a reading of what the server gave. It does not look at times,
// but for one thing: a value without any is bad.
func (it *item) reading(dv *ua.DataValue) sample.Reading {
	r := sample.Reading{Tag: it.Tag}
	r.Quality, r.Status = quality(dv.Status)
	value, status := it.value(dv)
	r.Value = value
	if it.scaled() && value.Kind() != sample.None && value.Kind() != sample.String {
		r.Raw, r.Value = value, it.scale(value)
	}
	if status == "" {
		status = it.doubt(r.Value, dv)
	}
	if status != "" && r.Quality != sample.Bad {
		r.Quality, r.Status = sample.Bad, status
	}
	return r
}

// doubt says why a value of the right type must not be believed; "" if nothing
// is wrong.
func (it *item) doubt(v sample.Value, dv *ua.DataValue) string {
	n, isNumber := v.Number()
	switch {
	case !v.Finite():
		return StatusNotFinite
	case it.Range != nil && isNumber && (n < it.Range[0] || n > it.Range[1]):
		return StatusRange
	case dv.Status&semanticsBit != 0:
		return StatusSemantics
	case dv.SourceTimestamp.IsZero() && dv.ServerTimestamp.IsZero():
		return StatusNoTime
	}
	return ""
}

func (it *item) scaled() bool { return it.Scale != 0 || it.Offset != 0 }

// scale makes the engineering value. Integers above 2^53 are rounded.
func (it *item) scale(v sample.Value) sample.Value {
	f := it.Scale
	if f == 0 {
		f = 1
	}
	n, ok := v.Number()
	if !ok {
		return v // not finite: stays as it is, and is bad
	}
	return sample.FloatValue(n*f + it.Offset)
}

// value returns the value as read, or why there is none.
func (it *item) value(dv *ua.DataValue) (v sample.Value, status string) {
	if !dv.Has(ua.DataValueValue) || dv.Value == nil || dv.Value.Type() == ua.TypeIDNull {
		return sample.Value{}, StatusNoValue
	}
	if dv.Value.Has(ua.VariantArrayValues) || it.typeID != 0 && dv.Value.Type() != it.typeID {
		return sample.Value{}, StatusType
	}
	v, ok := scalar(dv.Value.Value())
	if !ok {
		return sample.Value{}, StatusType
	}
	if text := v.Text(); len(text) > it.maxText || !utf8.ValidString(text) {
		return sample.Value{}, StatusText
	}
	return v, ""
}

// scalar makes a value of one of the types that can be declared.
func scalar(x any) (v sample.Value, ok bool) {
	switch x := x.(type) {
	case bool:
		return sample.BoolValue(x), true
	case int8:
		return sample.IntValue(int64(x)), true
	case int16:
		return sample.IntValue(int64(x)), true
	case int32:
		return sample.IntValue(int64(x)), true
	case int64:
		return sample.IntValue(x), true
	case uint8:
		return sample.UintValue(uint64(x)), true
	case uint16:
		return sample.UintValue(uint64(x)), true
	case uint32:
		return sample.UintValue(uint64(x)), true
	case uint64:
		return sample.UintValue(x), true
	case float32:
		return sample.FloatValue(float64(x)), true
	case float64:
		return sample.FloatValue(x), true
	case string:
		return sample.StringValue(x), true
	}
	return sample.Value{}, false
}

// quality is the severity and the name of a status code. A plain good one has
// no name. The reserved fourth severity is bad.
func quality(code ua.StatusCode) (sample.Quality, string) {
	switch code & severityMask {
	case severityGood:
		if code&meaningMask == 0 {
			return sample.Good, ""
		}
		return sample.Good, statusName(code)
	case severityMaybe:
		return sample.Uncertain, statusName(code)
	}
	return sample.Bad, statusName(code)
}

// statusName is a status code's name in the standard, as in BadTimeout, or its
// number; the bits beside its meaning are left out.
func statusName(code ua.StatusCode) string {
	code &= meaningMask
	if d, ok := ua.StatusCodes[code]; ok {
		// The library spells abbreviations in capitals, the standard does not.
		return strings.NewReplacer("Status", "", "ID", "Id", "URI", "Uri", "URL", "Url", "TCP", "Tcp").Replace(d.Name)
	}
	return fmt.Sprintf("0x%08X", uint32(code))
}

func overflowed(code ua.StatusCode) bool { return code&overflowBits == overflowBits }
