package modbus

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// A fault is what a device does instead of answering. before is what it was
// asked before. Those whose answer is right all the same are harmless.
type fault struct {
	name     string
	harmless bool
	do       func(d *device, c net.Conn, q, before question)
}

// campaignTimeout is the client's; lateBy is later than that.
const (
	campaignTimeout = 30 * time.Millisecond
	lateBy          = 45 * time.Millisecond
)

func faults() []fault {
	// altered answers with an honest frame in which something was changed.
	altered := func(name string, change func(q question, b []byte) []byte) fault {
		return fault{name, false, func(d *device, c net.Conn, q, _ question) { d.write(c, change(q, q.answer())) }}
	}
	// other answers truly, but to another question, under the right transaction.
	other := func(name string, change func(q *question)) fault {
		return fault{name, false, func(d *device, c net.Conn, q, _ question) { change(&q); d.write(c, q.answer()) }}
	}
	return []fault{
		{"late", false, func(d *device, c net.Conn, q, _ question) { d.later(lateBy, func() { d.write(c, q.answer()) }) }},
		{"twice", true, func(d *device, c net.Conn, q, _ question) { d.write(c, append(q.answer(), q.answer()...)) }},
		{"twice, late", true, func(d *device, c net.Conn, q, _ question) {
			d.write(c, q.answer())
			d.later(time.Millisecond, func() { d.write(c, q.answer()) })
		}},
		{"the answer before", false, func(d *device, c net.Conn, _, before question) { d.write(c, before.answer()) }},
		{"the answer before, first", false, func(d *device, c net.Conn, q, before question) { d.write(c, append(before.answer(), q.answer()...)) }},
		other("wrong transaction", func(q *question) { q.transaction++ }),
		other("wrong unit", func(q *question) { q.unit++ }),
		other("wrong function", func(q *question) { q.function = q.function%4 + 1 }),
		altered("short", func(_ question, b []byte) []byte { b[5]--; b[8]--; return b[:len(b)-1] }),
		other("long", func(q *question) { q.count += 16 }),
		altered("wrong protocol", func(_ question, b []byte) []byte { b[2] = 0x12; return b }),
		altered("wrong byte count", func(_ question, b []byte) []byte { b[8] += 2; return b }),
		altered("byte count 0", func(_ question, b []byte) []byte { b[8] = 0; return b }),
		altered("length too long", func(_ question, b []byte) []byte { b[5] += 2; return b }),
		altered("length too short", func(_ question, b []byte) []byte { b[5] -= 2; return b }),
		altered("length of an exception", func(_ question, b []byte) []byte { b[5] = 3; return b }),
		altered("half a frame", func(_ question, b []byte) []byte { return b[:len(b)/2] }),
		altered("garbage before", func(_ question, b []byte) []byte { return append([]byte{0xFF, 0, 1}, b...) }),
		altered("the request echoed", func(q question, _ []byte) []byte {
			return tcpFrame{request{q.unit, q.function, q.address, q.count}, q.transaction}.append(nil)
		}),
		{"garbage after", true, func(d *device, c net.Conn, q, _ question) { d.write(c, append(q.answer(), 1, 2, 3)) }},
		{"a frame after", true, func(d *device, c net.Conn, q, before question) {
			d.write(c, append(q.answer(), question{q.transaction + 1, before.unit, before.function, before.address, before.count}.answer()...))
		}},
		{"silent", false, func(*device, net.Conn, question, question) {}},
		{"exception", false, func(d *device, c net.Conn, q, _ question) { d.write(c, q.exception(4)) }},
		{"reset", false, func(_ *device, c net.Conn, _, _ question) { reset(c) }},
		{"reset in the middle", false, func(d *device, c net.Conn, q, _ question) { d.write(c, q.answer()[:9]); reset(c) }},
		{"closed", false, func(_ *device, c net.Conn, _, _ question) { c.Close() }},
		{"closed after", true, func(d *device, c net.Conn, q, _ question) { d.write(c, q.answer()); c.Close() }},
		{"in pieces", true, func(d *device, c net.Conn, q, _ question) {
			for _, b := range q.answer() {
				d.write(c, []byte{b})
			}
		}},
	}
}

func reset(c net.Conn) {
	// The connection may have ended by itself; then there is nothing to reset.
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// faulty behaves badly at random, in a share of all answers, and counts.
type faulty struct {
	mu     sync.Mutex
	rand   *rand.Rand
	share  float64
	before map[net.Conn]question
	done   map[string]int
}

func newFaulty(seed uint64, share float64) *faulty {
	return &faulty{rand: rand.New(rand.NewPCG(seed, 0)), share: share, before: map[net.Conn]question{}, done: map[string]int{}}
}

func (f *faulty) behave(d *device, c net.Conn, q question) {
	f.mu.Lock()
	before, known := f.before[c]
	f.before[c] = q
	var bad *fault
	if known && f.rand.Float64() < f.share {
		all := faults()
		bad = &all[f.rand.IntN(len(all))]
		f.done[bad.name]++
	}
	f.mu.Unlock()
	if bad == nil {
		d.write(c, q.answer())
		return
	}
	bad.do(d, c, q, before)
}

// 5,000 reads of which a fifth meet a fault: whatever is returned as data is,
// register for register, what was asked for. The honest answers all get through,
// however bad the one before was.
func TestCampaign(t *testing.T) {
	noLeak(t)
	f := newFaulty(1, 0.2)
	d := startDevice(t, f.behave)
	l := newLine(d.addr, campaignTimeout)
	defer l.close()
	r := rand.New(rand.NewPCG(2, 0))
	reads := 5000
	if testing.Short() {
		reads = 1000
	}
	ok, wrong, refused := 0, 0, map[string]int{}
	q := question{unit: 1, function: 3, count: 2}
	for range reads {
		// Most reads are like the one before but for the address, so that its answer
		// would fit.
		if r.IntN(4) == 0 {
			q = question{unit: byte(1 + r.IntN(3)), function: byte(1 + r.IntN(4)), count: uint16(1 + r.IntN(maxRegisters))}
		}
		q.address = uint16(1024 + r.IntN(60000))
		data, err := l.read(t.Context(), request{q.unit, q.function, q.address, q.count})
		switch {
		case err != nil:
			refused[statusOf(err)]++
		case bytes.Equal(data, q.data()):
			ok++
		default:
			wrong++
		}
	}
	t.Logf("reads %d, ok %d, refused %d, WRONG %d", reads, ok, reads-ok-wrong, wrong)
	for _, why := range slices.Sorted(maps.Keys(refused)) {
		t.Logf("  %-22s %d", why, refused[why])
	}
	if wrong > 0 {
		t.Errorf("%d wrong values", wrong)
	}
	harmful := 0
	for _, x := range faults() {
		if f.done[x.name] == 0 {
			t.Errorf("fault %q was never tried", x.name)
		}
		if !x.harmless {
			harmful += f.done[x.name]
		}
	}
	// On a busy machine an honest answer may be late as well, and a duplicate may
	// overtake our look for it: a few more may be refused.
	if spare := reads - ok - harmful; spare < 0 || spare > reads/50 {
		t.Errorf("%d reads refused, but %d faults that must be", reads-ok, harmful)
	}
}

// The same by a whole source: nothing it hands over as good is wrong, and when
// the faults end every tag is good again.
func TestCampaignOfSource(t *testing.T) {
	noLeak(t)
	f := newFaulty(3, 0.2)
	d := startDevice(t, f.behave)
	o := Options{Address: d.addr, Timeout: campaignTimeout}
	for i := range 40 {
		o.Items = append(o.Items, Item{Tag: sample.Tag(i), Unit: uint8(1 + i%3), Table: []Table{Holding, Input}[i/3%2], Address: uint16(100 + i - i%4),
			Type: "uint16", Every: time.Duration(10+i%2*10) * time.Millisecond})
	}
	_, k, _ := start(t, o)
	// wrong looks at each reading once: it is called with ever longer lists.
	seen := 0
	wrong := func(all []record.Body) error {
		for _, b := range all[seen:] {
			s, ok := b.(*record.Scan)
			for i := 0; ok && i < len(s.Readings); i++ {
				x := s.Readings[i]
				it := o.Items[x.Tag]
				want := sample.UintValue(uint64(signature(it.Unit, functions[it.Table], it.Address)))
				if x.Quality == sample.Good && x.Value != want {
					return fmt.Errorf("WRONG: tag %d is %v, want %v", x.Tag, x.Value, want)
				}
			}
		}
		seen = len(all)
		return nil
	}
	var err error
	k.until(t, "2000 scans", func(all []record.Body) bool { err = errors.Join(err, wrong(all)); return len(all) > 2000 || err != nil })
	d.become(func(c net.Conn, q question) { d.write(c, q.answer()) })
	mark := seen
	k.until(t, "every tag is good again", func(all []record.Body) bool {
		err = errors.Join(err, wrong(all))
		for i := range o.Items {
			if good(all[mark:], sample.Tag(i)) == 0 {
				return err != nil
			}
		}
		return true
	})
	if err != nil {
		t.Error(err)
	}
}

// Many goroutines on one line: each gets its own answer.
func TestLineIsShared(t *testing.T) {
	noLeak(t)
	d := startDevice(t, nil)
	l := newLine(d.addr, patience)
	defer l.close()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				q := question{unit: byte(g), function: 3, address: uint16(i), count: 2}
				if data, err := l.read(t.Context(), request{q.unit, 3, q.address, 2}); err != nil || !bytes.Equal(data, q.data()) {
					t.Errorf("unit %d address %d: got % x, %v", g, i, data, err)
				}
			}
		})
	}
	wg.Wait()
	if l.connections() != 1 {
		t.Errorf("%d connections, want 1", l.connections())
	}
}
