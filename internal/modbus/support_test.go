package modbus

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"andon/internal/acquisition"
	"andon/internal/record"
	"andon/internal/sample"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// question is what a device was asked.
type question struct {
	transaction    uint16
	unit, function byte
	address, count uint16
}

// signature is what a register holds in these tests: a number that no other unit,
// table or address near has, so that a value in the wrong place shows itself.
func signature(unit, function byte, address uint16) uint16 {
	x := uint32(unit)<<24 ^ uint32(function)<<20 ^ uint32(address)
	x = (x ^ x>>15) * 0x2C1B3C6D
	x = (x ^ x>>12) * 0x297A2D39
	return uint16(x ^ x>>15)
}

// data is the honest answer's data.
func (q question) data() []byte {
	var b []byte
	if q.function <= 2 {
		b = make([]byte, (q.count+7)/8)
		for i := range q.count {
			if signature(q.unit, q.function, q.address+i)&1 == 1 {
				b[i/8] |= 1 << (i % 8)
			}
		}
		return b
	}
	for i := range q.count {
		b = binary.BigEndian.AppendUint16(b, signature(q.unit, q.function, q.address+i))
	}
	return b
}

// answer is the honest answer.
func (q question) answer() []byte {
	data := q.data()
	return framed(q.transaction, 0, uint16(3+len(data)), q.unit, append([]byte{q.function, byte(len(data))}, data...)...)
}

func (q question) exception(code byte) []byte {
	return framed(q.transaction, 0, 3, q.unit, q.function|0x80, code)
}

// device is a Modbus server for tests, with framing of its own. behave answers a
// question by writing to the connection, or does something worse.
type device struct {
	t    testing.TB
	addr string

	mu     sync.Mutex
	ln     net.Listener
	conns  map[net.Conn]bool
	timers []*time.Timer
	asked  []question
	behave func(c net.Conn, q question)
	ended  sync.WaitGroup
}

// startDevice runs a device until the test ends. It is honest unless behave says
// otherwise.
func startDevice(t testing.TB, behave func(*device, net.Conn, question)) *device {
	t.Helper()
	d := &device{t: t, addr: "127.0.0.1:0", conns: map[net.Conn]bool{}}
	d.behave = func(c net.Conn, q question) { d.write(c, q.answer()) }
	if behave != nil {
		d.behave = func(c net.Conn, q question) { behave(d, c, q) }
	}
	d.open()
	t.Cleanup(func() {
		d.close()
		d.mu.Lock()
		for _, timer := range d.timers {
			if timer.Stop() {
				d.ended.Done()
			}
		}
		d.mu.Unlock()
		d.ended.Wait()
	})
	return d
}

// open lets clients in, at the address of the first time.
func (d *device) open() {
	d.t.Helper()
	ln, err := net.Listen("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ln, d.addr = ln, ln.Addr().String()
	d.ended.Add(1)
	go func() {
		defer d.ended.Done()
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.conns[c] = true
			d.ended.Add(1)
			d.mu.Unlock()
			go d.serve(c)
		}
	}()
}

// close refuses everybody from now on.
func (d *device) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ln.Close()
	for c := range d.conns {
		c.Close()
	}
}

func (d *device) serve(c net.Conn) {
	defer d.ended.Done()
	defer func() {
		c.Close()
		d.mu.Lock()
		delete(d.conns, c)
		d.mu.Unlock()
	}()
	for {
		var b [12]byte
		if _, err := io.ReadFull(c, b[:]); err != nil {
			return
		}
		q := question{binary.BigEndian.Uint16(b[:]), b[6], b[7], binary.BigEndian.Uint16(b[8:]), binary.BigEndian.Uint16(b[10:])}
		if !bytes.Equal(b[2:6], []byte{0, 0, 0, 6}) || q.function < 1 || q.function > 4 {
			d.t.Errorf("the device was asked % x", b)
		}
		d.mu.Lock()
		d.asked = append(d.asked, q)
		behave := d.behave
		d.mu.Unlock()
		behave(c, q)
	}
}

// become changes the device's manners.
func (d *device) become(behave func(c net.Conn, q question)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.behave = behave
}

// write writes; a client that has gone is no fault of the device's.
func (d *device) write(c net.Conn, b []byte) { _, _ = c.Write(b) }

// later does something after a time, unless the test has ended.
func (d *device) later(after time.Duration, f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended.Add(1)
	d.timers = append(d.timers, time.AfterFunc(after, func() { defer d.ended.Done(); f() }))
}

// questions are all that it was asked.
func (d *device) questions() []question {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]question(nil), d.asked...)
}

// recorder keeps what a source hands over.
type recorder struct {
	mu    sync.Mutex
	all   []record.Body
	more  chan struct{}
	delay func(record.Body) // called before a body is taken
	err   error
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{})} }

// Put takes a batch over.
func (r *recorder) Put(_ context.Context, b Batch) error {
	if r.delay != nil {
		r.delay(b.Inputs[0])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.all = append(r.all, b.Inputs...)
	close(r.more)
	r.more = make(chan struct{})
	return nil
}

// until waits until what was handed over meets a condition.
func (r *recorder) until(t *testing.T, what string, cond func(all []record.Body) bool) []record.Body {
	t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		all, more := append([]record.Body(nil), r.all...), r.more
		r.mu.Unlock()
		if cond(all) {
			return all
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("%s: did not happen; the last of %d: %+v", what, len(all), all[max(0, len(all)-5):])
		}
	}
}

// losses are those of the link. A busy machine may cause some of the other kind
// at any time.
func losses(all []record.Body) []*record.Loss { return lossesOf(all, CauseLink) }

func lossesOf(all []record.Body, cause string) (list []*record.Loss) {
	for _, b := range all {
		if l, ok := b.(*record.Loss); ok && l.Cause == cause {
			list = append(list, l)
		}
	}
	return list
}

// point is one reading with its time.
type point struct {
	sample.Reading
	at sample.Time
}

func points(all []record.Body, tag sample.Tag) (list []point) {
	for _, b := range all {
		if s, ok := b.(*record.Scan); ok {
			for _, r := range s.Readings {
				if r.Tag == tag {
					list = append(list, point{r, s.Time})
				}
			}
		}
	}
	return list
}

// good and bad count a tag's readings.
func good(all []record.Body, tag sample.Tag) (n int) {
	for _, p := range points(all, tag) {
		if p.Quality == sample.Good {
			n++
		}
	}
	return n
}

func bad(all []record.Body, tag sample.Tag, status string) (n int) {
	for _, p := range points(all, tag) {
		if p.Quality == sample.Bad && p.Status == status {
			n++
		}
	}
	return n
}

// logbook is a log that can be read.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logbook) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// start makes a source of a device and runs it until the test ends.
func start(t *testing.T, o Options) (*Source, *recorder, *logbook) {
	t.Helper()
	k := newRecorder()
	s, log := startWith(t, o, k)
	return s, k, log
}

func startWith(t *testing.T, o Options, k Sink) (*Source, *logbook) {
	t.Helper()
	log := &logbook{}
	o.Name, o.Logger = "press-bus", slog.New(slog.NewTextHandler(log, nil))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.retry = acquisition.Backoff{First: 10 * time.Millisecond, Most: 20 * time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, k) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(patience):
			t.Error("run does not end")
		}
	})
	return s, log
}

// noLeak fails the test when goroutines are left over at its end. It is called
// first, so that it looks last.
func noLeak(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		deadline := time.Now().Add(patience)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<20)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
			runtime.Gosched()
		}
	})
}

// tags makes items of one register each.
func tags(every time.Duration, unit uint8, addresses ...uint16) []Item {
	var items []Item
	for i, a := range addresses {
		items = append(items, Item{Tag: sample.Tag(i), Unit: unit, Table: Holding, Address: a, Type: "uint16", Every: every})
	}
	return items
}
