package record

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"andon/internal/sample"
)

// TestProof: the tags and the stretch decide what counts, repeated readings do
// not, and the hash is over the samples' own bytes, a line each.
func TestProof(t *testing.T) {
	w := &Wiring{Tags: []Tag{{Equipment: "f", Name: "a"}, {Equipment: "f", Name: "b"}}}
	scan := func(n uint64, at sample.Time, first uint64, repeated []int) []byte {
		rs := []sample.Reading{{Tag: 0, Value: sample.FloatValue(float64(n))}, {Tag: 1, Value: sample.FloatValue(-1)}}
		return Append(nil, Input{N: n, At: at, Body: &Scan{Source: "s", Time: at, Readings: rs}}, Outcome{FirstI: first, Repeated: repeated})
	}
	var records []byte
	records = append(records, scan(1, 1e9, 1, nil)...)      // i 1, 2
	records = append(records, scan(2, 2e9, 3, []int{1})...) // i 3
	records = append(records, scan(3, 3e9, 4, []int{0})...) // i 4, of the other tag
	records = append(records, scan(4, 4e9, 5, nil)...)      // i 5, 6
	records = append(records, scan(5, 5e9, 7, nil)...)      // i 7, 8

	p := NewProof(Need{ID: "x", Tags: []sample.Tag{0}, From: 2e9, To: 4e9})
	if err := p.Records(w, records); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, s := range []Sample{{I: 3, T: 2e9, TA: 2e9, V: sample.FloatValue(2)}, {I: 5, T: 4e9, TA: 4e9, V: sample.FloatValue(4)}} {
		s.Equipment, s.Tag = "f", "a"
		h.Write(append(s.JSON(), '\n'))
	}
	want := Answer{Need: "x", First: 3, Last: 5, Count: 2, SHA256: hex.EncodeToString(h.Sum(nil))}
	if got := *p.Answer(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := NewProof(Need{}).Records(w, records[:len(records)-1]); err == nil {
		t.Error("records that are cut off were read")
	}
}

// TestProofOfNothing: no sample is an answer too.
func TestProofOfNothing(t *testing.T) {
	empty := sha256.Sum256(nil)
	if got, want := *NewProof(Need{ID: "x"}).Answer(), (Answer{Need: "x", SHA256: hex.EncodeToString(empty[:])}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
