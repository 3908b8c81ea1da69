package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"andon/internal/record"
	"andon/internal/sample"
)

const propertySpec = `schema: andon.spec/1
id: HT
title: Property
revision: A
effective: {from: 2026-01-01T00:00:00Z}
scope: {equipment: [furn-03]}
applies_when: {phase: [soak]}
parameters:
  - id: load_temp
    inputs: [tc1, tc2]
    unit: "[degF]"
    sampling: {interval: 1s, max_gap: 3s}
    limits: {lsl: 875, usl: 895}
    rules:
      - {id: over, kind: high, limit: usl, on_delay: 2s, off_delay: 2s, deadband: 2, rejoin: 3s, class: major}
      - {id: under, kind: low, limit: lsl, event_delay: 2s, class: major, on_lot_change: split}
      - {id: mean, kind: band, scope: mean, off_delay: 1s, class: minor, always: true}
    evidence: {before: 2s, after: 2s}
  - id: recipe
    inputs: [recipe]
    rules:
      - {id: wrong, kind: equals, value: R-1, class: critical, on_fail: nonconformance}
`

// inputs draws a plausible stream: values around the limits, bad ones, losses,
// confirmations, late and repeated scans, restarts, lots, phases, ticks.
func drawBodies(t *rapid.T) []timed {
	var list []timed
	at := epoch0
	for range rapid.IntRange(5, 60).Draw(t, "inputs") {
		at = at.Add(time.Duration(rapid.IntRange(0, 2500).Draw(t, "ms")) * time.Millisecond)
		list = append(list, timed{at, drawBody(t, at)})
	}
	return list
}

type timed struct {
	at   sample.Time
	body record.Body
}

func drawBody(t *rapid.T, at sample.Time) record.Body {
	switch rapid.IntRange(0, 11).Draw(t, "kind") {
	case 0:
		return &record.Confirm{Source: "plc", Time: at}
	case 1:
		return &record.Loss{Source: "plc", Cause: "link"}
	case 2:
		return &record.Loss{Source: "plc", Cause: "overflow", Tags: []sample.Tag{0}}
	case 3:
		return &record.Tick{}
	case 4:
		return &record.Context{Equipment: "furn-03", Fields: map[string]string{"material": "M"}, By: "mes"}
	case 5:
		return &record.Receipt{Consumer: "qms", Epoch: "e1", Lane: "event", UpTo: 1}
	}
	back := time.Duration(rapid.SampledFrom([]int{0, 0, 0, 0, 300, 4000}).Draw(t, "age")) * time.Millisecond
	s := &record.Scan{Source: "plc", Time: at.Add(-back)}
	if rapid.IntRange(0, 9).Draw(t, "held") == 0 {
		s.AsOf = at
	}
	names := []string{"tc1", "tc2", "phase", "lot", "recipe"}
	for i := range names {
		if rapid.Bool().Draw(t, names[i]) {
			s.Readings = append(s.Readings, drawValue(t, sample.Tag(i)))
		}
	}
	return s
}

func drawValue(t *rapid.T, tag sample.Tag) sample.Reading {
	r := sample.Reading{Tag: tag, Quality: rapid.SampledFrom([]sample.Quality{0, 0, 0, 0, 0, 0, 0, 1, 2}).Draw(t, "quality")}
	switch tag {
	case 2:
		r.Value = sample.IntValue(rapid.SampledFrom([]int64{0, 2, 2, 2, 7}).Draw(t, "phase"))
	case 3:
		r.Value = sample.StringValue(rapid.SampledFrom([]string{"", "L-1", "L-2"}).Draw(t, "lot"))
	case 4:
		r.Value = sample.StringValue(rapid.SampledFrom([]string{"R-1", "R-1", "R-2"}).Draw(t, "recipe"))
	default:
		if rapid.IntRange(0, 9).Draw(t, "any") == 0 {
			r.Value = sample.FloatValue(rapid.Float64().Draw(t, "float"))
			break
		}
		r.Value = sample.FloatValue(rapid.SampledFrom([]float64{870, 875, 880, 885, 893, 894, 895, 896, 900, math.MaxFloat64, -math.MaxFloat64, math.NaN(), math.Inf(1)}).Draw(t, "value"))
	}
	return r
}

const propertyWiring = "tc1 [degF] 1s\ntc2 [degF] 1s\nphase - 1s\nlot - 1s\nrecipe - 1s"

// run decides a stream as a shell would, with ticks when they are due and
// answers to needs, and returns every outcome's bytes. cut says after which
// input the state is saved and loaded.
func run(t *testing.T, list []timed, cut func(n uint64) bool) (stream [][]byte, final []byte) {
	return runSpec(t, propertySpec, list, cut)
}

// runSpec is run by another specification, whose inputs are those of
// propertyWiring.
func runSpec(t *testing.T, document string, list []timed, cut func(n uint64) bool) (stream [][]byte, final []byte) {
	p := newPlayer(t, document, propertyWiring, "qms")
	p.start.NoGrace = false
	s := p.s
	decide := func(at sample.Time, body record.Body) record.Outcome {
		in := record.Input{N: s.N + 1, At: at, Body: body}
		out := Decide(s, in)
		stream = append(stream, record.Append(nil, in, out))
		if cut(in.N) {
			loaded, err := Load(s.Save())
			if err != nil {
				t.Fatal(err)
			}
			s = loaded
		}
		return out
	}
	var answer func(at sample.Time, out record.Outcome)
	answer = func(at sample.Time, out record.Outcome) {
		for _, n := range out.Needs {
			answer(at, decide(at, &record.Answer{Need: n.ID, First: 1, Last: 2, Count: 2, SHA256: "00"}))
		}
	}
	for _, x := range list {
		for due := s.Due(); due != 0 && due < x.at; due = s.Due() {
			answer(max(due, s.At), decide(max(due, s.At), &record.Tick{}))
			if next := s.Due(); next != 0 && next <= due && due >= s.At {
				t.Fatalf("a tick at %s left something due at %s", due, next)
			}
		}
		body := x.body
		if r, ok := body.(*record.Receipt); ok {
			r.UpTo = s.Outbox.Event.Raised
		}
		answer(x.at, decide(x.at, body))
	}
	return stream, s.Save()
}

// TestCutAnywhere: saved and loaded anywhere, the same stream of outcomes and
// the same final state.
//
//andon:req Q56
func TestCutAnywhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := drawBodies(rt)
		every := uint64(rapid.IntRange(1, 7).Draw(rt, "cut every"))
		whole, end := run(t, list, func(uint64) bool { return false })
		cut, cutEnd := run(t, list, func(n uint64) bool { return n%every == 0 })
		if len(whole) != len(cut) {
			rt.Fatalf("%d outcomes whole, %d cut", len(whole), len(cut))
		}
		for i := range whole {
			if !bytes.Equal(whole[i], cut[i]) {
				rt.Fatalf("input %d:\nwhole %q\ncut   %q", i, whole[i], cut[i])
			}
		}
		if !bytes.Equal(end, cutEnd) {
			rt.Fatalf("final states differ:\n%s", cmp.Diff(string(end), string(cutEnd)))
		}
	})
}

// TestReplay: the recorded bytes, read back, give the same outcomes again.
//
//andon:req Q56
func TestReplay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		whole, end := run(t, drawBodies(rt), func(uint64) bool { return false })
		s := newPlayer(t, propertySpec, propertyWiring, "qms").s
		for i, b := range whole {
			in, recorded, err := record.NewDecoder(b).Next()
			if err != nil {
				rt.Fatal(err)
			}
			if again := record.Append(nil, in, Decide(s, in)); !bytes.Equal(again, b) {
				rt.Fatalf("input %d (%T): recorded %v\n%q\n%q", i, in.Body, recorded, b, again)
			}
		}
		if !bytes.Equal(end, s.Save()) {
			rt.Fatal("final states differ")
		}
	})
}

// TestInvariants: whatever comes, an event is opened once, ends at most once
// before it is reopened, and its revisions count up; lanes are gap-free; a
// sample gets one number.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		whole, _ := run(t, drawBodies(rt), func(uint64) bool { return false })
		seq := map[string]uint64{}
		revision := map[string]int{}
		nextI := uint64(1)
		for _, b := range whole {
			in, out, err := record.NewDecoder(b).Next()
			if err != nil {
				rt.Fatal(err)
			}
			if s, ok := in.Body.(*record.Scan); ok && out.FirstI != 0 {
				if out.FirstI != nextI {
					rt.Fatalf("sample %d after %d", out.FirstI, nextI-1)
				}
				nextI += uint64(len(s.Readings) - len(out.Repeated))
			}
			for _, e := range out.Entries {
				checkEntry(rt, e, seq, revision)
			}
		}
	})
}

func checkEntry(rt *rapid.T, e record.Entry, seq map[string]uint64, revision map[string]int) {
	var d eventHead
	d.read(rt, e)
	if before, ok := seq[e.Lane]; ok && e.Seq != before+1 {
		rt.Fatalf("lane %s: %d after %d", e.Lane, e.Seq, before)
	}
	seq[e.Lane] = e.Seq
	if d.Data.EventID == "" {
		return
	}
	if revision[d.Data.EventID]++; d.Data.Revision != revision[d.Data.EventID] {
		rt.Fatalf("%s: revision %d, want %d", d.Data.EventID, d.Data.Revision, revision[d.Data.EventID])
	}
	if opened := d.Data.State == "opened"; opened != (d.Data.Revision == 1) {
		rt.Fatalf("%s: revision %d is %s", d.Data.EventID, d.Data.Revision, d.Data.State)
	}
}

type eventHead struct {
	Data struct {
		EventID  string `json:"event_id"`
		Revision int    `json:"revision"`
		State    string `json:"state"`
	} `json:"data"`
}

func (d *eventHead) read(rt *rapid.T, e record.Entry) {
	if err := json.Unmarshal(e.Payload, d); err != nil {
		rt.Fatal(fmt.Errorf("%s: %w", e.Payload, err))
	}
}
