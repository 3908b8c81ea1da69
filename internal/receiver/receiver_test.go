package receiver_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/outbox"
	"andon/internal/receiver"
	"andon/internal/uplink"
	"andon/internal/uplink/mqtttest"
)

const epoch = "e1"

// gateway stands for the rest of the gateway beside the real uplink: entries in
// memory and the true arithmetic of receipts.
type gateway struct {
	mu      sync.Mutex
	up      *uplink.Uplink
	state   outbox.State
	entries map[string][][]byte
	tombs   map[string]map[uint64][]byte
	refused []string
	dead    []outbox.DeadLetter
}

func (g *gateway) raise(lane string, n int) {
	g.mu.Lock()
	for range n {
		seq := g.state.Next(lane)
		b := fmt.Appendf(nil, `{"id":%q,"gateway":"g1","epoch":%q,"lane":%q,"seq":%d,"data":{"n":%d}}`, outbox.ID("g1", epoch, lane, seq), epoch, lane, seq, seq)
		if lane == outbox.Record {
			b = fmt.Appendf(nil, `{"i":%d,"tag":"tc1","v":885.25}`, seq)
		}
		g.entries[lane] = append(g.entries[lane], b)
	}
	g.mu.Unlock()
	g.up.Wake()
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

func (g *gateway) bytes(lane string, seq uint64) []byte {
	if t := g.tombs[lane][seq]; t != nil {
		return t
	}
	return g.entries[lane][seq-1]
}

func (g *gateway) Pending(lane string, after uint64, limit int) ([]uplink.Message, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ms []uplink.Message
	for _, r := range g.state.Outstanding(lane) {
		for first := max(r[0], after+1); first <= r[1] && len(ms) < limit; {
			m := uplink.Message{Lane: lane, Topic: lane + "/x", First: first, Last: first, Payload: g.bytes(lane, first)}
			if lane == outbox.Record {
				m.Topic, m.Last = "record", min(r[1], first+99)
				var records [][]byte
				for i := first; i <= m.Last; i++ {
					records = append(records, g.bytes(lane, i))
				}
				m.Payload = fmt.Appendf(nil, `{"gateway":"g1","epoch":%q,"lane":"record","id":"g1/%s/record/%d-%d","first":%d,"last":%d,"records":[%s]}`,
					epoch, epoch, m.First, m.Last, m.First, m.Last, bytes.Join(records, []byte(",")))
			}
			ms = append(ms, m)
			first = m.Last + 1
		}
	}
	return ms, nil
}

func (g *gateway) Entry(lane string, seq uint64) (uplink.Entry, bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if seq == 0 || seq > uint64(len(g.entries[lane])) {
		return uplink.Entry{}, false, nil
	}
	e := uplink.Entry{Topic: lane + "/x", SHA256: []string{sum(g.entries[lane][seq-1])}}
	if t := g.tombs[lane][seq]; t != nil {
		e.SHA256 = append(e.SHA256, sum(t))
	}
	return e, true, nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func (g *gateway) receipt(_ context.Context, r uplink.Receipt) error {
	g.mu.Lock()
	in := outbox.Receipt{Consumer: r.Consumer, Epoch: r.Epoch, Lane: r.Lane, UpTo: r.UpTo, Ranges: r.Ranges, Refused: r.Refused}
	for _, j := range r.Rejected {
		in.Rejected = append(in.Rejected, outbox.Rejection(j))
	}
	res := g.state.Receipt(in)
	if res.Refused != "" {
		g.refused = append(g.refused, res.Refused)
	}
	for _, d := range res.Dead {
		g.dead = append(g.dead, d)
		if g.tombs[d.Lane] == nil {
			g.tombs[d.Lane] = map[uint64][]byte{}
		}
		g.tombs[d.Lane][d.Seq] = outbox.Withheld("g1", epoch, "2026-01-01T00:00:00.000Z", d)
	}
	g.mu.Unlock()
	g.up.Wake()
	return nil
}

func (g *gateway) count(lane string) outbox.Count {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.Count(lane)
}

func (g *gateway) drained(t testing.TB, lanes ...string) {
	t.Helper()
	for _, lane := range lanes {
		poll(t, "drain "+lane, func() bool {
			c := g.count(lane)
			return c.Pending+c.Withheld == 0
		})
	}
}

// newGateway starts a gateway with the real uplink; it ends with the test.
func newGateway(t testing.TB, broker, verifier string) *gateway {
	t.Helper()
	g := &gateway{
		state:   outbox.New(epoch, []string{"qms"}),
		entries: map[string][][]byte{}, tombs: map[string]map[uint64][]byte{},
	}
	up, err := uplink.New(uplink.Options{
		Gateway: "g1", Epoch: epoch, Brokers: []string{broker}, Consumers: map[string]string{"qms": verifier},
		Outbox: g, Receipts: g.receipt, Log: logger(t),
		ReceiptTimeout: 300 * time.Millisecond, RetryMax: time.Second,
		BackoffMin: 20 * time.Millisecond, BackoffMax: 100 * time.Millisecond, PoisonWithin: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	g.up = up
	start(t, up.Run)
	return g
}

func logger(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(testLog{t}, nil)) }

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSpace(b))
	return len(b), nil
}

// start runs something until the test ends or stop is called.
func start(t testing.TB, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Run did not end within 10 s")
		}
	})
	t.Cleanup(stop)
	return stop
}

func poll(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// newKey makes the consumer's key.
func newKey(t testing.TB) (note.Signer, string) {
	t.Helper()
	private, public, err := note.GenerateKey(nil, "qms")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return s, public
}

func options(t testing.TB, broker, dir string, s note.Signer) receiver.Options {
	return receiver.Options{
		Broker: broker, Dir: dir, Name: "qms", Signer: s, Log: logger(t),
		BackoffMin: 20 * time.Millisecond, BackoffMax: 100 * time.Millisecond,
	}
}

func newReceiver(t testing.TB, o receiver.Options) *receiver.Receiver {
	t.Helper()
	r, err := receiver.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines are the lines of a file of the receiver, without their ends.
func lines(t testing.TB, dir, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// everyEntryOnce checks a lane's file against what the gateway has raised.
func (g *gateway) everyEntryOnce(t testing.TB, dir, lane string) {
	t.Helper()
	got := map[string]int{}
	for _, l := range lines(t, dir, "g1."+epoch+"."+lane+".jsonl") {
		got[l]++
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(got) != len(g.entries[lane]) {
		t.Errorf("lane %s: %d different lines, want %d", lane, len(got), len(g.entries[lane]))
	}
	for i, e := range g.entries[lane] {
		if got[string(e)] != 1 {
			t.Fatalf("lane %s: entry %d is there %d times, want once", lane, i+1, got[string(e)])
		}
	}
}

//andon:req Q28
func TestTenThousandEntriesEachOnce(t *testing.T) {
	b := mqtttest.New(t, nil)
	w := mqtttest.NewWire(t, b.Addr())
	dir := t.TempDir()
	signer, public := newKey(t)
	r := newReceiver(t, options(t, b.URL(), dir, signer))
	stop := start(t, r.Run)
	poll(t, "the receiver's subscription", func() bool { return r.Summary().Connected })
	g := newGateway(t, w.URL(), public)
	for range 4 {
		g.raise(outbox.Quality, 1_000)
		g.raise(outbox.Event, 500)
		g.raise(outbox.Record, 2_500)
		w.Cut() // somewhere in the window
	}
	g.drained(t, outbox.Quality, outbox.Event, outbox.Record)
	stop()
	for lane, want := range map[string]uint64{outbox.Quality: 4_000, outbox.Event: 2_000, outbox.Record: 10_000} {
		g.everyEntryOnce(t, dir, lane)
		if c := r.Summary().Lane(lane); c.Received != want || c.Missing != 0 || c.Conflicts != 0 {
			t.Errorf("lane %s: %+v, want %d received, none missing", lane, c, want)
		}
	}
	if len(g.refused) > 0 {
		t.Errorf("receipts refused: %v", g.refused)
	}
}

// The receiver is stopped and started again and again, on a broker that forgets
// its session each time; what it has on its disk it recognises.
func TestRestarts(t *testing.T) {
	b := mqtttest.New(t, nil)
	dir := t.TempDir()
	signer, public := newKey(t)
	g := newGateway(t, b.URL(), public)
	for range 5 {
		r := newReceiver(t, options(t, b.URL(), dir, signer))
		stop := start(t, r.Run)
		g.raise(outbox.Quality, 200)
		before := r.Summary().Lane(outbox.Quality).Received
		poll(t, "some entries", func() bool { return r.Summary().Lane(outbox.Quality).Received > before+20 })
		stop()
		b.Stop()
		b.Start()
	}
	r := newReceiver(t, options(t, b.URL(), dir, signer))
	start(t, r.Run)
	g.drained(t, outbox.Quality)
	g.everyEntryOnce(t, dir, outbox.Quality)
}

// A kill after the store and before the receipt: what comes again is recognised
// as what is held, and receipted.
func TestKilledBetweenStoreAndReceipt(t *testing.T) {
	b := mqtttest.New(t, nil)
	dir := t.TempDir()
	signer, public := newKey(t)
	g := newGateway(t, b.URL(), public)
	g.raise(outbox.Quality, 50)
	// What a killed receiver leaves: whole lines, and one that was being written.
	var file bytes.Buffer
	for _, e := range g.entries[outbox.Quality][:30] {
		file.Write(append(e, '\n'))
	}
	file.WriteString(`{"id":"g1/e1/quality/31","gate`)
	name := "g1." + epoch + ".quality.jsonl"
	if err := os.WriteFile(filepath.Join(dir, name), file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newReceiver(t, options(t, b.URL(), dir, signer))
	if c := r.Summary().Lane(outbox.Quality); c.Received != 30 {
		t.Errorf("%+v after the start, want 30 received", c)
	}
	start(t, r.Run)
	g.drained(t, outbox.Quality)
	g.everyEntryOnce(t, dir, outbox.Quality)
	poll(t, "the duplicates are counted", func() bool { return r.Summary().Lane(outbox.Quality).Received == 50 })
}

// client is a bare MQTT client of the test's own: it says what no gateway says.
func TestForeignMessages(t *testing.T) {
	tests := []struct {
		name, topic, payload string
		want                 string // in the receipt, "" for no receipt
		aside                string // in the file of what went aside, "" for nothing
	}{
		{name: "not JSON", topic: "quality/deviation", payload: "nonsense", aside: "not JSON"},
		{name: "another gateway's", topic: "quality/deviation",
			payload: `{"id":"g2/e1/quality/1","gateway":"g2","epoch":"e1","lane":"quality","seq":1}`, aside: "do not belong to the topic"},
		{name: "another lane's", topic: "event/alarm",
			payload: `{"id":"g1/e1/quality/1","gateway":"g1","epoch":"e1","lane":"quality","seq":1}`, aside: "do not belong to the topic"},
		{name: "an epoch that would be a path", topic: "quality/deviation",
			payload: `{"id":"g1/../quality/1","gateway":"g1","epoch":"../x","lane":"quality","seq":1}`, aside: "epoch"},
		{name: "wrong id", topic: "quality/deviation",
			payload: `{"id":"x","gateway":"g1","epoch":"e1","lane":"quality","seq":1}`,
			want:    `"up_to":0,"rejected":[{"seq":1,"code":"format"`, aside: "want"},
		{name: "more than one line", topic: "quality/deviation",
			payload: "{\"id\":\"g1/e1/quality/1\",\n\"gateway\":\"g1\",\"epoch\":\"e1\",\"lane\":\"quality\",\"seq\":1}",
			want:    `"code":"format"`, aside: "line break"},
		{name: "records that do not follow one another", topic: "record",
			payload: `{"gateway":"g1","epoch":"e1","lane":"record","id":"g1/e1/record/1-2","first":1,"last":2,"records":[{"i":1},{"i":3}]}`,
			want:    `"rejected":[{"seq":1,"code":"format"`, aside: "not sample 2"},
		{name: "fewer records than it says", topic: "record",
			payload: `{"gateway":"g1","epoch":"e1","lane":"record","id":"g1/e1/record/1-9","first":1,"last":9,"records":[{"i":1}]}`, aside: "do not go with"},
		{name: "beyond a gap", topic: "quality/deviation",
			payload: `{"id":"g1/e1/quality/7","gateway":"g1","epoch":"e1","lane":"quality","seq":7}`,
			want:    `"up_to":0,"ranges":[[7,7]]}`},
		{name: "a good one", topic: "quality/deviation",
			payload: `{"id":"g1/e1/quality/1","gateway":"g1","epoch":"e1","lane":"quality","seq":1}`,
			want:    `"up_to":1,"hash":"` + sum([]byte(`{"id":"g1/e1/quality/1","gateway":"g1","epoch":"e1","lane":"quality","seq":1}`)) + `"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := mqtttest.New(t, nil)
			dir := t.TempDir()
			r := newReceiver(t, options(t, b.URL(), dir, nil))
			start(t, r.Run)
			poll(t, "a connection", func() bool { return r.Summary().Connected })
			c := mqtttest.NewClient(t, b.URL(), "andon/v1/g1/down/receipt")
			c.Publish("andon/v1/g1/up/"+tt.topic, []byte(tt.payload))
			poll(t, "the message", func() bool { return r.Summary().Messages > 0 })
			if tt.want != "" {
				if got := string(c.Next()); !strings.Contains(got, tt.want) {
					t.Errorf("receipt %s, want it to have %s", got, tt.want)
				}
			}
			if tt.want == "" && r.Summary().Receipts > 0 {
				t.Errorf("a receipt was given: %s", c.Next())
			}
			if tt.aside != "" {
				if got := lines(t, dir, "g1.aside.jsonl"); len(got) != 1 || !strings.Contains(got[0], tt.aside) {
					t.Errorf("aside %v, want one line with %q", got, tt.aside)
				}
			}
			if found, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "x*")); err != nil || len(found) > 0 {
				t.Errorf("files outside the directory: %v, %v", found, err)
			}
		})
	}
}

func TestConflictingDuplicate(t *testing.T) {
	b := mqtttest.New(t, nil)
	dir := t.TempDir()
	r := newReceiver(t, options(t, b.URL(), dir, nil))
	start(t, r.Run)
	poll(t, "a connection", func() bool { return r.Summary().Connected })
	c := mqtttest.NewClient(t, b.URL(), "andon/v1/g1/down/receipt")
	entry := func(data string) []byte {
		return []byte(`{"id":"g1/e1/quality/1","type":"andon.deviation.v1","gateway":"g1","epoch":"e1","lane":"quality","seq":1,"data":` + data + `}`)
	}
	c.Publish("andon/v1/g1/up/quality/deviation", entry(`{"worst":899.4}`))
	c.Next()
	c.Publish("andon/v1/g1/up/quality/deviation", entry(`{"worst":895.1}`))
	got := string(c.Next())
	for _, want := range []string{`"up_to":1`, sum(entry(`{"worst":899.4}`)), `"rejected":[{"seq":1,"code":"conflict"`} {
		if !strings.Contains(got, want) {
			t.Errorf("receipt %s, want it to have %s", got, want)
		}
	}
	if l := lines(t, dir, "g1.e1.quality.jsonl"); len(l) != 1 || l[0] != string(entry(`{"worst":899.4}`)) {
		t.Errorf("held %v, want the first only", l)
	}
	var aside struct{ Payload []byte }
	if err := json.Unmarshal([]byte(lines(t, dir, "g1.aside.jsonl")[0]), &aside); err != nil || string(aside.Payload) != string(entry(`{"worst":895.1}`)) {
		t.Errorf("aside %s, %v, want the second", aside.Payload, err)
	}
	// A tombstone for what is held is no conflict.
	tomb := outbox.Withheld("g1", "e1", "2026-01-01T00:00:00.000Z", outbox.DeadLetter{Lane: "quality", Rejection: outbox.Rejection{Seq: 1, Code: "x", SHA256: "ab"}})
	c.Publish("andon/v1/g1/up/quality/deviation", tomb)
	if got := string(c.Next()); strings.Contains(got, "rejected") {
		t.Errorf("receipt %s: a tombstone was rejected", got)
	}
	if n := r.Summary().Lane("quality"); n.Conflicts != 1 || n.Withheld != 1 || n.Received != 1 {
		t.Errorf("%+v, want one conflict, one withheld, one received", n)
	}
}

func TestCheckpoints(t *testing.T) {
	private, public, err := note.GenerateKey(nil, "g1")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	head := func(size int, root string) []byte {
		b, err := note.Sign(&note.Note{Text: fmt.Sprintf("andon/g1/e1\n%d\n%s\ntime 2026-03-01T06:00:00.000000000Z\n", size, root)}, signer)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := mqtttest.New(t, nil)
	dir := t.TempDir()
	var log lockedBuffer
	o := options(t, b.URL(), dir, nil)
	o.Gateways = map[string]string{"g1": public}
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	r := newReceiver(t, o)
	stop := start(t, r.Run)
	poll(t, "a connection", func() bool { return r.Summary().Connected })
	c := mqtttest.NewClient(t, b.URL(), "none")
	sent := uint64(0)
	say := func(b []byte) {
		sent++
		c.Publish("andon/v1/g1/up/checkpoint/history", b)
		poll(t, "the checkpoint", func() bool { return r.Summary().Checkpoints == sent })
	}
	say(head(10, "AAAA"))
	say(head(20, "BBBB"))
	say(head(10, "AAAA")) // an old one again
	if got := log.String(); strings.Contains(got, "CHECKPOINT") {
		t.Errorf("log %s: nothing was wrong yet", got)
	}
	say(head(20, "CCCC"))
	say(head(15, "DDDD"))
	say(bytes.Replace(head(30, "EEEE"), []byte("EEEE"), []byte("FFFF"), 1))
	poll(t, "the messages", func() bool { return r.Summary().Messages >= sent })
	stop()
	got := log.String()
	for _, want := range []string{"two roots at 20 commits", "shrunk from 20 commits to 15", "cannot be believed"} {
		if !strings.Contains(got, want) {
			t.Errorf("log %s, want it to say %q", got, want)
		}
	}
	if l := lines(t, dir, "g1.checkpoints.jsonl"); len(l) != 2 {
		t.Errorf("checkpoints %v, want two", l)
	}
	if l := lines(t, dir, "g1.aside.jsonl"); len(l) != 3 {
		t.Errorf("aside %v, want three", l)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	good := options(t, "tcp://127.0.0.1:1", dir, nil)
	tests := []struct {
		name   string
		change func(*receiver.Options)
		file   string // what is in g1.e1.quality.jsonl
		want   string
	}{
		{"broker", func(o *receiver.Options) { o.Broker = "127.0.0.1" }, "", "want tcp://host:port"},
		{"password in the address", func(o *receiver.Options) { o.Broker = "tcp://u:p@h:1" }, "", "--password-file"},
		{"name", func(o *receiver.Options) { o.Name = "a b" }, "", "consumer name"},
		{"gateway key", func(o *receiver.Options) { o.Gateways = map[string]string{"g1": "x"} }, "", "key of gateway g1"},
		{"a damaged line in the middle", func(o *receiver.Options) {}, "{\"seq\":1}\nrubbish\n{\"seq\":2}\n", "quality.jsonl:2: not an entry"},
		{"an entry twice", func(o *receiver.Options) {}, "{\"seq\":1}\n{\"seq\":1}\n", "quality.jsonl:2: entry 1 again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := good
			o.Dir = t.TempDir()
			tt.change(&o)
			if tt.file != "" {
				if err := os.WriteFile(filepath.Join(o.Dir, "g1.e1.quality.jsonl"), []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := receiver.New(o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want it to say %q", err, tt.want)
			}
		})
	}
	first := newReceiver(t, good)
	if _, err := receiver.New(good); err == nil || !strings.Contains(err.Error(), "another receiver works in it") {
		t.Errorf("a second receiver in the directory: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := newReceiver(t, good).Close(); err != nil {
		t.Fatal(err)
	}
}
