package plant

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"andon/internal/plant/modbusserver"
)

// The tags of the press. The first five are used by its specification or give
// its context; a gateway records gaps of those alone.
const (
	tagSerial   = "serial"
	tagForce    = "force"
	tagDistance = "distance"
	tagParts    = "parts"
	tagAlive    = "alive"
)

func pressWatched() []string { return []string{tagPhase, tagLot, tagSerial, tagForce, tagDistance} }

func pressTags() []string { return append(pressWatched(), tagParts, tagAlive) }

// The phases of a stroke; the number is the value of the phase tag.
const (
	pressLoad int32 = iota
	pressPress
	pressEject
)

// pressPhase is a phase's name in settings and specifications.
func pressPhase(n int32) string {
	switch n {
	case pressLoad:
		return "load"
	case pressPress:
		return "press"
	case pressEject:
		return "eject"
	}
	return fmt.Sprintf("phase(%d)", n)
}

// A stroke is twelve steps. The die closes and opens one step before and after
// the phase says press, as a controller does that reports pressing once the force
// is there. Values stand for a whole step, and a client polls more than twice a
// step, so that it sees every one.
const (
	strokeSteps = 12
	pressStep   = 3
	ejectStep   = 10
	// Excursions lie in these steps of a stroke: after pressing has begun and over,
	// off-delay and all, before it ends.
	badFirst   = pressStep + 1
	badLast    = ejectStep - clearSteps
	badLasts   = 3 // steps
	strokesLot = 10
	openGap    = 120.0 // mm, between the dies
)

// pressScript says what the press's tags are at every step. It is a pure function
// of the step. The furnaces' noise is its chance.
type pressScript struct {
	name   string
	noise  func(tag string, k int) float64 // in [-1, 1)
	seed   uint64
	faults bool // episodes are played
	limit  int  // every episode has ended by this step; 0: no limit
}

func newPressScript(name string, o Options, s *Script) *pressScript {
	return &pressScript{name: name, noise: func(tag string, k int) float64 { return s.noise(-1, tag, k) }, seed: o.Seed, faults: o.Schedule == nil, limit: s.limit}
}

// pressRound is how many strokes a round of the schedule lasts. Each stroke but
// the first has one thing that goes wrong:
//
//	1  the force is too high
//	2  the press cannot be reached
//	3  the force is too low
//	4  the distance is not known
//	5  the distance is out of its band
const pressRound = 6

// round is one round of the schedule. How far and exactly when is drawn.
func (s *pressScript) round(n int) []Episode {
	if !s.faults {
		return nil
	}
	r := rand.New(rand.NewPCG(s.seed, uint64(n)+1<<32))
	var out []Episode
	for stroke, kind := range []Kind{"", High, Outage, Low, Bad, High} {
		e := Episode{Kind: kind, Equipment: s.name, Tags: []string{tagForce}, Steps: badLasts}
		e.First = (n*pressRound+stroke)*strokeSteps + badFirst + r.IntN(badLast-badFirst-badLasts+1)
		e.By = float64(8 + r.IntN(24))
		switch {
		case kind == "":
			continue
		case kind == Outage:
			e.Tags, e.By, e.Steps = nil, 0, 4
		case kind == Bad:
			e.Tags, e.By = []string{tagDistance}, 0
		case stroke == 5:
			e.Tags, e.By = []string{tagDistance}, e.By/16
		}
		if s.limit == 0 || e.end() <= s.limit {
			out = append(out, e)
		}
	}
	return out
}

// schedule lists the episodes that begin before a step.
func (s *pressScript) schedule(until int) []Episode {
	var out []Episode
	for n := 0; n*pressRound*strokeSteps < until; n++ {
		out = append(out, s.round(n)...)
	}
	return slices.DeleteFunc(out, func(e Episode) bool { return e.First >= until })
}

// at is what goes wrong at step k.
func (s *pressScript) at(k int) (Episode, bool) {
	round := s.round(k / (pressRound * strokeSteps))
	i := slices.IndexFunc(round, func(e Episode) bool { return e.covers(k) })
	if i < 0 {
		return Episode{}, false
	}
	return round[i], true
}

func (s *pressScript) down(k int) bool {
	e, wrong := s.at(k)
	return wrong && e.Kind == Outage
}

// readings are the values of all tags at step k.
func (s *pressScript) readings(k int) []Reading {
	stroke, pos := k/strokeSteps, k%strokeSteps
	phase := pressLoad
	switch {
	case pos >= ejectStep:
		phase = pressEject
	case pos >= pressStep:
		phase = pressPress
	}
	return []Reading{
		{tagPhase, phase},
		{tagLot, fmt.Sprintf("PL-%04d", stroke/strokesLot+1)},
		{tagSerial, fmt.Sprintf("%s-%05d", suffix(s.name), stroke+1)},
		{tagForce, s.force(k)},
		{tagDistance, s.distance(k)},
		{tagParts, int32(stroke)},
		{tagAlive, true},
	}
}

// closed says whether the die is closed at step k.
func closed(k int) bool {
	pos := k % strokeSteps
	return pos >= pressStep-1 && pos <= ejectStep
}

// force is in kN and an eighth of it, which a 32-bit float holds exactly.
func (s *pressScript) force(k int) any {
	if !closed(k) {
		return 0.0
	}
	if e, wrong := s.at(k); wrong && e.has(tagForce) {
		if e.Kind == High {
			return forceUSL + e.By
		}
		return forceLSL - e.By
	}
	return math.Round(8*(forceTarget+6*s.noise(tagForce, k))) / 8
}

// distance is in mm and a 64th of it; nil while it is not known.
func (s *pressScript) distance(k int) any {
	e, wrong := s.at(k)
	switch {
	case wrong && e.Kind == Bad:
		return nil
	case !closed(k):
		return openGap
	case wrong && e.has(tagDistance):
		return distanceHigh + e.By
	}
	return math.Round(64*(distanceTarget+0.1*s.noise(tagDistance, k))) / 64
}

// press is the press line: its script, its server and its truth.
type press struct {
	script *pressScript
	server *modbusserver.Server
	tally  *tally
	down   bool
}

func newPress(o Options, s *Script) (*press, error) {
	server, err := modbusserver.Listen(o.ListenModbus, pressUnit)
	if err != nil {
		return nil, err
	}
	p := &press{script: newPressScript(o.Press, o, s), server: server, tally: newTally(o.Press, PressLimits(o.Step))}
	p.tally.tags, p.tally.phase, p.tally.within = pressWatched(), pressPhase, PressWithin(o.Step)
	return p, nil
}

// step puts out the values of step k and enters them in the truth; the plant's
// mutex is held. Their instant is taken before they can be seen, so that no
// client ever has them earlier than the truth says. Whoever is let in again finds
// the new ones.
func (p *press) step(k int) {
	readings, down := p.script.readings(k), p.script.down(k)
	if down && !p.down {
		p.server.Interrupt()
	}
	at := instant(time.Now())
	p.server.Set(pressImage(readings))
	if p.down && !down {
		p.server.Resume()
	}
	p.down = down
	p.tally.add(frame{at: at, reachable: !down, readings: readings})
}

// PressWithin is by how much later than the truth says an excursion of the press
// may begin, end or be at its worst: a polled value is seen when it is polled,
// and that may be a step after it was put out.
func PressWithin(step time.Duration) time.Duration { return step }

// PressEvery is how often a gateway is to poll the press: more than twice a step.
func PressEvery(step time.Duration) time.Duration {
	return max(2*step/5, 10*time.Millisecond).Truncate(time.Millisecond)
}
