package gateway

import (
	"time"

	"andon/internal/journal"
	"andon/internal/record"
	"andon/internal/sample"
)

// group is what waits for the next commit. It belongs to the deciding
// goroutine.
type group struct {
	journal.Group
	began  time.Time      // when its first input came
	urgent bool           // it holds what somebody must know
	tokens map[int]uint64 // by source: the last batch in it
	ages   []age
	done   []waiter // who waits for an input of theirs to be durable
	alarm  bool
	counts counts
}

// waiter is told what followed from an input once it is durable.
type waiter struct {
	done chan<- decided
	out  record.Outcome
}

// age is when some samples arrived, for the latency that is told.
type age struct {
	arrived sample.Time
	samples int
}

func (g *group) empty() bool { return g.LastN == 0 }

// add takes an input and its outcome into the group.
func (g *group) add(in record.Input, out *record.Outcome, now time.Time) {
	if g.empty() {
		g.FirstN, g.began = in.N, now
	}
	g.LastN = in.N
	g.Records = record.Append(g.Records, in, *out)
	if scan, ok := in.Body.(*record.Scan); ok && out.FirstI != 0 {
		g.addSamples(in, scan, out)
		g.counts.scan(scan, out)
	}
	if loss, ok := in.Body.(*record.Loss); ok {
		g.counts.losses = append(g.counts.losses, loss.Source)
	}
	for _, e := range out.Entries {
		g.Entries = append(g.Entries, journal.Entry{Lane: e.Lane, Seq: e.Seq, Topic: e.Topic, Payload: e.Payload})
		g.urgent = true
		if e.Topic == "event/alarm" {
			g.alarm = true
			g.counts.alarm(e.Payload)
		}
		g.Checkpoint = g.Checkpoint || e.Lane == "quality"
	}
	for _, r := range out.Retired {
		g.Retired = append(g.Retired, journal.Retired(r))
	}
}

func (g *group) addSamples(in record.Input, scan *record.Scan, out *record.Outcome) {
	n := len(scan.Readings) - len(out.Repeated)
	if g.Samples == 0 {
		g.FirstI, g.From, g.To = out.FirstI, int64(scan.Time), int64(scan.Time)
	}
	g.Samples += uint64(n)
	g.From, g.To = min(g.From, int64(scan.Time)), max(g.To, int64(scan.Time))
	g.ages = append(g.ages, age{in.At, n})
}
