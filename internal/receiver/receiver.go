package receiver

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
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

// batch is what came together and is stored together.
type batch struct {
	rejected map[stream][]rejection
	touched  map[stream]bool // to be receipted even if all was there already
	greet    []stream
}

// arrived is one message from the broker.
type arrived struct {
	topic   string
	payload []byte
	ack     func()
}

// handle stores a batch of messages durably, acknowledges them, and publishes
// the receipts.
func (r *Receiver) handle(msgs []arrived, send func(topic string, payload []byte) error) error {
	b := batch{rejected: map[stream][]rejection{}, touched: map[stream]bool{}}
	for _, m := range msgs {
		if err := r.one(m, &b); err != nil {
			return &storeError{err}
		}
	}
	if _, err := r.store.sync(); err != nil {
		return &storeError{err}
	}
	r.tell()
	for _, m := range msgs {
		m.ack()
	}
	r.publish(func(s *Summary) { s.Messages += uint64(len(msgs)) })
	return r.answer(b, send)
}

// one takes one message into the store's buffers.
func (r *Receiver) one(m arrived, b *batch) error {
	gateway, kind, ok := split(r.o.Prefix, m.topic)
	if !ok {
		r.o.Log.Warn("message on a topic that is not a gateway's", "topic", m.topic)
		return nil
	}
	if _, wanted := r.o.Gateways[gateway]; !wanted && len(r.o.Gateways) > 0 {
		return nil // a subscription of an earlier run
	}
	lane := laneOfKind(kind)
	switch {
	case kind == "state":
		r.state(gateway, m.payload, b)
		return nil
	case kind == "checkpoint" || kind == "checkpoint/history":
		r.publish(func(s *Summary) { s.Checkpoints++ })
		return r.store.checkpoint(gateway, m.topic, m.payload)
	case lane == "":
		return nil // a later version's: not ours to store
	}
	return r.entries(gateway, kind, m, b)
}

func laneOfKind(kind string) string {
	for _, lane := range []string{laneQuality, laneEvent} {
		if len(kind) > len(lane)+1 && kind[:len(lane)+1] == lane+"/" {
			return lane
		}
	}
	if kind == laneRecord {
		return laneRecord
	}
	return ""
}

func (r *Receiver) entries(gateway, kind string, m arrived, b *batch) error {
	msg, err := parse(gateway, kind, m.payload)
	var bad *unreadable
	if errors.As(err, &bad) {
		r.publish(func(s *Summary) { s.Unreadable++ })
		r.o.Log.Error("message that is not of the contract", "gateway", gateway, "topic", m.topic, "reason", bad.reason)
		if bad.first > 0 {
			if err := r.refuse(bad, b); err != nil {
				return err
			}
		}
		return r.store.aside(gateway, m.topic, bad.reason, m.payload)
	}
	before := r.store.lanes[msg.stream].has(msg)
	rejected, err := r.store.take(m.topic, msg)
	if err != nil {
		return err
	}
	b.touched[msg.stream] = true
	b.rejected[msg.stream] = append(b.rejected[msg.stream], rejected...)
	if !before && msg.lane != laneRecord {
		r.fresh = append(r.fresh, stored{msg.stream, msg.first, msg.entries[0]})
	}
	return nil
}

// refuse rejects the entries of a message that is not of the contract, unless
// they are held already in good form.
func (r *Receiver) refuse(bad *unreadable, b *batch) error {
	l, err := r.store.lane(bad.stream)
	if err != nil {
		return err
	}
	b.touched[bad.stream] = true
	for seq := bad.first; seq <= bad.last; seq++ {
		if _, held := l.at.get(seq); !held {
			b.rejected[bad.stream] = append(b.rejected[bad.stream], rejection{Seq: seq, Code: codeFormat, Reason: bad.reason})
		}
	}
	return nil
}

// has says whether a message's first entry is held; a lane that there is not
// yet holds nothing.
func (l *laneFile) has(m message) bool {
	if l == nil {
		return false
	}
	_, held := l.at.get(m.first)
	return held
}

// state takes a gateway's state message: how far its lanes are, and whether it
// has connected anew and wants to know how far we are.
func (r *Receiver) state(gateway string, payload []byte, b *batch) {
	var st struct {
		State   string `json:"state"`
		Epoch   string `json:"epoch"`
		Session int64  `json:"session"`
		Lanes   map[string]struct {
			Raised uint64 `json:"raised"`
		} `json:"lanes"`
	}
	if err := json.Unmarshal(payload, &st); err != nil || !safeName.MatchString(st.Epoch) {
		r.o.Log.Warn("state that cannot be read", "gateway", gateway, "err", err)
		return
	}
	for _, lane := range []string{laneQuality, laneEvent, laneRecord} {
		id := stream{gateway, st.Epoch, lane}
		l := r.store.lanes[id]
		if l == nil {
			continue
		}
		l.told = max(l.told, st.Lanes[lane].Raised)
		if st.State == "online" && st.Session > r.sessions[gateway] {
			b.greet = append(b.greet, id)
		}
	}
	if st.State == "online" {
		r.sessions[gateway] = max(r.sessions[gateway], st.Session)
	}
}

// tell passes on what is new and durable.
func (r *Receiver) tell() {
	if r.o.Stored != nil {
		for _, e := range r.fresh {
			r.o.Stored(e.gateway, e.lane, e.seq, e.entry)
		}
	}
	r.fresh = r.fresh[:0]
}

// answer publishes the receipts of a batch.
func (r *Receiver) answer(b batch, send func(topic string, payload []byte) error) error {
	ids := slices.Clone(b.greet)
	for id := range b.touched {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		rejected := b.rejected[id]
		// A receipt must stay small: what does not fit is rejected when it comes again.
		rejected = rejected[:min(len(rejected), maxRejected)]
		text, err := answer(r.o.Name, r.store.lanes[id], rejected)
		if err != nil {
			return &storeError{err}
		}
		payload, err := text.bytes(r.o.Signer)
		if err != nil {
			return err
		}
		if err := send(r.o.Prefix+"andon/v1/"+id.gateway+"/down/receipt", payload); err != nil {
			return err
		}
		r.publish(func(s *Summary) { s.Receipts++ })
	}
	return nil
}
