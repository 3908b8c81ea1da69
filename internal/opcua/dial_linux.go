package opcua

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unacknowledged is how long sent bytes may stay unacknowledged before the
// kernel gives the connection up, in milliseconds.
const unacknowledged = 5000

// userTimeout makes a dead peer show even while we have bytes on the way.
func userTimeout(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, unacknowledged)
	}); e != nil {
		return e
	}
	return err
}
