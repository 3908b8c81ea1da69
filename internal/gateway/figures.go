package gateway

import (
	"andon/internal/engine"
	"andon/internal/metrics"
	"andon/internal/sample"
)

// Figures are counts of the state as of the last commit.
type Figures struct {
	ByAlarm  map[metrics.Alarm]int
	Open     map[metrics.Event]int // quality events whose parameter has not returned
	Gaps     int
	LastGood map[string]sample.Time // by source: source time at which a tag of it was last heard
	InForce  []metrics.Spec
}

// figures counts. It runs at every commit: everything in it is one walk over
// what is small, and over the tags.
func figures(s *engine.State) Figures {
	f := Figures{ByAlarm: map[metrics.Alarm]int{}, Open: map[metrics.Event]int{}, Gaps: len(s.Gaps), LastGood: map[string]sample.Time{}}
	for i := range s.Alarms {
		f.ByAlarm[metrics.Alarm{Priority: s.Alarms[i].Priority, State: s.Alarms[i].State.String()}]++
	}
	for t := range s.Tags {
		if source := s.Start.Wiring.Tags[t].Source; s.Tags[t].Seen {
			f.LastGood[source] = max(f.LastGood[source], s.Tags[t].Heard)
		}
	}
	for e := range s.Equipment {
		for r := range s.Equipment[e].Running {
			f.running(s, &s.Equipment[e].Running[r])
		}
	}
	return f
}

func (f *Figures) running(s *engine.State, r *engine.Running) {
	spec := metrics.Spec{ID: r.Spec.ID, Revision: r.Spec.Revision, SHA256: r.Spec.SHA256}
	if doc := s.Register.Find(spec.ID, spec.Revision); doc != nil {
		spec.Effective = doc.Effective.From.Std()
	}
	f.InForce = appendNew(f.InForce, spec)
	for p := range r.Parameters {
		for _, ev := range r.Parameters[p].Events {
			if ev.Open {
				f.Open[metrics.Event{Kind: ev.Kind, Class: ev.Class}]++
			}
		}
	}
}
