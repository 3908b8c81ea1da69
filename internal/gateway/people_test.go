package gateway

import (
	"strings"
	"testing"
	"time"

	"andon/internal/journal"
	"andon/internal/people"
	"andon/internal/record"
)

// TestAccountsAreOnTheAuditTrail: what happens to an account goes on record with
// who, what, when and under which id; a locked one is alarmed at once.
//
//andon:req Q1
func TestAccountsAreOnTheAuditTrail(t *testing.T) {
	d := newDecider(t)
	for _, kind := range []people.Kind{people.UserAdd, people.SignRefused, people.UserLocked} {
		act := &record.Act{User: "os:root", Kind: string(kind), Target: "u1", Change: "c-" + string(kind), When: at0.Add(-time.Hour), New: "operator", Comment: "joins"}
		if err := d.decide(at0, act); err != nil {
			t.Fatal(err)
		}
	}
	mustFlush(t, d)
	var got []string
	err := d.j.Commits(2, func(_ journal.Header, records []byte) error {
		entries, _, err := changes(journal.Header{}, records)
		for _, e := range entries {
			got = append(got, e.Topic+" "+string(e.Payload))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{`"action":"user_add","object":"user u1"`, `"occurred":"2025-12-31T23:00:00.000Z"`, `"change":"c-sign_refused"`,
		`"rule":"user_locked","state":"UNACK"`} {
		if !strings.Contains(all, want) {
			t.Errorf("not on record: %s\n%s", want, all)
		}
	}
}
