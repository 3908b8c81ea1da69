package judge

import (
	"fmt"
	"slices"
	"time"

	"andon/internal/sample"
)

// Told names what a Judge can be told.
type Told uint8

// What a Judge can be told, each by its method.
const (
	ToldScan Told = iota + 1
	ToldHeard
	ToldGap
	ToldFound
	ToldTurn
	ToldContext
	ToldOperation
	ToldSplit
	ToldActivate
	ToldRewired
	ToldAdvance
	ToldBad // a sample that was bad: its gap has been told; for what comes late
)

// Step is one thing that a Judge is told, as a value, so that it can be kept and
// told again.
type Step struct {
	Told   Told
	T      sample.Time
	N      uint64
	Input  int // of ToldHeard, ToldGap, ToldFound; the rule of ToldSplit
	Turn   Turn
	Values []Value
}

// Take tells the judge one thing.
func (j *Judge) Take(s *Step) {
	switch s.Told {
	case ToldScan:
		j.Scan(s.T, s.N, s.Values)
	case ToldHeard:
		j.Heard(s.Input, s.T)
	case ToldGap:
		j.Gap(s.Input, s.T, s.N)
	case ToldFound:
		j.Found(s.Input, s.T, s.N)
	case ToldTurn:
		j.Turn(s.T, s.N, s.Turn)
	case ToldContext:
		j.Context(s.T, s.N)
	case ToldOperation:
		j.Operation(s.T, s.N, s.Turn)
	case ToldSplit:
		j.Split(s.Input, s.T, s.N)
	case ToldActivate:
		j.Activate(s.T, s.N)
	case ToldRewired:
		j.Rewired(s.T, s.N)
	case ToldAdvance:
		j.Advance(s.T)
	case ToldBad:
	default:
		panic(fmt.Sprintf("judge: told %d", s.Told))
	}
}

// Past is what a judge has been told since an instant, and its state before:
// enough to judge again with what comes late. It is kept for parameters whose
// samples may still come.
type Past struct {
	State State  `json:"state"` // before the first step
	Steps []Kept `json:"steps,omitempty"`
	// Late is how many of the steps came late.
	Late int `json:"late,omitempty"`
	// From is since when every step has been kept.
	From sample.Time `json:"from"`
}

// Kept is a Step as it is saved.
type Kept struct {
	Told   Told        `json:"told"`
	T      sample.Time `json:"t"`
	N      uint64      `json:"n"`
	Input  int         `json:"input,omitempty"`
	Turn   Turn        `json:"turn,omitempty"`
	Values []KeptValue `json:"values,omitempty"`
	Late   bool        `json:"late,omitempty"`
}

// KeptValue is a Value as it is saved.
type KeptValue struct {
	Input     int          `json:"input"`
	V         sample.Exact `json:"v"`
	Uncertain bool         `json:"uncertain,omitempty"`
}

// NewPast begins to keep what a judge in state s is told from t on.
func NewPast(s *State, t sample.Time) *Past { return &Past{State: s.Clone(), From: t} }

// Clone returns a copy that shares nothing with p.
func (p *Past) Clone() *Past {
	c := *p
	c.State, c.Steps = p.State.Clone(), slices.Clone(p.Steps)
	for i := range c.Steps {
		c.Steps[i].Values = slices.Clone(c.Steps[i].Values)
	}
	return &c
}

func kept(s *Step) Kept {
	k := Kept{Told: s.Told, T: s.T, N: s.N, Input: s.Input, Turn: s.Turn}
	for _, v := range s.Values {
		k.Values = append(k.Values, KeptValue{v.Input, sample.Exact{Value: v.V}, v.Uncertain})
	}
	return k
}

// Keep adds what the judge is told now. heeds: each confirmation counts;
// otherwise the newest of an input stands for those before it.
func (p *Past) Keep(s *Step, heeds bool) {
	if s.Told == ToldHeard && !heeds {
		for i := len(p.Steps) - 1; i >= 0 && p.Steps[i].Told == ToldHeard; i-- {
			if p.Steps[i].Input == s.Input {
				p.Steps[i].T, p.Steps[i].N = s.T, s.N
				return
			}
		}
	}
	p.Steps = append(p.Steps, kept(s))
}

// Insert puts a step that comes late into its place: before everything later
// than it, and at its own instant before what comes behind samples there. Values
// of one scan stay together.
func (p *Past) Insert(s *Step) {
	i := slices.IndexFunc(p.Steps, func(k Kept) bool { return k.T > s.T || k.T == s.T && k.behind() })
	if i < 0 {
		i = len(p.Steps)
	}
	k := kept(s)
	k.Late = true
	if b := i - 1; b >= 0 && p.Steps[b].N == s.N && p.Steps[b].T == s.T && p.Steps[b].Told == ToldScan && s.Told == ToldScan {
		p.Steps[b].Values = append(p.Steps[b].Values, k.Values...)
		return
	}
	p.Steps = slices.Insert(p.Steps, i, k)
	p.Late++
}

// behind: at its instant it comes behind the samples.
func (k *Kept) behind() bool {
	return k.Told == ToldContext || k.Told == ToldAdvance || k.Told == ToldHeard || k.Told == ToldOperation && k.Turn&Ended != 0
}

// Around is when an input was last known before t and is next known after it, 0
// when the steps do not say.
func (p *Past) Around(input int, t sample.Time) (before, after sample.Time) {
	before = p.State.Inputs[input].Heard
	for i := range p.Steps {
		k := &p.Steps[i]
		known := k.Told == ToldScan && k.has(input) || (k.Told == ToldHeard || k.Told == ToldFound) && k.Input == input
		switch {
		case !known:
		case k.T <= t:
			before = max(before, k.T)
		case after == 0 || k.T < after:
			after = k.T
		}
	}
	return before, after
}

// Again judges everything kept anew. The judge's state is replaced by what comes
// of it, and Changes are those of all steps.
func (p *Past) Again(j *Judge) {
	*j.S = p.State.Clone()
	for _, k := range p.filled(j.P) {
		p.take(j, &k)
	}
}

// filled are the steps with the gaps that late samples have filled taken out:
// those between two samples of an input that follow one another as the samples
// of that input do, so that none is missing between them. What is left of a gap
// begins behind the late sample that comes before it.
func (p *Past) filled(of *Parameter) []Kept {
	if p.Late == 0 {
		return p.Steps
	}
	follows := make([][]Kept, len(p.Steps)) // what is put behind a step
	drop := make([]bool, len(p.Steps))
	for i := range p.State.Inputs {
		p.fill(i, of.follows(), drop, follows)
	}
	var steps []Kept
	for k := range p.Steps {
		if !drop[k] {
			steps = append(steps, p.Steps[k])
		}
		steps = append(steps, follows[k]...)
	}
	return steps
}

// fill is filled for one input.
func (p *Past) fill(input int, within time.Duration, drop []bool, follows [][]Kept) {
	last, gap, behind := p.State.Inputs[input].T, -1, -1 // the gap it is in: a step, or what follows one
	heard, bad := p.State.Inputs[input].Heard, false     // since last
	for k := range p.Steps {
		s := &p.Steps[k]
		switch {
		case s.Told == ToldHeard && s.Input == input:
			heard = max(heard, s.T)
		case s.Told == ToldBad && s.Input == input:
			bad = true
			if s.Late && gap < 0 && behind < 0 { // nobody has told its gap yet
				behind = k
				follows[k] = append(follows[k], Kept{Told: ToldGap, T: max(last, min(heard, s.T)), N: s.N, Input: input, Late: true})
			}
		case s.Told == ToldGap && s.Input == input && gap < 0 && behind < 0:
			gap = k
		case s.Told == ToldFound && s.Input == input:
			gap, behind, last, bad = -1, -1, s.T, false
		case s.Told == ToldScan && s.has(input):
			blind := gap >= 0 || behind >= 0
			if near := s.T.Sub(last) <= within && !bad; near && (s.Late || behind >= 0) {
				if gap >= 0 {
					drop[gap] = true
				}
				if behind >= 0 {
					follows[behind] = slices.DeleteFunc(follows[behind], func(g Kept) bool { return g.Input == input })
				}
			}
			gap, behind, last, heard, bad = -1, -1, s.T, s.T, false
			if s.Late && blind {
				behind = k
				follows[k] = append(follows[k], Kept{Told: ToldGap, T: s.T, N: s.N, Input: input, Late: true})
			}
		}
	}
}

func (k *Kept) has(input int) bool {
	return slices.ContainsFunc(k.Values, func(v KeptValue) bool { return v.Input == input })
}

func (p *Past) take(j *Judge, k *Kept) {
	s := Step{Told: k.Told, T: k.T, N: k.N, Input: k.Input, Turn: k.Turn}
	for _, v := range k.Values {
		s.Values = append(s.Values, Value{Input: v.Input, V: v.V.Value, Uncertain: v.Uncertain})
	}
	j.N = k.N
	j.Take(&s)
	if passed := j.S.Passed(); k.Late && passed > 0 && passed <= k.T {
		j.Advance(passed)
	}
}

// Forget lets the first n steps go: nothing that comes late is put among them
// any more. The judge is one of p's parameter, and is used for nothing else.
func (p *Past) Forget(j *Judge, n int) {
	s := p.State.Clone()
	j.S = &s
	for i := range p.Steps[:n] {
		if p.Steps[i].Late {
			p.Late--
		}
		p.From = max(p.From, p.Steps[i].T)
		p.take(j, &p.Steps[i])
	}
	p.State = s
	p.Steps = append(p.Steps[:0], p.Steps[n:]...)
}
