package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/config"
	"andon/internal/gateway"
	"andon/internal/journal"
	"andon/internal/outbox"
	"andon/internal/plant"
	"andon/internal/receiver"
	"andon/internal/signkey"
)

// drainAtMost is how long, after the plant's time, what is on its way may take
// to be receipted (contract, section 2).
const drainAtMost = 10 * time.Second

// look is how often the record is looked at for the talk, and for the drain.
const look = 200 * time.Millisecond

// Options say what to demonstrate.
type Options struct {
	For     time.Duration // the plant's time; 0: until ctx ends
	Dir     string        // "" is a temporary directory, which is removed
	Panel   string        // host:port of the panel; "" for none
	Seed    uint64
	Version string
	Talk    io.Writer    // what happens, a line each; nil for silence
	Log     *slog.Logger // of the parts
	Now     func() time.Time
}

// Run demonstrates and counts. The error is what kept it from running; whether
// everything was found is the summary's OK.
func Run(ctx context.Context, o Options) (sum *Summary, err error) {
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "andon-demo-"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	}
	s, err := o.build(ctx)
	if err != nil {
		return nil, err
	}
	sum, err = s.run(ctx)
	return sum, errors.Join(err, s.broker.Close())
}

// stage is all parts, not running yet.
type stage struct {
	o        Options
	broker   interface{ Close() error }
	plant    *plant.Plant
	receiver *receiver.Receiver
	gateway  *gateway.Gateway
	settings *config.Config
	operator operator
	lat      latencies
}

// build makes every part, in the order in which they need one another's
// addresses.
func (o *Options) build(ctx context.Context) (s *stage, err error) {
	s = &stage{o: *o}
	var undo []func() error
	defer func() {
		for i := len(undo) - 1; err != nil && i >= 0; i-- {
			err = errors.Join(err, undo[i]())
		}
	}()
	broker, address, err := startBroker()
	if err != nil {
		return nil, err
	}
	s.broker, undo = broker, append(undo, broker.Close)
	if s.plant, err = plant.New(plant.Options{Seed: o.Seed, For: o.For, Press: "press-1"}); err != nil {
		return nil, err
	}
	p := s.plant // when build fails s is nil by the time of undoing
	undo = append(undo, func() error { p.Close(); return nil })
	key, err := signkey.Generate("qms")
	if err != nil {
		return nil, err
	}
	c, err := site(o.Dir, s.plant.Settings("furnace-plc", publish)+panelSettings(o.Panel), s.plant.Specifications(), address, key.Public, o.Now())
	if err != nil {
		return nil, err
	}
	s.settings = c
	if s.operator, err = o.addOperator(ctx); err != nil {
		return nil, err
	}
	if s.gateway, err = gateway.Open(gateway.Options{Config: c, Version: o.Version, Log: o.Log, Observer: &s.lat, Now: o.Now}); err != nil {
		return nil, err
	}
	undo = append(undo, s.gateway.Journal().Close)
	signer, err := note.NewSigner(key.Private)
	if err != nil {
		return nil, err
	}
	s.receiver, err = receiver.New(receiver.Options{Broker: address, Dir: filepath.Join(o.Dir, "received"), Name: "qms", Signer: signer,
		Gateways: map[string]string{c.Gateway.ID: s.gateway.PublicKey()}, Log: o.Log})
	return s, err
}

// run lets everything work for the plant's time, drains, stops in the data's
// order and counts.
func (s *stage) run(ctx context.Context) (*Summary, error) {
	if s.o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.o.For)
		defer cancel()
	}
	lasting, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	plantDone, stopPlant := background(lasting, s.plant.Run)
	receiverDone, stopReceiver := background(lasting, s.receiver.Run)
	gatewayDone, stopGateway := background(lasting, s.gateway.Run)

	f := &follower{stage: s, account: newAccount()}
	f.welcome()
	err := f.follow(ctx, gatewayDone)
	truth := s.plant.Truth(s.o.Now())
	if err == nil {
		err = f.drain()
	}
	sum := &Summary{}
	f.records(sum)
	stopGateway()
	err = errors.Join(err, <-gatewayDone)
	stopReceiver()
	err = errors.Join(err, <-receiverDone)
	stopPlant()
	err = errors.Join(err, <-plantDone)
	if err != nil {
		return nil, err
	}
	sum.Latency = s.lat.summary()
	if err := s.count(sum, &truth); err != nil {
		return nil, err
	}
	return sum, nil
}

// background runs a part until it is stopped.
func background(ctx context.Context, run func(context.Context) error) (done chan error, stop func()) {
	ctx, stop = context.WithCancel(ctx)
	done = make(chan error, 1)
	go func() { done <- run(ctx) }()
	return done, stop
}

// count reads the closed journal: whether it verifies, and what it holds.
func (s *stage) count(sum *Summary, truth *plant.Truth) error {
	dir := filepath.Join(s.o.Dir, "data")
	report, err := gateway.Verify(dir, s.gateway.PublicKey())
	if err != nil {
		return fmt.Errorf("verify the journal: %w", err)
	}
	sum.Journal = JournalSummary{Size: report.Size, Root: report.Root.String(), Verified: report.OK}
	v, err := journal.OpenView(dir)
	if err != nil {
		return err
	}
	a := newAccount()
	err = v.Commits(0, func(h journal.Header, records []byte) error { return a.take(h, records, nil) })
	if err = errors.Join(err, v.Close()); err != nil {
		return err
	}
	sum.judge(a, truth, s.settings)
	return nil
}

// records counts the samples of the plant's time at both ends.
func (f *follower) records(sum *Summary) {
	lane := f.receiver.Summary().Lane(outbox.Record)
	received := min(lane.Received, f.sent)
	sum.Samples = f.sent
	sum.Records = Records{Sent: f.sent, Received: received, Duplicated: lane.Duplicated, Missing: max(lane.Missing, f.sent-received)}
}
