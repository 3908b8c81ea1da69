package panel

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"andon/internal/people"
	"andon/internal/record"
)

// TestAck: a signed acknowledgement goes in as it was signed, and is answered
// with what it was and the record that holds it.
//
//andon:req Q1 Q14 Q49
func TestAck(t *testing.T) {
	s := newStand(t, nil)
	s.gateway.hand = func(context.Context, *record.Act) (Handed, error) {
		next := *plant()
		next.Alarms[0].State, next.Head.Size = "ACKED", 9 // one commit on
		s.gateway.state.Store(&next)
		return nil, nil
	}
	resp, body := s.ask(t, "POST", "/api/v1/alarms/alm-1/ack", act("op1", pin, "acknowledged", "valve stuck", s.nonce(t)), "Content-Type", "application/json")
	var done actDone
	if err := json.Unmarshal([]byte(body), &done); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", resp.Status, body, err)
	}
	if resp.Header.Get("Location") != "/api/v1/requests/"+done.Request || done.Request == "" {
		t.Errorf("answered at %q, request %q", resp.Header.Get("Location"), done.Request)
	}
	if done.State != "ACKED" || done.Name != "Printed op1" || done.Meaning != "acknowledged" || done.Committed != 8 {
		t.Errorf("answered %+v", done)
	}
	want := record.Act{User: "op1", Name: "Printed op1", Role: "operator", Kind: "ack", Target: "alm-1", Meaning: "acknowledged", Comment: "valve stuck", Terminal: "127.0.0.1"}
	if acts := s.gateway.taken(); len(acts) != 1 || !reflect.DeepEqual(*acts[0], want) {
		t.Errorf("taken %+v, want %+v", acts, want)
	}
}

// TestActsRefused: nothing that is not signed as it must be reaches the gateway,
// and no answer holds the PIN that was sent.
//
//andon:req Q16 Q38
func TestActsRefused(t *testing.T) {
	s := newStand(t, nil)
	acked := *plant()
	acked.Alarms[0].State, acked.Alarms[0].AckedBy = "ACKED", "op1"
	idle := *plant()
	idle.Recording = false
	used := s.nonce(t)
	const ackPath = "/api/v1/alarms/alm-1/ack"
	for _, c := range []struct {
		name, path, body string
		state            *State
		status           int
		says             string
	}{
		{"wrong PIN", ackPath, act("op1", "314159", "acknowledged", "", used), nil, 403, "unknown id or wrong PIN"},
		{"replayed nonce", ackPath, act("op1", pin, "acknowledged", "", used), nil, 409, "out of date"},
		{"nonce of nobody", ackPath, act("op1", pin, "acknowledged", "", "made-up"), nil, 409, "out of date"},
		{"unknown user", ackPath, act("nobody", pin, "acknowledged", "", s.nonce(t)), nil, 403, "unknown id or wrong PIN"},
		{"without right", ackPath, act("look", pin, "acknowledged", "", s.nonce(t)), nil, 403, "no right"},
		{"another meaning", ackPath, act("op1", pin, "approved", "", s.nonce(t)), nil, 422, "meaning must be acknowledged"},
		{"unknown alarm", "/api/v1/alarms/alm-2/ack", act("op1", pin, "acknowledged", "", s.nonce(t)), nil, 404, "no alarm alm-2"},
		{"acknowledged already", ackPath, act("op1", pin, "acknowledged", "", s.nonce(t)), &acked, 409, "already, by op1"},
		{"not recording", ackPath, act("op1", pin, "acknowledged", "", s.nonce(t)), &idle, 503, "NOT RECORDING"},
		{"empty comment", "/api/v1/alarms/alm-1/comment", act("op1", pin, "commented", "", s.nonce(t)), nil, 422, "needs words"},
		{"no such act", "/api/v1/alarms/alm-1/delete", act("op1", pin, "acknowledged", "", s.nonce(t)), nil, 404, "there is no POST"},
		{"no user", ackPath, `{"pin":"` + pin + `","meaning":"acknowledged","nonce":"x"}`, nil, 422, "user"},
		{"unknown field", ackPath, `{"user":"op1","pin":"` + pin + `","meaning":"acknowledged","nonce":"x","force":true}`, nil, 422, "force"},
		{"no JSON", ackPath, `pin=` + pin, nil, 400, ""},
		{"not an object", ackPath, `["` + pin + `"]`, nil, 422, ""},
		{"nothing", ackPath, ``, nil, 400, ""},
		{"oversized", ackPath, act("op1", pin, "acknowledged", strings.Repeat("x", bodyBytes), "x"), nil, 413, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.gateway.state.Store(plant())
			if c.state != nil {
				s.gateway.state.Store(c.state)
			}
			resp, body := s.ask(t, "POST", c.path, c.body, "Content-Type", "application/json")
			if resp.StatusCode != c.status || !strings.Contains(body, c.says) {
				t.Errorf("%s %s, want %d with %q", resp.Status, body, c.status, c.says)
			}
			if ct := resp.Header.Get("Content-Type"); ct != "application/problem+json" {
				t.Errorf("content type %s, want a problem", ct)
			}
			if strings.Contains(body, pin) {
				t.Errorf("the answer holds the PIN: %s", body)
			}
		})
	}
	if acts := s.gateway.taken(); len(acts) != 0 {
		t.Errorf("the gateway was given %+v", acts)
	}
}

// TestActNotDurable: an act that is not on record, or of which that is not
// known, is never answered as if it were; and where it is not known it can be
// asked for until it is.
func TestActNotDurable(t *testing.T) {
	later := make(chan Settled, 1)
	waits := func(ctx context.Context) (Settled, error) {
		select {
		case x := <-later:
			later <- x
			return x, nil
		default:
			return Settled{}, context.DeadlineExceeded
		}
	}
	lost := func(context.Context) (Settled, error) { return Settled{}, errors.New("the gateway is stopping") }
	for _, c := range []struct {
		name   string
		handed Handed
		err    error
		says   string
		state  string
	}{
		{"stopping", nil, errors.New("the gateway is stopping"), "was not recorded", ""},
		{"no room to take it", nil, context.DeadlineExceeded, "was not recorded", ""},
		{"no room for the record", waits, nil, "not known whether", RequestPending},
		{"started over", lost, nil, "not known whether", RequestUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(t, nil)
			s.gateway.hand = func(context.Context, *record.Act) (Handed, error) { return c.handed, c.err }
			resp, body := s.ask(t, "POST", "/api/v1/alarms/alm-1/ack", act("op1", pin, "acknowledged", "", s.nonce(t)), "Content-Type", "application/json")
			at := resp.Header.Get("Location")
			if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, c.says) || (at != "") != (c.state != "") || !strings.Contains(body, at) {
				t.Fatalf("%s, at %q: %s", resp.Status, at, body)
			}
			if c.state == "" {
				return
			}
			var r Request
			s.fetch(t, strings.TrimPrefix(at, "/api/v1/"), &r)
			if r.State != c.state || r.Act != "ack" || r.Target != "alm-1" || r.User != "op1" || r.Committed != 0 {
				t.Errorf("asked for: %+v, want %s", r, c.state)
			}
			if c.state != RequestPending {
				return
			}
			later <- Settled{Size: 12}
			s.fetch(t, strings.TrimPrefix(at, "/api/v1/"), &r)
			if r.State != RequestCommitted || r.Committed != 12 {
				t.Errorf("asked for when it was recorded: %+v", r)
			}
		})
	}
}

// TestRefusedByTheGateway: what the page that was shown allowed and the gateway
// refuses is a conflict with its reason, and on record.
func TestRefusedByTheGateway(t *testing.T) {
	s := newStand(t, nil)
	s.gateway.hand = func(context.Context, *record.Act) (Handed, error) {
		return func(context.Context) (Settled, error) { return Settled{Size: 8, Refused: "it is shelved"}, nil }, nil
	}
	resp, body := s.ask(t, "POST", "/api/v1/alarms/alm-1/ack", act("op1", pin, "acknowledged", "", s.nonce(t)), "Content-Type", "application/json")
	if resp.StatusCode != http.StatusConflict || !strings.Contains(body, "it is shelved") {
		t.Fatalf("%s %s", resp.Status, body)
	}
	var r Request
	s.fetch(t, strings.TrimPrefix(resp.Header.Get("Location"), "/api/v1/"), &r)
	if r.State != RequestRefused || r.Reason != "it is shelved" || r.Committed != 8 {
		t.Errorf("asked for: %+v", r)
	}
}

// TestRequestsBounded: the newest are kept, and what is not known is not found.
func TestRequestsBounded(t *testing.T) {
	s := newStand(t, nil)
	h := func(context.Context) (Settled, error) { return Settled{Size: 1}, nil }
	first := s.requests.add(&record.Act{Kind: "ack"}, h, 0)
	var last Request
	for range mostRequests {
		last = s.requests.add(&record.Act{Kind: "ack"}, h, 0)
	}
	for id, want := range map[string]int{first.ID: http.StatusNotFound, last.ID: http.StatusOK, "req-x": http.StatusNotFound} {
		if resp, body := s.ask(t, "GET", "/api/v1/requests/"+id, ""); resp.StatusCode != want {
			t.Errorf("%s: %s %s, want %d", id, resp.Status, body, want)
		}
	}
}

// TestLockout: after five wrong PINs the right one does not help either.
func TestLockout(t *testing.T) {
	s := newStand(t, nil)
	for i := range 6 {
		used := "314159"
		if i == 5 {
			used = pin
		}
		resp, body := s.ask(t, "POST", "/api/v1/alarms/alm-1/ack", act("op1", used, "acknowledged", "", s.nonce(t)), "Content-Type", "application/json")
		want := http.StatusForbidden
		if i >= 4 {
			want = http.StatusTooManyRequests
		}
		if resp.StatusCode != want {
			t.Errorf("try %d: %s %s, want %d", i+1, resp.Status, body, want)
		}
	}
	if len(s.gateway.taken()) != 0 {
		t.Error("a locked id has signed")
	}
}

// TestUnprintable: nothing that a person says can move, hide or turn round what
// stands beside it on a screen or in the record, and what is only foreign can be
// said.
//
//andon:req Q60
func TestUnprintable(t *testing.T) {
	s := newStand(t, nil)
	for _, text := range []string{"a\nb", "a\tb", "a\x00", "\x1b[2J", "a\u202egnol", "a\u2066b", "\u200f", "a\u2028b", "a\u0085b", "\ufeff"} {
		for path, body := range map[string]string{
			"alarms/alm-1/ack":     actWith("op1", "acknowledged", text, "x", nil),
			"alarms/alm-1/comment": actWith("op1", "commented", "said "+text, "x", nil),
			"alarms/alm-1/shelve":  actWith("op1", "shelved", "why "+text, "x", map[string]any{"duration_s": 60}),
			"context":              actWith("op1", "declared", text, "x", map[string]any{"equipment": "furn-03", "fields": map[string]string{"operator": "Ann"}}),
			"context?field":        actWith("op1", "declared", "", "x", map[string]any{"equipment": "furn-03", "fields": map[string]string{"operator": "Ann" + text + "x"}}),
		} {
			resp, answer := s.ask(t, "POST", "/api/v1/"+path, body, "Content-Type", "application/json")
			if resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(answer, "printable") {
				t.Errorf("%s %q: %s %s", path, text, resp.Status, answer)
			}
		}
	}
	resp, answer := s.ask(t, "POST", "/api/v1/alarms/alm-1/ack", act("op1", pin, "acknowledged", "Wärmebehandlung: 温度过高, الفرن", s.nonce(t)), "Content-Type", "application/json")
	if resp.StatusCode != http.StatusOK || len(s.gateway.taken()) != 1 {
		t.Errorf("a foreign comment: %s %s", resp.Status, answer)
	}
}

// TestLockedUntil: who is locked out is told until when.
func TestLockedUntil(t *testing.T) {
	s := newStand(t, nil)
	until := time.Now().Add(10 * time.Minute)
	err := s.signProblem(errors.Join(&people.LockedError{Until: until}, errors.New("disk full")))
	if want := "locked after too many wrong PINs until " + Format(instantOf(until)); statusOf(err) != http.StatusTooManyRequests || err.Error() != want {
		t.Errorf("%d %v, want %s", statusOf(err), err, want)
	}
}
