package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"andon/internal/config"
	"andon/internal/metrics"
	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
)

// metered is a gateway around a decider that has started, as a scrape sees it.
func metered(t *testing.T) (*Gateway, *decider) {
	t.Helper()
	d := newDecider(t)
	g := &Gateway{o: Options{Config: &config.Config{Gateway: config.Gateway{ID: "g1"}, Data: config.Data{Dir: t.TempDir(), Quota: 1 << 30}}, Now: time.Now},
		j: d.j, log: slog.New(slog.DiscardHandler)}
	var err error
	if g.meter, err = metrics.New("v1", g.facts); err != nil {
		t.Fatal(err)
	}
	g.committed.Store(d.committed.Load())
	d.committed, d.meter, d.beat = &g.committed, g.meter, g.beat
	g.parts.Store(&parts{sources: []source{{name: "plc", status: func() metrics.Source { return metrics.Source{Up: true, Reconnects: 3} }}}})
	return g, d
}

func scrape(t *testing.T, g *Gateway) string {
	t.Helper()
	w := httptest.NewRecorder()
	g.meter.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %v\n%s", w.Code, err, b)
	}
	return string(b)
}

func wantLines(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
}

// TestScrape: what was committed is counted, and what was only decided is not.
func TestScrape(t *testing.T) {
	g, d := metered(t)
	samples(t, d, 10, 5)
	at := at0.Add(time.Minute)
	bad := &record.Scan{Source: "plc", Time: at, Readings: []sample.Reading{{Tag: 0, Quality: sample.Bad, Status: "BadX"}, {Tag: 1, Value: sample.IntValue(1)}}}
	for _, b := range []record.Body{bad, bad, &record.Loss{Source: "plc", Cause: "link"}} { // the second repeats the first
		if err := d.decide(at, b); err != nil {
			t.Fatal(err)
		}
	}
	before := scrape(t, g)
	mustFlush(t, d)
	after := scrape(t, g)
	wantLines(t, after, "andon_buffer_commit_seconds_count 3", "andon_buffer_commit_failures_total 0") // not the start's: then nobody counted
	wantLines(t, before, `andon_samples_total{quality="good",source="plc"} 20`, "andon_journal_samples 20", `andon_buffer_records{lane="record"} 20`)
	if strings.Contains(before, `quality="bad"`) {
		t.Error("a sample is counted before it is durable")
	}
	wantLines(t, after, `andon_samples_total{quality="good",source="plc"} 21`, `andon_samples_total{quality="bad",source="plc"} 1`,
		`andon_losses_total{source="plc"} 1`, "andon_journal_samples 22", "andon_recording 1", "andon_shelved_alarms 0", "andon_eval_duration_seconds_count 13",
		`andon_source_up{source="plc"} 1`, `andon_source_reconnects_total{source="plc"} 3`,
		`andon_buffer_oldest_timestamp_seconds{lane="record"} 1.767225601e+09`, // the first sample's arrival
		`andon_buffer_oldest_timestamp_seconds{lane="event"} 1.7672256e+09`,    // the start
		"andon_buffer_quota_bytes 1.073741824e+09")
}

// TestScrapeReceipts: the lag of a receipt is told, once, and what is receipted
// waits no more.
func TestScrapeReceipts(t *testing.T) {
	g, d := metered(t)
	d.raised[1] = at0.Add(-3 * time.Second) // a quality event as deciding notes it
	d.s.Outbox.Next(outbox.Quality)
	for range 2 {
		if err := d.decide(at0, &record.Receipt{Consumer: "qms", Epoch: d.s.Start.Epoch, Lane: outbox.Quality, UpTo: 1}); err != nil {
			t.Fatal(err)
		}
		mustFlushIfAny(t, d)
	}
	wantLines(t, scrape(t, g), "andon_deviation_receipt_lag_seconds_sum 3", "andon_deviation_receipt_lag_seconds_count 1",
		`andon_outbox_receipted{lane="quality"} 1`, `andon_buffer_records{lane="quality"} 0`)
}

func mustFlushIfAny(t *testing.T, d *decider) {
	t.Helper()
	if !d.g.empty() {
		mustFlush(t, d)
	}
}

// told collects what the service manager is told.
type told struct {
	mu   sync.Mutex
	said []string
}

func (s *told) notify(state string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, state)
	return nil
}

func (s *told) count(state string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.said {
		if strings.HasPrefix(x, state) {
			n++
		}
	}
	return n
}

// TestWatchdog: it is fed while the deciding goroutine makes progress, and only
// then; ready is said once, before anything else, and stopping at the stop.
//
//andon:req Q51
func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s told
		g := &Gateway{o: Options{Notify: s.notify, Watchdog: 30 * time.Second, Now: time.Now}, ready: make(chan struct{}), log: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(t.Context())
		serving, end := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { g.supervise(ctx, serving); close(done) }()
		synctest.Wait()
		if len(s.said) != 0 {
			t.Errorf("before it is ready it said %q", s.said)
		}
		close(g.ready)
		for range 60 { // a minute of progress, then one of a goroutine that hangs
			time.Sleep(time.Second)
			g.beat()
		}
		alive := s.count("WATCHDOG=1")
		time.Sleep(time.Minute)
		stuck := s.count("WATCHDOG=1")
		stop()
		synctest.Wait()
		end()
		<-done
		if s.said[0] != "READY=1\nSTATUS=starting" || s.count("READY") != 1 || s.count("STOPPING=1") != 1 {
			t.Errorf("said %q", s.said)
		}
		if alive < 10 || stuck > alive+1 {
			t.Errorf("fed %d times in a minute of progress, %d times in the minute after it", alive, stuck-alive)
		}
	})
}

// TestIdleBeats: with nothing to do, turns still come often enough to feed the
// watchdog.
func TestIdleBeats(t *testing.T) {
	g, d := metered(t)
	if w := d.wait(); w > beatEvery {
		t.Errorf("nothing to do: waits %v, want at most %v", w, beatEvery)
	}
	in := newIntake()
	close(in.stop)
	if err := d.run(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if g.Progress().IsZero() {
		t.Error("a turn made no progress")
	}
}

// TestFailedCommitIsCounted: and it is no progress that would be missed, since
// the attempt itself is one.
func TestFailedCommitIsCounted(t *testing.T) {
	g, d := metered(t)
	if err := d.decide(at0, &record.Loss{Source: "plc", Cause: "link"}); err != nil {
		t.Fatal(err)
	}
	if err := d.j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.flush(t.Context()); !errors.Is(err, errUncertain) {
		t.Errorf("a commit to a closed journal: %v", err)
	}
	wantLines(t, scrape(t, g), "andon_buffer_commit_failures_total 1", "andon_recording 0")
	if g.Progress().IsZero() {
		t.Error("the attempt was not progress")
	}
}

// TestMetricsAddressTaken: recording goes on, and so do scrapes once the address
// is free.
func TestMetricsAddressTaken(t *testing.T) {
	g, _ := metered(t)
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	g.o.Config.Metrics = &config.Metrics{Listen: taken.Listener.Addr().String()}
	var b strings.Builder
	g.log = slog.New(slog.NewTextHandler(&b, nil))
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := g.serveMetrics(ctx); err != nil {
		t.Errorf("a taken address is no reason to end: %v", err)
	}
	if n := strings.Count(b.String(), "metrics are not served"); n != 1 {
		t.Errorf("said %d times that the address is taken, want once:\n%s", n, b.String())
	}
}

// TestRunIsReady: a gateway without a PLC or a broker says that it is ready,
// answers a scrape at the address in its log, and says that it stops.
func TestRunIsReady(t *testing.T) {
	c := &config.Config{Gateway: config.Gateway{ID: "g1"}, Metrics: &config.Metrics{Listen: "127.0.0.1:0"},
		Data: config.Data{Dir: t.TempDir(), Quota: 64 << 20, CommitEvery: 10 * time.Millisecond}}
	var s told
	address := make(chan string, 1)
	g, err := Open(Options{Config: c, Notify: s.notify, Log: slog.New(addresses(address))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	<-g.Ready()
	resp, err := http.Get("http://" + <-address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	wantLines(t, string(b), "andon_recording 1", "andon_gaps_open 0")
	for deadline := time.Now().Add(10 * time.Second); s.count("READY=1\nSTATUS=recording, 0/0 sources") == 0; {
		if time.Now().After(deadline) {
			t.Fatalf("said %q", s.said)
		}
		<-time.After(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// addresses is a log handler that picks out where metrics are served.
type addresses chan string

func (addresses) Enabled(context.Context, slog.Level) bool { return true }

func (a addresses) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "metrics" {
		r.Attrs(func(x slog.Attr) bool { a <- x.Value.String(); return false })
	}
	return nil
}

func (a addresses) WithAttrs([]slog.Attr) slog.Handler { return a }

func (a addresses) WithGroup(string) slog.Handler { return a }
