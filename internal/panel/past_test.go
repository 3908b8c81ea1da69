package panel

import (
	"net/http"
	"strings"
	"testing"

	"andon/internal/quality"
)

// TestPastEvent: an event that the list has forgotten, or holds in part, comes
// from the record; one that is not found says how far back was looked.
func TestPastEvent(t *testing.T) {
	s := newStand(t, nil)
	old := Event{ID: "dev-old", Complete: true, Revisions: []Revision{{Revision: 1}, {Revision: 2}}, Document: &Document{quality.Document{EventID: "dev-old"}}}
	part := old
	part.Complete, part.Revisions = false, old.Revisions[1:]
	for _, c := range []struct {
		name      string
		known     []Event
		past      Past
		status    int
		says      string
		revisions int
		asked     bool
	}{
		{"known", []Event{old}, Past{}, 200, "dev-old", 2, false},
		{"forgotten", nil, Past{Events: []Event{old}, Complete: true}, 200, "dev-old", 2, true},
		{"known in part", []Event{part}, Past{Events: []Event{old}, Complete: true}, 200, "dev-old", 2, true},
		{"nowhere", nil, Past{Complete: true}, 404, "is on record here", 0, true},
		{"not in what was searched", nil, Past{From: Instant(at0)}, 404, "how far back was searched", 0, true},
		{"known in part, the rest too far back", []Event{part}, Past{From: Instant(at0)}, 200, "dev-old", 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.gateway.events.Store(&EventList{Events: c.known})
			s.gateway.past, s.gateway.sought = c.past, nil
			resp, body := s.ask(t, "GET", "/api/v1/events/dev-old", "")
			if resp.StatusCode != c.status || !strings.Contains(body, c.says) || (len(s.gateway.sought) > 0) != c.asked {
				t.Errorf("%s %s, asked %v", resp.Status, body, s.gateway.sought)
			}
			if page, text := s.ask(t, "GET", "/events/dev-old", ""); page.StatusCode != c.status || c.status != 200 && !strings.Contains(text, c.says) {
				t.Errorf("page: %s", page.Status)
			}
			if resp.StatusCode == http.StatusOK {
				var e Event
				if s.fetch(t, "events/dev-old", &e); len(e.Revisions) != c.revisions || e.Complete != (c.revisions == 2) {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

// TestDeadLettersComplete: the list of dead letters says whether it is whole, and
// nothing is read when nothing was rejected.
func TestDeadLettersComplete(t *testing.T) {
	s := newStand(t, nil)
	s.gateway.dead = DeadLetters{Dead: []DeadLetter{{Lane: "event", Seq: 7}}, From: Instant(at0)}
	var a outboxAnswer
	if s.fetch(t, "outbox", &a); !a.Complete || len(a.Dead) != 0 || a.From != 0 || a.Lanes["quality"].Raised != 3 {
		t.Errorf("nothing rejected: %+v", a)
	}
	st := plant()
	st.Outbox.Lanes["event"] = Lane{Raised: 9, Rejected: 2}
	s.gateway.state.Store(st)
	if s.fetch(t, "outbox", &a); a.Complete || len(a.Dead) != 1 || a.From != Instant(at0) {
		t.Errorf("one of two found: %+v", a)
	}
	s.gateway.dead.Complete = true
	if s.fetch(t, "outbox", &a); !a.Complete {
		t.Errorf("all found: %+v", a)
	}
	for range readAtOnce { // others are reading, and go on
		s.reads <- struct{}{}
	}
	if s.fetch(t, "outbox", &a); a.Complete || len(a.Dead) != 0 || a.Lanes["event"].Rejected != 2 {
		t.Errorf("while others read: %+v", a)
	}
}
