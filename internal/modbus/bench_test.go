package modbus

import (
	"fmt"
	"io"
	"net"
	"testing"
)

// BenchmarkRead is one connection at full speed; BenchmarkSocket is what the same
// questions and answers cost without any of our checks, as the limit.
func BenchmarkRead(b *testing.B) {
	for _, count := range []uint16{10, maxRegisters} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			l := newLine(startDevice(b, canned(count)).addr, patience)
			defer l.close()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.read(b.Context(), request{1, 3, 100, count}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSocket(b *testing.B) {
	for _, count := range []uint16{10, maxRegisters} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			c, err := net.Dial("tcp", startDevice(b, canned(count)).addr)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			ask := tcpFrame{request{1, 3, 100, count}, 0}.append(nil)
			answer := make([]byte, 9+2*count)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(ask); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, answer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// canned answers with the same registers always, so that the device is not what
// is measured.
func canned(count uint16) func(*device, net.Conn, question) {
	answer := question{unit: 1, function: 3, address: 100, count: count}.answer()
	return func(d *device, c net.Conn, q question) {
		answer[0], answer[1] = byte(q.transaction>>8), byte(q.transaction)
		d.write(c, answer)
	}
}
