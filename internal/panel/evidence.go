package panel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/quality"
	"andon/internal/record"
)

type evidenceInput struct {
	ID    string `path:"id" maxLength:"200"`
	After uint64 `query:"after" doc:"next of the answer before"`
	Limit int    `query:"limit" minimum:"1" maximum:"10000" default:"10000"`
}

// evidenceAnswer is the answer to GET events/{id}/evidence.
type evidenceAnswer struct {
	EventID  string   `json:"event_id"`
	Revision int      `json:"revision" doc:"of the event: the one that names this evidence"`
	Tags     []string `json:"tags" doc:"of the event's equipment: the inputs of its parameter"`
	From     Instant  `json:"from" doc:"source time, included"`
	To       Instant  `json:"to" doc:"source time, included"`
	Told     proof    `json:"told" doc:"as the event says"`
	Found    proof    `json:"found" doc:"as computed now from the record"`
	Match    bool     `json:"match" doc:"whether the two are the same"`
	Records  []Sample `json:"records"`
	Next     uint64   `json:"next,omitempty" doc:"there are more: ask again with after set to this"`
}

// proof is what samples are known by.
type proof struct {
	Records [2]uint64 `json:"records" doc:"i of the first and the last sample"`
	Count   uint64    `json:"count"`
	SHA256  string    `json:"sha256" doc:"hex, over the samples' bytes, each with a newline behind it"`
}

// evidence reads the samples that an event names again, and says whether they
// still are what the event says of them. Samples that came late, after the event
// had been told, are not part of what it says.
func (p *Panel) evidence(ctx context.Context, in *evidenceInput) (evidenceAnswer, error) {
	e, err := p.findEvent(ctx, in.ID)
	if err != nil {
		return evidenceAnswer{}, err
	}
	if e.Document == nil || e.Document.Evidence == nil {
		return evidenceAnswer{}, huma.Error404NotFound("event " + in.ID + " names no evidence: a gap has none, and an excursion's is told once it is over and the time after it has passed")
	}
	c := checkerOf(&e.Document.Document, in)
	err = p.reading(ctx, func(ctx context.Context) error {
		w := e.Document.Evidence.Window
		return p.o.Gateway.EachSample(ctx, SampleRange{From: w.From, To: w.To}, c.take)
	})
	if err != nil {
		return evidenceAnswer{}, err
	}
	c.answer.Found.SHA256 = hex.EncodeToString(c.hash.Sum(nil))
	c.answer.Match = c.answer.Found == c.answer.Told
	return c.answer, nil
}

// checker gathers evidence and hashes all of it, whatever page is asked for.
type checker struct {
	equipment string
	in        *evidenceInput
	hash      hash.Hash
	answer    evidenceAnswer
}

func checkerOf(d *quality.Document, in *evidenceInput) *checker {
	e := d.Evidence
	c := &checker{equipment: d.Equipment.ID, in: in, hash: sha256.New(), answer: evidenceAnswer{EventID: d.EventID, Revision: d.Revision, Tags: []string{},
		From: Instant(e.Window.From), To: Instant(e.Window.To), Told: proof{e.Records, e.Count, e.SHA256}, Records: []Sample{}}}
	for _, s := range d.Equipment.Sensors {
		c.answer.Tags = append(c.answer.Tags, s.Input)
	}
	return c
}

func (c *checker) take(s record.Sample) bool {
	a := &c.answer
	if s.I > a.Told.Records[1] {
		return false // they come in order of i
	}
	if s.I < a.Told.Records[0] || s.Equipment != c.equipment || !slices.Contains(a.Tags, s.Tag) {
		return true
	}
	c.hash.Write(append(s.JSON(), '\n'))
	if a.Found.Count++; a.Found.Count == 1 {
		a.Found.Records[0] = s.I
	}
	a.Found.Records[1] = s.I
	switch {
	case s.I <= c.in.After:
	case len(a.Records) < c.in.Limit:
		a.Records = append(a.Records, Sample{s})
	default:
		a.Next = a.Records[c.in.Limit-1].I
	}
	return true
}
