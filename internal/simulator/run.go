package simulator

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"time"

	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
)

// Result is what came of a run.
type Result struct {
	Seed       uint64
	Excursions int // that there were, by the oracle
	Gaps       int
	Lost       int // monitoring lost, by the oracle
	Restarts   int
	Uncertain  int // commits of which nobody knew
	Inputs     int
	Samples    int
	Doubled    int      // entries that the receiver got again
	Problems   []string // what should not have been; none is success
	Digest     [32]byte // of all that was recorded and received
}

// world is one run.
type world struct {
	plan      *Plan
	now       sample.Time
	jr        *journal
	gw        *gateway
	up        *uplink
	rx        *receiver
	sources   []*source
	facts     []fact
	restarts  int
	uncertain int
	problems  []string
}

// fact is an input that has been committed: what the oracle may build on. Body
// is what the world handed in, not what the journal read back.
type fact struct {
	n    uint64
	at   sample.Time
	body record.Body
}

// problemsKept is how many problems a run lists.
const problemsKept = 20

func (w *world) problem(format string, args ...any) {
	if len(w.problems) < problemsKept {
		w.problems = append(w.problems, fmt.Sprintf(format, args...))
	}
}

// commit makes a group durable.
func (w *world) commit(g *group) {
	w.jr.commit(g.bytes, g.state)
	for _, in := range g.inputs {
		w.facts = append(w.facts, fact{in.N, in.At, in.Body})
	}
}

// Run plays one plan to its end and compares what has come of it with what the
// oracle expects. The same plan gives the same result.
func Run(plan *Plan) *Result { return newWorld(plan).run() }

func (w *world) run() *Result {
	w.play()
	w.settle()
	o := newOracle(w.plan, w.facts)
	o.check(w)
	return &Result{Seed: w.plan.Seed, Excursions: o.excursions, Gaps: len(o.gaps), Lost: o.lost, Restarts: w.restarts, Uncertain: w.uncertain,
		Inputs: len(w.facts), Samples: len(w.jr.samples), Doubled: w.rx.doubles, Problems: w.problems, Digest: w.digest()}
}

func newWorld(plan *Plan) *world {
	w := &world{plan: plan, now: start}
	w.jr = newJournal(w.problem)
	w.gw = &gateway{w: w, r: dice(plan.Seed, 2), again: start}
	w.up = &uplink{w: w, r: dice(plan.Seed, 3), next: start}
	w.rx = newReceiver(w)
	for i := range plan.Sources {
		w.sources = append(w.sources, newSource(w, i))
	}
	return w
}

// drained says that nothing is on its way any more.
func (w *world) drained() bool {
	return w.now > w.plan.Calm.Add(time.Minute) && w.gw.alive && w.gw.sent == nil && len(w.gw.open.inputs) == 0 &&
		len(w.jr.entries[outbox.Quality]) == 0 && len(w.jr.entries[outbox.Event]) == 0 && w.jr.pending < window
}

// play lets everything happen in its order of time.
func (w *world) play() {
	for w.now < w.plan.End && !w.drained() {
		at, do := w.gw.due()
		sooner := func(t sample.Time, fn func()) {
			if t < at {
				at, do = t, fn
			}
		}
		for _, s := range w.sources {
			if s.mode != away {
				sooner(s.next, s.step)
			}
		}
		sooner(w.up.next, w.up.step)
		if len(w.rx.mail) > 0 {
			sooner(w.rx.mail[0].at, w.rx.deliver)
		}
		w.now = max(w.now, at)
		do()
	}
	if w.now >= w.plan.End {
		w.problem("run: not drained at the end: %d, %d entries and %d samples are pending, %d inputs wait", len(w.jr.entries[outbox.Quality]),
			len(w.jr.entries[outbox.Event]), w.jr.pending, len(w.gw.open.inputs))
	}
}

// settle compares what is left when all is quiet: the counts of journal,
// engine and receiver, and the whole record decided again from its beginning.
func (w *world) settle() {
	if !w.gw.alive {
		w.problem("run: the gateway is down at the end")
		return
	}
	back := 0
	if w.plan.Seed%4 == 0 {
		back = 1 << 30 // from the very beginning
	}
	whole := w.jr.refold(back)
	if !bytes.Equal(whole.Save(), w.gw.s.Save()) && len(w.gw.open.inputs) == 0 && w.gw.sent == nil {
		w.problem("run: the whole record decided again ends in another state")
	}
	for _, lane := range outbox.Lanes() {
		w.settleLane(lane, whole.Outbox.Count(lane))
	}
}

func (w *world) settleLane(lane string, c outbox.Count) {
	raised, left := w.jr.raised[lane], uint64(len(w.jr.entries[lane]))
	if lane == outbox.Record {
		raised, left = uint64(len(w.jr.samples)), w.jr.pending
	}
	rejected := uint64(len(w.rx.refused[lane]))
	if c.Raised != raised || c.Pending+c.Withheld != left || c.Rejected != rejected || c.Raised != c.Receipted+c.Pending+c.Rejected {
		w.problem("run: lane %s: engine counts %+v; the journal has raised %d and holds %d, the receiver has rejected %d", lane, c, raised, left, rejected)
	}
	for seq := uint64(1); seq+left <= raised; seq++ {
		got, ok := w.rx.stored[lane][seq]
		if !ok {
			if lane != outbox.Record || w.jr.gone[seq-1] {
				w.problem("run: entry %d of lane %s has left the outbox and the receiver does not have it", seq, lane)
			}
			continue
		}
		if lane == outbox.Record && !bytes.Equal(got, w.jr.samples[seq-1].JSON()) {
			w.problem("run: sample %d is not at the receiver what it is in the journal", seq)
		}
	}
}

// digest is one number for all that was recorded and received.
func (w *world) digest() (sum [32]byte) {
	h := sha256.New()
	for _, c := range w.jr.commits {
		h.Write(c)
	}
	for _, lane := range outbox.Lanes() {
		for _, seq := range sortedKeys(w.rx.stored[lane]) {
			h.Write(w.rx.stored[lane][seq])
		}
	}
	copy(sum[:], h.Sum(nil))
	return sum
}
