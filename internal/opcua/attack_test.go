package opcua

import (
	"bytes"
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"

	"andon/internal/record"
	"andon/internal/sample"
)

// lostWith waits for the source's first loss after mark and returns its words.
func lostWith(t *testing.T, r *recorder, mark int) string {
	t.Helper()
	r.until(t, "the loss", func(all []record.Body) bool { return len(losses(all[mark:])) > 0 })
	return losses(r.since(mark))[0].Detail
}

// forger is somebody in between who has a certificate, but not the server's key.
func forger(t *testing.T) *Identity {
	t.Helper()
	certificate, key, err := EnsureIdentity(t.TempDir(), "server", "127.0.0.1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	id, err := LoadIdentity(certificate, key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sealBy makes OPN come from another identity, as a forger would.
func sealBy(t *testing.T, c *serverConn, id *Identity) {
	remote, err := rsaKey(c.client)
	if err != nil {
		t.Error(err)
		return
	}
	algo, err := uapolicy.Asymmetric(c.policy, id.Key, remote)
	if err != nil {
		t.Error(err)
		return
	}
	c.open = asymmetric(algo, c.mode)
}

// TestForgedOpen: an answer to OPN that is not the trusted server's ends the
// attempt before anything else is said, each time anew.
func TestForgedOpen(t *testing.T) {
	evil := forger(t)
	for _, c := range []struct {
		name string
		bend func(c *serverConn, h *uasc.AsymmetricSecurityHeader, body []byte)
		want string
	}{
		{"another certificate, well signed", func(c *serverConn, h *uasc.AsymmetricSecurityHeader, _ []byte) {
			h.SenderCertificate = evil.Certificate.Raw
			sealBy(t, c, evil)
		}, errPeer.Error()},
		{"the true certificate, signed by another", func(c *serverConn, _ *uasc.AsymmetricSecurityHeader, _ []byte) {
			sealBy(t, c, evil)
		}, errSignature.Error()},
		{"policy None", func(c *serverConn, h *uasc.AsymmetricSecurityHeader, _ []byte) {
			*h = uasc.AsymmetricSecurityHeader{SecurityPolicyURI: ua.SecurityPolicyURINone}
			c.open = sealing{}
		}, errPolicy.Error()},
		{"a weaker policy", func(_ *serverConn, h *uasc.AsymmetricSecurityHeader, _ []byte) {
			h.SecurityPolicyURI = ua.SecurityPolicyURIBasic128Rsa15
		}, errPolicy.Error()},
		{"for another client", func(_ *serverConn, h *uasc.AsymmetricSecurityHeader, _ []byte) {
			h.ReceiverCertificateThumbprint = make([]byte, 20)
		}, errForOther.Error()},
		{"no certificate", func(_ *serverConn, h *uasc.AsymmetricSecurityHeader, _ []byte) {
			h.SenderCertificate = nil
		}, errPeer.Error()},
		{"a fault in place of a channel", func(_ *serverConn, _ *uasc.AsymmetricSecurityHeader, body []byte) {
			binary.LittleEndian.PutUint32(body[4+8+4:], uint32(ua.StatusBadSecurityChecksFailed))
		}, "BadSecurityChecksFailed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := startFake(t, "Basic256Sha256", "SignAndEncrypt")
			f.bendOpen = c.bend
			noLeak(t)
			s, r := start(t, f.options(t))
			if got := lostWith(t, r, 0); !strings.Contains(got, c.want) {
				t.Errorf("lost with %q, want %q", got, c.want)
			}
			if _, err := s.Read(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("second time: %v, want %q", err, c.want)
			}
			if got := f.requests(); len(got) > 0 {
				t.Errorf("the forger was told %v", got)
			}
		})
	}
}

// TestForgedRenewal: the same holds when the token is renewed.
//
//andon:req Q40
func TestForgedRenewal(t *testing.T) {
	evil := forger(t)
	f := startFake(t, "Basic256Sha256", "Sign")
	f.lifetime = time.Second
	f.bendOpen = func(c *serverConn, h *uasc.AsymmetricSecurityHeader, _ []byte) {
		if c.opens > 1 {
			h.SenderCertificate = evil.Certificate.Raw
			sealBy(t, c, evil)
		}
	}
	f.publish <- notification(1, 3.5, time.Now())
	_, r := start(t, f.options(t))
	r.until(t, "the value", has(1, sample.FloatValue(3.5)))
	if got := lostWith(t, r, 0); !strings.Contains(got, errPeer.Error()) {
		t.Errorf("lost with %q, want %q", got, errPeer)
	}
}

// TestRenewalOverlap: after a renewal the server may still use the token before
// for what it sends; that of two renewals ago it may not.
func TestRenewalOverlap(t *testing.T) {
	f := startFake(t, "Basic256Sha256", "SignAndEncrypt")
	f.lifetime, f.lagging = time.Second, true
	f.alive = true
	_, r := start(t, f.options(t))
	begin := time.Now()
	r.until(t, "answers over two renewals", func(all []record.Body) bool {
		return len(losses(all)) > 0 || time.Since(begin) > 2*time.Second
	})
	if l := losses(r.since(0)); len(l) > 0 {
		t.Errorf("lost: %+v", l[0])
	}
}

// TestAbsent: while the server is not there, one loss says so, at once and once.
func TestAbsent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	attempts := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
			attempts <- struct{}{}
		}
	}()
	o := plain("opc.tcp://"+l.Addr().String(), "TC1")
	noLeak(t)
	s, r := start(t, o)
	for range 5 {
		<-attempts
	}
	l.Close()
	<-done
	got := r.since(0)
	if len(got) != 1 || len(losses(got)) != 1 || losses(got)[0].Cause != CauseLink {
		t.Errorf("got\n%s", tail(got))
	}
	if st := s.Status(); st.Connected || st.Err == "" || st.Connects != 0 {
		t.Errorf("status %+v", st)
	}
}

// TestFalseSession: a CreateSession answer that does not prove the server ends
// the attempt before the password goes out.
func TestFalseSession(t *testing.T) {
	evil := forger(t)
	for _, c := range []struct {
		name string
		bend func(r *ua.CreateSessionResponse)
		want string
	}{
		{"wrong signature", func(r *ua.CreateSessionResponse) { r.ServerSignature.Signature[5] ^= 1 }, errSignature.Error()},
		{"short signature", func(r *ua.CreateSessionResponse) { r.ServerSignature.Signature = []byte{1} }, errSignature.Error()},
		{"no signature", func(r *ua.CreateSessionResponse) { r.ServerSignature = &ua.SignatureData{} }, errSignature.Error()},
		{"another algorithm", func(r *ua.CreateSessionResponse) { r.ServerSignature.Algorithm = "none" }, errSignature.Error()},
		{"another certificate", func(r *ua.CreateSessionResponse) { r.ServerCertificate = evil.Certificate.Raw }, errPeer.Error()},
		{"no certificate", func(r *ua.CreateSessionResponse) { r.ServerCertificate = nil }, errPeer.Error()},
		{"short nonce", func(r *ua.CreateSessionResponse) { r.ServerNonce = r.ServerNonce[:8] }, "nonce"},
		{"no user names", func(r *ua.CreateSessionResponse) { r.ServerEndpoints = nil }, "no user names"},
		{"weak password protection", func(r *ua.CreateSessionResponse) {
			r.ServerEndpoints[0].UserIdentityTokens[1].SecurityPolicyURI = ua.SecurityPolicyURIBasic128Rsa15
		}, "not safe any more"},
		{"password in clear", func(r *ua.CreateSessionResponse) {
			r.ServerEndpoints[0].UserIdentityTokens[1].SecurityPolicyURI = ua.SecurityPolicyURINone
		}, "password in clear"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := startFake(t, "Basic256Sha256", "Sign")
			f.bendReply = func(_ ua.Request, resp ua.Response) ua.Response {
				if r, ok := resp.(*ua.CreateSessionResponse); ok {
					c.bend(r)
				}
				return resp
			}
			_, r := start(t, f.options(t))
			if got := lostWith(t, r, 0); !strings.Contains(got, c.want) {
				t.Errorf("lost with %q, want %q", got, c.want)
			}
			if got := f.requests(); got["ActivateSession"] > 0 {
				t.Errorf("the server was told %v", got)
			}
		})
	}
}

// TestHostileChunks: whatever bytes come in place of a publish answer, the
// connection ends with a reason and the next one works.
func TestHostileChunks(t *testing.T) {
	size := func(b []byte) []byte {
		binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
		return b
	}
	for _, c := range []struct {
		name, mode string
		bend       func(b []byte) []byte
		want       string
	}{
		{"too short to be signed", "Sign", func(b []byte) []byte { return size(b[:20]) }, errShort.Error()},
		{"too short to be encrypted", "SignAndEncrypt", func(b []byte) []byte { return size(b[:16]) }, errSignature.Error()},
		{"one block", "SignAndEncrypt", func(b []byte) []byte { return size(b[:32]) }, errShort.Error()},
		{"half a block", "SignAndEncrypt", func(b []byte) []byte { return size(b[:len(b)-8]) }, errSignature.Error()},
		{"a bit changed", "Sign", func(b []byte) []byte { b[40] ^= 1; return b }, errSignature.Error()},
		{"a bit changed, encrypted", "SignAndEncrypt", func(b []byte) []byte { b[40] ^= 1; return b }, errSignature.Error()},
		{"sent twice", "Sign", func(b []byte) []byte { return append(b, b...) }, "came after chunk"},
		{"sent twice", "None", func(b []byte) []byte { return append(b, b...) }, "came after chunk"},
		{"another token", "Sign", func(b []byte) []byte { b[12]++; return b }, "not ours"},
		{"another channel", "Sign", func(b []byte) []byte { b[8]++; return b }, "not ours"},
		{"no header", "None", func(b []byte) []byte { return size(b[:12]) }, errShort.Error()},
		{"no sequence", "None", func(b []byte) []byte { return size(b[:18]) }, errShort.Error()},
		{"no body", "None", func(b []byte) []byte { return size(b[:24]) }, "cannot be decoded"},
		{"half a body", "None", func(b []byte) []byte { return size(b[:len(b)-9]) }, "cannot be decoded"},
		{"unknown service", "None", func(b []byte) []byte { b[26] = 0xFF; return b }, "cannot be decoded"},
		{"a size of 3", "None", func(b []byte) []byte { b[4], b[5], b[6], b[7] = 3, 0, 0, 0; return b }, "a message of 3 bytes"},
		{"a size of 4 GB", "None", func(b []byte) []byte { b[4], b[5], b[6], b[7] = 255, 255, 255, 255; return b }, "a message of 4294967295 bytes"},
		{"no type", "None", func(b []byte) []byte { copy(b, "XXX"); return b }, "unknown type"},
		{"no chunk type", "None", func(b []byte) []byte { b[3] = 'X'; return b }, "unknown type"},
		{"an error", "None", func([]byte) []byte {
			return size(append([]byte("ERRF\x00\x00\x00\x00\x00\x00\x80\x80\x04\x00\x00\x00"), "gone"...))
		}, `BadTcpMessageTooLarge: "gone"`},
		{"never an end", "None", func(b []byte) []byte {
			b[3] = 'C'
			var all []byte
			for i := range uint32(maxMessage/8000 + 2) {
				part := append(bytes.Clone(b[:24]), make([]byte, 8000)...)
				binary.LittleEndian.PutUint32(part[16:], binary.LittleEndian.Uint32(b[16:])+i)
				all = append(all, size(part)...)
			}
			return all
		}, "longer than"},
		{"silence", "None", func([]byte) []byte { return nil }, errSilent.Error()},
	} {
		t.Run(c.name+" "+c.mode, func(t *testing.T) {
			t.Parallel() // most wait for nothing, one for silence
			policy := "Basic256Sha256"
			if c.mode == "None" {
				policy = c.mode
			}
			f := startFake(t, policy, c.mode)
			bent := false
			f.bendChunk = func(sc *serverConn, req ua.Request, b []byte) []byte {
				if _, ok := req.(*ua.PublishRequest); !ok || bent {
					return b
				}
				bent, sc.mute = true, true
				return c.bend(b)
			}
			f.publish <- notification(1, 1.5, time.Now())
			_, r := start(t, f.options(t))
			if got := lostWith(t, r, 0); !strings.Contains(got, c.want) {
				t.Errorf("lost with %q, want %q", got, c.want)
			}
			f.publish <- notification(1, 2.5, time.Now())
			r.until(t, "the value over the next connection", has(1, sample.FloatValue(2.5)))
		})
	}
}

// TestHostileBodies: well-formed frames around what a decoder may stumble on.
func TestHostileBodies(t *testing.T) {
	value := func(variant ...byte) []byte { return append([]byte{ua.DataValueValue}, variant...) }
	nested := func(level ...byte) []byte {
		return append(value(), append(bytes.Repeat(level, (maxMessage-1000)/len(level)), 0)...)
	}
	for name, dv := range map[string][]byte{
		"array of length -2":       value(0x80|11, 0xFE, 0xFF, 0xFF, 0xFF),
		"array of 65535 of values": value(0x80|24, 0xFF, 0xFF, 0, 0),
		"dimensions that overflow": value(0xC0|1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0),
		"type 63":                  value(63),
		"string of 2 GB":           value(12, 0xFF, 0xFF, 0xFF, 0x7F),
		"values in values":         nested(23, 1),
		"variants in variants":     nested(24),
		"diagnostics":              append(value(25), nested(0x40)[1:]...),
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, "None", "None")
			f.bendChunk = func(c *serverConn, req ua.Request, b []byte) []byte {
				if _, ok := req.(*ua.PublishRequest); !ok {
					return b
				}
				return frames(b, publishBody(t, dv))
			}
			f.publish <- notification(1, 1.5, time.Now())
			_, r := start(t, f.options(t))
			lostWith(t, r, 0)
		})
	}
}

// publishBody is the body of a publish answer with one value, given by its bytes.
func publishBody(t *testing.T, dv []byte) []byte {
	t.Helper()
	resp := &ua.PublishResponse{SubscriptionID: 5, NotificationMessage: notification(1, 1.5, time.Unix(0, 0))}
	resp.SetHeader(responseHeader(&ua.PublishRequest{RequestHeader: &ua.RequestHeader{}}))
	b, err := encodeResponse(resp)
	if err != nil {
		t.Fatal(err)
	}
	// The value is all from its mask (value and source time) on; in front of it
	// stand the lengths of the extension object and of the list.
	at := bytes.Index(b, []byte{1, 0, 0, 0, 1, 0, 0, 0, ua.DataValueValue | ua.DataValueSourceTimestamp})
	if at < 0 {
		t.Fatal("no value in the answer")
	}
	body := append(bytes.Clone(b[:at+8]), dv...)
	body = append(body, make([]byte, 16)...)
	binary.LittleEndian.PutUint32(body[at-4:], uint32(len(body)-at-12))
	return body
}

// frames replaces the body of a sealed chunk without security, in as many
// chunks as it takes.
func frames(b, body []byte) []byte {
	var all []byte
	for i := uint32(0); len(body) > 0; i++ {
		part := body[:min(len(body), 60000)]
		body = body[len(part):]
		f := append(bytes.Clone(b[:24]), part...)
		if f[3] = 'C'; len(body) == 0 {
			f[3] = 'F'
		}
		binary.LittleEndian.PutUint32(f[4:], uint32(len(f)))
		binary.LittleEndian.PutUint32(f[16:], binary.LittleEndian.Uint32(b[16:])+i)
		all = append(all, f...)
	}
	return all
}

// TestStrayFault: a fault is the answer to one request, not the end.
func TestStrayFault(t *testing.T) {
	f := startFake(t, "Basic256Sha256", "Sign")
	faults := 0
	f.bendReply = func(_ ua.Request, resp ua.Response) ua.Response {
		if p, ok := resp.(*ua.PublishResponse); ok && faults == 0 {
			faults++
			h := *p.ResponseHeader
			h.ServiceResult = ua.StatusBadNothingToDo
			return &ua.ServiceFault{ResponseHeader: &h}
		}
		return resp
	}
	f.publish <- notification(1, 1.5, time.Now())
	f.publish <- notification(1, 2.5, time.Now())
	_, r := start(t, f.options(t))
	r.until(t, "the value", has(1, sample.FloatValue(2.5)))
	if l := losses(r.since(0)); len(l) > 0 {
		t.Errorf("lost: %+v", l[0])
	}
}

// TestWrongAnswers: services that answer what was not asked.
func TestWrongAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		bend func(req ua.Request, resp ua.Response) ua.Response
		want string
	}{
		{"another service", func(req ua.Request, resp ua.Response) ua.Response {
			if _, ok := req.(*ua.CreateSubscriptionRequest); ok {
				r := &ua.CloseSessionResponse{}
				r.SetHeader(resp.Header())
				return r
			}
			return resp
		}, "answered with"},
		{"too few results", func(_ ua.Request, resp ua.Response) ua.Response {
			if r, ok := resp.(*ua.CreateMonitoredItemsResponse); ok {
				r.Results = nil
			}
			return resp
		}, "0 results for 1 items"},
		{"another subscription", func(_ ua.Request, resp ua.Response) ua.Response {
			if r, ok := resp.(*ua.PublishResponse); ok {
				r.SubscriptionID = 6
			}
			return resp
		}, "subscription 6"},
		{"an item of nobody", func(_ ua.Request, resp ua.Response) ua.Response {
			if r, ok := resp.(*ua.PublishResponse); ok {
				r.NotificationMessage.NotificationData[0].Value.(*ua.DataChangeNotification).MonitoredItems[0].ClientHandle = 2
			}
			return resp
		}, "never asked for"},
		{"no sequence number", func(_ ua.Request, resp ua.Response) ua.Response {
			if r, ok := resp.(*ua.PublishResponse); ok {
				r.NotificationMessage.SequenceNumber = 0
			}
			return resp
		}, errNoSequence.Error()},
		{"the subscription's end", func(_ ua.Request, resp ua.Response) ua.Response {
			if r, ok := resp.(*ua.PublishResponse); ok {
				r.NotificationMessage = message(1, time.Now(), &ua.StatusChangeNotification{Status: ua.StatusBadTimeout, DiagnosticInfo: &ua.DiagnosticInfo{}})
			}
			return resp
		}, "ended the subscription: BadTimeout"},
		{"signs of life once an hour", func(_ ua.Request, resp ua.Response) ua.Response {
			if r, ok := resp.(*ua.CreateSubscriptionResponse); ok {
				r.RevisedPublishingInterval = 3600e3
			}
			return resp
		}, "two signs of life"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := startFake(t, "None", "None")
			f.bendReply = c.bend
			f.publish <- notification(1, 1.5, time.Now())
			_, r := start(t, f.options(t))
			if got := lostWith(t, r, 0); !strings.Contains(got, c.want) {
				t.Errorf("lost with %q, want %q", got, c.want)
			}
		})
	}
}
