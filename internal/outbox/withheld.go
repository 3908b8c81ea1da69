package outbox

import (
	"encoding/json"
	"fmt"
)

// TypeWithheld is the CloudEvents type of a tombstone.
const TypeWithheld = "andon.withheld.v1"

// ID is the id of one entry: gateway/epoch/lane/seq.
func ID(gateway, epoch, lane string, seq uint64) string {
	return fmt.Sprintf("%s/%s/%s/%d", gateway, epoch, lane, seq)
}

// Sequence is a number as CloudEvents' sequence extension wants it: text that
// sorts as the numbers do.
func Sequence(seq uint64) string { return fmt.Sprintf("%020d", seq) }

// withheld is why an entry was withheld, as consumers are told.
type withheld struct {
	SHA256 string `json:"sha256"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// tombstone is the envelope of contract section 5 around a withheld. It has no
// subject: the equipment stands in the dead letter.
type tombstone struct {
	SpecVersion string   `json:"specversion"`
	ID          string   `json:"id"`
	Source      string   `json:"source"`
	Type        string   `json:"type"`
	Time        string   `json:"time"`
	Sequence    string   `json:"sequence"`
	ContentType string   `json:"datacontenttype"`
	Schema      string   `json:"dataschema"`
	Gateway     string   `json:"gateway"`
	Epoch       string   `json:"epoch"`
	Lane        string   `json:"lane"`
	Seq         uint64   `json:"seq"`
	Data        withheld `json:"data"`
}

// Withheld is the exact bytes of the tombstone that takes a dead letter's
// number, to be sent on the entry's own topic. time is the instant of the
// receipt that rejected it, RFC 3339 in UTC.
//
// In lane record a tombstone is an element of `records` in its sample's place:
//
//	{"i":17,"withheld":{"sha256":"…","code":"…","reason":"…"}}
func Withheld(gateway, epoch, time string, d DeadLetter) []byte {
	why := withheld{SHA256: d.SHA256, Code: d.Code, Reason: d.Reason}
	var v any = tombstone{
		SpecVersion: "1.0",
		ID:          ID(gateway, epoch, d.Lane, d.Seq),
		Source:      "andon/" + gateway,
		Type:        TypeWithheld,
		Time:        time,
		Sequence:    Sequence(d.Seq),
		ContentType: "application/json",
		Schema:      "urn:andon:schema:withheld:1",
		Gateway:     gateway,
		Epoch:       epoch,
		Lane:        d.Lane,
		Seq:         d.Seq,
		Data:        why,
	}
	if d.Lane == Record {
		v = struct {
			I        uint64   `json:"i"`
			Withheld withheld `json:"withheld"`
		}{d.Seq, why}
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("outbox: a tombstone does not encode: " + err.Error()) // plain strings and numbers always do
	}
	return b
}
