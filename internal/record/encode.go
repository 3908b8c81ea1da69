package record

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"andon/internal/sample"
)

// Append adds the canonical bytes of an input and of what followed from it to
// dst: the input's frame, then a frame for each outcome.
//
// The body of a scan is, in order (uvarint and zigzag varint as in protocol
// buffers; fixed integers are big-endian):
//
//	n            uvarint
//	at           8 bytes, nanoseconds since 1970 (arrival)
//	source       uvarint length, bytes
//	time         varint, at - source time
//	as of        varint, at - as of + 1, or 0 when there is none
//	server       varint, at - server + 1, or 0 when there is none
//	first i      uvarint, 0 when no reading was kept
//	readings     uvarint count, then for each:
//	  tag        uvarint, number in the wiring of the last start
//	  head       1 byte: quality (bits 0-1: good, uncertain, bad),
//	             kind (bits 2-4: none, bool, int, uint, float, string),
//	             bit 5: a raw value follows, bit 6: a status follows,
//	             bit 7: repeated, a confirmation, it has no i
//	  value      by kind: nothing; 1 byte; varint; uvarint; 8 bytes IEEE 754;
//	             uvarint length and bytes
//	  raw        1 byte kind, then as value
//	  status     uvarint length, bytes
//
// The body of a confirmation is n, at, source, time as above, then the uvarint
// count of excepted tags and their numbers. The body of an outbox entry is
// lane, topic (each uvarint length and bytes), seq (uvarint) and the payload's
// bytes up to the end. Every other body is one JSON object; an input's is
// {"n":…,"at":…,"body":{…}}.
func Append(dst []byte, in Input, out Outcome) []byte {
	var body []byte
	switch b := in.Body.(type) {
	case *Scan:
		body = appendScan(nil, in, b, out)
	case *Confirm:
		body = appendConfirm(nil, in, b)
	default:
		body = mustJSON(inputJSON{in.N, in.At, in.Body})
	}
	dst = appendFrame(dst, in.Body.Type(), body)
	for i := range out.Judgements {
		dst = appendFrame(dst, KindJudgement, mustJSON(&out.Judgements[i]))
	}
	for i := range out.Entries {
		dst = appendFrame(dst, KindEntry, appendEntry(nil, &out.Entries[i]))
	}
	for i := range out.Retired {
		dst = appendFrame(dst, KindRetired, mustJSON(&out.Retired[i]))
	}
	for i := range out.Dead {
		dst = appendFrame(dst, KindDead, mustJSON(&out.Dead[i]))
	}
	for i := range out.Needs {
		dst = appendFrame(dst, KindNeed, mustJSON(&out.Needs[i]))
	}
	return dst
}

type inputJSON struct {
	N    uint64      `json:"n"`
	At   sample.Time `json:"at"`
	Body any         `json:"body"`
}

// mustJSON encodes one of our own structs; that cannot fail, since none holds
// a type that JSON has no form for.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("encode record: " + err.Error())
	}
	return b
}

func appendFrame(dst []byte, k Kind, body []byte) []byte {
	dst = append(dst, byte(k))
	dst = binary.AppendUvarint(dst, uint64(len(body)))
	return append(dst, body...)
}

func appendText(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// appendBack writes at - t so that small ages take few bytes; 0 is kept for
// "not known".
func appendBack(dst []byte, at, t sample.Time) []byte {
	if t == 0 {
		return binary.AppendVarint(dst, 0)
	}
	back := int64(at - t)
	if back >= 0 {
		back++
	}
	return binary.AppendVarint(dst, back)
}

func appendHead(dst []byte, in Input, source string, t sample.Time) []byte {
	dst = binary.AppendUvarint(dst, in.N)
	dst = binary.BigEndian.AppendUint64(dst, uint64(in.At))
	dst = appendText(dst, source)
	return binary.AppendVarint(dst, int64(in.At-t))
}

func appendScan(dst []byte, in Input, s *Scan, out Outcome) []byte {
	dst = appendHead(dst, in, s.Source, s.Time)
	dst = appendBack(dst, in.At, s.AsOf)
	dst = appendBack(dst, in.At, s.Server)
	dst = binary.AppendUvarint(dst, out.FirstI)
	dst = binary.AppendUvarint(dst, uint64(len(s.Readings)))
	repeated := out.Repeated
	for i := range s.Readings {
		again := len(repeated) > 0 && repeated[0] == i
		if again {
			repeated = repeated[1:]
		}
		dst = appendReading(dst, &s.Readings[i], again)
	}
	return dst
}

const (
	headRaw    = 1 << 5
	headStatus = 1 << 6
	headAgain  = 1 << 7
)

func appendReading(dst []byte, r *sample.Reading, again bool) []byte {
	dst = binary.AppendUvarint(dst, uint64(r.Tag))
	head := byte(r.Quality) | byte(r.Value.Kind())<<2
	if r.Raw.Kind() != sample.None {
		head |= headRaw
	}
	if r.Status != "" {
		head |= headStatus
	}
	if again {
		head |= headAgain
	}
	dst = append(dst, head)
	dst = appendValue(dst, r.Value)
	if head&headRaw != 0 {
		dst = append(dst, byte(r.Raw.Kind()))
		dst = appendValue(dst, r.Raw)
	}
	if head&headStatus != 0 {
		dst = appendText(dst, r.Status)
	}
	return dst
}

func appendValue(dst []byte, v sample.Value) []byte {
	switch v.Kind() {
	case sample.None:
	case sample.Bool:
		dst = append(dst, byte(v.Bits()))
	case sample.Int:
		dst = binary.AppendVarint(dst, int64(v.Bits()))
	case sample.Uint:
		dst = binary.AppendUvarint(dst, v.Bits())
	case sample.Float:
		dst = binary.BigEndian.AppendUint64(dst, v.Bits())
	case sample.String:
		dst = appendText(dst, v.Text())
	default:
		panic(fmt.Sprintf("encode value: kind %d", v.Kind()))
	}
	return dst
}

func appendConfirm(dst []byte, in Input, c *Confirm) []byte {
	dst = appendHead(dst, in, c.Source, c.Time)
	dst = binary.AppendUvarint(dst, uint64(len(c.Except)))
	for _, t := range c.Except {
		dst = binary.AppendUvarint(dst, uint64(t))
	}
	return dst
}

func appendEntry(dst []byte, e *Entry) []byte {
	dst = appendText(dst, e.Lane)
	dst = appendText(dst, e.Topic)
	dst = binary.AppendUvarint(dst, e.Seq)
	return append(dst, e.Payload...)
}
