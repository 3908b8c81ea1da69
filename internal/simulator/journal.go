package simulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"

	"andon/internal/engine"
	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
)

// journal is the model of the journal: what is in it survives everything. It
// keeps canonical bytes, and all else it knows it has read back from them.
type journal struct {
	commits   [][]byte
	snapshots []snapshot
	inputs    []record.Input // as decoded, in order of n
	entries   map[string]map[uint64]record.Entry
	raised    map[string]uint64
	retired   map[string]map[uint64]bool // of lanes quality and event: never an entry again
	samples   []record.Sample            // by i-1
	byTag     map[sample.Tag][]uint64    // i of a tag's samples, ascending
	gone      []bool                     // samples that have left the outbox, by i-1
	pending   uint64                     // samples that have not
	dead      map[string]map[uint64]record.Entry
	wiring    record.Wiring
	problem   func(string, ...any)
}

// snapshot is a saved state and the number of commits it holds.
type snapshot struct {
	commits int
	state   []byte
}

func newJournal(problem func(string, ...any)) *journal {
	j := &journal{entries: map[string]map[uint64]record.Entry{}, raised: map[string]uint64{}, retired: map[string]map[uint64]bool{},
		byTag: map[sample.Tag][]uint64{}, dead: map[string]map[uint64]record.Entry{}, problem: problem}
	for _, lane := range outbox.Lanes() {
		j.entries[lane], j.retired[lane], j.dead[lane] = map[uint64]record.Entry{}, map[uint64]bool{}, map[uint64]record.Entry{}
	}
	return j
}

// commit takes a group whole. state is the state behind it, nil for no
// snapshot.
func (j *journal) commit(group, state []byte) {
	j.commits = append(j.commits, group)
	j.each(group, func(in record.Input, out record.Outcome) { j.take(in, out) })
	if state != nil {
		j.snapshots = append(j.snapshots, snapshot{len(j.commits), state})
	}
}

// each reads a group's records back.
func (j *journal) each(group []byte, fn func(record.Input, record.Outcome)) {
	d := record.NewDecoder(group)
	for {
		in, out, err := d.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			j.problem("journal: a committed group cannot be read back: %v", err)
			return
		}
		fn(in, out)
	}
}

func (j *journal) take(in record.Input, out record.Outcome) {
	if in.N != uint64(len(j.inputs)+1) {
		j.problem("journal: input %d after %d", in.N, len(j.inputs))
	}
	j.inputs = append(j.inputs, in)
	if b, ok := in.Body.(*record.Start); ok {
		j.wiring = b.Wiring
	}
	j.takeSamples(in, out)
	dead := map[uint64]string{}
	for _, d := range out.Dead {
		if e, ok := j.entries[d.Lane][d.Seq]; ok {
			j.dead[d.Lane][d.Seq] = e
		}
		dead[d.Seq] = d.Lane
	}
	for _, e := range out.Entries {
		j.takeEntry(e, dead[e.Seq] == e.Lane)
	}
	for _, r := range out.Retired {
		j.retire(r)
	}
}

func (j *journal) takeSamples(in record.Input, out record.Outcome) {
	record.Samples(&j.wiring, in, out, func(t sample.Tag, s record.Sample) {
		if s.I != uint64(len(j.samples)+1) {
			j.problem("journal: sample i %d after %d", s.I, len(j.samples))
		}
		j.samples = append(j.samples, s)
		j.gone = append(j.gone, false)
		j.byTag[t] = append(j.byTag[t], s.I)
		j.pending++
	})
}

// takeEntry puts an entry into the outbox: a new one under the lane's next
// number, or a tombstone in the place of a dead letter.
func (j *journal) takeEntry(e record.Entry, tombstone bool) {
	switch {
	case tombstone && j.raised[e.Lane] < e.Seq:
		j.problem("journal: tombstone %d in lane %s, which has %d", e.Seq, e.Lane, j.raised[e.Lane])
	case !tombstone && e.Seq != j.raised[e.Lane]+1:
		j.problem("journal: entry %d of lane %s after %d", e.Seq, e.Lane, j.raised[e.Lane])
	case !tombstone:
		j.raised[e.Lane] = e.Seq
	}
	j.entries[e.Lane][e.Seq] = e
}

func (j *journal) retire(r record.Retired) {
	for seq := r.First; seq <= r.Last; seq++ {
		switch {
		case r.Lane == outbox.Record && (seq > uint64(len(j.gone)) || j.gone[seq-1]):
			j.problem("journal: sample %d retired twice or never kept", seq)
		case r.Lane == outbox.Record:
			j.gone[seq-1] = true
			j.pending--
		case j.retired[r.Lane][seq]:
			j.problem("journal: entry %d of lane %s retired twice", seq, r.Lane)
		default:
			j.retired[r.Lane][seq] = true
			delete(j.entries[r.Lane], seq)
		}
	}
}

// lastAlive is the instant of the last record.
func (j *journal) lastAlive() sample.Time {
	if len(j.inputs) == 0 {
		return 0
	}
	return j.inputs[len(j.inputs)-1].At
}

// refold makes the state again from the snapshot that is back at least by the
// given number of snapshots, and compares what follows with what is recorded.
func (j *journal) refold(back int) *engine.State {
	s, from := engine.New(), 0
	if k := len(j.snapshots) - 1 - back; k >= 0 {
		loaded, err := engine.Load(j.snapshots[k].state)
		if err != nil {
			j.problem("journal: %v", err)
			return s
		}
		s, from = loaded, j.snapshots[k].commits
	}
	for c := from; c < len(j.commits); c++ {
		var again []byte
		j.each(j.commits[c], func(in record.Input, _ record.Outcome) {
			again = record.Append(again, in, engine.Decide(s, in))
		})
		if !bytes.Equal(again, j.commits[c]) {
			j.problem("journal: decided again, commit %d differs: %s", c, firstDifference(j.commits[c], again))
		}
	}
	return s
}

func firstDifference(a, b []byte) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	around := func(x []byte) []byte { return x[max(0, min(i-80, len(x))):min(len(x), i+80)] }
	return fmt.Sprintf("at byte %d:\nrecorded %q\nagain    %q", i, around(a), around(b))
}

// between are the samples of some tags within a stretch of source time, in
// order of i.
func (j *journal) between(tags []sample.Tag, from, to sample.Time) []record.Sample {
	var list []record.Sample
	for _, t := range tags {
		is := j.byTag[t]
		k := sort.Search(len(is), func(k int) bool { return j.samples[is[k]-1].T >= from })
		for ; k < len(is) && j.samples[is[k]-1].T <= to; k++ {
			list = append(list, j.samples[is[k]-1])
		}
	}
	return list
}
