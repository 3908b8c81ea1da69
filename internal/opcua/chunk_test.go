package opcua

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"

	"andon/internal/record"
	"andon/internal/sample"
)

// pair is both ends of a protected direction.
func pair(t testing.TB, policy string, mode ua.MessageSecurityMode, bits int) (symmetricA, symmetricB, openA, openB sealing) {
	t.Helper()
	one, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	two, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	algo := func(a *uapolicy.EncryptionAlgorithm, err error) *uapolicy.EncryptionAlgorithm {
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	n, m := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	return symmetric(algo(uapolicy.Symmetric(policy, n, m)), mode), symmetric(algo(uapolicy.Symmetric(policy, m, n)), mode),
		asymmetric(algo(uapolicy.Asymmetric(policy, one, &two.PublicKey)), mode), asymmetric(algo(uapolicy.Asymmetric(policy, two, &one.PublicKey)), mode)
}

// TestSeal: what one end seals the other opens, for every length, with keys of
// both sides of 2048 bits; a changed byte is noticed.
func TestSeal(t *testing.T) {
	for name, policy := range policies {
		if name == "None" {
			continue
		}
		for _, mode := range []ua.MessageSecurityMode{ua.MessageSecurityModeSign, ua.MessageSecurityModeSignAndEncrypt} {
			for _, bits := range []int{2048, 3072} {
				t.Run(fmt.Sprint(name, modeName(mode), bits), func(t *testing.T) {
					t.Parallel()
					a, b, openA, openB := pair(t, policy, mode, bits)
					for _, way := range []struct {
						from, to sealing
						step     int
					}{{a, b, 1}, {openA, openB, 41}, {openB, openA, 41}} {
						for n := sequenceLength; n < 600; n += way.step {
							trySeal(t, way.from, way.to, n)
						}
					}
				})
			}
		}
	}
}

func trySeal(t *testing.T, from, to sealing, n int) {
	t.Helper()
	const clear = 16
	plain := make([]byte, clear+n)
	for i := range plain {
		plain[i] = byte(i * 7)
	}
	copy(plain[4:], make([]byte, 4)) // the size
	sealed, err := from.seal(bytes.Clone(plain), clear)
	if err != nil {
		t.Fatal(err)
	}
	if got := int(sealed[4]) | int(sealed[5])<<8; got != len(sealed) {
		t.Fatalf("%d bytes: size %d is written, it is %d", n, got, len(sealed))
	}
	if room := from.room(len(sealed), clear); room < n-sequenceLength {
		t.Fatalf("%d bytes: room for %d in a chunk that holds them", n, room)
	}
	got, err := to.unseal(sealed, clear)
	if err != nil || !bytes.Equal(got, plain[clear:]) {
		t.Fatalf("%d bytes: got %x, %v", n, got, err)
	}
	sealed[len(sealed)-1-n%len(sealed)/2] ^= 1
	if _, err := to.unseal(sealed, clear); !errors.Is(err, errSignature) {
		t.Fatalf("%d bytes: a changed byte gives %v", n, err)
	}
}

// TestRoom: a body that fills its room fits into the chunk.
func TestRoom(t *testing.T) {
	for _, mode := range []ua.MessageSecurityMode{ua.MessageSecurityModeSign, ua.MessageSecurityModeSignAndEncrypt} {
		a, _, _, _ := pair(t, ua.SecurityPolicyURIBasic256Sha256, mode, 2048)
		for size := 8192; size < 8300; size++ {
			n := a.room(size, 16)
			sealed, err := a.seal(make([]byte, 16+sequenceLength+n), 16)
			if err != nil || len(sealed) > size {
				t.Errorf("%s: a body of %d makes a chunk of %d, want at most %d: %v", modeName(mode), n, len(sealed), size, err)
			}
		}
	}
}

func TestFollows(t *testing.T) {
	const top uint32 = 1<<32 - 1
	for _, c := range []struct {
		last, seq uint32
		want      bool
	}{{1, 2, true}, {1, 1, false}, {1, 3, false}, {2, 1, false}, {top, 0, true}, {top, 1, true}, {top - 1024, 1, false}, {top - 1023, 1, true}, {top - 1023, 1024, false}, {5, 1, false}} {
		if got := follows(c.last, c.seq); got != c.want {
			t.Errorf("%d after %d: %v, want %v", c.seq, c.last, got, c.want)
		}
	}
}

// FuzzUnseal: no bytes make the opening of a chunk panic, or pass for signed.
func FuzzUnseal(f *testing.F) {
	a, b, openA, openB := pair(f, ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt, 3072)
	signA, signB, _, _ := pair(f, ua.SecurityPolicyURIAes128Sha256RsaOaep, ua.MessageSecurityModeSign, 2048)
	for _, s := range []sealing{a, openA, signA} {
		for _, n := range []int{8, 100} {
			sealed, err := s.seal(append([]byte("MSGF"), make([]byte, 12+n)...), 16)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(sealed)
		}
	}
	f.Add([]byte("OPNF\x10\x00\x00\x00\x01\x00\x00\x00\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		k, err := parseChunk(raw)
		if err != nil {
			return
		}
		for _, s := range []sealing{b, openB, signB} {
			before := bytes.Clone(raw)
			if p, err := s.unseal(k.raw, k.clear); err == nil {
				sequenceHeader(p)
			}
			if !bytes.Equal(before, raw) {
				t.Fatal("the bytes were changed")
			}
		}
	})
}

// FuzzPublish: no publish answer makes the way from bytes to inputs panic but
// in the decoder, where it is contained, and what comes out is well formed.
func FuzzPublish(f *testing.F) {
	for _, m := range []*ua.NotificationMessage{
		message(1, second(1)),
		notification(1, 2.5, second(1)),
		message(2, second(1), data(val{1, 1, 1, 0}, val{2, 2, 1, 0x480}, val{1, 3, 0.5, ua.StatusBadSensorFailure})),
		message(3, second(1), &ua.StatusChangeNotification{Status: ua.StatusBadTimeout, DiagnosticInfo: &ua.DiagnosticInfo{}}),
	} {
		resp := &ua.PublishResponse{SubscriptionID: 5, NotificationMessage: m}
		resp.SetHeader(responseHeader(&ua.PublishRequest{RequestHeader: &ua.RequestHeader{}}))
		b, err := encodeResponse(resp)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		resp, err := decode(b)
		if err != nil {
			return
		}
		p, ok := resp.(*ua.PublishResponse)
		if !ok {
			return
		}
		w := newWatch("plc", []*item{{Item: Item{Tag: 1}}, {Item: Item{Tag: 2, Range: &[2]float64{0, 1}}, typeID: ua.TypeIDDouble}})
		for h := range uint32(2) {
			w.created(h+1, &ua.MonitoredItemCreateResult{MonitoredItemID: 1}, 1)
		}
		steps, err := newOrder(2).take(answer{resp: p, at: 1})
		if err != nil {
			return
		}
		for _, s := range steps {
			in, err := w.inputs(s)
			if err != nil {
				return
			}
			wellFormed(t, in)
		}
	})
}

// wellFormed checks what the engine relies on.
func wellFormed(t *testing.T, in []record.Body) {
	t.Helper()
	for _, b := range in {
		scan, ok := b.(*record.Scan)
		if !ok {
			continue
		}
		tags := make(map[sample.Tag]bool)
		for _, r := range scan.Readings {
			if tags[r.Tag] || r.Tag < 1 || r.Tag > 2 || !r.Value.Finite() && r.Quality != sample.Bad || r.Quality == sample.Bad && r.Status == "" {
				t.Errorf("reading %+v", r)
			}
			tags[r.Tag] = true
		}
		if len(scan.Readings) == 0 || scan.AsOf != 0 && scan.AsOf < scan.Time {
			t.Errorf("scan %+v", scan)
		}
	}
}

// FuzzChannel: no bytes of a server without security make the channel panic,
// hang or leak.
func FuzzChannel(f *testing.F) {
	f.Add([]byte("ACKF\x1c\x00\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("ERRF\x10\x00\x00\x00\x00\x00\x80\x80\x04\x00\x00\x00"))
	ack := "ACKF\x1c\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	f.Add([]byte(ack + string(openAnswer(f)) + "MSGF\x18\x00\x00\x00\x07\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		near, far := net.Pipe()
		go func() { // swallows what we send
			buf := make([]byte, 4096)
			for {
				if _, err := far.Read(buf); err != nil {
					return
				}
			}
		}()
		go func() {
			// The other end may have hung up in the middle: that is the point.
			_, _ = far.Write(b)
			far.Close()
		}()
		sec, err := noSecurity()
		if err != nil {
			t.Fatal(err)
		}
		d := &dialer{endpoint: "opc.tcp://x", now: time.Now, lifetime: time.Hour}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c, err := openChannel(ctx, near, d, sec)
		if err != nil {
			return
		}
		to := make(chan reply, 1)
		if _, err := c.send(&ua.ReadRequest{}, to); err == nil {
			<-to
		}
		c.close()
	})
}

// openAnswer is a well-formed answer to the first OPN of a channel without
// security.
func openAnswer(t testing.TB) []byte {
	t.Helper()
	resp := &ua.OpenSecureChannelResponse{SecurityToken: &ua.ChannelSecurityToken{ChannelID: 7, TokenID: 1, RevisedLifetime: 3600000}}
	resp.SetHeader(responseHeader(&ua.OpenSecureChannelRequest{RequestHeader: &ua.RequestHeader{}}))
	body, err := encodeResponse(resp)
	if err != nil {
		t.Fatal(err)
	}
	sec, err := noSecurity()
	if err != nil {
		t.Fatal(err)
	}
	head, err := sec.header().Encode()
	if err != nil {
		t.Fatal(err)
	}
	b := append([]byte("OPNF\x00\x00\x00\x00\x07\x00\x00\x00"), head...)
	clear := len(b)
	b = append(append(b, 1, 0, 0, 0, 1, 0, 0, 0), body...)
	b, err = asymmetric(sec.algo, sec.mode).seal(b, clear)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDecodeContained: a message on which the decoder panics is an error.
func TestDecodeContained(t *testing.T) {
	if _, err := decode(publishBody(t, []byte{ua.DataValueValue, 0x80 | 11, 0xFE, 0xFF, 0xFF, 0xFF})); err == nil || !bytes.Contains([]byte(err.Error()), []byte("negative len")) {
		t.Errorf("got %v, want the decoder's panic as an error", err)
	}
}
