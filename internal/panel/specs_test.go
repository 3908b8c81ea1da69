package panel

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"andon/internal/sample"
)

// revisions is a state with three revisions: one that was, one that is, and one
// that never decided.
func revisions(t *testing.T, s *stand) {
	t.Helper()
	st := *plant()
	day := func(n int) Instant { return Instant(at0.Add(time.Duration(n) * 24 * time.Hour)) }
	base := st.Specs[0]
	one := func(revision, status string, from, to Instant) Spec {
		x := base
		x.Revision, x.Status, x.InForceFrom, x.InForceTo, x.From, x.Installed = revision, status, from, to, day(1), day(1)
		return x
	}
	st.Specs = []Spec{one("C", "in force", day(20), 0), one("B", "superseded", 0, 0), one("A", "superseded", day(10), day(20))}
	s.gateway.state.Store(&st)
}

// TestSpecsAt: all revisions are there, and at an instant those that were in
// force then, the first instant included and the last not.
//
//andon:req Q9
func TestSpecsAt(t *testing.T) {
	s := newStand(t, nil)
	revisions(t, s)
	for _, test := range []struct{ at, revisions string }{
		{"", "C B A"},
		{"2026-01-10T23:59:59.999Z", ""},
		{"2026-01-11T00:00:00Z", "A"},
		{"2026-01-11T01:00:00%2B01:00", "A"},
		{"2026-01-20T23:59:59.999Z", "A"},
		{"2026-01-21T00:00:00Z", "C"},
		{"2100-01-01T00:00:00Z", "C"},
	} {
		resp, body := s.ask(t, "GET", "/api/v1/specs?at="+test.at, "")
		var got struct {
			At    sample.Time
			Specs []Spec
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %v", test.at, resp.Status, err)
		}
		var list []string
		for _, x := range got.Specs {
			list = append(list, x.Revision)
		}
		if strings.Join(list, " ") != test.revisions || (got.At == 0) != (test.at == "") {
			t.Errorf("at %s: %v as of %s, want %s", test.at, list, got.At, test.revisions)
		}
		if !strings.Contains(body, `"specs":[`) {
			t.Errorf("at %s: no list in %s", test.at, body)
		}
	}
	for _, at := range []string{"yesterday", "1600-01-01T00:00:00Z"} {
		if resp, _ := s.ask(t, "GET", "/api/v1/specs?at="+at, ""); resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("at %s: %s", at, resp.Status)
		}
	}
}

// TestSpecsPageAt: the page shows all revisions with the time in which each was
// in force, and answers for an instant without script.
func TestSpecsPageAt(t *testing.T) {
	s := newStand(t, nil)
	revisions(t, s)
	for at, want := range map[string][]string{
		"":                               {"rev C", "rev B", "rev A", "never", "further notice"},
		"2026-01-15T00:00:00Z":           {"rev A", "what was in force at", "all revisions"},
		"2026-01-01T00:00:00Z":           {"No specification was in force at", "nothing was judged"},
		"2026-01-15+12:00":               {"rev A"},
		"%22%3E%3Cscript%3E":             {"is not an instant"},
		"2026-01-15T00%3A00%3A00%2B0000": {"is not an instant"},
	} {
		resp, body := s.ask(t, "GET", "/specs?at="+at, "")
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("at %q: %s does not say %q", at, resp.Status, w)
			}
		}
		refused := slices.Contains(want, "is not an instant")
		if refused != (resp.StatusCode == http.StatusUnprocessableEntity) || strings.Contains(body, `"><script>`) {
			t.Errorf("at %q: %s", at, resp.Status)
		}
		if at != "" && strings.Contains(body, "rev B</small>") {
			t.Errorf("at %q: a revision that was not in force", at)
		}
	}
}
