package systemtest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

// message is an event as the quality system got it.
type message struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Epoch string `json:"epoch"`
	Lane  string `json:"lane"`
	Seq   uint64 `json:"seq"`
	Data  struct {
		EventID      string    `json:"event_id"`
		Revision     int       `json:"revision"`
		Kind         string    `json:"kind"`
		Type         string    `json:"type"`
		State        string    `json:"state"`
		Action       string    `json:"action"`
		Object       string    `json:"object"`
		Reason       string    `json:"reason"`
		Text         string    `json:"text"`
		Cause        string    `json:"cause"`
		Detail       string    `json:"detail"`
		Tags         []string  `json:"tags"`
		OccurredFrom time.Time `json:"occurred_from"`
		OccurredTo   time.Time `json:"occurred_to"`
		Spec         struct {
			ID        string `json:"id"`
			Revision  string `json:"revision"`
			SHA256    string `json:"sha256"`
			Parameter string `json:"parameter"`
			Rule      string `json:"rule"`
		} `json:"spec"`
		Excursion struct {
			Worst *struct {
				Value float64   `json:"value"`
				At    time.Time `json:"at"`
			} `json:"worst"`
			Samples int     `json:"samples"`
			GapsS   float64 `json:"gaps_s"`
		} `json:"excursion"`
		Evidence *struct {
			Count int `json:"count"`
		} `json:"evidence"`
	} `json:"data"`
	line string
}

// messages reads lines of a lane or of an export; lines of samples and
// confirmations have no type and are left out.
func messages(t *testing.T, lines []string) []message {
	t.Helper()
	var list []message
	for _, line := range lines {
		m, err := parse([]byte(line))
		if err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if m.Type != "" {
			list = append(list, m)
		}
	}
	return list
}

func parse(line []byte) (m message, err error) {
	err = json.Unmarshal(line, &m)
	m.line = string(line)
	return m, err
}

// event is all revisions of one event, in order.
type event struct {
	message // the last revision
	all     []message
}

// events are what a lane says of one kind of event, in the order of their first
// revisions. Revisions must follow one another, each once.
func events(t *testing.T, lines []string, kind string) []*event {
	t.Helper()
	byID := map[string]*event{}
	var list []*event
	for _, m := range messages(t, lines) {
		if m.Data.Kind != kind {
			continue
		}
		e := byID[m.Data.EventID]
		if e == nil {
			e = &event{}
			byID[m.Data.EventID] = e
			list = append(list, e)
		}
		e.message, e.all = m, append(e.all, m)
		if m.Data.Revision != len(e.all) {
			t.Errorf("%s: revision %d comes as number %d", m.Data.EventID, m.Data.Revision, len(e.all))
		}
	}
	return list
}

// told: the event has returned and its evidence is there.
func (e *event) told() bool { return e.Data.Evidence != nil && !e.Data.OccurredTo.IsZero() }

// count counts the events that fulfil a condition.
func count(list []*event, ok func(*event) bool) (n int) {
	for _, e := range list {
		if ok(e) {
			n++
		}
	}
	return n
}

// numbered wants a lane's numbers to begin with 1, without a hole or a double,
// in one epoch.
func numbered(t *testing.T, lane string, list []message) {
	t.Helper()
	for i, m := range list {
		if m.Seq != uint64(i)+1 || m.Lane != lane || m.Epoch != list[0].Epoch {
			t.Fatalf("lane %s: entry %d is %s", lane, i+1, m.ID)
		}
	}
}

// row is a sample as the quality system got it.
type row struct {
	I   uint64    `json:"i"`
	Tag string    `json:"tag"`
	T   time.Time `json:"t"`
	V   any       `json:"v"`
	Q   string    `json:"q"`
}

// rows reads samples, those of one tag, or all of "".
func rows(t *testing.T, lines []string, tag string) []row {
	t.Helper()
	var list []row
	for _, line := range lines {
		var r row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if r.I != 0 && (tag == "" || r.Tag == tag) {
			list = append(list, r)
		}
	}
	return list
}

// within wants every line to be on record, byte for byte.
func within(t *testing.T, what string, lines, record []string) {
	t.Helper()
	have := map[string]bool{}
	for _, line := range record {
		have[line] = true
	}
	if i := slices.IndexFunc(lines, func(line string) bool { return !have[line] }); i >= 0 {
		t.Errorf("%s: not on record as it was received: %s", what, lines[i])
	}
}
