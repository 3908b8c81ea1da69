package panel

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/record"
	"andon/internal/sample"
)

// Bounds on reading the record: it shares disk and processors with recording.
const (
	readFor    = 10 * time.Second // for one answer
	readAtOnce = 2                // answers
)

// SampleRange says which samples of the record are wanted.
type SampleRange struct {
	From, To sample.Time // source time, both included; 0 for no bound
	After    uint64      // only those with a greater number i
}

// Sample is one sample as it is sent. Its JSON is the exact bytes over which
// evidence is hashed.
type Sample struct{ record.Sample }

// MarshalJSON gives the sample's exact bytes.
func (s Sample) MarshalJSON() ([]byte, error) { return s.JSON(), nil }

// Schema describes it for the API.
func (Sample) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true,
		Description: "`{i, equipment, tag, t, ta, v, raw, q, st}`: number, source time, arrival, value, raw value if scaled, quality, status; these very bytes, each with a newline behind it, are what evidence is hashed over"}
}

// Span is a stretch of time as it is asked for; its name is exported since huma
// looks into no other embedded struct.
type Span struct {
	From time.Time `query:"from" doc:"RFC 3339; none: from the beginning"`
	To   time.Time `query:"to" doc:"RFC 3339, included; none: to the end"`
}

// times are the bounds, 0 for none.
func (s Span) times() (from, to sample.Time, err error) {
	from, to = sample.At(s.From), sample.At(s.To)
	switch {
	case from == 0 && !s.From.IsZero() || to == 0 && !s.To.IsZero():
		return 0, 0, huma.Error422UnprocessableEntity("from and to must lie in the years 1678 to 2261")
	case from != 0 && to != 0 && to < from:
		return 0, 0, huma.Error422UnprocessableEntity("to is before from")
	}
	return from, to, nil
}

// reading runs do, which reads the record, within the bounds.
func (p *Panel) reading(ctx context.Context, do func(context.Context) error) error {
	if _, err := p.state(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	select {
	case p.reads <- struct{}{}:
		defer func() { <-p.reads }()
	case <-ctx.Done():
		return huma.Error429TooManyRequests("the record is being read by others: try again in a few seconds")
	}
	err := do(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return huma.Error503ServiceUnavailable("this takes too long to read beside recording: ask for a shorter time, or use andon journal export")
	}
	var said huma.StatusError
	if err == nil || errors.As(err, &said) {
		return err
	}
	p.o.Log.Error("the record could not be read", "err", err)
	return huma.Error500InternalServerError("the record could not be read: andon journal verify says what is wrong with it")
}

type recordsInput struct {
	Span
	After uint64 `query:"after" doc:"next of the answer before"`
	Limit int    `query:"limit" minimum:"1" maximum:"10000" default:"10000"`
}

// recordList is the answer to GET records.
type recordList struct {
	Records []Sample `json:"records" doc:"in the order in which they were recorded"`
	Next    uint64   `json:"next,omitempty" doc:"there may be more: ask again with after set to this"`
}

func (p *Panel) routeRecords(api huma.API) {
	get(api, "records", "Samples by source time, in the order of the record", func(ctx context.Context, in *recordsInput) (*answer[recordList], error) {
		list, err := p.records(ctx, in)
		return &answer[recordList]{list}, err
	})
	get(api, "events/{id}/evidence", "The samples that an event names, and whether they still are what it says", func(ctx context.Context, in *evidenceInput) (*answer[evidenceAnswer], error) {
		a, err := p.evidence(ctx, in)
		return &answer[evidenceAnswer]{a}, err
	})
	get(api, "trend", "Least and greatest value of one tag in each of so many stretches of time", func(ctx context.Context, in *trendInput) (*answer[trend], error) {
		t, err := p.trend(ctx, in)
		return &answer[trend]{t}, err
	})
}

func (p *Panel) records(ctx context.Context, in *recordsInput) (recordList, error) {
	list := recordList{Records: []Sample{}}
	from, to, err := in.times()
	if err != nil {
		return list, err
	}
	err = p.reading(ctx, func(ctx context.Context) error {
		return p.o.Gateway.EachSample(ctx, SampleRange{From: from, To: to, After: in.After}, func(s record.Sample) bool {
			if len(list.Records) == in.Limit {
				list.Next = list.Records[in.Limit-1].I
				return false
			}
			list.Records = append(list.Records, Sample{s})
			return true
		})
	})
	return list, err
}
