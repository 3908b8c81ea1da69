package opcua

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"

	"andon/internal/sample"
)

const (
	// sessionTimeout is how long the server keeps a session that we left without
	// a word: not long, since some servers have few of them.
	sessionTimeout = 30 * time.Second
	nonceLength    = 32
	applicationURN = "urn:andon:gateway" // with policy None, where no certificate names us
)

// login is what a session is opened with.
type login struct {
	endpoint string
	source   string
	security *security
	username string
	password string
	insecure bool // a password may go out in clear
}

// session is an activated session over a link.
type session struct {
	link  link
	token *ua.NodeID // proves that a request is of this session
}

// openSession creates and activates a session. Whatever is not as it must be
// is an error, before our password has been sent.
func openSession(ctx context.Context, l link, in login) (*session, error) {
	mine, err := nonce(nonceLength)
	if err != nil {
		return nil, err
	}
	created, err := call[*ua.CreateSessionResponse](ctx, l, createSession(in, mine))
	if err != nil {
		return nil, err
	}
	if err := in.verify(created, mine); err != nil {
		return nil, fmt.Errorf("CreateSession: %w", err)
	}
	s := &session{link: l, token: created.AuthenticationToken}
	req, err := in.activate(created)
	if err != nil {
		return nil, fmt.Errorf("ActivateSession: %w", err)
	}
	if _, err := ask[*ua.ActivateSessionResponse](ctx, s, req); err != nil {
		return nil, err
	}
	return s, nil
}

// ask sends a request of the session.
func ask[T ua.Response](ctx context.Context, s *session, req ua.Request) (T, error) {
	req.SetHeader(s.header(requestTimeout))
	return call[T](ctx, s.link, req)
}

func (s *session) header(timeout time.Duration) *ua.RequestHeader {
	return &ua.RequestHeader{AuthenticationToken: s.token, TimeoutHint: uint32(timeout / time.Millisecond)}
}

// close ends the session at the server and its subscriptions with it.
func (s *session) close(ctx context.Context) error {
	_, err := ask[*ua.CloseSessionResponse](ctx, s, &ua.CloseSessionRequest{DeleteSubscriptions: true})
	return err
}

func createSession(in login, mine []byte) *ua.CreateSessionRequest {
	uri := applicationURN
	if in.security.own != nil {
		uri = in.security.own.URI()
	}
	return &ua.CreateSessionRequest{
		ClientDescription: &ua.ApplicationDescription{ApplicationURI: uri, ProductURI: "urn:andon",
			ApplicationName: ua.NewLocalizedText("andon"), ApplicationType: ua.ApplicationTypeClient},
		EndpointURL:             in.endpoint,
		SessionName:             "andon " + in.source,
		ClientNonce:             mine,
		ClientCertificate:       in.security.certificate(),
		RequestedSessionTimeout: float64(sessionTimeout / time.Millisecond),
		MaxResponseMessageSize:  maxMessage,
	}
}

// verify checks that the session is with the server whose certificate was
// accepted: it presents that certificate and has signed ours and our nonce.
func (in login) verify(r *ua.CreateSessionResponse, mine []byte) error {
	if in.security.none() {
		return nil
	}
	if !in.security.isServer(r.ServerCertificate) {
		return errPeer
	}
	if len(r.ServerNonce) < nonceLength {
		return fmt.Errorf("the server's nonce has %d bytes, want %d", len(r.ServerNonce), nonceLength)
	}
	if r.ServerSignature == nil || r.ServerSignature.Algorithm != in.security.algo.SignatureURI() {
		return errSignature
	}
	signed := slices.Concat(in.security.certificate(), mine)
	if err := in.security.algo.VerifySignature(signed, r.ServerSignature.Signature); err != nil {
		return fmt.Errorf("%w: %w", errSignature, err)
	}
	return nil
}

// activate makes the request that proves who we are.
func (in login) activate(r *ua.CreateSessionResponse) (*ua.ActivateSessionRequest, error) {
	token, err := in.identity(r)
	if err != nil {
		return nil, err
	}
	signature := &ua.SignatureData{}
	if !in.security.none() {
		signed := slices.Concat(in.security.server.Raw, r.ServerNonce)
		b, err := in.security.algo.Signature(signed)
		if err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		signature = &ua.SignatureData{Algorithm: in.security.algo.SignatureURI(), Signature: b}
	}
	return &ua.ActivateSessionRequest{ClientSignature: signature, LocaleIDs: []string{"en"},
		UserIdentityToken: ua.NewExtensionObject(token), UserTokenSignature: &ua.SignatureData{}}, nil
}

// identity makes the user's token, of a kind that the server takes here. The
// list of kinds came over the channel that is being used, not from discovery.
func (in login) identity(r *ua.CreateSessionResponse) (any, error) {
	kind := ua.UserTokenTypeAnonymous
	if in.username != "" {
		kind = ua.UserTokenTypeUserName
	}
	policy := in.tokenPolicy(r.ServerEndpoints, kind)
	switch {
	case policy == nil && in.username == "":
		return nil, errors.New("the server takes no anonymous sessions here; set a user name and password")
	case policy == nil:
		return nil, errors.New("the server takes no user names here; use another policy and mode, or no user name")
	case in.username == "":
		return &ua.AnonymousIdentityToken{PolicyID: policy.PolicyID}, nil
	}
	secret, algorithm, err := in.secret(policy, r)
	if err != nil {
		return nil, err
	}
	return &ua.UserNameIdentityToken{PolicyID: policy.PolicyID, UserName: in.username,
		Password: secret, EncryptionAlgorithm: algorithm}, nil
}

// tokenPolicy finds how a kind of identity is to be sent. Of several, one that
// protects the password itself is preferred.
func (in login) tokenPolicy(endpoints []*ua.EndpointDescription, kind ua.UserTokenType) *ua.UserTokenPolicy {
	var found *ua.UserTokenPolicy
	for _, e := range endpoints {
		if e.SecurityPolicyURI != in.security.policy || e.SecurityMode != in.security.mode {
			continue
		}
		for _, p := range e.UserIdentityTokens {
			if p.TokenType != kind {
				continue
			}
			if supported(in.passwordPolicy(p)) {
				return p
			}
			found = p
		}
	}
	return found
}

// passwordPolicy is the policy by which a password is encrypted.
func (in login) passwordPolicy(p *ua.UserTokenPolicy) string {
	if p.SecurityPolicyURI == "" {
		return in.security.policy
	}
	return p.SecurityPolicyURI
}

// supported says whether a policy protects anything, in our view.
func supported(uri string) bool {
	for _, known := range policies {
		if uri == known {
			return uri != ua.SecurityPolicyURINone
		}
	}
	return false
}

// secret protects the password as the server's policy says. In clear it goes
// only over an encrypted channel, or when that was allowed.
func (in login) secret(p *ua.UserTokenPolicy, r *ua.CreateSessionResponse) (secret []byte, algorithm string, err error) {
	uri := in.passwordPolicy(p)
	encrypted := in.security.mode == ua.MessageSecurityModeSignAndEncrypt
	switch {
	case uri == ua.SecurityPolicyURINone && !encrypted && !in.insecure:
		return nil, "", errors.New("the server wants the password in clear over a channel that is not encrypted; use mode SignAndEncrypt, or say insecure: true")
	case uri == ua.SecurityPolicyURINone:
		return []byte(in.password), "", nil
	case !supported(uri):
		return nil, "", fmt.Errorf("the server wants the password protected by %s, which is not safe any more", policyName(uri))
	}
	cert, err := in.passwordCertificate(r)
	if err != nil {
		return nil, "", err
	}
	key, err := rsaKey(cert)
	if err != nil {
		return nil, "", err
	}
	algo, err := uapolicy.Asymmetric(uri, nil, key)
	if err != nil {
		return nil, "", err
	}
	b, err := algo.Encrypt(passwordBlock(in.password, r.ServerNonce))
	if err != nil {
		return nil, "", fmt.Errorf("encrypt password: %w", err)
	}
	return b, algo.EncryptionURI(), nil
}

// passwordCertificate is whose key the password is encrypted for: the accepted
// server's. With policy None nothing proves whose it is, which is one reason
// why that must be allowed by insecure.
func (in login) passwordCertificate(r *ua.CreateSessionResponse) (*x509.Certificate, error) {
	if !in.security.none() {
		return in.security.server, nil
	}
	return firstCertificate(r.ServerCertificate)
}

// passwordBlock is what is encrypted (OPC 10000-4, 7.41.2.2): length, password
// and the server's nonce, so that it cannot be used again.
func passwordBlock(password string, serverNonce []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(password)+len(serverNonce)))
	return bytes.Join([][]byte{b, []byte(password), serverNonce}, nil)
}

// limits are what the server does in one call; 0 is not told.
type limits struct {
	namespaces []string
	monitored  int
	read       int
}

// Nodes of every server (OPC 10000-6, annex A).
const (
	nodeNamespaceArray = 2255
	nodeMaxRead        = 11705
	nodeMaxMonitored   = 11714
)

// askLimits reads the server's table of namespaces and its limits. A server
// that does not know them has none that it tells.
func (s *session) askLimits(ctx context.Context) (limits, error) {
	var l limits
	values, _, err := s.readNodes(ctx, []*ua.NodeID{ua.NewNumericNodeID(0, nodeNamespaceArray),
		ua.NewNumericNodeID(0, nodeMaxMonitored), ua.NewNumericNodeID(0, nodeMaxRead)})
	if err != nil {
		return l, err
	}
	if v := values[0]; v.Has(ua.DataValueValue) {
		l.namespaces, _ = v.Value.Value().([]string) // none: every nsu= is unknown, and said so
	}
	l.monitored, l.read = count(values[1]), count(values[2])
	return l, nil
}

// count reads a limit; 0 when there is none.
func count(v *ua.DataValue) int {
	if !v.Has(ua.DataValueValue) || v.Status&severityMask != severityGood {
		return 0
	}
	n, _ := v.Value.Value().(uint32) // of another type: not told
	return int(min(n, 1<<20))
}

// readNodes reads the value attribute of nodes, and the server's clock.
func (s *session) readNodes(ctx context.Context, nodes []*ua.NodeID) ([]*ua.DataValue, sample.Time, error) {
	req := &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnBoth}
	for _, n := range nodes {
		req.NodesToRead = append(req.NodesToRead, value(n))
	}
	resp, err := ask[*ua.ReadResponse](ctx, s, req)
	if err != nil {
		return nil, 0, err
	}
	if len(resp.Results) != len(nodes) {
		return nil, 0, fmt.Errorf("the server answered %d values for %d nodes read", len(resp.Results), len(nodes))
	}
	return resp.Results, sample.At(resp.ResponseHeader.Timestamp), nil
}

// value names a node's value.
func value(n *ua.NodeID) *ua.ReadValueID {
	return &ua.ReadValueID{NodeID: n, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}
}
