package panel

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAudit: the trail is asked for as it was asked of us, and its entries go out
// with the bytes that they have on record.
func TestAudit(t *testing.T) {
	s := newStand(t, nil)
	const entry = `{"seq":1,"data":{"who":"op1","reason":"a \u003c b"}}`
	s.gateway.audit = AuditList{Entries: []AuditEntry{{Commit: 7, Entry: Sent{[]byte(entry)}}}, Next: 9}
	var l AuditList
	body := s.fetch(t, "audit?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:05%2B00:00&commit=3&limit=10", &l)
	if want := (AuditRange{From: at0, To: at0.Add(5 * time.Second), Commit: 3, Limit: 10}); s.gateway.asked != want {
		t.Errorf("asked %+v, want %+v", s.gateway.asked, want)
	}
	if len(l.Entries) != 1 || l.Next != 9 || l.Entries[0].Commit != 7 || !strings.Contains(body, entry) {
		t.Errorf("answered %s", body)
	}
	for _, query := range []string{"limit=1001", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from=now", "commit=-1"} {
		if resp, body := s.ask(t, "GET", "/api/v1/audit?"+query, ""); resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s %s", query, resp.Status, body)
		}
	}
}
