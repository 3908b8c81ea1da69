package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"andon/internal/outbox"
	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
)

// audited is the comments of a list: those of the acts of TestAudit.
func audited(t *testing.T, list panel.AuditList) (reasons []string) {
	t.Helper()
	for _, e := range list.Entries {
		var m struct {
			Data struct{ Action, Reason string }
		}
		if err := json.Unmarshal(e.Entry.RawMessage, &m); err != nil {
			t.Fatal(err)
		}
		if m.Data.Action == "" {
			t.Errorf("not an act: %s", e.Entry.RawMessage)
		}
		if m.Data.Action == "comment" {
			reasons = append(reasons, m.Data.Reason)
		}
	}
	return reasons
}

// TestAudit: every act comes once, in order, also over pages and within a time;
// a tombstone in the place of an entry and what is only sent again do not.
func TestAudit(t *testing.T) {
	d := newDecider(t)
	var want []string
	var last record.Entry
	for i := range 6 {
		want = append(want, fmt.Sprint("c", i))
		at := at0.Add(time.Duration(i) * 3 * time.Hour)
		if err := d.decide(at, &record.Act{User: "op1", Role: "operator", Kind: "comment", Target: "alm-1", Comment: want[i]}); err != nil {
			t.Fatal(err)
		}
		last = d.last.Entries[0]
		d.now = func() time.Time { return at.Std() }
		mustFlush(t, d)
	}
	reject := &record.Receipt{Consumer: "qms", Epoch: d.s.Start.Epoch, Lane: outbox.Event, UpTo: last.Seq - 1,
		Rejected: []record.Rejection{{Seq: last.Seq, Code: "unknown", Reason: "no such site", Topic: last.Topic, SHA256: "ab"}}}
	again := &record.Act{User: "op1", Role: "quality", Kind: record.Requeue, Target: "x", Letter: &record.Letter{Lane: last.Lane, Seq: last.Seq, Topic: last.Topic, Payload: last.Payload}}
	for _, b := range []record.Body{reject, again} {
		if err := d.decide(at0.Add(16*time.Hour), b); err != nil {
			t.Fatal(err)
		}
		mustFlush(t, d)
	}
	if n := len(d.last.Entries); n < 2 || d.last.Entries[0].Topic != "event/audit" {
		t.Fatalf("the letter was not sent again: %d entries", n)
	}
	s := shownOf(d)
	read := func(r panel.AuditRange) (got []string) {
		for {
			list, err := s.Audit(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, audited(t, list)...)
			if r.Commit = list.Next; list.Next == 0 {
				return got
			}
		}
	}
	hour := func(n int) sample.Time { return at0.Add(time.Duration(n) * time.Hour) }
	for _, c := range []struct {
		r    panel.AuditRange
		want []string
	}{
		{panel.AuditRange{Limit: 1000}, want},
		{panel.AuditRange{Limit: 1}, want},
		{panel.AuditRange{Limit: 1000, From: hour(3), To: hour(9)}, want[1:4]},
		{panel.AuditRange{Limit: 1, From: hour(10)}, want[4:]},
		{panel.AuditRange{Limit: 1000, To: hour(2)}, want[:1]},
		{panel.AuditRange{Limit: 1000, From: hour(100)}, nil},
	} {
		if got := read(c.r); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.r, got, c.want)
		}
	}
}
