package gateway

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"andon/internal/engine"
	"andon/internal/journal"
	"andon/internal/outbox"
	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
)

// watched is a decider on a new journal whose work is shown.
func watched(t *testing.T) *decider {
	d := newDecider(t)
	d.viewer, d.ledger = newViewer("v1"), &ledger{}
	return d
}

// TestViewIsCommitted: what is shown is what has been committed: nothing of a
// group that still waits, and a picture that was handed out does not change.
//
//andon:req Q57
func TestViewIsCommitted(t *testing.T) {
	d := watched(t)
	samples(t, d, 3, 1)
	first := d.committed.Load().View
	if first == nil || !first.Recording || first.Head.Size != d.j.Head().Size || first.Outbox.Lanes["record"].Raised != 6 {
		t.Fatalf("shown: %+v", first)
	}
	at := at0.Add(time.Minute)
	if err := d.decide(at, &record.Context{Equipment: "furn-03", Fields: map[string]string{"lot": "L-9"}, By: "mes", Verified: true}); err != nil {
		t.Fatal(err)
	}
	if err := d.decide(at, &record.Scan{Source: "plc", Time: at, Readings: []sample.Reading{{Tag: 0, Value: sample.FloatValue(1)}}}); err != nil {
		t.Fatal(err)
	}
	if now := d.committed.Load().View; now != first || len(now.Equipment[0].Context) != 0 || now.Outbox.Lanes["record"].Raised != 6 {
		t.Errorf("shown before the commit: %+v", now)
	}
	mustFlush(t, d)
	now := d.committed.Load().View
	if len(now.Equipment[0].Context) != 1 || now.Equipment[0].Context[0].Value != "L-9" || now.Outbox.Lanes["record"].Raised != 7 {
		t.Errorf("shown after the commit: %+v", now)
	}
	if len(first.Equipment[0].Context) != 0 || first.Outbox.Lanes["record"].Raised != 6 {
		t.Errorf("a picture that was handed out has changed: %+v", first)
	}
	d.recording(false)
	if idle := d.committed.Load().View; idle.Recording || idle.Head != now.Head || !now.Recording {
		t.Errorf("not recording: %+v", idle)
	}
}

// tellEvent is one revision of a deviation as the engine would tell it.
func tellEvent(seq uint64, id string, revision int, state string) record.Entry {
	return record.Entry{Lane: outbox.Quality, Seq: seq, Topic: "quality/deviation", Payload: fmt.Appendf(nil,
		`{"data":{"event_id":%q,"revision":%d,"kind":"deviation","state":%q,"raised_at":"2026-01-01T00:00:%02dZ","product":{"lots":["L"]}}}`, id, revision, state, seq)}
}

// TestLedger: revisions make one event; each is queued until its own receipt has
// been committed, and rejected for good.
func TestLedger(t *testing.T) {
	l, st := &ledger{}, outbox.New("e1", []string{"qms"})
	tell := func(id string, revision int, state string) {
		l.decided(at0, &record.Outcome{Entries: []record.Entry{tellEvent(st.Next(outbox.Quality), id, revision, state)}})
	}
	receipt := func(r outbox.Receipt) {
		r.Consumer, r.Epoch, r.Lane = "qms", "e1", outbox.Quality
		var out record.Outcome
		for _, x := range st.Receipt(r).Retired {
			out.Retired = append(out.Retired, record.Retired(x))
		}
		l.decided(at0.Add(time.Second), &out)
	}
	states := func() (got string) {
		for _, e := range l.list(&st).Events {
			got += fmt.Sprintf("%s %v %s:", e.ID, e.Open, e.Receipt)
			for _, r := range e.Revisions {
				got += fmt.Sprintf(" %d %s", r.Revision, r.Receipt)
			}
			got += "; "
		}
		return got
	}
	tell("dev-a", 1, "opened")
	if got := states(); got != "" {
		t.Errorf("listed before the commit: %s", got)
	}
	l.committed()
	tell("dev-b", 1, "opened")
	tell("dev-a", 2, "returned_to_spec")
	receipt(outbox.Receipt{UpTo: 1})
	l.committed()
	if got, want := states(), "dev-a false queued: 1 receipted 2 queued; dev-b true queued: 1 queued; "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	receipt(outbox.Receipt{UpTo: 3, Rejected: []outbox.Rejection{{Seq: 2, Code: "x", Reason: "y"}}})
	l.committed()
	if got, want := states(), "dev-a false receipted: 1 receipted 2 receipted; dev-b true rejected: 1 rejected; "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if held := l.list(&st).Events[0].Revisions[0].HeldAt; held != panel.Instant(at0.Add(time.Second)) {
		t.Errorf("receipted at %v", held)
	}
}

// TestLedgerBounded: a flood of events does not fill the memory, and the list says
// from when on it is complete.
func TestLedgerBounded(t *testing.T) {
	l, st := &ledger{whole: true}, outbox.New("e1", nil)
	for i := range 20_000 {
		l.decided(at0.Add(time.Duration(i)), &record.Outcome{Entries: []record.Entry{tellEvent(st.Next(outbox.Quality), fmt.Sprintf("dev-%d", i), 1, "opened")}})
		l.committed()
	}
	list := l.list(&st)
	if len(list.Events) > eventsKept || len(l.told) > 8*eventsKept || list.Since == 0 {
		t.Errorf("%d events, %d revisions, complete since %v", len(list.Events), len(l.told), list.Since)
	}
}

// TestRecall: after a start the events that the record holds are listed again,
// with what has been told since behind them, none lost and none twice.
func TestRecall(t *testing.T) {
	d := watched(t)
	lossAndReturn := func(i int) {
		at := at0.Add(time.Duration(i) * time.Minute)
		if err := d.decide(at, &record.Loss{Source: "plc", Tags: []sample.Tag{0}, Cause: "link"}); err != nil {
			t.Fatal(err)
		}
		mustFlush(t, d)
		at = at.Add(time.Second)
		if err := d.decide(at, &record.Scan{Source: "plc", Time: at, Readings: []sample.Reading{{Tag: 0, Value: sample.IntValue(int64(i))}}}); err != nil {
			t.Fatal(err)
		}
		mustFlush(t, d)
	}
	// a tag that nothing depends on makes no gap
	w := wiring
	w.Equipment = []record.Equipment{{Name: "furn-03", Context: []record.Binding{{Field: "lot", Tag: "tc1"}}}}
	if err := d.decide(at0, &record.Start{Gateway: "g1", Epoch: d.j.Head().Epoch, Wiring: w}); err != nil {
		t.Fatal(err)
	}
	samples(t, d, 5, 1)
	before := d.j.Head().Size
	for i := range 3 {
		lossAndReturn(i + 1)
	}
	want := d.ledger.list(&d.s.Outbox)
	if len(want.Events) == 0 {
		t.Fatal("no event to recall")
	}
	for size := before; size <= d.j.Head().Size; size++ {
		fresh := &ledger{}
		if err := d.j.Commits(uint64(size)+1, func(_ journal.Header, records []byte) error {
			var h history
			if err := h.take(records); err != nil {
				return err
			}
			fresh.pending, fresh.retired = h.told, h.held
			fresh.committed()
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := fresh.fill(t.Context(), &d.j.View, uint64(size)); err != nil {
			t.Fatal(err)
		}
		got := fresh.list(&d.s.Outbox)
		if diff := cmp.Diff(asJSON(t, got.Events), asJSON(t, want.Events)); got.Since != 0 || diff != "" {
			t.Errorf("from %d commits: complete since %v (-got +want):\n%s", size, got.Since, diff)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestClockShown: how far off our clock is stands there only when it is known.
func TestClockShown(t *testing.T) {
	s := engine.New()
	s.Clock.Source, s.Clock.Offset, s.Clock.Uncertainty = "adjtimex", time.Millisecond, time.Second
	if c := clockOf(s); c.OffsetMS != nil || c.UncertaintyMS != nil {
		t.Errorf("not synchronised: %+v", c)
	}
	s.Clock.Synced = true
	if c := clockOf(s); c.OffsetMS == nil || *c.OffsetMS != 1 || c.UncertaintyMS == nil || *c.UncertaintyMS != 1000 {
		t.Errorf("synchronised: %+v", c)
	}
}
