package panel

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// What is known of a lot's monitoring.
const (
	monitoringGaps    = "gaps"
	monitoringWhole   = "no_gaps"
	monitoringUnknown = "unknown"
)

// lotAnswer is the answer to GET lots/{lot}.
type lotAnswer struct {
	Lot        string   `json:"lot"`
	At         []string `json:"at" doc:"equipment at which it is being made now"`
	Monitoring string   `json:"monitoring" enum:"gaps,no_gaps,unknown" doc:"unknown: the list does not reach back to the record's beginning, or nothing here has heard of the lot; never to be read as no_gaps"`
	Events     []Event  `json:"events" doc:"deviations, nonconformances and signals that name it, newest first"`
	Gaps       []Event  `json:"gaps" doc:"gaps that name it, newest first"`
	OpenGaps   []Gap    `json:"open_gaps" doc:"of the equipment at which it is now, whether or not they name it yet"`
	Alarms     []Alarm  `json:"alarms" doc:"not normal now: those beside its events, and those of the equipment at which it is now that were raised since"`
	Since      Instant  `json:"since" doc:"events and gaps are complete from here on; null: from the record's beginning"`
	Complete   bool     `json:"complete" doc:"events and gaps are complete from the record's beginning on"`
	From       Instant  `json:"searched_from" doc:"the record was searched back to here; null when all events are known without"`
}

type lotInput struct {
	Lot string `path:"lot" maxLength:"200"`
}

func (p *Panel) routeLots(api huma.API) {
	get(api, "lots/{lot}", "What is known about one lot", func(ctx context.Context, in *lotInput) (*answer[lotAnswer], error) {
		a, err := p.lot(ctx, in.Lot)
		return &answer[lotAnswer]{a}, err
	})
}

// lot gathers what is known of one: from the events that are known when those are
// all there are, else from the record.
func (p *Panel) lot(ctx context.Context, lot string) (lotAnswer, error) {
	s, err := p.state()
	if err != nil {
		return lotAnswer{}, err
	}
	list, from := p.o.Gateway.Events(), Instant(0)
	if list.Since != 0 {
		past, err := p.past(ctx, PastQuery{Lot: lot})
		if err != nil {
			return lotAnswer{}, err
		}
		list, from = EventList{Events: past.Events, Since: past.From}, past.From
		if past.Complete {
			list.Since = 0
		}
		if s, err = p.state(); err != nil { // no older than what was found
			return lotAnswer{}, err
		}
	}
	a := lotOf(lot, s, list)
	a.Complete, a.From = list.Since == 0, from
	return a, nil
}

// lotOf gathers what names a lot.
func lotOf(lot string, s *State, list EventList) lotAnswer {
	a := lotAnswer{Lot: lot, At: []string{}, Events: []Event{}, Gaps: []Event{}, OpenGaps: []Gap{}, Alarms: []Alarm{}, Since: list.Since}
	var named []string // events
	for _, e := range brief(list.Events) {
		switch {
		case !slices.Contains(e.Lots, lot):
			continue
		case e.Kind == "gap":
			a.Gaps = append(a.Gaps, e)
		default:
			a.Events = append(a.Events, e)
		}
		named = append(named, e.ID)
	}
	there := whereIs(lot, s)
	for _, e := range s.Equipment {
		if _, ok := there[e.Name]; ok {
			a.At = append(a.At, e.Name)
		}
	}
	for _, g := range s.Gaps {
		if _, ok := there[g.Equipment]; ok {
			a.OpenGaps = append(a.OpenGaps, g)
		}
	}
	for _, al := range s.Alarms {
		since, ok := there[al.Equipment]
		if ok && al.RaisedAt >= since || al.EventID != "" && slices.Contains(named, al.EventID) {
			a.Alarms = append(a.Alarms, al)
		}
	}
	a.Monitoring = a.monitoring(len(named) > 0 || len(there) > 0)
	return a
}

// whereIs is the equipment at which a lot is now, and since when.
func whereIs(lot string, s *State) map[string]Instant {
	there := map[string]Instant{}
	for _, e := range s.Equipment {
		for _, f := range e.Context {
			if f.Name == "lot" && f.Known && f.Value == lot {
				there[e.Name] = f.Since
			}
		}
	}
	return there
}

// monitoring claims that there were no gaps only when every one would be listed.
func (a *lotAnswer) monitoring(heard bool) string {
	switch {
	case len(a.Gaps)+len(a.OpenGaps) > 0:
		return monitoringGaps
	case heard && a.Since == 0:
		return monitoringWhole
	}
	return monitoringUnknown
}
