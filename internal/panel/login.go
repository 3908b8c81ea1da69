package panel

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"andon/internal/people"
)

// Off the loopback interface nothing is shown before a login. A session lets its
// browser read and nothing else: every act is signed anew with id and PIN.

const (
	sessionCookie = "__Host-andon"
	sessionLife   = 12 * time.Hour // a shift
	mostSessions  = 256
)

// sessions are the logins of this run; a restart ends them all.
type sessions struct {
	mu   sync.Mutex
	ends map[string]time.Time // by the cookie's secret
}

// begin makes a session; ok is false when there are too many.
func (s *sessions) begin(now time.Time) (secret string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends == nil {
		s.ends = map[string]time.Time{}
	}
	for k, end := range s.ends {
		if !now.Before(end) {
			delete(s.ends, k)
		}
	}
	if len(s.ends) >= mostSessions {
		return "", false
	}
	secret = rand.Text()
	s.ends[secret] = now.Add(sessionLife)
	return secret, true
}

func (s *sessions) holds(secret string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.ends[secret]
	return ok && now.Before(end)
}

// admit says whether a request may go on; if not it has been answered. What
// supervisors ask, the login and its files need no session.
func (p *Panel) admit(w http.ResponseWriter, r *http.Request) bool {
	path := r.URL.Path
	if path == "/livez" || path == "/readyz" || strings.HasPrefix(path, "/static/") {
		return true
	}
	if c, err := r.Cookie(sessionCookie); err == nil && p.sessions.holds(c.Value, p.o.Now()) {
		return true
	}
	switch {
	case path == "/login" && r.Method == http.MethodPost:
		p.login(w, r)
	case strings.HasPrefix(path, "/api/"):
		problem(w, http.StatusUnauthorized, "log in first", "off the loopback interface nothing is shown without a login: POST /login with user, pin and nonce")
	default:
		p.loginPage(w, "")
	}
	return false
}

// loginPage shows the form, with what was wrong the last time.
func (p *Panel) loginPage(w http.ResponseWriter, wrong string) {
	status := http.StatusOK
	if wrong != "" {
		status = http.StatusForbidden
	}
	p.render(w, status, "login.html", struct {
		Nonce, Wrong string
	}{p.o.People.NewLogin(p.o.Now()), wrong})
}

// login takes the form. The right that is asked for is to look, which everybody
// who has an account has.
func (p *Panel) login(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		problem(w, http.StatusBadRequest, "the form cannot be read", "")
		return
	}
	_, err := p.o.People.Verify(r.Context(), people.Signed{User: r.PostForm.Get("user"), PIN: r.PostForm.Get("pin"), Act: people.View,
		Meaning: "logged in", Nonce: r.PostForm.Get("nonce"), Terminal: terminal(r), At: p.o.Now()})
	if err != nil {
		p.loginPage(w, p.signProblem(err).Error())
		return
	}
	secret, ok := p.sessions.begin(p.o.Now())
	if !ok {
		p.loginPage(w, errSessions.Error())
		return
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: secret, Path: "/", MaxAge: int(sessionLife / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

var errSessions = errors.New("too many people are logged in: try again later")
