package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"andon/internal/engine"
	"andon/internal/journal"
	"andon/internal/metrics"
	"andon/internal/outbox"
	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
)

// intake is the way of inputs to the deciding goroutine.
type intake struct {
	ch   chan delivery
	stop chan struct{} // closed behind the last delivery
	gone chan struct{} // closed when nobody decides any more
}

// intakeDepth is how many deliveries may wait. A source waits when there is no
// room; what it then loses comes as a loss.
const intakeDepth = 64

func newIntake() *intake {
	return &intake{ch: make(chan delivery, intakeDepth), stop: make(chan struct{}), gone: make(chan struct{})}
}

// errStopped: the inputs were not taken, since the gateway is stopping.
var errStopped = errors.New("the gateway is stopping")

// put hands a delivery in and waits until it has been taken.
func (in *intake) put(ctx context.Context, x delivery) error {
	select {
	case <-in.stop:
		return errStopped
	default:
	}
	select {
	case in.ch <- x:
		return nil
	case <-in.stop:
	case <-in.gone:
	case <-ctx.Done():
		return ctx.Err()
	}
	return errStopped
}

// delivery is inputs on their way to the deciding goroutine.
type delivery struct {
	at     sample.Time
	bodies []record.Body
	source int // position among the sources, -1 for anything else
	token  uint64
	done   chan<- decided // given what followed from the last input, once it is durable; may be nil
}

// Committed is what everything outside sees: the state as of the last commit.
type Committed struct {
	Head   journal.Head
	Outbox outbox.State
	Wiring *record.Wiring
	Specs  []record.SpecRef
	Alarms int
	Figures
	// View is what the panel shows, made with the same commit.
	View *panel.State
	// Recording is false from the moment a commit could not be made.
	Recording bool
}

// decider owns the working state and the commits. All its methods run on one
// goroutine; committed may be read from any.
type decider struct {
	j         *journal.Journal
	s         *engine.State
	log       *slog.Logger
	every     time.Duration // greatest age of a group
	now       func() time.Time
	observe   Observer
	meter     *metrics.Meter // nil in tests that count nothing
	beat      func()         // told of each turn: the gateway is alive; may be nil
	sources   []source
	onCommit  func(checkpoint bool) // wakes what sends and shows
	committed *atomic.Pointer[Committed]
	viewer    *viewer // nil: nothing is shown
	ledger    *ledger // nil: nothing is shown
	before    int64   // size of the record when the session began
	wake      func()  // wakes what shows

	file          string // that the document under decision was read from; "" when it came otherwise
	g             group
	last          record.Outcome // of the last input decided
	sinceSnapshot int
	raised        map[uint64]sample.Time // quality entries without a receipt: when they came about
}

// Observer is told latencies. Its methods are called by the deciding goroutine
// and must return at once.
type Observer interface {
	// Durable: n samples were committed d after they had arrived.
	Durable(n int, d time.Duration)
	// Alarm: a transition could be seen d after the value behind it had arrived.
	Alarm(d time.Duration)
	// Receipt: a quality event was receipted d after the value behind it.
	Receipt(d time.Duration)
}

// snapshotEvery is after how many commits the state is saved: at one a second
// a start then has at most four minutes to decide again.
const snapshotEvery = 240

// fullRetry is how long to wait before a group is offered again to a journal
// without room.
const fullRetry = time.Second

// errUncertain: the working state cannot be relied on any more.
var errUncertain = errors.New("the fate of a commit is not known")

// run decides and commits until the intake stops. An error is errUncertain or
// one that ends the gateway.
func (d *decider) run(ctx context.Context, in *intake) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		d.alive()
		timer.Reset(d.wait())
		stopped := false
		var first *delivery
		select {
		case x := <-in.ch:
			first = &x
		case <-in.stop:
			stopped = true
		case <-timer.C:
		}
		if err := d.turn(first, in); err != nil {
			return err
		}
		if stopped {
			d.g.Snapshot, d.g.Checkpoint = d.s.Save(), true
			return d.flush(ctx)
		}
		if d.due() {
			if err := d.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// takeAtMost bounds how much is taken before the next look at the clock.
const takeAtMost = 256

// turn takes what has come and what is waiting behind it, so that it shares a
// commit, and lets the clock decide.
func (d *decider) turn(first *delivery, in *intake) error {
	if first != nil {
		if err := d.take(*first); err != nil {
			return err
		}
	}
	for range takeAtMost {
		select {
		case x := <-in.ch:
			if err := d.take(x); err != nil {
				return err
			}
			continue
		default:
		}
		break
	}
	return d.tick()
}

// beatEvery is the longest time between two turns that have nothing to do: they
// show that the gateway is alive.
const beatEvery = 2 * time.Second

// alive says that this goroutine has got through a turn.
func (d *decider) alive() {
	if d.beat != nil {
		d.beat()
	}
}

// wait is how long there is nothing to do unless something comes.
func (d *decider) wait() time.Duration {
	now := d.now()
	wait := beatEvery
	if !d.g.empty() {
		wait = d.g.began.Add(d.every).Sub(now)
	}
	if due := d.s.Due(); due != 0 {
		wait = min(wait, due.Std().Sub(now))
	}
	return max(wait, 0)
}

// due: the group has waited long enough.
func (d *decider) due() bool {
	return !d.g.empty() && (d.g.urgent || len(d.g.done) > 0 || d.now().Sub(d.g.began) >= d.every)
}

func (d *decider) take(x delivery) error {
	for _, b := range x.bodies {
		if err := d.decide(x.at, b); err != nil {
			return err
		}
	}
	if x.done != nil {
		d.g.done = append(d.g.done, waiter{x.done, d.last})
	}
	if x.source >= 0 {
		if d.g.tokens == nil {
			d.g.tokens = map[int]uint64{}
		}
		d.g.tokens[x.source] = x.token
	}
	return nil
}

// decide numbers one input, decides it and answers what it asks for.
func (d *decider) decide(at sample.Time, b record.Body) error {
	in := record.Input{N: d.s.N + 1, At: at, Body: b}
	began := d.now()
	out := engine.Decide(d.s, in)
	if d.meter != nil {
		d.meter.Evaluated(d.now().Sub(began))
	}
	d.last = out
	d.g.add(in, &out, d.now())
	if d.ledger != nil {
		d.ledger.decided(at, &out)
	}
	switch b.(type) {
	case *record.Policy, *record.Specification, *record.Withdrawal:
		if err := d.sayRefused(&out); err != nil {
			return err
		}
	}
	for _, e := range out.Entries {
		if e.Lane == outbox.Quality {
			d.raised[e.Seq] = at
		}
	}
	return d.answer(at, out.Needs)
}

// sayRefused tells whoever reads the log what the record says was refused.
func (d *decider) sayRefused(out *record.Outcome) error {
	for _, e := range out.Entries {
		if e.Topic != "event/audit" {
			continue
		}
		var audit struct {
			Data struct{ Action, Object, New, Reason string }
		}
		if err := json.Unmarshal(e.Payload, &audit); err != nil {
			return fmt.Errorf("%s %d: %w", e.Lane, e.Seq, err)
		}
		if a := audit.Data; a.Action == "refuse" {
			d.log.Error("refused: what was in force stays", "what", a.Object, "rev", a.New, "file", d.file, "err", a.Reason)
		}
	}
	return nil
}

func (d *decider) answer(at sample.Time, needs []record.Need) error {
	for _, n := range needs {
		a, err := evidence(&d.j.View, &d.s.Start.Wiring, d.g.Records, n)
		if err != nil {
			return err
		}
		if err := d.decide(at, a); err != nil {
			return err
		}
	}
	return nil
}

// tick lets the clock decide when it has something to decide.
func (d *decider) tick() error {
	now := sample.At(d.now())
	due := d.s.Due()
	if due == 0 || due > now {
		return nil
	}
	if err := d.decide(now, &record.Tick{}); err != nil {
		return err
	}
	if again := d.s.Due(); again != 0 && again <= due {
		return fmt.Errorf("a tick at %s left what was due at %s: please report this", now, again)
	}
	return nil
}

// flush commits the group. A journal without room is asked again until it has
// some: nothing is taken in meanwhile, so sources wait and what they lose will
// be a gap.
func (d *decider) flush(ctx context.Context) error {
	if d.g.empty() && d.g.Snapshot == nil {
		return nil
	}
	d.sinceSnapshot++
	if d.sinceSnapshot >= snapshotEvery && d.g.Snapshot == nil {
		d.g.Snapshot = d.s.Save()
	}
	for tried := 0; ; tried++ {
		d.alive()
		head, err := d.commit()
		switch {
		case err == nil && tried > 0:
			d.log.Info("recording again", "commits", head.Size)
			fallthrough
		case err == nil:
			d.done(head)
			return nil
		case errors.Is(err, journal.ErrGroup): // nothing was written, and trying again would not help
			return err
		case !errors.Is(err, journal.ErrFull):
			d.recording(false)
			return fmt.Errorf("%w: %w", errUncertain, err)
		}
		d.recording(false)
		if tried == 0 {
			d.log.Error("NOT RECORDING: no room for the record", "err", err)
		}
		d.alive() // it waits for room, and is not stuck: a restart would lose the group
		select {
		case <-ctx.Done():
			return fmt.Errorf("stopped without room for the last %d samples: %w", d.g.Samples, err)
		case <-time.After(fullRetry):
		}
	}
}

// commit writes the group, and measures that.
func (d *decider) commit() (journal.Head, error) {
	began := d.now()
	d.g.At = int64(sample.At(began))
	head, err := d.j.Commit(d.g.Group)
	switch {
	case d.meter == nil:
	case err == nil:
		d.meter.Commit(d.now().Sub(began))
	default:
		d.meter.CommitFailed()
	}
	return head, err
}

// done: the group is durable. What waits for that is told, in this order:
// whoever reads, the sources, whoever sends.
func (d *decider) done(head journal.Head) {
	g := d.g
	d.g = group{}
	if g.Snapshot != nil {
		d.sinceSnapshot = 0
	}
	d.publish(head)
	for i, token := range g.tokens {
		d.sources[i].committed(token)
	}
	for _, w := range g.done {
		w.done <- decided{w.out, head.Size}
	}
	if d.onCommit != nil {
		d.onCommit(g.Checkpoint)
	}
	d.latency(&g)
	d.measure(&g)
}

func (d *decider) publish(head journal.Head) {
	c := &Committed{Head: head, Outbox: d.s.Outbox, Wiring: &d.s.Start.Wiring, Alarms: len(d.s.Alarms), Figures: figures(d.s), Recording: true}
	for e := range d.s.Equipment {
		for r := range d.s.Equipment[e].Running {
			if ru := &d.s.Equipment[e].Running[r]; ru.Withdrawn == 0 {
				c.Specs = appendNew(c.Specs, ru.Spec)
			}
		}
	}
	if d.viewer != nil {
		d.ledger.committed()
		d.viewer.rejected(d.ledger.deadLetters())
		c.View = d.viewer.make(d.s, head, true)
	}
	d.committed.Store(c)
	if d.wake != nil {
		d.wake()
	}
}

func appendNew[T comparable](list []T, x T) []T {
	for _, y := range list {
		if y == x {
			return list
		}
	}
	return append(list, x)
}

// recording says whether what comes is recorded.
func (d *decider) recording(yes bool) {
	if c := d.committed.Load(); c != nil && c.Recording != yes {
		other := *c
		other.Recording = yes
		if c.View != nil {
			view := *c.View
			view.Recording = yes
			other.View = &view
		}
		d.committed.Store(&other)
		if d.wake != nil {
			d.wake()
		}
	}
}

// latency tells how old what was committed had become.
func (d *decider) latency(g *group) {
	now := sample.At(d.now())
	if d.observe != nil {
		for _, a := range g.ages {
			d.observe.Durable(a.samples, now.Sub(a.arrived))
		}
		if g.alarm && len(g.ages) > 0 {
			d.observe.Alarm(now.Sub(g.ages[len(g.ages)-1].arrived))
		}
	}
	for _, r := range g.Retired {
		if r.Lane != outbox.Quality {
			continue
		}
		for seq := r.First; seq <= r.Last; seq++ {
			if at, ok := d.raised[seq]; ok {
				d.receipted(now.Sub(at))
				delete(d.raised, seq)
			}
		}
	}
}

// receipted: a quality event was receipted after that time.
func (d *decider) receipted(after time.Duration) {
	if d.observe != nil {
		d.observe.Receipt(after)
	}
	if d.meter != nil {
		d.meter.Receipt(after)
	}
}
