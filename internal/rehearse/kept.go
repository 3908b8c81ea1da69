package rehearse

import (
	"fmt"
	"math"

	"andon/internal/engine"
	"andon/internal/judge"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
)

// kept are the samples that evidence may still be asked of, as canonical bytes:
// a dozen bytes a sample. What no event can reach back to any more is dropped.
type kept struct {
	blocks []block
	gone   sample.Time // latest source time that has been dropped; 0 for none
}

// block is scans that came one after the other.
type block struct {
	from, to sample.Time // source times
	records  []byte
}

// blockBytes is how large a block grows.
const blockBytes = 64 << 10

// pruneAt is after how many blocks it is worth looking which are needed.
const pruneAt = 16

// add keeps a scan, and reports whether it is time to drop.
func (k *kept) add(in record.Input, scan *record.Scan, out record.Outcome) (prune bool) {
	last := len(k.blocks) - 1
	if last < 0 || len(k.blocks[last].records) >= blockBytes {
		k.blocks = append(k.blocks, block{from: math.MaxInt64, to: math.MinInt64})
		last++
		prune = len(k.blocks)%pruneAt == 0
	}
	b := &k.blocks[last]
	b.from, b.to = min(b.from, scan.Time), max(b.to, scan.Time)
	b.records = record.Append(b.records, in, record.Outcome{FirstI: out.FirstI, Repeated: out.Repeated})
	return prune
}

// drop lets go of what lies before an instant.
func (k *kept) drop(before sample.Time) {
	n := 0
	for n < len(k.blocks)-1 && k.blocks[n].to < before {
		k.gone = max(k.gone, k.blocks[n].to)
		n++
	}
	k.blocks = append(k.blocks[:0], k.blocks[n:]...)
}

// answer answers a need.
func (k *kept) answer(w *record.Wiring, n record.Need) (*record.Answer, error) {
	if k.gone != 0 && n.From <= k.gone {
		return nil, fmt.Errorf("evidence %s reaches back to %s, and samples up to %s have been let go: please report this", n.ID, n.From, k.gone)
	}
	p := record.NewProof(n)
	for i := range k.blocks {
		if b := &k.blocks[i]; b.from <= n.To && b.to >= n.From {
			if err := p.Records(w, b.records); err != nil {
				return nil, fmt.Errorf("read evidence %s: %w", n.ID, err)
			}
		}
	}
	return p.Answer(), nil
}

// reach is the earliest instant that evidence may still be asked from: what
// events under way, and those that may begin now, can reach back to.
func reach(s *engine.State) sample.Time {
	earliest := s.At
	sooner := func(t sample.Time) {
		if t != 0 && t < earliest {
			earliest = t
		}
	}
	for e := range s.Equipment {
		eq := &s.Equipment[e]
		for i := range eq.Closing {
			reachOfEvent(&eq.Closing[i].Event, sooner)
		}
		for r := range eq.Running {
			sooner(eq.Running[r].Operation)
			for p := range eq.Running[r].Parameters {
				reachOf(&eq.Running[r].Parameters[p], sooner)
			}
		}
	}
	before := sample.Time(0)
	for _, in := range s.Register.All() {
		for _, p := range in.Doc().Parameters {
			before = max(before, sample.Time(p.Evidence.Before+p.Sampling.MaxGap))
		}
	}
	return earliest - before
}

// reachOf passes on how far back what is known of a parameter goes: its events,
// those that late samples may still correct too, and its states, now and where
// late samples are judged from.
func reachOf(p *engine.Parameter, sooner func(sample.Time)) {
	for i := range p.Events {
		reachOfEvent(&p.Events[i], sooner)
	}
	for i := range p.Told {
		reachOfEvent(&p.Told[i], sooner)
	}
	reachOfState(&p.Judge, sooner)
	if p.Past != nil {
		sooner(p.Past.From)
		reachOfState(&p.Past.State, sooner)
	}
}

func reachOfEvent(ev *quality.Event, sooner func(sample.Time)) {
	sooner(ev.Episode.From)
	sooner(ev.Episode.SuspectFrom)
}

// reachOfState passes on its excursions, the instant at which each rule was last
// known to be in, and that of each input's last value.
func reachOfState(st *judge.State, sooner func(sample.Time)) {
	for i := range st.Inputs {
		sooner(st.Inputs[i].T)
		sooner(st.Inputs[i].Heard)
	}
	for i := range st.Rules {
		ru := &st.Rules[i]
		if ru.Verdict == judge.In { // and still so as far as has been heard
			sooner(max(ru.LastIn, st.Passed()))
		} else {
			sooner(ru.LastIn)
		}
		if ru.Episode != nil {
			sooner(ru.Episode.From)
			sooner(ru.Episode.SuspectFrom)
		}
	}
}
