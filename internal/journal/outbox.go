package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// Entry is one message that waits for its receipts.
type Entry struct {
	Lane    string // letters a-z: quality, event, record
	Seq     uint64 // number in its lane, from 1
	Topic   string // where it is sent
	Payload []byte // the exact bytes that are sent, each time
}

// Retired are the entries First to Last of a lane, which leave the outbox.
type Retired struct {
	Lane        string
	First, Last uint64
}

const (
	entryVersion = 1
	entryFixed   = 1 + 8 + sha256.Size // version, commit, sum

	// entryBytes is how many bytes of payload one call of Entries returns.
	entryBytes = 1 << 20
)

func (e Entry) check() error {
	switch {
	case !laneName(e.Lane):
		return fmt.Errorf("entry of lane %.20q: want letters a-z", e.Lane)
	case e.Seq == 0:
		return fmt.Errorf("entry of lane %s without a number", e.Lane)
	case e.Topic == "":
		return fmt.Errorf("entry %s/%d without a topic", e.Lane, e.Seq)
	}
	return nil
}

func laneName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

func (r Retired) check() error {
	if !laneName(r.Lane) || r.First == 0 || r.Last < r.First {
		return fmt.Errorf("retired %.20q %d to %d: want a lane and a range", r.Lane, r.First, r.Last)
	}
	return nil
}

// encode is an entry's value in the outbox: version, the commit that put it
// there, a hash over all of it and its key, topic, payload. bbolt has no check
// sums of its own, and what is sent must be what was decided.
func (e Entry) encode(commit uint64) []byte {
	b := make([]byte, 0, entryFixed+2+len(e.Topic)+len(e.Payload))
	b = append(b, entryVersion)
	b = binary.BigEndian.AppendUint64(b, commit)
	sum := e.sum(commit)
	b = append(b, sum[:]...)
	b = binary.AppendUvarint(b, uint64(len(e.Topic)))
	b = append(b, e.Topic...)
	return append(b, e.Payload...)
}

// sum is SHA-256 over: lane, 0, number, version, commit, length of the topic (8
// bytes), topic, payload.
func (e Entry) sum(commit uint64) [sha256.Size]byte {
	b := append([]byte(e.Lane), 0)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = append(b, entryVersion)
	b = binary.BigEndian.AppendUint64(b, commit)
	b = binary.BigEndian.AppendUint64(b, uint64(len(e.Topic)))
	b = append(b, e.Topic...)
	return sha256.Sum256(append(b, e.Payload...))
}

// parseEntry reads an entry's key and value and checks the hash. The payload is
// a copy.
func parseEntry(lane string, k, v []byte) (e Entry, commit uint64, err error) {
	if len(k) != 8 || len(v) < entryFixed+1 || v[0] != entryVersion {
		return e, 0, fmt.Errorf("%w: outbox entry %s/%x: not in a form that is known", ErrDamaged, lane, k)
	}
	e.Lane, e.Seq = lane, binary.BigEndian.Uint64(k)
	commit = binary.BigEndian.Uint64(v[1:])
	rest := v[entryFixed:]
	size, n := binary.Uvarint(rest)
	if n <= 0 || size > uint64(len(rest)-n) {
		return e, 0, fmt.Errorf("%w: outbox entry %s/%d: its topic is cut", ErrDamaged, lane, e.Seq)
	}
	e.Topic = string(rest[n : n+int(size)])
	e.Payload = bytes.Clone(rest[n+int(size):])
	// Compared whole, so that there is one spelling only of each entry.
	if !bytes.Equal(e.encode(commit), v) {
		return e, 0, fmt.Errorf("%w: outbox entry %s/%d: is not what was put there", ErrDamaged, lane, e.Seq)
	}
	return e, commit, nil
}

// putEntries adds entries to their lanes. An entry that is there already is
// replaced: so a tombstone takes the place of what was rejected.
func putEntries(tx *bolt.Tx, entries []Entry, commit uint64) error {
	for _, e := range entries {
		lane, err := tx.Bucket([]byte(bucketOutbox)).CreateBucketIfNotExists([]byte(e.Lane))
		if err != nil {
			return err
		}
		lane.FillPercent = 1
		if err := lane.Put(number(e.Seq), e.encode(commit)); err != nil {
			return err
		}
	}
	return nil
}

// retire removes entries. Those that are not there need no removing: the lane
// of records keeps none here.
func retire(tx *bolt.Tx, ranges []Retired) error {
	for _, r := range ranges {
		lane := tx.Bucket([]byte(bucketOutbox)).Bucket([]byte(r.Lane))
		if lane == nil {
			continue
		}
		// Collected first: a cursor must not walk over what is being deleted.
		for _, k := range keysIn(lane, r.First, r.Last) {
			if err := lane.Delete(k); err != nil {
				return err
			}
		}
	}
	return nil
}

func keysIn(b *bolt.Bucket, first, last uint64) [][]byte {
	var keys [][]byte
	c, end := b.Cursor(), number(last)
	for k, _ := c.Seek(number(first)); k != nil && bytes.Compare(k, end) <= 0; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

// Entries returns up to limit entries of a lane with numbers from on, oldest
// first; fewer when they are large. None means that there are no more. A lane
// that never had an entry is empty.
func (v *View) Entries(lane string, from uint64, limit int) (entries []Entry, err error) {
	err = v.read(func(tx *bolt.Tx, head Head) error {
		b := tx.Bucket([]byte(bucketOutbox)).Bucket([]byte(lane))
		if b == nil {
			return nil
		}
		c := b.Cursor()
		size := 0
		for k, value := c.Seek(number(from)); k != nil && len(entries) < limit && size < entryBytes; k, value = c.Next() {
			e, commit, err := parseEntry(lane, k, value)
			if err != nil {
				return err
			}
			if commit > uint64(head.Size) {
				break // its commit is not on the disk yet
			}
			entries = append(entries, e)
			size += len(e.Payload)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return entries, nil
}

// Lanes returns the lanes that have had an entry, in alphabetical order.
func (v *View) Lanes() (lanes []string, err error) {
	err = v.read(func(tx *bolt.Tx, _ Head) error {
		return tx.Bucket([]byte(bucketOutbox)).ForEachBucket(func(k []byte) error {
			lanes = append(lanes, string(k))
			return nil
		})
	})
	return lanes, err
}

// putSnapshot stores a state and keeps the one before it: until the commit is
// durable that one is the latest, and it stands in if this one is damaged.
func putSnapshot(tx *bolt.Tx, commit uint64, state []byte) error {
	b := tx.Bucket([]byte(bucketSnapshot))
	var old [][]byte
	if err := b.ForEach(func(k, _ []byte) error {
		old = append(old, bytes.Clone(k))
		return nil
	}); err != nil {
		return err
	}
	for _, k := range old[:max(0, len(old)-1)] {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return b.Put(number(commit), append([]byte{snapshotVersion}, state...))
}

const snapshotVersion = 1

// snapshotOf checks a stored state against the hash in its commit's header.
func snapshotOf(tx *bolt.Tx, k, v []byte) (state []byte, commit uint64, err error) {
	if len(k) != 8 || len(v) == 0 || v[0] != snapshotVersion {
		return nil, 0, fmt.Errorf("%w: saved state %x: not in a form that is known", ErrDamaged, k)
	}
	commit = binary.BigEndian.Uint64(k)
	h, err := headerOf(tx, commit)
	if err != nil {
		return nil, 0, err
	}
	if sha256.Sum256(v[1:]) != h.Snapshot {
		return nil, 0, fmt.Errorf("%w: the state saved with commit %d is not what was saved", ErrDamaged, commit)
	}
	return bytes.Clone(v[1:]), commit, nil
}

var errNothing = errors.New("nothing to commit")
