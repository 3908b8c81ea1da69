package record

import (
	"encoding/json"

	"andon/internal/sample"
)

// Sample is one kept reading as it is exported and sent in lane record
// (contract, section 5). Its JSON is the bytes that receipts are compared by.
type Sample struct {
	I         uint64         `json:"i"`
	Equipment string         `json:"equipment"`
	Tag       string         `json:"tag"`
	T         sample.Time    `json:"t"`  // source time
	TA        sample.Time    `json:"ta"` // arrival
	V         sample.Value   `json:"v"`
	Raw       *sample.Value  `json:"raw,omitempty"`
	Q         sample.Quality `json:"q"`
	St        string         `json:"st,omitempty"`
}

// Samples calls fn with each kept reading of a recorded scan, in order of i.
// wiring gives the names; a tag that it does not hold is named by its number,
// so that nothing is left out.
func Samples(wiring *Wiring, in Input, out Outcome, fn func(sample.Tag, Sample)) {
	scan, ok := in.Body.(*Scan)
	if !ok || out.FirstI == 0 {
		return
	}
	i, repeated := out.FirstI, out.Repeated
	for pos := range scan.Readings {
		if len(repeated) > 0 && repeated[0] == pos {
			repeated = repeated[1:]
			continue
		}
		r := &scan.Readings[pos]
		s := Sample{I: i, T: scan.Time, TA: in.At, V: r.Value, Q: r.Quality, St: r.Status}
		s.Equipment, s.Tag = wiring.Name(r.Tag)
		if r.Raw.Kind() != sample.None {
			s.Raw = &r.Raw
		}
		fn(r.Tag, s)
		i++
	}
}

// JSON returns the sample's exact bytes.
func (s Sample) JSON() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("encode sample: " + err.Error()) // our own struct, no such value
	}
	return b
}
