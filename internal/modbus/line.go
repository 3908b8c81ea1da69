package modbus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	goburrow "github.com/goburrow/modbus"
)

// line is the way to the devices behind one address: one connection, on which
// one request at a time is made. Any doubt about an answer ends the connection,
// and with it whatever might still come on it; the next request makes a new one.
type line struct {
	address string        // host:port
	timeout time.Duration // of one request, with the dialling that it may need

	mu          sync.Mutex // held while a request is made; guards what follows
	conn        net.Conn   // nil: none
	transaction uint16     // of the last request
	dials       uint64     // connections made
	answered    bool       // the connection, or the last one, has given a whole answer
}

func newLine(address string, timeout time.Duration) *line {
	// Not from 0 on: what a device may still have for the program that ran before
	// must not fit.
	return &line{address: address, timeout: timeout, transaction: uint16(rand.Uint32())}
}

// read makes one request, and connects first if need be; both within one
// timeout. An *Exception is the device's answer. Any other error has ended the
// connection.
func (l *line) read(ctx context.Context, r request) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	if l.conn != nil && !quiet(l.conn) {
		// It ended, or something came that nobody asked for, since the last answer.
		// Nothing has been asked yet, so nothing is lost.
		l.drop()
	}
	if err := l.dial(ctx); err != nil {
		return nil, err
	}
	data, err := l.exchange(ctx, r)
	var refused *Exception
	if err != nil && !errors.As(err, &refused) {
		l.drop()
		return nil, fmt.Errorf("%v: %w", r, err)
	}
	l.answered = true
	return data, err
}

// connect makes a connection if there is none.
func (l *line) connect(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return l.dial(ctx)
}

// dial makes a connection if there is none; mu is held.
func (l *line) dial(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	l.conn, l.answered = conn, false
	l.dials++
	return nil
}

// exchange makes one request on the connection; mu is held.
func (l *line) exchange(ctx context.Context, r request) ([]byte, error) {
	deadline, _ := ctx.Deadline() // read has set one
	if err := l.conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("set the deadline: %w", err)
	}
	conn := l.conn
	stop := context.AfterFunc(ctx, func() {
		// A call that is stopped must not wait for its answer. The connection has
		// no other use then, whatever comes of this.
		_ = conn.SetDeadline(time.Unix(1, 0))
	})
	l.transaction++
	x := &tcpExchange{tcpFrame: tcpFrame{r, l.transaction}, conn: l.conn}
	data, err := r.ask(goburrow.NewClient2(x, x))
	if !stop() {
		// It was stopped, or its time was up, while the answer came. The connection
		// has a deadline now that the next request must not meet.
		return nil, fmt.Errorf("wait for the answer: %w", ctx.Err())
	}
	return data, err
}

// close ends the connection, if there is one.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
}

// drop ends the connection; mu is held.
func (l *line) drop() {
	if l.conn == nil {
		return
	}
	// An error could only be about data of ours that was not sent yet; none of it
	// matters any more.
	_ = l.conn.Close()
	l.conn = nil
}

// hasAnswered says whether the connection, or the last one there was, ever gave
// a whole answer.
func (l *line) hasAnswered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answered
}

// connections is how many connections were made.
func (l *line) connections() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dials
}
