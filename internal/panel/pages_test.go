package panel

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
)

// past is an event with its document, receipted but for its last revision.
func past() *EventList {
	d := quality.Document{EventID: "dev-1", Title: "furn-03: too hot", Kind: "deviation", State: "opened",
		Spec: quality.Spec{SpecRef: record.SpecRef{ID: "HT-1", Revision: "A"}, Rule: "over"}, Product: quality.Product{Lots: []string{"L-1"}},
		Limits: quality.Limits{Unit: "[degF]"}, Excursion: quality.Excursion{Worst: &quality.WorstValue{Value: sample.FloatValue(901.5), At: at0}},
		People: quality.People{Ack: []quality.Ack{{By: "op1", Name: "Printed op1", At: at0, Role: "operator", Comment: "valve"}}}, Evidence: &quality.Evidence{Count: 12}}
	g := quality.GapDocument{EventID: "gap-1", Cause: "link", Tags: []string{"furn-03/t-blind"}}
	return &EventList{Since: Instant(at0), Events: []Event{
		{ID: "dev-1", Kind: "deviation", Title: "furn-03: too hot", State: "opened", Open: true, Equipment: "furn-03", Lots: []string{"L-1"}, Receipt: Queued,
			Revisions: []Revision{{Revision: 1, State: "opened", Lane: "quality", Seq: 4, Receipt: Receipted, HeldAt: Instant(at0)}, {Revision: 2, State: "updated", Lane: "quality", Seq: 5, Receipt: Queued}},
			Document:  &Document{d}},
		{ID: "gap-1", Kind: "gap", Title: "furn-03: no sight of t-blind (link)", State: "opened", Open: true, Lots: []string{}, Receipt: Rejected,
			Revisions: []Revision{{Revision: 1, State: "opened", Lane: "quality", Seq: 6, Receipt: Rejected}}, Gap: &GapDocument{g}}}}
}

// TestPagesWithoutScript: state, alarms and time are in the page as it is first
// sent, in words, and nothing that a foreign value could bring is markup.
func TestPagesWithoutScript(t *testing.T) {
	s := newStand(t, nil)
	s.gateway.events.Store(past())
	for path, want := range map[string][]string{
		"/":             {"Furnace 3", "885.0", "895.04", "OUT HIGH", "875 … 895 °F", "STALE: link", "—", "not judged now", "R-1&lt;b&gt;", "must be R-1", "HT-1 rev A", "1 waiting", "too hot", "NOT ACKNOWLEDGED", "unknown"},
		"/alarms":       {"The hot", "895.04 °F", "at most 895 °F", "hold the load", "NOT ACKNOWLEDGED"},
		"/events":       {"dev-1", "queued", "rejected", "OPEN", "L-1"},
		"/events/dev-1": {"too hot", "901.5 °F", "receipted", "waiting for the quality system", "Printed op1 (op1), operator", "valve", "12 samples"},
		"/events/gap-1": {"t-blind", "link", "REJECTED"},
		"/specs":        {"HT-1", "Q. Quality", "approved", "895", "in force"},
		"/health":       {"no good value", "synchronised by ntp", "fine", "epoch e1"},
		"/?kiosk=1":     {`class="page-board kiosk"`},
	} {
		resp, body := s.ask(t, "GET", path, "")
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
		for _, w := range want {
			if path == "/health" && (w == "fine" || w == "no good value") { // one of four is blind: a warning
				w = "1 of 4 tags without a good value"
			}
			if !strings.Contains(body, w) {
				t.Errorf("%s does not say %q", path, w)
			}
		}
		for _, wrong := range []string{"<b>R-1<b>", "style=", "onclick", "<script>", "%!"} {
			if strings.Contains(body, wrong) {
				t.Errorf("%s holds %s", path, wrong)
			}
		}
	}
	for _, path := range []string{"/events/dev-2", "/nothing"} {
		if resp, body := s.ask(t, "GET", path, ""); resp.StatusCode != http.StatusNotFound || !strings.Contains(body, "no ") {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

// TestNotRecordingPage: when it cannot record, no page looks normal.
func TestNotRecordingPage(t *testing.T) {
	s := newStand(t, nil)
	idle := *plant()
	idle.Recording = false
	for _, state := range []*State{nil, &idle} {
		s.gateway.state.Store(state)
		for _, path := range []string{"/", "/alarms", "/events", "/specs", "/health"} {
			if _, body := s.ask(t, "GET", path, ""); !strings.Contains(body, "<strong>NOT RECORDING</strong>") || !strings.Contains(body, " dead\"") {
				t.Errorf("%s looks normal with state %v", path, state != nil)
			}
			if _, body := s.ask(t, "GET", "/", ""); strings.Contains(body, "in spec") {
				t.Error("something is in spec that nobody judges")
			}
		}
		if resp, _ := s.ask(t, "GET", "/readyz", ""); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("ready: %s", resp.Status)
		}
	}
	if resp, body := s.ask(t, "GET", "/api/v1/journal/head", ""); resp.StatusCode != http.StatusOK || !strings.Contains(body, `"size":7`) {
		t.Errorf("head: %s %s", resp.Status, body)
	}
	s.gateway.state.Store(nil)
	if resp, _ := s.ask(t, "GET", "/api/v1/state", ""); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a state before the first commit: %s", resp.Status)
	}
}

// TestHealth: a PLC or broker that is away is told and keeps nobody from being
// ready; a pipeline that stands still does.
func TestHealth(t *testing.T) {
	s := newStand(t, nil)
	away := *plant()
	away.Sources = []Source{{Name: "plc", Tags: 2, Blind: 2, Cause: "link"}}
	away.Outbox.OldestPending = instantOf(time.Now().Add(-time.Hour))
	s.gateway.state.Store(&away)
	if resp, body := s.ask(t, "GET", "/readyz", ""); resp.StatusCode != http.StatusOK || body != "ok\n" {
		t.Errorf("ready without PLC: %s %s", resp.Status, body)
	}
	if resp, body := s.ask(t, "GET", "/healthz?verbose", ""); resp.StatusCode != http.StatusOK || !strings.Contains(body, "[fault] source plc") || !strings.Contains(body, "[fault] quality system") || !strings.Contains(body, "[ok] recording") {
		t.Errorf("health: %s %s", resp.Status, body)
	}
	s.gateway.progress.Store(time.Now().Add(-time.Minute).UnixNano())
	for _, path := range []string{"/livez", "/readyz", "/healthz"} {
		if resp, body := s.ask(t, "GET", path, ""); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "not gone round") {
			t.Errorf("%s of a pipeline that stands still: %s %s", path, resp.Status, body)
		}
	}
	s.gateway.progress.Store(time.Now().UnixNano())
	full := *plant()
	full.Recording = false
	s.gateway.state.Store(&full)
	if resp, body := s.ask(t, "GET", "/healthz?verbose", ""); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "NOT RECORDING") || strings.Contains(body, "judged and recorded") {
		t.Errorf("health while nothing is recorded: %s %s", resp.Status, body)
	}
	bare := *plant()
	bare.Specs = nil
	s.gateway.state.Store(&bare)
	if resp, body := s.ask(t, "GET", "/readyz", ""); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "nothing is judged") {
		t.Errorf("ready without a specification: %s %s", resp.Status, body)
	}
}

// TestOpenAPI: the description holds every path of the contract, and nothing in
// what is served leads elsewhere.
func TestOpenAPI(t *testing.T) {
	s := newStand(t, nil)
	resp, body := s.ask(t, "GET", "/api/v1/openapi.json", "")
	var d struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Fatalf("%s %v %s", resp.Status, err, d.OpenAPI)
	}
	for path, method := range map[string]string{"state": "get", "alarms": "get", "alarms/{id}/ack": "post", "alarms/{id}/comment": "post", "events": "get",
		"events/{id}": "get", "outbox": "get", "specs": "get", "health": "get", "journal/head": "get", "nonce": "get", "stream": "get"} {
		if _, ok := d.Paths["/api/v1/"+path][method]; !ok {
			t.Errorf("%s %s is not described", method, path)
		}
	}
	for _, path := range []string{"/docs", "/schemas/State.json"} {
		if resp, _ := s.ask(t, "GET", path, ""); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

// TestContractShapes: the members that the contract names are where it says.
func TestContractShapes(t *testing.T) {
	s := newStand(t, nil)
	for path, want := range map[string]string{
		"outbox":       `"lanes":{"quality":{"raised":3,"receipted":2,"pending":1,"rejected":0}},"dead":[],"oldest_pending":null`,
		"alarms":       `{"alarms":[{"id":"alm-1","equipment":"furn-03","parameter":"hot"`,
		"journal/head": `{"size":7,"root":"cm9vdA==","epoch":"e1","time":"2026-01-01T00:00:00.000Z"}`,
	} {
		if _, body := s.ask(t, "GET", "/api/v1/"+path, ""); !strings.Contains(body, want) {
			t.Errorf("%s: %s\nwant %s", path, body, want)
		}
	}
}

// TestVendored: the modules that are not ours are the ones that the manifest
// names, to the byte, and each has its licence beside it.
func TestVendored(t *testing.T) {
	const dir = "static/vendor/"
	b, err := fs.ReadFile(files, dir+"manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]struct {
		Package, Version, Licence, SHA256 string
		LicenceFile                       string `json:"licence_file"`
	}
	if err := json.Unmarshal(b, &manifest); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{"manifest.json": true}
	for name, m := range manifest {
		b, err := fs.ReadFile(files, dir+name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != m.SHA256 {
			t.Errorf("%s is not %s %s: sha256 %x, want %s", name, m.Package, m.Version, sum, m.SHA256)
		}
		if l, err := fs.ReadFile(files, dir+m.LicenceFile); err != nil || len(l) == 0 || m.Licence == "" || m.Version == "" {
			t.Errorf("%s: licence %q in %q: %v", name, m.Licence, m.LicenceFile, err)
		}
		listed[name], listed[m.LicenceFile] = true, true
	}
	entries, err := fs.ReadDir(files, strings.TrimSuffix(dir, "/"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !listed[e.Name()] {
			t.Errorf("%s is not in the manifest", e.Name())
		}
	}
}

// TestAlarmColours: the three colours of alarms mean nothing else: each stands in
// the style sheet once, where it is named, and only alarms, what is out, and NOT
// RECORDING use it. Nothing of ours names an address elsewhere.
//
//andon:req Q52
func TestAlarmColours(t *testing.T) {
	css, err := fs.ReadFile(files, "static/panel.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, hex := range []string{"#b3001b", "#ffb000", "#fff07a"} {
		if n := bytes.Count(bytes.ToLower(css), []byte(hex)); n != 1 {
			t.Errorf("%s stands %d times in the style sheet, want once", hex, n)
		}
	}
	for _, rule := range regexp.MustCompile(`(?s)([^{}]+)\{([^{}]*var\(--p[123]\)[^{}]*)\}`).FindAllStringSubmatch(string(css), -1) {
		if !regexp.MustCompile(`\.tile\.out|\.icon\.rank|\.notrecording`).MatchString(rule[1]) {
			t.Errorf("an alarm's colour is used by %q", strings.TrimSpace(rule[1]))
		}
	}
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path, "static/vendor/") || strings.HasSuffix(path, ".svg") {
			return err
		}
		b, err := fs.ReadFile(files, path)
		if bytes.Contains(b, []byte("://")) {
			t.Errorf("%s names an address elsewhere", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestStatic: files are kept for ever under a name that changes with them, and
// nothing else can be had from there.
func TestStatic(t *testing.T) {
	s := newStand(t, nil)
	resp, body := s.ask(t, "GET", s.assets.url("js/main.js"), "")
	if resp.StatusCode != http.StatusOK || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") || !strings.Contains(resp.Header.Get("Content-Type"), "javascript") || body == "" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	for _, path := range []string{"/static/0000/js/main.js", s.assets.url("js/"), s.assets.url(""), s.assets.url("../templates/board.html"), s.assets.url("nothing")} {
		if resp, _ := s.ask(t, "GET", path, ""); resp.StatusCode == http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if _, body := s.ask(t, "GET", "/screen.css", ""); !strings.Contains(body, "--value") {
		t.Errorf("sizes: %s", body)
	}
}
