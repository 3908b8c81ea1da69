package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"andon/internal/outbox"
	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
)

// excursions makes n gaps of a tag, each with a lot of its own, some commits
// apart.
func excursions(t *testing.T, d *decider, n, apart int) {
	t.Helper()
	w := wiring
	w.Equipment = []record.Equipment{{Name: "furn-03", Context: []record.Binding{{Field: "phase", Tag: "tc1"}, {Field: "lot", From: "mes"}}}}
	if err := d.decide(at0, &record.Start{Gateway: "g1", Epoch: d.j.Head().Epoch, Wiring: w}); err != nil {
		t.Fatal(err)
	}
	at := at0
	do := func(b record.Body) {
		t.Helper()
		at = at.Add(time.Second)
		if s, ok := b.(*record.Scan); ok {
			s.Time = at
		}
		if err := d.decide(at, b); err != nil {
			t.Fatal(err)
		}
		mustFlush(t, d)
	}
	scan := func() {
		do(&record.Scan{Source: "plc", Readings: []sample.Reading{{Tag: 0, Value: sample.IntValue(int64(at % 97))}}})
	}
	for i := range n {
		do(&record.Context{Equipment: "furn-03", Fields: map[string]string{"lot": lotOf(i)}, By: "mes", Verified: true})
		scan()
		do(&record.Loss{Source: "plc", Tags: []sample.Tag{0}, Cause: "link"})
		scan()
		for range apart {
			scan()
		}
	}
}

// lotOf is a lot that must be escaped wherever it is written.
func lotOf(i int) string { return fmt.Sprintf("L<%d>\"&é", i) }

// TestPast: an event and a lot are found with all their revisions though nothing
// is remembered of them, across pages, and nothing of another is.
func TestPast(t *testing.T) {
	d := watched(t)
	excursions(t, d, 4, 3)
	remembered := d.ledger.list(&d.s.Outbox).Events
	if len(remembered) < 4 {
		t.Fatalf("%d events", len(remembered))
	}
	for _, page := range []int{1, 3, 1000} {
		t.Run(strconv.Itoa(page), func(t *testing.T) { testPast(t, d, remembered, stretch{page, 1000}) })
	}
}

func testPast(t *testing.T, d *decider, remembered []panel.Event, s stretch) {
	past := func(q panel.PastQuery) (panel.Past, error) {
		return s.past(t.Context(), &d.j.View, d.committed.Load(), q)
	}
	for i := range 4 {
		p, err := past(panel.PastQuery{Lot: lotOf(i)})
		if err != nil || !p.Complete || len(p.Events) == 0 {
			t.Fatalf("lot %d: %+v, %v", i, p, err)
		}
		for _, e := range p.Events {
			if !slices.Contains(e.Lots, lotOf(i)) || !e.Complete || e.Receipt != panel.Queued {
				t.Errorf("lot %d: %+v", i, e)
			}
		}
	}
	for _, want := range remembered {
		p, err := past(panel.PastQuery{Event: want.ID})
		if err != nil || len(p.Events) != 1 || !p.Complete {
			t.Fatalf("%s: %+v, %v", want.ID, p, err)
		}
		if got := p.Events[0]; got.ID != want.ID || len(got.Revisions) != len(want.Revisions) || !got.Complete || got.State != want.State {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	for _, q := range []panel.PastQuery{{Event: "dev-none"}, {Lot: "L<"}, {Lot: ""}} {
		if p, err := past(q); err != nil || len(p.Events) != 0 || !p.Complete || p.From == 0 {
			t.Errorf("%+v: %+v, %v", q, p, err)
		}
	}
}

// TestPastIsBounded: what was not searched is not claimed: neither behind the
// greatest number of commits nor when whoever asked has gone.
func TestPastIsBounded(t *testing.T) {
	d := watched(t)
	samples(t, d, 30, 1)
	size := uint64(d.j.Head().Size)
	const page = 7
	read, all := 0, []byte(nil) // every commit holds nothing
	count := func(page [][]byte) (bool, error) { read += len(page); return false, nil }
	first, at, err := stretch{page, page}.backward(t.Context(), &d.j.View, size, all, count)
	if err != nil || read != page || first != size-page+1 || at == 0 {
		t.Errorf("read %d commits down to %d at %v, %v", read, first, at, err)
	}
	first, _, err = stretch{page, 1000}.backward(t.Context(), &d.j.View, first-1, all, count)
	if err != nil || read != int(size) || first != 1 {
		t.Errorf("the rest: read %d of %d commits down to %d, %v", read, size, first, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := shownOf(d).Past(ctx, panel.PastQuery{Lot: "L"}); err != nil || p.Complete {
		t.Errorf("nobody waits: %+v, %v", p, err)
	}
	midway, stop := context.WithCancel(t.Context())
	if first, _, err := (stretch{page, 1000}).backward(midway, &d.j.View, size, all, func([][]byte) (bool, error) { stop(); return false, nil }); err != nil || first != size-page+1 {
		t.Errorf("stopped behind the first page: down to %d, %v", first, err)
	}
	broken := errors.New("no")
	if _, _, err := (stretch{page, page}).backward(t.Context(), &d.j.View, size, all, func([][]byte) (bool, error) { return false, broken }); !errors.Is(err, broken) {
		t.Errorf("an error is swallowed: %v", err)
	}
}

// TestOldDeadLetters: what was rejected before the session began is found, with
// what has been since behind it, and the list says when it is not whole.
func TestOldDeadLetters(t *testing.T) {
	d := watched(t)
	excursions(t, d, 2, 3)
	reject := func(seq uint64) {
		t.Helper()
		at := d.s.At.Add(time.Second)
		r := &record.Receipt{Consumer: "qms", Epoch: d.j.Head().Epoch, Lane: outbox.Quality, Signed: true,
			Rejected: []record.Rejection{{Seq: seq, Code: "schema", Reason: "no " + strconv.FormatUint(seq, 10), Topic: "quality/gap", SHA256: "00"}}}
		if err := d.decide(at, r); err != nil {
			t.Fatal(err)
		}
		mustFlush(t, d)
	}
	list := func() panel.DeadLetters {
		t.Helper()
		g := &Gateway{j: d.j}
		g.committed.Store(d.committed.Load())
		g.ledger.Store(d.ledger)
		l, err := shown{g}.DeadLetters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if l := list(); !l.Complete || len(l.Dead) != 0 {
		t.Errorf("nothing rejected: %+v", l)
	}
	reject(1)
	reject(2)
	d.viewer, d.ledger = newViewer("v1"), &ledger{size: d.j.Head().Size} // another session
	reject(3)
	l := list()
	if !l.Complete || len(l.Dead) != 3 || l.Dead[0].Seq != 1 || l.Dead[2].Seq != 3 || l.Dead[0].Reason != "no 1" || l.From == 0 {
		t.Errorf("%+v", l)
	}
	if again := list(); !again.Complete || len(again.Dead) != 3 {
		t.Errorf("asked again: %+v", again)
	}
	d.ledger.morgue = oldLetters{begun: true, first: 1} // all is searched, and two are not there
	if l := list(); l.Complete || len(l.Dead) != 1 {
		t.Errorf("not to be found: %+v", l)
	}
}
