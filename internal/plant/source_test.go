package plant

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"andon/internal/opcua"
	"andon/internal/record"
	"andon/internal/sample"
)

// sink keeps what a source hands over and commits it at once.
type sink struct {
	source *opcua.Source
	tags   []string // by number

	mu     sync.Mutex
	got    map[string]int           // how often each value came
	last   map[string]sample.Time   // source time of each tag's last value
	first  map[string][]sample.Time // of each tag's first value after each connection
	losses []*record.Loss
	fresh  map[string]bool
}

func key(tag string, v sample.Value, at sample.Time) string { return fmt.Sprint(tag, " ", v, " ", at) }

func (s *sink) Put(_ context.Context, b opcua.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range b.Inputs {
		switch in := in.(type) {
		case *record.Loss:
			s.losses = append(s.losses, in)
			clear(s.fresh)
		case *record.Scan:
			for _, r := range in.Readings {
				tag := s.tags[r.Tag]
				s.got[key(tag, r.Value, in.Time)]++
				s.last[tag] = in.Time
				if !s.fresh[tag] {
					s.fresh[tag] = true
					s.first[tag] = append(s.first[tag], in.Time)
				}
			}
		}
	}
	s.source.Committed(b.Token)
	return nil
}

func (s *sink) done(at sample.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last["furn-03/tc1"] >= at
}

// The gateway's own client gets every value that the plant puts out exactly
// once, over an interruption, and reports that as one loss.
func TestGatewaySourceSeesEveryValue(t *testing.T) {
	p := run(t, Options{Seed: 2, Step: 40 * time.Millisecond, Cycle: 1200 * time.Millisecond, Record: true})
	k := &sink{got: map[string]int{}, last: map[string]sample.Time{}, first: map[string][]sample.Time{}, fresh: map[string]bool{}}
	o := opcua.Options{Name: "plant", Endpoint: p.Endpoint(), Policy: "None", Mode: "None", Insecure: true, Publish: 20 * time.Millisecond}
	for _, e := range p.opt.Equipment {
		for _, tag := range furnaceTags() {
			o.Items = append(o.Items, opcua.Item{Tag: sample.Tag(len(k.tags)), Node: "nsu=" + Namespace + ";s=" + e + "." + tag, Type: settingsType(tag), Every: p.opt.Step})
			k.tags = append(k.tags, e+"/"+tag)
		}
	}
	var err error
	if k.source, err = opcua.New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.source.Run(ctx, k) }()
	eventually(t, "a round of the schedule is over", func() bool { return p.Truth(time.Time{}).Steps > 2*30+10 })
	served := p.Served()
	end := served[len(served)-1].Time
	eventually(t, "the last value has come", func() bool { return k.done(end) })
	cancel()
	if err := <-done; err != nil {
		t.Errorf("source: %v", err)
	}
	k.check(t, p, served)
}

func (s *sink) check(t *testing.T, p *Plant, served []Served) {
	t.Helper()
	away := p.Truth(time.Time{}).Gaps
	away = slices.DeleteFunc(away, func(g Gap) bool { return g.Cause != causeLink })
	if len(away) != 2 || away[0].To == 0 {
		t.Fatalf("interruptions: %+v", away)
	}
	links := 0
	for _, l := range s.losses {
		if len(l.Tags) == 0 {
			links++
		}
	}
	if links != 1 {
		t.Errorf("%d losses of the whole source, want 1: %+v", links, s.losses)
	}
	for _, v := range served {
		n := s.got[key(v.Tag, v.Value, v.Time)]
		first := s.first[v.Tag]
		lost := v.Time < first[0] || len(first) > 1 && v.Time > away[0].From && v.Time < first[1]
		switch {
		case n == 1 || n == 0 && lost:
		case n == 2 && len(first) > 1 && first[1] == v.Time: // held, and told again at reconnection
		default:
			t.Errorf("%s = %v of %v (step %d): came %d times", v.Tag, v.Value, v.Time, v.Step, n)
		}
	}
}
