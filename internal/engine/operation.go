package engine

import (
	"andon/internal/judge"
	"andon/internal/production"
	"andon/internal/sample"
)

// operation begins and ends operations as applies_when, or the lot where there
// is none, comes and goes. An end lets a newer revision take over.
func (d *decision) operation(e int, t sample.Time) {
	s := d.s
	ended := sample.Time(0)
	for r := range s.Equipment[e].Running {
		turn, at := s.turnOperation(e, r, t)
		d.tellOperation(e, r, at, turn)
		if turn == judge.Ended {
			ended = max(ended, at)
		}
	}
	if ended == 0 {
		return
	}
	d.assign(e, ended)
	d.beginOperations(e, ended) // the next lot's begins where the last one ended
}

// beginOperations begins what begins at t: before the values are judged that
// came together with it, since they are a part of it. An end comes behind them,
// since it is they that tell what was until then.
func (d *decision) beginOperations(e int, t sample.Time) {
	for r := range d.s.Equipment[e].Running {
		if d.s.Equipment[e].Running[r].Operation == 0 {
			turn, at := d.s.turnOperation(e, r, t)
			d.tellOperation(e, r, at, turn)
		}
	}
}

// tellOperation lets a revision's parameters know that an operation has begun or
// ended.
func (d *decision) tellOperation(e, r int, t sample.Time, turn judge.Turn) {
	if turn == 0 {
		return
	}
	for p := range d.s.Equipment[e].Running[r].Parameters {
		a := place{e, r, p}
		d.step(a, judge.Step{Told: judge.ToldOperation, T: t, Turn: turn})
		d.passed(a)
	}
}

// turnOperation begins or ends a revision's operation at t, if that is what the
// context says. When something is known of a later instant already, that counts,
// and t is when only if it said the same: what is said of the past neither ends
// an operation before it began nor keeps one from beginning.
func (s *State) turnOperation(e, r int, t sample.Time) (turn judge.Turn, at sample.Time) {
	ru, c := &s.Equipment[e].Running[r], &s.Equipment[e].Context
	now := max(t, newest(c))
	on, lot := s.underWay(e, r, now), c.At(production.Lot, now)
	if before := c.At(production.Lot, t); t <= ru.Operation || s.underWay(e, r, t) != on || before.Known != lot.Known || before.Text != lot.Text {
		t = now
	}
	switch {
	case on && ru.Operation == 0:
		ru.Operation, ru.Lot = t, lot.Text
		return judge.Begun, t
	case ru.Operation == 0:
	case !on, s.otherLot(e, r, lot):
		ru.Operation, ru.Lot = 0, ""
		return judge.Ended, t
	case lot.Known:
		ru.Lot = lot.Text
	}
	return 0, t
}

// newest is the latest instant of which the context says anything.
func newest(c *production.Context) (t sample.Time) {
	for _, line := range c.Fields {
		t = max(t, line[len(line)-1].From)
	}
	return t
}

// otherLot says whether a lot is another one than that of the operation under
// way. An operation that began before its lot was known is of the first one that
// is.
func (s *State) otherLot(e, r int, lot production.Value) bool {
	ru := &s.Equipment[e].Running[r]
	was := s.Equipment[e].Context.At(production.Lot, ru.Operation) // known since, perhaps
	if !was.Known {
		was = production.Value{Text: ru.Lot, Known: ru.Lot != ""}
	}
	return lot.Known && was.Known && was.Text != lot.Text
}

// underWay says whether a revision's operation is running. What is not known
// changes nothing: an operation neither begins nor ends in a gap.
func (s *State) underWay(e, r int, t sample.Time) bool {
	ru, doc, c := &s.Equipment[e].Running[r], s.x.docs[e][r], &s.Equipment[e].Context
	if ru.Withdrawn != 0 {
		return false // it decides nothing
	}
	if len(doc.AppliesWhen) == 0 {
		switch lot := c.At(production.Lot, t); {
		case !lot.Known:
			return ru.Operation != 0
		case lot.Text == "":
			return false
		}
	}
	switch operating(doc, c, t) {
	case judge.Yes:
		return true
	case judge.Maybe:
		return ru.Operation != 0
	case judge.No:
	}
	return false
}
