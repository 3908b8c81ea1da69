package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"andon/internal/outbox"
)

// Progress is when the deciding goroutine last got through a turn; zero before
// the first. A goroutine that hangs, in deciding or in a commit, makes none.
func (g *Gateway) Progress() time.Time {
	if ns := g.progress.Load(); ns != 0 {
		return time.Unix(0, ns)
	}
	return time.Time{}
}

// beat notes progress. Attempts to open a failed journal count too: a restart
// would do nothing else, and the page would be gone.
func (g *Gateway) beat() {
	g.beats.Add(1)
	g.progress.Store(g.o.Now().UnixNano())
}

// statusEvery is how often the service manager is told what changed.
const statusEvery = 5 * time.Second

// supervise tells the service manager when the gateway is ready, how it does
// and that it stops, until serving ends. The watchdog is fed only when the
// deciding goroutine has made progress since the last time, so that a stuck one
// is killed and started again, with the stacks of all goroutines in the log.
func (g *Gateway) supervise(ctx, serving context.Context) {
	if g.o.Notify == nil {
		return
	}
	select {
	case <-g.ready:
	case <-ctx.Done():
	}
	t := &teller{g: g}
	if ctx.Err() == nil {
		t.tell("READY=1\nSTATUS=" + t.status())
	}
	every := statusEvery
	if w := g.o.Watchdog; w > 0 {
		every = min(every, w/3)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	stopping := ctx.Done()
	for {
		select {
		case <-stopping:
			t.tell("STOPPING=1\nSTATUS=committing what has come in")
			stopping = nil
		case <-serving.Done():
			return
		case <-tick.C:
			t.tick()
		}
	}
}

// teller remembers what the service manager has been told.
type teller struct {
	g      *Gateway
	beats  uint64
	said   string
	failed bool
}

func (t *teller) tick() {
	if n := t.g.beats.Load(); n != t.beats && t.g.o.Watchdog > 0 {
		t.beats = n
		t.tell("WATCHDOG=1")
	}
	if s := t.status(); s != t.said {
		t.tell("STATUS=" + s)
		t.said = s
	}
}

// tell says it, and logs when that begins to fail.
func (t *teller) tell(state string) {
	err := t.g.o.Notify(state)
	if err != nil && !t.failed {
		t.g.log.Warn("service manager cannot be told", "err", err)
	}
	t.failed = err != nil
}

// status is one line for people.
func (t *teller) status() string {
	c, p := t.g.Committed(), t.g.parts.Load()
	if c == nil || p == nil {
		return "starting"
	}
	if !c.Recording {
		return "NOT RECORDING"
	}
	up := 0
	for _, s := range p.sources {
		if s.status != nil && s.status().Up {
			up++
		}
	}
	text := fmt.Sprintf("recording, %d/%d sources", up, len(p.sources))
	if p.uplink != nil {
		broker := "broker away"
		if p.uplink.Status().Connected {
			broker = "broker connected"
		}
		waiting := c.Outbox.Count(outbox.Quality).Pending + c.Outbox.Count(outbox.Event).Pending
		text += fmt.Sprintf(", %s, %d messages wait for receipts", broker, waiting)
	}
	return text
}

// listenRetry is how long to wait before an address that was taken is tried
// again.
const listenRetry = 10 * time.Second

// serveMetrics answers scrapes until ctx ends. An address that cannot be had
// does not keep anything from being recorded: it is tried again.
func (g *Gateway) serveMetrics(ctx context.Context) error {
	if g.o.Config.Metrics == nil {
		return nil
	}
	var l net.Listener
	for said := false; ; said = true {
		var err error
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp", g.o.Config.Metrics.Listen); err == nil {
			break
		}
		if !said && ctx.Err() == nil {
			g.log.Error("metrics are not served: give metrics.listen an address that is free", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(listenRetry):
		}
	}
	g.log.Info("metrics", "address", l.Addr().String())
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", g.meter.Handler())
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stopped := context.AfterFunc(ctx, func() { _ = srv.Close() }) // closing is all that is left to do with it
	defer stopped()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}
