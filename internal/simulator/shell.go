package simulator

import (
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"andon/internal/engine"
	"andon/internal/record"
	"andon/internal/sample"
)

// gateway is the model of the shell around the engine: it numbers, decides on a
// working state, answers needs, ticks, commits in groups, and dies.
type gateway struct {
	w     *world
	r     *rand.Rand
	alive bool
	life  int // operations until it is killed
	s     *engine.State
	open  group  // decided, not handed to the journal
	sent  *group // handed to the journal; nobody knows yet whether it is there
	seal  sample.Time
	land  sample.Time
	again sample.Time // when it starts again

	// deceive changes what the engine is given, in tests of the oracle.
	deceive func(n int, body record.Body) record.Body
}

// group is what is committed together.
type group struct {
	inputs []record.Input
	bytes  []byte
	kept   []pendingSample
	state  []byte // behind it; nil: no snapshot
}

type pendingSample struct {
	tag sample.Tag
	s   record.Sample
}

// immortal is a life that outlasts any run.
const immortal = 1 << 60

// run starts the gateway: on what the journal holds, if anything.
func (g *gateway) run() {
	g.alive, g.life = true, immortal
	if g.w.now < g.w.plan.Calm {
		g.life = 30 + g.r.IntN(400)
	}
	g.open, g.sent, g.land = group{}, nil, 0
	g.seal = g.w.now.Add(between(g.r, 50*time.Millisecond, time.Second))
	g.s = g.w.jr.refold(g.r.IntN(2))
	g.decide(g.w.now, &record.Start{Gateway: gatewayName, Site: "acme/sim", Epoch: epoch, Version: "sim", Wiring: g.w.plan.wiring(),
		Clock: record.Clock{Source: "ntp", Synced: true}, LastAlive: g.w.jr.lastAlive()})
	g.askAgain()
	g.take(&record.Specification{Document: g.w.plan.document(), By: "file", Unsigned: true})
	for _, e := range g.w.plan.Equipment {
		g.take(&record.Context{Equipment: e, Fields: map[string]string{"lot": g.w.plan.Lot}, By: "mes", Verified: true})
	}
	for _, s := range g.w.sources {
		s.connect()
	}
	g.w.up.restart()
}

// struck counts one operation and says whether the gateway is dead, which may
// have happened before this very operation.
func (g *gateway) struck() bool {
	if !g.alive {
		return true
	}
	if g.life--; g.life > 0 {
		return false
	}
	g.die()
	return true
}

// die ends the process. What was handed to the journal may be there or not.
func (g *gateway) die() {
	g.alive = false
	if g.sent != nil && odds(g.r, 2) {
		g.w.commit(g.sent)
	}
	g.open, g.sent, g.s = group{}, nil, nil
	g.again = g.w.now.Add(between(g.r, 50*time.Millisecond, chance(g.r, time.Second, 5*time.Second, 20*time.Second)))
	g.w.restarts++
	for _, s := range g.w.sources {
		s.mode = away
	}
}

// stop ends the process in order.
func (g *gateway) stop() {
	g.decide(g.w.now, &record.Stop{Reason: "asked"})
	for range 2 {
		if g.handOver(); g.sent == nil {
			return // it was killed while stopping
		}
		g.landed()
	}
	if g.alive {
		g.die()
	}
}

// due is when the gateway wants to do something next.
func (g *gateway) due() (sample.Time, func()) {
	if !g.alive {
		return g.again, g.run
	}
	at, do := g.seal, func() { g.handOver() }
	if g.sent != nil {
		at, do = g.land, g.landed
	}
	if t := g.s.Due(); t != 0 && t < at {
		at, do = max(t, g.s.At), g.ticks
	}
	return at, do
}

// take decides what has arrived; what was due before it comes first.
func (g *gateway) take(body record.Body) {
	g.ticks()
	g.decide(g.w.now, body)
}

// ticks lets the clock decide what is due.
func (g *gateway) ticks() {
	for g.alive {
		due := g.s.Due()
		if due == 0 || due > g.w.now {
			return
		}
		at := max(due, g.s.At)
		g.decide(at, &record.Tick{})
		if g.alive && g.s.Due() != 0 && g.s.Due() <= due {
			g.w.problem("shell: a tick at %s left something due at %s", at, g.s.Due())
			return
		}
	}
}

func (g *gateway) decide(at sample.Time, body record.Body) {
	if g.struck() {
		return
	}
	in := record.Input{N: g.s.N + 1, At: at, Body: body}
	for _, n := range g.engine(in).Needs {
		g.answer(n)
	}
}

// engine decides an input and puts it into the open group.
func (g *gateway) engine(in record.Input) record.Outcome {
	g.open.inputs = append(g.open.inputs, in)
	if g.deceive != nil {
		in.Body = g.deceive(int(in.N), in.Body)
	}
	out := engine.Decide(g.s, in)
	g.open.bytes = record.Append(g.open.bytes, in, out)
	record.Samples(&g.s.Start.Wiring, in, out, func(t sample.Tag, s record.Sample) {
		g.open.kept = append(g.open.kept, pendingSample{t, s})
	})
	return out
}

// askAgain answers what a run before has not.
func (g *gateway) askAgain() {
	if g.alive {
		for _, n := range g.s.Needs() {
			g.answer(n)
		}
	}
}

// answer reads the journal, and the groups that wait for their commit.
func (g *gateway) answer(n record.Need) {
	if !g.alive {
		return
	}
	list := g.w.jr.between(n.Tags, n.From, n.To)
	for _, p := range g.waiting() {
		if slices.Contains(n.Tags, p.tag) && p.s.T >= n.From && p.s.T <= n.To {
			list = append(list, p.s)
		}
	}
	sort.Slice(list, func(a, b int) bool { return list[a].I < list[b].I })
	p := record.NewProof(n)
	for _, x := range list {
		p.Take(n.Tags[0], x) // all are of its tags
	}
	g.decide(max(g.w.now, g.s.At), p.Answer())
}

func (g *gateway) waiting() []pendingSample {
	if g.sent == nil {
		return g.open.kept
	}
	return append(slices.Clone(g.sent.kept), g.open.kept...)
}

// handOver gives the open group to the journal.
func (g *gateway) handOver() {
	g.seal = g.w.now.Add(between(g.r, 50*time.Millisecond, time.Second))
	if g.struck() || len(g.open.inputs) == 0 {
		return
	}
	if odds(g.r, 40) {
		g.open.state = g.s.Save()
	}
	full := g.open
	g.sent, g.open = &full, group{}
	g.land = g.w.now.Add(between(g.r, time.Millisecond, 300*time.Millisecond))
	g.seal = max(g.seal, g.land+1)
}

// landed is the journal's word on the group: it is there, or nobody knows.
func (g *gateway) landed() {
	if g.struck() {
		return
	}
	sent := g.sent
	if g.w.now < g.w.plan.Calm && odds(g.r, 100) {
		g.uncertain()
		return
	}
	g.w.commit(sent)
	g.sent = nil
	if g.w.now < g.w.plan.Calm && odds(g.r, 400) {
		g.stop()
	}
}

// uncertain: the commit reports an error and may have happened. All that was
// decided is thrown away and made again from the journal; what is not there is
// decided once more, or given up as lost.
func (g *gateway) uncertain() {
	g.w.uncertain++
	todo := append(slices.Clone(g.sent.inputs), g.open.inputs...)
	before := append(slices.Clone(g.sent.bytes), g.open.bytes...)
	if odds(g.r, 2) {
		g.w.commit(g.sent)
		todo, before = g.open.inputs, g.open.bytes
	}
	g.sent, g.open = nil, group{}
	g.s = g.w.jr.refold(g.r.IntN(2))
	if len(g.w.jr.inputs) == 0 || odds(g.r, 2) { // without a start nothing else can be decided
		g.once(todo, before)
		return
	}
	g.askAgain()
	for _, s := range g.w.sources {
		g.take(&record.Loss{Source: s.plan().Name, Cause: "source", Detail: "not recorded"})
		s.connect()
	}
}

// once decides inputs again that had been decided on a state that was thrown
// away: the same must come of them.
func (g *gateway) once(todo []record.Input, before []byte) {
	for _, in := range todo {
		if in.N != g.s.N+1 {
			g.w.problem("shell: input %d after a reload at %d", in.N, g.s.N)
			return
		}
		g.engine(in)
	}
	if string(before) != string(g.open.bytes) {
		g.w.problem("shell: decided again after an uncertain commit, it differs: %s", firstDifference(before, g.open.bytes))
	}
}
