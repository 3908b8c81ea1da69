package modbus

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

const quick = 10 * time.Millisecond

// All tags of one answer are one scan of one instant, and each poll is a sample,
// though nothing changes.
func TestEachPollIsAScan(t *testing.T) {
	noLeak(t)
	d := startDevice(t, nil)
	items := append(tags(quick, 1, 100, 101, 102), Item{Tag: 9, Unit: 1, Table: Coil, Address: 8, Type: "bool", Every: quick})
	s, k, log := start(t, Options{Address: d.addr, Items: items})
	before := sample.At(time.Now())
	all := k.until(t, "20 scans", func(all []record.Body) bool { return len(all) >= 20 })
	last := before - sample.Time(time.Second)
	for _, b := range all {
		x, ok := b.(*record.Scan)
		if !ok && len(losses(all)) == 0 {
			continue
		}
		if !ok || x.Source != "press-bus" || x.Time < last || x.Server != 0 || x.AsOf != 0 || len(x.Readings) != 3 && len(x.Readings) != 1 {
			t.Fatalf("got %+v", b)
		}
		last = x.Time
		for _, r := range x.Readings {
			it := items[slices.IndexFunc(items, func(it Item) bool { return it.Tag == r.Tag })]
			want := sample.UintValue(uint64(signature(1, functions[it.Table], it.Address)))
			if it.Table == Coil {
				want = sample.BoolValue(want.Bits()&1 == 1)
			}
			if r.Quality != sample.Good || r.Value != want {
				t.Errorf("got %+v, want %v", r, want)
			}
		}
	}
	s.Committed(7)
	s.Committed(3)
	st := s.Status()
	if !st.Connected || st.Connects != 1 || st.Blocks != 2 || st.Failed != 0 || len(st.Failing) != 0 || st.Committed != 7 || st.Samples < 20 || st.LastAnswer < before {
		t.Errorf("status %+v", st)
	}
	if log.count("source lost") != 0 || log.count("source connected") != 1 || log.count("cannot be read") != 0 {
		t.Errorf("log:\n%s", log.b.String())
	}
	for _, q := range d.questions() {
		if q != (question{q.transaction, 1, 3, 100, 3}) && q != (question{q.transaction, 1, 1, 8, 1}) {
			t.Errorf("asked %+v", q)
		}
	}
}

// One address that the device refuses: its tag is bad at each poll with the
// reason, all others go on, and once it is found nobody else is asked with it.
func TestOneTagIsRefused(t *testing.T) {
	noLeak(t)
	d := startDevice(t, func(d *device, c net.Conn, q question) {
		if q.address <= 105 && 105 < q.address+q.count {
			d.write(c, q.exception(2))
			return
		}
		d.write(c, q.answer())
	})
	items := tags(quick, 1, 100, 101, 102, 103, 104, 105, 106, 107)
	s, k, log := start(t, Options{Address: d.addr, Items: items})
	all := k.until(t, "ten polls of each", func(all []record.Body) bool {
		return bad(all, 5, "illegal_data_address") >= 10 && good(all, 0) >= 10 && good(all, 7) >= 10
	})
	for i := range items {
		n := bad(all, sample.Tag(i), "illegal_data_address")
		if (n > 0) != (i == 5) {
			t.Errorf("tag %d was bad %d times", i, n)
		}
	}
	asked := d.questions()
	alone := 0
	for _, q := range asked[8:] { // halving eight takes no more
		if q.address <= 105 && 105 < q.address+q.count && q.count > 1 {
			t.Errorf("the guilty address was asked for again with others: %+v", q)
		}
		if q.count == 1 && q.address == 105 {
			alone++
		}
	}
	if st := s.Status(); alone == 0 || st.Failing[5] != "illegal_data_address" || len(st.Failing) != 1 || st.Blocks != 4 || st.Connects != 1 {
		t.Errorf("asked alone %d times, status %+v", alone, st)
	}
	if losses(all) != nil || log.count("tags cannot be read") != 1 {
		t.Errorf("losses %v, log:\n%s", losses(all), log.b.String())
	}
	d.become(func(c net.Conn, q question) { d.write(c, q.answer()) })
	k.until(t, "it is good again", func(all []record.Body) bool { return good(all, 5) > 0 })
	if log.count("tags can be read again") != 1 {
		t.Errorf("log:\n%s", log.b.String())
	}
}

// The device goes away and comes back: one loss of everything, at once, one line
// in the log at each end, and then readings again.
func TestLinkIsLost(t *testing.T) {
	noLeak(t)
	d := startDevice(t, nil)
	s, k, log := start(t, Options{Address: d.addr, Items: tags(quick, 1, 100, 300)})
	for round := 1; round <= 3; round++ {
		k.until(t, "readings", func(all []record.Body) bool {
			return good(all[lastLoss(all):], 0) > 2 && good(all[lastLoss(all):], 1) > 2
		})
		d.close()
		all := k.until(t, "a loss", func(all []record.Body) bool { return len(losses(all)) == round })
		l := losses(all)[round-1]
		if l.Cause != CauseLink || len(l.Tags) != 0 || l.Source != "press-bus" || l.Detail == "" {
			t.Errorf("loss %+v", l)
		}
		if st := s.Status(); st.Connected || st.Err == "" {
			t.Errorf("status while away: %+v", st)
		}
		d.open()
	}
	all := k.until(t, "readings", func(all []record.Body) bool { return good(all[lastLoss(all):], 0) > 2 })
	if len(losses(all)) != 3 || log.count("source lost") != 3 || log.count("source connected") != 4 || log.count("cannot be read") > 3 {
		t.Errorf("%d losses, log:\n%s", len(losses(all)), log.b.String())
	}
	for tag := range sample.Tag(2) {
		if n := len(points(all, tag)) - good(all, tag); n > 3 {
			t.Errorf("tag %d: %d bad readings; a link that is lost is no bad quality", tag, n)
		}
	}
}

// lastLoss is where the last loss is; 0 when there is none.
func lastLoss(all []record.Body) int {
	for i := len(all) - 1; i >= 0; i-- {
		if l, ok := all[i].(*record.Loss); ok && l.Cause == CauseLink {
			return i
		}
	}
	return 0
}

// A device that nobody can reach from the start: one loss, and readings when it
// comes.
func TestAbsentAtStart(t *testing.T) {
	noLeak(t)
	d := startDevice(t, nil)
	d.close()
	s, k, log := start(t, Options{Address: d.addr, Items: tags(quick, 1, 100)})
	k.until(t, "a loss", func(all []record.Body) bool { return len(losses(all)) == 1 })
	if st := s.Status(); st.Connected || st.Err == "" || st.Since == 0 {
		t.Errorf("status %+v", st)
	}
	d.open()
	all := k.until(t, "readings", func(all []record.Body) bool { return good(all, 0) > 2 })
	if len(losses(all)) != 1 || log.count("source lost") != 1 {
		t.Errorf("%d losses, log:\n%s", len(losses(all)), log.b.String())
	}
}

// Many devices close a connection that is idle for longer than they like. That
// loses nothing as long as no poll is missed.
func TestIdleConnectionIsClosed(t *testing.T) {
	noLeak(t)
	d := startDevice(t, func(d *device, c net.Conn, q question) { d.write(c, q.answer()); c.Close() })
	s, k, _ := start(t, Options{Address: d.addr, Items: tags(2*quick, 1, 100)})
	all := k.until(t, "20 readings", func(all []record.Body) bool { return good(all, 0) >= 20 })
	if len(losses(all)) > 0 || s.Status().Connects < 20 {
		t.Errorf("losses %v, status %+v", losses(all), s.Status())
	}
}

// One read fails: its tags are bad, once, with the reason; nothing is lost, the
// rest goes on, on a new connection.
func TestOneReadFails(t *testing.T) {
	for _, tt := range []struct {
		status string
		behave func(d *device, c net.Conn, q question)
	}{
		{StatusTimeout, func(*device, net.Conn, question) {}},
		{StatusLink, func(_ *device, c net.Conn, _ question) { reset(c) }},
		{StatusTransaction, func(d *device, c net.Conn, q question) { q.transaction--; d.write(c, q.answer()) }},
		{StatusLength, func(d *device, c net.Conn, q question) { q.count++; d.write(c, q.answer()) }},
	} {
		t.Run(tt.status, func(t *testing.T) {
			noLeak(t)
			failed := false // the device's own; it has one connection at a time
			d := startDevice(t, func(d *device, c net.Conn, q question) {
				if q.address == 300 && !failed && len(d.questions()) > 4 {
					failed = true
					tt.behave(d, c, q)
					return
				}
				d.write(c, q.answer())
			})
			s, k, _ := start(t, Options{Address: d.addr, Timeout: 200 * time.Millisecond, Items: tags(quick, 1, 100, 300)})
			all := k.until(t, "it fails and is good again", func(all []record.Body) bool {
				ps := points(all, 1)
				i := slices.IndexFunc(ps, func(p point) bool { return p.Quality == sample.Bad })
				return i >= 0 && len(ps) > i+3
			})
			if bad(all, 1, tt.status) != 1 || bad(all, 0, tt.status) != 0 || losses(all) != nil {
				t.Errorf("bad %d and %d times, losses %v", bad(all, 1, tt.status), bad(all, 0, tt.status), losses(all))
			}
			if st := s.Status(); st.Connects != 2 || st.Failed != 1 || len(st.Failing) != 0 {
				t.Errorf("status %+v", st)
			}
		})
	}
}

// Of two units behind one gateway one is dead: the other goes on, and nothing is
// said to be lost.
func TestOneUnitIsSilent(t *testing.T) {
	noLeak(t)
	d := startDevice(t, func(d *device, c net.Conn, q question) {
		if q.unit != 2 {
			d.write(c, q.answer())
		}
	})
	items := tags(quick, 1, 100, 200, 300, 400)
	items[1].Unit, items[2].Unit = 2, 2
	_, k, _ := start(t, Options{Address: d.addr, Timeout: 4 * quick, Items: items})
	all := k.until(t, "both are polled", func(all []record.Body) bool {
		return good(all, 0) > 5 && good(all, 3) > 5 && bad(all, 1, StatusTimeout) > 5 && bad(all, 2, StatusTimeout) > 5
	})
	if losses(all) != nil || good(all, 1)+good(all, 2) > 0 {
		t.Errorf("losses %v", losses(all))
	}
}

// A device that takes connections and answers nothing is away: one loss, however
// often it is tried.
func TestDeafDevice(t *testing.T) {
	noLeak(t)
	d := startDevice(t, nil)
	s, k, log := start(t, Options{Address: d.addr, Timeout: 4 * quick, Items: tags(quick, 1, 100, 300)})
	k.until(t, "readings", func(all []record.Body) bool { return good(all, 0) > 2 })
	d.become(func(net.Conn, question) {})
	k.until(t, "a loss", func(all []record.Body) bool { return len(losses(all)) == 1 })
	asked := len(d.questions())
	waitFor(t, "ten more attempts", func() bool { return len(d.questions()) > asked+10 })
	d.become(func(c net.Conn, q question) { d.write(c, q.answer()) })
	all := k.until(t, "readings", func(all []record.Body) bool { return good(all[lastLoss(all):], 1) > 2 })
	if len(losses(all)) != 1 || log.count("source lost") != 1 || log.count("source connected") != 2 {
		t.Errorf("losses %v, log:\n%s", losses(all), log.b.String())
	}
	if log.count("cannot be read") > 1 {
		t.Errorf("log:\n%s", log.b.String())
	}
	if n := bad(all, 0, StatusTimeout) + bad(all, 1, StatusTimeout); n > 1 {
		t.Errorf("%d bad readings, want the first at most", n)
	}
	if st := s.Status(); !st.Connected || len(st.Failing) > 0 {
		t.Errorf("status %+v", st)
	}
}

// waitFor looks for a condition that nothing announces.
func waitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !cond(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: did not happen", what)
		}
	}
}

// A device that is slower than its period: polls are missed and counted, said
// once, and those that are made stay on the grid of whole periods.
func TestSlowDevice(t *testing.T) {
	noLeak(t)
	const every = 40 * time.Millisecond
	d := startDevice(t, func(d *device, c net.Conn, q question) {
		d.later(every+every/2, func() { d.write(c, q.answer()) })
	})
	s, k, log := start(t, Options{Address: d.addr, Timeout: patience, Items: tags(every, 1, 100)})
	k.until(t, "eight polls", func(all []record.Body) bool { return len(all) >= 8 })
	if st := s.Status(); st.Missed < 7 || st.Failed != 0 {
		t.Errorf("status %+v", st)
	}
	d.become(func(c net.Conn, q question) { d.write(c, q.answer()) })
	waitFor(t, "it is in time again", func() bool { return log.count("in time again") > 0 })
	if log.count("too late") == 0 {
		t.Errorf("log:\n%s", log.b.String())
	}
}

// The gateway has no room for a while: the source waits, and the polls that it
// could not make are a loss of their tags.
func TestSlowGateway(t *testing.T) {
	noLeak(t)
	d := startDevice(t, nil)
	release, entered := make(chan struct{}), make(chan struct{})
	k := newRecorder()
	n := 0
	var held record.Body
	k.delay = func(b record.Body) {
		if n++; n == 5 {
			held = b
			close(entered)
			<-release
		}
	}
	s, _ := startWith(t, Options{Address: d.addr, Items: tags(quick, 1, 100)}, k)
	<-entered
	asked := len(d.questions())
	timer := time.NewTimer(10 * quick)
	<-timer.C
	if len(d.questions()) != asked {
		t.Error("it asked on, though nobody takes the answers")
	}
	close(release)
	all := k.until(t, "readings after it", func(all []record.Body) bool { return len(all) > 8 })
	i := slices.Index(all, held)
	l, ok := all[i+1].(*record.Loss)
	if !ok || l.Cause != CauseOverflow || !slices.Equal(l.Tags, []sample.Tag{0}) || l.Detail == "" {
		t.Errorf("after what was held: %+v", all[i+1])
	}
	if s.Status().Missed < 5 {
		t.Errorf("status %+v", s.Status())
	}
}

// When nobody takes anything any more, Run ends and says why.
func TestSinkEnds(t *testing.T) {
	noLeak(t)
	d := startDevice(t, nil)
	s, err := New(Options{Name: "s", Address: d.addr, Items: tags(quick, 1, 100)})
	if err != nil {
		t.Fatal(err)
	}
	k := newRecorder()
	k.err = errors.New("the journal is closed")
	if err := s.Run(t.Context(), k); !errors.Is(err, k.err) {
		t.Errorf("got %v, want %v", err, k.err)
	}
}

// Being told to stop ends it in the middle of a read that would take long.
func TestStopInTheMiddle(t *testing.T) {
	noLeak(t)
	asked := make(chan struct{}, 1)
	d := startDevice(t, func(*device, net.Conn, question) { asked <- struct{}{} })
	s, err := New(Options{Name: "s", Address: d.addr, Timeout: maxTimeout, Items: tags(quick, 1, 100)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	k, done := newRecorder(), make(chan error, 1)
	go func() { done <- s.Run(ctx, k) }()
	<-asked
	cancel()
	select {
	case err := <-done:
		if err != nil || len(k.all) > 0 {
			t.Errorf("got %v and %v, want neither", err, k.all)
		}
	case <-time.After(maxTimeout / 2):
		t.Fatal("run does not end")
	}
}

func TestRead(t *testing.T) {
	noLeak(t)
	d := startDevice(t, func(d *device, c net.Conn, q question) {
		if q.address <= 101 && 101 < q.address+q.count {
			d.write(c, q.exception(2))
			return
		}
		d.write(c, q.answer())
	})
	items := tags(quick, 1, 102, 101, 100)
	s, err := New(Options{Name: "s", Address: d.addr, Items: items})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Read(t.Context())
	if err != nil || len(got) != 3 {
		t.Fatalf("got %v, %v", got, err)
	}
	for i, r := range got {
		want := sample.Reading{Tag: sample.Tag(i), Value: sample.UintValue(uint64(signature(1, 3, items[i].Address)))}
		if i == 1 {
			want = sample.Reading{Tag: 1, Quality: sample.Bad, Status: "illegal_data_address"}
		}
		if r.Reading != want || r.Item.Address != items[i].Address || r.Time == 0 {
			t.Errorf("got %+v, want %+v", r, want)
		}
	}
	if p := s.Plan(); len(p) != 1 || p[0] != "unit 1 holding 100-102 every 10ms" {
		t.Errorf("plan %q", p)
	}
	d.close()
	if got, err := s.Read(t.Context()); err == nil || got != nil {
		t.Errorf("of a device that is away: got %v, %v", got, err)
	}
}

func TestReadRange(t *testing.T) {
	noLeak(t)
	d := startDevice(t, func(d *device, c net.Conn, q question) {
		if q.unit == 9 {
			d.write(c, q.exception(11))
			return
		}
		d.write(c, q.answer())
	})
	o := Options{Address: d.addr, MaxRegisters: 10}
	for _, table := range []Table{Coil, Discrete, Holding, Input} {
		q := question{unit: 3, function: functions[table], address: 65300, count: 225}
		if got, err := ReadRange(t.Context(), o, 3, table, q.address, int(q.count)); err != nil || string(got) != string(q.data()) {
			t.Errorf("%s: got % x, %v", table, got, err)
		}
	}
	var refused *Exception
	if _, err := ReadRange(t.Context(), o, 9, Holding, 0, 1); !errors.As(err, &refused) || !strings.Contains(err.Error(), "gateway_target_no_response") {
		t.Errorf("got %v", err)
	}
	for _, count := range []int{0, -1, 1<<16 + 1} {
		if _, err := ReadRange(t.Context(), o, 1, Holding, 0, count); err == nil {
			t.Errorf("count %d was taken", count)
		}
	}
	if _, err := ReadRange(t.Context(), o, 1, "register", 0, 1); err == nil {
		t.Error("an unknown table was taken")
	}
}
