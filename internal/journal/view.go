package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"
)

// View is what can be read of a journal. Its methods may be called from any
// goroutine; each holds a transaction only while it copies a page. Nothing is
// returned that was not on the disk when the call began.
type View struct {
	path string
	log  *slog.Logger
	id   Identity // set before the View is handed out

	mu    sync.RWMutex // held for reading while a transaction is open
	db    *bolt.DB     // nil when closed; changes under mu
	head  atomic.Pointer[Head]
	times timeIndex
}

// OpenView opens the journal of a stopped gateway for reading. path is its data
// directory, or the file itself or a copy of it. Nothing is written. It fails
// with ErrLocked while a gateway has the file.
func OpenView(path string) (*View, error) {
	v, err := openView(path)
	if err != nil {
		return nil, fmt.Errorf("read journal %s: %w", path, err)
	}
	return v, nil
}

func openView(path string) (*View, error) {
	name, err := fileOf(path)
	if err != nil {
		return nil, err
	}
	db, err := openReadOnly(name)
	if err != nil {
		return nil, err
	}
	_, err = inspect(name) // under bbolt's shared lock: nobody can be writing
	var id Identity
	var head Head
	if err == nil {
		id, head, err = readHead(db)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	v := &View{path: name, log: slog.New(slog.DiscardHandler)}
	v.set(db, id, head)
	return v, nil
}

// fileOf accepts a data directory or the file itself.
func fileOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return path, nil
	}
	name := filepath.Join(path, File)
	if _, err := os.Stat(name); err != nil {
		return "", err
	}
	return name, nil
}

// openReadOnly opens a file as bbolt does for readers: a shared lock, no look
// at the free pages.
func openReadOnly(name string) (db *bolt.DB, err error) {
	err = guard(func() error {
		db, err = bolt.Open(name, 0, &bolt.Options{ReadOnly: true, Timeout: lockWait})
		return err
	})
	if errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		if err := boltError(err); errors.Is(err, ErrLocked) {
			return nil, fmt.Errorf("%w: a gateway is running on it: ask it through its control socket, or read a copy", ErrLocked)
		}
		// Whatever else bbolt does not like, the walk over the pages has the
		// better words for it.
		if _, found := inspect(name); found != nil {
			return nil, found
		}
		return nil, err
	}
	return db, nil
}

// set hands the view a newly opened file.
func (v *View) set(db *bolt.DB, id Identity, head Head) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.db = db; v.id != id {
		v.id = id // once: Reopen lets no other one in
	}
	v.head.Store(&head)
	v.times.reset()
}

// Close ends reading. It waits for the pages that are just being copied.
func (v *View) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.db == nil {
		return nil
	}
	db := v.db
	v.db = nil
	return guard(db.Close)
}

// Identity is what the journal is: gateway, epoch, creation, key.
func (v *View) Identity() Identity { return v.id }

// Head is where the record stands. It is durable.
func (v *View) Head() Head { return *v.head.Load() }

// read runs do in a short transaction. head is the head at its beginning: what
// is beyond it may be seen in tx, but need not be on the disk yet.
func (v *View) read(do func(tx *bolt.Tx, head Head) error) error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.db == nil {
		return ErrClosed
	}
	head := v.Head() // before the transaction begins: what it says is in there
	return guard(func() error {
		return v.db.View(func(tx *bolt.Tx) error { return do(tx, head) })
	})
}

// readHead reads what a file is and where its record stands.
func readHead(db *bolt.DB) (id Identity, head Head, err error) {
	err = guard(func() error {
		return db.View(func(tx *bolt.Tx) error {
			if id, err = identityOf(tx); err != nil {
				return err
			}
			head, err = headOf(tx, id)
			return err
		})
	})
	return id, head, err
}

// identityOf reads the identity, and says whether the file is a journal.
func identityOf(tx *bolt.Tx) (Identity, error) {
	meta := tx.Bucket([]byte(bucketMeta))
	if meta == nil || meta.Get([]byte(identityKey)) == nil {
		return Identity{}, fmt.Errorf("%w: a bbolt file without a journal's identity", ErrForeign)
	}
	id, err := parseIdentity(meta.Get([]byte(identityKey)))
	if err != nil && !errors.Is(err, ErrForeign) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return Identity{}, err
	}
	for _, name := range buckets() {
		if tx.Bucket([]byte(name)) == nil {
			return Identity{}, fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	return id, nil
}

// headOf reads the last commit, whole, and the root of the tree.
func headOf(tx *bolt.Tx, id Identity) (Head, error) {
	k, _ := tx.Bucket([]byte(bucketJournal)).Cursor().Last()
	c, _ := chainOf(tx).b.Cursor().Last()
	if k == nil && c == nil {
		return id.empty(), nil
	}
	if len(k) < 8 || string(k[:8]) != string(c) {
		return Head{}, fmt.Errorf("%w: the last commit is %x, the tree's last leaf is of %x", ErrDamaged, k, c)
	}
	seq, _, err := splitKey(k)
	if err != nil {
		return Head{}, err
	}
	h, _, err := commitOf(tx, seq)
	if err != nil {
		return Head{}, err
	}
	if h.Epoch != id.Epoch {
		return Head{}, fmt.Errorf("%w: commit %d is of epoch %s, the journal of %s", ErrDamaged, seq, h.Epoch, id.Epoch)
	}
	root, err := tlog.TreeHash(int64(seq), chainOf(tx))
	return h.after(id.Gateway, root), err
}

// commitOf reads one commit and checks it against its leaf.
func commitOf(tx *bolt.Tx, seq uint64) (Header, []byte, error) {
	got, block, ok, err := blocksFrom(tx, seq).next()
	if err != nil {
		return Header{}, nil, err
	}
	if !ok || got != seq {
		return Header{}, nil, fmt.Errorf("%w: commit %d is missing", ErrDamaged, seq)
	}
	h, records, err := parseBlock(block)
	if err != nil {
		return Header{}, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return h, records, sound(tx, seq, h)
}

// pageBytes and pageCommits are how much of the record one transaction copies.
const (
	pageBytes   = 1 << 20
	pageCommits = 256
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
