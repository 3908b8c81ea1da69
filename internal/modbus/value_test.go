package modbus

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"andon/internal/sample"
)

func regs(words ...uint16) []byte {
	var b []byte
	for _, w := range words {
		b = append(b, byte(w>>8), byte(w))
	}
	return b
}

// Each row was worked out by hand: 0x0A0B0C0D and its kin in every order.
func TestDecode(t *testing.T) {
	num, integer, flt, str, yes := sample.UintValue, sample.IntValue, sample.FloatValue, sample.StringValue, sample.BoolValue(true)
	tests := []struct {
		name  string
		regs  []byte
		typ   string
		order string
		bit   int
		want  sample.Value
		bad   string
	}{
		{"int16", regs(0x8000), "int16", "", 0, integer(-32768), ""},
		{"uint16", regs(0x8000), "uint16", "", 0, num(32768), ""},
		{"uint32 ABCD", regs(0x0A0B, 0x0C0D), "uint32", "ABCD", 0, num(0x0A0B0C0D), ""},
		{"uint32 CDAB", regs(0x0C0D, 0x0A0B), "uint32", "CDAB", 0, num(0x0A0B0C0D), ""},
		{"uint32 BADC", regs(0x0B0A, 0x0D0C), "uint32", "BADC", 0, num(0x0A0B0C0D), ""},
		{"uint32 DCBA", regs(0x0D0C, 0x0B0A), "uint32", "DCBA", 0, num(0x0A0B0C0D), ""},
		{"int32", regs(0xFFFF, 0xFFFE), "int32", "ABCD", 0, integer(-2), ""},
		{"int32 CDAB", regs(0xFFFE, 0xFFFF), "int32", "CDAB", 0, integer(-2), ""},
		{"uint64 ABCD", regs(0x0102, 0x0304, 0x0506, 0x0708), "uint64", "ABCD", 0, num(0x0102030405060708), ""},
		{"uint64 CDAB", regs(0x0708, 0x0506, 0x0304, 0x0102), "uint64", "CDAB", 0, num(0x0102030405060708), ""},
		{"uint64 BADC", regs(0x0201, 0x0403, 0x0605, 0x0807), "uint64", "BADC", 0, num(0x0102030405060708), ""},
		{"uint64 DCBA", regs(0x0807, 0x0605, 0x0403, 0x0201), "uint64", "DCBA", 0, num(0x0102030405060708), ""},
		{"int64 keeps every digit", regs(0xFFDF, 0xFFFF, 0xFFFF, 0xFFFF), "int64", "ABCD", 0, integer(-(1 << 53) - 1), ""},
		{"float32", regs(0x42F6, 0xE979), "float32", "ABCD", 0, flt(float64(float32(123.456))), ""},
		{"float32 CDAB", regs(0xE979, 0x42F6), "float32", "CDAB", 0, flt(float64(float32(123.456))), ""},
		{"float64", regs(0x405E, 0xDD2F, 0x1A9F, 0xBE77), "float64", "ABCD", 0, flt(123.456), ""},
		{"float64 DCBA", regs(0x77BE, 0x9F1A, 0x2FDD, 0x5E40), "float64", "DCBA", 0, flt(123.456), ""},
		{"not a number", regs(0x7FC0, 0x0001), "float32", "ABCD", 0, flt(math.Float64frombits(0x7FF8000020000000)), StatusNotFinite},
		{"infinite", regs(0xFF80, 0), "float32", "ABCD", 0, flt(math.Inf(-1)), StatusNotFinite},
		{"infinite, 64 bits", regs(0x7FF0, 0, 0, 0), "float64", "ABCD", 0, flt(math.Inf(1)), StatusNotFinite},
		{"bcd16", regs(0x1234), "bcd16", "", 0, num(1234), ""},
		{"bcd16 zero", regs(0), "bcd16", "", 0, num(0), ""},
		{"bcd32 CDAB", regs(0x5678, 0x9012), "bcd32", "CDAB", 0, num(90125678), ""},
		{"no digit", regs(0x12A4), "bcd16", "", 0, sample.Value{}, StatusNotBCD},
		{"bit", regs(0x0008), "bool", "", 3, yes, ""},
		{"bit beside", regs(0x0008), "bool", "", 4, sample.BoolValue(false), ""},
		{"bit 15", regs(0x8000), "bool", "", 15, yes, ""},
		{"text", regs(0x4C2D, 0x3137), "string(4)", "", 0, str("L-17"), ""},
		{"text, low byte first", regs(0x2D4C, 0x3731), "string(4)", "BADC", 0, str("L-17"), ""},
		{"text of odd length", regs(0x4C2D, 0x3137), "string(3)", "ABCD", 0, str("L-1"), ""},
		{"text ends at zero", regs(0x4C00, 0x3137), "string(4)", "", 0, str("L"), ""},
		{"text padded with blanks", regs(0x204C, 0x2020), "string(4)", "", 0, str(" L"), ""},
		{"text of nothing", regs(0, 0), "string(4)", "", 0, str(""), ""},
		{"text not UTF-8", regs(0x4CFF), "string(2)", "", 0, sample.Value{}, StatusText},
		{"text with a control character", regs(0x4C07), "string(2)", "", 0, sample.Value{}, StatusText},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := newCoding(Holding, tt.typ, tt.order, tt.bit)
			if err != nil {
				t.Fatal(err)
			}
			if got, bad := c.decode(tt.regs); got != tt.want || bad != tt.bad {
				t.Errorf("got %v (%x) %q, want %v (%x) %q", got, got.Bits(), bad, tt.want, tt.want.Bits(), tt.bad)
			}
		})
	}
}

// A reading out of an answer that holds more than its own registers.
func TestReading(t *testing.T) {
	answer := regs(0x1111, 0x0064, 0xFFFF, 0x7FC0, 0x0000)
	item := func(address uint16, typ, order string, f func(*Item)) Item {
		it := Item{Tag: 7, Table: Holding, Address: address, Type: typ, Order: order, Every: time.Second}
		if f != nil {
			f(&it)
		}
		return it
	}
	good := sample.Reading{Tag: 7}
	bad := func(status string, v, raw sample.Value) sample.Reading {
		return sample.Reading{Tag: 7, Value: v, Raw: raw, Quality: sample.Bad, Status: status}
	}
	with := func(v, raw sample.Value) sample.Reading { r := good; r.Value, r.Raw = v, raw; return r }
	var none sample.Value
	tests := []struct {
		name string
		item Item
		want sample.Reading
	}{
		{"plain", item(101, "uint16", "", nil), with(sample.UintValue(100), none)},
		{"scaled", item(101, "uint16", "", func(it *Item) { it.Scale, it.Offset = 0.5, -3 }), with(sample.FloatValue(47), sample.UintValue(100))},
		{"offset alone", item(101, "int16", "", func(it *Item) { it.Offset = 1 }), with(sample.FloatValue(101), sample.IntValue(100))},
		{"the ends of the range are in it", item(101, "uint16", "", func(it *Item) { it.Range = &[2]float64{100, 100} }), with(sample.UintValue(100), none)},
		{"out of range once scaled", item(101, "uint16", "", func(it *Item) { it.Scale, it.Range = 2, &[2]float64{0, 199} }),
			bad(StatusRange, sample.FloatValue(200), sample.UintValue(100))},
		{"a number that means none", item(102, "uint16", "", func(it *Item) { it.Invalid = []sample.Value{sample.UintValue(0xFFFF)} }),
			bad(StatusInvalid, sample.UintValue(0xFFFF), none)},
		{"raw, not scaled, means none", item(101, "uint16", "", func(it *Item) { it.Scale = 2; it.Invalid = []sample.Value{sample.IntValue(100)} }),
			bad(StatusInvalid, sample.FloatValue(200), sample.UintValue(100))},
		{"not a number stays what it is", item(103, "float32", "ABCD", func(it *Item) { it.Scale, it.Range = 2, &[2]float64{0, 1} }),
			bad(StatusNotFinite, sample.FloatValue(math.Float64frombits(0x7FF8000000000000)), none)},
		{"infinite once scaled", item(101, "uint16", "", func(it *Item) { it.Scale = math.MaxFloat64 }),
			bad(StatusNotFinite, sample.FloatValue(math.Inf(1)), sample.UintValue(100))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			it, err := newItem(tt.item)
			if err != nil {
				t.Fatal(err)
			}
			if got := it.reading(answer, 100); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	coil, err := newItem(Item{Tag: 7, Table: Coil, Address: 1009, Type: "bool", Every: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if got := coil.reading([]byte{0xFF, 0x02}, 1000); got.Value != sample.BoolValue(true) {
		t.Errorf("coil: got %+v", got)
	}
	if got := coil.reading([]byte{0xFF, 0xFD}, 1000); got.Value != sample.BoolValue(false) {
		t.Errorf("coil: got %+v", got)
	}
}

// What cannot be read is refused when the source is made, all of it at once.
func TestOptionsRefused(t *testing.T) {
	ok := Item{Table: Holding, Type: "int16", Every: time.Second}
	tests := []struct {
		name string
		edit func(*Options, *Item)
		want string
	}{
		{"no name", func(o *Options, _ *Item) { o.Name = "" }, "name is empty"},
		{"no port", func(o *Options, _ *Item) { o.Address = "10.0.0.1" }, "host:port"},
		{"timeout", func(o *Options, _ *Item) { o.Timeout = time.Hour }, "timeout"},
		{"registers", func(o *Options, _ *Item) { o.MaxRegisters = 126 }, "max_registers"},
		{"gap", func(o *Options, _ *Item) { o.MaxGap = -1 }, "max_gap"},
		{"table", func(_ *Options, it *Item) { it.Table = "register" }, "table"},
		{"type", func(_ *Options, it *Item) { it.Type = "real" }, "type"},
		{"no order", func(_ *Options, it *Item) { it.Type = "float32" }, "order"},
		{"needless order", func(_ *Options, it *Item) { it.Order = "ABCD" }, "order"},
		{"order of a text", func(_ *Options, it *Item) { it.Type, it.Order = "string(4)", "CDAB" }, "order"},
		{"text without end", func(_ *Options, it *Item) { it.Type = "string(4" }, "string(1)"},
		{"long text", func(_ *Options, it *Item) { it.Type = "string(251)" }, "string(1)"},
		{"bit", func(_ *Options, it *Item) { it.Type, it.Bit = "bool", 16 }, "bit"},
		{"number of a coil", func(_ *Options, it *Item) { it.Table = Coil }, "want bool"},
		{"every", func(_ *Options, it *Item) { it.Every = 0 }, "every"},
		{"beyond the table", func(_ *Options, it *Item) { it.Type, it.Order, it.Address = "int32", "ABCD", 65535 }, "65535"},
		{"scale of a text", func(_ *Options, it *Item) { it.Type, it.Scale = "string(4)", 2 }, "scaled"},
		{"range of a bit", func(_ *Options, it *Item) { it.Type, it.Range = "bool", &[2]float64{0, 1} }, "range"},
		{"range upside down", func(_ *Options, it *Item) { it.Range = &[2]float64{1, 0} }, "range"},
		{"scale", func(_ *Options, it *Item) { it.Scale = math.NaN() }, "scale"},
		{"wider than a read", func(o *Options, it *Item) { o.MaxRegisters = 1; it.Type, it.Order = "int32", "ABCD" }, "max_registers"},
		{"in a hole", func(o *Options, it *Item) { o.Holes = []Hole{{Holding, 5, 9}}; it.Address = 9 }, "hole"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			it := ok
			o := Options{Name: "s", Address: "127.0.0.1:502"}
			tt.edit(&o, &it)
			o.Items = []Item{it}
			if _, err := New(o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something about %q", err, tt.want)
			}
		})
	}
	_, err := New(Options{Address: "x", Items: []Item{{}, {Table: Holding}}})
	for _, want := range []string{"name", "address", "table", "type", "twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not all at once: %v lacks %q", err, want)
		}
	}
}

// Whatever registers hold, decoding gives a value of the right kind or a reason,
// and a good number is finite. Reversing the orders' rearrangement gives the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x42, 0xF6, 0xE9, 0x79, 0, 0, 0, 0}, uint8(3), uint8(1), uint8(0))
	f.Add([]byte{0x7F, 0xC0, 0, 0, 0x7F, 0xF0, 0, 0}, uint8(7), uint8(2), uint8(15))
	f.Add([]byte{0x12, 0xA4, 0x99, 0x99, 'L', '-', 0, 0xFF}, uint8(9), uint8(3), uint8(9))
	f.Fuzz(func(t *testing.T, b []byte, typ, order, n uint8) {
		types := append(Types(), "bool", "string(3)", "string(8)")
		name, o := types[int(typ)%len(types)], Orders()[order%4]
		c, err := newCoding(Holding, name, o, int(n%16))
		if err != nil {
			c, err = newCoding(Holding, name, "", int(n%16))
		}
		if err != nil || len(b) < 2*c.registers {
			return
		}
		v, status := c.decode(b)
		if status == "" && (v.Kind() == sample.None || !v.Finite()) {
			t.Fatalf("%s %s of %x: %v is no good value", name, o, b, v)
		}
		straight := c
		straight.lowFirst, straight.bytesSwapped = false, false
		if w, other := straight.decode(c.rearranged(b)); w != v || other != status {
			t.Fatalf("%s %s of %x: %v %q, rearranged %v %q", name, o, b, v, status, w, other)
		}
	})
}

// rearranged is a second way to put registers in order: by moving bytes.
func (c coding) rearranged(b []byte) []byte {
	b = slices.Clone(b[:2*c.registers])
	if c.bytesSwapped {
		for i := 0; i < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
	}
	if c.lowFirst {
		slices.Reverse(b)
		for i := 0; i < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
	}
	return b
}
