package sample

import "fmt"

// Tag is the number of a tag in the gateway's tag table. Numbers are given once
// in the life of a journal (an epoch) and are never given again; the table
// itself is part of the record.
type Tag uint32

// Quality is the source's word on a value (OPC 10000-4, 7.39: the severity of
// a status code).
type Quality uint8

// The qualities. Only a good value is judged, unless the specification accepts
// uncertain ones.
const (
	Good Quality = iota
	Uncertain
	Bad
)

// String is the quality as it is written everywhere.
func (q Quality) String() string {
	switch q {
	case Good:
		return "good"
	case Uncertain:
		return "uncertain"
	case Bad:
		return "bad"
	}
	return fmt.Sprintf("quality(%d)", uint8(q))
}

// MarshalText writes the quality's word.
func (q Quality) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalText reads the quality's word.
func (q *Quality) UnmarshalText(b []byte) error {
	for _, k := range []Quality{Good, Uncertain, Bad} {
		if k.String() == string(b) {
			*q = k
			return nil
		}
	}
	return fmt.Errorf("quality %q: want good, uncertain or bad", b)
}

// Reading is one value of one tag within a scan. Raw is the value as read and
// is set only when scaling made Value from it. Status names what was wrong
// (an OPC UA status code, a Modbus fault) and is empty for a plain good value.
type Reading struct {
	Tag     Tag
	Value   Value
	Raw     Value
	Quality Quality
	Status  string
}
