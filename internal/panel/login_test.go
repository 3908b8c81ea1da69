package panel

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// certificate writes one of our own and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: b}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestLogin: on an address that others can reach nothing is shown before a login,
// and a session reads but signs nothing.
func TestLogin(t *testing.T) {
	s := newStand(t, func(o *Options) {
		o.Certificate, o.Key = certificate(t)
		o.Listen, o.Hosts = "0.0.0.0:0", []string{"127.0.0.1"}
	})
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	base := "https://127.0.0.1:" + port
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // our own certificate
	t.Cleanup(transport.CloseIdleConnections)
	c := &http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: transport}
	get := func(path string) (int, string) { return answered(t, c, "GET", base+path, "", "") }
	login := func(user, pin, nonce string) (int, string) {
		form := url.Values{"user": {user}, "pin": {pin}, "nonce": {nonce}}
		return answered(t, c, "POST", base+"/login", "application/x-www-form-urlencoded", form.Encode())
	}
	nonce := func() string {
		_, body := get("/")
		return regexp.MustCompile(`name="nonce" value="([^"]+)"`).FindStringSubmatch(body)[1]
	}

	for _, path := range []string{"/", "/alarms", "/health", "/healthz?verbose"} {
		if _, body := get(path); strings.Contains(body, "furn-03") || !strings.Contains(body, "Log in") {
			t.Errorf("%s is shown without a login", path)
		}
	}
	for _, path := range []string{"/api/v1/state", "/api/v1/stream", "/api/v1/nonce"} {
		if status, body := get(path); status != http.StatusUnauthorized {
			t.Errorf("%s without a login: %d %s", path, status, body)
		}
	}
	if status, _ := get("/livez"); status != http.StatusOK {
		t.Errorf("livez: %d", status)
	}
	if status, body := login("op1", "314159", nonce()); status != http.StatusForbidden || !strings.Contains(body, "unknown id or wrong PIN") {
		t.Errorf("wrong PIN: %d", status)
	}
	if status, _ := login("op1", pin, "made-up"); status != http.StatusForbidden {
		t.Errorf("no nonce: %d", status)
	}
	if status, body := login("op1", pin, nonce()); status != http.StatusOK || !strings.Contains(body, "furn-03") {
		t.Errorf("login: %d", status)
	}
	if status, _ := get("/api/v1/state"); status != http.StatusOK {
		t.Errorf("state after the login: %d", status)
	}
	if status, _ := answered(t, c, "POST", base+"/api/v1/alarms/alm-1/ack", "application/json", act("op1", "", "acknowledged", "", "x")); status < 400 || len(s.gateway.taken()) > 0 {
		t.Errorf("a session alone has signed: %d", status)
	}
	s.sessions.mu.Lock()
	s.sessions.ends = map[string]time.Time{}
	s.sessions.mu.Unlock()
	if status, _ := get("/api/v1/state"); status != http.StatusUnauthorized {
		t.Errorf("state after the session: %d", status)
	}
}

// answered asks and reads the answer to its end.
func answered(t *testing.T, c *http.Client, method, url, contentType, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestSessionsEnd: a session lasts a shift, and there are only so many.
//
//andon:req Q39
func TestSessionsEnd(t *testing.T) {
	var s sessions
	now := time.Now()
	secret, ok := s.begin(now)
	if !ok || !s.holds(secret, now.Add(sessionLife-1)) || s.holds(secret, now.Add(sessionLife)) || s.holds("", now) {
		t.Error("a session does not last as long as it should")
	}
	for range mostSessions - 1 {
		s.begin(now)
	}
	if _, ok := s.begin(now); ok {
		t.Error("more sessions than there may be")
	}
	if _, ok := s.begin(now.Add(sessionLife)); !ok {
		t.Error("sessions that are over keep others out")
	}
}
