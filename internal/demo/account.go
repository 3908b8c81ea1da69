package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"andon/internal/journal"
	"andon/internal/record"
	"andon/internal/sample"
)

// account is what the gateway's record holds of events, read from the record
// alone.
type account struct {
	events  map[string]*event // by id
	order   []string
	alarms  map[string]bool // raised occurrences
	retired map[string][][2]uint64
}

// event is what all revisions of one event say together; the last one counts.
type event struct {
	kind, typ string
	equipment string
	parameter string
	rule      string
	cause     string
	tags      []string
	from, to  sample.Time
	worst     string
	worstAt   sample.Time
	state     string
	seqs      []uint64
	lots      []string
}

func newAccount() *account {
	return &account{events: map[string]*event{}, alarms: map[string]bool{}, retired: map[string][][2]uint64{}}
}

// document is the part of any document that is counted.
type document struct {
	Data struct {
		EventID      string          `json:"event_id"`
		AlarmID      string          `json:"alarm_id"`
		Kind         string          `json:"kind"`
		Type         string          `json:"type"`
		State        string          `json:"state"`
		Previous     string          `json:"previous"`
		Cause        string          `json:"cause"`
		Tags         []string        `json:"tags"`
		OccurredFrom sample.Time     `json:"occurred_from"`
		OccurredTo   sample.Time     `json:"occurred_to"`
		Title        string          `json:"title"`
		Equipment    json.RawMessage `json:"equipment"`
		Parameter    string          `json:"parameter"`
		Rule         string          `json:"rule"`
		Product      struct {
			Lots []string `json:"lots"`
		} `json:"product"`
		Spec struct {
			Parameter string `json:"parameter"`
			Rule      string `json:"rule"`
		} `json:"spec"`
		Excursion struct {
			Worst *struct {
				Value sample.Value `json:"value"`
				At    sample.Time  `json:"at"`
			} `json:"worst"`
		} `json:"excursion"`
	} `json:"data"`
}

// equipmentID reads the equipment of a document: an object in quality events, a
// name in alarms.
func (d *document) equipmentID() string {
	var object struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(d.Data.Equipment, &object) == nil && object.ID != "" {
		return object.ID
	}
	var name string
	if json.Unmarshal(d.Data.Equipment, &name) == nil {
		return name
	}
	return ""
}

// take counts one commit, and calls tell with each entry.
func (a *account) take(_ journal.Header, records []byte, tell func(record.Entry, *document)) error {
	return record.Each(records, func(_ record.Input, out record.Outcome) error {
		for _, r := range out.Retired {
			a.retired[r.Lane] = append(a.retired[r.Lane], [2]uint64{r.First, r.Last})
		}
		for _, e := range out.Entries {
			var doc document
			if err := json.Unmarshal(e.Payload, &doc); err != nil {
				return fmt.Errorf("%s %d: %w", e.Lane, e.Seq, err)
			}
			a.entry(e, &doc)
			if tell != nil {
				tell(e, &doc)
			}
		}
		return nil
	})
}

func (a *account) entry(e record.Entry, doc *document) {
	d := &doc.Data
	if e.Topic == "event/alarm" && d.State == "UNACK" {
		a.alarms[d.AlarmID] = true
	}
	if d.EventID == "" {
		return
	}
	ev := a.events[d.EventID]
	if ev == nil {
		ev = &event{}
		a.events[d.EventID] = ev
		a.order = append(a.order, d.EventID)
	}
	ev.kind, ev.typ, ev.equipment, ev.parameter, ev.rule = d.Kind, d.Type, doc.equipmentID(), d.Spec.Parameter, d.Spec.Rule
	ev.cause, ev.from, ev.to, ev.state, ev.lots = d.Cause, d.OccurredFrom, d.OccurredTo, d.State, d.Product.Lots
	ev.tags = nil
	for _, t := range d.Tags {
		ev.tags = append(ev.tags, t[strings.IndexByte(t, '/')+1:])
	}
	slices.Sort(ev.tags)
	if w := d.Excursion.Worst; w != nil {
		ev.worst, ev.worstAt = w.Value.String(), w.At
	}
	ev.seqs = append(ev.seqs, e.Seq)
}

// receipted: every revision of the event has left the outbox.
func (a *account) receipted(ev *event) bool {
	for _, seq := range ev.seqs {
		if !slices.ContainsFunc(a.retired["quality"], func(r [2]uint64) bool { return r[0] <= seq && seq <= r[1] }) {
			return false
		}
	}
	return true
}

// of lists the events of one kind.
func (a *account) of(kind string) []*event {
	var list []*event
	for _, id := range a.order {
		if a.events[id].kind == kind {
			list = append(list, a.events[id])
		}
	}
	return list
}
