//go:build !unix

package modbus

import (
	"errors"
	"net"
	"os"
	"time"
)

// quiet says whether a connection stands and has nothing to read. It waits for
// a moment, since a deadline that has passed already returns before looking.
func quiet(conn net.Conn) bool {
	if conn.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
		return false
	}
	var b [1]byte
	n, err := conn.Read(b[:])
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}
