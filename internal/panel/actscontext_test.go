package panel

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"andon/internal/record"
)

func said(user, nonce string, fields map[string]any) string {
	return actWith(user, "declared", "", nonce, map[string]any{"equipment": "furn-03", "fields": fields})
}

// TestContext: what a person says is being made goes in as it was signed, all of
// it at once.
func TestContext(t *testing.T) {
	s := newStand(t, nil)
	resp, body := s.ask(t, "POST", "/api/v1/context", said("op1", s.nonce(t), map[string]any{"operator": "Ann", "material": ""}), "Content-Type", "application/json")
	var done actDone
	if err := json.Unmarshal([]byte(body), &done); err != nil || resp.StatusCode != http.StatusOK || done.ID != "furn-03" || done.Committed != 8 || done.Request == "" {
		t.Fatalf("%s: %s, %v", resp.Status, body, err)
	}
	want := record.Act{User: "op1", Name: "Printed op1", Role: "operator", Kind: record.SetContext, Target: "furn-03", Meaning: "declared", Terminal: "127.0.0.1",
		Fields: map[string]string{"operator": "Ann", "material": ""}}
	if acts := s.gateway.taken(); len(acts) != 1 || !reflect.DeepEqual(*acts[0], want) {
		t.Errorf("taken %+v, want %+v", acts, want)
	}
}

// TestContextRefused: what a tag gives, what the settings do not name and what
// cannot be shown is refused, with all the reasons at once, and nothing of it
// reaches the gateway.
func TestContextRefused(t *testing.T) {
	s := newStand(t, nil)
	idle := *plant()
	idle.Recording = false
	for _, c := range []struct {
		name, body string
		state      *State
		status     int
		says       []string
	}{
		{"bound to a tag", said("op1", "x", map[string]any{"lot": "L-9"}), plant(), 409, []string{"lot", "the tag furn-03/lot"}},
		{"not in the settings", said("op1", "x", map[string]any{"heat": "H-9"}), plant(), 422, []string{"heat", "operator, material"}},
		{"never heard of", said("op1", "x", map[string]any{"colour": "red", "lot": "L-9"}), plant(), 422, []string{"colour", "lot"}},
		{"one of two", said("op1", "x", map[string]any{"operator": "Ann", "lot": "L-9"}), plant(), 409, []string{"lot"}},
		{"control characters", said("op1", "x", map[string]any{"operator": "Ann\x1b[2J"}), plant(), 422, []string{"printable"}},
		{"spaces around", said("op1", "x", map[string]any{"operator": " Ann"}), plant(), 422, []string{"spaces"}},
		{"too long", said("op1", "x", map[string]any{"operator": strings.Repeat("a", longestField+1)}), plant(), 422, []string{"200 bytes"}},
		{"no fields", said("op1", "x", map[string]any{}), plant(), 422, []string{"0 fields"}},
		{"not text", said("op1", "x", map[string]any{"operator": 7}), plant(), 422, []string{"string"}},
		{"no such equipment", actWith("op1", "declared", "", "x", map[string]any{"equipment": "furn-99", "fields": map[string]string{"operator": "A"}}), plant(), 404, []string{"furn-99"}},
		{"another meaning", actWith("op1", "shelved", "", "x", map[string]any{"equipment": "furn-03", "fields": map[string]string{"operator": "A"}}), plant(), 422, []string{"must be declared"}},
		{"not recording", said("op1", "x", map[string]any{"operator": "Ann"}), &idle, 503, []string{"NOT RECORDING"}},
		{"without right", said("look", s.nonce(t), map[string]any{"operator": "Ann"}), plant(), 403, []string{"no right"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.gateway.state.Store(c.state)
			resp, body := s.ask(t, "POST", "/api/v1/context", c.body, "Content-Type", "application/json")
			if resp.StatusCode != c.status || strings.Contains(body, pin) {
				t.Errorf("%s %s, want %d", resp.Status, body, c.status)
			}
			for _, says := range c.says {
				if !strings.Contains(body, says) {
					t.Errorf("does not say %q: %s", says, body)
				}
			}
		})
	}
	if acts := s.gateway.taken(); len(acts) != 0 {
		t.Errorf("the gateway was given %+v", acts)
	}
}
