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
	ended := false
	turns := make([]judge.Turn, len(s.Equipment[e].Running))
	for r := range s.Equipment[e].Running {
		ru := &s.Equipment[e].Running[r]
		on, lot := s.underWay(e, r, t)
		switch {
		case on && ru.Operation == 0:
			ru.Operation, ru.Lot, turns[r] = t, lot, judge.Begun
		case ru.Operation != 0 && !on:
			ru.Operation, ru.Lot, turns[r] = 0, "", judge.Ended
		case ru.Operation != 0 && lot != ru.Lot:
			ru.Operation, ru.Lot, turns[r] = 0, "", judge.Ended
		}
		ended = ended || turns[r] == judge.Ended
	}
	for r, turn := range turns {
		d.tellOperation(e, r, t, turn)
	}
	if !ended {
		return
	}
	d.assign(e, t)
	for r := range s.Equipment[e].Running { // the next lot's operation begins where the last one ended
		if on, lot := s.underWay(e, r, t); on && s.Equipment[e].Running[r].Operation == 0 {
			s.Equipment[e].Running[r].Operation, s.Equipment[e].Running[r].Lot = t, lot
			d.tellOperation(e, r, t, judge.Begun)
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

// underWay says whether a revision's operation is running. What is not known
// changes nothing: an operation neither begins nor ends in a gap.
func (s *State) underWay(e, r int, t sample.Time) (on bool, lot string) {
	ru, doc, c := &s.Equipment[e].Running[r], s.x.docs[e][r], &s.Equipment[e].Context
	now := c.At(production.Lot, t)
	lot = ru.Lot
	if now.Known {
		lot = now.Text
	}
	if len(doc.AppliesWhen) == 0 {
		if !now.Known {
			return ru.Operation != 0, lot
		}
		return now.Text != "" && (operating(doc, c, t) == judge.Yes || ru.Operation != 0 && operating(doc, c, t) == judge.Maybe), lot
	}
	switch operating(doc, c, t) {
	case judge.Yes:
		return true, lot
	case judge.Maybe:
		return ru.Operation != 0, lot
	case judge.No:
	}
	return false, lot
}
