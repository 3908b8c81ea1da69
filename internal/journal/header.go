package journal

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	headerVersion = 1
	blockVersion  = 1

	// HeaderSize is the length of a commit header in bytes.
	HeaderSize = 171

	epochSize = 10 // bytes; 16 characters as text
)

// epochText writes an epoch's 10 random bytes as 16 characters a-z2-7, which
// are safe in topics, file names and message ids.
var epochText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Header is what the tree holds of one commit: its canonical bytes are the data
// of the commit's leaf.
type Header struct {
	Epoch string // the life of the file, 16 characters
	Seq   uint64 // number of the commit, from 1; the tree's size after it

	FirstN, Inputs  uint64 // first numbered input and how many; with none, the number that comes next
	FirstI, Samples uint64 // first sample and how many; with none, the number that comes next
	From, To        int64  // least and greatest source time of the samples, ns; 0 with none
	At              int64  // instant of the commit, ns

	Records  [sha256.Size]byte // SHA-256 of the canonical records
	Prev     tlog.Hash         // leaf of the commit before; of the first one: SHA-256 of the identity
	Snapshot [sha256.Size]byte // SHA-256 of the state saved with it; zero if none was
}

// LastN is the number of the last input up to and including this commit.
func (h Header) LastN() uint64 { return h.FirstN + h.Inputs - 1 }

// LastI is the number of the last sample up to and including this commit.
func (h Header) LastI() uint64 { return h.FirstI + h.Samples - 1 }

// Leaf is the hash of the commit's leaf in the tree (RFC 6962).
func (h Header) Leaf() tlog.Hash { return tlog.RecordHash(h.Append(nil)) }

// Append appends the header's canonical bytes, HeaderSize of them. The epoch
// must be valid (ParseHeader and newEpoch give no other).
func (h Header) Append(b []byte) []byte {
	var epoch [epochSize]byte
	if n, err := epochText.Decode(epoch[:], []byte(h.Epoch)); err != nil || n != epochSize {
		panic(fmt.Sprintf("journal: epoch %q is not 16 characters a-z2-7", h.Epoch))
	}
	b = append(b, headerVersion)
	b = append(b, epoch[:]...)
	for _, n := range [...]uint64{h.Seq, h.FirstN, h.Inputs, h.FirstI, h.Samples, uint64(h.From), uint64(h.To), uint64(h.At)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = append(b, h.Records[:]...)
	b = append(b, h.Prev[:]...)
	return append(b, h.Snapshot[:]...)
}

// ParseHeader reads the bytes that Append wrote and refuses every other.
func ParseHeader(b []byte) (Header, error) {
	if len(b) != HeaderSize {
		return Header{}, fmt.Errorf("commit header: %d bytes, want %d", len(b), HeaderSize)
	}
	if b[0] != headerVersion {
		return Header{}, fmt.Errorf("commit header: version %d, want %d", b[0], headerVersion)
	}
	h := Header{Epoch: epochText.EncodeToString(b[1 : 1+epochSize])}
	b = b[1+epochSize:]
	number := func() uint64 {
		n := binary.BigEndian.Uint64(b)
		b = b[8:]
		return n
	}
	h.Seq, h.FirstN, h.Inputs, h.FirstI, h.Samples = number(), number(), number(), number(), number()
	h.From, h.To, h.At = int64(number()), int64(number()), int64(number())
	b = b[copy(h.Records[:], b):]
	b = b[copy(h.Prev[:], b):]
	copy(h.Snapshot[:], b)
	return h, h.check()
}

// check says what no commit of ours can hold.
func (h Header) check() error {
	switch {
	case h.Seq == 0 || h.Seq > math.MaxInt64:
		return fmt.Errorf("commit header: sequence %d", h.Seq)
	case h.FirstN == 0 || h.FirstN > math.MaxInt64 || h.Inputs > math.MaxInt64:
		return fmt.Errorf("commit %d: inputs %d from %d", h.Seq, h.Inputs, h.FirstN)
	case h.FirstI == 0 || h.FirstI > math.MaxInt64 || h.Samples > math.MaxInt64:
		return fmt.Errorf("commit %d: samples %d from %d", h.Seq, h.Samples, h.FirstI)
	case h.From > h.To:
		return fmt.Errorf("commit %d: source times end before they begin", h.Seq)
	case h.Samples == 0 && (h.From != 0 || h.To != 0):
		return fmt.Errorf("commit %d: source times without samples", h.Seq)
	}
	return nil
}

// follows says how h breaks the chain after prev (the zero Head being that of
// an empty journal), or nil.
func (h Header) follows(prev Head) error {
	switch {
	case h.Epoch != prev.Epoch:
		return fmt.Errorf("commit %d: epoch %s, want %s", h.Seq, h.Epoch, prev.Epoch)
	case h.Seq != uint64(prev.Size)+1:
		return fmt.Errorf("commit %d follows commit %d", h.Seq, prev.Size)
	case h.Prev != prev.Leaf:
		return fmt.Errorf("commit %d: does not name the commit before it", h.Seq)
	case h.FirstN != prev.N+1:
		return fmt.Errorf("commit %d: inputs from %d, want %d", h.Seq, h.FirstN, prev.N+1)
	case h.FirstI != prev.I+1:
		return fmt.Errorf("commit %d: samples from %d, want %d", h.Seq, h.FirstI, prev.I+1)
	}
	return nil
}

// appendBlock appends what is stored of a commit: version, header, records.
func appendBlock(b []byte, h Header, records []byte) []byte {
	b = append(b, blockVersion)
	b = h.Append(b)
	return append(b, records...)
}

// parseBlock takes a block apart and checks the records against the header.
// The records returned are a part of b.
func parseBlock(b []byte) (Header, []byte, error) {
	h, err := parseBlockHeader(b)
	if err != nil {
		return Header{}, nil, err
	}
	records := b[1+HeaderSize:]
	if sha256.Sum256(records) != h.Records {
		return h, nil, fmt.Errorf("commit %d: its records are not those it was made with", h.Seq)
	}
	return h, records, nil
}

// parseBlockHeader reads the header at the front of a block, or of its first
// part.
func parseBlockHeader(b []byte) (Header, error) {
	if len(b) < 1+HeaderSize {
		return Header{}, fmt.Errorf("block of %d bytes is too short for a header", len(b))
	}
	if b[0] != blockVersion {
		return Header{}, fmt.Errorf("block version %d, want %d", b[0], blockVersion)
	}
	return ParseHeader(b[1 : 1+HeaderSize])
}

// checkFrames says where canonical records are not a row of frames: kind byte,
// uvarint length, body.
func checkFrames(records []byte) error {
	for rest := records; len(rest) > 0; {
		at := len(records) - len(rest)
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return fmt.Errorf("records: the frame at byte %d is cut", at)
		}
		rest = rest[1+n+int(size):]
	}
	return nil
}
