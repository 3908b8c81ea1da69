package panel

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"andon/internal/people"
	"andon/internal/record"
)

// shelvedPlant is plant with its alarm put aside.
func shelvedPlant() *State {
	s := plant()
	a := &s.Alarms[0]
	a.State, a.ShelvedBy, a.ShelvedAt, a.ShelvedUntil, a.ShelvedReason = "SHLVD", "op1", Instant(at0), Instant(at0.Add(time.Hour)), "trial <run>"
	a.ShelvedName = "Printed op1"
	s.Equipment[0].Parameters[1].Shown.Unacked, s.Equipment[0].Parameters[1].Shown.Shelved = false, a.ShelvedUntil
	return s
}

// TestShelve: putting an alarm aside and taking it back go in as they were
// signed, with the right to critical ones when the person has it.
//
//andon:req Q49
func TestShelve(t *testing.T) {
	s := newStand(t, nil)
	s.join(t, "lead", people.ShiftLead)
	critical := plant()
	critical.Alarms[0].Class = "critical"
	for _, c := range []struct {
		name, user, verb, meaning string
		before, after             *State
		want                      record.Act
	}{
		{"operator", "op1", "shelve", "shelved", plant(), shelvedPlant(), record.Act{Kind: record.Shelve, Role: "operator", For: time.Hour}},
		{"shift lead, critical", "lead", "shelve", "shelved", critical, shelvedPlant(), record.Act{Kind: record.Shelve, Role: "shift_lead", For: time.Hour, Senior: true}},
		{"back", "op1", "unshelve", "unshelved", shelvedPlant(), plant(), record.Act{Kind: record.Unshelve, Role: "operator"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.gateway.acts = nil
			s.gateway.state.Store(c.before)
			s.gateway.hand = func(context.Context, *record.Act) (Handed, error) { s.gateway.state.Store(c.after); return nil, nil }
			more := map[string]any{}
			if c.verb == "shelve" {
				more["duration_s"] = 3600
			}
			resp, body := s.ask(t, "POST", "/api/v1/alarms/alm-1/"+c.verb, actWith(c.user, c.meaning, "trial <run>", s.nonce(t), more), "Content-Type", "application/json")
			var done actDone
			if err := json.Unmarshal([]byte(body), &done); err != nil || resp.StatusCode != http.StatusOK || done.State != c.after.Alarms[0].State {
				t.Fatalf("%s: %s, %v", resp.Status, body, err)
			}
			c.want.User, c.want.Name, c.want.Target, c.want.Meaning, c.want.Comment, c.want.Terminal = c.user, "Printed "+c.user, "alm-1", c.meaning, "trial <run>", "127.0.0.1"
			if acts := s.gateway.taken(); len(acts) != 1 || !reflect.DeepEqual(*acts[0], c.want) {
				t.Errorf("taken %+v, want %+v", acts, c.want)
			}
		})
	}
}

// TestShelveRefused: without a reason, a right, a time or something to shelve
// nothing reaches the gateway.
//
//andon:req Q49
func TestShelveRefused(t *testing.T) {
	s := newStand(t, nil)
	s.join(t, "fitter", people.Maintenance)
	critical := plant()
	critical.Alarms[0].Class = "critical"
	const shelve, unshelve = "/api/v1/alarms/alm-1/shelve", "/api/v1/alarms/alm-1/unshelve"
	for _, c := range []struct {
		name, path, body string
		state            *State
		status           int
		says             string
	}{
		{"no reason", shelve, actWith("op1", "shelved", " ", "x", map[string]any{"duration_s": 60}), plant(), 422, "reason"},
		{"too long", shelve, actWith("op1", "shelved", "why", "x", map[string]any{"duration_s": 28801}), plant(), 422, "28800"},
		{"no time", shelve, actWith("op1", "shelved", "why", "x", map[string]any{"duration_s": 0}), plant(), 422, "duration_s"},
		{"without a time", shelve, actWith("op1", "shelved", "why", "x", nil), plant(), 422, "duration_s"},
		{"for ever", shelve, actWith("op1", "shelved", "why", "x", map[string]any{"duration_s": "forever"}), plant(), 422, "integer"},
		{"another meaning", shelve, actWith("op1", "acknowledged", "why", "x", map[string]any{"duration_s": 60}), plant(), 422, "meaning must be shelved"},
		{"shelved already", shelve, actWith("op1", "shelved", "why", "x", map[string]any{"duration_s": 60}), shelvedPlant(), 409, "already, by Printed op1 (op1)"},
		{"not shelved", unshelve, actWith("op1", "unshelved", "", "x", nil), plant(), 409, "not shelved"},
		{"acknowledged while shelved", "/api/v1/alarms/alm-1/ack", actWith("op1", "acknowledged", "", "x", nil), shelvedPlant(), 409, "shelved until"},
		{"critical, by an operator", shelve, actWith("op1", "shelved", "why", s.nonce(t), map[string]any{"duration_s": 60}), critical, 403, "no right"},
		{"by maintenance", shelve, actWith("fitter", "shelved", "why", s.nonce(t), map[string]any{"duration_s": 60}), plant(), 403, "no right"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.gateway.state.Store(c.state)
			resp, body := s.ask(t, "POST", c.path, c.body, "Content-Type", "application/json")
			if resp.StatusCode != c.status || !strings.Contains(body, c.says) || strings.Contains(body, pin) {
				t.Errorf("%s %s, want %d with %q", resp.Status, body, c.status, c.says)
			}
		})
	}
	if acts := s.gateway.taken(); len(acts) != 0 {
		t.Errorf("the gateway was given %+v", acts)
	}
}

// TestShelvedIsListed: what is shelved is on the API and on the page of alarms,
// with who, why and until when, without script too; it counts as no alarm that
// waits, and its parameter is as much out as before.
//
//andon:req Q49 Q50
func TestShelvedIsListed(t *testing.T) {
	s := newStand(t, nil)
	s.gateway.state.Store(shelvedPlant())
	var list alarmList
	s.fetch(t, "alarms", &list)
	if a := list.Alarms; len(a) != 1 || a[0].State != "SHLVD" || a[0].ShelvedBy != "op1" || a[0].ShelvedReason != "trial <run>" || a[0].ShelvedUntil != Instant(at0.Add(time.Hour)) {
		t.Errorf("API: %+v", list.Alarms)
	}
	_, page := s.ask(t, "GET", "/alarms", "")
	if strings.Contains(page, "<run>") {
		t.Error("a reason is taken for markup")
	}
	page = html.UnescapeString(page)
	for _, want := range []string{"No alarm.", "1 shelved", "trial <run>", "Printed op1 (op1)", Format(Instant(at0.Add(time.Hour))), "The hot"} {
		if !strings.Contains(page, want) {
			t.Errorf("page of alarms without %q:\n%s", want, page)
		}
	}
	_, board := s.ask(t, "GET", "/", "")
	for _, want := range []string{"OUT HIGH", "alarm shelved until", "1 shelved"} {
		if !strings.Contains(board, want) {
			t.Errorf("board without %q:\n%s", want, board)
		}
	}
	if strings.Contains(board, "unacked") {
		t.Error("the board still asks to acknowledge")
	}
}

// TestShelvedLast: they come behind all others, however grave.
func TestShelvedLast(t *testing.T) {
	st := &State{Alarms: []Alarm{{ID: "s", State: "SHLVD", Rank: 1}, {ID: "a", State: "ACKED", Rank: 3}, {ID: "u", State: "UNACK", Rank: 3}}}
	SortAlarms(st.Alarms)
	if a, sh := st.Active(), st.Shelved(); len(a) != 2 || a[0].ID != "u" || a[1].ID != "a" || len(sh) != 1 || sh[0].ID != "s" {
		t.Errorf("active %+v, shelved %+v", a, sh)
	}
}

// TestSaidByWhom: each comment stands beside the name of who said it, and the
// acknowledgement's own beside the acknowledgement.
//
//andon:req Q60
func TestSaidByWhom(t *testing.T) {
	s := newStand(t, nil)
	st := plant()
	a := &st.Alarms[0]
	a.State, a.AckedBy, a.AckedName, a.AckedAt, a.Comment = "ACKED", "ann", "Ann Example", Instant(at0), "valve stuck"
	for _, text := range []string{"0", "1", "2", "no, <the sensor>"} {
		a.Comments = append(a.Comments, AlarmComment{By: "bob", Name: "Bob Example", At: Instant(at0), Text: text})
	}
	s.gateway.state.Store(st)
	var list alarmList
	s.fetch(t, "alarms", &list)
	if got := list.Alarms[0]; got.Comment != "valve stuck" || !reflect.DeepEqual(got.Comments, a.Comments) {
		t.Errorf("API: %+v", got)
	}
	_, page := s.ask(t, "GET", "/alarms", "")
	for _, want := range []string{"Ann Example (ann) ", ": valve stuck</span>", "Bob Example (bob): no, &lt;the sensor&gt;</span>", "Bob Example (bob): 1<"} {
		if !strings.Contains(page, want) {
			t.Errorf("page without %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "Bob Example (bob): 0<") {
		t.Error("more than the newest three are on the page")
	}
}
