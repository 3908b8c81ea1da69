package modbusserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func image() *Image {
	return &Image{Holding: map[uint16]uint16{10: 0x1234, 11: 0x5678, 0xFFFF: 1}, Coils: map[uint16]bool{0: true, 1: false, 2: true, 8: true}}
}

func TestAnswer(t *testing.T) {
	tests := []struct {
		name string
		pdu  []byte
		want []byte
	}{
		{"registers", []byte{3, 0, 10, 0, 2}, []byte{3, 4, 0x12, 0x34, 0x56, 0x78}},
		{"the last register", []byte{3, 0xFF, 0xFF, 0, 1}, []byte{3, 2, 0, 1}},
		{"beyond the last register", []byte{3, 0xFF, 0xFF, 0, 2}, []byte{0x83, 2}},
		{"coils", []byte{1, 0, 0, 0, 3}, []byte{1, 1, 5}},
		{"a coil that is not there", []byte{1, 0, 0, 0, 4}, []byte{0x81, 2}},
		{"a register that is not there", []byte{3, 0, 10, 0, 3}, []byte{0x83, 2}},
		{"another table", []byte{4, 0, 10, 0, 1}, []byte{0x84, 2}},
		{"none", []byte{3, 0, 10, 0, 0}, []byte{0x83, 3}},
		{"too many", []byte{3, 0, 10, 0, 126}, []byte{0x83, 3}},
		{"too short", []byte{3, 0, 10}, []byte{0x83, 3}},
		{"a write", []byte{6, 0, 10, 0, 1}, []byte{0x86, 1}},
		{"an exception as a request", []byte{0x83, 2}, []byte{0x83, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := image().answer(tt.pdu); !bytes.Equal(got, tt.want) {
				t.Errorf("got % x, want % x", got, tt.want)
			}
		})
	}
}

// Whatever clients send, an answer is a whole one to their function.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 0, 6, 1, 3, 0, 10, 0, 2})
	f.Add([]byte{0, 1, 0, 0, 0, 6, 1, 1, 0, 0, 0, 9})
	f.Add([]byte{0, 1, 0, 0, 0, 2, 1, 43})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readRequest(bytes.NewReader(b))
		if err != nil {
			return
		}
		got := image().answer(q.pdu)
		function, short := q.pdu[0], len(got) == 2 && got[0]&0x80 != 0
		if !short && (got[0] != function || int(got[1]) != len(got)-2) || len(got) > maxPDU {
			t.Fatalf("% x is answered by % x", b, got)
		}
		if frame := q.frame(got); !bytes.Equal(frame[:2], b[:2]) || frame[6] != b[6] {
			t.Fatalf("% x is answered by the frame % x", b, frame)
		}
	})
}

// serve runs a server until the test ends.
func serve(t *testing.T) *Server {
	t.Helper()
	before := runtime.NumGoroutine()
	s, err := Listen("", 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Set(image())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
			}
		}
	})
	return s
}

func dial(t *testing.T, s *Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.Endpoint(), "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func ask(t *testing.T, c net.Conn, request []byte, answer int) ([]byte, error) {
	t.Helper()
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	b := make([]byte, answer)
	_, err := io.ReadFull(c, b)
	return b, err
}

var question = []byte{0, 7, 0, 0, 0, 6, 1, 3, 0, 10, 0, 1}

func TestServe(t *testing.T) {
	s := serve(t)
	c := dial(t, s)
	if got, err := ask(t, c, question, 11); err != nil || !bytes.Equal(got, []byte{0, 7, 0, 0, 0, 5, 1, 3, 2, 0x12, 0x34}) {
		t.Errorf("got % x, %v", got, err)
	}
	s.Set(&Image{Holding: map[uint16]uint16{10: 9}})
	if got, err := ask(t, c, question, 11); err != nil || got[10] != 9 {
		t.Errorf("after a change: got % x, %v", got, err)
	}
	other := append([]byte{}, question...)
	other[6] = 2
	if got, err := ask(t, c, other, 9); err != nil || !bytes.Equal(got[6:], []byte{2, 0x83, noSuchUnit}) {
		t.Errorf("another unit: got % x, %v", got, err)
	}
	if _, err := ask(t, c, []byte("GET / HTTP/1.1\r\n\r\n"), 1); err == nil {
		t.Error("whoever speaks no Modbus was answered")
	}
}

func TestInterrupt(t *testing.T) {
	s := serve(t)
	c := dial(t, s)
	if _, err := ask(t, c, question, 11); err != nil {
		t.Fatal(err)
	}
	s.Interrupt()
	if _, err := ask(t, c, question, 11); err == nil {
		t.Error("an interrupted client was answered")
	}
	// The reset may come before the client knows that it is connected.
	late, err := net.Dial("tcp", strings.TrimPrefix(s.Endpoint(), "tcp://"))
	if err == nil {
		_, err = ask(t, late, question, 11)
		late.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("while interrupted: got %v", err)
	}
	s.Resume()
	if _, err := ask(t, dial(t, s), question, 11); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// More clients than there is room for are refused, the others are not disturbed.
func TestTooManyClients(t *testing.T) {
	s := serve(t)
	var all []net.Conn
	for range maxConns {
		c := dial(t, s)
		if _, err := ask(t, c, question, 11); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	if c, err := net.Dial("tcp", strings.TrimPrefix(s.Endpoint(), "tcp://")); err == nil {
		if _, err := ask(t, c, question, 11); err == nil {
			t.Error("one too many was answered")
		}
		c.Close()
	}
	for _, c := range all {
		if _, err := ask(t, c, question, 11); err != nil {
			t.Error(err)
		}
	}
}
