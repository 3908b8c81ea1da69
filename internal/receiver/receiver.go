package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Options is all that the receiver is told. Broker, Dir and Name are required.
type Options struct {
	Broker       string // tcp://host:port or tls://host:port
	Username     string // Name if empty
	PasswordFile string // read at each connection; empty for no password
	TLS          TLSFiles
	Prefix       string // before andon/v1/…, as in the gateways' settings

	Dir    string
	Name   string      // the consumer's, as the gateways' settings call it
	Signer note.Signer // signs the receipts; nil for bare JSON

	// Gateways are those to be received, with the verifier keys of their
	// checkpoints ("" if not known). Empty means every gateway of the broker.
	Gateways map[string]string
	// Stored is called for each new entry of lanes quality and event, once it
	// is durable. It may be nil, and must not block.
	Stored func(gateway, lane string, seq uint64, entry []byte)
	Log    *slog.Logger // discards if nil

	AckDeadline    time.Duration // for a SUBACK: 15 s
	ConnectTimeout time.Duration // to the broker's answer: 5 s
	WriteTimeout   time.Duration // of one write: 5 s
	KeepAlive      time.Duration // 15 s, in whole seconds
	BackoffMin     time.Duration // the first pause between connections: at most 500 ms
	BackoffMax     time.Duration // the longest: 30 s
}

// Receiver stores what gateways send and answers with receipts.
type Receiver struct {
	o     Options
	store *store

	// The rest of the state is Run's goroutine's, but for what mu guards.
	sessions map[string]int64 // the last session of each gateway that was greeted
	fresh    []stored         // entries that are new in this batch

	mu      sync.Mutex
	summary Summary
}

// stored is a new entry, to be told once it is durable.
type stored struct {
	stream
	seq   uint64
	entry []byte
}

// Summary is what the receiver has and has had.
type Summary struct {
	Connected   bool              `json:"connected"`
	Connections uint64            `json:"connections"`
	Messages    uint64            `json:"messages"`
	Receipts    uint64            `json:"receipts"`
	Unreadable  uint64            `json:"unreadable"`
	Checkpoints uint64            `json:"checkpoints"`
	Lanes       map[string]Counts `json:"lanes"` // by gateway/epoch/lane
}

// Lane sums the counts of one lane over gateways and epochs.
func (s Summary) Lane(lane string) Counts {
	var sum Counts
	for name, c := range s.Lanes {
		if laneOf(name) != lane {
			continue
		}
		sum.Received += c.Received
		sum.Duplicated += c.Duplicated
		sum.Missing += c.Missing
		sum.Conflicts += c.Conflicts
		sum.Withheld += c.Withheld
		sum.Highest = max(sum.Highest, c.Highest)
	}
	return sum
}

// New opens the directory and reads what it holds. Run or Close must follow.
func New(o Options) (*Receiver, error) {
	o.Username = cmp.Or(o.Username, o.Name)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.AckDeadline = cmp.Or(o.AckDeadline, 15*time.Second)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 5*time.Second)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 5*time.Second)
	o.KeepAlive = cmp.Or(o.KeepAlive, 15*time.Second)
	o.BackoffMin = cmp.Or(o.BackoffMin, 500*time.Millisecond)
	o.BackoffMax = cmp.Or(o.BackoffMax, 30*time.Second)
	keys, err := gatewayKeys(o.Gateways)
	if _, bad := parseBroker(o.Broker); bad != nil {
		err = errors.Join(err, bad)
	}
	if !safeName.MatchString(o.Name) {
		err = errors.Join(err, fmt.Errorf("consumer name %q: want letters, digits, _ and -", o.Name))
	}
	if err != nil {
		return nil, err
	}
	r := &Receiver{o: o, sessions: map[string]int64{}}
	if r.store, err = openStore(o.Dir, keys, o.Log); err != nil {
		return nil, err
	}
	r.publish(func(*Summary) {})
	return r, nil
}

func gatewayKeys(gateways map[string]string) (map[string]note.Verifier, error) {
	keys := map[string]note.Verifier{}
	var errs []error
	for name, text := range gateways {
		if !safeName.MatchString(name) {
			errs = append(errs, fmt.Errorf("gateway %q: want letters, digits, _ and -", name))
		}
		if text == "" {
			continue
		}
		key, err := note.NewVerifier(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("key of gateway %s: %w: want the line that `andon key show` prints", name, err))
			continue
		}
		keys[name] = key
	}
	return keys, errors.Join(errs...)
}

// Close releases the directory; it is for a receiver that is not run.
func (r *Receiver) Close() error { return r.store.close() }

// Run receives until ctx ends and returns nil, or until the directory can no
// longer be written: nothing is acknowledged then. It closes the directory.
func (r *Receiver) Run(ctx context.Context) error {
	err := r.run(ctx)
	return errors.Join(err, r.store.close())
}

func (r *Receiver) run(ctx context.Context) error {
	pause := r.o.BackoffMin
	var said string
	for {
		began := time.Now()
		err := r.connection(ctx)
		r.publish(func(s *Summary) { s.Connected = false })
		var broken *storeError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &broken):
			return broken.err
		}
		if time.Since(began) > r.o.BackoffMax {
			pause, said = r.o.BackoffMin, ""
		}
		if text := err.Error(); text != said {
			r.o.Log.Warn("no connection to the broker", "broker", r.o.Broker, "err", text)
			said = text
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(20*time.Millisecond, time.Duration(rand.Float64()*float64(pause)))):
		}
		pause = min(2*pause, r.o.BackoffMax)
	}
}

// storeError is that the directory failed, not the connection.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }

// Summary returns the counts now.
func (r *Receiver) Summary() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.summary
	s.Lanes = make(map[string]Counts, len(r.summary.Lanes))
	for name, c := range r.summary.Lanes {
		s.Lanes[name] = c
	}
	return s
}

// publish brings the summary up to date.
func (r *Receiver) publish(f func(*Summary)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.summary)
	if r.summary.Lanes == nil {
		r.summary.Lanes = map[string]Counts{}
	}
	for id, l := range r.store.lanes {
		r.summary.Lanes[id.gateway+"/"+id.epoch+"/"+id.lane] = l.count()
	}
}

func laneOf(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '/' {
			return name[i+1:]
		}
	}
	return name
}
