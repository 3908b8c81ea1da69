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
	var doc strings.Builder
	doc.WriteString("schema: andon.spec/1\nid: B\ntitle: B\nrevision: A\neffective: {from: 2026-01-01T00:00:00Z}\nscope: {equipment: [e]}\nparameters:\n")
	w := record.Wiring{Sources: []record.Source{{Name: "plc", Kind: "opcua"}}, Equipment: []record.Equipment{{Name: "e"}}}
	for i := range n {
		fmt.Fprintf(&doc, "  - {id: p%d, inputs: [t%d], unit: s, limits: {lsl: 0, usl: 100}, rules: [{id: h, kind: high, limit: usl}, {id: l, kind: low, limit: lsl}]}\n", i, i)
		w.Tags = append(w.Tags, record.Tag{Equipment: "e", Name: fmt.Sprintf("t%d", i), Source: "plc", Unit: "s", Every: 100 * time.Millisecond})
	}
	s := New()
	Decide(s, record.Input{N: 1, At: epoch0, Body: &record.Start{Gateway: "g", Epoch: "e", Wiring: w}})
	Decide(s, record.Input{N: 2, At: epoch0, Body: &record.Specification{Document: []byte(doc.String()), Unsigned: true}})
	if len(s.Equipment[0].Running) != 1 {
		b.Fatal("the specification was not taken")
	}
	return s
}

// BenchmarkDecide judges scans of 1,000 tags; ns/rule is for one sample and one
// rule (three rules a tag, missing data included as none).
func BenchmarkDecide(b *testing.B) {
	for _, tags := range []int{1, 1000} {
		b.Run(fmt.Sprintf("tags=%d", tags), func(b *testing.B) {
			s := benchState(b, tags)
			scan := &record.Scan{Source: "plc", Readings: make([]sample.Reading, tags)}
			n, at := uint64(2), epoch0
			b.ReportAllocs()
			for b.Loop() {
				n, at = n+1, at.Add(100*time.Millisecond)
				scan.Time = at
				for i := range scan.Readings {
					scan.Readings[i] = sample.Reading{Tag: sample.Tag(i), Value: sample.FloatValue(float64(n % 90))}
				}
				Decide(s, record.Input{N: n, At: at, Body: scan})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(2*tags), "ns/rule")
		})
	}
}
