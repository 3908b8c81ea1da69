package judge

import (
	"math"

	"andon/internal/sample"
	"andon/internal/spec"
)

// Batch gathers the values that make one point of a chart: those of an
// interval, a part, a phase, or a subgroup.
type Batch struct {
	N    int64       `json:"n"`
	From sample.Time `json:"from"` // of the first value
	Sum  float64     `json:"sum"`
	Min  float64     `json:"min"`
	Max  float64     `json:"max"`
	Last float64     `json:"last"`
	Lost bool        `json:"lost,omitempty"` // a gap touches it: it will be no point
}

func (b *Batch) add(t sample.Time, x float64) {
	if b.N == 0 {
		*b = Batch{From: t, Min: x, Max: x, Lost: b.Lost}
	}
	b.N++
	b.Sum, b.Last = finite(b.Sum+x), x
	b.Min, b.Max = math.Min(b.Min, x), math.Max(b.Max, x)
}

func (b *Batch) take(how string) float64 {
	switch how {
	case spec.Mean:
		return b.Sum / float64(b.N)
	case spec.Max:
		return b.Max
	case spec.Min:
		return b.Min
	}
	return b.Last
}

// charted takes a sample into a control chart and returns what stands: 0 for no
// signal at the newest point, else 1 and the distance of the point from the
// centre in sigma. There is nothing before the first point. What does not apply
// is not charted, and where nobody knows a point may be missing: no run goes on.
// A value that makes no point of its own counts as a confirmation.
func (j *Judge) charted(r, k int, p XY, v *Value) (x float64, ok bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	m := &st.Memory[k]
	switch applies := j.Applies(r, p.T); {
	case applies == Maybe:
		m.interrupt()
		return st.standing(k)
	case applies == No, v.confirmed && ru.Chart.Per == spec.PerSample: // the word that a value stands is no sample
		return st.standing(k)
	case ru.Chart.Per == spec.PerSample:
		before := m.Chart.Points
		x, ok = st.plot(ru, k, p)
		v.confirmed = m.Chart.Points == before
		return x, ok
	}
	if end := m.Batch.end(ru, st.Begun); end != 0 && end <= p.T {
		j.plotAt(r, k, end)
	}
	m.Batch.add(p.T, p.X)
	v.confirmed = true // no point of its own
	return st.standing(k)
}

// interrupt: what would come next on a chart is not known. What was gathered for
// the next point is no point, and no run goes on.
func (m *Memory) interrupt() {
	m.Batch, m.Group = Batch{Lost: true}, Batch{}
	m.Chart.Gap()
}

// whole says whether a chart's points are made of whole parts or phases.
func whole(c *spec.Charting) bool { return c.Per == spec.PerPart || c.Per == spec.PerPhase }

// standing is what a chart said at its newest point.
func (st *Rule) standing(k int) (x float64, ok bool) {
	m := &st.Memory[k]
	if m.Signal == "" {
		return 0, m.Chart.Points > 0
	}
	return st.Series[k].X, true
}

// plot takes a value into the subgroup, and a full subgroup into the chart.
func (st *Rule) plot(ru *rule, k int, p XY) (x float64, ok bool) {
	m := &st.Memory[k]
	if ru.Chart.Subgroup > 1 {
		m.Group.add(p.T, p.X)
		if m.Group.N < int64(ru.Chart.Subgroup) {
			return st.standing(k)
		}
		p.X, m.Group = m.Group.take(spec.Mean), Batch{}
	}
	m.Signal = ru.chart.Step(&m.Chart, p.X)
	m.Point = ru.chart.Value(&m.Chart) + 0 // never -0: it would not survive being saved
	if m.Signal == "" {
		m.Calm = p.T
		return 0, true
	}
	return 1 + finite(math.Abs(m.Point-ru.chart.Center)/ru.chart.Sigma), true
}

// end is when the interval that a batch belongs to is over, 0 when there is
// none or the chart does not go by intervals. Intervals count from when the
// rule began to apply.
func (b *Batch) end(ru *rule, begun sample.Time) sample.Time {
	if b.N == 0 || ru.Chart.Per != spec.PerInterval {
		return 0
	}
	into := b.From.Sub(begun) % ru.Chart.Every
	if into < 0 { // the clock has stepped back behind the beginning
		into += ru.Chart.Every
	}
	return b.From.Add(ru.Chart.Every - into)
}

// batchDue is when the next interval is over, 0 if none is under way.
func (st *Rule) batchDue(ru *rule) sample.Time {
	due := sample.Time(0)
	for k := range st.Memory {
		if end := st.Memory[k].Batch.end(ru, st.Begun); end != 0 && (due == 0 || end < due) {
			due = end
		}
	}
	return due
}

// plotDue plots the intervals that are over at limit.
func (j *Judge) plotDue(r int, limit sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	if ru.Kind != spec.SPC {
		return
	}
	for k := range st.Memory {
		j.plotSeries(r, k, limit)
	}
}

// plotSeries plots the interval of series k if it is over at limit.
func (j *Judge) plotSeries(r, k int, limit sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	if end := st.Memory[k].Batch.end(ru, st.Begun); end != 0 && end <= limit {
		j.plotAt(r, k, end)
	}
}

// plotAt makes the batch of series k a point at t: it stands until the next.
func (j *Judge) plotAt(r, k int, t sample.Time) {
	_, x, ok := j.plotBatch(r, k, t)
	if !ok {
		return
	}
	j.held = 0 // what came before says nothing of this instant
	j.move(r, k, t, x, t)
	j.note(r, &Value{Input: k, V: sample.FloatValue(j.S.Rules[r].Memory[k].Point)}, t, j.N, x)
	j.settle(r, t, j.N)
}

// plotBatch makes the batch of series k a point at t and returns since when it
// was gathered and what the chart says; ok is false when it made no point.
func (j *Judge) plotBatch(r, k int, t sample.Time) (from sample.Time, x float64, ok bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	m := &st.Memory[k]
	if m.Batch.N == 0 {
		return 0, 0, false
	}
	b, before := m.Batch, m.Chart.Points
	m.Batch = Batch{}
	if b.Lost {
		return 0, 0, false
	}
	from = b.From
	x, ok = st.plot(ru, k, XY{t, b.take(ru.Chart.Take)})
	return from, x, ok && m.Chart.Points > before
}

// foundSignal raises what the last point signals where the rule's time is over
// with it: like a requirement on a whole operation it is found and not left
// again.
func (j *Judge) foundSignal(r, k int, s Span, x float64) {
	st := &j.S.Rules[r]
	if st.Memory[k].Signal == "" {
		return
	}
	e := Episode{N: j.N, From: s.From, To: s.To, DetectedAt: s.To, ClearedAt: s.To, Samples: 1, Area: []float64{0},
		Signal: st.Memory[k].Signal, Worst: j.worst(r, k, s.To, sample.FloatValue(st.Memory[k].Point), x)}
	for _, w := range []What{AlarmRaised, EventFound, AlarmCleared} {
		j.say(w, r, s.To, &e)
	}
}

// turnChart lets a chart know that the context has changed: the part or phase
// that is over is a point. No run spans a lot; none spans a phase, unless the
// points are made of whole phases or of parts, which go through them.
func (j *Judge) turnChart(r int, t sample.Time, turn Turn) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	if ru.Kind != spec.SPC {
		return
	}
	anew := turn&NewLot != 0 || turn&NewPhase != 0 && !whole(ru.Chart)
	if turn&(NewLot|NewPhase) != 0 {
		j.plotDue(r, t)
	}
	for k := range st.Memory {
		switch {
		case ru.Chart.Per == spec.PerPhase && turn&NewPhase != 0, ru.Chart.Per == spec.PerPart && turn&NewLot != 0,
			ru.Chart.Per == spec.PerPart && turn&NewPart != 0 && st.Verdict == NotApplicable:
			if from, x, ok := j.plotBatch(r, k, t); ok {
				j.foundSignal(r, k, Span{from, max(from, t)}, x) // said of an instant before its samples
			}
		case ru.Chart.Per == spec.PerPart && turn&NewPart != 0:
			j.plotAt(r, k, t)
		}
		if anew {
			st.Memory[k] = Memory{}
			st.Series[k] = Series{}
		}
	}
}
