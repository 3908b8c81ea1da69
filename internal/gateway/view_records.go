package gateway

import (
	"context"
	"errors"
	"math"

	"andon/internal/journal"
	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
)

// EachSample calls fn with the committed samples of a stretch of source time, in
// order of i, until it returns false. Commits that hold none of them are not
// read.
func (s shown) EachSample(ctx context.Context, r panel.SampleRange, fn func(record.Sample) bool) error {
	c := s.g.Committed()
	if c == nil {
		return nil // nothing is committed
	}
	from, to := bounds(r.From, r.To)
	err := s.g.j.Between(int64(from), int64(to), func(h journal.Header, records []byte) error {
		if err := ctx.Err(); err != nil || h.LastI() <= r.After {
			return err
		}
		more := true
		err := eachSample(c.Wiring, records, func(_ sample.Tag, x record.Sample) bool {
			if x.I > r.After && x.T >= from && x.T <= to {
				more = fn(x)
			}
			return more
		})
		if err == nil && !more {
			err = errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return err
}

// HasTag says whether the settings have a tag on a piece of equipment.
func (s shown) HasTag(equipment, tag string) bool {
	c := s.g.Committed()
	if c == nil {
		return false
	}
	_, ok := c.Wiring.Find(equipment, tag)
	return ok
}

// bounds are a stretch of time without open ends.
func bounds(from, to sample.Time) (sample.Time, sample.Time) {
	if from == 0 {
		from = math.MinInt64
	}
	if to == 0 {
		to = math.MaxInt64
	}
	return from, to
}

// tree is the journal's tree as the panel reads it.
type tree struct{ *journal.View }

// Size is that of the last commit that is known to be durable.
func (t tree) Size() int64 { return t.Head().Size }

// Tree is the record's.
func (s shown) Tree() panel.Tree { return tree{&s.g.j.View} }
