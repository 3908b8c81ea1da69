package uaserver

import (
	"crypto/rand"
	"math"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Limits of sessions, and the timeout granted when none or an absurd one is
// asked for.
const (
	maxSessions    = 64
	maxRequests    = 32 // Publish requests waiting in a session
	defaultTimeout = time.Minute
	maxTimeout     = time.Hour
)

// session is a client's session. Guarded by Server.mu.
type session struct {
	id, token *ua.NodeID
	conn      *conn // on which it was last activated; nil: never
	subs      map[uint32]*subscription
	waiting   []publishRequest // oldest first
	used      time.Time        // last request
}

// publishRequest is a Publish request that waits for something to publish.
type publishRequest struct {
	conn    *conn
	id      uint32 // request id
	handle  uint32
	results []ua.StatusCode // of its acknowledgements
	expires time.Time       // the client's timeout; zero for none
}

func (s *Server) application() *ua.ApplicationDescription {
	return &ua.ApplicationDescription{
		ApplicationURI:  "urn:andon:" + s.opt.Name + ":server",
		ProductURI:      "urn:andon",
		ApplicationName: ua.NewLocalizedText(s.opt.Name),
		ApplicationType: ua.ApplicationTypeServer,
		DiscoveryURLs:   []string{s.endpoint},
	}
}

func (s *Server) endpoints() []*ua.EndpointDescription {
	return []*ua.EndpointDescription{{
		EndpointURL:       s.endpoint,
		Server:            s.application(),
		ServerCertificate: []byte{},
		SecurityMode:      ua.MessageSecurityModeNone,
		SecurityPolicyURI: ua.SecurityPolicyURINone,
		UserIdentityTokens: []*ua.UserTokenPolicy{{
			PolicyID:          "anonymous",
			TokenType:         ua.UserTokenTypeAnonymous,
			SecurityPolicyURI: ua.SecurityPolicyURINone,
		}},
		TransportProfileURI: "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary",
	}}
}

// createSession makes a session; it can be used once it has been activated.
func (s *Server) createSession(r *ua.CreateSessionRequest) ua.Response {
	if len(s.sessions) >= maxSessions && !s.evict() {
		return fault(r, ua.StatusBadTooManySessions)
	}
	ses := &session{
		id:    ua.NewNumericNodeID(1, s.nextID()),
		token: ua.NewByteStringNodeID(1, random()),
		subs:  make(map[uint32]*subscription),
		used:  time.Now(),
	}
	s.sessions[ses.token.String()] = ses
	timeout := millis(r.RequestedSessionTimeout)
	if timeout <= 0 || timeout > maxTimeout {
		timeout = defaultTimeout
	}
	return &ua.CreateSessionResponse{
		ResponseHeader:             ok(r),
		SessionID:                  ses.id,
		AuthenticationToken:        ses.token,
		RevisedSessionTimeout:      float64(timeout / time.Millisecond),
		ServerNonce:                random(),
		ServerCertificate:          []byte{},
		ServerEndpoints:            s.endpoints(),
		ServerSoftwareCertificates: []*ua.SignedSoftwareCertificate{},
		ServerSignature:            &ua.SignatureData{Signature: []byte{}},
	}
}

// evict ends the longest idle session that has neither connection nor
// subscription; mu is held. Sessions are not timed otherwise: a lost client's
// subscriptions end by their lifetime, and then its session may be evicted.
func (s *Server) evict() bool {
	var oldest *session
	for _, ses := range s.sessions {
		_, connected := s.conns[ses.conn]
		if !connected && len(ses.subs) == 0 && (oldest == nil || ses.used.Before(oldest.used)) {
			oldest = ses
		}
	}
	if oldest == nil {
		return false
	}
	delete(s.sessions, oldest.token.String())
	return true
}

// activateSession binds a session to the connection that asks, or moves it
// there. Only anonymous users are taken.
func (s *Server) activateSession(c *conn, r *ua.ActivateSessionRequest) ua.Response {
	ses := s.sessions[r.RequestHeader.AuthenticationToken.String()]
	if ses == nil {
		return fault(r, ua.StatusBadSessionIDInvalid)
	}
	if t := r.UserIdentityToken; t != nil && t.Value != nil {
		if _, ok := t.Value.(*ua.AnonymousIdentityToken); !ok {
			return fault(r, ua.StatusBadIdentityTokenRejected)
		}
	}
	ses.conn, ses.used = c, time.Now()
	return &ua.ActivateSessionResponse{
		ResponseHeader:  ok(r),
		ServerNonce:     random(),
		Results:         []ua.StatusCode{},
		DiagnosticInfos: []*ua.DiagnosticInfo{},
	}
}

// session finds the active session of a request; mu is held.
func (s *Server) session(c *conn, r ua.Request) (*session, ua.StatusCode) {
	ses := s.sessions[r.Header().AuthenticationToken.String()]
	switch {
	case ses == nil:
		return nil, ua.StatusBadSessionIDInvalid
	case ses.conn == nil:
		return nil, ua.StatusBadSessionNotActivated
	case ses.conn != c:
		return nil, ua.StatusBadSecureChannelIDInvalid
	}
	ses.used = time.Now()
	return ses, ua.StatusOK
}

// closeSession ends a session and its subscriptions: without transfer there is
// nobody who could take them over.
func (s *Server) closeSession(ses *session, r *ua.CloseSessionRequest) ua.Response {
	for _, sub := range ses.subs {
		s.removeSubscription(sub)
	}
	delete(s.sessions, ses.token.String())
	return &ua.CloseSessionResponse{ResponseHeader: ok(r)}
}

// dropRequests forgets what waited on a connection that has ended.
func (ses *session) dropRequests(c *conn) {
	kept := ses.waiting[:0]
	for _, p := range ses.waiting {
		if p.conn != c {
			kept = append(kept, p)
		}
	}
	clear(ses.waiting[len(kept):])
	ses.waiting = kept
}

// random is what nobody can guess: a token or a nonce.
func random() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails; see crypto/rand
	return b
}

// millis reads a duration as OPC UA writes it: not a number is 0, and what does
// not fit is as long as can be.
func millis(v float64) time.Duration {
	const limit = math.MaxInt64 / 2
	d := v * float64(time.Millisecond)
	if math.IsNaN(d) {
		return 0
	}
	return time.Duration(max(min(d, limit), -limit))
}
