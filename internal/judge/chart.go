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
}

func (b *Batch) add(t sample.Time, x float64) {
	if b.N == 0 {
		*b = Batch{From: t, Min: x, Max: x}
	}
	b.N++
	b.Sum, b.Last = b.Sum+x, x
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
// centre in sigma. There is nothing before the first point.
func (j *Judge) charted(r, k int, p XY) (x float64, ok bool) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	m := &st.Memory[k]
	switch {
	case j.Applies(r, p.T) != Yes: // what does not apply is not charted
		return st.standing(k)
	case ru.Chart.Per == spec.PerSample:
		return st.plot(ru, k, p)
	}
	j.plotDue(r, p.T-1)
	if end := m.Batch.end(ru, st.Begun); end != 0 && end <= p.T {
		j.plotAt(r, k, end)
	}
	m.Batch.add(p.T, p.X)
	return st.standing(k)
}

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
	m.Point = ru.chart.Value(&m.Chart)
	if m.Signal == "" {
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
		if end := st.Memory[k].Batch.end(ru, st.Begun); end != 0 && end <= limit {
			j.plotAt(r, k, end)
		}
	}
}

// plotAt makes the batch of series k a point at t.
func (j *Judge) plotAt(r, k int, t sample.Time) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	m := &st.Memory[k]
	if m.Batch.N == 0 {
		return
	}
	from := m.Batch.From
	x, ok := st.plot(ru, k, XY{t, m.Batch.take(ru.Chart.Take)})
	m.Batch = Batch{}
	if !ok {
		return
	}
	if ru.Chart.Per == spec.PerPhase {
		j.foundSignal(r, k, Span{from, t}, x)
		return
	}
	j.move(r, k, t, x, t)
	j.note(r, &Value{Input: k, V: sample.FloatValue(m.Point)}, t, j.N, x)
	j.settle(r, t, j.N)
}

// foundSignal raises what the point of a phase signals. The phase is over by
// then, and so is the rule's time: like a requirement on a whole operation it is
// found and not left again.
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

// turnChart lets a chart know that the context has changed: the part that is
// over is a point, and no run spans a lot or a phase.
func (j *Judge) turnChart(r int, t sample.Time, turn Turn) {
	ru, st := &j.P.rules[r], &j.S.Rules[r]
	if ru.Kind != spec.SPC {
		return
	}
	over := ru.Chart.Per == spec.PerPart && turn&(NewPart|NewLot) != 0 ||
		ru.Chart.Per == spec.PerPhase && turn&NewPhase != 0
	anew := turn&NewLot != 0 || turn&NewPhase != 0 && ru.Chart.Per != spec.PerPhase
	for k := range st.Memory {
		if over {
			j.plotAt(r, k, t)
		}
		if anew {
			st.Memory[k] = Memory{}
			st.Series[k] = Series{}
		}
	}
}
