package modbus

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	goburrow "github.com/goburrow/modbus"
)

// framed is a frame with a header of these parts.
func framed(transaction, protocol, length uint16, unit byte, pdu ...byte) []byte {
	return append(append(regs(transaction, protocol, length), unit), pdu...)
}

// The request: unit 17, holding registers 107 to 109 (the specification's own
// example), transaction 0x1502.
func exampleFrame() tcpFrame {
	return tcpFrame{request{unit: 17, function: 3, address: 107, count: 3}, 0x1502}
}

var exampleData = []byte{0x02, 0x2B, 0x00, 0x00, 0x00, 0x64}

func TestRequestBytes(t *testing.T) {
	want := []byte{0x15, 0x02, 0, 0, 0, 6, 17, 3, 0, 107, 0, 3}
	if got := exampleFrame().append(nil); !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

// Each way in which an answer can be wrong is refused for its own reason.
func TestAnswers(t *testing.T) {
	pdu := append([]byte{3, 6}, exampleData...)
	right := framed(0x1502, 0, 9, 17, pdu...)
	tests := []struct {
		name   string
		answer []byte
		want   string // status; "" is good
	}{
		{"right", right, ""},
		{"and then more", append(bytes.Clone(right), 1, 2, 3), ""}, // found before the next request
		{"exception", framed(0x1502, 0, 3, 17, 0x83, 2), "illegal_data_address"},
		{"exception nobody knows", framed(0x1502, 0, 3, 17, 0x83, 99), "exception_99"},
		{"exception 0 is none", framed(0x1502, 0, 3, 17, 0x83, 0), StatusFunction},
		{"exception of another function", framed(0x1502, 0, 3, 17, 0x84, 2), StatusFunction},
		{"longer exception", framed(0x1502, 0, 4, 17, 0x83, 2, 2), StatusLength},
		{"of the request before", framed(0x1501, 0, 9, 17, pdu...), StatusTransaction},
		{"another protocol", framed(0x1502, 1, 9, 17, pdu...), StatusProtocol},
		{"another unit", framed(0x1502, 0, 9, 1, pdu...), StatusUnit},
		{"another function", framed(0x1502, 0, 9, 17, append([]byte{4, 6}, exampleData...)...), StatusFunction},
		{"another function of an exception's length", framed(0x1502, 0, 3, 17, 4, 2), StatusFunction},
		{"our own echoed", exampleFrame().append(nil), StatusLength},
		{"a register less", framed(0x1502, 0, 7, 17, 3, 4, 2, 0x2B, 0, 0), StatusLength},
		{"a register more", framed(0x1502, 0, 11, 17, append(append([]byte{3, 8}, exampleData...), 0, 1)...), StatusLength},
		{"count less than the data", framed(0x1502, 0, 9, 17, append([]byte{3, 4}, exampleData...)...), StatusByteCount},
		{"count of an exception's length", framed(0x1502, 0, 3, 17, 3, 0), StatusByteCount},
		{"length 0", framed(0x1502, 0, 0, 17, pdu...), StatusLength},
		{"length 1", framed(0x1502, 0, 1, 17, pdu...), StatusLength},
		{"length beyond all", framed(0x1502, 0, 0xFFFF, 17, pdu...), StatusLength},
		{"half a header", right[:5], StatusLink},
		{"half a frame", right[:12], StatusLink},
		{"nothing", nil, StatusLink},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{bytes.NewReader(tt.answer), iotest.OneByteReader(bytes.NewReader(tt.answer))} {
				data, err := askOver(exampleFrame(), r)
				if tt.want == "" {
					if err != nil || !bytes.Equal(data, exampleData) {
						t.Errorf("got % x, %v", data, err)
					}
					continue
				}
				if err == nil || statusOf(err) != tt.want || data != nil {
					t.Errorf("got % x, %v (%s), want %s", data, err, statusOf(err), tt.want)
				}
			}
		})
	}
}

// askOver asks over a connection that answers with what r gives.
func askOver(f tcpFrame, r io.Reader) ([]byte, error) {
	x := &tcpExchange{tcpFrame: f, conn: struct {
		io.Reader
		io.Writer
	}{r, io.Discard}}
	return f.ask(goburrow.NewClient2(x, x))
}

// No function that writes can be sent, by whatever part of the library, nor
// another request than the one that was meant.
func TestNothingElseCanBeAsked(t *testing.T) {
	var sent bytes.Buffer
	x := &tcpExchange{tcpFrame: exampleFrame(), conn: struct {
		io.Reader
		io.Writer
	}{bytes.NewReader(nil), &sent}}
	c := goburrow.NewClient2(x, x)
	asks := map[string]func() ([]byte, error){
		"write coil":          func() ([]byte, error) { return c.WriteSingleCoil(107, 0xFF00) },
		"write coils":         func() ([]byte, error) { return c.WriteMultipleCoils(107, 3, []byte{1}) },
		"write register":      func() ([]byte, error) { return c.WriteSingleRegister(107, 3) },
		"write registers":     func() ([]byte, error) { return c.WriteMultipleRegisters(107, 1, []byte{0, 3}) },
		"mask register":       func() ([]byte, error) { return c.MaskWriteRegister(107, 3, 0) },
		"read and write":      func() ([]byte, error) { return c.ReadWriteMultipleRegisters(107, 3, 107, 1, []byte{0, 3}) },
		"read queue":          func() ([]byte, error) { return c.ReadFIFOQueue(107) },
		"another table":       func() ([]byte, error) { return c.ReadInputRegisters(107, 3) },
		"another address":     func() ([]byte, error) { return c.ReadHoldingRegisters(108, 3) },
		"another count":       func() ([]byte, error) { return c.ReadHoldingRegisters(107, 2) },
		"a count of the bits": func() ([]byte, error) { return c.ReadCoils(107, 3) },
	}
	for name, ask := range asks {
		if _, err := ask(); err == nil || sent.Len() > 0 {
			t.Errorf("%s: got %v, sent % x", name, err, sent.Bytes())
		}
	}
	for table, f := range functions {
		if f < 1 || f > 4 {
			t.Errorf("table %s is read by function %d", table, f)
		}
	}
	if _, err := (request{function: 6, count: 1}).ask(c); err == nil {
		t.Error("a request that writes was made")
	}
}

// Whatever comes, it is refused, or it is an exception, or it is exactly what
// was asked for: the frame that an honest device would have sent.
func FuzzAnswer(f *testing.F) {
	f.Add(framed(0x1502, 0, 9, 17, append([]byte{3, 6}, exampleData...)...), uint8(17), uint8(2), uint16(3))
	f.Add(framed(0x1502, 0, 3, 17, 0x83, 2), uint8(17), uint8(2), uint16(3))
	f.Add(framed(0x1502, 0, 5, 17, 1, 2, 0xCD, 1), uint8(17), uint8(0), uint16(9))
	f.Add(framed(0x1502, 0, 7, 17, 3, 4, 2, 0x2B, 0, 0), uint8(17), uint8(2), uint16(3))
	f.Fuzz(func(t *testing.T, answer []byte, unit, function uint8, count uint16) {
		r := request{unit: unit, function: function%4 + 1, address: 107, count: count%maxRegisters + 1}
		frame := tcpFrame{r, 0x1502}
		data, err := askOver(frame, bytes.NewReader(answer))
		var e *Exception
		switch {
		case err == nil:
			honest := framed(0x1502, 0, uint16(3+len(data)), unit, append([]byte{r.function, byte(len(data))}, data...)...)
			if len(data) != r.bytes() || !bytes.HasPrefix(answer, honest) {
				t.Fatalf("% x was taken for %v: % x", answer, r, data)
			}
		case errors.As(err, &e):
			if !bytes.HasPrefix(answer, framed(0x1502, 0, 3, unit, r.function|0x80, e.Code)) {
				t.Fatalf("% x was taken for exception %d to %v", answer, e.Code, r)
			}
		}
		if whole := frame.check(answer); whole == nil && err != nil && e == nil {
			t.Fatalf("% x is right as a whole but was refused: %v", answer, err)
		}
	})
}
