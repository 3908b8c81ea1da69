package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"andon/internal/record"
	"andon/internal/sample"
)

// This file holds the rule kinds that are out or back at every moment (limits,
// rate, spread, envelope, frozen, window, spc, calibration) against what must be
// so for every specification and every stream.

// drawMoments draws a specification of one or two parameters with some rules of
// each kind.
func drawMoments(t *rapid.T) string {
	var b strings.Builder
	b.WriteString("schema: andon.spec/1\nid: HT\ntitle: Moments\nrevision: A\neffective: {from: 2026-01-01T00:00:00Z}\nscope: {equipment: [furn-03]}\n")
	if rapid.Bool().Draw(t, "applies_when") {
		b.WriteString("applies_when: {phase: [heat, soak]}\n")
	}
	b.WriteString("parameters:\n")
	for p, inputs := range []string{"[tc1, tc2]", "[tc1]"} {
		if p > 0 && rapid.Bool().Draw(t, "one parameter") {
			break
		}
		fmt.Fprintf(&b, "  - id: p%d\n    inputs: %s\n    unit: \"[degF]\"\n    sampling: {interval: 1s, max_gap: %s}\n", p, inputs, rapid.SampledFrom([]string{"2s", "3s", "10s"}).Draw(t, "max_gap"))
		b.WriteString("    limits: {lsl: 875, usl: 895}\n    rules:\n")
		for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
			fmt.Fprintf(&b, "      - {id: r%d, %s%s}\n", i, drawKind(t, p == 0), drawTiming(t))
		}
		if p == 0 && rapid.Bool().Draw(t, "sensor loss") {
			b.WriteString("    sensor_loss: {minimum_inputs: 1, action: continue_and_flag}\n")
		}
		if rapid.Bool().Draw(t, "flag") {
			b.WriteString("    calibration: {overdue: flag}\n")
		}
		b.WriteString("    evidence: {before: 2s, after: 1s}\n")
	}
	return b.String()
}

// drawKind draws a rule's kind with what is its own; the phases in which it
// applies too, where a kind needs them.
func drawKind(t *rapid.T, several bool) string {
	phase := rapid.SampledFrom([]string{"", "", ", when: heat", ", when: [heat, soak]"}).Draw(t, "when")
	scope := ""
	joined := rapid.SampledFrom([]string{"any_input", "all_inputs", "mean", "max", "min"})
	if several {
		scope = ", scope: " + joined.Draw(t, "scope")
	}
	kinds := []string{
		"kind: high, limit: usl, deadband: 2" + phase + scope,
		"kind: low, limit: lsl" + phase + scope,
		"kind: band, limit: [876, 894], always: true" + scope,
		"kind: rate, window: 3s, min: -3, max: 3, deadband: 1" + phase + scope,
		"kind: rate, window: 2s, max: 120, unit: \"[degF]/min\", always: true" + scope,
		"kind: envelope, profile: [[0s, 870, 890], [2s, 880, 893], [2500ms, null, 900], [6s, 875, 895]]" + phase + scope,
		"kind: spc, center: 885, sigma: 3, rules: western-electric, class: signal" + phase,
		"kind: spc, center: 885, sigma: 3, rules: nelson, sample: {per: interval, every: 2s}, class: signal" + phase,
		"kind: spc, center: 885, sigma: 3, chart: ewma, lambda: 0.2, l: 2.86, sample: {per: part, take: max}" + phase,
		"kind: spc, center: 885, sigma: 3, chart: cusum, k: 0.5, h: 4, subgroup: 2" + phase,
		"kind: spc, center: 885, sigma: 3, sample: {per: phase, take: mean}, when: [heat, soak], class: signal",
		"kind: equals, value: 885" + phase,
		"kind: frozen, for: 2s, always: true",
		"kind: frozen, for: 3500ms" + phase,
		"kind: window, ranges: {tc1: [876, 894]}, when: [heat, soak]",
	}
	if several {
		kinds = append(kinds, "kind: spread, max: 10, deadband: 2"+phase, "kind: frozen, for: 2s, scope: all_inputs"+phase,
			"kind: window, ranges: {tc1: [876, 894], tc2: [870, null]}, when: soak",
			"kind: spc, center: 885, sigma: 3, rules: aiag, scope: mean, sample: {per: interval, every: 1500ms}"+phase)
	}
	return rapid.SampledFrom(kinds).Draw(t, "kind")
}

func drawTiming(t *rapid.T) string {
	times := ""
	for _, key := range []string{"on_delay", "off_delay", "event_delay", "rejoin"} {
		if d := rapid.SampledFrom([]string{"", "", "1s", "2500ms"}).Draw(t, key); d != "" {
			times += ", " + key + ": " + d
		}
	}
	return times + rapid.SampledFrom([]string{"", ", on_lot_change: split"}).Draw(t, "split")
}

// drawStream draws what happens: as drawBodies, with parts, and starts after
// which an instrument has been calibrated. Half of the streams go through the
// midnight at which tc1 falls due.
func drawStream(t *rapid.T) []timed {
	at := epoch0
	if rapid.Bool().Draw(t, "midnight") {
		at = at.Add(24*time.Hour - 8*time.Second)
	}
	var list []timed
	for range rapid.IntRange(5, 60).Draw(t, "inputs") {
		at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 100, 500, 500, 1000, 1000, 1000, 1500, 4000}).Draw(t, "ms")) * time.Millisecond)
		list = append(list, timed{at, drawMoment(t, at)})
	}
	return list
}

func drawMoment(t *rapid.T, at sample.Time) record.Body {
	switch rapid.IntRange(0, 19).Draw(t, "body") {
	case 0, 1, 2:
		return &record.Confirm{Source: "plc", Time: at}
	case 3:
		return &record.Loss{Source: "plc", Cause: "link"}
	case 4:
		return &record.Loss{Source: "plc", Cause: "overflow", Tags: []sample.Tag{sample.Tag(rapid.IntRange(0, 2).Draw(t, "lost"))}}
	case 5:
		return &record.Tick{}
	case 6:
		return &record.Context{Equipment: "furn-03", Fields: map[string]string{"serials": rapid.SampledFrom([]string{"S1", "S2", "S3"}).Draw(t, "serial")}, By: "mes"}
	case 7:
		return &record.Start{Version: rapid.SampledFrom([]string{"", "2026-01-01", "2025-12-31", "2027-01-01"}).Draw(t, "calibrated")}
	}
	back := time.Duration(rapid.SampledFrom([]int{0, 0, 0, 0, 0, 300, 4000}).Draw(t, "age")) * time.Millisecond
	s := &record.Scan{Source: "plc", Time: at.Add(-back)}
	if rapid.IntRange(0, 14).Draw(t, "held") == 0 {
		s.AsOf = at
	}
	for tag, one := range []int{2, 2, 6, 10} {
		if rapid.IntRange(1, one).Draw(t, "tag") == 1 {
			s.Readings = append(s.Readings, drawReading(t, sample.Tag(tag)))
		}
	}
	return s
}

func drawReading(t *rapid.T, tag sample.Tag) sample.Reading {
	if tag >= 2 {
		return drawValue(t, tag)
	}
	r := sample.Reading{Tag: tag, Quality: rapid.SampledFrom([]sample.Quality{0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2}).Draw(t, "quality")}
	x := rapid.SampledFrom([]float64{870, 875, 880, 883, 885, 885, 885, 887, 890, 892, 895, 896, 900}).Draw(t, "value")
	if rapid.IntRange(0, 29).Draw(t, "huge") == 0 {
		x = rapid.SampledFrom([]float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1)}).Draw(t, "extreme")
	}
	r.Value = sample.FloatValue(x)
	return r
}

const momentsWiring = "tc1 [degF] 1s 2026-01-01\ntc2 [degF] 500ms\nphase - 1s\nlot - 1s\nrecipe - 1s"

// moments runs a stream as a shell would. between is asked before each input.
type moments struct {
	t      *testing.T
	s      *State
	start  record.Start
	stream [][]byte
	cut    func(n uint64) bool
	doc    string
}

func newMoments(t *testing.T, doc string, cut func(n uint64) bool) *moments {
	p := newPlayer(t, doc, momentsWiring)
	p.start.NoGrace = false
	return &moments{t: t, s: p.s, start: p.start, cut: cut, doc: doc}
}

func (m *moments) decide(at sample.Time, body record.Body) {
	in := record.Input{N: m.s.N + 1, At: at, Body: body}
	out := Decide(m.s, in)
	m.stream = append(m.stream, record.Append(nil, in, out))
	if m.cut(in.N) {
		m.s = m.reloaded()
	}
	for _, n := range out.Needs {
		m.decide(at, &record.Answer{Need: n.ID, First: 1, Last: 2, Count: 2, SHA256: "00"})
	}
}

func (m *moments) reloaded() *State {
	s, err := Load(m.s.Save())
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

// ticks lets the clock run up to an instant. A tick must leave nothing due
// behind it; only what late samples have corrected may ask for one more.
func (m *moments) ticks(to sample.Time) {
	for due := m.s.Due(); due != 0 && due < to; due = m.s.Due() {
		at, late := max(due, m.s.At), m.late()
		m.decide(at, &record.Tick{})
		if next := m.s.Due(); next != 0 && next <= due && late {
			m.decide(at, &record.Tick{})
		}
		if next := m.s.Due(); next != 0 && next <= due {
			m.t.Fatalf("%s\na tick at %s left something due at %s", m.doc, seconds(at), seconds(next))
		}
	}
}

// late: samples that came late are waiting to be judged in their place.
func (m *moments) late() (late bool) {
	m.s.each(func(a place) {
		_, _, p, _ := m.s.parameter(a)
		late = late || p.LateDue != 0
	})
	return late
}

func (m *moments) play(list []timed, before func(at sample.Time)) {
	for _, x := range list {
		m.ticks(x.at)
		before(x.at)
		body := x.body
		if start, ok := body.(*record.Start); ok {
			again := m.start
			again.Wiring.Tags = append([]record.Tag(nil), again.Wiring.Tags...)
			again.Wiring.Tags[0].CalibrationDue, again.LastAlive = start.Version, m.s.At
			body = &again
		}
		m.decide(x.at, body)
	}
}

func nothing(sample.Time) {}

// TestMomentsCutAnywhere: whatever is specified, saved and loaded anywhere, the
// outcomes are the same.
//
//andon:req Q56
func TestMomentsCutAnywhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		doc, list := drawMoments(rt), drawStream(rt)
		every := uint64(rapid.IntRange(1, 7).Draw(rt, "cut every"))
		whole := newMoments(t, doc, func(uint64) bool { return false })
		whole.play(list, nothing)
		parts := newMoments(t, doc, func(n uint64) bool { return n%every == 0 })
		parts.play(list, nothing)
		for i := range whole.stream {
			if !bytes.Equal(whole.stream[i], parts.stream[i]) {
				rt.Fatalf("%s\ninput %d:\nwhole %q\ncut   %q", doc, i, whole.stream[i], parts.stream[i])
			}
		}
		if a, b := whole.s.Save(), parts.s.Save(); !bytes.Equal(a, b) {
			rt.Fatalf("%s\nfinal states differ:\n%s", doc, cmp.Diff(string(a), string(b)))
		}
	})
}

// TestMomentsDue: a tick before anything is due says nothing: what Advance
// would do and Due did not name.
func TestMomentsDue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		doc, list := drawMoments(rt), drawStream(rt)
		m := newMoments(t, doc, func(uint64) bool { return false })
		m.play(list, func(at sample.Time) {
			if due := m.s.Due(); due != 0 && due <= at {
				return
			}
			s := m.reloaded()
			out := Decide(s, record.Input{N: s.N + 1, At: at, Body: &record.Tick{}})
			if len(out.Judgements) > 0 || len(out.Entries) > 0 || len(out.Needs) > 0 {
				rt.Fatalf("%s\nat %s nothing was due until %s, and a tick says %+v", doc, seconds(at), seconds(m.s.Due()), out)
			}
		})
	})
}

// TestMomentsInvariants: whatever is specified, events open once, end once and
// count their revisions, and no instant in them lies before the one that it
// follows from.
func TestMomentsInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		doc, list := drawMoments(rt), drawStream(rt)
		m := newMoments(t, doc, func(uint64) bool { return false })
		m.play(list, nothing)
		seq, revision := map[string]uint64{}, map[string]int{}
		for _, b := range m.stream {
			_, out, err := record.NewDecoder(b).Next()
			if err != nil {
				rt.Fatal(err)
			}
			for _, e := range out.Entries {
				if d := readTold(rt, e); d.Data.State == "opened" && revision[d.Data.EventID] > 0 {
					rt.Fatalf("%s\n%s: opened twice", doc, e.Payload)
				}
				checkEntry(rt, e, seq, revision)
				checkInstants(rt, doc, e)
			}
		}
	})
}

func checkInstants(rt *rapid.T, doc string, e record.Entry) {
	if !strings.HasPrefix(e.Topic, "quality/dev") && !strings.HasPrefix(e.Topic, "quality/non") && e.Topic != "event/signal" {
		return
	}
	d := readTold(rt, e)
	ordered := func(name string, a, b sample.Time) {
		if a != 0 && b != 0 && a > b {
			rt.Fatalf("%s\n%s: %s: %s after %s", doc, e.Payload, name, seconds(a), seconds(b))
		}
	}
	ordered("suspect_from, occurred_from", d.Data.Product.SuspectFrom, d.Data.OccurredFrom)
	ordered("occurred_from, detected_at", d.Data.OccurredFrom, d.Data.DetectedAt)
	ordered("occurred_from, occurred_to", d.Data.OccurredFrom, d.Data.OccurredTo)
	ordered("occurred_to, cleared_at", d.Data.OccurredTo, d.Data.ClearedAt)
	if x := d.Data.Excursion; x.DurationS < 0 || x.GapsS < 0 || x.Area != nil && x.Area.Value < 0 {
		rt.Fatalf("%s\n%s: an excursion of a negative size", doc, e.Payload)
	}
}

func readTold(rt *rapid.T, e record.Entry) (d told) {
	if err := json.Unmarshal(e.Payload, &d); err != nil {
		rt.Fatal(err)
	}
	return d
}
