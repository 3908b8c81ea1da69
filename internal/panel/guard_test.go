package panel

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestHosts: only names that are ours are answered: another site's name that
// leads here (DNS rebinding) is not.
func TestHosts(t *testing.T) {
	s := newStand(t, nil)
	for host, ok := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:99": true, "localhost:8080": true, "[::1]:8080": true, "LINE2.example": true, "line2.example:443": true,
		"evil.example": false, "127.0.0.1.evil.example": false, "localhost.evil.example": false, "10.0.0.1": false, "[::2]": false, "line2.example.": false,
	} {
		resp, body := s.ask(t, "GET", "/api/v1/state", "", "Host", host)
		if want := map[bool]int{true: 200, false: http.StatusMisdirectedRequest}[ok]; resp.StatusCode != want {
			t.Errorf("Host %s: %s %.80s, want %d", host, resp.Status, body, want)
		}
	}
}

// TestForeignOrigin: another site's page cannot make a browser sign.
func TestForeignOrigin(t *testing.T) {
	s := newStand(t, nil)
	for _, headers := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
	} {
		body := act("op1", pin, "acknowledged", "", s.nonce(t))
		resp, answer := s.ask(t, "POST", "/api/v1/alarms/alm-1/ack", body, append(headers, "Content-Type", "application/json")...)
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %s %s", headers, resp.Status, answer)
		}
		resp, _ = s.ask(t, "GET", "/api/v1/state", "", headers...)
		if cors := resp.Header.Get("Access-Control-Allow-Origin"); cors != "" {
			t.Errorf("%v: may be read by %s", headers, cors)
		}
	}
	for _, c := range []struct {
		headers []string
		status  int
	}{
		{[]string{"Origin", "https://evil.example"}, 403}, {[]string{"Sec-Fetch-Site", "cross-site"}, 403}, {[]string{"Sec-Fetch-Site", "same-site"}, 403},
		{[]string{"Sec-Fetch-Site", "same-origin"}, 200}, {[]string{"Sec-Fetch-Site", "none"}, 200}, {nil, 200},
	} {
		if resp, answer := s.ask(t, "GET", "/api/v1/nonce", "", c.headers...); resp.StatusCode != c.status {
			t.Errorf("nonce, %v: %s %s", c.headers, resp.Status, answer)
		}
	}
	if len(s.gateway.taken()) != 0 {
		t.Error("an act of another site's page was taken")
	}
}

// TestHeaders: everything that is answered is bound to our own files.
func TestHeaders(t *testing.T) {
	s := newStand(t, nil)
	for _, path := range []string{"/", "/alarms", "/nothing", "/api/v1/state", "/api/v1/nothing", "/healthz", s.assets.url("js/main.js")} {
		resp, _ := s.ask(t, "GET", path, "")
		if resp.Header.Get("Content-Security-Policy") != policy || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, resp.Header)
		}
	}
}

// TestMethods: what there is but not by this method says by which.
func TestMethods(t *testing.T) {
	s := newStand(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"POST", "/api/v1/state", 405, "GET, HEAD"}, {"DELETE", "/api/v1/alarms/alm-1/ack", 405, "POST"}, {"GET", "/api/v1/context", 405, "POST"},
		{"POST", "/alarms", 405, "GET, HEAD"}, {"PUT", "/", 405, "GET, HEAD"}, {"POST", "/livez", 405, "GET, HEAD"},
		{"GET", "/api/v1/nothing", 404, ""}, {"POST", "/nothing", 404, ""}, {"HEAD", "/alarms", 200, ""},
	} {
		resp, body := s.ask(t, c.method, c.path, "")
		if resp.StatusCode != c.status || resp.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %s, Allow %q, %s", c.method, c.path, resp.Status, resp.Header.Get("Allow"), body)
		}
	}
}

// TestListensOnlyWhereItMay: an address that others can reach needs TLS.
func TestListensOnlyWhereItMay(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"} {
		if p, err := New(Options{Gateway: &toy{}, Listen: listen}); err == nil || !strings.Contains(err.Error(), "no TLS") {
			t.Errorf("%s: %v", listen, err)
			if err == nil {
				_ = p.Close() // the test has failed
			}
		}
	}
	if _, err := New(Options{Gateway: &toy{}, Listen: "0.0.0.0:0", Certificate: filepath.Join(t.TempDir(), "no.pem"), Key: "no"}); err == nil {
		t.Error("a certificate that is not there was taken")
	}
}

// FuzzForeign: whatever a client says of host, last event and body, it is
// refused or understood, and never more than that.
func FuzzForeign(f *testing.F) {
	f.Add("localhost", "x-1")
	f.Add("[::1]:80", "-")
	f.Add("[", "abcdefgh-18446744073709551615")
	f.Add("evil.example:127.0.0.1", "")
	p := &Panel{hosts: []string{"localhost", "127.0.0.1", "::1"}}
	h := newHub(&toy{}, nil)
	f.Fuzz(func(t *testing.T, host, id string) {
		if p.knownHost(host) && !strings.Contains(strings.ToLower(host), "localhost") && !strings.Contains(host, "127.0.0.1") && !strings.Contains(host, ":") {
			t.Errorf("host %q is known", host)
		}
		if v, known := h.resume(id); known && (v > h.version || !strings.HasPrefix(id, h.instance)) {
			t.Errorf("id %q resumes at %d", id, v)
		}
	})
}
