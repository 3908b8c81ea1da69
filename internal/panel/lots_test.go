package panel

import (
	"net/http"
	"testing"
	"time"
)

// TestLot: what names a lot is listed, and nothing of another; that monitoring
// had no gaps is said only when every gap would be known.
func TestLot(t *testing.T) {
	s := newStand(t, nil)
	named := []Event{{ID: "dev-1", Kind: "deviation", Lots: []string{"L-0", "L-1"}}, {ID: "gap-9", Kind: "gap", Lots: []string{"L-2"}},
		{ID: "dev-3", Kind: "deviation", Lots: []string{"L-3"}}}
	for _, c := range []struct {
		name, lot          string
		since              Instant
		change             func(*State)
		monitoring         string
		events, gaps, open int
		alarms, at         int
	}{
		{"open gap where it is", "L-1", 0, func(*State) {}, monitoringGaps, 1, 0, 1, 1, 1},
		{"no gap", "L-1", 0, func(st *State) { st.Gaps = nil }, monitoringWhole, 1, 0, 0, 1, 1},
		{"gap elsewhere", "L-1", 0, func(st *State) { st.Gaps[0].Equipment = "press-1" }, monitoringWhole, 1, 0, 0, 1, 1},
		{"alarm of the lot before", "L-1", 0, func(st *State) { st.Gaps, st.Alarms[0].RaisedAt = nil, Instant(at0.Add(-time.Second)) }, monitoringWhole, 1, 0, 0, 0, 1},
		{"record not searched to its beginning", "L-1", Instant(at0), func(st *State) { st.Gaps = nil }, monitoringUnknown, 1, 0, 0, 1, 1},
		{"closed gap", "L-2", 0, func(*State) {}, monitoringGaps, 0, 1, 0, 0, 0},
		{"gone, alarm beside its event", "L-3", 0, func(st *State) { st.Alarms[0].EventID = "dev-3" }, monitoringWhole, 1, 0, 0, 1, 0},
		{"never heard of", "L-x", 0, func(*State) {}, monitoringUnknown, 0, 0, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := plant()
			st.Equipment[0].Context[0].Since = Instant(at0)
			c.change(st)
			s.gateway.state.Store(st)
			s.gateway.events.Store(&EventList{Events: named, Since: c.since})
			s.gateway.past = Past{Events: named, From: Instant(at0)}
			var a lotAnswer
			s.fetch(t, "lots/"+c.lot, &a)
			if a.Monitoring != c.monitoring || len(a.Events) != c.events || len(a.Gaps) != c.gaps || len(a.OpenGaps) != c.open || len(a.Alarms) != c.alarms || len(a.At) != c.at || a.Since != c.since || a.Complete != (c.since == 0) {
				t.Errorf("%+v", a)
			}
		})
	}
	if len(s.gateway.sought) != 1 || s.gateway.sought[0] != (PastQuery{Lot: "L-1"}) {
		t.Errorf("asked the record for %+v; it is needed only where the list is not complete", s.gateway.sought)
	}
	s.gateway.events.Store(&EventList{Since: Instant(at0.Add(time.Hour))})
	s.gateway.past.Complete = true
	st := plant()
	st.Gaps = nil
	s.gateway.state.Store(st)
	var a lotAnswer
	if s.fetch(t, "lots/L-1", &a); a.Monitoring != monitoringWhole || !a.Complete || a.Since != 0 || a.From != Instant(at0) || len(a.Events) != 1 {
		t.Errorf("all of the record searched: %+v", a)
	}
	s.gateway.state.Store(nil)
	if resp, body := s.ask(t, "GET", "/api/v1/lots/L-1", ""); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("while starting: %s %s", resp.Status, body)
	}
}
