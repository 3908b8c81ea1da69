package journal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// alter changes a journal through bbolt, as somebody would who knows the format.
func alter(t *testing.T, dir string, do func(tx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, File), 0o600, options().bolt())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(do), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// rewrite replaces the records of commit seq and makes everything fit again
// that needs no key: headers, chain, tree.
func rewrite(tx *bolt.Tx, seq uint64, records []byte) error {
	var all []commit
	for w := blocksFrom(tx, 1); ; {
		_, block, ok, err := w.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		h, r, err := parseBlock(block)
		if err != nil {
			return err
		}
		all = append(all, commit{h, r})
	}
	prev := all[0].h.Prev
	for i, c := range all {
		if c.h.Seq == seq {
			c.records = records
		}
		c.h.Prev, c.h.Records = prev, sha256.Sum256(c.records)
		prev = c.h.Leaf()
		if err := putBlock(tx, uint64(i)+1, appendBlock(nil, c.h, c.records)); err != nil {
			return err
		}
		if _, err := chainOf(tx).add(uint64(i)+1, prev); err != nil {
			return err
		}
	}
	return nil
}

func lane(tx *bolt.Tx, name string) *bolt.Bucket {
	return tx.Bucket([]byte(bucketOutbox)).Bucket([]byte(name))
}

//andon:req Q2 Q5
func TestTampering(t *testing.T) {
	other, _, err := note.GenerateKey(nil, testGateway)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := note.NewSigner(other)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		do    func(tx *bolt.Tx) error
		first uint64 // the commit that must be named; 0 for none
		words string
	}{
		{"a record changed, and all hashes with it", func(tx *bolt.Tx) error {
			return rewrite(tx, 2, frame(3, []byte("it never happened")))
		}, 1, "commits 1 to 2: are not those that the gateway signed"},
		{"an input changed, and all hashes with it", func(tx *bolt.Tx) error {
			return rewrite(tx, 4, append(frame(3, []byte("another input")), entryFrame(quality(3))...))
		}, 3, "commits 3 to 4: are not those that the gateway signed"},
		{"a record changed", func(tx *bolt.Tx) error {
			_, block, _, err := blocksFrom(tx, 2).next()
			if err != nil {
				return err
			}
			block[len(block)-1] ^= 1
			return putBlock(tx, 2, block)
		}, 2, "records are not those"},
		{"a commit taken out", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketJournal)).Delete(partKey(2, 0))
		}, 2, "commit 2 is missing"},
		{"the middle of a commit taken out", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketJournal)).Delete(partKey(3, 1))
		}, 3, "part 1 is missing"},
		{"the end of a commit taken out", func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(bucketJournal))
			for part := 9; ; part-- {
				if b.Get(partKey(3, part)) != nil {
					return b.Delete(partKey(3, part))
				}
			}
		}, 3, "records are not those"},
		{"two commits exchanged", func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(bucketJournal))
			one, two := bytes.Clone(b.Get(partKey(1, 0))), bytes.Clone(b.Get(partKey(2, 0)))
			return errors.Join(b.Put(partKey(1, 0), two), b.Put(partKey(2, 0), one))
		}, 1, "stands in the place"},
		{"the last commits taken off", func(tx *bolt.Tx) error {
			for seq := uint64(4); seq <= 5; seq++ {
				err := errors.Join(tx.Bucket([]byte(bucketJournal)).Delete(partKey(seq, 0)), chainOf(tx).b.Delete(number(seq)))
				if err != nil {
					return err
				}
			}
			return nil
		}, 0, "has been cut"},
		{"a checkpoint signed by another key", func(tx *bolt.Tx) error {
			root, err := tlog.TreeHash(5, chainOf(tx))
			if err != nil {
				return err
			}
			id, err := identityOf(tx)
			if err != nil {
				return err
			}
			return putCheckpoint(tx, Head{Gateway: testGateway, Epoch: id.Epoch, Size: 5, Root: root}, testAt, foreign)
		}, 0, "no verifiable signatures"},
		{"a checkpoint under another size", func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(bucketCheckpoint))
			return b.Put(number(3), bytes.Clone(b.Get(number(2))))
		}, 0, "at size 2"},
		{"the first checkpoint taken out", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketCheckpoint)).Delete(number(0))
		}, 0, "not that of the creation"},
		{"the creation moved", func(tx *bolt.Tx) error {
			id, err := identityOf(tx)
			if err != nil {
				return err
			}
			id.Created++
			return tx.Bucket([]byte(bucketMeta)).Put([]byte(identityKey), []byte(id.text()))
		}, 1, "does not name the commit before it"},
		{"a message taken out of the outbox", func(tx *bolt.Tx) error {
			return lane(tx, "quality").Delete(number(2))
		}, 1, "quality/2 of commit 1 is missing"},
		{"a message changed, and its hash with it", func(tx *bolt.Tx) error {
			return lane(tx, "quality").Put(number(2), Entry{"quality", 2, "quality/deviation", []byte(`{}`)}.encode(1))
		}, 0, "quality/2 is not what the records say"},
		{"a message added", func(tx *bolt.Tx) error {
			return lane(tx, "quality").Put(number(9), Entry{"quality", 9, "x", nil}.encode(1))
		}, 0, "quality/9 is not what the records say"},
		{"a message put back", func(tx *bolt.Tx) error {
			return lane(tx, "quality").Put(number(1), quality(1).encode(1))
		}, 0, "quality/1 is not what the records say"},
		{"a message moved to another lane", func(tx *bolt.Tx) error {
			return lane(tx, "event").Put(number(3), bytes.Clone(lane(tx, "quality").Get(number(3))))
		}, 0, "event/3: is not what was put there"},
		{"a state changed", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketSnapshot)).Put(number(4), []byte("\x01another"))
		}, 4, "is not what was saved"},
		{"a state taken out", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketSnapshot)).Delete(number(4))
		}, 4, "commit 4 is missing"},
		{"a hash of the tree changed", func(tx *bolt.Tx) error {
			b := bytes.Clone(chainOf(tx).b.Get(number(4)))
			b[70] ^= 1
			return chainOf(tx).b.Put(number(4), b)
		}, 4, "do not follow from its leaves"},
		{"a leaf of the tree too many", func(tx *bolt.Tx) error {
			return chainOf(tx).b.Put(number(6), make([]byte, 32))
		}, 6, "6 leaves"},
		{"a bucket of another's", func(tx *bolt.Tx) error {
			_, err := tx.CreateBucket([]byte("notes"))
			return err
		}, 0, `"notes"`},
		{"a bucket taken out", func(tx *bolt.Tx) error {
			return tx.DeleteBucket([]byte(bucketSnapshot))
		}, 0, "snapshot is missing"},
		{"a value in the outbox that is no lane", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketOutbox)).Put([]byte("x"), []byte("y"))
		}, 0, "not a lane"},
		{"a key in meta", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketMeta)).Put([]byte("x"), []byte("y"))
		}, 0, "bucket meta"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			small(t, dir)
			mustVerify(t, dir)
			alter(t, dir, tt.do)
			r, err := Verify(dir, VerifyOptions{Changes: changes})
			if err != nil || r.OK {
				t.Fatalf("verify: %+v, %v; want it named", r, err)
			}
			if got := first(r); got != tt.first {
				t.Errorf("first bad commit %d, want %d: %+v", got, tt.first, r.Problems)
			}
			if !said(r, tt.words) {
				t.Errorf("%+v do not say %q", r.Problems, tt.words)
			}
		})
	}
}

func first(r Report) uint64 {
	if r.FirstBad == nil {
		return 0
	}
	return *r.FirstBad
}

func said(r Report, words string) bool {
	for _, p := range r.Problems {
		if strings.Contains(p.What, words) {
			return true
		}
	}
	return false
}

// What no chain can see: whoever can write the file can rewrite what no
// checkpoint vouches for yet. The report says how far the vouching goes.
//
//andon:req Q5
func TestRewrittenAfterTheLastCheckpoint(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	alter(t, dir, func(tx *bolt.Tx) error { return rewrite(tx, 5, frame(3, []byte("another"))) })
	if r := mustVerify(t, dir); r.Signed != 4 || r.Size != 5 {
		t.Errorf("%d commits, %d vouched for; want 5 and 4", r.Size, r.Signed)
	}
}

func TestVerifyKeys(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	id := mustVerify(t, dir).Key
	if r, err := Verify(dir, VerifyOptions{Key: id}); err != nil || !r.OK {
		t.Errorf("with the right key: %+v, %v", r, err)
	}
	if r, err := Verify(dir, VerifyOptions{Key: "other" + id}); err != nil || r.OK {
		t.Errorf("with another key: %+v, %v", r, err)
	}
	if _, err := makeKey(dir, options()); err != nil {
		t.Fatal(err)
	}
	if r, err := Verify(dir, VerifyOptions{}); err != nil || !said(r, "is not the key of this journal") {
		t.Errorf("beside another key: %+v, %v", r, err)
	}
	if err := os.Remove(filepath.Join(dir, KeyFile)); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, dir)
	if _, err := Verify(t.TempDir(), VerifyOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty directory: %v, want fs.ErrNotExist", err)
	}
}

// The newer of two saved states is damaged: the one before it serves.
func TestDamagedSnapshot(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	spoil := func(seq uint64) {
		alter(t, dir, func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketSnapshot)).Put(number(seq), []byte("\x01spoiled"))
		})
	}
	read := func() (string, uint64, bool, error) {
		v, err := OpenView(dir)
		if err != nil {
			t.Fatal(err)
		}
		state, after, ok, err := v.Snapshot()
		return string(state), after, ok, errors.Join(err, v.Close())
	}
	spoil(4)
	if state, after, ok, err := read(); state != "the state after 44" || after != 3 || !ok || err != nil {
		t.Errorf("one spoiled: %q after %d, %t, %v", state, after, ok, err)
	}
	spoil(3)
	if _, _, ok, err := read(); ok || !errors.Is(err, ErrDamaged) {
		t.Errorf("both spoiled: %t, %v; want ErrDamaged", ok, err)
	}
}

// A damaged block is found by whoever reads it, not by Verify alone.
func TestDamageFoundAtRead(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	alter(t, dir, func(tx *bolt.Tx) error {
		_, block, _, err := blocksFrom(tx, 3).next()
		if err != nil {
			return err
		}
		block[len(block)-1] ^= 1
		return putBlock(tx, 3, block)
	})
	j := mustOpen(t, dir, options())
	var last uint64
	err := j.Commits(1, func(h Header, _ []byte) error {
		last = h.Seq
		return nil
	})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "commit 3") {
		t.Errorf("read up to %d: %v; want ErrDamaged that names commit 3", last, err)
	}
	// The record goes on: what is damaged is named, what comes is recorded.
	mustCommit(t, j, group(j.Head(), 1, 1, nil, nil))
}
