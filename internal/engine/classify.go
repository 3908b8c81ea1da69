package engine

import (
	"andon/internal/quality"
	"andon/internal/sample"
	"andon/internal/spec"
)

// Classification (quality.md Q32) is asked when an event opens, whenever more is
// known of what it stands outside for (a sample, a confirmation), and at its end,
// which may be the first that is heard of how long it has been.

// classify raises open events of a parameter to critical where the
// specification's classification says so by now. Nothing is ever lowered: that
// is for people (quality.md Q32). What has come of the inputs up to now must have
// been judged.
func (d *decision) classify(a place, t sample.Time) {
	_, _, p, _ := d.s.parameter(a)
	if d.s.x.docs[a.e][a.r].Classification == nil {
		return
	}
	for i := range p.Events {
		if ev := &p.Events[i]; ev.Open && d.classifyEvent(a, ev, t) {
			d.tell(a, ev, quality.Updated, t)
		}
	}
}

// classifyEvent raises an event, open or over, to critical where the
// classification says so of it as it is now, and reports whether it has. The
// caller tells of it.
func (d *decision) classifyEvent(a place, ev *quality.Event, t sample.Time) (raised bool) {
	if !d.escalates(a, ev, t) {
		return false
	}
	ev.Class, ev.Raised = spec.Critical, true
	return true
}

// escalates says whether an event that is not critical is now.
func (d *decision) escalates(a place, ev *quality.Event, t sample.Time) bool {
	c := d.s.x.docs[a.e][a.r].Classification
	if c == nil || ev.Class == spec.Critical || ev.Kind == quality.Signal {
		return false
	}
	outside, beyond := ev.Episode.Outside(), ev.Episode.OutsidePAR.Length()
	judged := d.s.judged(a)
	if now := judged.Rules[ev.Rule].Episode; ev.Open && now != nil && now.N == ev.Episode.N {
		outside, beyond = d.s.x.params[a.e][a.r][a.p].Outside(judged, ev.Rule)
	}
	_, exposed := ev.Exposed(&d.s.Equipment[a.e].Context, t)
	return c.Critical(spec.ClassFacts{ProductExposed: exposed, SpecialProcess: d.s.wired(a.e).SpecialProcess,
		OutsideFor: outside, OutsideParFor: beyond, Class: ev.Class})
}
