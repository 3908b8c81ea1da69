package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Names lists every series name of ours that a query may use: those of the
// facts, and those that a Meter counts, with the three of each histogram.
func Names() []string {
	m, err := New("", func() Facts { return Facts{} })
	if err != nil {
		panic("metrics: " + err.Error()) // our own table, registered in every test
	}
	var names []string
	for _, f := range all() {
		names = append(names, nameOf(f.desc))
	}
	for _, c := range []prometheus.Collector{m.samples, m.losses, m.transitions, m.failures} {
		names = append(names, described(c))
	}
	for _, c := range []prometheus.Collector{m.ackSeconds, m.commit, m.age, m.eval, m.receiptLag} {
		base := described(c)
		names = append(names, base+"_bucket", base+"_sum", base+"_count")
	}
	names = append(names, namespace+"_build_info")
	slices.Sort(names)
	return names
}

func described(c prometheus.Collector) string {
	ch := make(chan *prometheus.Desc, 1) // each of them has one
	c.Describe(ch)
	return nameOf(<-ch)
}

// nameOf reads a description's name, which the library gives only in its text.
func nameOf(d *prometheus.Desc) string {
	_, rest, _ := strings.Cut(d.String(), `fqName: "`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}
