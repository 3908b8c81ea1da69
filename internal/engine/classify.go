package engine

import (
	"andon/internal/quality"
	"andon/internal/sample"
	"andon/internal/spec"
)

// classify raises open events of a parameter to critical where the
// specification's classification says so by now. Nothing is ever lowered: that
// is for people (quality.md Q32).
func (d *decision) classify(a place, t sample.Time) {
	_, _, p, _ := d.s.parameter(a)
	if d.s.x.docs[a.e][a.r].Classification == nil {
		return
	}
	for i := range p.Events {
		ev := &p.Events[i]
		if ev.Open && d.escalates(a, ev, t) {
			ev.Class, ev.Raised = spec.Critical, true
			d.tell(a, ev, quality.Updated, t)
		}
	}
}

// escalates says whether an event that is not critical is now.
func (d *decision) escalates(a place, ev *quality.Event, t sample.Time) bool {
	c := d.s.x.docs[a.e][a.r].Classification
	if c == nil || ev.Class == spec.Critical || ev.Kind == quality.Signal {
		return false
	}
	ep := &ev.Episode
	if now := d.s.judged(a).Rules[ev.Rule].Episode; ev.Open && now != nil && now.N == ep.N {
		ep = now
	}
	_, exposed := ev.Exposed(&d.s.Equipment[a.e].Context, t)
	return c.Critical(spec.ClassFacts{ProductExposed: exposed, SpecialProcess: d.s.wired(a.e).SpecialProcess,
		OutsideFor: ep.Outside(), OutsideParFor: ep.OutsidePAR.Length(), Class: ev.Class})
}
