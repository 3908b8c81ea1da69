package panel

import (
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// policy is the page's Content-Security-Policy: nothing from anywhere else, and
// no script or style that is not a file of ours.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard is what every request passes, in this order: our headers, the Host, the
// origin, bounds, and, off the loopback interface, the login.
func (p *Panel) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !p.knownHost(r.Host) {
			problem(w, http.StatusMisdirectedRequest, "this host name is not served here",
				"ask for the panel by a name in panel.hosts; a name that leads here without being listed may be another site's trick")
			return
		}
		if err := origin.Check(asked(r)); err != nil {
			problem(w, http.StatusForbidden, "the request was made by another site's page", err.Error())
			return
		}
		p.bound(w, r)
		if !p.loopback && !p.admit(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// asked is a request as the check of its origin is to see it. What only reads may
// come from anywhere, since the browser shows the answer to nobody; but each
// number for a signature is one that another may lose, so asking for one counts as
// a change.
func asked(r *http.Request) *http.Request {
	if r.URL.Path != apiPath+"/nonce" {
		return r
	}
	change := *r
	change.Method = http.MethodPost
	return &change
}

// bound limits how much a client may send and how slowly it may read.
func (p *Panel) bound(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, bodyBytes)
	if r.URL.Path != "/api/v1/stream" { // which has a deadline for each write
		// not supported only by writers that are not connections, in tests
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	}
}

// knownHost says whether a Host header names this panel. The port is of no
// matter: what must not happen is that another site's name leads here.
func (p *Panel) knownHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "" {
		return false
	}
	return slices.ContainsFunc(p.hosts, func(known string) bool {
		if a, b := net.ParseIP(host), net.ParseIP(known); a != nil && b != nil {
			return a.Equal(b)
		}
		return strings.EqualFold(host, known)
	})
}

// problemDocument is an RFC 9457 problem, as huma writes it too.
type problemDocument struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// problem answers with what is wrong and what to do about it.
func problem(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	b, err := json.Marshal(problemDocument{title, status, detail})
	if err != nil {
		return // three plain fields: cannot be
	}
	_, _ = w.Write(b) // whoever asked has gone
}
