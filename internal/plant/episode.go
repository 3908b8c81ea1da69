package plant

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is what goes wrong in an episode.
type Kind string

// The kinds of episodes.
const (
	High        Kind = "high"         // thermocouples above the upper limit, in soak
	Low         Kind = "low"          // thermocouples below the lower limit, in soak
	Bad         Kind = "bad"          // thermocouples without a good value
	Outage      Kind = "outage"       // the server refuses everybody and forgets every session
	WrongRecipe Kind = "wrong_recipe" // another recipe than the released one
	SlowQuench  Kind = "slow_quench"  // a quench delay above its limit, as long as it is shown
)

// Episode is one thing that goes wrong: from step First on, for Steps steps.
type Episode struct {
	Kind      Kind     `json:"kind"`
	Equipment string   `json:"equipment,omitempty"` // "" of an outage
	Tags      []string `json:"tags,omitempty"`
	First     int      `json:"first"`
	Steps     int      `json:"steps"`
	By        float64  `json:"by,omitempty"` // how far beyond the limit at the worst, in the tag's unit
}

// end is the first step at which all is well again.
func (e Episode) end() int { return e.First + e.Steps }

func (e Episode) covers(k int) bool { return e.First <= k && k < e.end() }

func (e Episode) has(tag string) bool { return slices.Contains(e.Tags, tag) }

// height is how far beyond the limit a thermocouple is at step k: up to By in
// the middle and never less than half of it.
func (e Episode) height(k int) float64 {
	x := (float64(k-e.First) + 0.5) / float64(e.Steps)
	return e.By * (0.5 + 0.5*math.Sin(math.Pi*x))
}

// blockCycles is how many cycles a round of the seeded schedule lasts.
const blockCycles = 2

// active are the episodes of furnace i, and the outages, that cover step k.
func (s *Script) active(i, k int) []Episode {
	var out []Episode
	for _, e := range s.around(k) {
		if e.covers(k) && (e.Kind == Outage || e.Equipment == s.equipment[i]) {
			out = append(out, e)
		}
	}
	return out
}

// down says whether the server refuses everybody at step k.
func (s *Script) down(k int) bool {
	return slices.ContainsFunc(s.around(k), func(e Episode) bool { return e.Kind == Outage && e.covers(k) })
}

// around are the episodes that may cover step k.
func (s *Script) around(k int) []Episode {
	if s.fixed != nil {
		return s.fixed
	}
	return s.block(k / (blockCycles * s.steps))
}

// Schedule lists the episodes that begin before a step.
func (s *Script) Schedule(until int) []Episode {
	var out []Episode
	if s.fixed != nil {
		out = slices.Clone(s.fixed)
	} else {
		for b := 0; b*blockCycles*s.steps < until; b++ {
			out = append(out, s.block(b)...)
		}
	}
	out = slices.DeleteFunc(out, func(e Episode) bool { return e.First >= until })
	slices.SortStableFunc(out, func(a, b Episode) int { return a.First - b.First })
	return out
}

// block is one round of the seeded schedule. Which thermocouples, how far and
// how long is drawn; the places are fixed, so that episodes keep clear of one
// another and lie within the block. In parts of a cycle, for the first (A) and
// the second furnace (B), whose cycles are half a cycle apart:
//
//	A 0/12-17  two thermocouples too hot, overlapping
//	A 0/20     a third one too hot, for a single sample
//	B 1/4-8    the wrong recipe, found and corrected in heat (every third block)
//	B 1/11-14  one too cold
//	B 1/17-20  one bad
//	  1/10-14  the server is away (cycle of A)
//	A 1/25-28  the load takes too long to the quench
//	B 2/13-16  one too hot
func (s *Script) block(b int) []Episode {
	r := rand.New(rand.NewPCG(s.seed, uint64(b)))
	tc := func() []string { // the four in a drawn order
		t := thermocouples()
		r.Shuffle(len(t), func(i, j int) { t[i], t[j] = t[j], t[i] })
		return t
	}
	by := func() float64 { return round(4 + 8*r.Float64()) }
	a, c := tc(), tc()
	late := r.IntN(2)
	add := func(out []Episode, kind Kind, i, cycle, from, to int, tags ...string) []Episode {
		first := s.stepOf(i, blockCycles*b+cycle, from)
		e := Episode{Kind: kind, Equipment: s.equipment[i], Tags: tags, First: first, Steps: s.stepOf(i, blockCycles*b+cycle, to) - first}
		if kind != Bad && kind != Outage && kind != WrongRecipe {
			e.By = by()
		}
		return append(out, e)
	}
	var out []Episode
	out = add(out, High, 0, 0, 12+late, 16+late, a[0])
	out = add(out, High, 0, 0, 13+late, 15+late, a[1])
	out = add(out, High, 0, 0, 20, 21, a[2])
	out[2].Steps = 1
	out = add(out, Outage, 0, 1, 10, 14)
	out[3].Equipment = ""
	out = add(out, SlowQuench, 0, 1, quenchedLo, quenchedHi, tagQuench)
	if len(s.equipment) > 1 {
		if b%3 == 0 {
			out = add(out, WrongRecipe, 1, 1, 4, 8, tagRecipe)
		}
		out = add(out, Low, 1, 1, 11, 13+late, c[0])
		out = add(out, Bad, 1, 1, 17, 20, c[1])
		out = add(out, High, 1, 2, 13, 15+late, c[2])
	}
	if s.limit > 0 {
		out = slices.DeleteFunc(out, func(e Episode) bool { return e.end() > s.limit })
	}
	return out
}

// margins, in steps, that keep an episode's outcome independent of how fast a
// client is and of how timers and samples fall.
const (
	clearSteps  = 2 // from the end of an excursion to that of its phase: more than the off-delay
	marginSteps = 3 // between excursions of a rule, and before an outage
	afterOutage = 8 // for a client to come back

	minBy, maxBy = 1.0, 1000.0 // of a given episode, so that every step is out and none absurd
)

// check says why a given episode would not have one clear outcome.
func (s *Script) check(e Episode) error {
	if e.First < 0 || e.Steps < 1 {
		return fmt.Errorf("%s at %v for %v: want at least one step, not before the first", e.Kind, s.since(e.First), s.since(e.Steps))
	}
	if s.limit > 0 && e.end() > s.limit {
		return fmt.Errorf("%s at %v: it ends at %v, later than %v before the end of the run", e.Kind, s.since(e.First), s.since(e.end()), Settle)
	}
	switch e.Kind {
	case Outage:
		if e.Equipment != "" || e.Tags != nil {
			return fmt.Errorf("outage at %v: it concerns the whole server; leave equipment and tags out", s.since(e.First))
		}
		return nil
	case High, Low, Bad:
		return s.checkFurnace(e, thermocouples())
	case WrongRecipe:
		return s.checkFurnace(e, []string{tagRecipe})
	case SlowQuench:
		return s.checkFurnace(e, []string{tagQuench})
	}
	return fmt.Errorf("%q at %v: unknown kind; want one of %v", string(e.Kind), s.since(e.First), kinds())
}

func kinds() []Kind { return []Kind{High, Low, Bad, Outage, WrongRecipe, SlowQuench} }

// since is the planned time from the first step to step k.
func (s *Script) since(k int) time.Duration { return time.Duration(k) * s.step }

// checkFurnace checks where, on which tags and in which phases an episode is.
func (s *Script) checkFurnace(e Episode, tags []string) error {
	i := slices.Index(s.equipment, e.Equipment)
	if i < 0 {
		return fmt.Errorf("%s at %v: no equipment %q; want one of %v", e.Kind, s.since(e.First), e.Equipment, s.equipment)
	}
	if len(e.Tags) == 0 || slices.ContainsFunc(e.Tags, func(t string) bool { return !slices.Contains(tags, t) }) {
		return fmt.Errorf("%s at %v: tags %v; want some of %v", e.Kind, s.since(e.First), e.Tags, tags)
	}
	if e.Kind == Bad {
		return nil
	}
	if e.Kind != WrongRecipe && (e.By < minBy || e.By > maxBy) {
		return fmt.Errorf("%s at %v: by %g; want from %g to %g beyond the limit", e.Kind, s.since(e.First), e.By, minBy, maxBy)
	}
	lo, hi := s.window(e.Kind)
	cycle, pos := s.at(i, e.First)
	if pos < lo || pos+e.Steps > hi {
		start := cycle*s.steps - s.offset(i)
		return fmt.Errorf("%s of %s from %v to %v: its place in this cycle is from %v to %v",
			e.Kind, e.Equipment, s.since(e.First), s.since(e.end()), s.since(start+lo), s.since(start+hi))
	}
	return nil
}

// window is where in a cycle an episode may be: it must be judged as soon as it
// begins and be over, off-delay and all, before the phase is.
func (s *Script) window(k Kind) (lo, hi int) {
	switch k {
	case WrongRecipe:
		return s.part(heatPart) + 1, s.part(quenchPart) - clearSteps
	case SlowQuench:
		return s.part(quenchPart) + 1, s.part(cycleParts) - clearSteps
	case High, Low, Bad, Outage:
	}
	return s.part(soakPart) + 1, s.part(quenchPart) - clearSteps
}

// checkAll checks a given schedule: every episode by itself, and that none
// comes so near to another that their outcomes would run together.
func (s *Script) checkAll(all []Episode) []error {
	var errs []error
	for i, e := range all {
		if err := s.check(e); err != nil {
			errs = append(errs, err)
		}
		for _, f := range all[:i] {
			if err := s.apart(f, e); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errs
}

// apart says whether two episodes are too near to each other. Two excursions of
// one rule may overlap, for they are one; then they must truly do so.
func (s *Script) apart(a, b Episode) error {
	if b.First < a.First {
		a, b = b, a
	}
	gap := b.First - a.end() // steps between them; negative: they overlap
	near := func(want int) error {
		return fmt.Errorf("%s at %v and %s at %v: want at least %v between them",
			a.Kind, s.since(a.First), b.Kind, s.since(b.First), s.since(want))
	}
	switch {
	case a.Kind == Outage && gap < afterOutage:
		return near(afterOutage)
	case b.Kind == Outage && gap < marginSteps:
		return near(marginSteps)
	case a.Equipment != b.Equipment || gap < 0 && a.Kind == b.Kind && a.Kind != Bad:
		return nil
	case gap < marginSteps && (a.Kind == b.Kind || isTemperature(a.Kind) && isTemperature(b.Kind)):
		return near(marginSteps)
	}
	return nil
}

func isTemperature(k Kind) bool { return k == High || k == Low || k == Bad }
