package uplink_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"andon/internal/outbox"
	"andon/internal/uplink"
	"andon/internal/uplink/mqtttest"
)

// authority signs certificates for 127.0.0.1.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key = a.make(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// make signs a certificate; the first one with its own key.
func (a *authority) make(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: "andon test"}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// pair makes a certificate for both ends and its files.
func (a *authority) pair(host string) (c tls.Certificate, certFile, keyFile string) {
	a.t.Helper()
	template := &x509.Certificate{
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"broker.test"},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses, template.DNSNames = []net.IP{ip}, nil
	}
	cert, key := a.make(template)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	dir := a.t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	a.write(certFile, "CERTIFICATE", cert.Raw)
	a.write(keyFile, "PRIVATE KEY", der)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}, certFile, keyFile
}

func (a *authority) write(file, kind string, der []byte) {
	a.t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *authority) file() string {
	a.t.Helper()
	file := filepath.Join(a.t.TempDir(), "ca.pem")
	a.write(file, "CERTIFICATE", a.cert.Raw)
	return file
}

//andon:req Q40
func TestTLS(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	server, _, _ := ours.pair("127.0.0.1")
	wrongName, _, _ := ours.pair("broker.test")
	_, certFile, keyFile := ours.pair("127.0.0.1")
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	mutual := func(c tls.Certificate) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{c}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
	}
	tests := []struct {
		name   string
		server *tls.Config
		files  uplink.TLSFiles
		want   string // in the last error; "" for success
	}{
		{"both sides", mutual(server), uplink.TLSFiles{CA: ours.file(), Certificate: certFile, Key: keyFile}, ""},
		{"no certificate of ours", mutual(server), uplink.TLSFiles{CA: ours.file()}, "certificate required"},
		{"a broker of another authority", mutual(server), uplink.TLSFiles{CA: others.file(), Certificate: certFile, Key: keyFile}, "unknown authority"},
		{"no authority named", mutual(server), uplink.TLSFiles{Certificate: certFile, Key: keyFile}, "unknown authority"},
		{"a certificate for another host", mutual(wrongName), uplink.TLSFiles{CA: ours.file(), Certificate: certFile, Key: keyFile}, "127.0.0.1"},
		{"a CA file that is none", mutual(server), uplink.TLSFiles{CA: keyFile}, "no certificate in"},
		{"a key file that is absent", mutual(server), uplink.TLSFiles{CA: ours.file(), Certificate: certFile, Key: "absent"}, "absent"},
		{"a broker without TLS", nil, uplink.TLSFiles{CA: ours.file()}, "connect: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b *mqtttest.Broker
			url := ""
			if tt.server == nil {
				b = mqtttest.New(t, nil)
				url = strings.Replace(b.URL(), "tcp://", "tls://", 1)
			} else {
				b = mqtttest.NewTLS(t, tt.server)
				url = b.URL()
			}
			g := newGateway(t, "broker")
			o := g.options(url)
			o.Mode, o.TLS = uplink.ByBroker, tt.files
			g.raise(outbox.Quality, "quality/deviation", 3)
			g.run(o)
			if tt.want == "" {
				g.drained(outbox.Quality)
				return
			}
			poll(t, "the reason", func() bool { return strings.Contains(g.up.Status().LastError, tt.want) })
			if c := g.count(outbox.Quality); c.Pending != 3 {
				t.Errorf("%+v: something was sent", c)
			}
		})
	}
}

// Many connections leave no goroutine behind.
func TestNoGoroutineIsLeft(t *testing.T) {
	b := mqtttest.New(t, nil)
	w := mqtttest.NewWire(t, b.Addr())
	before := runtime.NumGoroutine()
	g := newGateway(t, "broker")
	o := g.options(w.URL())
	o.Mode, o.BackoffMax = uplink.ByBroker, 25*time.Millisecond
	stop := g.run(o)
	for n := uint64(1); n <= 30; n++ {
		g.raise(outbox.Quality, "quality/deviation", 5)
		poll(t, "a connection", func() bool { s := g.up.Status(); return s.Connected && s.Connections >= n })
		w.Cut()
	}
	stop()
	w.Cut()
	poll(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}
