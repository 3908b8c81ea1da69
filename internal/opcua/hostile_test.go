package opcua

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"

	"andon/internal/sample"
)

// fakeServer is a server made by hand that behaves, but for what a test bends.
type fakeServer struct {
	t        testing.TB
	listener net.Listener
	identity *Identity // the true server's
	policy   string
	mode     ua.MessageSecurityMode
	lifetime time.Duration

	alive   bool // keep-alives come, one for each request, at the publishing interval
	lagging bool // after a renewal, answers still come under the token before

	// What a test may bend; nil behaves.
	bendOpen  func(c *serverConn, h *uasc.AsymmetricSecurityHeader, body []byte) // before OPN is sealed
	bendReply func(req ua.Request, resp ua.Response) ua.Response                 // nil: no answer
	bendChunk func(c *serverConn, req ua.Request, sealed []byte) []byte          // before a chunk is sent
	publish   chan *ua.NotificationMessage

	mu    sync.Mutex
	seen  []ua.Request // over secure channels, discovery apart
	conns []net.Conn
	wait  sync.WaitGroup
}

// serverConn is one connection to it.
type serverConn struct {
	*fakeServer
	conn     net.Conn
	open     sealing
	header   *uasc.AsymmetricSecurityHeader // of our OPN
	message  sealing
	before   sealing // of the token before
	opens    int
	sent     uint32
	client   *x509.Certificate
	discover bool // an unprotected channel beside the configured policy
	mute     bool // it publishes no more
	began    bool // it has sent its first value
}

func startFake(t testing.TB, policy, mode string) *fakeServer {
	t.Helper()
	certificate, key, err := EnsureIdentity(t.TempDir(), "server", "127.0.0.1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	id, err := LoadIdentity(certificate, key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeServer{t: t, listener: l, identity: id, policy: policies[policy], mode: modes[mode], lifetime: time.Hour,
		publish: make(chan *ua.NotificationMessage, 100)}
	f.wait.Go(f.accept)
	t.Cleanup(func() {
		l.Close()
		f.mu.Lock()
		for _, c := range f.conns {
			c.Close()
		}
		f.mu.Unlock()
		f.wait.Wait()
	})
	return f
}

// options are those of a client that trusts it.
func (f *fakeServer) options(t testing.TB) Options {
	t.Helper()
	dir := t.TempDir()
	trust := filepath.Join(dir, "server.der")
	if err := os.WriteFile(trust, f.identity.Certificate.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	certificate, key, err := EnsureIdentity(dir, "client", "127.0.0.1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return Options{Name: "plc", Endpoint: "opc.tcp://" + f.listener.Addr().String(), Policy: policyName(f.policy), Mode: modeName(f.mode),
		Insecure: f.mode == ua.MessageSecurityModeNone, Trust: trust, Certificate: certificate, Key: key, Username: "andon", Password: "secret",
		Publish: 50 * time.Millisecond, Items: []Item{{Tag: 1, Node: "ns=1;s=TC1"}}}
}

func (f *fakeServer) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns = append(f.conns, conn)
		f.mu.Unlock()
		f.wait.Go(func() {
			defer conn.Close()
			c := &serverConn{fakeServer: f, conn: conn}
			if err := c.serve(); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				f.t.Logf("fake server: %v", err)
			}
		})
	}
}

func (c *serverConn) serve() error {
	if _, err := readFrame(c.conn); err != nil { // HEL
		return err
	}
	ack, err := ua.Encode(&uacp.Acknowledge{ReceiveBufSize: 8192, SendBufSize: 8192})
	if err != nil {
		return err
	}
	b := append([]byte("ACKF\x00\x00\x00\x00"), ack...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	if _, err := c.conn.Write(b); err != nil {
		return err
	}
	var whole []byte
	for {
		b, err := readFrame(c.conn)
		if err != nil {
			return err
		}
		if string(b[:3]) == "CLO" {
			return nil
		}
		k, err := parseChunk(b)
		if err != nil {
			return err
		}
		if k.open != nil {
			if err := c.takeOpen(k); err != nil {
				return err
			}
			continue
		}
		keys := c.message
		if int(k.token) < c.opens { // it was on its way while the token was renewed
			keys = c.before
		}
		p, err := keys.unseal(k.raw, k.clear)
		if err != nil {
			return err
		}
		_, id, body := sequenceHeader(p)
		if whole = append(whole, body...); k.final == uasc.ChunkTypeIntermediate {
			continue
		}
		_, req, err := ua.DecodeService(whole)
		if err != nil {
			return err
		}
		whole = nil
		if err := c.handle(id, req.(ua.Request)); err != nil {
			return err
		}
	}
}

// takeOpen answers OPN.
func (c *serverConn) takeOpen(k chunk) error {
	c.header = &uasc.AsymmetricSecurityHeader{SecurityPolicyURI: k.open.SecurityPolicyURI}
	mode := ua.MessageSecurityModeNone
	var local *rsa.PrivateKey
	var remote *rsa.PublicKey
	if c.discover = k.open.SecurityPolicyURI != c.policy; !c.discover && c.mode != ua.MessageSecurityModeNone {
		client, err := firstCertificate(k.open.SenderCertificate)
		if err != nil {
			return err
		}
		c.client = client
		mode, local, remote = c.mode, c.identity.Key, client.PublicKey.(*rsa.PublicKey)
		c.header.SenderCertificate = c.identity.Certificate.Raw
		c.header.ReceiverCertificateThumbprint = uapolicy.Thumbprint(client.Raw)
	}
	algo, err := uapolicy.Asymmetric(k.open.SecurityPolicyURI, local, remote)
	if err != nil {
		return err
	}
	c.open = asymmetric(algo, mode)
	p, err := c.open.unseal(k.raw, k.clear)
	if err != nil {
		return err
	}
	_, id, body := sequenceHeader(p)
	_, v, err := ua.DecodeService(body)
	if err != nil {
		return err
	}
	req := v.(*ua.OpenSecureChannelRequest)
	mine, err := nonce(algo.NonceLength())
	if err != nil {
		return err
	}
	c.opens++
	resp := &ua.OpenSecureChannelResponse{ResponseHeader: responseHeader(req), ServerNonce: mine,
		SecurityToken: &ua.ChannelSecurityToken{ChannelID: 7, TokenID: uint32(c.opens), RevisedLifetime: uint32(c.lifetime / time.Millisecond)}}
	if body, err = encodeResponse(resp); err != nil {
		return err
	}
	if c.bendOpen != nil && !c.discover {
		c.bendOpen(c, c.header, body)
	}
	head, err := c.header.Encode()
	if err != nil {
		return err
	}
	b := append([]byte("OPNF\x00\x00\x00\x00\x07\x00\x00\x00"), head...)
	if err := c.send(c.open, nil, b, id, body); err != nil {
		return err
	}
	keys, err := uapolicy.Symmetric(k.open.SecurityPolicyURI, mine, req.ClientNonce)
	c.before, c.message = c.message, symmetric(keys, mode)
	return err
}

func (c *serverConn) send(s sealing, req ua.Request, b []byte, id uint32, body []byte) error {
	clear := len(b)
	c.sent++
	b = binary.LittleEndian.AppendUint32(b, c.sent)
	b = binary.LittleEndian.AppendUint32(b, id)
	b, err := s.seal(append(b, body...), clear)
	if err != nil {
		return err
	}
	if c.bendChunk != nil && !c.discover && req != nil {
		b = c.bendChunk(c, req, b)
	}
	_, err = c.conn.Write(b)
	return err
}

// reply sends an answer, in chunks of at most 4000 bytes.
func (c *serverConn) reply(id uint32, req ua.Request, resp ua.Response) error {
	body, err := encodeResponse(resp)
	if err != nil {
		return err
	}
	for first := true; first || len(body) > 0; first = false {
		part, final := body, byte('F')
		if len(part) > 4000 {
			part, final = body[:4000], 'C'
		}
		body = body[len(part):]
		b := []byte("MSG\x00\x00\x00\x00\x00\x07\x00\x00\x00")
		b[3] = final
		token, s := uint32(c.opens), c.message
		if c.lagging && token > 1 {
			token, s = token-1, c.before
		}
		b = binary.LittleEndian.AppendUint32(b, token)
		if err := c.send(s, req, b, id, part); err != nil {
			return err
		}
	}
	return nil
}

func encodeResponse(resp ua.Response) ([]byte, error) {
	buf := ua.NewBuffer(nil)
	buf.WriteStruct(ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(resp)))
	buf.WriteStruct(resp)
	return buf.Bytes(), buf.Error()
}

func responseHeader(req ua.Request) *ua.ResponseHeader {
	return &ua.ResponseHeader{Timestamp: time.Now(), RequestHandle: req.Header().RequestHandle,
		ServiceDiagnostics: &ua.DiagnosticInfo{}, AdditionalHeader: ua.NewExtensionObject(nil)}
}

func (c *serverConn) handle(id uint32, req ua.Request) error {
	if !c.discover {
		c.mu.Lock()
		c.seen = append(c.seen, req)
		c.mu.Unlock()
	}
	resp, err := c.answer(req)
	if err != nil || resp == nil {
		return err
	}
	resp.SetHeader(responseHeader(req))
	if c.bendReply != nil && !c.discover {
		if resp = c.bendReply(req, resp); resp == nil {
			return nil
		}
	}
	return c.reply(id, req, resp)
}

func (c *serverConn) endpoints() []*ua.EndpointDescription {
	return []*ua.EndpointDescription{{EndpointURL: "opc.tcp://x", Server: &ua.ApplicationDescription{ApplicationName: ua.NewLocalizedText("x")},
		ServerCertificate: c.identity.Certificate.Raw, SecurityPolicyURI: c.policy, SecurityMode: c.mode,
		UserIdentityTokens: []*ua.UserTokenPolicy{{PolicyID: "anonymous"}, {PolicyID: "user", TokenType: ua.UserTokenTypeUserName}}}}
}

// answer behaves.
func (c *serverConn) answer(req ua.Request) (ua.Response, error) {
	switch req := req.(type) {
	case *ua.GetEndpointsRequest:
		return &ua.GetEndpointsResponse{Endpoints: c.endpoints()}, nil
	case *ua.CreateSessionRequest:
		mine, err := nonce(32)
		if err != nil {
			return nil, err
		}
		r := &ua.CreateSessionResponse{SessionID: ua.NewNumericNodeID(1, 1), AuthenticationToken: ua.NewNumericNodeID(1, 2),
			ServerNonce: mine, ServerCertificate: c.identity.Certificate.Raw, ServerEndpoints: c.endpoints(), ServerSignature: &ua.SignatureData{}}
		if c.mode != ua.MessageSecurityModeNone {
			signature, err := c.open.algo.Signature(append(bytes.Clone(req.ClientCertificate), req.ClientNonce...))
			if err != nil {
				return nil, err
			}
			r.ServerSignature = &ua.SignatureData{Algorithm: c.open.algo.SignatureURI(), Signature: signature}
		}
		return r, nil
	case *ua.ActivateSessionRequest:
		return &ua.ActivateSessionResponse{ServerNonce: make([]byte, 32)}, nil
	case *ua.ReadRequest:
		r := &ua.ReadResponse{}
		for range req.NodesToRead {
			r.Results = append(r.Results, &ua.DataValue{EncodingMask: ua.DataValueStatusCode, Status: ua.StatusBadNodeIDUnknown})
		}
		return r, nil
	case *ua.CreateSubscriptionRequest:
		return &ua.CreateSubscriptionResponse{SubscriptionID: 5, RevisedPublishingInterval: req.RequestedPublishingInterval,
			RevisedLifetimeCount: req.RequestedLifetimeCount, RevisedMaxKeepAliveCount: req.RequestedMaxKeepAliveCount}, nil
	case *ua.CreateMonitoredItemsRequest:
		r := &ua.CreateMonitoredItemsResponse{}
		for i := range req.ItemsToCreate {
			r.Results = append(r.Results, &ua.MonitoredItemCreateResult{MonitoredItemID: uint32(i + 1), RevisedQueueSize: 10, FilterResult: ua.NewExtensionObject(nil)})
		}
		return r, nil
	case *ua.PublishRequest:
		if c.mute {
			return nil, nil
		}
		if c.alive {
			<-time.After(20 * time.Millisecond)
			return &ua.PublishResponse{SubscriptionID: 5, NotificationMessage: c.keepAlive()}, nil
		}
		select {
		case m := <-c.publish:
			return &ua.PublishResponse{SubscriptionID: 5, NotificationMessage: m}, nil
		default:
			return nil, nil // as if nothing had changed, for ever
		}
	case *ua.CloseSessionRequest:
		return &ua.CloseSessionResponse{}, nil
	}
	return nil, errors.New("unexpected request")
}

// keepAlive is the first value once, and then the sign that nothing changed.
func (c *serverConn) keepAlive() *ua.NotificationMessage {
	if !c.began {
		c.began = true
		return notification(1, 1.5, time.Now())
	}
	return message(2, time.Now())
}

// requests counts what came over secure channels, by kind.
func (f *fakeServer) requests() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := make(map[string]int)
	for _, r := range f.seen {
		n[service(r)]++
	}
	return n
}

// notification holds one value of item 1.
func notification(seq uint32, v any, at time.Time) *ua.NotificationMessage {
	dv := &ua.DataValue{Value: ua.MustVariant(v), SourceTimestamp: at}
	dv.UpdateMask()
	return message(seq, at, &ua.DataChangeNotification{MonitoredItems: []*ua.MonitoredItemNotification{{ClientHandle: 1, Value: dv}}})
}

func message(seq uint32, at time.Time, data ...any) *ua.NotificationMessage {
	m := &ua.NotificationMessage{SequenceNumber: seq, PublishTime: at}
	for _, d := range data {
		m.NotificationData = append(m.NotificationData, ua.NewExtensionObject(d))
	}
	return m
}

// TestFakeServer: the server made by hand, when it behaves, is a server.
func TestFakeServer(t *testing.T) {
	for _, mode := range []string{"None", "Sign", "SignAndEncrypt"} {
		t.Run(mode, func(t *testing.T) {
			policy := "Basic256Sha256"
			if mode == "None" {
				policy = mode
			}
			f := startFake(t, policy, mode)
			long := string(bytes.Repeat([]byte("x"), 4000))
			f.publish <- notification(1, long, time.Now()) // several chunks
			f.publish <- notification(2, 3.5, time.Now())
			noLeak(t)
			_, r := start(t, f.options(t))
			r.until(t, "the value", has(1, sample.FloatValue(3.5)))
			if got := points(r.since(0), 1)[0]; got.Status != "" || got.Value.Kind() != sample.String {
				t.Errorf("long text: %v %s", got.Quality, got.Status)
			}
		})
	}
}
