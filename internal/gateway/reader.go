package gateway

import (
	"fmt"

	"andon/internal/journal"
	"andon/internal/record"
	"andon/internal/sample"
)

// eachSample calls fn with every sample kept in a commit's records, in order of
// i, until it returns false.
func eachSample(w *record.Wiring, records []byte, fn func(sample.Tag, record.Sample) bool) error {
	more := true
	return record.Each(records, func(in record.Input, out record.Outcome) error {
		if more {
			record.Samples(w, in, out, func(t sample.Tag, s record.Sample) {
				more = more && fn(t, s)
			})
		}
		return nil
	})
}

// evidence answers a need from the record and from the group that still waits
// for its commit: how many samples there are, their numbers, and the hash over
// their bytes as they are sent, one a line.
func evidence(j *journal.View, w *record.Wiring, pending []byte, n record.Need) (*record.Answer, error) {
	p := record.NewProof(n)
	err := j.Between(int64(n.From), int64(n.To), func(_ journal.Header, records []byte) error { return p.Records(w, records) })
	if err == nil {
		err = p.Records(w, pending)
	}
	if err != nil {
		return nil, fmt.Errorf("read evidence %s: %w", n.ID, err)
	}
	return p.Answer(), nil
}
