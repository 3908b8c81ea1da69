package uplink_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"andon/internal/outbox"
	"andon/internal/uplink"
	"andon/internal/uplink/mqtttest"
)

// signedBy are the options of a gateway whose consumers these are.
func (g *gateway) signedBy(o uplink.Options, qs ...*qms) uplink.Options {
	o.Consumers = map[string]string{}
	for _, q := range qs {
		o.Consumers[q.name] = q.key.verifier
	}
	return o
}

func TestDrainsEachEntryOnce(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	g.raise(outbox.Record, "record", 10_000)
	g.raise(outbox.Event, "event/alarm", 1_000)
	g.raise(outbox.Quality, "quality/deviation", 2_000)
	o := g.signedBy(g.options(b.URL()), q)
	o.ReceiptTimeout, o.AckDeadline = time.Minute, time.Minute // every repeat would be a mistake
	g.run(o)
	g.drained(outbox.Quality, outbox.Event, outbox.Record)

	q.mu.Lock()
	defer q.mu.Unlock()
	if q.repeats != 0 {
		t.Errorf("%d entries came twice, want 0 without a fault", q.repeats)
	}
	for lane, want := range map[string]uint64{outbox.Quality: 2_000, outbox.Event: 1_000, outbox.Record: 10_000} {
		if got := q.held[lane]; got.UpTo != want {
			t.Errorf("lane %s: the consumer holds up to %d, want %d", lane, got.UpTo, want)
		}
		for seq, have := range q.bytes[lane] {
			if string(have) != string(g.entries[lane][seq-1].payload) {
				t.Fatalf("lane %s number %d: %s, want the bytes as committed", lane, seq, have)
			}
		}
	}
	if i := lastIndex(q.order, "quality/deviation"); i > firstIndex(q.order, "event/alarm") {
		t.Error("an event went before the last of a backlog of quality entries")
	}
	if i := lastIndex(q.order, "event/alarm"); i > firstIndex(q.order, "record") {
		t.Error("a record went before the last of a backlog of events")
	}
}

func firstIndex(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return len(list)
}

func lastIndex(list []string, s string) int {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == s {
			return i
		}
	}
	return -1
}

//andon:req Q30
func TestBrokerAbsentAtStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "tcp://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b := mqtttest.New(t, nil)
	b.Stop()
	g := newGateway(t, "qms")
	g.raise(outbox.Quality, "quality/deviation", 10)
	k := newKey(t, "qms")
	o := g.options(nobody, b.URL())
	o.Consumers = map[string]string{"qms": k.verifier}
	g.run(o)
	poll(t, "a failed attempt", func() bool { return g.up.Status().LastError != "" })
	if s := g.up.Status(); s.Connected {
		t.Errorf("status %+v, want not connected", s)
	}
	b.Start()
	q := &qms{t: t, name: "qms", key: k, answer: honest, held: map[string]outbox.Set{}, bytes: map[string]map[uint64][]byte{}}
	q.connect(b.URL())
	g.drained(outbox.Quality)
	if s := g.up.Status(); !s.Connected || s.Broker != b.URL() {
		t.Errorf("status %+v, want connected to the second broker", s)
	}
}

// The broker is killed in the middle of a window, again and again, and forgets
// everything each time.
func TestBrokerKilledInMidWindow(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	g.run(g.signedBy(g.options(b.URL()), q))
	for round := range uint64(3) {
		g.raise(outbox.Quality, "quality/deviation", 400)
		q.until("part of the window", func() bool { return q.held[outbox.Quality].Size() > round*400+50 })
		b.Stop()
		b.Start()
	}
	g.drained(outbox.Quality)
	if got := g.count(outbox.Quality); got.Receipted != 1_200 {
		t.Errorf("%+v, want 1200 receipted", got)
	}
	if got := q.has(outbox.Quality); got != 1_200 {
		t.Errorf("the consumer holds %d, want 1200", got)
	}
}

func TestLineFaults(t *testing.T) {
	tests := []struct {
		name  string
		fault func(w *mqtttest.Wire)
	}{
		{"cut", func(w *mqtttest.Wire) { w.Cut() }},
		{"stall", func(w *mqtttest.Wire) { w.Stall() }},
		{"deaf", func(w *mqtttest.Wire) { w.Deafen() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := mqtttest.New(t, nil)
			w := mqtttest.NewWire(t, b.Addr())
			q := newQMS(t, "qms", b.URL(), honest)
			g := newGateway(t, "qms")
			g.run(g.signedBy(g.options(w.URL()), q))
			g.raise(outbox.Quality, "quality/deviation", 200)
			g.drained(outbox.Quality)
			before := g.up.Status().Connections
			tt.fault(w)
			g.raise(outbox.Quality, "quality/deviation", 500)
			poll(t, "the fault is noticed", func() bool {
				s := g.up.Status()
				return s.LastError != "" && (!s.Connected || s.Connections > before)
			})
			w.Mend()
			w.Cut() // what hangs in the wire goes nowhere
			g.drained(outbox.Quality)
			if got := q.has(outbox.Quality); got != 700 {
				t.Errorf("the consumer holds %d, want 700", got)
			}
		})
	}
}

// A PUBACK is no receipt: what the broker acknowledged and lost is sent again.
func TestPUBACKWithoutDelivery(t *testing.T) {
	var lose atomic.Bool
	lose.Store(true)
	b := mqtttest.New(t, &mqtttest.Faults{Lose: func(topic string) bool {
		return lose.Load() && strings.Contains(topic, "/up/quality/")
	}})
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	g.run(g.signedBy(g.options(b.URL()), q))
	g.raise(outbox.Quality, "quality/deviation", 300)
	poll(t, "300 acknowledgements", func() bool { return g.up.Status().Acked >= 300 })
	if got := g.count(outbox.Quality); got.Pending != 300 {
		t.Fatalf("%+v: something was retired on a PUBACK", got)
	}
	lose.Store(false)
	g.drained(outbox.Quality)
	if got := q.has(outbox.Quality); got != 300 {
		t.Errorf("the consumer holds %d, want 300", got)
	}
}

// A hole in the middle is filled while later entries go on being receipted.
func TestAHoleIsFilledUnderTraffic(t *testing.T) {
	var lost atomic.Int32
	b := mqtttest.New(t, &mqtttest.Faults{Lose: func(topic string) bool {
		return strings.HasSuffix(topic, "quality/gap") && lost.Add(1) <= 20
	}})
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	g.run(g.signedBy(g.options(b.URL()), q))
	g.raise(outbox.Quality, "quality/gap", 20)
	raised := uint64(20)
	poll(t, "the hole is filled", func() bool {
		g.raise(outbox.Quality, "quality/deviation", 1) // never idle
		raised++
		return q.has(outbox.Quality) > 20 && q.upTo(outbox.Quality) > 20
	})
	g.drained(outbox.Quality)
	if got := q.has(outbox.Quality); got != raised {
		t.Errorf("the consumer holds %d, want %d", got, raised)
	}
}

//andon:req Q31
func TestReceiptsLostAndDoubled(t *testing.T) {
	b := mqtttest.New(t, nil)
	n := 0
	q := newQMS(t, "qms", b.URL(), func(q *qms, _ string, c claim) [][]byte {
		one := c.signed(q.t, q.key.signer)
		switch n++; n % 3 {
		case 0:
			return nil
		case 1:
			return [][]byte{one}
		}
		return [][]byte{one, one, one}
	})
	g := newGateway(t, "qms")
	g.run(g.signedBy(g.options(b.URL()), q))
	g.raise(outbox.Quality, "quality/deviation", 100)
	g.drained(outbox.Quality)
	poll(t, "repeated receipts", func() bool { return g.up.Status().Receipts.Repeated > 0 })
	receipts, results, _ := g.said()
	for i, r := range results {
		if r.Refused != "" {
			t.Errorf("receipt %+v refused: %s", receipts[i], r.Refused)
		}
	}
}

//andon:req Q40
func TestReceiptsThatMustNotBeBelieved(t *testing.T) {
	stranger := newKey(t, "qms") // the right name, another key
	other := newKey(t, "mes")
	tests := []struct {
		name string
		say  func(q *qms, c claim) []byte
		want string // in Refused; "" for one that is not refused but ignored
	}{
		{"forged", func(q *qms, c claim) []byte { return c.signed(t, stranger.signer) }, "not signed by a consumer"},
		{"bare", func(q *qms, c claim) []byte { return []byte(`{"gateway":"g1"}`) }, "not signed by a consumer"},
		{"by another consumer", func(q *qms, c claim) []byte { return c.signed(t, other.signer) }, "signed by another"},
		{"of a consumer that there is not", func(q *qms, c claim) []byte { c.Consumer = "erp"; return c.signed(t, q.key.signer) }, `"erp" is not one of the consumers`},
		{"altered", func(q *qms, c claim) []byte {
			return []byte(strings.Replace(string(c.signed(t, q.key.signer)), `"up_to":10`, `"up_to":11`, 1))
		}, "not signed by a consumer"},
		{"wrong hash", func(q *qms, c claim) []byte { c.Hash = sum([]byte("else")); return c.signed(t, q.key.signer) }, "is not what we sent"},
		{"no hash", func(q *qms, c claim) []byte { c.Hash = ""; return c.signed(t, q.key.signer) }, "is not what we sent"},
		{"for another gateway", func(q *qms, c claim) []byte { c.Gateway = "g2"; return c.signed(t, q.key.signer) }, `it is for gateway "g2"`},
		{"never given", func(q *qms, c claim) []byte { c.UpTo = 99; return c.signed(t, q.key.signer) }, "was never given"},
		{"range never given", func(q *qms, c claim) []byte { c.Ranges = [][2]uint64{{11, 12}}; return c.signed(t, q.key.signer) }, "was never given"},
		{"not stored", func(q *qms, c claim) []byte { c.Stage = "received"; return c.signed(t, q.key.signer) }, "only what is stored counts"},
		{"no such lane", func(q *qms, c claim) []byte { c.Lane = "x"; return c.signed(t, q.key.signer) }, `no lane "x"`},
		{"another epoch", func(q *qms, c claim) []byte { c.Epoch = "e0"; return c.signed(t, q.key.signer) }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := mqtttest.New(t, nil)
			q := newQMS(t, "qms", b.URL(), nil)
			g := newGateway(t, "qms", "mes")
			o := g.signedBy(g.options(b.URL()), q)
			o.Consumers["mes"] = other.verifier
			g.raise(outbox.Quality, "quality/deviation", 10)
			g.run(o)
			q.until("10 entries", func() bool { return q.held[outbox.Quality].UpTo == 10 })
			q.mu.Lock()
			c := q.claim(outbox.Quality)
			q.mu.Unlock()
			q.say(tt.say(q, c))
			g.until("the receipt is handed in", func() bool { return len(g.results) > 0 })
			_, results, _ := g.said()
			res := results[0]
			if tt.want == "" {
				if res.Ignored == "" || res.Refused != "" {
					t.Errorf("result %+v, want ignored", res)
				}
			} else if !strings.Contains(res.Refused, tt.want) {
				t.Errorf("refused %q, want it to say %q", res.Refused, tt.want)
			}
			if got := g.count(outbox.Quality); got.Pending != 10 {
				t.Errorf("%+v: something was believed", got)
			}
		})
	}
}

// Whoever may write to the receipt topic cannot fill the record with refusals.
func TestAFloodOfForgeriesIsNotAllHandedIn(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	g.run(g.signedBy(g.options(b.URL()), q))
	poll(t, "a connection", func() bool { return g.up.Status().Connected })
	for range 200 {
		q.say([]byte("rubbish"))
	}
	poll(t, "200 refusals", func() bool { return g.up.Status().Receipts.Refused == 200 })
	g.mu.Lock()
	if n := len(g.receipts); n != 10 {
		t.Errorf("%d refusals handed in, want 10", n)
	}
	g.mu.Unlock()
	g.raise(outbox.Quality, "quality/deviation", 10)
	g.drained(outbox.Quality)
}

func TestTwoConsumersMustBothReceipt(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), honest)
	m := newQMS(t, "mes", b.URL(), nil)
	g := newGateway(t, "qms", "mes")
	g.run(g.signedBy(g.options(b.URL()), q, m))
	g.raise(outbox.Quality, "quality/deviation", 50)
	g.until("the first consumer's receipt", func() bool {
		return len(g.receipts) > 0 && g.receipts[len(g.receipts)-1].UpTo == 50
	})
	if got := g.count(outbox.Quality); got.Pending != 50 {
		t.Errorf("%+v: retired without the second consumer", got)
	}
	m.set(honest)
	g.drained(outbox.Quality) // by sending the oldest again, since m has all and says nothing by itself
}

func TestRejectionBecomesATombstone(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), honest)
	q.reject = map[uint64]bool{3: true}
	g := newGateway(t, "qms")
	o := g.signedBy(g.options(b.URL()), q)
	o.ReceiptTimeout = time.Minute // the tombstone must not wait for it
	g.run(o)
	g.raise(outbox.Quality, "quality/deviation", 10)
	g.drained(outbox.Quality)
	if got, want := g.count(outbox.Quality), (outbox.Count{Raised: 10, Receipted: 9, Rejected: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if got := string(q.bytes[outbox.Quality][3]); !strings.Contains(got, outbox.TypeWithheld) {
		t.Errorf("number 3 at the consumer is %s, want a tombstone", got)
	}
	if _, _, dead := g.said(); len(dead) != 1 || dead[0].Topic != "quality/deviation" || dead[0].SHA256 != sum(g.entries[outbox.Quality][2].payload) {
		t.Errorf("dead letters %+v, want number 3 with its topic and hash", dead)
	}
}

func TestWhatIsNotSendableIsNotSent(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	o := g.signedBy(g.options(b.URL()), q)
	o.ReceiptTimeout = time.Minute
	g.raise(outbox.Quality, "quality/deviation", 5)
	g.entries[outbox.Quality][1].payload = make([]byte, 300<<10)
	g.run(o)
	g.drained(outbox.Quality)
	if got, want := g.count(outbox.Quality), (outbox.Count{Raised: 5, Receipted: 4, Rejected: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, _, dead := g.said(); len(dead) != 1 || dead[0].Consumer != outbox.Uplink || dead[0].Code != "poison" {
		t.Errorf("dead letters %+v, want one by the uplink", dead)
	}
	if s := g.up.Status(); s.Connections != 1 || s.Poisoned != 1 {
		t.Errorf("status %+v, want one connection and one poisoned", s)
	}
}

// A bad topic cannot even carry its tombstone: it stays outstanding and is not
// sent, and everything else goes on.
func TestABadTopicHoldsNothingUp(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	g.raise(outbox.Quality, "quality/deviation", 5)
	g.entries[outbox.Quality][1].topic = "quality/#"
	g.run(g.signedBy(g.options(b.URL()), q))
	g.until("the others", func() bool { return g.state.Count(outbox.Quality).Receipted == 4 })
	g.raise(outbox.Quality, "quality/deviation", 5)
	g.until("later ones", func() bool { return g.state.Count(outbox.Quality).Receipted == 9 })
	if got := g.count(outbox.Quality); got.Withheld != 1 {
		t.Errorf("%+v, want one withheld", got)
	}
}

// The broker closes the connection on one message: it goes aside, the rest
// passes, and only it.
func TestPoison(t *testing.T) {
	for _, at := range []int{1, 5, 40} {
		t.Run("number "+string(rune('0'+at/10))+string(rune('0'+at%10)), func(t *testing.T) {
			var marker = []byte(`"lane":"quality","seq":` + itoa(at) + `,`)
			b := mqtttest.New(t, &mqtttest.Faults{Choke: func(_ string, payload []byte) bool {
				return strings.Contains(string(payload), string(marker)) && !strings.Contains(string(payload), "withheld")
			}})
			q := newQMS(t, "qms", b.URL(), honest)
			g := newGateway(t, "qms")
			o := g.signedBy(g.options(b.URL()), q)
			o.PoisonWithin = 100 * time.Millisecond
			g.raise(outbox.Quality, "quality/deviation", 60)
			g.run(o)
			g.drained(outbox.Quality)
			if got, want := g.count(outbox.Quality), (outbox.Count{Raised: 60, Receipted: 59, Rejected: 1}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if _, _, dead := g.said(); len(dead) != 1 || dead[0].Seq != uint64(at) {
				t.Errorf("dead letters %+v, want number %d", dead, at)
			}
		})
	}
}

func itoa(n int) string {
	b, _ := json.Marshal(n) // an int always encodes
	return string(b)
}

// A broker that closes every connection at once is not a message's fault.
func TestABrokerThatAlwaysDiesPoisonsNothing(t *testing.T) {
	var sick atomic.Bool
	sick.Store(true)
	b := mqtttest.New(t, &mqtttest.Faults{Choke: func(topic string, _ []byte) bool { return sick.Load() }})
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	g.raise(outbox.Quality, "quality/deviation", 10)
	g.run(g.signedBy(g.options(b.URL()), q))
	poll(t, "20 connections", func() bool { return g.up.Status().Connections >= 20 })
	sick.Store(false)
	g.drained(outbox.Quality)
	if _, _, dead := g.said(); len(dead) != 0 {
		t.Errorf("dead letters %+v, want none", dead)
	}
}

func TestQMSAwayAndBack(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	o := g.signedBy(g.options(b.URL()), q)
	o.RetryMax = time.Hour
	g.run(o)
	g.raise(outbox.Quality, "quality/deviation", 10)
	g.drained(outbox.Quality)

	q.client.Disconnect(100)
	g.raise(outbox.Quality, "quality/deviation", 500)
	poll(t, "acknowledged into the void", func() bool { return g.up.Status().Acked >= 510 })
	poll(t, "sent again, more than once", func() bool { return g.up.Status().SentAgain >= 3 })
	if n := g.up.Status().SentAgain; n > 8 {
		t.Errorf("%d sent again to nobody: no back-off", n)
	}
	q.connect(b.URL())
	q.mu.Lock()
	hello := q.claim(outbox.Quality).signed(t, q.key.signer)
	q.mu.Unlock()
	q.say(hello) // repeats its last receipt: it is back
	g.drained(outbox.Quality)
	if got := q.has(outbox.Quality); got != 510 {
		t.Errorf("the consumer holds %d, want 510", got)
	}
}

// Live records pass a backlog; quality events pass both.
func TestLiveSharesWithBacklog(t *testing.T) {
	b := mqtttest.New(t, nil)
	w := mqtttest.NewWire(t, b.Addr())
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	g.raise(outbox.Record, "record", 200_000)
	o := g.signedBy(g.options(w.URL()), q)
	o.ReceiptTimeout, o.AckDeadline = time.Minute, time.Minute
	o.Window = 10
	g.run(o)
	q.until("some backlog", func() bool { return q.held[outbox.Record].Size() > 5_000 })
	g.raise(outbox.Record, "record", 50)
	g.raise(outbox.Quality, "quality/deviation", 1)
	q.until("the live records", func() bool {
		return q.held[outbox.Record].Has(200_050) && q.held[outbox.Quality].Has(1)
	})
	q.mu.Lock()
	behind := 200_000 - q.held[outbox.Record].UpTo
	q.mu.Unlock()
	if behind < 50_000 {
		t.Errorf("only %d of the backlog were left when the live records came", behind)
	}
	g.drained(outbox.Record, outbox.Quality)
	if q.repeats != 0 {
		t.Errorf("%d records came twice", q.repeats)
	}
}

// Without receipts only a bounded part of the record goes to the broker, whose
// queue the quality events need.
func TestRecordsStopWithoutReceipts(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), nil)
	g := newGateway(t, "qms")
	o := g.signedBy(g.options(b.URL()), q)
	o.MaxUnreceipted = 1_000
	o.ReceiptTimeout = 300 * time.Millisecond
	g.raise(outbox.Record, "record", 10_000)
	g.run(o)
	q.until("1000 records", func() bool { return q.held[outbox.Record].Size() >= 1_000 })
	g.raise(outbox.Quality, "quality/deviation", 1)
	q.until("the quality event", func() bool { return q.held[outbox.Quality].Has(1) })
	if n := q.has(outbox.Record); n > 1_100 {
		t.Errorf("%d records are on their way without a receipt, want about 1000", n)
	}
	q.set(honest)
	g.drained(outbox.Record, outbox.Quality)
}

func TestByBroker(t *testing.T) {
	b := mqtttest.New(t, nil)
	g := newGateway(t, "broker")
	o := g.options(b.URL())
	o.Mode = uplink.ByBroker
	g.raise(outbox.Quality, "quality/deviation", 300)
	g.raise(outbox.Record, "record", 1_050)
	g.run(o)
	g.drained(outbox.Quality, outbox.Record)
	receipts, _, _ := g.said()
	for _, r := range receipts {
		if r.Consumer != "broker" || r.Signed || r.Refused != "" {
			t.Fatalf("receipt %+v, want unsigned ones by the broker", r)
		}
	}
}

func TestUnsigned(t *testing.T) {
	b := mqtttest.New(t, nil)
	newQMS(t, "qms", b.URL(), func(q *qms, _ string, c claim) [][]byte {
		text, err := json.Marshal(c)
		if err != nil {
			t.Error(err)
		}
		return [][]byte{text}
	})
	g := newGateway(t, "qms")
	o := g.options(b.URL())
	o.Mode = uplink.Unsigned
	g.run(o)
	g.raise(outbox.Quality, "quality/deviation", 20)
	g.drained(outbox.Quality)
	if receipts, _, _ := g.said(); receipts[0].Signed {
		t.Error("an unsigned receipt was handed in as signed")
	}
}

func TestStateAndCheckpoints(t *testing.T) {
	b := mqtttest.New(t, nil)
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	o := g.signedBy(g.options(b.URL()), q)
	o.StateEvery = 50 * time.Millisecond
	o.Specs = func() []uplink.Spec { return []uplink.Spec{{ID: "HT-1", Revision: "D", SHA256: "ab"}} }
	stop := g.run(o)
	g.up.Checkpoint([]byte("one\n"))
	g.up.Checkpoint([]byte("two\n"))
	q.until("heartbeats", func() bool { return len(q.states) >= 3 })
	q.until("checkpoints", func() bool { return count(q.order, "checkpoint/history") == 2 })
	stop()
	q.until("offline", func() bool { return strings.Contains(q.states[len(q.states)-1], `"state":"offline"`) })
	var st struct {
		Gateway, State, Epoch, Version, Time string
		ValidUntil                           string `json:"valid_until"`
		Specs                                []uplink.Spec
	}
	if err := json.Unmarshal([]byte(q.states[0]), &st); err != nil {
		t.Fatal(err)
	}
	if st.Gateway != "g1" || st.State != "online" || st.Epoch != epoch || st.Version != "test" || len(st.Specs) != 1 || st.ValidUntil <= st.Time {
		t.Errorf("state %+v", st)
	}
	// Both are retained: who comes later sees them at once.
	late := newQMS(t, "late", b.URL(), nil)
	late.until("retained state", func() bool { return len(late.states) == 1 })
	late.until("retained checkpoint", func() bool { return count(late.order, "checkpoint") == 1 })
}

func count(list []string, s string) int {
	n := 0
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

func TestTheWillIsPublishedWhenTheLineDies(t *testing.T) {
	b := mqtttest.New(t, nil)
	w := mqtttest.NewWire(t, b.Addr())
	q := newQMS(t, "qms", b.URL(), honest)
	g := newGateway(t, "qms")
	o := g.signedBy(g.options(w.URL()), q)
	o.BackoffMin, o.BackoffMax = time.Minute, time.Minute
	g.run(o)
	q.until("online", func() bool { return len(q.states) > 0 })
	w.Cut()
	q.until("the will", func() bool { return strings.Contains(q.states[len(q.states)-1], `"state":"offline"`) })
}

func TestPasswordFromAFileReadAtEachConnection(t *testing.T) {
	b := mqtttest.New(t, &mqtttest.Faults{Login: func(user, password string) bool {
		return user == "g1" && password == "right"
	}})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, "broker")
	o := g.options(b.URL())
	o.Mode = uplink.ByBroker
	o.PasswordFile = file
	g.raise(outbox.Quality, "quality/deviation", 1)
	g.run(o)
	poll(t, "a refusal", func() bool { return strings.Contains(g.up.Status().LastError, "refuses our user") })
	if err := os.WriteFile(file, []byte("right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.drained(outbox.Quality)
}

func TestASubscriptionThatIsRefused(t *testing.T) {
	b := mqtttest.New(t, &mqtttest.Faults{Forbid: func(topic string) bool { return strings.Contains(topic, "/down/") }})
	g := newGateway(t, "qms")
	o := g.options(b.URL())
	o.Consumers = map[string]string{"qms": newKey(t, "qms").verifier}
	g.run(o)
	poll(t, "the refusal is named", func() bool {
		return strings.Contains(g.up.Status().LastError, "allow the gateway to read this topic")
	})
	if s := g.up.Status(); s.Connected {
		t.Errorf("status %+v: connected without receipts", s)
	}
}

func TestNewNamesAllThatIsWrong(t *testing.T) {
	_, err := uplink.New(uplink.Options{
		Gateway: "a b", Brokers: []string{"http://x:1", "tcp://user:secret@h:1", "tcp://h"},
		Consumers: map[string]string{"qms": "nonsense"},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`has ' '`, `scheme "http"`, "a user or password in the address", "the port is missing", "key of consumer qms", "required"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error %q gives the password away", err)
	}
}
