package panel

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/record"
	"andon/internal/sample"
)

type trendInput struct {
	Equipment string    `query:"equipment" required:"true" minLength:"1" maxLength:"200"`
	Tag       string    `query:"tag" required:"true" minLength:"1" maxLength:"200"`
	From      time.Time `query:"from" required:"true" doc:"RFC 3339, source time"`
	To        time.Time `query:"to" required:"true" doc:"RFC 3339, included"`
	Points    int       `query:"points" minimum:"1" maximum:"2000" default:"500"`
}

// trend is the answer to GET trend.
type trend struct {
	Equipment string   `json:"equipment"`
	Tag       string   `json:"tag"`
	From      Instant  `json:"from"`
	To        Instant  `json:"to"`
	StepNS    int64    `json:"step_ns" doc:"how long a bucket is: bucket k begins at from + k steps"`
	Buckets   []bucket `json:"buckets" doc:"as many as reach to, at most the points asked for"`
}

// bucket is one stretch of a trend. Nothing is put in between: a bucket without
// samples says only that none was recorded, and the value may have stood.
type bucket struct {
	Min *float64 `json:"min" doc:"null without a number"`
	Max *float64 `json:"max" doc:"null without a number"`
	N   int      `json:"n" doc:"numbers of good or uncertain quality: min and max are theirs"`
	Bad int      `json:"bad,omitempty" doc:"samples of bad quality, or that are no number"`
}

// trend is the least and the greatest of each bucket: no peak is lost, however
// few points there are.
func (p *Panel) trend(ctx context.Context, in *trendInput) (trend, error) {
	from, to, err := Span{in.From, in.To}.times()
	if err != nil {
		return trend{}, err
	}
	length := to.Sub(from)
	if from == 0 || to == 0 || length < 0 {
		return trend{}, huma.Error422UnprocessableEntity("a trend needs from and to, at most 290 years apart")
	}
	step := length/time.Duration(in.Points) + 1
	t := trend{Equipment: in.Equipment, Tag: in.Tag, From: Instant(from), To: Instant(to), StepNS: int64(step), Buckets: make([]bucket, length/step+1)}
	err = p.reading(ctx, func(ctx context.Context) error {
		return p.o.Gateway.EachSample(ctx, SampleRange{From: from, To: to}, func(s record.Sample) bool {
			if s.Equipment == in.Equipment && s.Tag == in.Tag {
				t.Buckets[s.T.Sub(from)/step].take(s)
			}
			return true
		})
	})
	if err == nil && t.empty() && !p.o.Gateway.HasTag(in.Equipment, in.Tag) {
		err = huma.Error404NotFound("there is no tag " + in.Equipment + "/" + in.Tag + " in the settings, and nothing of it is on record in that time")
	}
	return t, err
}

// empty says whether no sample was found.
func (t *trend) empty() bool {
	return !slices.ContainsFunc(t.Buckets, func(b bucket) bool { return b.N+b.Bad > 0 })
}

func (b *bucket) take(s record.Sample) {
	v, ok := s.V.Number()
	if !ok || s.Q == sample.Bad {
		b.Bad++
		return
	}
	if b.N++; b.N == 1 {
		least, greatest := v, v
		b.Min, b.Max = &least, &greatest
		return
	}
	*b.Min, *b.Max = min(*b.Min, v), max(*b.Max, v)
}
