package receiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// The lanes.
const (
	laneQuality = "quality"
	laneEvent   = "event"
	laneRecord  = "record"
)

// typeWithheld is the type of a tombstone in lanes quality and event.
const typeWithheld = "andon.withheld.v1"

// maxMessage is how long a message may be: what the strictest brokers carry.
const maxMessage = 256 << 10

// safeName is what gateway ids and epochs must be: they become file names.
var safeName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// stream names one lane of one life of one gateway.
type stream struct{ gateway, epoch, lane string }

func (s stream) file() string { return s.gateway + "." + s.epoch + "." + s.lane + ".jsonl" }

// message is one MQTT message that holds entries.
type message struct {
	stream
	first   uint64
	entries [][]byte // of first and those that follow it, the exact bytes
}

// unreadable is why a message cannot be stored as what it claims to be. If it
// can be told which entries it holds, they are rejected; else it only goes
// aside.
type unreadable struct {
	stream
	first, last uint64 // 0 if it cannot be told
	reason      string
}

func (u *unreadable) Error() string { return u.reason }

// split takes a topic apart: {prefix}andon/v1/{gateway}/up/{kind}.
func split(prefix, topic string) (gateway, kind string, ok bool) {
	rest, ok := strings.CutPrefix(topic, prefix+"andon/v1/")
	if !ok {
		return "", "", false
	}
	gateway, rest, ok = strings.Cut(rest, "/")
	if !ok || !safeName.MatchString(gateway) {
		return "", "", false
	}
	kind, ok = strings.CutPrefix(rest, "up/")
	return gateway, kind, ok
}

// envelope is what a receiver must understand of a message.
type envelope struct {
	ID      string            `json:"id"`
	Gateway string            `json:"gateway"`
	Epoch   string            `json:"epoch"`
	Lane    string            `json:"lane"`
	Seq     uint64            `json:"seq"`
	First   uint64            `json:"first"`
	Last    uint64            `json:"last"`
	Records []json.RawMessage `json:"records"`
}

// parse reads a message from the topic up/{kind} of a gateway. The error is an
// *unreadable.
func parse(gateway, kind string, payload []byte) (message, error) {
	if len(payload) > maxMessage {
		return message{}, &unreadable{reason: fmt.Sprintf("%d bytes: at most %d", len(payload), maxMessage)}
	}
	var e envelope
	if err := json.Unmarshal(payload, &e); err != nil {
		return message{}, &unreadable{reason: "not JSON: " + err.Error()}
	}
	lane, _, _ := strings.Cut(kind, "/")
	s := stream{gateway: gateway, epoch: e.Epoch, lane: lane}
	switch {
	case e.Gateway != gateway || e.Lane != lane:
		return message{}, &unreadable{reason: fmt.Sprintf("gateway %q and lane %q do not belong to the topic", e.Gateway, e.Lane)}
	case !safeName.MatchString(e.Epoch):
		return message{}, &unreadable{reason: fmt.Sprintf("epoch %q: want letters, digits, _ and -", e.Epoch)}
	}
	if lane == laneRecord {
		return parseRecords(s, e)
	}
	return parseEntry(s, e, payload)
}

func parseEntry(s stream, e envelope, payload []byte) (message, error) {
	if e.Seq == 0 {
		return message{}, &unreadable{reason: "seq is missing"}
	}
	u := unreadable{stream: s, first: e.Seq, last: e.Seq}
	if want := fmt.Sprintf("%s/%s/%s/%d", s.gateway, s.epoch, s.lane, e.Seq); e.ID != want {
		u.reason = fmt.Sprintf("id %q: want %q", e.ID, want)
		return message{}, &u
	}
	if lineBreak(payload) {
		u.reason = "it has a line break: an entry is one line of JSON"
		return message{}, &u
	}
	return message{stream: s, first: e.Seq, entries: [][]byte{payload}}, nil
}

func parseRecords(s stream, e envelope) (message, error) {
	n := uint64(len(e.Records))
	if e.First == 0 || n == 0 || e.Last < e.First || e.Last-e.First+1 != n {
		return message{}, &unreadable{reason: fmt.Sprintf("first %d and last %d do not go with %d records", e.First, e.Last, n)}
	}
	u := unreadable{stream: s, first: e.First, last: e.Last}
	if want := fmt.Sprintf("%s/%s/%s/%d-%d", s.gateway, s.epoch, s.lane, e.First, e.Last); e.ID != want {
		u.reason = fmt.Sprintf("id %q: want %q", e.ID, want)
		return message{}, &u
	}
	m := message{stream: s, first: e.First}
	for i, r := range e.Records {
		var number struct {
			I uint64 `json:"i"`
		}
		if err := json.Unmarshal(r, &number); err != nil || number.I != e.First+uint64(i) || lineBreak(r) {
			u.reason = fmt.Sprintf("record %d of the message is not sample %d on one line", i+1, e.First+uint64(i))
			return message{}, &u
		}
		m.entries = append(m.entries, r)
	}
	return m, nil
}

func lineBreak(b []byte) bool { return bytes.ContainsAny(b, "\n\r") }

// seqOf reads the number back from a stored line.
func seqOf(lane string, line []byte) (uint64, error) {
	var e struct {
		Seq uint64 `json:"seq"`
		I   uint64 `json:"i"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return 0, err
	}
	if lane == laneRecord {
		e.Seq = e.I
	}
	if e.Seq == 0 {
		return 0, fmt.Errorf("it has no number")
	}
	return e.Seq, nil
}

// withheld says whether an entry is a tombstone, and for which bytes.
func withheld(lane string, entry []byte) (sha256 string, ok bool) {
	type why struct {
		SHA256 string `json:"sha256"`
	}
	var e struct {
		Type     string `json:"type"`
		Data     why    `json:"data"`
		Withheld *why   `json:"withheld"`
	}
	if err := json.Unmarshal(entry, &e); err != nil {
		return "", false // data of another shape: no tombstone
	}
	if lane == laneRecord {
		if e.Withheld == nil {
			return "", false
		}
		return e.Withheld.SHA256, true
	}
	return e.Data.SHA256, e.Type == typeWithheld
}
