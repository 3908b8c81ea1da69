package spec

import (
	"fmt"
	"strings"
	"testing"
)

// many is a document of n parameters, every tenth of them computed.
func many(n int) []byte {
	var b strings.Builder
	b.WriteString("schema: andon.spec/1\nid: MANY\nrevision: A\neffective: {from: 2026-03-01T00:00:00Z}\napplies_when: {phase: [heat]}\nparameters:\n")
	for i := range n {
		computed := ""
		if i%10 == 0 {
			computed = fmt.Sprintf("computed: t%d*2, ", i)
		}
		fmt.Fprintf(&b, "- {id: p%d, inputs: [t%d], unit: K, %srules: [{id: b, kind: high, limit: 2}]}\n", i, i, computed)
	}
	return []byte(b.String())
}

// Reading costs in proportion to what is read: ten times the parameters
// cost no more than thirty times the allocations.
func TestParseGrowsWithTheDocument(t *testing.T) {
	cost := func(n int) float64 {
		b := many(n)
		return testing.AllocsPerRun(1, func() {
			if _, err := Parse("many.yaml", b); err != nil {
				t.Error(err)
			}
		})
	}
	small, large := cost(100), cost(1000)
	if large > 30*small {
		t.Errorf("100 parameters cost %v allocations, 1000 cost %v", small, large)
	}
}

func BenchmarkParse10000Parameters(b *testing.B) {
	doc := many(10_000)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		d, err := Parse("many.yaml", doc)
		if err != nil || len(d.Parameters) != 10_000 {
			b.Fatal(err)
		}
	}
}
