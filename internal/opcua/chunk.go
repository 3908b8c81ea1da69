package opcua

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"
)

// Lengths of the fixed parts of a chunk (OPC 10000-6, 6.7.2), in bytes.
const (
	headerLength   = 12 // type, chunk type, size, channel
	tokenLength    = 4
	sequenceLength = 8
)

var (
	errShort     = errors.New("a message is shorter than its parts")
	errSignature = errors.New("a message is not signed by the server we know")
	errPolicy    = errors.New("the server answered with another security policy than configured")
	errPeer      = errors.New("the server answered with another certificate than the trusted one")
	errForOther  = errors.New("the server's answer is encrypted for another certificate than ours")
)

// sealing is how the chunks of one direction pair are protected.
type sealing struct {
	algo    *uapolicy.EncryptionAlgorithm
	sign    bool
	encrypt bool
}

// sealings of a mode, for messages under a token and for OPN, which is always
// signed and encrypted when there is any security.
func symmetric(algo *uapolicy.EncryptionAlgorithm, mode ua.MessageSecurityMode) sealing {
	return sealing{algo, mode != ua.MessageSecurityModeNone, mode == ua.MessageSecurityModeSignAndEncrypt}
}

func asymmetric(algo *uapolicy.EncryptionAlgorithm, mode ua.MessageSecurityMode) sealing {
	secure := mode != ua.MessageSecurityModeNone
	return sealing{algo, secure, secure}
}

// room is how many bytes of a message's body fit into a chunk of size bytes
// whose headers in clear take clear bytes.
func (s sealing) room(size, clear int) int {
	n := size - clear
	if s.encrypt {
		n = n/s.algo.BlockSize()*s.algo.PlaintextBlockSize() - s.paddingBytes()
	}
	if s.sign {
		n -= s.algo.SignatureLength()
	}
	return n - sequenceLength
}

// paddingBytes is how many bytes tell the padding's length to the receiver:
// two when the receiver's key is above 2048 bits.
func (s sealing) paddingBytes() int {
	if s.algo.RemoteSignatureLength() > 256 {
		return 2
	}
	return 1
}

// seal finishes a chunk: b is the headers in clear (clear bytes) and the rest.
// It writes the size, signs and encrypts.
func (s sealing) seal(b []byte, clear int) ([]byte, error) {
	size := len(b)
	if s.sign {
		size += s.algo.SignatureLength()
	}
	if s.encrypt {
		b = s.pad(b, clear)
		plain := len(b) - clear + s.algo.SignatureLength()
		size = clear + plain/s.algo.PlaintextBlockSize()*s.algo.BlockSize()
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(size))
	if s.sign {
		signature, err := s.algo.Signature(b)
		if err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		b = append(b, signature...)
	}
	if !s.encrypt {
		return b, nil
	}
	secret, err := s.algo.Encrypt(b[clear:])
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return append(b[:clear:clear], secret...), nil
}

// pad fills up to a whole number of blocks: the low byte of the padding's
// length, that many bytes of the same, and the high byte if there is one.
func (s sealing) pad(b []byte, clear int) []byte {
	block, extra := s.algo.PlaintextBlockSize(), s.paddingBytes()
	n := (block - (len(b)-clear+extra+s.algo.SignatureLength())%block) % block
	for range n + 1 {
		b = append(b, byte(n))
	}
	if extra == 2 {
		b = append(b, byte(n>>8))
	}
	return b
}

// unseal checks and decrypts a chunk and returns what follows the headers in
// clear: sequence header and body. b is not changed.
func (s sealing) unseal(b []byte, clear int) ([]byte, error) {
	if len(b) < clear {
		return nil, errShort
	}
	if s.encrypt {
		plain, err := s.algo.Decrypt(b[clear:])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSignature, err)
		}
		b = append(b[:clear:clear], plain...)
	}
	end := len(b)
	if s.sign {
		end -= s.algo.RemoteSignatureLength()
		if end < clear {
			return nil, errShort
		}
		if err := s.algo.VerifySignature(b[:end], b[end:]); err != nil {
			return nil, fmt.Errorf("%w: %w", errSignature, err)
		}
	}
	if s.encrypt {
		end -= s.padding(b[clear:end])
	}
	if end-clear < sequenceLength {
		return nil, errShort
	}
	return b[clear:end], nil
}

// padding is how many bytes of padding stand at the end of p.
func (s sealing) padding(p []byte) int {
	n := len(p)
	// The second byte is there when our own key is above 2048 bits; for keys of
	// a token it never is.
	if s.algo.SignatureLength() > 256 {
		if n < 2 {
			return n + 1
		}
		return int(p[n-1])<<8 + int(p[n-2]) + 2
	}
	if n < 1 {
		return n + 1
	}
	return int(p[n-1]) + 1
}

// chunk is one chunk as it came, its headers in clear read.
type chunk struct {
	raw     []byte
	kind    string // OPN, MSG
	final   byte   // F, C or A
	channel uint32
	token   uint32                         // of MSG
	open    *uasc.AsymmetricSecurityHeader // of OPN
	clear   int                            // length of the headers in clear
}

// parseChunk reads the headers in clear.
func parseChunk(b []byte) (chunk, error) {
	if len(b) < headerLength+tokenLength {
		return chunk{}, errShort
	}
	c := chunk{raw: b, kind: string(b[:3]), final: b[3], channel: binary.LittleEndian.Uint32(b[8:])}
	switch c.kind {
	case uasc.MessageTypeMessage:
		c.token = binary.LittleEndian.Uint32(b[headerLength:])
		c.clear = headerLength + tokenLength
	case uasc.MessageTypeOpenSecureChannel:
		c.open = new(uasc.AsymmetricSecurityHeader)
		n, err := c.open.Decode(b[headerLength:])
		if err != nil {
			return chunk{}, fmt.Errorf("open header: %w", err)
		}
		c.clear = headerLength + n
	default:
		return chunk{}, fmt.Errorf("a message of unknown type %q", c.kind)
	}
	return c, nil
}

// sequenceHeader reads what stands first in an unsealed chunk.
func sequenceHeader(p []byte) (seq, request uint32, body []byte) {
	return binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint32(p[4:]), p[sequenceLength:]
}

// follows says whether a chunk's sequence number is the one after last. Numbers
// go back to below 1024 somewhere above 2^32-1024 (OPC 10000-6, 6.7.2.4).
func follows(last, seq uint32) bool {
	return seq == last+1 || last > 1<<32-1025 && seq < 1024
}

// decode reads a service response. A panic in the decoder is an error of the
// message.
func decode(body []byte) (resp ua.Response, err error) {
	defer func() {
		if r := recover(); r != nil {
			resp, err = nil, fmt.Errorf("a message cannot be decoded: %v", r)
		}
	}()
	_, v, err := ua.DecodeService(body)
	if err != nil {
		return nil, fmt.Errorf("a message cannot be decoded: %w", err)
	}
	resp, ok := v.(ua.Response)
	if !ok || resp.Header() == nil {
		return nil, fmt.Errorf("a message is no response: %T", v)
	}
	return resp, nil
}
