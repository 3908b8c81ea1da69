package plant

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Phase is where a furnace is in its cycle; the number is the value of its
// phase tag.
type Phase int32

// The phases, in the order of a cycle.
const (
	Idle Phase = iota
	Heat
	Soak
	Quench
)

// String is the phase's name in settings and specifications.
func (p Phase) String() string {
	switch p {
	case Idle:
		return "idle"
	case Heat:
		return "heat"
	case Soak:
		return "soak"
	case Quench:
		return "quench"
	}
	return fmt.Sprintf("phase(%d)", int32(p))
}

// The tags of a furnace.
const (
	tagPhase    = "phase"
	tagLot      = "lot"
	tagOrder    = "work_order"
	tagMaterial = "material"
	tagRecipe   = "recipe"
	tagQuench   = "quench_delay_s"
)

func thermocouples() []string { return []string{"tc1", "tc2", "tc3", "tc4"} }

// furnaceTags are all tags of a furnace, what is being made first.
func furnaceTags() []string {
	return append([]string{tagPhase, tagLot, tagOrder, tagMaterial, tagRecipe, tagQuench}, thermocouples()...)
}

// A cycle is thirty parts; the phases begin at these parts. All times in the
// script are parts of a cycle, so that one figure stretches the whole plant.
const (
	cycleParts  = 30
	heatPart    = 2
	soakPart    = 10
	quenchPart  = 24
	quenchedLo  = 25 // the load is under way to the bath: the delay is shown
	quenchedHi  = 28 // shown until here
	ambient     = 120.0
	quenchDecay = 0.5 // of the excess temperature, left after each part
)

// Reading is one tag's value at one step. A nil Value is a bad one.
type Reading struct {
	Tag   string
	Value any // float64, int32, string or nil
}

// Script says what every tag is at every step. It is a pure function of the
// step; its zero value is not usable, see newScript.
type Script struct {
	seed      uint64
	step      time.Duration // planned, between two steps
	steps     int           // of one cycle
	equipment []string
	fixed     []Episode // the schedule, when one is given; else nil: seeded
	limit     int       // every seeded episode has ended by this step; 0: no limit
}

// part is the step within a cycle at which a part begins.
func (s *Script) part(p int) int { return p * s.steps / cycleParts }

// offset is how far into its cycle furnace i is at step 0: the first is about
// to heat, every other one half a cycle further.
func (s *Script) offset(i int) int {
	o := s.part(heatPart)
	if i%2 == 1 {
		o += s.steps / 2
	}
	return o
}

// at is the cycle that furnace i is in at step k, from 0, and the step in it.
func (s *Script) at(i, k int) (cycle, pos int) {
	k += s.offset(i)
	return k / s.steps, k % s.steps
}

// stepOf is the step at which furnace i reaches a part of a cycle.
func (s *Script) stepOf(i, cycle, part int) int {
	return cycle*s.steps + s.part(part) - s.offset(i)
}

// phase is the phase at a step of a cycle.
func (s *Script) phase(pos int) Phase {
	switch {
	case pos < s.part(heatPart):
		return Idle
	case pos < s.part(soakPart):
		return Heat
	case pos < s.part(quenchPart):
		return Soak
	}
	return Quench
}

// Readings are the values of all tags of furnace i at step k.
func (s *Script) Readings(i, k int) []Reading {
	cycle, pos := s.at(i, k)
	active := s.active(i, k)
	recipe, delay := releasedID, 0.0
	if pos >= s.part(quenchedLo) && pos < s.part(quenchedHi) {
		delay = round(7 + 2*s.noise(i, tagQuench, cycle))
	}
	for _, e := range active {
		switch e.Kind {
		case WrongRecipe:
			recipe = wrongID
		case SlowQuench:
			delay = round(quenchUSL + e.By)
		case High, Low, Bad, Outage:
		}
	}
	out := []Reading{
		{tagPhase, int32(s.phase(pos))},
		{tagLot, fmt.Sprintf("L-%s-%04d", suffix(s.equipment[i]), cycle+1)},
		{tagOrder, fmt.Sprintf("WO-%d", 55000+100*i+cycle/4)},
		{tagMaterial, [...]string{"7075-FRAME", "7075-BRKT"}[cycle/4%2]},
		{tagRecipe, recipe},
		{tagQuench, delay},
	}
	for _, tc := range thermocouples() {
		out = append(out, Reading{tc, s.temperature(i, tc, k, active)})
	}
	return out
}

// temperature is what a thermocouple shows, in [degF]; nil while it is bad.
func (s *Script) temperature(i int, tc string, k int, active []Episode) any {
	_, pos := s.at(i, k)
	v := s.load(pos) + s.noise(i, tc, -1) + 0.6*s.noise(i, tc, k)
	for _, e := range active {
		if !e.has(tc) {
			continue
		}
		switch e.Kind {
		case Bad:
			return nil
		case High:
			v = tempUSL + e.height(k)
		case Low:
			v = tempLSL - e.height(k)
		case Outage, WrongRecipe, SlowQuench:
		}
	}
	// The last digit says whether the step is odd: two steps never show the same
	// value, so a client that is told of changes only is told of every step.
	return round(math.Round(v*500)/500 + 0.001*float64(k%2))
}

// load is the load's temperature at a step of a cycle: up to the target by the
// end of heat, held, and down again from the second step of quench on.
func (s *Script) load(pos int) float64 {
	switch s.phase(pos) {
	case Heat:
		left := 1 - float64(pos-s.part(heatPart)+1)/float64(s.part(soakPart)-s.part(heatPart))
		return ambient + (tempTarget-ambient)*(1-left*left)
	case Soak:
		return tempTarget + math.Sin(2*math.Pi*float64(pos)/float64(s.steps))
	case Quench:
		parts := float64(pos-s.part(quenchPart)) * cycleParts / float64(s.steps)
		return ambient + (tempTarget-ambient)*math.Pow(quenchDecay, parts)
	case Idle:
	}
	return ambient
}

// noise is a number in [-1, 1) that depends on nothing but its arguments
// (SplitMix64 over them).
func (s *Script) noise(i int, tag string, k int) float64 {
	x := s.seed
	for _, b := range []byte(tag) {
		x = mix(x + uint64(b))
	}
	x = mix(mix(x+uint64(i)) + uint64(int64(k)))
	return float64(x>>11)/(1<<52) - 1
}

func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// round keeps three decimals.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// suffix is what follows the last hyphen of a name: "03" of "furn-03".
func suffix(name string) string { return name[strings.LastIndex(name, "-")+1:] }
