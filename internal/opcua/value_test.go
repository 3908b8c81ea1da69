package opcua

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/sample"
)

// given is a data value with a source time.
func given(v any, status ua.StatusCode) *ua.DataValue {
	dv := &ua.DataValue{Status: status, SourceTimestamp: time.Unix(1000, 0)}
	if v != nil {
		dv.Value = ua.MustVariant(v)
	}
	dv.UpdateMask()
	return dv
}

//andon:req Q20
func TestReading(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name string
		item Item
		in   *ua.DataValue
		want sample.Reading
	}{
		{"double", Item{Type: "float64"}, given(885.1, 0), sample.Reading{Value: sample.FloatValue(885.1)}},
		{"float is exact", Item{Type: "float32"}, given(float32(0.1), 0), sample.Reading{Value: sample.FloatValue(float64(float32(0.1)))}},
		{"bool", Item{Type: "bool"}, given(true, 0), sample.Reading{Value: sample.BoolValue(true)}},
		{"int8", Item{Type: "int8"}, given(int8(-8), 0), sample.Reading{Value: sample.IntValue(-8)}},
		{"uint8", Item{Type: "uint8"}, given(uint8(200), 0), sample.Reading{Value: sample.UintValue(200)}},
		{"int16", Item{Type: "int16"}, given(int16(-300), 0), sample.Reading{Value: sample.IntValue(-300)}},
		{"uint16", Item{Type: "uint16"}, given(uint16(65535), 0), sample.Reading{Value: sample.UintValue(65535)}},
		{"int32", Item{Type: "int32"}, given(int32(-1), 0), sample.Reading{Value: sample.IntValue(-1)}},
		{"uint32", Item{Type: "uint32"}, given(uint32(math.MaxUint32), 0), sample.Reading{Value: sample.UintValue(math.MaxUint32)}},
		{"int64", Item{Type: "int64"}, given(int64(math.MinInt64), 0), sample.Reading{Value: sample.IntValue(math.MinInt64)}},
		{"uint64", Item{Type: "uint64"}, given(uint64(math.MaxUint64), 0), sample.Reading{Value: sample.UintValue(math.MaxUint64)}},
		{"text", Item{Type: "string"}, given("L-7 ü", 0), sample.Reading{Value: sample.StringValue("L-7 ü")}},
		{"no text", Item{Type: "string"}, given("", 0), sample.Reading{Value: sample.StringValue("")}},
		{"any type", Item{}, given(int16(1), 0), sample.Reading{Value: sample.IntValue(1)}},

		{"scaled", Item{Type: "int16", Scale: 0.1, Offset: -40}, given(int16(725), 0),
			sample.Reading{Value: sample.FloatValue(725*0.1 - 40), Raw: sample.IntValue(725)}},
		{"offset alone", Item{Offset: 273.15}, given(10.0, 0), sample.Reading{Value: sample.FloatValue(283.15), Raw: sample.FloatValue(10)}},
		{"at the range's end", Item{Range: &[2]float64{0, 100}}, given(100.0, 0), sample.Reading{Value: sample.FloatValue(100)}},

		{"uncertain", Item{}, given(1.0, ua.StatusUncertainLastUsableValue), sample.Reading{Value: sample.FloatValue(1), Quality: sample.Uncertain, Status: "UncertainLastUsableValue"}},
		{"bad", Item{}, given(1.0, ua.StatusBadSensorFailure), sample.Reading{Value: sample.FloatValue(1), Quality: sample.Bad, Status: "BadSensorFailure"}},
		{"bad without a value", Item{Type: "float64"}, given(nil, ua.StatusBadNodeIDUnknown), sample.Reading{Quality: sample.Bad, Status: "BadNodeIdUnknown"}},
		{"good with a note", Item{}, given(1.0, ua.StatusGoodLocalOverride), sample.Reading{Value: sample.FloatValue(1), Status: "GoodLocalOverride"}},
		{"overflow is not a status", Item{}, given(1.0, 0x480), sample.Reading{Value: sample.FloatValue(1)}},
		{"unknown status", Item{}, given(1.0, 0x8FFF0000), sample.Reading{Value: sample.FloatValue(1), Quality: sample.Bad, Status: "0x8FFF0000"}},
		{"reserved severity", Item{}, given(1.0, 0xC0000000), sample.Reading{Value: sample.FloatValue(1), Quality: sample.Bad, Status: "0xC0000000"}},

		{"another type", Item{Type: "float64"}, given(float32(1), 0), sample.Reading{Quality: sample.Bad, Status: StatusType}},
		{"number for text", Item{Type: "string"}, given(int32(1), 0), sample.Reading{Quality: sample.Bad, Status: StatusType}},
		{"array", Item{Type: "float64"}, given([]float64{1}, 0), sample.Reading{Quality: sample.Bad, Status: StatusType}},
		{"a type of none of ours", Item{}, given(time.Unix(0, 0), 0), sample.Reading{Quality: sample.Bad, Status: StatusType}},
		{"no value", Item{}, given(nil, 0), sample.Reading{Quality: sample.Bad, Status: StatusNoValue}},
		{"null", Item{}, &ua.DataValue{EncodingMask: ua.DataValueValue, Value: &ua.Variant{}, SourceTimestamp: time.Unix(1, 0)}, sample.Reading{Quality: sample.Bad, Status: StatusNoValue}},
		{"not a number", Item{}, given(nan, 0), sample.Reading{Value: sample.FloatValue(nan), Quality: sample.Bad, Status: StatusNotFinite}},
		{"infinite", Item{Scale: 2}, given(math.Inf(1), 0), sample.Reading{Value: sample.FloatValue(math.Inf(1)), Raw: sample.FloatValue(math.Inf(1)), Quality: sample.Bad, Status: StatusNotFinite}},
		{"infinite by scaling", Item{Scale: 10}, given(math.MaxFloat64, 0), sample.Reading{Value: sample.FloatValue(math.Inf(1)), Raw: sample.FloatValue(math.MaxFloat64), Quality: sample.Bad, Status: StatusNotFinite}},
		{"out of range", Item{Range: &[2]float64{0, 100}}, given(-0.1, 0), sample.Reading{Value: sample.FloatValue(-0.1), Quality: sample.Bad, Status: StatusRange}},
		{"range is of the scaled value", Item{Range: &[2]float64{0, 100}, Scale: 0.1}, given(1001.0, 0), sample.Reading{Value: sample.FloatValue(100.10000000000001), Raw: sample.FloatValue(1001), Quality: sample.Bad, Status: StatusRange}},
		{"semantics changed", Item{}, given(1.0, semanticsBit), sample.Reading{Value: sample.FloatValue(1), Quality: sample.Bad, Status: StatusSemantics}},
		{"no time", Item{}, &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(1.0)}, sample.Reading{Value: sample.FloatValue(1), Quality: sample.Bad, Status: StatusNoTime}},
		{"server's time is a time", Item{}, &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(1.0), ServerTimestamp: time.Unix(1, 0)}, sample.Reading{Value: sample.FloatValue(1)}},
		{"text too long", Item{Type: "string(3)"}, given("abcd", 0), sample.Reading{Quality: sample.Bad, Status: StatusText}},
		{"text far too long", Item{}, given(strings.Repeat("x", maxText+1), 0), sample.Reading{Quality: sample.Bad, Status: StatusText}},
		{"not UTF-8", Item{}, given("\xff", 0), sample.Reading{Quality: sample.Bad, Status: StatusText}},
		{"a bad status wins", Item{Type: "bool"}, given(1.0, ua.StatusBadOutOfService), sample.Reading{Quality: sample.Bad, Status: "BadOutOfService"}},
		{"of another type and uncertain", Item{Type: "bool"}, given(1.0, ua.StatusUncertain), sample.Reading{Quality: sample.Bad, Status: StatusType}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.item.Node, c.item.Tag, c.want.Tag = "i=1", 9, 9
			it, err := newItem(c.item)
			if err != nil {
				t.Fatal(err)
			}
			if got := it.reading(c.in); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestNewItemRefuses(t *testing.T) {
	for name, it := range map[string]Item{
		"node":          {Node: "TC1"},
		"type":          {Node: "i=1", Type: "double"},
		"string length": {Node: "i=1", Type: "string(0)"},
		"string number": {Node: "i=1", Type: "string(x)"},
		"string end":    {Node: "i=1", Type: "string(5"},
		"scaled text":   {Node: "i=1", Type: "string", Scale: 2},
		"scaled bool":   {Node: "i=1", Type: "bool", Offset: 1},
		"scale":         {Node: "i=1", Scale: math.NaN()},
		"offset":        {Node: "i=1", Offset: math.Inf(1)},
		"range":         {Node: "i=1", Range: &[2]float64{1, 0}},
		"range NaN":     {Node: "i=1", Range: &[2]float64{math.NaN(), 0}},
		"every":         {Node: "i=1", Every: -1},
	} {
		if _, err := newItem(it); err == nil {
			t.Errorf("%s: %+v is taken", name, it)
		}
	}
}

func TestQueue(t *testing.T) {
	for every, want := range map[time.Duration]uint32{0: 1000, time.Millisecond: 1000, 100 * time.Millisecond: 100, time.Second: 10, time.Minute: 10} {
		it, err := newItem(Item{Node: "i=1", Every: every})
		if err != nil {
			t.Fatal(err)
		}
		if it.Queue != want {
			t.Errorf("every %v: queue %d, want %d", every, it.Queue, want)
		}
	}
}

func TestOptions(t *testing.T) {
	good := Options{Name: "plc", Endpoint: "opc.tcp://10.1.7.20", Policy: "Basic256Sha256", Mode: "SignAndEncrypt",
		Trust: "x", Certificate: "x", Key: "x", Items: []Item{{Tag: 1, Node: "i=1"}}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(o *Options)
		want   string
	}{
		{"name", func(o *Options) { o.Name = "" }, "name is empty"},
		{"scheme", func(o *Options) { o.Endpoint = "http://x" }, "want opc.tcp://host:port"},
		{"host", func(o *Options) { o.Endpoint = "opc.tcp://:4840" }, "want opc.tcp://host:port"},
		{"user in the address", func(o *Options) { o.Endpoint = "opc.tcp://u:p@x" }, "want opc.tcp://host:port"},
		{"url", func(o *Options) { o.Endpoint = "opc.tcp://x:port" }, "endpoint"},
		{"none", func(o *Options) { o.Policy, o.Mode = "None", "None" }, "say insecure: true"},
		{"none with sign", func(o *Options) { o.Policy = "None" }, "does not go with"},
		{"policy without mode", func(o *Options) { o.Mode = "None" }, "does not go with"},
		{"withdrawn policy", func(o *Options) { o.Policy, o.Insecure = "Basic256", true }, "security policy"},
		{"no policy", func(o *Options) { o.Policy = "" }, "security policy"},
		{"no mode", func(o *Options) { o.Mode = "" }, "security mode"},
		{"trust", func(o *Options) { o.Trust = "" }, "trust is not set"},
		{"certificate", func(o *Options) { o.Certificate = "" }, "our own certificate"},
		{"publish", func(o *Options) { o.Publish = time.Millisecond }, "publish 1ms"},
		{"tag twice", func(o *Options) { o.Items = append(o.Items, o.Items[0]) }, "twice"},
		{"item", func(o *Options) { o.Items = []Item{{Node: "x"}} }, "want i=, s=, g= or b="},
	} {
		o := good
		c.change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	all := Options{Policy: "None", Mode: "None", Publish: time.Hour}
	if _, err := New(all); err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want all four errors at once, got %v", err)
	}
}
