package uplink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"
)

// Options is all that the uplink is told. Gateway, Epoch, Brokers, Outbox and
// Receipts are required; every other zero value means its default, and none of
// them switches a check off.
type Options struct {
	Gateway string // id: part of every topic, MQTT client id and user
	Epoch   string
	Version string // of the program, for the state message

	Brokers      []string // tcp://host:port, tls://host:port, ws(s)://…; tried in this order
	Username     string   // the gateway's id if empty
	PasswordFile string   // read at each connection; empty for no password
	TLS          TLSFiles
	Prefix       string // put before andon/v1/…, usually with a slash at its end

	Mode      Mode              // Signed if empty
	Consumers map[string]string // their note verifier keys, by name; needed when Signed

	Outbox   Outbox
	Receipts Sink
	Specs    func() []Spec // in force now, for the state message; may be nil
	Log      *slog.Logger  // discards if nil

	Window          int           // messages in flight: 100
	WindowBytes     int           // and bytes: 1 MiB
	MaxPayload      int           // bytes of one message: 256 KiB
	MaxUnreceipted  uint64        // samples sent and not receipted: 50,000
	AckDeadline     time.Duration // for a PUBACK: 15 s
	ReceiptTimeout  time.Duration // for a receipt, before the oldest is sent again: 60 s
	RetryMax        time.Duration // the longest time between such sendings: 15 min
	BackoffMin      time.Duration // the first pause between connections: at most 500 ms
	BackoffMax      time.Duration // the longest: 60 s
	RefusedBackoff  time.Duration // the longest when the broker refuses our credentials: 5 min
	StateEvery      time.Duration // the state message: 30 s
	ConnectTimeout  time.Duration // to a broker's answer: 5 s
	WriteTimeout    time.Duration // of one write: 5 s
	KeepAlive       time.Duration // 15 s, in whole seconds
	PoisonWithin    time.Duration // a connection dying this soon after a sending is the message's fault, if it happens again: 2 s
	DrainTimeout    time.Duration // for acknowledgements when told to stop: 3 s
	HistoryCapacity int           // checkpoints kept while there is no broker: 256
}

// Status is what the uplink is doing, for metrics and the panel.
type Status struct {
	Connected   bool
	Broker      string    // the one it is, or was last, connected to or trying
	Since       time.Time // when Connected last changed
	Connections uint64    // made since the start
	LastError   string    // why the last connection ended or was not made; "" if none did
	LastErrorAt time.Time
	InFlight    int    // messages sent and not yet acknowledged by the broker
	Sent        uint64 // messages since the start, those sent again included
	SentAgain   uint64 // of them, for want of a receipt or an acknowledgement
	Acked       uint64 // acknowledged by the broker
	Poisoned    uint64 // messages set aside because no broker takes them
	Mode        Mode
	Receipts    IntakeCounts
}

// Uplink carries one gateway's outbox to its brokers.
type Uplink struct {
	o      Options
	topics topics
	intake *intake
	sched  *schedule // Run's goroutine only
	doubt  suspect   // Run's goroutine only
	// session is the last connection's id and logged the failures written to
	// the log since then; Run's goroutine only.
	session int64
	logged  map[string]bool
	wakes   chan struct{}

	mu      sync.Mutex
	hints   []hint
	status  Status
	latest  []byte   // the last checkpoint
	history [][]byte // checkpoints not yet acknowledged, oldest first
}

// New checks the options. The error names everything that is wrong.
func New(o Options) (*Uplink, error) {
	o = defaults(o)
	t, err := newTopics(o.Prefix, o.Gateway)
	errs := []error{err, checkMode(o), checkBrokers(o.Brokers)}
	if o.Outbox == nil || o.Receipts == nil || o.Epoch == "" {
		errs = append(errs, errors.New("uplink: Outbox, Receipts and Epoch are required"))
	}
	u := &Uplink{o: o, topics: t, wakes: make(chan struct{}, 1), doubt: suspect{window: o.Window}, logged: map[string]bool{}}
	u.intake, err = newIntake(o, u.hint)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	u.status.Mode = o.Mode
	u.sched = newSchedule(o.Outbox, retry{first: o.ReceiptTimeout, max: o.RetryMax, burstMax: o.Window}, o.MaxUnreceipted)
	return u, nil
}

func defaults(o Options) Options {
	o.Username = cmp.Or(o.Username, o.Gateway)
	o.Mode = cmp.Or(o.Mode, Signed)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.Window = cmp.Or(o.Window, 100)
	o.WindowBytes = cmp.Or(o.WindowBytes, 1<<20)
	o.MaxPayload = cmp.Or(o.MaxPayload, 256<<10)
	o.MaxUnreceipted = cmp.Or(o.MaxUnreceipted, 50_000)
	o.AckDeadline = cmp.Or(o.AckDeadline, 15*time.Second)
	o.ReceiptTimeout = cmp.Or(o.ReceiptTimeout, time.Minute)
	o.RetryMax = cmp.Or(o.RetryMax, 15*time.Minute)
	o.BackoffMin = cmp.Or(o.BackoffMin, 500*time.Millisecond)
	o.BackoffMax = cmp.Or(o.BackoffMax, time.Minute)
	o.RefusedBackoff = cmp.Or(o.RefusedBackoff, 5*time.Minute)
	o.StateEvery = cmp.Or(o.StateEvery, 30*time.Second)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 5*time.Second)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 5*time.Second)
	o.KeepAlive = cmp.Or(o.KeepAlive, 15*time.Second)
	o.PoisonWithin = cmp.Or(o.PoisonWithin, 2*time.Second)
	o.DrainTimeout = cmp.Or(o.DrainTimeout, 3*time.Second)
	o.HistoryCapacity = cmp.Or(o.HistoryCapacity, 256)
	return o
}

func checkMode(o Options) error {
	switch o.Mode {
	case Signed, Unsigned, ByBroker:
		return nil
	}
	return fmt.Errorf("receipts: %q: want %s, %s or %s", o.Mode, Signed, Unsigned, ByBroker)
}

func checkBrokers(list []string) error {
	var errs []error
	for _, b := range list {
		if _, err := parseBroker(b); err != nil {
			errs = append(errs, err)
		}
	}
	if len(list) == 0 {
		errs = append(errs, errors.New("no broker is named"))
	}
	return errors.Join(errs...)
}

// parseBroker reads a broker's address.
func parseBroker(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("broker address: %w", err)
	}
	switch u.Scheme {
	case "tcp", "mqtt", "tls", "ssl", "mqtts", "ws", "wss":
	default:
		return nil, fmt.Errorf("broker %s: scheme %q: want tcp, tls, ws or wss", u.Redacted(), u.Scheme)
	}
	switch {
	case u.User != nil:
		return nil, fmt.Errorf("broker %s: a user or password in the address: put the password in a file", u.Redacted())
	case u.Port() == "":
		return nil, fmt.Errorf("broker %s: the port is missing: usually 8883 with tls, 1883 without", u.Redacted())
	}
	return u, nil
}

// Run connects, and connects again, until ctx ends. It then waits a moment for
// acknowledgements, says that it goes, and returns nil.
func (u *Uplink) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { u.intake.run(ctx) })
	defer wg.Wait()
	pause := backoff{min: u.o.BackoffMin, max: u.o.BackoffMax}
	for broker := 0; ctx.Err() == nil; broker++ {
		name := u.o.Brokers[broker%len(u.o.Brokers)]
		began := time.Now()
		progress, err := u.connection(ctx, name)
		if ctx.Err() != nil {
			break
		}
		if progress && time.Since(began) > u.o.PoisonWithin {
			pause.reset()
		}
		u.failed(name, err)
		if err := wait(ctx, u.pause(&pause, broker, progress, err)); err != nil {
			break
		}
	}
	return nil
}

// refusedStart is how often the pause has doubled already when a broker refuses
// our credentials for the first time.
const refusedStart = 6

// pause is how long to wait before the next broker is tried: not at all while
// there are others that have not been tried since the last connection.
func (u *Uplink) pause(b *backoff, tried int, progress bool, err error) time.Duration {
	if !progress && (tried+1)%len(u.o.Brokers) != 0 {
		return 0
	}
	b.max = u.o.BackoffMax
	if errors.Is(err, errCredentials) { // every attempt is one more failed login
		b.max, b.n = u.o.RefusedBackoff, max(b.n, refusedStart)
	}
	return b.next(rand.Float64())
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Wake tells that something new has been committed: entries, or receipts.
func (u *Uplink) Wake() {
	select {
	case u.wakes <- struct{}{}:
	default: // it is going to look anyway
	}
}

// Checkpoint publishes a newly signed tree head: the note itself, retained on
// up/checkpoint, and once on up/checkpoint/history. While there is no broker
// the last HistoryCapacity are kept.
func (u *Uplink) Checkpoint(signed []byte) {
	u.mu.Lock()
	u.latest = signed
	u.history = append(u.history, signed)
	if extra := len(u.history) - u.o.HistoryCapacity; extra > 0 {
		u.history = u.history[extra:]
	}
	u.mu.Unlock()
	u.Wake()
}

// Status returns what the uplink is doing now.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	s := u.status
	u.mu.Unlock()
	s.Receipts = u.intake.counts()
	return s
}

// update changes the status.
func (u *Uplink) update(f func(*Status)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f(&u.status)
}

// failed notes why a connection ended or was not made: in the log once for each
// broker and reason, until there is a connection again.
func (u *Uplink) failed(broker string, err error) {
	text := "unknown reason"
	if err != nil {
		text = err.Error()
	}
	u.update(func(s *Status) {
		if s.Connected {
			s.Connected, s.Since = false, time.Now()
		}
		s.Broker, s.LastError, s.LastErrorAt, s.InFlight = broker, text, time.Now(), 0
	})
	if key := broker + " " + text; !u.logged[key] {
		u.logged[key] = true
		u.o.Log.Warn("no connection to the broker", "broker", broker, "err", text)
	}
}

// hint takes a hint from the intake's goroutine to the sending one.
func (u *Uplink) hint(h hint) {
	u.mu.Lock()
	u.hints = append(u.hints, h)
	u.mu.Unlock()
	u.Wake()
}

// woken takes hints and what has been committed into the schedule.
func (u *Uplink) woken(now time.Time) error {
	u.mu.Lock()
	hints := u.hints
	u.hints = nil
	u.mu.Unlock()
	for _, h := range hints {
		if h.rejected > 0 {
			u.sched.rejected(h.lane, h.rejected, h.sha)
		} else {
			u.sched.nudge(h.lane, now)
		}
	}
	return u.sched.wake(now)
}
