package opcua

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// trust is the servers that are accepted: by their own certificate, or by the
// authority that issued it.
type trust struct {
	path        string
	pinned      []*x509.Certificate
	authorities []*x509.Certificate
}

// Shortest RSA key that is accepted, in bytes: 2048 bits, the least of every
// policy that we speak.
const minKey = 256

// loadTrust reads a certificate file, or every .der, .crt, .cer and .pem file of
// a folder. A certificate that may sign others and is its own issuer is an
// authority as well; it is accepted as a server only if it is the server's own.
func loadTrust(path string) (*trust, error) {
	files, err := certificateFiles(path)
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	t := &trust{path: path}
	for _, f := range files {
		list, err := readCertificates(f)
		if err != nil {
			return nil, fmt.Errorf("trust: %w", err)
		}
		for _, c := range list {
			t.pinned = append(t.pinned, c)
			if c.IsCA {
				t.authorities = append(t.authorities, c)
			}
		}
	}
	if len(t.pinned) == 0 {
		return nil, fmt.Errorf("trust: no certificate in %s: put the server's certificate there", path)
	}
	return t, nil
}

// certificateFiles lists the files that path stands for.
func certificateFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if !e.IsDir() && slices.Contains([]string{".der", ".crt", ".cer", ".pem"}, ext) {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	return files, nil
}

// UntrustedError is a server certificate that is not accepted, with the
// certificate, so that it can be shown to a person who may accept it.
type UntrustedError struct {
	Certificate *x509.Certificate
	Trust       string // where it would have to be
	Err         error
}

func (e *UntrustedError) Error() string {
	return fmt.Sprintf("the server's certificate %s (%s) is not accepted: %v; compare it at the server and put it into %s",
		Thumbprint(e.Certificate), e.Certificate.Subject.CommonName, e.Err, e.Trust)
}

func (e *UntrustedError) Unwrap() error { return e.Err }

// accept checks the certificate that a server presents, which may have its
// chain after it, and returns it. host is the name in the endpoint.
func (t *trust) accept(der []byte, host string, now time.Time) (*x509.Certificate, error) {
	list, err := x509.ParseCertificates(der)
	if err != nil || len(list) == 0 {
		return nil, errors.Join(errors.New("the server presents no usable certificate"), err)
	}
	leaf := list[0]
	if err := t.check(leaf, list[1:], host, now); err != nil {
		return nil, &UntrustedError{leaf, t.path, err}
	}
	return leaf, nil
}

func (t *trust) check(leaf *x509.Certificate, chain []*x509.Certificate, host string, now time.Time) error {
	if err := validAt(leaf, now); err != nil {
		return err
	}
	key, err := rsaKey(leaf)
	if err != nil {
		return err
	}
	if key.Size() < minKey {
		return fmt.Errorf("its key has %d bits, want 2048 or more", key.N.BitLen())
	}
	if slices.ContainsFunc(t.pinned, leaf.Equal) {
		return nil
	}
	return t.issued(leaf, chain, host, now)
}

// issued checks a certificate that is not itself in the trust folder: it must
// come from an authority there and be made for this host.
func (t *trust) issued(leaf *x509.Certificate, chain []*x509.Certificate, host string, now time.Time) error {
	if len(t.authorities) == 0 {
		return errors.New("it is not the trusted one")
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range t.authorities {
		roots.AddCert(c)
	}
	for _, c := range chain {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now,
		DNSName: host, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err
}
