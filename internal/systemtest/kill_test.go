package systemtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"andon/internal/uplink/mqtttest"
)

// TestKills: the gateway is killed again and again in mid-excursion, at any
// instant of its start and work. The excursion stays one event, the time down is
// a gap, nothing that was sent is lost or sent otherwise.
//
//andon:req Q19 Q28
func TestKills(t *testing.T) {
	t.Run("within this machine", func(t *testing.T) {
		t.Parallel()
		kills := 200
		if testing.Short() || withRace {
			kills = 20
		}
		if os.Getenv("SOAK") != "" {
			kills = 2000
		}
		killInExcursion(t, newOwnPLC(t, ""), mqtttest.New(t, nil).URL(), kills)
	})
	t.Run("real peers", func(t *testing.T) {
		t.Parallel()
		p := newNodePLC(t)
		killInExcursion(t, p, mosquitto(t), 20)
	})
}

// down is a stretch in which no gateway ran, for certain.
type down struct{ from, to time.Time }

func killInExcursion(t *testing.T, p plc, broker string, kills int) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	s := newSite(t, siteOptions{endpoint: p.endpoint(), nodes: p.nodes(), broker: broker})
	receiver, wire := s.receive(), watchWire(t, broker)
	gateway := s.run()
	gateway.says("source connected")
	poll(t, "the first values at the quality system", func() bool { return len(s.received("record")) >= 2 })
	from := p.set("tc1", 905)
	poll(t, "the event at the quality system", func() bool { return len(events(t, s.received("quality"), "deviation")) == 1 })

	stop := wobble(p)
	var downs []down
	for i := range kills {
		life := time.NewTimer(20*time.Millisecond + time.Duration(dice.Int64N(int64(300*time.Millisecond))))
		<-life.C // the instant of the kill is any
		gateway.kill()
		d := down{from: time.Now()}
		if i%10 == 9 {
			s.whole()
		}
		d.to = time.Now()
		downs = append(downs, d)
		gateway = s.run()
	}
	gateway.says("source connected")
	stop()
	to := p.set("tc1", 885)
	poll(t, "the end of the event at the quality system", func() bool {
		list := events(t, s.received("quality"), "deviation")
		return list[0].told() && allClosed(events(t, s.received("quality"), "gap"))
	})
	gateway.stop()
	receiver.stop()
	s.whole()
	s.oneExcursion(from, to)
	s.downsAreGaps(downs)
	s.nothingLost()
	wire.consistent()
}

// wobble changes tc1 all the time, out of limits, until it is stopped.
func wobble(p plc) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-quit:
				return
			case <-tick.C:
				p.set("tc1", 896+float64(i%8))
			}
		}
	}()
	return func() { close(quit); <-done }
}

func allClosed(gaps []*event) bool {
	return !slices.ContainsFunc(gaps, func(e *event) bool { return e.Data.State != "closed" })
}

// oneExcursion wants one event, from the value that began it to the one that
// ended it, its worst value the first.
func (s *site) oneExcursion(from, to time.Time) {
	s.t.Helper()
	list := events(s.t, s.received("quality"), "deviation")
	if len(list) != 1 {
		s.t.Errorf("%d deviations, want 1", len(list))
	}
	e := list[0]
	if d := &e.Data; !d.OccurredFrom.Equal(from) || !d.OccurredTo.Equal(to) || d.Excursion.Worst.Value != 905 || !d.Excursion.Worst.At.Equal(from) {
		s.t.Errorf("the event is from %s to %s, worst %+v; want from %s to %s, worst 905 at its beginning", d.OccurredFrom, d.OccurredTo, d.Excursion.Worst, from, to)
	}
	for _, m := range e.all {
		if !m.Data.OccurredFrom.Equal(from) || m.Data.State == "ended" || m.Data.State == "superseded" {
			s.t.Errorf("revision %d: %s from %s", m.Data.Revision, m.Data.State, m.Data.OccurredFrom)
		}
	}
}

// downsAreGaps wants every stretch without a gateway to lie in a gap of both
// tags.
func (s *site) downsAreGaps(downs []down) {
	s.t.Helper()
	gaps := events(s.t, s.received("quality"), "gap")
	for i, d := range downs {
		for _, tag := range []string{"furn-03/tc1", "furn-03/steady"} {
			if !slices.ContainsFunc(gaps, func(e *event) bool {
				return slices.Contains(e.Data.Tags, tag) && !e.Data.OccurredFrom.After(d.from) && !e.Data.OccurredTo.Before(d.to)
			}) {
				s.t.Errorf("kill %d: %s was not seen from %s to %s, and no gap says so", i+1, tag, d.from, d.to)
			}
		}
	}
}

// nothingLost wants what the quality system holds to be on record byte for byte,
// numbered without a hole, and all that is on record of quality and samples to
// have come there.
func (s *site) nothingLost() {
	s.t.Helper()
	record := s.export()
	for _, lane := range []string{"quality", "event"} {
		numbered(s.t, lane, messages(s.t, s.received(lane)))
	}
	for _, lane := range []string{"quality", "event", "record"} {
		within(s.t, "lane "+lane, s.received(lane), record)
	}
	for i, r := range rows(s.t, s.received("record"), "") {
		if r.I != uint64(i)+1 {
			s.t.Fatalf("lane record: sample %d is number %d", i+1, r.I)
		}
	}
	var quality []string
	for _, m := range messages(s.t, record) {
		if m.Lane == "quality" {
			quality = append(quality, m.line)
		}
	}
	within(s.t, "quality on record", quality, s.received("quality"))
}

// wire is what goes over the broker, as a third party sees it.
type wire struct {
	t      *testing.T
	client mqtt.Client

	mu        sync.Mutex
	payloads  map[string]string // by id
	revisions map[string]string // id by event and revision
	wrong     []string
}

// watchWire listens to all that gateways send until the test ends.
func watchWire(t *testing.T, broker string) *wire {
	t.Helper()
	w := &wire{t: t, payloads: map[string]string{}, revisions: map[string]string{}}
	w.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID("witness").SetProtocolVersion(4).SetOrderMatters(true))
	for _, token := range []func() mqtt.Token{w.client.Connect, func() mqtt.Token {
		return w.client.Subscribe("andon/v1/+/up/#", 1, func(_ mqtt.Client, m mqtt.Message) { w.take(m.Payload()) })
	}} {
		if tok := token(); !tok.WaitTimeout(patience) || tok.Error() != nil {
			t.Fatalf("witness: %v", tok.Error())
		}
	}
	t.Cleanup(func() { w.client.Disconnect(0) })
	return w
}

// take notes a message: what has been sent once is sent in the same bytes, and a
// revision of an event under one id.
func (w *wire) take(payload []byte) {
	m, err := parse(payload)
	if err != nil || m.ID == "" {
		return // a state or a checkpoint
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if before, ok := w.payloads[m.ID]; ok && before != string(payload) {
		w.wrong = append(w.wrong, fmt.Sprintf("%s was sent as\n%s\nand as\n%s", m.ID, before, payload))
	}
	w.payloads[m.ID] = string(payload)
	if m.Data.EventID == "" {
		return
	}
	name := fmt.Sprintf("%s revision %d", m.Data.EventID, m.Data.Revision)
	if before, ok := w.revisions[name]; ok && before != m.ID {
		w.wrong = append(w.wrong, fmt.Sprintf("%s was sent as %s and as %s", name, before, m.ID))
	}
	w.revisions[name] = m.ID
}

func (w *wire) consistent() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, what := range w.wrong {
		w.t.Error(what)
	}
	if len(w.revisions) == 0 {
		w.t.Error("the witness has seen no event")
	}
}
