package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

func someHeader() Header {
	return Header{
		Epoch: "abcdefghijklmnop", Seq: 7, FirstN: 12, Inputs: 3, FirstI: 40, Samples: 9,
		From: -5, To: 1 << 60, At: testAt, Records: sha256.Sum256(nil), Prev: sha256.Sum256([]byte("p")), Snapshot: sha256.Sum256([]byte("s")),
	}
}

// The layout of the header is a contract: this is what docs/journal.md says.
//
//andon:req Q47
func TestHeaderLayout(t *testing.T) {
	h := someHeader()
	b := h.Append(nil)
	if len(b) != HeaderSize || b[0] != 1 {
		t.Fatalf("%d bytes of version %d", len(b), b[0])
	}
	for _, f := range []struct {
		name string
		at   int
		want uint64
	}{{"sequence", 11, 7}, {"first n", 19, 12}, {"inputs", 27, 3}, {"first i", 35, 40}, {"samples", 43, 9}, {"from", 51, 1<<64 - 5}, {"to", 59, 1 << 60}, {"at", 67, uint64(testAt)}} {
		if got := binary.BigEndian.Uint64(b[f.at:]); got != f.want {
			t.Errorf("%s at %d is %d, want %d", f.name, f.at, got, f.want)
		}
	}
	if !bytes.Equal(b[75:107], h.Records[:]) || !bytes.Equal(b[107:139], h.Prev[:]) || !bytes.Equal(b[139:171], h.Snapshot[:]) {
		t.Errorf("the hashes are not at 75, 107 and 139: %x", b)
	}
	got, err := ParseHeader(b)
	if err != nil || got != h {
		t.Errorf("read back %+v, %v; want %+v", got, err, h)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(someHeader().Append(nil))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			return
		}
		if again := h.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("%x was read as %+v, which is written as %x", b, h, again)
		}
		if h.LastN() < h.FirstN-1 || h.LastI() < h.FirstI-1 {
			t.Errorf("%+v: numbers run backwards", h)
		}
	})
}

func FuzzBlock(f *testing.F) {
	h := someHeader()
	records := frame(3, []byte("input"))
	h.Records = sha256.Sum256(records)
	f.Add(appendBlock(nil, h, records))
	f.Add(appendBlock(nil, someHeader(), nil))
	f.Add([]byte{blockVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, records, err := parseBlock(b)
		if err == nil && !bytes.Equal(appendBlock(nil, h, records), b) {
			t.Errorf("%x is read as what is written otherwise", b)
		}
		if err := checkFrames(b); err == nil {
			_, _, err := walkFrames(b)
			if err != nil {
				t.Errorf("frames of %x: %v", b, err)
			}
		}
	})
}

// walkFrames is another reading of the frames' definition.
func walkFrames(b []byte) (kinds []byte, bodies [][]byte, err error) {
	r := bytes.NewReader(b)
	for r.Len() > 0 {
		kind, err := r.ReadByte()
		if err != nil {
			return nil, nil, err
		}
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return nil, nil, err
		}
		if n > uint64(r.Len()) {
			return nil, nil, os.ErrInvalid
		}
		body := make([]byte, n)
		if _, err := r.Read(body); n > 0 && err != nil {
			return nil, nil, err
		}
		kinds, bodies = append(kinds, kind), append(bodies, body)
	}
	return kinds, bodies, nil
}

func FuzzIdentity(f *testing.F) {
	k, err := makeKey(f.TempDir(), options())
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(Identity{testGateway, newEpoch(), testAt, k.public}.text()))
	f.Add([]byte(Format + "\ngateway g\nepoch e\ncreated c\nkey k\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := parseIdentity(b)
		if err == nil && id.text() != string(b) {
			t.Errorf("%q is read as %+v", b, id)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	k, err := makeKey(f.TempDir(), options())
	if err != nil {
		f.Fatal(err)
	}
	msg, err := Checkpoint{testGateway, newEpoch(), 12, sha256.Sum256(nil), testAt}.sign(k)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(msg)
	f.Add([]byte("andon/g/e\n0\nAAAA\ntime x\n\n— g AAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseCheckpoint(b, k.public); err == nil && !bytes.Equal(b, msg) {
			t.Errorf("%q is accepted as %+v", b, c)
		}
		if c, err := parseCheckpointText(string(b)); err == nil && c.text() != string(b) {
			t.Errorf("%q is read as %+v", b, c)
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add([]byte("quality"), number(1), quality(1).encode(3))
	f.Add([]byte("x"), []byte{}, []byte{entryVersion})
	f.Fuzz(func(t *testing.T, lane, k, v []byte) {
		e, commit, err := parseEntry(string(lane), k, v)
		if err == nil && !bytes.Equal(e.encode(commit), v) {
			t.Errorf("%x is read as %+v of commit %d", v, e, commit)
		}
	})
}

// Any change in the pages of a journal ends in a report or an error, and never
// in a panic, an endless walk, or a record that reads otherwise.
func FuzzPages(f *testing.F) {
	dir := f.TempDir()
	small(f, dir)
	whole, err := readUsed(filepath.Join(dir, File))
	if err != nil {
		f.Fatal(err)
	}
	name := filepath.Join(f.TempDir(), "fuzz.db")
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		f.Fatal(err)
	}
	want, err := content(name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(3*pageSize+8), []byte{1, 0, 2, 0, 0, 0, 0, 0, 16, 0, 0, 0, 8, 0, 0, 0, 3}) // a branch that points to itself
	f.Add(uint32(12), []byte{255, 255})
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		b := bytes.Clone(whole)
		copy(b[int(at)%len(b):], patch)
		name := filepath.Join(t.TempDir(), "fuzz.db")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Verify(name, VerifyOptions{Changes: changes})
		if err != nil || !r.OK {
			return
		}
		if got, err := content(name); err != nil || got != want {
			t.Errorf("verified, but reads otherwise: %v", err)
		}
	})
}
