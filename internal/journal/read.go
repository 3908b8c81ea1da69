package journal

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// commit is one commit as a page holds it.
type commit struct {
	h       Header
	records []byte
}

// Commits calls fn with each commit from sequence from on (0 and 1 are the
// first), in order, until the head as it was when the call began. records are
// fn's to keep. An error of fn ends it and is returned. ErrDamaged names the
// first commit that is not what was written.
func (v *View) Commits(from uint64, fn func(h Header, records []byte) error) error {
	last := uint64(v.Head().Size)
	for from = max(from, 1); from <= last; {
		page, err := v.page(from, last)
		if err != nil {
			return fmt.Errorf("read the record: %w", err)
		}
		for _, c := range page {
			if err := fn(c.h, c.records); err != nil {
				return err
			}
		}
		from += uint64(len(page))
	}
	return nil
}

// nextCommit reads the block that must be that of commit seq.
func nextCommit(tx *bolt.Tx, w *blocks, seq uint64) (commit, error) {
	got, block, ok, err := w.next()
	if err != nil {
		return commit{}, err
	}
	if !ok || got != seq {
		return commit{}, fmt.Errorf("%w: commit %d is missing", ErrDamaged, seq)
	}
	h, records, err := parseBlock(block)
	if err != nil {
		return commit{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return commit{h, records}, sound(tx, seq, h)
}

// Checkpoint is the latest signed checkpoint, as it is published. There always
// is one: creation signs the empty tree.
func (v *View) Checkpoint() ([]byte, error) { return v.CheckpointAt(-1) }

// CheckpointAt is the signed checkpoint of the greatest size that is not above
// size; of any size if that is negative.
func (v *View) CheckpointAt(size int64) (msg []byte, err error) {
	err = v.read(func(tx *bolt.Tx, head Head) error {
		if size < 0 || size > head.Size {
			size = head.Size
		}
		_, found := floor(tx.Bucket([]byte(bucketCheckpoint)), uint64(size))
		if found == nil {
			return fmt.Errorf("%w: no checkpoint up to size %d", ErrDamaged, size)
		}
		msg = append(msg, found...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	return msg, nil
}

// floor is the entry with the greatest key that is not above n.
func floor(b *bolt.Bucket, n uint64) (k, v []byte) {
	c := b.Cursor()
	want := number(n)
	if k, v = c.Seek(want); string(k) == string(want) {
		return k, v
	}
	if k == nil {
		return c.Last()
	}
	return c.Prev()
}

// Snapshot is the latest saved state, and the commit with which it was saved:
// what follows from the inputs of later commits is not in it. ok is false when
// there is none, and the state is what follows from the whole record.
//
// The two latest are kept. A damaged one is passed over, and said so, since the
// other one and the record give the same state.
func (v *View) Snapshot() (state []byte, after uint64, ok bool, err error) {
	var found error
	err = v.read(func(tx *bolt.Tx, head Head) error {
		b := tx.Bucket([]byte(bucketSnapshot))
		for k, value := floor(b, uint64(head.Size)); k != nil && !ok; k, value = below(b, k) {
			state, after, err = snapshotOf(tx, k, value)
			if ok = err == nil; !ok {
				found = errors.Join(found, err)
			}
		}
		return nil
	})
	if found != nil && ok {
		v.log.Warn("a saved state is damaged, the one before it is used", "err", found)
	}
	if err == nil && !ok {
		err = found
	}
	if err != nil {
		return nil, 0, false, fmt.Errorf("read saved state: %w", err)
	}
	return state, after, ok, nil
}

// below is the entry before the one with key k.
func below(b *bolt.Bucket, k []byte) (key, v []byte) {
	c := b.Cursor()
	c.Seek(k)
	return c.Prev()
}

// pageBytes and pageCommits are how much of the record one transaction copies.
const (
	pageBytes   = 1 << 20
	pageCommits = 256
)

// page copies the commits from..last, or as many of them as make a page; at
// least one.
func (v *View) page(from, last uint64) (page []commit, err error) {
	err = v.read(func(tx *bolt.Tx, _ Head) error {
		size := 0
		for seq, w := from, blocksFrom(tx, from); seq <= last && len(page) < pageCommits && size < pageBytes; seq++ {
			c, err := nextCommit(tx, w, seq)
			if err != nil {
				return err
			}
			page = append(page, c)
			size += len(c.records)
		}
		return nil
	})
	return page, err
}
