package gateway

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"andon/internal/config"
	"andon/internal/modbus"
	"andon/internal/plant/modbusserver"
	"andon/internal/record"
	"andon/internal/sample"
)

const modbusSettings = `gateway: {id: gw, site: acme/plant1}
data: {dir: data}
specs: {dir: specs, approvers: approvers.yaml}
sources:
  press-bus:
    modbus: {address: "ADDRESS", timeout: 700ms, max_registers: 60, max_gap: 4, holes: {holding: [200-299], coil: [3]}}
  line:
    modbus: {address: "rtu:///dev/ttyUSB0?baud=19200&parity=E"}
equipment:
  press-1:
    tags:
      force: {source: press-bus, unit_id: 1, read: holding, address: 100, type: float32, order: CDAB, every: 200ms, scale: 0.1, offset: -3, unit: kN, range: [0, 500], invalid: [0xFFFF]}
      lot:   {source: press-bus, unit_id: 1, ref: 400103, type: string(5), every: 1s}
      door:  {source: press-bus, unit_id: 1, read: holding, address: 110, type: bool, bit: 3, every: 1s}
      alive: {source: press-bus, unit_id: 1, read: coil, address: 8, type: bool, every: 1s}
      other: {source: line, unit_id: 7, read: input, address: 1, type: int16, every: 1s}
`

func parsed(t *testing.T, address string) *config.Config {
	t.Helper()
	c, err := config.Parse(filepath.Join(t.TempDir(), "gateway.yaml"), []byte(strings.ReplaceAll(modbusSettings, "ADDRESS", address)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every word of the settings reaches the source, and nothing of another's.
func TestModbusOptions(t *testing.T) {
	c := parsed(t, "tcp://10.1.7.30:502")
	w := Wiring(c, &record.Wiring{})
	want := modbus.Options{Name: "press-bus", Address: "10.1.7.30:502", Timeout: 700 * time.Millisecond, MaxRegisters: 60, MaxGap: 4,
		Holes: []modbus.Hole{{Table: modbus.Coil, First: 3, Last: 3}, {Table: modbus.Holding, First: 200, Last: 299}},
		Items: []modbus.Item{
			{Tag: 0, Unit: 1, Table: modbus.Holding, Address: 100, Type: "float32", Order: "CDAB", Bit: -1, Every: 200 * time.Millisecond,
				Scale: 0.1, Offset: -3, Range: &[2]float64{0, 500}, Invalid: []sample.Value{sample.FloatValue(0xFFFF)}},
			{Tag: 1, Unit: 1, Table: modbus.Holding, Address: 102, Type: "string(5)", Order: "ABCD", Bit: -1, Every: time.Second},
			{Tag: 2, Unit: 1, Table: modbus.Holding, Address: 110, Type: "bool", Bit: 3, Every: time.Second},
			{Tag: 3, Unit: 1, Table: modbus.Coil, Address: 8, Type: "bool", Bit: -1, Every: time.Second},
		}}
	got := modbusOptions(c, &c.Sources[0], &w)
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b sample.Value) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := modbus.New(got); err != nil {
		t.Error(err)
	}
	if !readable(&c.Sources[0]) || readable(&c.Sources[1]) {
		t.Error("of TCP and a serial line, TCP is what can be read")
	}
}

// Reading once gives every tag of a device, in words.
func TestReadModbusOnce(t *testing.T) {
	s, err := modbusserver.Listen("", 1)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context()) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	s.Set(&modbusserver.Image{Holding: map[uint16]uint16{100: 0x8000, 101: 0x4348, 102: 0x4C2D, 103: 0x3100, 104: 0, 110: 8}})
	o := Options{Config: parsed(t, s.Endpoint()), Log: slog.New(slog.DiscardHandler)}
	list := ReadOnce(t.Context(), o)
	if len(list) != 1 || list[0].Err != nil || len(list[0].Readings) != 4 {
		t.Fatalf("got %+v", list)
	}
	for i, want := range []TagReading{
		{Tag: "press-1/force", Value: "17.05", Unit: "kN", Quality: "good"},
		{Tag: "press-1/lot", Value: "L-1", Quality: "good"},
		{Tag: "press-1/door", Value: "true", Quality: "good"},
		{Tag: "press-1/alive", Quality: "bad illegal_data_address", Bad: true},
	} {
		got := list[0].Readings[i]
		if got.Time == "" {
			t.Errorf("%s has no time", got.Tag)
		}
		if got.Time = ""; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
