package modbus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"andon/internal/acquisition"
	"andon/internal/record"
	"andon/internal/sample"
)

// Causes of losses.
const (
	CauseLink     = "link"     // the devices cannot be reached
	CauseOverflow = "overflow" // the gateway was too slow to poll
)

// Sink takes over what a source has, Batch by Batch; its inputs are
// *record.Scan and *record.Loss.
type (
	Sink  = acquisition.Sink
	Batch = acquisition.Batch
)

// Source polls the devices behind one address. Make it with New.
type Source struct {
	opts  Options
	items []*item
	units int // how many there are behind the address
	line  *line
	retry acquisition.Backoff

	token uint64    // of the last batch; belongs to Run
	told  bool      // a Loss of all was handed over and no answer since; belongs to Run
	begun time.Time // the schedule's zero; belongs to Run

	mu     sync.Mutex // guards status
	status Status
}

// New checks the options, all of them, and makes a source.
func New(o Options) (*Source, error) {
	o = o.withDefaults()
	items, err := o.items()
	if err != nil {
		return nil, err
	}
	units := map[uint8]bool{}
	for _, it := range items {
		units[it.Unit] = true
	}
	return &Source{opts: o, items: items, units: len(units), line: newLine(o.Address, o.Timeout),
		retry: acquisition.Backoff{First: 200 * time.Millisecond, Most: 10 * time.Second}}, nil
}

func (s *Source) now() sample.Time { return sample.At(s.opts.Now()) }

// Run polls until ctx is done, which is no error. An interruption is handed over
// as one Loss of all the source's tags; then it tries again, with growing
// distance. It is called once.
func (s *Source) Run(ctx context.Context, sink Sink) error {
	defer s.line.close()
	s.begun = time.Now()
	s.update(func(st *Status) { st.Since = s.now() })
	for attempt := 0; ; attempt++ {
		answered, err := s.connection(ctx, sink)
		s.line.close()
		var full *sinkError
		if errors.As(err, &full) && ctx.Err() == nil {
			return full.err
		}
		if ctx.Err() != nil {
			return nil
		}
		if answered {
			attempt = 0
		}
		if err := s.lost(ctx, sink, err); err != nil {
			return err
		}
		if !wait(ctx, s.retry.Delay(attempt)) {
			return nil
		}
	}
}

// connection connects, polls until the link is lost, and says whether anything
// was answered. The plan is made anew each time, with what was halved joined
// again: a device that was away may have come back as another.
func (s *Source) connection(ctx context.Context, sink Sink) (answered bool, err error) {
	if err := s.line.connect(ctx); err != nil {
		return false, err
	}
	p := &polling{Source: s, sink: sink, silent: map[uint8]bool{}, schedule: newSchedule(plan(s.items, s.opts.limits()), s.elapsed())}
	s.update(func(st *Status) { st.Blocks = len(p.polls) })
	err = p.run(ctx)
	return p.answered, err
}

// elapsed is the time of the schedule, by the monotonic clock.
func (s *Source) elapsed() time.Duration { return time.Since(s.begun) }

// hand gives a batch its token and hands it over.
func (s *Source) hand(ctx context.Context, sink Sink, in record.Body, at sample.Time) error {
	s.token++
	if err := sink.Put(ctx, Batch{Inputs: []record.Body{in}, Arrival: at, Token: s.token}); err != nil {
		return &sinkError{err}
	}
	return nil
}

// sinkError is an error of the gateway, not of a device.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return "hand over: " + e.err.Error() }

func (e *sinkError) Unwrap() error { return e.err }

// connected notes, once a link, that it delivers.
func (s *Source) connected() {
	s.told = false
	if s.Status().Connected {
		return
	}
	s.update(func(st *Status) { st.Connected, st.Since, st.Err = true, s.now(), "" })
	s.opts.Logger.Info("source connected", "address", s.opts.Address)
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
	err := s.hand(ctx, sink, &record.Loss{Source: s.opts.Name, Cause: CauseLink, Detail: why.Error()}, s.now())
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("source %s: %w", s.opts.Name, err)
	}
	return nil
}

// wait returns true after a time, or false when ctx ends before.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
