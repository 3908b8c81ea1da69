package modbus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// polling is one stretch of reads after reads, from a connection that stands
// until the link is lost.
type polling struct {
	*Source
	*schedule
	sink     Sink
	silent   map[uint8]bool // units that have failed since any one answered
	answered bool           // any one has, ever
}

// run polls until ctx is done or the link is lost; the error says which.
func (p *polling) run(ctx context.Context) error {
	for {
		q := p.next(p.elapsed())
		if q == nil { // no tags: there is nothing to do but to stand by
			<-ctx.Done()
			return ctx.Err()
		}
		if !wait(ctx, q.due-p.elapsed()) {
			return ctx.Err()
		}
		if err := p.once(ctx, q); err != nil {
			return err
		}
	}
}

// once makes one read and hands over what came of it.
func (p *polling) once(ctx context.Context, q *poll) error {
	data, failure := p.line.read(ctx, q.request())
	at := p.now()
	if err := ctx.Err(); err != nil {
		return err
	}
	p.count(q, failure, at)
	if err := p.weigh(ctx, q, failure); err != nil {
		return err
	}
	if halves := q.halves(failure); halves != nil {
		p.replace(q, halves)
		p.update(func(st *Status) { st.Blocks = len(p.polls) })
		return nil
	}
	p.report(q, q.done(p.elapsed()))
	if p.told {
		return nil // it is known that all is lost; nobody has answered since
	}
	p.tell(q, failure)
	scan := &record.Scan{Source: p.opts.Name, Time: at, Readings: q.readings(data, failure)}
	before := p.elapsed()
	if err := p.hand(ctx, p.sink, scan, at); err != nil {
		return err
	}
	p.update(func(st *Status) { st.Batches++; st.Samples += uint64(len(scan.Readings)) })
	return p.overflowed(ctx, before)
}

// weigh decides what a read's outcome says of the link. The error is that it is
// lost.
func (p *polling) weigh(ctx context.Context, q *poll, failure error) error {
	var refused *Exception
	if failure == nil || errors.As(failure, &refused) {
		clear(p.silent)
		p.answered = true
		p.connected()
		return nil
	}
	p.silent[q.unit] = true
	if !p.line.hasAnswered() && len(p.silent) == p.units {
		return fmt.Errorf("nobody answers: %w", failure)
	}
	if err := p.line.connect(ctx); err != nil {
		return fmt.Errorf("%w, after %w", err, failure)
	}
	return nil
}

// halves splits the read if its failure was about one of several addresses; nil
// if not.
func (p *poll) halves(failure error) []*block {
	var refused *Exception
	if !errors.As(failure, &refused) || !refused.aboutAddress() {
		return nil
	}
	return p.split()
}

// readings are what an answer holds, or bad ones for a read that failed.
func (b *block) readings(data []byte, failure error) []sample.Reading {
	list := make([]sample.Reading, len(b.items))
	for i, it := range b.items {
		if failure != nil {
			list[i] = it.bad(statusOf(failure))
		} else {
			list[i] = it.reading(data, b.first)
		}
	}
	return list
}

// overflowed hands over, as a Loss, the polls that could not be made because the
// gateway took its time from before until now: all of a period, or more.
func (p *polling) overflowed(ctx context.Context, before time.Duration) error {
	now := p.elapsed()
	var tags []sample.Tag
	for _, q := range p.polls {
		if now-before < q.every || q.behind(now) <= q.behind(before) {
			continue
		}
		p.report(q, q.skip(now))
		for _, it := range q.items {
			tags = append(tags, it.Tag)
		}
	}
	if len(tags) == 0 {
		return nil
	}
	slices.Sort(tags)
	detail := fmt.Sprintf("the gateway was busy for %v and polls were missed", (now - before).Round(time.Millisecond))
	return p.hand(ctx, p.sink, &record.Loss{Source: p.opts.Name, Tags: tags, Cause: CauseOverflow, Detail: detail}, p.now())
}

// report notes missed polls: each in the status, a stretch of them in the log.
func (p *polling) report(q *poll, missed int) {
	p.update(func(st *Status) { st.Missed += uint64(missed) })
	switch late := missed > 0; {
	case late == q.late:
	case late:
		p.opts.Logger.Warn("polls come too late", "read", q.String(), "every", q.every, "missed", missed)
	default:
		p.opts.Logger.Info("polls are in time again", "read", q.String(), "every", q.every)
	}
	q.late = missed > 0
}

// count notes a read's outcome in the status.
func (p *polling) count(q *poll, failure error, at sample.Time) {
	var refused *Exception
	p.update(func(st *Status) {
		st.Reads++
		st.Connects = p.line.connections()
		if failure != nil {
			st.Failed++
		}
		if failure == nil || errors.As(failure, &refused) {
			st.LastAnswer = at
		}
		for _, it := range q.items {
			if failure != nil {
				st.Failing[it.Tag] = statusOf(failure)
			} else {
				delete(st.Failing, it.Tag)
			}
		}
	})
}

// tell says in the log that a read's outcome is another than before.
func (p *polling) tell(q *poll, failure error) {
	status := ""
	if failure != nil {
		status = statusOf(failure)
	}
	switch {
	case status == q.failed:
		return
	case failure != nil:
		p.opts.Logger.Warn("tags cannot be read", "read", q.String(), "tags", len(q.items), "err", failure)
	default:
		p.opts.Logger.Info("tags can be read again", "read", q.String(), "tags", len(q.items))
	}
	q.failed = status
}
