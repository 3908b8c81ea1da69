package record

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"andon/internal/sample"
)

// Proof gathers what answers a Need: how many of the samples that it asks for
// there are, the numbers of the first and the last, and SHA-256 over their
// exact bytes as they are sent (Sample.JSON), one a line. Whoever keeps the
// record shows it the samples in order of i.
type Proof struct {
	need   Need
	answer Answer
	hash   interface {
		io.Writer
		Sum(b []byte) []byte
	}
}

// NewProof begins the answer to a need.
func NewProof(n Need) *Proof {
	return &Proof{need: n, answer: Answer{Need: n.ID}, hash: sha256.New()}
}

// Take shows it one sample, which counts if it is of the need's tags and within
// its stretch of source time, both ends included.
func (p *Proof) Take(t sample.Tag, s Sample) {
	if s.T < p.need.From || s.T > p.need.To || !slices.Contains(p.need.Tags, t) {
		return
	}
	_, _ = p.hash.Write(append(s.JSON(), '\n')) // a hash takes everything
	p.answer.Count++
	p.answer.Last = s.I
	if p.answer.First == 0 {
		p.answer.First = s.I
	}
}

// Records shows it the samples of a stretch of the record, in canonical bytes.
// wiring gives their names. The error is the decoder's.
func (p *Proof) Records(wiring *Wiring, records []byte) error {
	return Each(records, func(in Input, out Outcome) error {
		Samples(wiring, in, out, p.Take)
		return nil
	})
}

// Answer is what it has seen so far.
func (p *Proof) Answer() *Answer {
	a := p.answer
	a.SHA256 = hex.EncodeToString(p.hash.Sum(nil))
	return &a
}
