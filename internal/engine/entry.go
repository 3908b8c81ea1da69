package engine

import (
	"encoding/json"
	"strings"

	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
)

const (
	laneQuality = outbox.Quality
	laneEvent   = outbox.Event
)

// envelope is a CloudEvents 1.0 JSON object (contract, section 5).
type envelope struct {
	SpecVersion string      `json:"specversion"`
	ID          string      `json:"id"`
	Source      string      `json:"source"`
	Type        string      `json:"type"`
	Subject     string      `json:"subject"`
	Time        sample.Time `json:"time"`
	Sequence    string      `json:"sequence"`
	ContentType string      `json:"datacontenttype"`
	Schema      string      `json:"dataschema"`
	Gateway     string      `json:"gateway"`
	Epoch       string      `json:"epoch"`
	Lane        string      `json:"lane"`
	Seq         uint64      `json:"seq"`
	Data        any         `json:"data"`
}

// schemas names the form of each topic's data.
func schema(topic string) string {
	switch kind := topic[strings.LastIndexByte(topic, '/')+1:]; kind {
	case "deviation", "nonconformance", "gap", "signal":
		return "urn:andon:schema:quality-event:1"
	default:
		return "urn:andon:schema:" + kind + ":1"
	}
}

// entry gives a message its number and its bytes: those that are sent, now and
// at every re-send. time is the instant at which what it tells of was raised.
func (d *decision) entry(lane, topic, subject string, time sample.Time, data any) {
	st := &d.s.Start
	seq := d.s.Outbox.Next(lane)
	kind := topic[strings.LastIndexByte(topic, '/')+1:]
	payload, err := json.Marshal(envelope{
		SpecVersion: "1.0", ID: outbox.ID(st.Gateway, st.Epoch, lane, seq), Source: "andon/" + st.Gateway, Type: "andon." + kind + ".v1",
		Subject: subject, Time: time, Sequence: outbox.Sequence(seq), ContentType: "application/json", Schema: schema(topic),
		Gateway: st.Gateway, Epoch: st.Epoch, Lane: lane, Seq: seq, Data: data})
	if err != nil {
		panic("encode " + topic + ": " + err.Error()) // our own structs; NaN never enters them
	}
	d.out.Entries = append(d.out.Entries, record.Entry{Lane: lane, Seq: seq, Topic: topic, Payload: payload})
}

// audit is an entry of the audit trail: who did what to what, and why.
type audit struct {
	Schema   string      `json:"schema"`
	Who      string      `json:"who"`
	Name     string      `json:"name,omitempty"` // printed
	Role     string      `json:"role,omitempty"`
	Action   string      `json:"action"`
	Object   string      `json:"object"`
	Old      string      `json:"old,omitempty"`
	New      string      `json:"new,omitempty"`
	Config   string      `json:"config_sha256,omitempty"`
	At       sample.Time `json:"at"`
	Terminal string      `json:"terminal,omitempty"`
	Meaning  string      `json:"meaning,omitempty"`
	Reason   string      `json:"reason,omitempty"`
	Change   string      `json:"change,omitempty"`  // id of a change to an account
	Occurred sample.Time `json:"occurred,omitzero"` // when it happened, where that is not At
}

func (d *decision) audit(a audit) {
	a.Schema, a.At = "andon.audit/1", d.at
	d.entry(laneEvent, "event/audit", d.s.Start.Site, d.at, a)
}

// systemDocument tells of the gateway itself.
type systemDocument struct {
	Schema string      `json:"schema"`
	Kind   string      `json:"kind"`
	Text   string      `json:"text"`
	At     sample.Time `json:"at"`
}

func (d *decision) system(kind, text string) {
	d.entry(laneEvent, "event/system", d.s.Start.Site, d.at, systemDocument{"andon.system/1", kind, text, d.at})
}

// retire passes on what leaves the outbox.
func (d *decision) retire(list []outbox.Retired) {
	for _, r := range list {
		d.out.Retired = append(d.out.Retired, record.Retired(r))
	}
}
