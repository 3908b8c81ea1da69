package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// benchState has n tags, each judged by one parameter with a high and a low
// rule.
func benchState(b *testing.B, n int) *State {
	return benchRules(b, n, "{id: h, kind: high, limit: usl}, {id: l, kind: low, limit: lsl}")
}

// benchRules has n tags, each judged by one parameter with these rules.
func benchRules(b *testing.B, n int, rules string) *State {
	b.Helper()
	var doc strings.Builder
	doc.WriteString("schema: andon.spec/1\nid: B\ntitle: B\nrevision: A\neffective: {from: 2026-01-01T00:00:00Z}\nscope: {equipment: [e]}\napplies_when: {phase: [run]}\nparameters:\n")
	w := record.Wiring{Sources: []record.Source{{Name: "plc", Kind: "opcua"}}, Equipment: []record.Equipment{{Name: "e", Context: []record.Binding{{Field: "phase", From: "mes"}}}}}
	for i := range n {
		fmt.Fprintf(&doc, "  - {id: p%d, inputs: [t%d], unit: s, limits: {lsl: 0, usl: 100}, rules: [%s]}\n", i, i, rules)
		w.Tags = append(w.Tags, record.Tag{Equipment: "e", Name: fmt.Sprintf("t%d", i), Source: "plc", Unit: "s", Every: 100 * time.Millisecond})
	}
	s := New()
	Decide(s, record.Input{N: 1, At: epoch0, Body: &record.Start{Gateway: "g", Epoch: "e", Wiring: w}})
	Decide(s, record.Input{N: 2, At: epoch0, Body: &record.Specification{Document: []byte(doc.String()), Unsigned: true}})
	if len(s.Equipment[0].Running) != 1 {
		b.Fatal("the specification was not taken")
	}
	Decide(s, record.Input{N: 3, At: epoch0, Body: &record.Context{Equipment: "e", Fields: map[string]string{"phase": "run"}, From: epoch0}})
	return s
}

// BenchmarkKinds judges scans of 1,000 tags by one rule of each kind; ns/rule is
// for one sample and that rule, the way of a sample through the engine included.
func BenchmarkKinds(b *testing.B) {
	for _, rule := range []string{
		"kind: high, limit: usl", "kind: low, limit: lsl", "kind: band", "kind: equals, value: 1",
		"kind: rate, window: 10s, min: -1000, max: 1000", "kind: envelope, profile: [[0s, -1, 200], [1h, -1, 300]]", "kind: frozen, for: 1min",
		"kind: spc, center: 50, sigma: 1000, rules: nelson, sample: {per: interval, every: 1s}", "kind: spc, center: 50, sigma: 1000, rules: nelson",
		"kind: soak, tolerance: [0, 100], min: 1h, mode: continuous", "kind: lethality, tref: 50, z: 10, min: 1h", "kind: above, value: 50, max: 100h", "kind: peak, max: 1000",
	} {
		b.Run(strings.ReplaceAll(strings.ReplaceAll(rule, " ", ""), "kind:", ""), func(b *testing.B) {
			const tags = 1000
			decideScans(b, benchRules(b, tags, "{id: r, "+rule+"}"), tags, 1)
		})
	}
}

// BenchmarkTenThousand judges 10,000 parameters, all of whose tags come in one
// scan every 100 ms; core is the share of one core that 10 scans a second take.
func BenchmarkTenThousand(b *testing.B) {
	const tags = 10_000
	decideScans(b, benchState(b, tags), tags, 2)
	b.ReportMetric(10*b.Elapsed().Seconds()/float64(b.N)*100, "%core")
}

// BenchmarkOneOfTenThousand judges scans of one tag where there are 10,000: what
// a sample costs must not grow with what it does not touch.
func BenchmarkOneOfTenThousand(b *testing.B) {
	decideScans(b, benchState(b, 10_000), 1, 2)
}

// decideScans judges scans of all tags until the benchmark is over.
func decideScans(b *testing.B, s *State, tags, rules int) {
	b.Helper()
	scan := &record.Scan{Source: "plc", Readings: make([]sample.Reading, tags)}
	n, at := s.N, epoch0
	b.ReportAllocs()
	for b.Loop() {
		n, at = n+1, at.Add(100*time.Millisecond)
		scan.Time = at
		for i := range scan.Readings {
			scan.Readings[i] = sample.Reading{Tag: sample.Tag(i), Value: sample.FloatValue(float64(n % 90))}
		}
		Decide(s, record.Input{N: n, At: at, Body: scan})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rules*tags), "ns/rule")
}

// BenchmarkDecide judges scans of 1,000 tags; ns/rule is for one sample and one
// rule (three rules a tag, missing data included as none).
func BenchmarkDecide(b *testing.B) {
	for _, tags := range []int{1, 1000} {
		b.Run(fmt.Sprintf("tags=%d", tags), func(b *testing.B) {
			s := benchState(b, tags)
			decideScans(b, s, tags, 2)
		})
	}
}
