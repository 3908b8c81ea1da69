package modbus

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"andon/internal/sample"
)

// Options describe one source: the devices behind one address, and what is read
// from them.
type Options struct {
	// Name is the source's name in settings and records.
	Name string
	// Address is the device's, or its gateway's: host:port, over TCP.
	Address string
	// Timeout is for one request, with the connecting that it may need; 0 is
	// 500 ms.
	Timeout time.Duration
	// MaxRegisters is how many registers one read may fetch; 0 is 125, the
	// protocol's own limit. Of bits it is sixteen times as many, up to 2000.
	MaxRegisters int
	// MaxGap is how many addresses that nobody asked for may be read in between to
	// join two reads. 0 joins only what touches: safe with every device.
	MaxGap int
	// Holes are never read, not even in between.
	Holes []Hole
	// Items are the tags. Their order is of no importance.
	Items []Item

	// Logger gets one line at the begin and one at the end of an interruption, of
	// a tag that cannot be read, and of polls that come too late. nil logs nothing.
	Logger *slog.Logger
	// Now gives the gateway's clock, for arrival times; nil is time.Now.
	Now func() time.Time
}

const (
	defaultTimeout = 500 * time.Millisecond
	minTimeout     = 10 * time.Millisecond
	maxTimeout     = 30 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxRegisters == 0 {
		o.MaxRegisters = maxRegisters
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = o.Logger.With("source", o.Name)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (o *Options) limits() limits {
	return limits{registers: o.MaxRegisters, gap: o.MaxGap, holes: o.Holes}
}

// items checks the options, all of them, and makes the items ready.
func (o *Options) items() ([]*item, error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Name == "" {
		bad("name is empty")
	}
	if host, port, err := net.SplitHostPort(o.Address); err != nil || host == "" || port == "" {
		bad("address %q: want host:port", o.Address)
	}
	if o.Timeout < minTimeout || o.Timeout > maxTimeout {
		bad("timeout %v: want %v to %v", o.Timeout, minTimeout, maxTimeout)
	}
	if o.MaxRegisters < 1 || o.MaxRegisters > maxRegisters {
		bad("max_registers %d: want 1 to %d", o.MaxRegisters, maxRegisters)
	}
	if o.MaxGap < 0 || o.MaxGap >= maxRegisters {
		bad("max_gap %d: want 0 to %d", o.MaxGap, maxRegisters-1)
	}
	items := make([]*item, 0, len(o.Items))
	tags := make(map[sample.Tag]bool, len(o.Items))
	for _, it := range o.Items {
		if tags[it.Tag] {
			bad("tag %d is there twice", it.Tag)
		}
		tags[it.Tag] = true
		made, err := newItem(it)
		if err == nil {
			err = o.reaches(made)
		}
		if err != nil {
			bad("%s %d of unit %d: %w", it.Table, it.Address, it.Unit, err)
			continue
		}
		items = append(items, made)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("modbus source %s: %w", o.Name, err)
	}
	return items, nil
}

// reaches refuses a value that one read may not fetch.
func (o *Options) reaches(it *item) error {
	switch s := it.span(); {
	case s.count() > o.limits().most(it.Table):
		return fmt.Errorf("its %d registers are more than max_registers, %d", s.count(), o.MaxRegisters)
	case touches(o.Holes, it.Table, s):
		return errors.New("it lies in a hole, which is never read")
	}
	return nil
}
