package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"

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
	e := prover{need: n, wiring: w, hash: sha256.New(), answer: record.Answer{Need: n.ID}}
	err := j.Between(int64(n.From), int64(n.To), func(_ journal.Header, records []byte) error { return e.take(records) })
	if err == nil {
		err = e.take(pending)
	}
	if err != nil {
		return nil, fmt.Errorf("read evidence %s: %w", n.ID, err)
	}
	e.answer.SHA256 = hex.EncodeToString(e.hash.Sum(nil))
	return &e.answer, nil
}

type prover struct {
	need   record.Need
	wiring *record.Wiring
	hash   hash.Hash
	answer record.Answer
}

func (e *prover) take(records []byte) error {
	return eachSample(e.wiring, records, func(t sample.Tag, s record.Sample) bool {
		if s.T < e.need.From || s.T > e.need.To || !slices.Contains(e.need.Tags, t) {
			return true
		}
		e.hash.Write(append(s.JSON(), '\n'))
		e.answer.Count++
		e.answer.Last = s.I
		if e.answer.First == 0 {
			e.answer.First = s.I
		}
		return true
	})
}
