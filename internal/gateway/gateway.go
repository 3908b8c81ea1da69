package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"andon/internal/config"
	"andon/internal/journal"
	"andon/internal/metrics"
	"andon/internal/opcua"
	"andon/internal/panel"
	"andon/internal/people"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/uplink"
)

// Options are what a gateway is made of.
type Options struct {
	Config  *config.Config
	Version string
	Log     *slog.Logger
	// Observer is told latencies; nil for nobody.
	Observer Observer
	// Now is the gateway's clock; nil is time.Now.
	Now func() time.Time
	// Notify tells the service manager a state (sd_notify(3)); nil for nobody.
	Notify func(state string) error
	// Watchdog is the time within which it wants to hear of progress; 0 for not.
	Watchdog time.Duration
}

// Gateway is the daemon. Make it with Open, run it once, and it is closed.
type Gateway struct {
	o      Options
	j      *journal.Journal
	people *people.Store
	log    *slog.Logger
	// cause is why the record begins anew, "" when it does not.
	cause string

	meter     *metrics.Meter
	progress  atomic.Int64  // when the deciding goroutine got through a turn, ns
	beats     atomic.Uint64 // turns it has got through
	parts     atomic.Pointer[parts]
	committed atomic.Pointer[Committed]
	in        atomic.Pointer[intake]
	ledger    atomic.Pointer[ledger] // what has been told of events; of the running session
	ready     chan struct{}          // closed when the first session is running
	panel     *panel.Panel           // nil when the settings have none

	// of the running session; set by begin, before anything of it runs
	decider *decider
	uplink  *uplink.Uplink
}

// Open opens the journal and checks all that can be checked without touching
// the network. It refuses a directory that another gateway has.
func Open(o Options) (*Gateway, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := o.Config
	if err := os.MkdirAll(c.Data.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	j, cause, err := openJournal(&o)
	if err != nil {
		return nil, err
	}
	g := &Gateway{o: o, j: j, cause: cause, log: o.Log, ready: make(chan struct{})}
	if g.meter, err = metrics.New(o.Version, g.facts); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	if g.people, err = people.Open(c.Data.Dir); err == nil {
		err = g.openPanel()
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return g, nil
}

// openJournal opens the record. One that is damaged is set aside, so that the
// line can be watched; it is kept, a new epoch begins, and cause says so for the
// record.
func openJournal(o *Options) (j *journal.Journal, cause string, err error) {
	c := o.Config
	jo := journal.Options{Gateway: c.Gateway.ID, Quota: c.Data.Quota, At: int64(sample.At(o.Now())), Logger: o.Log}
	j, err = journal.Open(c.Data.Dir, jo)
	if !errors.Is(err, journal.ErrDamaged) {
		return j, "", err
	}
	aside, asideErr := journal.SetAside(c.Data.Dir, jo.At)
	if asideErr != nil {
		return nil, "", errors.Join(err, asideErr)
	}
	o.Log.Error("journal is damaged: set aside, a new epoch begins", "err", err, "kept", aside)
	cause = fmt.Sprintf("a new epoch begins: %v; the file is kept as %s", err, aside)
	j, err = journal.Open(c.Data.Dir, jo)
	return j, cause, err
}

// Journal is the record, for reading.
func (g *Gateway) Journal() *journal.View { return &g.j.View }

// PublicKey is the gateway's verifier key.
func (g *Gateway) PublicKey() string { return g.j.PublicKey() }

// Committed is the state as of the last commit; nil before the first session.
func (g *Gateway) Committed() *Committed { return g.committed.Load() }

// Put hands an input in and waits until what follows from it is durable.
func (g *Gateway) Put(ctx context.Context, body record.Body) error {
	_, err := g.Decide(ctx, body)
	return err
}

// Decide is Put for those who need to know what followed from the input.
func (g *Gateway) Decide(ctx context.Context, body record.Body) (record.Outcome, error) {
	h, err := g.hand(ctx, body)
	if err != nil {
		return record.Outcome{}, err
	}
	d, err := h.wait(ctx)
	return d.out, err
}

// ended tells at once of a part that has ended with an error: the others go on,
// and its error is returned when all have stopped.
func (g *Gateway) ended(part string, err error) error {
	if err != nil {
		g.log.Error("part of the gateway has ended", "part", part, "err", err)
	}
	return err
}

// Ready is closed when sources and uplink have been started.
func (g *Gateway) Ready() <-chan struct{} { return g.ready }

// reopenPause is how long to wait between attempts to open a journal whose disk
// has failed.
const reopenPause = 2 * time.Second

// Run works until ctx ends and returns nil then. The journal is closed when it
// returns. An error is one that a person must mend.
func (g *Gateway) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, g.j.Close()) }()
	if err := g.identity(); err != nil {
		return err
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beside errgroup.Group
	for name, serve := range map[string]func(context.Context) error{"control socket": g.control, "metrics": g.serveMetrics, "panel": g.servePanel} {
		beside.Go(func() error { return g.ended(name, serve(serving)) })
	}
	beside.Go(func() error { g.supervise(ctx, serving); return nil })
	defer func() {
		stop()
		err = errors.Join(err, beside.Wait())
	}()
	cause := g.cause
	for {
		err := g.session(ctx, cause)
		if !errors.Is(err, errUncertain) {
			return err
		}
		g.log.Error("NOT RECORDING: starting over from what is on the disk", "err", err)
		cause = err.Error()
		for {
			g.beat()
			if _, err = g.j.Reopen(); err == nil {
				break
			}
			g.log.Error("NOT RECORDING: journal cannot be opened", "err", err)
			select {
			case <-ctx.Done():
				return fmt.Errorf("stopped while the journal could not be opened: %w", err)
			case <-time.After(reopenPause):
			}
		}
	}
}

// identity makes the application certificate that secure sources need.
func (g *Gateway) identity() error {
	for i := range g.o.Config.Sources {
		s := &g.o.Config.Sources[i]
		if s.OPCUA == nil || s.OPCUA.Policy == "None" {
			continue
		}
		if err := os.MkdirAll(ownDir(g.o.Config), 0o700); err != nil {
			return fmt.Errorf("application certificate: %w", err)
		}
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("application certificate: %w", err)
		}
		_, _, err = opcua.EnsureIdentity(ownDir(g.o.Config), g.o.Config.Gateway.ID, host, g.o.Now())
		return err
	}
	return nil
}

// session is one run on one remembered state: until ctx ends, or the state
// cannot be relied on any more. cause is why the one before ended.
func (g *Gateway) session(ctx context.Context, cause string) error {
	in := newIntake()
	if err := g.begin(ctx, in, cause); err != nil {
		return err
	}
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSending()

	var sources, uplink errgroup.Group
	for i, s := range g.decider.sources {
		sources.Go(func() error { return g.ended("source", s.run(watching, in, i)) })
	}
	uplink.Go(func() error { return g.send(sending) })
	events, before := g.decider.ledger, g.decider.before
	uplink.Go(func() error { g.recall(watching, events, before); return nil })
	clockNow := g.decider.s.Start.Clock
	sources.Go(func() error { g.watchClock(watching, in, clockNow); return nil })
	ended := make(chan error, 1)
	go func() {
		err := sources.Wait() // a source that ends by itself has failed; the others go on until we stop
		<-watching.Done()
		g.stopping(in, err)
		ended <- err
	}()
	g.announce()
	sources.Go(func() error { g.owedPeople(watching); return nil })
	err := g.decider.run(watching, in)
	close(in.gone)
	stopWatching()
	err = errors.Join(err, <-ended)
	stopSending()
	return errors.Join(err, uplink.Wait())
}

func (g *Gateway) announce() {
	c := g.Committed()
	g.log.Info("recording", "gateway", g.o.Config.Gateway.ID, "epoch", c.Head.Epoch, "commits", c.Head.Size, "specifications", len(c.Specs))
	if len(c.Specs) == 0 {
		g.log.Warn("no specification is in force: everything is recorded, nothing is judged")
	}
	select {
	case <-g.ready:
	default:
		close(g.ready)
	}
}

// stopping is the last input of a session, unless nobody decides any more.
func (g *Gateway) stopping(in *intake, sourceErr error) {
	reason := "asked to stop"
	if sourceErr != nil {
		reason = sourceErr.Error()
		g.log.Error("source ended", "err", sourceErr)
	}
	x := delivery{at: sample.At(g.o.Now()), source: -1, bodies: []record.Body{&record.Stop{Reason: reason}}}
	if err := in.put(context.Background(), x); err == nil {
		close(in.stop)
	}
}

// send runs the uplink, if there is one, and gives it a moment to send what the
// last commit has brought.
func (g *Gateway) send(ctx context.Context) error {
	if g.uplink == nil {
		<-ctx.Done()
		return nil
	}
	return g.uplink.Run(ctx)
}
