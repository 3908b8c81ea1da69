package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"andon/internal/acquisition"
	"andon/internal/clock"
	"andon/internal/config"
	"andon/internal/engine"
	"andon/internal/metrics"
	"andon/internal/opcua"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec/specdir"
	"andon/internal/uplink"
)

// source is one connection to a PLC, as the gateway sees all kinds.
type source struct {
	name      string
	status    func() metrics.Source // nil: nobody can say
	run       func(ctx context.Context, in *intake, position int) error
	committed func(token uint64)
}

// begin remembers the state, takes in who we are and what is installed, and
// makes sources and uplink ready to run. All of it is committed before anything
// is asked of the network.
func (g *Gateway) begin(ctx context.Context, in *intake, cause string) error {
	s, differs, err := remember(&g.j.View)
	if err != nil {
		return fmt.Errorf("remember: %w", err)
	}
	if differs != "" {
		g.log.Error("the record and what follows from it today differ; the record counts", "what", differs)
	}
	head := g.j.Head()
	start, err := g.start(s, head.Epoch, head.At, head.N > 0)
	if err != nil {
		return err
	}
	start.Differs, start.Cause = differs, cause
	d := &decider{j: g.j, s: s, log: g.log, every: g.o.Config.Data.CommitEvery, now: g.o.Now, observe: g.o.Observer, meter: g.meter, beat: g.beat, committed: &g.committed, raised: map[uint64]sample.Time{},
		viewer: newViewer(g.o.Version), ledger: &ledger{since: sample.At(g.o.Now()), size: head.Size}, before: head.Size, wake: g.wakePanel}
	g.decider = d
	g.ledger.Store(d.ledger)
	if err := g.makeSources(&start.Wiring); err != nil {
		return err
	}
	if err := g.makeUplink(in); err != nil {
		return err
	}
	g.parts.Store(&parts{d.sources, g.uplink})
	d.onCommit = g.sendOn
	g.in.Store(in)
	return g.install(ctx, start, s)
}

// start is the run's first input.
func (g *Gateway) start(s *engine.State, epoch string, lastCommit int64, again bool) (*record.Start, error) {
	c := g.o.Config
	b := &record.Start{Gateway: c.Gateway.ID, Site: c.Gateway.Site, Epoch: epoch, Version: g.o.Version, Config: c.SHA256,
		Wiring: Wiring(c, &s.Start.Wiring), Clock: clockInput(clock.Read())}
	if again {
		b.LastAlive = sample.Time(lastCommit)
	}
	return b, nil
}

// clockEvery is how often our own clock is looked at.
const clockEvery = 5 * time.Second

func clockInput(s clock.State) record.Clock { return record.Clock(s) }

// watchClock hands in what changes about our own clock.
func (g *Gateway) watchClock(ctx context.Context, in *intake, first record.Clock) {
	clock.Watch(ctx, clock.State(first), clockEvery, func(s clock.State) {
		b := clockInput(s)
		// what cannot be handed in any more comes with the next start
		_ = in.put(ctx, delivery{at: sample.At(g.o.Now()), source: -1, bodies: []record.Body{&b}})
	})
}

// install decides and commits the start, the list of approvers and every
// specification in the directory, and asks once more for what was being asked.
func (g *Gateway) install(ctx context.Context, start *record.Start, s *engine.State) error {
	at := sample.At(g.o.Now())
	documents, err := g.documents()
	if err != nil {
		return err
	}
	d := g.decider
	for _, doc := range append([]document{{body: start}}, documents...) {
		d.file = doc.file
		if err := d.decide(at, doc.body); err != nil {
			return err
		}
	}
	d.file = ""
	if err := d.answer(at, s.Needs()); err != nil {
		return err
	}
	d.g.Checkpoint = true
	return d.flush(ctx)
}

// document is a controlled document and the file that it was read from.
type document struct {
	file string
	body record.Body
}

// documents are the approvers, specifications and withdrawals as the settings'
// files hold them. A file that is not there yet is no error: nothing is judged then, and
// the gateway says so.
func (g *Gateway) documents() ([]document, error) {
	var list []document
	paths := g.o.Config.Specs
	approvers, err := specdir.Load(paths.Approvers)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		g.log.Warn("no list of approvers: no specification can judge", "file", paths.Approvers)
	case err != nil:
		return nil, fmt.Errorf("list of approvers: %w", err)
	default:
		list = append(list, document{paths.Approvers, &record.Policy{Document: approvers.Document, Approvals: approvers.Approvals}})
	}
	pairs, err := specdir.Read(paths.Dir)
	if err != nil {
		g.log.Error("specifications cannot all be read", "err", err)
	}
	for _, p := range pairs {
		list = append(list, document{p.Path, &record.Specification{Document: p.Document, Approvals: p.Approvals, By: "file"}})
	}
	withdrawals, err := specdir.Withdrawals(paths.Dir)
	if err != nil {
		g.log.Error("withdrawals cannot all be read", "err", err)
	}
	for _, w := range withdrawals {
		list = append(list, document{w.Path, &record.Withdrawal{Note: w.Note, By: "file"}})
	}
	return list, nil
}

func (g *Gateway) makeSources(w *record.Wiring) error {
	g.decider.sources = nil
	for i := range g.o.Config.Sources {
		s := &g.o.Config.Sources[i]
		if !readable(s) {
			g.log.Warn("source is not read by this version", "source", s.Name, "kind", s.Kind())
			continue
		}
		made, err := g.makeSource(s, w)
		if err != nil {
			return err
		}
		g.decider.sources = append(g.decider.sources, made)
	}
	return nil
}

func (g *Gateway) makeSource(s *config.Source, w *record.Wiring) (source, error) {
	if s.Modbus != nil {
		return g.makeModbus(s, w)
	}
	o, err := opcuaOptions(g.o.Config, s, w)
	if err != nil {
		return source{}, err
	}
	o.Logger, o.Now = g.log, g.o.Now
	src, err := opcua.New(o)
	if err != nil {
		return source{}, err
	}
	return fromOPCUA(s.Name, src), nil
}

// fromOPCUA makes a source of an OPC UA connection.
func fromOPCUA(name string, s *opcua.Source) source {
	return source{
		name:   name,
		status: func() metrics.Source { return opcuaFacts(s.Status()) },
		run: func(ctx context.Context, in *intake, position int) error {
			return s.Run(ctx, sourceSink{in, position})
		},
		committed: s.Committed,
	}
}

// sourceSink takes over what one source has.
type sourceSink struct {
	in       *intake
	position int
}

// Put hands a batch over.
func (k sourceSink) Put(ctx context.Context, b acquisition.Batch) error {
	return k.in.put(ctx, delivery{at: b.Arrival, bodies: b.Inputs, source: k.position, token: b.Token})
}

func (g *Gateway) makeUplink(in *intake) error {
	c := g.o.Config.MQTT
	g.uplink = nil
	if c == nil {
		g.log.Warn("no uplink in the settings: nothing is sent to a quality system")
		return nil
	}
	out := &sending{j: &g.j.View, gateway: g.o.Config.Gateway.ID, committed: g.Committed}
	o := uplink.Options{Gateway: g.o.Config.Gateway.ID, Epoch: g.j.Head().Epoch, Version: g.o.Version, Username: c.Username, Prefix: c.Prefix,
		Mode: uplink.Mode(c.Receipts), TLS: uplink.TLSFiles(c.TLS), Consumers: consumerKeys(c), Outbox: out, Specs: g.specsInForce, Log: g.log}
	for _, b := range c.Brokers {
		o.Brokers = append(o.Brokers, b.URL())
	}
	if !c.Password.None() {
		file, err := c.Password.Path(os.Getenv("CREDENTIALS_DIRECTORY"))
		if err != nil {
			return fmt.Errorf("uplink: password: %w", err)
		}
		o.PasswordFile = file
	}
	o.Receipts = func(ctx context.Context, r uplink.Receipt) error {
		err := in.put(ctx, delivery{at: sample.At(g.o.Now()), source: -1, bodies: []record.Body{receiptInput(r)}})
		if errors.Is(err, errStopped) {
			return uplink.ErrStopping
		}
		return err
	}
	var err error
	g.uplink, err = uplink.New(o)
	return err
}

func consumerKeys(c *config.MQTT) map[string]string {
	keys := map[string]string{}
	for _, x := range c.Consumers {
		keys[x.Name] = x.Key
	}
	return keys
}

func receiptInput(r uplink.Receipt) *record.Receipt {
	b := &record.Receipt{Consumer: r.Consumer, Epoch: r.Epoch, Lane: r.Lane, UpTo: r.UpTo, Ranges: r.Ranges, Signed: r.Signed, Refused: r.Refused}
	for _, x := range r.Rejected {
		b.Rejected = append(b.Rejected, record.Rejection(x))
	}
	return b
}

func (g *Gateway) specsInForce() []uplink.Spec {
	var list []uplink.Spec
	for _, s := range g.Committed().Specs {
		list = append(list, uplink.Spec(s))
	}
	return list
}

// sendOn tells the uplink of a commit. It runs on the deciding goroutine.
func (g *Gateway) sendOn(checkpoint bool) {
	if g.uplink == nil {
		return
	}
	if checkpoint {
		if note, err := g.j.Checkpoint(); err != nil {
			g.log.Error("checkpoint cannot be read", "err", err)
		} else {
			g.uplink.Checkpoint(note)
		}
	}
	g.uplink.Wake()
}
