package opcua

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // OPC UA names certificates by their SHA-1; nothing is trusted by it
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Names of the files that EnsureIdentity makes.
const (
	CertificateFile = "certificate.der"
	KeyFile         = "key.pem"
)

// identityLife is how long a certificate that we make is valid.
const identityLife = 5 * 365 * 24 * time.Hour

// Identity is our own application instance: its certificate, which people put
// into the servers' trust lists, and its key.
type Identity struct {
	Certificate *x509.Certificate
	Key         *rsa.PrivateKey
}

// URI is the application's name in the certificate.
func (id *Identity) URI() string { return applicationURI(id.Certificate) }

func applicationURI(c *x509.Certificate) string {
	if len(c.URIs) == 0 {
		return ""
	}
	return c.URIs[0].String()
}

// Thumbprint is a certificate's SHA-1 in hexadecimal: the name by which OPC UA
// servers and tools show it.
func Thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// EnsureIdentity returns the paths of our certificate and key in dir, and makes
// both when neither is there: RSA 2048, SHA-256, self-signed, valid for five
// years from now. name is the gateway's; host is how servers may call this
// machine. It is an error when only one of the files exists, since a new pair
// would have to be trusted by every server again.
func EnsureIdentity(dir, name, host string, now time.Time) (certificate, key string, err error) {
	certificate, key = filepath.Join(dir, CertificateFile), filepath.Join(dir, KeyFile)
	hasCertificate, err := exists(certificate)
	if err != nil {
		return "", "", err
	}
	hasKey, err := exists(key)
	if err != nil {
		return "", "", err
	}
	switch {
	case hasCertificate && hasKey:
		return certificate, key, nil
	case hasCertificate != hasKey:
		return "", "", fmt.Errorf("application certificate: only one of %s and %s is there; restore the other, or remove both to make new ones", certificate, key)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("application certificate: %w", err)
	}
	return certificate, key, makeIdentity(certificate, key, name, host, now)
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("application certificate: %w", err)
	}
	return true, nil
}

// makeIdentity writes a new certificate and key; the certificate last, so that
// a pair that is not complete is seen.
func makeIdentity(certificate, keyFile, name, host string, now time.Time) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("application certificate: %w", err)
	}
	template, err := identityTemplate(name, host, now)
	if err != nil {
		return fmt.Errorf("application certificate: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("application certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("application certificate: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	if err := os.WriteFile(keyFile, block, 0o600); err != nil {
		return fmt.Errorf("application certificate: %w", err)
	}
	if err := os.WriteFile(certificate, der, 0o644); err != nil { //nolint:gosec // it is public: people copy it to servers
		return fmt.Errorf("application certificate: %w", err)
	}
	return nil
}

// identityTemplate holds what OPC 10000-6, 6.2.2 asks of an application
// instance certificate.
func identityTemplate(name, host string, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: "andon " + name, Organization: []string{"andon"}},
		NotBefore:    now.Add(-time.Hour), // a PLC's clock may be a little behind
		NotAfter:     now.Add(identityLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment |
			x509.KeyUsageDataEncipherment | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		URIs:                  []*url.URL{{Scheme: "urn", Opaque: url.PathEscape(host) + ":andon:" + url.PathEscape(name)}},
	}
	if ip := net.ParseIP(host); ip != nil {
		t.IPAddresses = []net.IP{ip}
	} else {
		t.DNSNames = []string{host}
	}
	return t, nil
}

// LoadIdentity reads our certificate (DER or PEM) and key (PEM, PKCS#8 or
// PKCS#1) and checks that they belong together and are valid at now.
func LoadIdentity(certificate, key string, now time.Time) (*Identity, error) {
	list, err := readCertificates(certificate)
	if err != nil {
		return nil, fmt.Errorf("our certificate: %w", err)
	}
	k, err := readKey(key)
	if err != nil {
		return nil, fmt.Errorf("our key: %w", err)
	}
	id := &Identity{list[0], k}
	switch public, err := rsaKey(id.Certificate); {
	case err != nil:
		return nil, fmt.Errorf("our certificate %s: %w", certificate, err)
	case !public.Equal(k.Public()):
		return nil, fmt.Errorf("our key %s does not belong to our certificate %s", key, certificate)
	case id.URI() == "":
		return nil, fmt.Errorf("our certificate %s names no application URI, which servers ask for", certificate)
	}
	if err := validAt(id.Certificate, now); err != nil {
		return nil, fmt.Errorf("our certificate %s: %w; remove it and its key to have new ones made, and let every server trust them", certificate, err)
	}
	return id, nil
}

// validAt checks a certificate's term.
func validAt(c *x509.Certificate, now time.Time) error {
	switch {
	case now.After(c.NotAfter):
		return fmt.Errorf("expired on %s", c.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(c.NotBefore):
		return fmt.Errorf("not valid before %s", c.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// readKey reads an RSA key from a PEM file.
func readKey(path string) (*rsa.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s: want a PEM file", path)
	}
	var k crypto.PrivateKey
	if block.Type == "RSA PRIVATE KEY" {
		k, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	} else {
		k, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r, ok := k.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s: want an RSA key", path)
	}
	return r, nil
}

// readCertificates reads a file of one certificate in DER, or of one or more in
// PEM.
func readCertificates(path string) ([]*x509.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	der := b
	if bytes.Contains(b, []byte("-----BEGIN CERTIFICATE-----")) {
		der = nil
		for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
			if block.Type == "CERTIFICATE" {
				der = append(der, block.Bytes...)
			}
		}
	}
	list, err := x509.ParseCertificates(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no certificate in it", path)
	}
	return list, nil
}
