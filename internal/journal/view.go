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
	last, err := nextCommit(tx, blocksFrom(tx, seq), seq)
	if err != nil {
		return Head{}, err
	}
	h := last.h
	if h.Epoch != id.Epoch {
		return Head{}, fmt.Errorf("%w: commit %d is of epoch %s, the journal of %s", ErrDamaged, seq, h.Epoch, id.Epoch)
	}
	root, err := tlog.TreeHash(int64(seq), chainOf(tx))
	return h.after(id.Gateway, root), err
}
