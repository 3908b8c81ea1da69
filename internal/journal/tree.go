package journal

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"
)

// The tree is RFC 6962's, kept as x/mod/sumdb/tlog keeps it, with one key a
// commit: under the commit's sequence stand its leaf hash and, behind it, the
// hashes of the subtrees that it completed, level by level. So the hash of
// (level, n) stands with the last commit below it.

// number is a key: big-endian, so that keys sort as numbers do.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// chain reads the tree's hashes within a transaction.
type chain struct{ b *bolt.Bucket }

func chainOf(tx *bolt.Tx) chain { return chain{tx.Bucket([]byte(bucketChain))} }

// ReadHashes implements tlog.HashReader.
func (c chain) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		seq := uint64(n+1) << level
		v := c.b.Get(number(seq))
		if len(v) < (level+1)*tlog.HashSize {
			return nil, fmt.Errorf("%w: the tree's hash %d of level %d, stored with commit %d, is missing", ErrDamaged, n, level, seq)
		}
		copy(hashes[i][:], v[level*tlog.HashSize:])
	}
	return hashes, nil
}

// leaf is the stored leaf hash of a commit.
func (c chain) leaf(seq uint64) (tlog.Hash, error) {
	h, err := c.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(seq)-1)})
	if err != nil {
		return tlog.Hash{}, err
	}
	return h[0], nil
}

// add stores the hashes that come with the leaf of commit seq and returns the
// root of the tree with it.
func (c chain) add(seq uint64, leaf tlog.Hash) (tlog.Hash, error) {
	hashes, err := tlog.StoredHashesForRecordHash(int64(seq)-1, leaf, c)
	if err != nil {
		return tlog.Hash{}, err
	}
	c.b.FillPercent = 1
	if err := c.b.Put(number(seq), joinHashes(hashes)); err != nil {
		return tlog.Hash{}, err
	}
	return tlog.TreeHash(int64(seq), c)
}

func joinHashes(hashes []tlog.Hash) []byte {
	var b []byte
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// Root is the root of the tree when it had size commits.
func (v *View) Root(size int64) (root tlog.Hash, err error) {
	err = v.read(func(tx *bolt.Tx, head Head) error {
		if size < 0 || size > head.Size {
			return fmt.Errorf("the tree has %d commits", head.Size)
		}
		root, err = tlog.TreeHash(size, chainOf(tx))
		return err
	})
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("root of the tree at size %d: %w", size, err)
	}
	return root, nil
}

// ReadHashes gives the tree's stored hashes, numbered as tlog numbers them, so
// that tlog.ProveRecord and tlog.ProveTree can be used with a View. Proofs must
// be asked for up to Head().Size only.
func (v *View) ReadHashes(indexes []int64) (hashes []tlog.Hash, err error) {
	err = v.read(func(tx *bolt.Tx, _ Head) error {
		hashes, err = chainOf(tx).ReadHashes(indexes)
		return err
	})
	return hashes, err
}

// Root reads the root of the tree at a size from the journal of a stopped
// gateway's directory, or from a copy of the file.
func Root(path string, size int64) (tlog.Hash, error) {
	v, err := OpenView(path)
	if err != nil {
		return tlog.Hash{}, err
	}
	root, err := v.Root(size)
	if cerr := v.Close(); err == nil {
		err = cerr
	}
	return root, err
}
