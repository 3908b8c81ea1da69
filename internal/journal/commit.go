package journal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Group is one transaction: some inputs in their order and all that follows
// from them.
type Group struct {
	At int64 // instant of the commit, ns

	FirstN, LastN uint64 // numbered inputs in it; 0, 0 for none
	FirstI        uint64 // number of the first sample; 0 for none
	Samples       uint64 // how many samples
	From, To      int64  // least and greatest source time of the samples, ns; 0, 0 for none

	Records []byte // canonical frames of the inputs and outcomes, in order

	// Entries are put into the outbox and then Retired are removed from it.
	// Both must follow from Records: Verify asks for the same of them.
	Entries []Entry
	Retired []Retired

	// Snapshot is the engine's state after LastN, or nil. It is not copied.
	Snapshot []byte
	// Checkpoint has the tree's head signed with this commit. The note may be
	// published once Commit has returned.
	Checkpoint bool
}

// Commit makes a group durable: when it returns nil the group is on the disk,
// and the head that it returns includes it.
//
// After ErrFull or ErrGroup nothing has been written and the journal goes on.
// After any other error the outcome is unknown and every further call fails with
// ErrUncertain until Reopen: never commit the same group again before that.
// ErrFull costs a look over the whole file; try again after seconds, not at once.
func (j *Journal) Commit(g Group) (Head, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	before := j.Head()
	h, err := g.header(before)
	if err != nil {
		return before, fmt.Errorf("commit %d: %w: %w", before.Size+1, ErrGroup, err)
	}
	var after Head
	err = j.transact(func(tx *bolt.Tx) (err error) {
		after, err = j.write(tx, g, h)
		return err
	})
	if err != nil {
		return before, fmt.Errorf("commit %d: %w", h.Seq, err)
	}
	j.head.Store(&after)
	return after, nil
}

// header is the header of the commit that g becomes after head.
func (g Group) header(head Head) (Header, error) {
	if err := g.check(head); err != nil {
		return Header{}, err
	}
	h := Header{
		Epoch: head.Epoch, Seq: uint64(head.Size) + 1,
		FirstN: head.N + 1, FirstI: head.I + 1, Samples: g.Samples,
		From: g.From, To: g.To, At: g.At,
		Records: sha256.Sum256(g.Records), Prev: head.Leaf,
	}
	if g.FirstN != 0 {
		h.Inputs = g.LastN - g.FirstN + 1
	}
	if g.Snapshot != nil {
		h.Snapshot = sha256.Sum256(g.Snapshot)
	}
	return h, h.check()
}

// check says why g cannot follow head.
func (g Group) check(head Head) error {
	switch {
	case len(g.Records) == 0 && g.FirstN == 0 && g.Snapshot == nil && !g.Checkpoint:
		return errNothing
	case g.FirstN != 0 && (g.FirstN != head.N+1 || g.LastN < g.FirstN), g.FirstN == 0 && g.LastN != 0:
		return fmt.Errorf("inputs %d to %d follow input %d", g.FirstN, g.LastN, head.N)
	case g.Samples != 0 && g.FirstI != head.I+1, g.Samples == 0 && g.FirstI != 0:
		return fmt.Errorf("%d samples from %d follow sample %d", g.Samples, g.FirstI, head.I)
	case len(g.Records) > MaxRecords:
		return fmt.Errorf("%d bytes of records, at most %d fit", len(g.Records), MaxRecords)
	case len(g.Records) == 0 && len(g.Entries)+len(g.Retired) > 0:
		return errors.New("the outbox changes without a record of why")
	}
	for _, e := range g.Entries {
		if err := e.check(); err != nil {
			return err
		}
	}
	for _, r := range g.Retired {
		if err := r.check(); err != nil {
			return err
		}
	}
	return checkFrames(g.Records)
}

// write puts a group into a transaction and returns the head with it.
func (j *Journal) write(tx *bolt.Tx, g Group, h Header) (Head, error) {
	if err := putBlock(tx, h.Seq, appendBlock(nil, h, g.Records)); err != nil {
		return Head{}, err
	}
	root, err := chainOf(tx).add(h.Seq, h.Leaf())
	if err != nil {
		return Head{}, err
	}
	if err := putEntries(tx, g.Entries, h.Seq); err != nil {
		return Head{}, err
	}
	if err := retire(tx, g.Retired); err != nil {
		return Head{}, err
	}
	if g.Snapshot != nil {
		if err := putSnapshot(tx, h.Seq, g.Snapshot); err != nil {
			return Head{}, err
		}
	}
	head := h.after(j.id.Gateway, root)
	if g.Checkpoint {
		err = putCheckpoint(tx, head, g.At, j.key)
	}
	return head, err
}

// transact runs one transaction. It is what decides whether the journal may go
// on after an error.
func (j *Journal) transact(do func(tx *bolt.Tx) error) error {
	if j.lock == nil {
		return ErrClosed
	}
	if j.failed != nil {
		return j.failed
	}
	var tx *bolt.Tx
	err := guard(func() (err error) {
		if tx, err = j.db.Begin(true); err != nil {
			return err
		}
		return do(tx)
	})
	if err == nil {
		err = guard(tx.Commit)
	}
	if err == nil {
		return nil
	}
	if rerr := rollback(tx); rerr != nil {
		err = errors.Join(err, rerr)
	} else if err = full(err); errors.Is(err, ErrFull) && j.unchanged() {
		return err
	}
	j.failed = fmt.Errorf("%w, reopen the journal: it ended with: %w", ErrUncertain, err)
	return j.failed
}

// rollback ends a transaction that did not commit. One that has ended is left
// alone.
func rollback(tx *bolt.Tx) error {
	if tx == nil {
		return nil
	}
	err := guard(tx.Rollback)
	if errors.Is(err, bolterrors.ErrTxClosed) {
		return nil
	}
	return err
}

// unchanged reports whether the file still ends with the head that was last
// committed: whether a transaction that found no room left nothing behind.
func (j *Journal) unchanged() bool {
	_, head, err := readHead(j.db)
	return err == nil && head == j.Head()
}

// full recognises what means "no room" and was met before the file changed:
// the quota, a write that found the disk full, a file that cannot be made
// longer. A flush that fails is none of these, whatever its reason: what it
// should have brought to the disk may be there, or not.
func full(err error) error {
	if err == nil {
		return nil
	}
	var write *fs.PathError
	switch {
	case errors.Is(err, bolterrors.ErrMaxSizeReached):
		return fmt.Errorf("%w: the journal has reached its quota: raise data.quota", ErrFull)
	case errors.As(err, &write) && noSpace(write):
		return fmt.Errorf("%w: %w: make room on the disk", ErrFull, err)
	// bbolt keeps only the words of this one.
	case strings.HasPrefix(err.Error(), "file resize error"), strings.HasPrefix(err.Error(), "mmap size calculation error"):
		return fmt.Errorf("%w: %w: make room on the disk, or lower data.quota on a 32-bit machine", ErrFull, err)
	}
	return err
}
