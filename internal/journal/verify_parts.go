package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// tree: the stored hashes are those that follow from the leaves.
func (v *verifier) tree() {
	c := chainOf(v.tx)
	var count int64
	v.each(c.b.Cursor(), func(k, value []byte) {
		if len(k) != 8 {
			v.problem(0, fmt.Errorf("bucket chain: a key of %d bytes", len(k)))
			return
		}
		seq := binary.BigEndian.Uint64(k)
		if count++; seq != uint64(count) {
			v.problem(0, fmt.Errorf("bucket chain: key %d where %d should be", seq, count))
			count = int64(seq & (1<<62 - 1))
		}
		if err := v.node(c, seq, value); err != nil {
			v.problem(seq, err)
		}
	})
	if count != v.r.Size {
		v.problem(uint64(min(count, v.r.Size))+1, fmt.Errorf("the tree has %d leaves, the record %d commits", count, v.r.Size))
		return
	}
	root, err := tlog.TreeHash(count, c)
	if err != nil {
		v.problem(0, err)
	}
	v.r.Root = root
}

// node checks what is stored with one leaf. The leaf itself has been compared
// with the commit's header.
func (v *verifier) node(c chain, seq uint64, value []byte) error {
	if seq == 0 || seq >= 1<<62 {
		return fmt.Errorf("bucket chain: key %d", seq)
	}
	leaf, err := c.leaf(seq)
	if err != nil {
		return err
	}
	hashes, err := tlog.StoredHashesForRecordHash(int64(seq)-1, leaf, c)
	if err != nil {
		return err
	}
	if !bytes.Equal(joinHashes(hashes), value) {
		return fmt.Errorf("commit %d: the tree's hashes stored with it do not follow from its leaves", seq)
	}
	return nil
}

// errRoot: a checkpoint and the tree differ, so a commit before it has been
// changed together with the tree.
var errRoot = errors.New("are not those that the gateway signed")

// checkpoints: each is signed by the gateway and vouches for the tree.
func (v *verifier) checkpoints() {
	c := chainOf(v.tx)
	first := true
	v.each(v.tx.Bucket([]byte(bucketCheckpoint)).Cursor(), func(k, msg []byte) {
		p, err := v.checkpoint(c, k, msg)
		if first {
			err = errors.Join(err, v.birth(p))
			first = false
		}
		if errors.Is(err, errRoot) && v.r.FirstBad == nil {
			v.problem(uint64(v.r.Signed)+1, fmt.Errorf("commits %d to %d: %w", v.r.Signed+1, p.Size, err))
			return
		}
		if err != nil {
			v.problem(0, fmt.Errorf("checkpoint %x: %w", k, err))
			return
		}
		v.r.Signed = max(v.r.Signed, p.Size)
	})
	if first {
		v.problem(0, errors.New("the checkpoint of the empty tree is missing"))
	}
}

func (v *verifier) checkpoint(c chain, k, msg []byte) (Checkpoint, error) {
	p, err := ParseCheckpoint(bytes.Clone(msg), v.id.Key)
	if err != nil {
		return p, err
	}
	if p.Gateway != v.id.Gateway || p.Epoch != v.id.Epoch || !bytes.Equal(number(uint64(p.Size)), k) {
		return p, fmt.Errorf("is of andon/%s/%s at size %d", p.Gateway, p.Epoch, p.Size)
	}
	if p.Size > v.r.Size {
		return p, fmt.Errorf("vouches for %d commits, there are %d: the record has been cut", p.Size, v.r.Size)
	}
	root, err := tlog.TreeHash(p.Size, c)
	if err == nil && root != p.Root {
		err = fmt.Errorf("%w: the checkpoint has the root %s, the tree %s", errRoot, p.Root, root)
	}
	return p, err
}

// birth: the first checkpoint is of the empty tree and of the instant at which
// the identity says that the journal was created.
func (v *verifier) birth(p Checkpoint) error {
	if p.Size != 0 || p.At != v.id.Created {
		return fmt.Errorf("is not that of the creation, %s", instant(v.id.Created))
	}
	return nil
}

// snapshots: the states that are kept are those that their commits name, and
// the latest that any commit names is among them.
func (v *verifier) snapshots() {
	var kept uint64
	v.each(v.tx.Bucket([]byte(bucketSnapshot)).Cursor(), func(k, value []byte) {
		_, commit, err := snapshotOf(v.tx, k, value)
		if err != nil {
			v.problem(commit, err)
		}
		kept = max(kept, commit)
	})
	if kept < v.saved {
		v.problem(v.saved, fmt.Errorf("the state saved with commit %d is missing", v.saved))
	}
}

// outbox: each entry is what was put there, and the entries are those that the
// records say are pending. Without all of the records nothing can be said of
// what should be there.
func (v *verifier) outbox() {
	if v.unread {
		v.o.Changes = nil
	}
	b := v.tx.Bucket([]byte(bucketOutbox))
	v.each(b.Cursor(), func(name, value []byte) {
		lane := b.Bucket(name)
		if lane == nil {
			v.problem(0, fmt.Errorf("outbox: %q is not a lane", name))
			return
		}
		v.each(lane.Cursor(), func(k, value []byte) { v.entry(string(name), k, value) })
	})
	if v.o.Changes == nil {
		return
	}
	for lane, entries := range v.pending {
		for seq, e := range entries {
			v.problem(e.commit, fmt.Errorf("outbox entry %s/%d of commit %d is missing", lane, seq, e.commit))
		}
	}
}

// entry checks one outbox entry and takes it off what is expected.
func (v *verifier) entry(lane string, k, value []byte) {
	e, commit, err := parseEntry(lane, k, value)
	if err == nil && commit > uint64(v.r.Size) {
		err = fmt.Errorf("outbox entry %s/%d is of commit %d, there are %d", lane, e.Seq, commit, v.r.Size)
	}
	if err == nil && v.o.Changes != nil && v.pending[lane][e.Seq] != (pendingEntry{commit, e.sum(commit)}) {
		err = fmt.Errorf("outbox entry %s/%d is not what the records say is pending", lane, e.Seq)
	}
	if err != nil {
		v.problem(0, err)
	}
	if len(k) == 8 {
		delete(v.pending[lane], binary.BigEndian.Uint64(k))
	}
}
