package gateway

import (
	"encoding/json"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// counts are what a group adds to the meter once it is durable. They belong to
// the deciding goroutine.
type counts struct {
	samples map[sampleKind]int
	losses  []string // sources
	alarms  []transition
}

type sampleKind struct {
	source  string
	quality sample.Quality
}

// transition is the part of an alarm's document that is counted.
type transition struct {
	Data struct {
		Priority string    `json:"priority"`
		State    string    `json:"state"`
		By       string    `json:"by"`
		RaisedAt time.Time `json:"raised_at"`
		At       time.Time `json:"at"`
	} `json:"data"`
}

// scan counts the samples of a scan that were kept.
func (c *counts) scan(b *record.Scan, out *record.Outcome) {
	if c.samples == nil {
		c.samples = map[sampleKind]int{}
	}
	for i := range b.Readings {
		c.samples[sampleKind{b.Source, b.Readings[i].Quality}]++
	}
	for _, i := range out.Repeated {
		c.samples[sampleKind{b.Source, b.Readings[i].Quality}]--
	}
}

// alarm counts one transition.
func (c *counts) alarm(payload []byte) {
	var t transition
	if json.Unmarshal(payload, &t) == nil { // the engine's own document; were it not, nothing but this count suffers
		c.alarms = append(c.alarms, t)
	}
}

// meter tells what a durable group has added and how old it had become.
func (d *decider) measure(g *group) {
	m := d.meter
	if m == nil {
		return
	}
	for k, n := range g.counts.samples {
		m.Samples(k.source, k.quality.String(), n)
	}
	for _, source := range g.counts.losses {
		m.Loss(source)
	}
	for _, t := range g.counts.alarms {
		m.Transition(t.Data.Priority, t.Data.State)
		if t.Data.By != "" && (t.Data.State == "ACKED" || t.Data.State == "NORM") {
			m.Acknowledged(t.Data.Priority, t.Data.At.Sub(t.Data.RaisedAt))
		}
	}
	now := sample.At(d.now())
	for _, a := range g.ages {
		m.Durable(now.Sub(a.arrived))
	}
}
