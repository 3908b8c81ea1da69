package rehearse

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"andon/internal/engine"
)

// propertySpec has every kind of rule, scope and delay, inputs that parameters
// share, and evidence windows.
const propertySpec = `schema: andon.spec/1
id: P
revision: A
effective: {from: 2026-01-01T00:00:00Z}
applies_when: {phase: [heat, soak]}
parameters:
  - id: temp
    inputs: [tc1, tc2]
    unit: "[degF]"
    sampling: {interval: 5s, max_gap: 15s}
    limits: {lsl: 875, usl: 895}
    rules:
      - {id: over, kind: high, limit: usl, on_delay: 7s, off_delay: 7s, deadband: 2, rejoin: 9s, class: major, always: true}
      - {id: under, kind: low, limit: lsl, when: soak, event_delay: 6s, class: major, on_lot_change: split}
      - {id: mean, kind: band, scope: mean, off_delay: 4s, class: minor}
    evidence: {before: 8s, after: 8s}
  - id: recipe
    inputs: [recipe]
    sampling: {interval: 5s, max_gap: 60s}
    rules: [{id: wrong, kind: equals, value: R-1, class: critical, on_fail: nonconformance}]
  - id: whole
    inputs: [tc1, tc2]
    unit: "[degF]"
    sampling: {interval: 5s, max_gap: 15s}
    sensor_loss: {minimum_inputs: 1, action: continue_and_flag}
    rules:
      - {id: soak, kind: soak, tolerance: [875, 895], min: 20s, max: 60s, mode: continuous, when: soak, class: critical, on_fail: nonconformance}
      - {id: pause, kind: soak, tolerance: [875, 895], min: 20s, mode: cumulative, class: major}
      - {id: f, kind: lethality, tref: 885, z: 20, min: 30s, class: major}
      - {id: hot, kind: above, value: 890, max: 20s, scope: mean, class: minor}
      - {id: cold, kind: below, value: 880, min: 5s, class: minor, when: heat}
      - {id: peak, kind: peak, min: 880, max: 900, class: minor}
      - {id: slope, kind: rate, window: 10s, max: 1, min: -1, unit: "[degF]/s", class: minor}
      - {id: spread, kind: spread, max: 12, class: minor}
      - {id: stuck, kind: frozen, for: 12s, class: minor}
      - {id: profile, kind: envelope, profile: [[0s, 870, 900], [60s, 880, 892]], when: heat, class: minor}
      - {id: latch, kind: window, ranges: {tc1: [880, 890], tc2: [880, 895]}, when: soak, class: minor}
      - {id: chart, kind: spc, chart: individuals, center: 885, sigma: 4, rules: "nelson", scope: mean, class: signal}
      - {id: drift, kind: spc, chart: cusum, center: 885, sigma: 4, k: 0.5, h: 4, sample: {per: interval, every: 10s, take: max}, class: signal}
      - {id: slow, kind: spc, chart: ewma, center: 885, sigma: 4, lambda: 0.2, l: 2.7, sample: {per: phase, take: mean}, when: [heat, soak], class: signal}
  - id: apart
    inputs: [tc1, tc2]
    unit: K
    computed: abs(tc1 - tc2)
    sampling: {interval: 5s, max_gap: 15s}
    rules: [{id: far, kind: high, limit: 10, on_delay: 3s, class: minor}]
`

// drawTable is a plausible file: values around the limits, gaps, bad and odd
// cells, late and equal instants, lots and phases that come and go.
func drawTable(t *rapid.T) string {
	var b strings.Builder
	b.WriteString("t,phase,lot,tc1,tc2,recipe\n")
	sec := 0.0
	for range rapid.IntRange(1, 60).Draw(t, "rows") {
		sec += rapid.SampledFrom([]float64{0, 0.5, 5, 5, 5, 5, 20, -3}).Draw(t, "step")
		value := func(name string) string {
			return rapid.SampledFrom([]string{"", "885", "895", "895.5", "894", "893", "874.5", "875", "910", "bad", "?900", "NaN"}).Draw(t, name)
		}
		_, _ = fmt.Fprintf(&b, "%g,%s,%s,%s,%s,%s\n", sec, rapid.SampledFrom([]string{"", "", "", "heat", "soak", "idle"}).Draw(t, "phase"),
			rapid.SampledFrom([]string{"", "", "", "", "L1", "L2"}).Draw(t, "lot"), value("tc1"), value("tc2"),
			rapid.SampledFrom([]string{"", "R-1", "R-1", "R-2"}).Draw(t, "recipe"))
	}
	return b.String()
}

// judgeCut judges a table; behind the rows in cuts the state is saved, thrown away
// and loaded again.
func judgeCut(csv string, until Until, cuts map[int]bool) (string, error) {
	var b strings.Builder
	r, err := begin(&b, Options{Spec: File{"P.A.spec.yaml", []byte(propertySpec)}, Samples: strings.NewReader(csv), SamplesFile: "run.csv", Unsigned: true, Until: until})
	if err != nil {
		return "", err
	}
	for n := 0; ; n++ {
		x, err := r.rows.next()
		if errors.Is(err, io.EOF) {
			err := r.end()
			return b.String(), err
		}
		if err == nil {
			err = r.row(&x)
		}
		if err == nil && cuts[n] {
			r.s, err = engine.Load(r.s.Save())
		}
		if err != nil {
			return "", err
		}
	}
}

// TestCutAnywhere: a file judged whole, and the same one cut by a restart of the
// program at any rows, come out the same to the byte.
func TestCutAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		csv := drawTable(t)
		until := Until{For: rapid.SampledFrom([]Until{{}, {For: 3e9}, {For: 100e9}}).Draw(t, "until").For}
		whole, err := judgeCut(csv, until, nil)
		if err != nil {
			t.Fatal(err)
		}
		cuts := map[int]bool{}
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 60), 1, 6).Draw(t, "cuts") {
			cuts[n] = true
		}
		cut, err := judgeCut(csv, until, cuts)
		if err != nil {
			t.Fatal(err)
		}
		if cut != whole {
			t.Fatalf("cut at %v:\n%s\nwhole:\n%s", cuts, cut, whole)
		}
	})
}

// TestRunIsTheSame: Run comes to what judging row by row comes to, and does so
// each time.
func TestRunIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		csv := drawTable(t)
		whole, err := judgeCut(csv, Until{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := Run(&b, Options{Spec: File{"P.A.spec.yaml", []byte(propertySpec)}, Samples: strings.NewReader(csv), Unsigned: true}); err != nil {
			t.Fatal(err)
		}
		if b.String() != whole {
			t.Fatalf("%s\nand\n%s", b.String(), whole)
		}
	})
}

// FuzzRun: no table makes the judging crash, hang or go back in time, and the
// same one comes out the same.
func FuzzRun(f *testing.F) {
	for _, s := range []string{"t,phase,lot,tc1,tc2,recipe\n0,soak,L1,900,880,R-1\n10,,,?890,bad,R-2\n5,,,890,NaN,\n",
		"t;tc1;tc2;recipe;phase\r\n2026-03-01T00:00:00Z;900;1e308;x;soak\r\n2025-03-01T00:00:00Z;-1e308;true;0;heat\r\n", "t,tc1,tc2,recipe\n1e8,1,1,\n-1e8,1,1,\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, csv []byte) {
		run := func() string {
			var b strings.Builder
			_ = Run(&b, Options{Spec: File{"P.A.spec.yaml", []byte(propertySpec)}, Samples: strings.NewReader(string(csv)), Unsigned: true}) // wrong tables are errors
			return b.String()
		}
		first := run()
		lines(t, first)
		if again := run(); again != first {
			t.Fatalf("%s\nand\n%s", first, again)
		}
	})
}
