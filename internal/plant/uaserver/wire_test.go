package uaserver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uasc"
)

// tape is a connection of which the client's half is known beforehand.
type tape struct {
	net.Conn // nil: only what follows is called
	in       io.Reader
	out      bytes.Buffer
}

func (t *tape) Read(b []byte) (int, error)       { return t.in.Read(b) }
func (t *tape) Write(b []byte) (int, error)      { return t.out.Write(b) }
func (t *tape) Close() error                     { return nil }
func (t *tape) SetReadDeadline(time.Time) error  { return nil }
func (t *tape) SetWriteDeadline(time.Time) error { return nil }

func write(t testing.TB, c net.Conn, parts ...[]byte) {
	t.Helper()
	if _, err := c.Write(bytes.Join(parts, nil)); err != nil {
		t.Fatal(err)
	}
}

// frame is one chunk of the connection protocol.
func frame(typ string, body []byte) []byte {
	b := append([]byte(typ), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], uint32(headerSize+len(body)))
	return append(b, body...)
}

func hello(buffer uint32) []byte {
	b, err := (&uacp.Hello{ReceiveBufSize: buffer, SendBufSize: buffer, EndpointURL: "opc.tcp://x"}).Encode()
	if err != nil {
		panic(err)
	}
	return frame("HELF", b)
}

// request is a request in one chunk on a channel whose token has its number.
func request(channel, n uint32, r ua.Request) []byte {
	if r.Header() == nil {
		r.SetHeader(&ua.RequestHeader{AuthenticationToken: ua.NewTwoByteNodeID(0), Timestamp: time.Now(), RequestHandle: n})
	}
	h := &uasc.MessageHeader{
		Header:                  uasc.NewHeader("MSG", 'F', channel),
		SymmetricSecurityHeader: uasc.NewSymmetricSecurityHeader(channel),
		SequenceHeader:          uasc.NewSequenceHeader(n, n),
	}
	if _, ok := r.(*ua.OpenSecureChannelRequest); ok {
		h.Header = uasc.NewHeader("OPN", 'F', 0)
		h.AsymmetricSecurityHeader = uasc.NewAsymmetricSecurityHeader(ua.SecurityPolicyURINone, nil, nil)
	}
	m := &uasc.Message{MessageHeader: h, TypeID: ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(r)), Service: r}
	b, err := m.Encode()
	if err != nil {
		panic(err)
	}
	return b
}

func open(mode ua.MessageSecurityMode) []byte {
	return request(0, 1, &ua.OpenSecureChannelRequest{SecurityMode: mode, RequestedLifetime: 3600000})
}

func openRequest() []byte { return open(ua.MessageSecurityModeNone) }

func getEndpoints() *ua.GetEndpointsRequest {
	return &ua.GetEndpointsRequest{EndpointURL: "opc.tcp://x"}
}

// converse plays bytes to a server and returns what it said and how it ended.
func converse(s *Server, in []byte) (said []byte, end error) {
	tp := &tape{in: bytes.NewReader(in)}
	c := &conn{server: s, tcp: tp, wire: newWire(tp, 1)}
	end = c.converse()
	return tp.out.Bytes(), end
}

func TestProtocol(t *testing.T) {
	secured := bytes.Replace(openRequest(), []byte("#None"), []byte("#Nope"), 1)
	cut := request(1, 3, getEndpoints())
	chunked := func(types string, n int) []byte {
		whole := request(1, 2, getEndpoints())
		var out []byte
		for i := range types {
			b := append([]byte{}, whole[:24]...)
			if i == n {
				b = append(b, whole[24:]...)
			}
			b[3] = types[i]
			binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
			out = append(out, b...)
		}
		return out
	}
	tests := []struct {
		name    string
		in      [][]byte
		end     error
		answers int // to requests
	}{
		{"leaves at once", nil, io.EOF, 0},
		{"hello and leaves", [][]byte{hello(65535)}, io.EOF, 0},
		{"no hello", [][]byte{openRequest()}, ua.StatusBadTCPMessageTypeInvalid, 0},
		{"tiny buffers", [][]byte{hello(100)}, ua.StatusBadConnectionRejected, 0},
		{"absurd size", [][]byte{[]byte("HELF\xff\xff\xff\xff")}, ua.StatusBadTCPMessageTooLarge, 0},
		{"size below the header's", [][]byte{[]byte("HELF\x07\x00\x00\x00")}, ua.StatusBadTCPMessageTooLarge, 0},
		{"security", [][]byte{hello(65535), secured}, ua.StatusBadSecurityPolicyRejected, 0},
		{"secured mode on policy None", [][]byte{hello(65535), open(ua.MessageSecurityModeSign)}, ua.StatusBadSecurityModeRejected, 0},
		{"another channel", [][]byte{hello(65535), openRequest(), request(2, 2, getEndpoints())}, ua.StatusBadTCPSecureChannelUnknown, 0},
		{"two requests", [][]byte{hello(65535), openRequest(), request(1, 2, getEndpoints()), request(1, 3, getEndpoints())}, io.EOF, 2},
		{"says goodbye", [][]byte{hello(65535), openRequest(), frame("CLOF", make([]byte, 20)), request(1, 2, getEndpoints())}, io.EOF, 0},
		{"cut in a request", [][]byte{hello(65535), openRequest(), cut[:len(cut)-1]}, io.ErrUnexpectedEOF, 0},
		{"in three chunks", [][]byte{hello(65535), openRequest(), chunked("CCF", 1)}, io.EOF, 1},
		{"given up", [][]byte{hello(65535), openRequest(), chunked("CA", 0), request(1, 3, getEndpoints())}, io.EOF, 1},
		{"unknown service", [][]byte{hello(65535), openRequest(), bytes.Replace(request(1, 2, getEndpoints()), []byte{0xac, 0x01}, []byte{0xff, 0x7f}, 1)}, io.EOF, 1},
		{"short chunk", [][]byte{hello(65535), frame("MSGF", nil)}, ua.StatusBadTCPMessageTypeInvalid, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			said, end := converse(listen(t), bytes.Join(tt.in, nil))
			if !errors.Is(end, tt.end) {
				t.Errorf("ended with %v, want %v", end, tt.end)
			}
			if n := bytes.Count(said, []byte("MSGF")); n != tt.answers {
				t.Errorf("%d answers, want %d", n, tt.answers)
			}
			var code ua.StatusCode
			if refused := errors.As(tt.end, &code); refused != bytes.Contains(said, []byte("ERRF")) {
				t.Errorf("said why: %v, want %v", !refused, refused)
			}
		})
	}
}

// A message that never ends is given up before it fills the memory.
func TestEndlessMessage(t *testing.T) {
	chunk := append(request(1, 2, getEndpoints())[:24:24], make([]byte, 60000)...)
	chunk[3] = 'C'
	binary.LittleEndian.PutUint32(chunk[4:], uint32(len(chunk)))
	in := bytes.Join([][]byte{hello(65535), openRequest(), bytes.Repeat(chunk, maxMessage/60000+2)}, nil)
	if _, end := converse(listen(t), in); !errors.Is(end, ua.StatusBadTCPMessageTooLarge) {
		t.Errorf("ended with %v", end)
	}
}

// Whatever a client sends, the conversation ends and the server stands.
func FuzzConverse(f *testing.F) {
	f.Add(bytes.Join([][]byte{hello(65535), openRequest(), request(1, 2, getEndpoints())}, nil))
	f.Add(bytes.Join([][]byte{hello(8192), openRequest(), request(1, 2, &ua.CreateSessionRequest{ClientDescription: &ua.ApplicationDescription{ApplicationName: &ua.LocalizedText{}}})}, nil))
	f.Add(bytes.Join([][]byte{hello(8192), frame("OPNF", make([]byte, 60))}, nil))
	s := listen(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		defer func() {
			// The codec is the library's; serve turns its panics into the end of
			// one connection. Ours are not to hide behind it.
			if r := recover(); r != nil && !inCodec() {
				panic(r)
			}
		}()
		if _, end := converse(s, b); end == nil {
			t.Error("ended without a reason")
		}
	})
}
