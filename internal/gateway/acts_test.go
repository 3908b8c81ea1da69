package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"andon/internal/outbox"
	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
)

// deciding runs a decider whose acts are handed in as the panel does; the
// function ends it.
func deciding(t *testing.T, d *decider) (shown, func()) {
	t.Helper()
	in := newIntake()
	g := &Gateway{j: d.j, o: Options{Now: func() time.Time { return at0.Std() }}}
	d.committed = &g.committed
	g.in.Store(in)
	ended := make(chan error, 1)
	go func() {
		ended <- d.run(t.Context(), in)
		close(in.gone)
	}()
	return shown{g}, func() {
		close(in.stop)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		<-in.gone
	}
}

// TestHand: an act is known by the commit that holds it and by why it was
// refused, as often as it is asked for; what is said is shown with that commit,
// all fields in one, and as said at the panel; and nothing is taken any more when
// the gateway has stopped.
//
//andon:req Q60
func TestHand(t *testing.T) {
	d := watched(t)
	w := wiring
	w.Equipment = []record.Equipment{{Name: "furn-03", Context: []record.Binding{{Field: "lot", Tag: "tc1"}, {Field: "operator", From: "panel"}, {Field: "material", From: "mes"}}}}
	if err := d.decide(at0, &record.Start{Gateway: "g1", Epoch: d.j.Head().Epoch, Wiring: w}); err != nil {
		t.Fatal(err)
	}
	mustFlush(t, d)
	s, stop := deciding(t, d)
	for _, c := range []struct {
		name    string
		act     record.Act
		refused string
	}{
		{"said", record.Act{User: "op1", Kind: record.SetContext, Target: "furn-03", Fields: map[string]string{"operator": "Ann", "material": "M-1"}}, ""},
		{"a tag's", record.Act{User: "op1", Kind: record.SetContext, Target: "furn-03", Fields: map[string]string{"lot": "L-9"}}, "lot comes from the tag furn-03/tc1"},
		{"no such alarm", record.Act{User: "op1", Kind: record.Shelve, Target: "alm-x"}, "no such alarm is active"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := d.j.Head().Size
			h, err := s.Hand(t.Context(), &c.act)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, err := h(t.Context())
				if err != nil || got != (panel.Settled{Size: before + 1, Refused: c.refused}) {
					t.Errorf("%+v, %v, want refused %q in commit %d", got, err, c.refused, before+1)
				}
			}
		})
	}
	fields := map[string]panel.Field{}
	for _, f := range s.State().Equipment[0].Context {
		fields[f.Name] = f
	}
	if f := fields["operator"]; f.Value != "Ann" || f.By != "panel" || f.From != panel.FromPanel {
		t.Errorf("operator: %+v", f)
	}
	if f := fields["material"]; f.Value != "M-1" || f.By != "panel" || f.From != panel.FromMES {
		t.Errorf("material: %+v", f)
	}
	if f := fields["lot"]; f.Known || f.From != panel.FromTag || f.Tag != "tc1" {
		t.Errorf("lot: %+v", f)
	}
	stop()
	if _, err := s.Hand(t.Context(), &record.Act{}); !errors.Is(err, errStopped) {
		t.Errorf("handed in after the end: %v", err)
	}
}

// TestHandedIsLost: what was taken and not decided is not known, for now while it
// may still be decided, for good when nobody decides any more.
func TestHandedIsLost(t *testing.T) {
	in, g := newIntake(), &Gateway{o: Options{Now: time.Now}}
	g.in.Store(in)
	h, err := shown{g}.Hand(t.Context(), &record.Act{})
	if err != nil {
		t.Fatal(err)
	}
	now, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h(now); !errors.Is(err, context.Canceled) {
		t.Errorf("while it waits: %v", err)
	}
	close(in.gone)
	if _, err := h(t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("when nobody decides any more: %v", err)
	}
}

// TestShelvedView: a shelved alarm is shown with who, why and until when, and
// as it is again when its time is over, by the clock alone.
//
//andon:req Q49
func TestShelvedView(t *testing.T) {
	d := watched(t)
	// the alarm of a quality system that does not answer, after a minute
	at := at0.Add(2 * time.Minute)
	for _, x := range []sample.Time{at0.Add(time.Second), at} {
		if err := d.decide(x, &record.Tick{}); err != nil {
			t.Fatal(err)
		}
	}
	mustFlush(t, d)
	alarms := d.committed.Load().View.Alarms
	if len(alarms) != 1 || alarms[0].State != "UNACK" {
		t.Fatalf("alarms: %+v (%d wait)", alarms, d.s.Outbox.Count(outbox.Quality).Pending)
	}
	act := &record.Act{User: "op1", Role: "operator", Kind: record.Shelve, Target: alarms[0].ID, For: time.Hour, Comment: "network work"}
	if err := d.decide(at, act); err != nil {
		t.Fatal(err)
	}
	mustFlush(t, d)
	a := d.committed.Load().View.Alarms[0]
	if !a.Shelved() || a.ShelvedBy != "op1" || a.ShelvedReason != "network work" || a.ShelvedUntil != panel.Instant(at.Add(time.Hour)) || a.ShelvedAt != panel.Instant(at) {
		t.Errorf("shelved: %+v", a)
	}
	if n := d.committed.Load().ByAlarm; len(n) != 1 {
		t.Errorf("counted: %v", n)
	} else {
		for k := range n {
			if k.State != "SHLVD" {
				t.Errorf("counted: %v", n)
			}
		}
	}
	if err := d.decide(at, &record.Act{User: "op2", Name: "Ann Example", Role: "operator", Kind: record.Comment, Target: a.ID, Comment: "on it"}); err != nil {
		t.Fatal(err)
	}
	mustFlush(t, d)
	if got := d.committed.Load().View.Alarms[0].Comments; len(got) != 1 || got[0] != (panel.AlarmComment{By: "op2", Name: "Ann Example", At: panel.Instant(at), Text: "on it"}) {
		t.Errorf("comments: %+v", got)
	}
	if due := d.s.Due(); due != at.Add(time.Hour) {
		t.Errorf("due at %v, want an hour later", due)
	}
	d.now = func() time.Time { return at.Add(time.Hour).Std() }
	if err := d.tick(); err != nil {
		t.Fatal(err)
	}
	mustFlush(t, d)
	if a := d.committed.Load().View.Alarms[0]; a.State != "UNACK" || a.ShelvedUntil != 0 || strings.Contains(a.ShelvedBy, "op1") {
		t.Errorf("after its time: %+v", a)
	}
}
