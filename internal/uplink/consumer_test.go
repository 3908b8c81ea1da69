package uplink_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"andon/internal/outbox"
)

// qms is a consumer without a memory on disk: it keeps what it gets, counts
// what it gets twice, and answers each message with a receipt unless told
// otherwise.
type qms struct {
	t      testing.TB
	name   string
	key    key
	client mqtt.Client

	// answers go out in a goroutine of their own: the library must not be made
	// to wait within its handler.
	answers chan []byte

	mu      sync.Mutex
	held    map[string]outbox.Set
	bytes   map[string]map[uint64][]byte
	repeats int
	order   []string // topics below up/, in order of arrival
	states  []string // payloads of up/state
	// answer decides what is answered; nil answers nothing.
	answer func(q *qms, lane string, c claim) [][]byte
	// reject are numbers of lane quality that it rejects once.
	reject map[uint64]bool
}

// honest answers with the receipt.
func honest(q *qms, _ string, c claim) [][]byte { return [][]byte{c.signed(q.t, q.key.signer)} }

func newQMS(t testing.TB, name, broker string, answer func(*qms, string, claim) [][]byte) *qms {
	t.Helper()
	q := &qms{
		t: t, name: name, key: newKey(t, name), answer: answer,
		held: map[string]outbox.Set{}, bytes: map[string]map[uint64][]byte{}, reject: map[uint64]bool{},
	}
	q.connect(broker)
	return q
}

// send publishes what is answered until the test ends.
func (q *qms) send(done <-chan struct{}, c mqtt.Client) {
	for {
		select {
		case <-done:
			return
		case b := <-q.answers:
			c.Publish("andon/v1/g1/down/receipt", 1, false, b) // a receipt that is lost is part of the plan
		}
	}
}

func (q *qms) connect(broker string) {
	q.t.Helper()
	if q.answers == nil {
		q.answers = make(chan []byte, 100_000)
	}
	subscribed, once := make(chan struct{}), sync.Once{}
	o := mqtt.NewClientOptions().AddBroker(broker).SetClientID(q.name).SetProtocolVersion(4).
		SetOrderMatters(true).SetAutoReconnect(true).SetMaxReconnectInterval(50 * time.Millisecond).
		SetConnectRetry(true).SetConnectRetryInterval(50 * time.Millisecond).
		SetOnConnectHandler(func(c mqtt.Client) {
			if token := c.Subscribe("andon/v1/g1/up/#", 1, q.receive); token.WaitTimeout(10*time.Second) && token.Error() == nil {
				once.Do(func() { close(subscribed) })
			}
		})
	q.client = mqtt.NewClient(o)
	if token := q.client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		q.t.Fatalf("consumer %s: connect: %v", q.name, token.Error())
	}
	<-subscribed
	client, done := q.client, make(chan struct{})
	go q.send(done, client)
	q.t.Cleanup(func() { close(done); client.Disconnect(0) })
}

func (q *qms) receive(_ mqtt.Client, m mqtt.Message) {
	topic := strings.TrimPrefix(m.Topic(), "andon/v1/g1/up/")
	q.mu.Lock()
	defer q.mu.Unlock()
	q.order = append(q.order, topic)
	if topic == "state" {
		q.states = append(q.states, string(m.Payload()))
		return
	}
	lane, err := q.store(m.Payload())
	if err != nil {
		return // checkpoints
	}
	if q.answer == nil {
		return
	}
	for _, b := range q.answer(q, lane, q.claim(lane)) {
		select {
		case q.answers <- b:
		default: // lost
		}
	}
}

// store keeps a message's entries.
func (q *qms) store(payload []byte) (lane string, err error) {
	var m struct {
		Lane    string
		Seq     uint64
		First   uint64
		Records []json.RawMessage
	}
	if err := json.Unmarshal(payload, &m); err != nil {
		return "", err
	}
	if m.Lane == "" {
		return "", errNoSeq
	}
	if m.Lane != outbox.Record {
		q.keep(m.Lane, m.Seq, payload)
		return m.Lane, nil
	}
	for i, r := range m.Records {
		q.keep(m.Lane, m.First+uint64(i), r)
	}
	return m.Lane, nil
}

func (q *qms) keep(lane string, seq uint64, b []byte) {
	if q.bytes[lane] == nil {
		q.bytes[lane] = map[uint64][]byte{}
	}
	if lane == outbox.Quality && q.reject[seq] && !strings.Contains(string(b), "withheld") {
		return
	}
	if q.held[lane].Has(seq) {
		q.repeats++
		return
	}
	q.held[lane] = q.held[lane].With([2]uint64{seq, seq})
	q.bytes[lane][seq] = b
}

// claim is the true receipt of what is held of a lane.
func (q *qms) claim(lane string) claim {
	h := q.held[lane]
	c := claim{Gateway: "g1", Epoch: epoch, Lane: lane, Consumer: q.name, Stage: "stored", UpTo: h.UpTo, Ranges: h.Ranges}
	if h.UpTo > 0 {
		c.Hash = sum(q.bytes[lane][h.UpTo])
	}
	if lane == outbox.Quality {
		for seq := range q.reject {
			if !h.Has(seq) {
				c.Rejected = append(c.Rejected, rejected{Seq: seq, Code: "schema", Reason: "cannot be read"})
			}
		}
	}
	return c
}

// set changes what is answered from now on.
func (q *qms) set(answer func(*qms, string, claim) [][]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answer = answer
}

// say publishes a receipt unasked.
func (q *qms) say(b []byte) {
	q.t.Helper()
	if token := q.client.Publish("andon/v1/g1/down/receipt", 1, false, b); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		q.t.Fatalf("consumer %s: publish: %v", q.name, token.Error())
	}
}

// has is how many entries of a lane it holds.
func (q *qms) has(lane string) uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held[lane].Size()
}

// upTo is the number up to which it holds all of a lane.
func (q *qms) upTo(lane string) uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held[lane].UpTo
}

// until polls a condition of the consumer, with its lock held.
func (q *qms) until(what string, ok func() bool) {
	q.t.Helper()
	poll(q.t, what, func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return ok()
	})
}

// poll waits until ok says so.
func poll(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}
