package systemtest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"andon/internal/uplink/mqtttest"
)

// step is the time between two values of tc1 in the script.
const step = 250 * time.Millisecond

// minute is the script of a minute: the value of each step, NaN for none. Steps
// that are not named are within limits and change.
func minute() []float64 {
	values := make([]float64, 240)
	for i := range values {
		values[i] = 885 + float64(i%9+1)/4 // never the one before
	}
	put := func(at int, v ...float64) { copy(values[at:], v) }
	put(12, 896, 897.5, 899.25, 898, 896.5)    // over, worst in the middle
	put(40, 895.001)                           // over, a single sample
	put(60, 895)                               // at the limit is in
	put(70, 874.5, 871, 873)                   // under
	put(90, 900, 894, 894.5, 902, 894)         // back within the deadband and out again: one
	put(120, 874, 896)                         // from below to above
	put(140, 897, math.NaN(), math.NaN(), 898) // no good value in mid-excursion: one, and a gap
	put(170, math.NaN(), math.NaN())           // no good value: a gap and no more
	put(200, 901.5, 899, 901.5, 900)           // the worst value is the first of equals
	return values
}

// excursion is what must be found of the script, by its steps.
type excursion struct {
	rule            string
	from, to, worst int
}

func excursions() []excursion {
	return []excursion{
		{"over", 12, 17, 14}, {"over", 40, 41, 40}, {"under", 70, 73, 71}, {"over", 90, 94, 93},
		{"under", 120, 121, 120}, {"over", 121, 122, 121}, {"over", 140, 144, 143}, {"over", 200, 204, 200},
	}
}

// blind are the steps without a good value: the first, and the next good one.
func blind() [][2]int { return [][2]int{{141, 143}, {170, 172}} }

// TestMinute: a minute of scripted excursions gives exactly the right
// deviations, each once, to the sample, at the quality system; and a value that
// does not change in all that time is no gap.
//
//andon:req Q28
func TestMinute(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	t.Run("real peers", func(t *testing.T) {
		t.Parallel()
		p := newNodePLC(t)
		playMinute(t, p, mosquitto(t))
	})
	t.Run("within this machine", func(t *testing.T) {
		t.Parallel()
		playMinute(t, newOwnPLC(t, ""), mqtttest.New(t, nil).URL())
	})
}

func playMinute(t *testing.T, p plc, broker string) {
	s := newSite(t, siteOptions{endpoint: p.endpoint(), nodes: p.nodes(), broker: broker})
	receiver, gateway := s.receive(), s.run()
	gateway.says("source connected")
	poll(t, "the first values at the quality system", func() bool { return len(s.received("record")) >= 2 })
	begin := time.Now()
	at := play(p, minute())
	poll(t, "all events with their evidence", func() bool {
		return count(events(t, s.received("quality"), "deviation"), (*event).told) >= len(excursions())
	})
	poll(t, "the last value at the quality system", func() bool {
		got := rows(t, s.received("record"), "tc1")
		return got[len(got)-1].T.Equal(at[len(at)-1])
	})
	gateway.stop()
	receiver.stop()
	if lived := time.Since(begin); lived < time.Minute {
		t.Fatalf("the steady value was held for %v only", lived)
	}
	compareDeviations(t, events(t, s.received("quality"), "deviation"), at)
	compareGaps(t, events(t, s.received("quality"), "gap"), at)
	compareValues(t, rows(t, s.received("record"), "tc1"), at)
	s.whole()
	record := s.export()
	for _, lane := range []string{"quality", "event"} {
		numbered(t, lane, messages(t, s.received(lane)))
		within(t, lane, s.received(lane), record)
	}
	within(t, "record", s.received("record"), record)
}

// play gives tc1 the values, one a step, and returns their source times.
func play(p plc, values []float64) []time.Time {
	tick := time.NewTicker(step)
	defer tick.Stop()
	at := make([]time.Time, len(values))
	for i, v := range values {
		<-tick.C
		if math.IsNaN(v) {
			at[i] = p.spoil("tc1")
		} else {
			at[i] = p.set("tc1", v)
		}
	}
	return at
}

// compareDeviations wants exactly the excursions of the script, to the sample.
func compareDeviations(t *testing.T, got []*event, at []time.Time) {
	t.Helper()
	values := minute()
	var have, want []string
	for _, e := range got {
		d := &e.Data
		line := fmt.Sprintf("%s/%s from %s to %s", d.Spec.Parameter, d.Spec.Rule, d.OccurredFrom, d.OccurredTo)
		if d.Excursion.Worst != nil {
			line += fmt.Sprintf(" worst %v at %s", d.Excursion.Worst.Value, d.Excursion.Worst.At)
		}
		have = append(have, line)
		if !e.told() || d.Type != "process_parameter" || e.all[0].Data.State != "opened" {
			t.Errorf("%s: type %s, begins as %s, ends as %s, evidence %v", line, d.Type, e.all[0].Data.State, d.State, d.Evidence)
		}
	}
	for _, x := range excursions() {
		want = append(want, fmt.Sprintf("temp/%s from %s to %s worst %v at %s", x.rule, at[x.from], at[x.to], values[x.worst], at[x.worst]))
	}
	same(t, "deviations", have, want)
}

// compareGaps wants the stretches of the script without a good value, of tc1
// alone: from the last good value, or a confirmation of it, to the next.
func compareGaps(t *testing.T, got []*event, at []time.Time) {
	t.Helper()
	var have, want []string
	for i, e := range got {
		d := &e.Data
		have = append(have, fmt.Sprintf("%v %s %s to %s", d.Tags, d.Cause, d.State, d.OccurredTo))
		if i < len(blind()) {
			if b := blind()[i]; d.OccurredFrom.Before(at[b[0]-1]) || !d.OccurredFrom.Before(at[b[0]]) {
				t.Errorf("gap %d from %s, want from the last good value %s until before the first bad one %s", i, d.OccurredFrom, at[b[0]-1], at[b[0]])
			}
		}
	}
	for _, b := range blind() {
		want = append(want, fmt.Sprintf("[furn-03/tc1] bad_quality closed to %s", at[b[1]]))
	}
	same(t, "gaps", have, want)
}

// compareValues wants every value of the script, once, in order, with its time
// and quality. The first is the one from before the script. A status that stays
// is no new value: a server need not send it, and one is kept here.
func compareValues(t *testing.T, got []row, at []time.Time) {
	t.Helper()
	var have, want []string
	for i, r := range got[1:] {
		if r.Q == "bad" && got[i].Q == "bad" {
			continue
		}
		line := fmt.Sprintf("%s %s", r.T, r.Q)
		if r.Q == "good" {
			line += fmt.Sprintf(" %v", r.V)
		}
		have = append(have, line)
	}
	for i, v := range minute() {
		if math.IsNaN(v) {
			if !math.IsNaN(minute()[i-1]) {
				want = append(want, fmt.Sprintf("%s bad", at[i]))
			}
		} else {
			want = append(want, fmt.Sprintf("%s good %v", at[i], v))
		}
	}
	same(t, "values", have, want)
}

// same wants two lists to be the same, in any order, and names what differs.
func same(t *testing.T, what string, have, want []string) {
	t.Helper()
	left := slices.Clone(have)
	for _, w := range want {
		if i := slices.Index(left, w); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			t.Errorf("%s: missing %s", what, w)
		}
	}
	for _, h := range left {
		t.Errorf("%s: not expected %s", what, h)
	}
}
