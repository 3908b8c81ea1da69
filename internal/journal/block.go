package journal

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// A block is stored in parts. bbolt never splits a page of four keys or fewer,
// so with whole blocks each commit would write the three before it again: at
// 12 KB a block 70 KiB a commit, against 37 KiB in parts that fit four to a
// page. Flash lives by that difference.
const (
	partSize = 992
	maxParts = 1 << 16

	// MaxRecords is how many bytes of records one commit can take (about 62 MiB).
	MaxRecords = partSize*maxParts - 1 - HeaderSize
)

// partKey is the key of one part of a commit's block.
func partKey(seq uint64, part int) []byte {
	return binary.BigEndian.AppendUint16(number(seq), uint16(part))
}

// splitKey takes the key of a part apart.
func splitKey(k []byte) (seq uint64, part int, err error) {
	if len(k) != 10 {
		return 0, 0, fmt.Errorf("%w: bucket journal: a key of %d bytes", ErrDamaged, len(k))
	}
	return binary.BigEndian.Uint64(k), int(binary.BigEndian.Uint16(k[8:])), nil
}

// putBlock stores a block in parts. The parts stay in use until the transaction
// ends.
func putBlock(tx *bolt.Tx, seq uint64, block []byte) error {
	b := tx.Bucket([]byte(bucketJournal))
	b.FillPercent = 1
	for part := 0; len(block) > 0; part++ {
		n := min(partSize, len(block))
		if err := b.Put(partKey(seq, part), block[:n]); err != nil {
			return err
		}
		block = block[n:]
	}
	return nil
}

// blocks walks the journal bucket, block by block.
type blocks struct {
	c    *bolt.Cursor
	k, v []byte // where the next block begins; nil at the end
}

// blocksFrom begins at the block of commit seq, or the first one after it.
func blocksFrom(tx *bolt.Tx, seq uint64) *blocks {
	w := &blocks{c: tx.Bucket([]byte(bucketJournal)).Cursor()}
	w.k, w.v = w.c.Seek(number(seq))
	return w
}

// next returns the sequence of the next block and a copy of its bytes; ok is
// false at the end. Parts must follow one another and all but the last be full.
func (w *blocks) next() (seq uint64, block []byte, ok bool, err error) {
	if w.k == nil {
		return 0, nil, false, nil
	}
	seq, _, err = splitKey(w.k)
	if err != nil {
		return 0, nil, false, err
	}
	for want := 0; w.k != nil; want++ {
		s, part, err := splitKey(w.k)
		if err != nil {
			return seq, nil, false, err
		}
		if s != seq {
			break
		}
		if part != want || len(block) != want*partSize || len(w.v) == 0 {
			return seq, nil, false, fmt.Errorf("%w: commit %d: part %d is missing or cut", ErrDamaged, seq, want)
		}
		block = append(block, w.v...)
		w.k, w.v = w.c.Next()
	}
	return seq, block, true, nil
}

// headerOf reads a commit's header alone.
func headerOf(tx *bolt.Tx, seq uint64) (Header, error) {
	h, err := parseBlockHeader(tx.Bucket([]byte(bucketJournal)).Get(partKey(seq, 0)))
	if err != nil {
		return Header{}, fmt.Errorf("%w: commit %d: %w", ErrDamaged, seq, err)
	}
	return h, sound(tx, seq, h)
}

// sound checks a header against the place where it was found and the leaf that
// the tree has for it. What passes is what was committed, unless the tree has
// been changed as well, which is for Verify to find.
func sound(tx *bolt.Tx, seq uint64, h Header) error {
	leaf, err := chainOf(tx).leaf(seq)
	if err != nil {
		return err
	}
	if h.Seq != seq || h.Leaf() != leaf {
		return fmt.Errorf("%w: commit %d: its header is not that of the tree's leaf", ErrDamaged, seq)
	}
	return nil
}
