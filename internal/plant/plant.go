package plant

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
	"golang.org/x/sync/errgroup"

	"andon/internal/plant/uaserver"
	"andon/internal/sample"
)

// Namespace is the URI of the namespace of the plant's OPC UA variables.
const Namespace = "urn:andon:plant"

// Settle is how long before the end of a run (Options.For) everything that is
// expected has happened and returned.
const Settle = 8 * time.Second

// Defaults of Options.
const (
	DefaultStep  = 500 * time.Millisecond
	DefaultCycle = 15 * time.Second
)

// A step is no shorter, for settings count in milliseconds, and no longer, for
// a plant that does nothing for hours shows nothing.
const (
	minStep  = 10 * time.Millisecond
	maxStep  = time.Hour
	maxCycle = 30 * 24 * time.Hour
)

// maxLate is by how many steps the plant may be late and still catch up. When
// it is later than that (the machine slept) it goes on from there.
const maxLate = 10

// equipmentShape is the form of a furnace's name.
var equipmentShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Options says what plant to run. The zero value is the built-in one, with
// seed 0, on a free port of the loopback interface.
type Options struct {
	Seed   uint64
	Start  time.Time     // when step 0 happens; zero or past: when Run is called
	Step   time.Duration // between two values of a tag; 0 is DefaultStep
	Cycle  time.Duration // from one lot to the next, at least 30 steps; 0 is DefaultCycle. It stretches the whole plant
	For    time.Duration // what is expected has returned by For - Settle; 0: it never ends
	Listen string        // address of the OPC UA server; "" is 127.0.0.1:0

	Equipment []string  // nil is furn-03 and furn-04
	Schedule  []Episode // replaces the seeded schedule; nil: the seeded one
	Record    bool      // keep every value put out by the furnaces, for Served

	// Press adds a press of this name, over Modbus TCP; "" is none. It keeps the
	// furnaces' step and plays a seeded schedule of its own; none beside a Schedule
	// that is given.
	Press        string
	ListenModbus string // address of the press's server; "" is 127.0.0.1:0
}

// Plant is a running, or not yet running, simulated plant. Its methods may be
// called from any goroutine.
type Plant struct {
	opt    Options
	script *Script
	server *uaserver.Server
	press  *press // nil: none

	mu      sync.Mutex // guards what follows
	tallies []*tally   // one a furnace
	last    map[string]any
	down    bool
	served  []Served
}

// Served is one new value that the plant put out.
type Served struct {
	Step   int
	Tag    string // furn-03/tc1
	Value  sample.Value
	Status string // "" is good
	Time   sample.Time
	Hidden bool // put out while the server refused everybody
}

// New checks the options, takes the address and returns a plant that Run sets
// in motion. Its error names every mistake of the schedule.
func New(o Options) (*Plant, error) {
	o = o.withDefaults()
	script, err := newScript(o)
	if err != nil {
		return nil, fmt.Errorf("simulated plant: %w", err)
	}
	p := &Plant{opt: o, script: script, last: make(map[string]any)}
	var vars []uaserver.Variable
	for _, e := range o.Equipment {
		p.tallies = append(p.tallies, newTally(e, Limits(o.Step)))
		for _, tag := range furnaceTags() {
			vars = append(vars, uaserver.Variable{Folder: e, Name: tag, Type: typeOf(tag)})
		}
	}
	p.server, err = uaserver.Listen(uaserver.Options{Listen: o.Listen, Name: "plant", URI: Namespace, Variables: vars})
	if err != nil {
		return nil, fmt.Errorf("simulated plant: %w", err)
	}
	if o.Press == "" {
		return p, nil
	}
	if p.press, err = newPress(o, script); err != nil {
		p.server.Close()
		return nil, fmt.Errorf("simulated plant: press: %w", err)
	}
	return p, nil
}

func (o Options) withDefaults() Options {
	if o.Step == 0 {
		o.Step = DefaultStep
	}
	if o.Cycle == 0 {
		o.Cycle = DefaultCycle
	}
	if o.Equipment == nil {
		o.Equipment = []string{"furn-03", "furn-04"}
	}
	return o
}

// newScript makes the script of options that have their defaults.
func newScript(o Options) (*Script, error) {
	s := &Script{seed: o.Seed, step: o.Step, equipment: o.Equipment, fixed: o.Schedule}
	if o.Step < minStep || o.Step > maxStep || o.Cycle < cycleParts*o.Step || o.Cycle > maxCycle {
		return nil, fmt.Errorf("cycle %v, step %v: want steps of %v to %v and a cycle of at least %d of them, up to %v", o.Cycle, o.Step, minStep, maxStep, cycleParts, maxCycle)
	}
	s.steps = int(o.Cycle / o.Step)
	if len(o.Equipment) == 0 {
		return nil, errors.New("equipment: none; want at least one")
	}
	for i, e := range o.Equipment {
		if !equipmentShape.MatchString(e) {
			return nil, fmt.Errorf("equipment %q: want letters, digits, - and _", e)
		}
		if slices.Contains(o.Equipment[:i], e) {
			return nil, fmt.Errorf("equipment %s: given twice", e)
		}
	}
	if o.Press != "" && !equipmentShape.MatchString(o.Press) || slices.Contains(o.Equipment, o.Press) {
		return nil, fmt.Errorf("press %q: want letters, digits, - and _, and no furnace's name", o.Press)
	}
	if o.For > 0 {
		s.limit = max(1, int((o.For-Settle)/o.Step))
	}
	return s, errors.Join(s.checkAll(o.Schedule)...)
}

func typeOf(tag string) ua.TypeID {
	switch tag {
	case tagPhase:
		return ua.TypeIDInt32
	case tagLot, tagOrder, tagMaterial, tagRecipe:
		return ua.TypeIDString
	}
	return ua.TypeIDDouble
}

// Endpoint is the URL of the OPC UA server. Whoever connects before Run waits.
func (p *Plant) Endpoint() string { return p.server.Endpoint() }

// Options are the plant's options with their defaults.
func (p *Plant) Options() Options { return p.opt }

// Schedule lists the episodes that begin within the run, or within d of its
// beginning where the run has no end.
func (p *Plant) Schedule(d time.Duration) []Episode {
	if p.opt.For > 0 {
		d = p.opt.For
	}
	until := int(d / p.opt.Step)
	all := p.script.Schedule(until)
	if p.press != nil {
		all = append(all, p.press.script.schedule(until)...)
		slices.SortStableFunc(all, func(a, b Episode) int { return a.First - b.First })
	}
	return all
}

// Close gives the addresses back of a plant that is not going to be run.
func (p *Plant) Close() {
	p.server.Close()
	if p.press != nil {
		p.press.server.Close()
	}
}

// Run lets the plant work until ctx ends, then returns nil. It goes on after
// Options.For, without episodes, so that its end is not one more interruption.
func (p *Plant) Run(ctx context.Context) error {
	defer p.Close() // where Serve was never reached
	next := time.Now()
	if p.opt.Start.After(next) {
		next = p.opt.Start
	}
	// The first values are there before the first client is let in.
	if !wait(ctx, next) {
		return nil
	}
	if err := p.step(0); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.server.Serve(ctx) })
	if p.press != nil {
		g.Go(func() error { return p.press.server.Serve(ctx) })
	}
	g.Go(func() error { return p.play(ctx, next) })
	return g.Wait()
}

// play makes step after step.
func (p *Plant) play(ctx context.Context, due time.Time) error {
	for k := 1; ; k++ {
		var at time.Time
		due, at = nextStep(due, time.Now(), p.opt.Step)
		if !wait(ctx, at) {
			return nil
		}
		if err := p.step(k); err != nil {
			return err
		}
	}
}

// nextStep says when the step after the one that was due at last is due, and
// when it is made. One that is late keeps its true time; the following ones
// catch up at no less than half the usual distance, so that no two steps ever
// share an instant.
func nextStep(last, now time.Time, step time.Duration) (due, at time.Time) {
	due = last.Add(step)
	if at = now.Add(step / 2); !at.After(due) {
		return due, due
	}
	if at.Sub(due) > maxLate*step {
		due = at
	}
	return due, at
}

// wait returns true at an instant, or false when ctx ends before.
func wait(ctx context.Context, at time.Time) bool {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// step puts out the values of step k and enters them in the truth.
func (p *Plant) step(k int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.interrupt(p.script.down(k))
	frames := make([]frame, len(p.tallies))
	var changes []uaserver.Change
	var fresh []Served
	for i, e := range p.script.equipment {
		frames[i].readings = p.script.Readings(i, k)
		for _, r := range frames[i].readings {
			path := e + "/" + r.Tag
			if old, known := p.last[path]; known && old == r.Value {
				continue
			}
			p.last[path] = r.Value
			frames[i].fresh++
			changes = append(changes, uaserver.Change{ID: uaserver.Variable{Folder: e, Name: r.Tag}.ID(), Value: r.Value, Status: statusOf(r)})
			fresh = append(fresh, Served{Step: k, Tag: path, Value: valueOf(r.Value), Status: statusName(r), Hidden: p.down})
		}
	}
	at, err := p.server.Set(changes)
	if err != nil {
		return fmt.Errorf("simulated plant, step %d: %w", k, err)
	}
	for i, f := range frames {
		f.at, f.reachable = instant(at), !p.down
		p.tallies[i].add(f)
	}
	p.record(fresh, instant(at))
	if p.press != nil {
		p.press.step(k)
	}
	return nil
}

// interrupt drops the clients, or lets them in again, when that changes; mu is
// held.
func (p *Plant) interrupt(down bool) {
	if down == p.down {
		return
	}
	if p.down = down; down {
		p.server.Interrupt()
		return
	}
	p.server.Resume()
}

func (p *Plant) record(fresh []Served, at sample.Time) {
	if !p.opt.Record {
		return
	}
	for i := range fresh {
		fresh[i].Time = at
	}
	p.served = append(p.served, fresh...)
}

// statusOf is the OPC UA status of a reading: a thermocouple without a value
// has failed.
func statusOf(r Reading) ua.StatusCode {
	if r.Value == nil {
		return ua.StatusBadSensorFailure
	}
	return ua.StatusOK
}

func statusName(r Reading) string {
	if r.Value == nil {
		return "BadSensorFailure"
	}
	return ""
}

// Truth is what had to be found in what was put out so far: findings that begin
// after until are left out; zero is no limit.
func (p *Plant) Truth(until time.Time) Truth {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := slices.Clone(p.tallies)
	if p.press != nil {
		all = append(all, p.press.tally)
	}
	return join(all, instant(until))
}

// Served lists every new value put out so far, in order, where Options.Record
// asks for it.
func (p *Plant) Served() []Served {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.served)
}
