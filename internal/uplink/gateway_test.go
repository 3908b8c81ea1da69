package uplink_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/outbox"
	"andon/internal/uplink"
)

// gateway stands for the rest of the gateway: entries in memory, the true
// arithmetic of the outbox over them, and receipts applied as they come.
type gateway struct {
	t  testing.TB
	up *uplink.Uplink

	mu       sync.Mutex
	state    outbox.State
	entries  map[string][]entry
	receipts []uplink.Receipt // handed in, in order
	results  []outbox.Result  // what came of them
	dead     []outbox.DeadLetter
	changed  chan struct{} // closed and replaced at every receipt
}

type entry struct {
	topic     string
	payload   []byte
	tombstone []byte
}

const epoch = "e1"

func newGateway(t testing.TB, consumers ...string) *gateway {
	return &gateway{
		t: t, state: outbox.New(epoch, consumers), changed: make(chan struct{}),
		entries: map[string][]entry{},
	}
}

// raise commits n entries of a lane.
func (g *gateway) raise(lane, kind string, n int) {
	g.mu.Lock()
	for range n {
		seq := g.state.Next(lane)
		payload := fmt.Appendf(nil, `{"id":%q,"gateway":"g1","epoch":%q,"lane":%q,"seq":%d,"data":{"n":%d}}`, outbox.ID("g1", epoch, lane, seq), epoch, lane, seq, seq)
		if lane == outbox.Record {
			payload = fmt.Appendf(nil, `{"i":%d,"equipment":"furn-03","tag":"tc1","t":"2026-01-01T00:00:00.000Z","v":885.25,"q":"good"}`, seq)
		}
		g.entries[lane] = append(g.entries[lane], entry{topic: kind, payload: payload})
	}
	g.mu.Unlock()
	if g.up != nil {
		g.up.Wake()
	}
}

func (g *gateway) Level(lane string) (uplink.Level, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.state.Count(lane)
	l := uplink.Level{Raised: c.Raised, Outstanding: c.Pending + c.Withheld}
	if open := g.state.Outstanding(lane); len(open) > 0 {
		l.Oldest = open[0][0]
	}
	return l, nil
}

func (g *gateway) Pending(lane string, after uint64, limit int) ([]uplink.Message, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ms []uplink.Message
	for _, r := range g.state.Outstanding(lane) {
		for first := max(r[0], after+1); first <= r[1] && len(ms) < limit; {
			m := g.message(lane, first, r[1])
			ms = append(ms, m)
			first = m.Last + 1
		}
	}
	return ms, nil
}

func (g *gateway) message(lane string, first, last uint64) uplink.Message {
	e := g.entries[lane][first-1]
	m := uplink.Message{Lane: lane, Topic: e.topic, First: first, Last: first, Payload: e.bytes()}
	if lane != outbox.Record {
		return m
	}
	m.Last = min(last, first+99)
	var records [][]byte
	for i := first; i <= m.Last; i++ {
		records = append(records, g.entries[lane][i-1].bytes())
	}
	m.Payload = fmt.Appendf(nil, `{"gateway":"g1","epoch":%q,"lane":"record","id":"g1/%s/record/%d-%d","first":%d,"last":%d,"records":[%s]}`,
		epoch, epoch, m.First, m.Last, m.First, m.Last, bytes.Join(records, []byte(",")))
	return m
}

func (e entry) bytes() []byte {
	if e.tombstone != nil {
		return e.tombstone
	}
	return e.payload
}

func (g *gateway) Entry(lane string, seq uint64) (uplink.Entry, bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if seq == 0 || seq > uint64(len(g.entries[lane])) {
		return uplink.Entry{}, false, nil
	}
	e := g.entries[lane][seq-1]
	found := uplink.Entry{Topic: e.topic, SHA256: []string{sum(e.payload)}}
	if e.tombstone != nil {
		found.SHA256 = append(found.SHA256, sum(e.tombstone))
	}
	return found, true, nil
}

// receipt is the sink: it does what the engine and the journal do.
func (g *gateway) receipt(_ context.Context, r uplink.Receipt) error {
	g.mu.Lock()
	in := outbox.Receipt{Consumer: r.Consumer, Epoch: r.Epoch, Lane: r.Lane, UpTo: r.UpTo, Ranges: r.Ranges, Refused: r.Refused}
	for _, j := range r.Rejected {
		in.Rejected = append(in.Rejected, outbox.Rejection(j))
	}
	res := g.state.Receipt(in)
	for _, d := range res.Dead {
		g.entries[d.Lane][d.Seq-1].tombstone = outbox.Withheld("g1", epoch, "2026-01-01T00:00:00.000Z", d)
	}
	g.receipts, g.results, g.dead = append(g.receipts, r), append(g.results, res), append(g.dead, res.Dead...)
	close(g.changed)
	g.changed = make(chan struct{})
	g.mu.Unlock()
	if g.up != nil {
		g.up.Wake()
	}
	return nil
}

// until waits until ok says so; ok is called with the lock held.
func (g *gateway) until(what string, ok func() bool) {
	g.t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		g.mu.Lock()
		done, changed := ok(), g.changed
		g.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			g.mu.Lock()
			defer g.mu.Unlock()
			g.t.Fatalf("%s: not within 20 s; quality %+v, record %+v, status %+v", what,
				g.state.Count(outbox.Quality), g.state.Count(outbox.Record), g.up.Status())
		}
	}
}

// drained waits until nothing is outstanding in the lanes.
func (g *gateway) drained(lanes ...string) {
	g.t.Helper()
	g.until(fmt.Sprintf("drain %v", lanes), func() bool {
		for _, l := range lanes {
			if len(g.state.Outstanding(l)) > 0 {
				return false
			}
		}
		return true
	})
}

// said is what has been handed in so far, and what came of it.
func (g *gateway) said() (receipts []uplink.Receipt, results []outbox.Result, dead []outbox.DeadLetter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.receipts), slices.Clone(g.results), slices.Clone(g.dead)
}

func (g *gateway) count(lane string) outbox.Count {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.Count(lane)
}

// options are small times, so that a test of a time-out is short.
func (g *gateway) options(brokers ...string) uplink.Options {
	return uplink.Options{
		Gateway: "g1", Epoch: epoch, Version: "test", Brokers: brokers,
		Outbox: g, Receipts: g.receipt,
		Log:            slog.New(slog.NewTextHandler(testLog{g.t}, nil)),
		AckDeadline:    500 * time.Millisecond,
		ReceiptTimeout: 200 * time.Millisecond,
		RetryMax:       time.Second,
		BackoffMin:     20 * time.Millisecond,
		BackoffMax:     100 * time.Millisecond,
		RefusedBackoff: 200 * time.Millisecond,
		ConnectTimeout: time.Second,
		WriteTimeout:   500 * time.Millisecond,
		PoisonWithin:   300 * time.Millisecond,
		DrainTimeout:   time.Second,
	}
}

// run starts an uplink; it ends with the test, and the test waits for it.
func (g *gateway) run(o uplink.Options) (stop func()) {
	g.t.Helper()
	up, err := uplink.New(o)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.up = up
	g.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- up.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				g.t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			g.t.Error("Run did not end within 10 s")
		}
	})
	g.t.Cleanup(stop)
	return stop
}

// testLog writes to the test's log.
type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSpace(b))
	return len(b), nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// key is a consumer's key pair.
type key struct {
	signer   note.Signer
	verifier string
}

func newKey(t testing.TB, name string) key {
	t.Helper()
	private, public, err := note.GenerateKey(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return key{signer: s, verifier: public}
}

// claim is a receipt's text.
type claim struct {
	Gateway  string      `json:"gateway"`
	Epoch    string      `json:"epoch"`
	Lane     string      `json:"lane"`
	Consumer string      `json:"consumer"`
	Stage    string      `json:"stage"`
	UpTo     uint64      `json:"up_to"`
	Ranges   [][2]uint64 `json:"ranges,omitempty"`
	Hash     string      `json:"hash,omitempty"`
	Rejected []rejected  `json:"rejected,omitempty"`
}

type rejected struct {
	Seq    uint64 `json:"seq"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

func (c claim) signed(t testing.TB, s note.Signer) []byte {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := note.Sign(&note.Note{Text: string(text) + "\n"}, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var errNoSeq = errors.New("no sequence number")
