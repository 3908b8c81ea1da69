package opcua

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/acquisition"
	"andon/internal/record"
	"andon/internal/sample"
)

// Sink takes over what a source has, Batch by Batch; its inputs are
// *record.Scan, *record.Confirm and *record.Loss.
type (
	Sink  = acquisition.Sink
	Batch = acquisition.Batch
)

// Source watches one server. Make it with New.
type Source struct {
	opts  Options
	items []*item
	retry acquisition.Backoff

	ledger ledger
	token  uint64 // of the last batch; belongs to Run
	told   bool   // a Loss was handed over and no sample since; belongs to Run

	mu     sync.Mutex // guards status
	status Status
}

// Status is how a source is doing.
type Status struct {
	Connected  bool
	Since      sample.Time           // since when it is so; gateway's clock
	Err        string                // why it is not connected
	LastAnswer sample.Time           // when the server last said anything; gateway's clock
	Skew       time.Duration         // server's clock minus ours, at its last answer
	Policy     string                // security in use
	Mode       string                // security in use
	Publish    time.Duration         // revised publishing interval
	Refused    map[sample.Tag]string // tags that the server does not let us watch, and why
	Connects   uint64                // connections that came to deliver
	Batches    uint64
	Samples    uint64
}

// New checks the options, all of them, and makes a source. Files are read when
// it connects, each time anew.
func New(o Options) (*Source, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Publish == 0 {
		o.Publish = defaultPublish
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = o.Logger.With("source", o.Name)
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Source{opts: o, retry: acquisition.Backoff{First: 200 * time.Millisecond, Most: 10 * time.Second}}
	for _, it := range o.Items {
		made, err := newItem(it)
		if err != nil {
			return nil, err // check has found it before
		}
		s.items = append(s.items, made)
	}
	return s, nil
}

// Committed says that the batch token and every one before it are durable. Only
// then is the notification that it came from acknowledged to the server. It may
// be called from any goroutine, and tokens may be left out.
func (s *Source) Committed(token uint64) { s.ledger.commit(token) }

// Status returns a copy of the source's state. It may be called from any
// goroutine.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.status
	c.Refused = make(map[sample.Tag]string, len(s.status.Refused))
	for tag, why := range s.status.Refused {
		c.Refused[tag] = why
	}
	return c
}

func (s *Source) update(f func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.status)
}

func (s *Source) now() sample.Time { return sample.At(s.opts.Now()) }

// Run watches the server until ctx is done, which is no error. Any interruption
// is handed over as one Loss of all the source's tags, and then it starts over:
// new connection, new session, new subscription. It is called once.
func (s *Source) Run(ctx context.Context, sink Sink) error {
	s.update(func(st *Status) { st.Since = s.now() })
	for attempt := 0; ; attempt++ {
		delivered, err := s.connection(ctx, sink)
		var full *sinkError
		if errors.As(err, &full) && ctx.Err() == nil {
			return full.err
		}
		if ctx.Err() != nil {
			return nil
		}
		if delivered {
			attempt = 0
		}
		if err := s.lost(ctx, sink, err); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(s.retry.Delay(attempt)):
		}
	}
}

// connection lives through one connection and says whether it delivered
// anything. The error is why it ended.
func (s *Source) connection(ctx context.Context, sink Sink) (delivered bool, err error) {
	session, end, err := s.connect(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	s.ledger.reset()
	w := newWatch(s.opts.Name, s.items)
	sub, refused, err := subscribe(ctx, session, &s.opts, w)
	if err != nil {
		return false, err
	}
	sub.ledger = &s.ledger
	put := func(st step, in []record.Body) error {
		if st.resp != nil && !delivered {
			delivered = true
			s.connected(w)
		}
		return s.put(ctx, sink, st, in, w)
	}
	if len(refused) > 0 {
		if err := put(step{answer: answer{at: s.now()}}, refused); err != nil {
			return delivered, err
		}
	}
	err = sub.run(ctx, put)
	return delivered, err
}

// connect opens channel and session. end closes both, politely and within a
// bounded time, even when ctx is done.
func (s *Source) connect(ctx context.Context) (_ *session, end func(), err error) {
	d, err := s.dialer()
	if err != nil {
		return nil, nil, err
	}
	c, err := d.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	session, err := openSession(ctx, c, login{endpoint: s.opts.Endpoint, source: s.opts.Name, security: c.sec,
		username: s.opts.Username, password: s.opts.Password, insecure: s.opts.Insecure})
	if err != nil {
		c.close()
		return nil, nil, err
	}
	return session, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		// The connection may be gone already; then the server ends the session
		// by its own time-out.
		_ = session.close(ctx)
		c.close()
	}, nil
}

// dialer reads the files anew: a certificate that a person has just accepted
// counts at the next attempt.
func (s *Source) dialer() (*dialer, error) {
	d := &dialer{endpoint: s.opts.Endpoint, policy: policies[s.opts.Policy], mode: modes[s.opts.Mode],
		now: s.opts.Now, lifetime: tokenLifetime}
	if d.mode == ua.MessageSecurityModeNone {
		return d, nil
	}
	var err error
	if d.trust, err = loadTrust(s.opts.Trust); err != nil {
		return nil, err
	}
	d.own, err = LoadIdentity(s.opts.Certificate, s.opts.Key, s.opts.Now())
	return d, err
}

// put hands one batch over and notes what may be acknowledged after it.
func (s *Source) put(ctx context.Context, sink Sink, st step, in []record.Body, w *watch) error {
	if len(in) > 0 {
		if err := s.hand(ctx, sink, in, st.at); err != nil {
			return err
		}
	}
	if st.resp != nil && !st.keepAlive() {
		s.ledger.add(s.token, st.seq())
	}
	s.noted(st, in, w)
	return nil
}

// hand gives a batch its token and hands it over.
func (s *Source) hand(ctx context.Context, sink Sink, in []record.Body, at sample.Time) error {
	s.token++
	if err := sink.Put(ctx, Batch{Inputs: in, Arrival: at, Token: s.token}); err != nil {
		return &sinkError{err}
	}
	return nil
}

// sinkError is an error of the gateway, not of the server.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return "hand over: " + e.err.Error() }

func (e *sinkError) Unwrap() error { return e.err }

// noted brings the status up to date.
func (s *Source) noted(st step, in []record.Body, w *watch) {
	samples := 0
	for _, b := range in {
		switch b := b.(type) {
		case *record.Scan:
			samples += len(b.Readings)
			s.told = false
		case *record.Loss:
			s.told = s.told || len(b.Tags) == 0
		}
	}
	s.update(func(status *Status) {
		status.Batches++
		status.Samples += uint64(samples)
		status.Refused = make(map[sample.Tag]string)
		for _, it := range w.items {
			if !it.monitored() {
				status.Refused[it.Tag] = it.status
			}
		}
		if st.resp == nil {
			return
		}
		status.LastAnswer = st.at
		if t := st.published(); t != 0 {
			status.Skew = t.Sub(st.at)
		}
	})
}

// connected notes, once a connection, that the server delivers.
func (s *Source) connected(w *watch) {
	s.update(func(st *Status) {
		st.Connected, st.Since, st.Err = true, s.now(), ""
		st.Policy, st.Mode, st.Publish = s.opts.Policy, s.opts.Mode, w.publish
		st.Connects++
	})
	s.opts.Logger.Info("source connected", "policy", s.opts.Policy, "mode", s.opts.Mode, "publish", w.publish)
}

// lost says once that everything is lost from here on, and why.
func (s *Source) lost(ctx context.Context, sink Sink, why error) error {
	s.update(func(st *Status) {
		if st.Connected {
			st.Connected, st.Since = false, s.now()
		}
		st.Err = why.Error()
	})
	if s.told {
		return nil
	}
	s.told = true
	s.opts.Logger.Warn("source lost", "err", why)
	loss := &record.Loss{Source: s.opts.Name, Cause: CauseLink, Detail: why.Error()}
	err := s.hand(ctx, sink, []record.Body{loss}, s.now())
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("source %s: %w", s.opts.Name, err)
	}
	return nil
}
