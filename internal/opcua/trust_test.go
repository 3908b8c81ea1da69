package opcua

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// authority is a CA of a test.
type authority struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "plant CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

// issue makes a server's certificate.
func (a authority) issue(t *testing.T, bits int, change func(c *x509.Certificate)) []byte {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "plc"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(10, 1, 7, 20)}, DNSNames: []string{"plc"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestTrust(t *testing.T) {
	plain := func(*x509.Certificate) {}
	ca, other := newAuthority(t), newAuthority(t)
	pinned := other.issue(t, 2048, plain)
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"ca.pem":     pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}),
		"plc.DER":    pinned,
		"readme.txt": []byte("not a certificate"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trusted, err := loadTrust(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, host string
		der        []byte
		now        time.Time
		want       string // "" is accepted
	}{
		{"pinned", "anywhere", pinned, time.Now(), ""},
		{"pinned with its chain", "anywhere", append(append([]byte{}, pinned...), other.cert.Raw...), time.Now(), ""},
		{"pinned, expired", "anywhere", pinned, time.Now().Add(2 * time.Hour), "expired"},
		{"pinned, not yet", "anywhere", pinned, time.Now().Add(-2 * time.Hour), "not valid before"},
		{"issued, by address", "10.1.7.20", ca.issue(t, 2048, plain), time.Now(), ""},
		{"issued, by name", "plc", ca.issue(t, 2048, plain), time.Now(), ""},
		{"issued, another host", "10.1.7.21", ca.issue(t, 2048, plain), time.Now(), "10.1.7.21"},
		{"issued, for clients", "plc", ca.issue(t, 2048, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), time.Now(), "key usage"},
		{"issued, short key", "plc", ca.issue(t, 1024, plain), time.Now(), "1024 bits"},
		{"issued by a stranger", "plc", other.issue(t, 2048, plain), time.Now(), "authority"},
		{"nothing", "plc", nil, time.Now(), "no usable certificate"},
		{"rubbish", "plc", []byte("rubbish"), time.Now(), "no usable certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert, err := trusted.accept(c.der, c.host, c.now)
			if c.want == "" {
				if err != nil || cert == nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var u *UntrustedError
			if len(c.der) > 10 && (!errors.As(err, &u) || u.Certificate == nil || !strings.Contains(err.Error(), dir)) {
				t.Errorf("the error does not show the certificate and the cure: %v", err)
			}
		})
	}
}

//andon:req Q40
func TestTrustRefuses(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.der")
	if err := os.WriteFile(bad, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{filepath.Join(dir, "none"): "no such file", dir: "bad.der", bad: "bad.der", t.TempDir(): "put the server's certificate there"} {
		if _, err := loadTrust(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

func TestIdentity(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "own")
	now := time.Now()
	certificate, key, err := EnsureIdentity(dir, "line 7", "ipc-7", now)
	if err != nil {
		t.Fatal(err)
	}
	id, err := LoadIdentity(certificate, key, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := id.URI(); got != "urn:ipc-7:andon:line%207" {
		t.Errorf("application URI %q", got)
	}
	if got := id.Certificate; got.Subject.CommonName != "andon line 7" || len(got.DNSNames) != 1 || got.PublicKey.(*rsa.PublicKey).Size() != 256 || got.NotAfter.Before(now.AddDate(4, 11, 0)) {
		t.Errorf("certificate %+v", got.Subject)
	}
	if info, err := os.Stat(key); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("key file %v, %v", info.Mode(), err)
	}
	if _, _, err := EnsureIdentity(dir, "other", "other", now); err != nil {
		t.Fatal(err)
	}
	if again, err := LoadIdentity(certificate, key, now); err != nil || !again.Certificate.Equal(id.Certificate) {
		t.Errorf("the second start made another certificate: %v", err)
	}
	if _, err := LoadIdentity(certificate, key, now.AddDate(6, 0, 0)); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("expired: %v", err)
	}
	other, otherKey, err := EnsureIdentity(t.TempDir(), "x", "10.0.0.1", now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadIdentity(other, key, now); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("a key of another: %v", err)
	}
	if _, err := LoadIdentity(other, other, now); err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("no key: %v", err)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if _, _, err := EnsureIdentity(filepath.Dir(other), "x", "x", now); err == nil || !strings.Contains(err.Error(), "only one of") {
		t.Errorf("half a pair: %v", err)
	}
	if _, err := LoadIdentity(other, otherKey, now); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no certificate: %v", err)
	}
}
