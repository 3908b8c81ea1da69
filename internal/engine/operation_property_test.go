package engine

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"andon/internal/record"
	"andon/internal/sample"
)

// drawOperationSpec is a specification of rules that need a whole operation, of
// some of their scopes, modes and phases.
func drawOperationSpec(t *rapid.T) string {
	kinds := []string{
		"kind: soak, tolerance: [875, 895], min: 5s, mode: continuous, when: soak",
		"kind: soak, tolerance: [875, 895], max: 5s, mode: cumulative",
		"kind: lethality, tref: 885, z: 10, min: 5s",
		"kind: lethality, tref: 885, z: 10, max: 1h, when: soak",
		"kind: above, value: 890, min: 2s, max: 6s",
		"kind: below, value: 880, max: 4s, when: heat",
		"kind: peak, max: 895",
		"kind: peak, side: low, min: 875, when: soak",
	}
	var b strings.Builder
	b.WriteString("schema: andon.spec/1\nid: HT\ntitle: Property\nrevision: A\neffective: {from: 2026-01-01T00:00:00Z}\nscope: {equipment: [furn-03]}\n")
	b.WriteString(rapid.SampledFrom([]string{"", "applies_when: {phase: [heat, soak]}\n"}).Draw(t, "applies_when"))
	b.WriteString("parameters:\n")
	for p := range rapid.IntRange(1, 3).Draw(t, "parameters") {
		fmt.Fprintf(&b, "  - id: p%d\n    unit: \"[degF]\"\n    sampling: {interval: 1s, max_gap: 3s}\n", p)
		scopes, kinds := []string{"any_input", "all_inputs", "mean", "max", "min"}, kinds
		switch rapid.IntRange(0, 4).Draw(t, "inputs") {
		case 0:
			b.WriteString("    inputs: [tc1]\n")
		case 1:
			b.WriteString("    inputs: [tc1, tc2]\n    sensor_loss: {minimum_inputs: 1, action: continue_and_flag}\n")
		case 2:
			b.WriteString("    inputs: [tc1, tc2]\n    computed: \"(tc1 + tc2) / 2\"\n")
			scopes = []string{"any_input"}
		case 3:
			b.WriteString("    inputs: [tc1]\n    computed: {mean_kinetic_temperature: tc1}\n")
			scopes, kinds = []string{"any_input"}, kinds[6:]
		default:
			b.WriteString("    inputs: [tc1, tc2]\n")
		}
		b.WriteString("    rules:\n")
		for r := range rapid.IntRange(1, 4).Draw(t, "rules") {
			kind, scope := rapid.SampledFrom(kinds).Draw(t, "kind"), ", scope: "+rapid.SampledFrom(scopes).Draw(t, "scope")
			if strings.HasPrefix(kind, "kind: soak") {
				scope = ""
			}
			fmt.Fprintf(&b, "      - {id: %s-%d, %s%s}\n", kind[len("kind: "):strings.IndexByte(kind, ',')], r, kind, scope)
		}
	}
	return b.String()
}

// TestOperationsCutAnywhere: saved and loaded anywhere, operations come to the
// same.
//
//andon:req Q56
func TestOperationsCutAnywhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		document, list := drawOperationSpec(rt), drawBodies(rt)
		every := uint64(rapid.IntRange(1, 7).Draw(rt, "cut every"))
		whole, end := runSpec(t, document, list, func(uint64) bool { return false })
		cut, cutEnd := runSpec(t, document, list, func(n uint64) bool { return n%every == 0 })
		if len(whole) != len(cut) {
			rt.Fatalf("%d outcomes whole, %d cut", len(whole), len(cut))
		}
		for i := range whole {
			if !bytes.Equal(whole[i], cut[i]) {
				rt.Fatalf("input %d:\n%s", i, firstDifference(whole[i], cut[i]))
			}
		}
		if !bytes.Equal(end, cutEnd) {
			rt.Fatalf("final states differ:\n%s", cmp.Diff(string(end), string(cutEnd)))
		}
	})
}

// firstDifference shows what stands around it in both.
func firstDifference(a, b []byte) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	around := func(x []byte) []byte { return x[max(0, i-300):min(len(x), i+100)] }
	return fmt.Sprintf("whole …%q\ncut   …%q", around(a), around(b))
}

// results are what operations came to, a line each, in order.
func results(rt *rapid.T, stream [][]byte) (lines []string) {
	for _, b := range stream {
		_, out, err := record.NewDecoder(b).Next()
		if err != nil {
			rt.Fatal(err)
		}
		for _, j := range out.Judgements {
			if r := j.Result; r != nil {
				actual := "unknown"
				if r.Requirement.Actual != nil {
					actual = fmt.Sprint(r.Requirement.Actual)
					checkTime(rt, r, j.At)
				}
				lines = append(lines, fmt.Sprintf("%s/%s from %s to %s: %s, met %v", j.Parameter, j.Rule, seconds(r.From), seconds(j.At), actual, r.Requirement.Met))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// checkTime: an operation ends after it has begun, and no time in it is longer.
func checkTime(rt *rapid.T, r *record.Result, at sample.Time) {
	x, ok := r.Requirement.Actual.(float64)
	name, _, _ := strings.Cut(r.Requirement.Name, "-")
	timed := name == "soak" || name == "above" || name == "below"
	if length := at.Sub(r.From).Seconds(); timed && (!ok || x < 0 || x > length*(1+1e-8)) { // it is written with nine digits
		rt.Fatalf("%s: %v s from %s to %s", name, r.Requirement.Actual, seconds(r.From), seconds(at))
	}
	if at <= r.From {
		rt.Fatalf("from %s to %s", seconds(r.From), seconds(at))
	}
}

// inOrder are bodies without any that come late or repeat what was, and without
// a context that becomes unknown: that is unknown from a nanosecond behind its
// last good instant on, and what is known of that nanosecond may differ.
func inOrder(list []timed) (all []timed) {
	for _, x := range list {
		if s, ok := x.body.(*record.Scan); ok {
			s.Time, s.AsOf = x.at, 0
			for i := range s.Readings {
				if tag := s.Readings[i].Tag; tag == 2 || tag == 3 {
					s.Readings[i].Quality = sample.Good
				}
			}
			if len(s.Readings) == 0 {
				continue
			}
		}
		all = append(all, x)
	}
	return all
}

// split takes the context out of scans, into scans of their own before them, as
// it is taken together.
func split(list []timed) (all []timed) {
	for _, x := range list {
		s, ok := x.body.(*record.Scan)
		if !ok {
			all = append(all, x)
			continue
		}
		values := &record.Scan{Source: s.Source, Time: s.Time}
		for _, r := range s.Readings {
			if context := r.Tag == 2 || r.Tag == 3; context {
				all = append(all, timed{x.at, &record.Scan{Source: s.Source, Time: s.Time, Readings: []sample.Reading{r}}})
			} else {
				values.Readings = append(values.Readings, r)
			}
		}
		if len(values.Readings) > 0 {
			all = append(all, timed{x.at, values})
		}
	}
	return all
}

// TestOperationsSplit: whether the context of an instant comes in one scan with
// the values or in scans before, operations come to the same.
func TestOperationsSplit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		document, list := drawOperationSpec(rt), drawBodies(rt)
		for i := 1; i < len(list); i++ { // two scans of one instant are another matter
			if list[i].at <= list[i-1].at {
				list[i].at = list[i-1].at.Add(time.Millisecond)
			}
		}
		list = append(inOrder(list), timed{list[len(list)-1].at.Add(time.Minute), &record.Tick{}})
		never := func(uint64) bool { return false }
		whole, _ := runSpec(t, document, list, never)
		apart, _ := runSpec(t, document, split(list), never)
		if diff := cmp.Diff(results(rt, whole), results(rt, apart)); diff != "" {
			rt.Fatalf("%s\n%s", document, diff)
		}
	})
}
