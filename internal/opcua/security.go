package opcua

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"
)

// security is what one connection is protected by. It is made once, before the
// first byte is sent, and nothing that the peer says changes it.
type security struct {
	policy string // URI
	mode   ua.MessageSecurityMode
	own    *Identity                     // nil with None
	server *x509.Certificate             // nil with None
	algo   *uapolicy.EncryptionAlgorithm // of OPN and of signatures
}

// noSecurity is policy None.
func noSecurity() (*security, error) {
	return newSecurity(ua.SecurityPolicyURINone, ua.MessageSecurityModeNone, nil, nil)
}

// newSecurity joins policy, our identity and the server's accepted certificate.
func newSecurity(policy string, mode ua.MessageSecurityMode, own *Identity, server *x509.Certificate) (*security, error) {
	s := &security{policy: policy, mode: mode}
	var local *rsa.PrivateKey
	var remote *rsa.PublicKey
	if mode != ua.MessageSecurityModeNone {
		if own == nil || server == nil {
			return nil, errors.New("security needs both certificates")
		}
		s.own, s.server = own, server
		local = own.Key
		var err error
		if remote, err = rsaKey(server); err != nil {
			return nil, err
		}
	}
	algo, err := uapolicy.Asymmetric(policy, local, remote)
	if err != nil {
		return nil, fmt.Errorf("security policy: %w", err)
	}
	s.algo = algo
	return s, nil
}

func (s *security) none() bool { return s.mode == ua.MessageSecurityModeNone }

// certificate is ours, in DER; nil with None.
func (s *security) certificate() []byte {
	if s.own == nil {
		return nil
	}
	return s.own.Certificate.Raw
}

// header is the header in clear of our OPN.
func (s *security) header() *uasc.AsymmetricSecurityHeader {
	if s.none() {
		return uasc.NewAsymmetricSecurityHeader(s.policy, nil, nil)
	}
	return uasc.NewAsymmetricSecurityHeader(s.policy, s.certificate(), uapolicy.Thumbprint(s.server.Raw))
}

// checkHeader compares the header in clear of the server's OPN with what it
// must be. It comes before any use of a key.
func (s *security) checkHeader(h *uasc.AsymmetricSecurityHeader) error {
	if h.SecurityPolicyURI != s.policy {
		return fmt.Errorf("%w: %s", errPolicy, h.SecurityPolicyURI)
	}
	if s.none() {
		return nil
	}
	if !s.isServer(h.SenderCertificate) {
		return errPeer
	}
	if !bytes.Equal(h.ReceiverCertificateThumbprint, uapolicy.Thumbprint(s.certificate())) {
		return errForOther
	}
	return nil
}

// isServer says whether der, which may have a chain after it, begins with the
// server's certificate.
func (s *security) isServer(der []byte) bool {
	leaf, err := firstCertificate(der)
	return err == nil && bytes.Equal(leaf.Raw, s.server.Raw)
}

// nonce is fresh randomness of n bytes.
func nonce(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("nonce: %w", err)
	}
	return b, nil
}

// rsaKey is a certificate's key; the policies know RSA only.
func rsaKey(c *x509.Certificate) (*rsa.PublicKey, error) {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("certificate %s: its key is %s, want RSA", Thumbprint(c), c.PublicKeyAlgorithm)
	}
	return key, nil
}

// firstCertificate reads the first of one or more certificates in DER.
func firstCertificate(der []byte) (*x509.Certificate, error) {
	list, err := x509.ParseCertificates(der)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("certificate: none given")
	}
	return list[0], nil
}
