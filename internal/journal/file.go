package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	// File is the name of the journal in the gateway's data directory.
	File = "journal.db"
	// Quarantine is where damaged journals are put, beside File.
	Quarantine = "quarantine"

	lockName = "journal.lock"

	// lockWait is how long bbolt tries for a file that somebody else reads.
	lockWait = time.Second
)

// takeLock makes this process the only owner of a data directory, so that two
// gateways cannot create or set aside the same file. The lock ends with the
// process, however it ends; the file stays and names the last owner.
func takeLock(dir string) (*os.File, error) {
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		owner, _ := io.ReadAll(io.LimitReader(f, 20)) // only to say more; the lock decides
		return nil, errors.Join(fmt.Errorf("%w%s: stop it, or give this gateway another data.dir", err, ownerWords(owner)), f.Close())
	}
	// Who has it is only for the message above: a full disk must not keep the
	// gateway from starting.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}

func ownerWords(b []byte) string {
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
		return fmt.Sprintf(" (process %d)", pid)
	}
	return ""
}

// create makes a new journal. The order is what makes it safe against a power
// cut at any instant; until the rename there is no journal, and after it there
// is a whole one.
//
//  1. remove what a creation that was cut has left (only the owner of the lock
//     comes here)
//  2. write journal.db.new: buckets, identity, checkpoint of the empty tree
//  3. flush it (bbolt flushes contents, not always the length)
//  4. rename it to journal.db
//  5. flush the directory
func create(dir string, key signingKey, o Options) error {
	name := filepath.Join(dir, File)
	if err := os.Remove(name + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bolt.Open(name+".new", 0o600, o.bolt())
	if err != nil {
		return err
	}
	id := Identity{Gateway: o.Gateway, Epoch: newEpoch(), Created: o.At, Key: key.public}
	err = db.Update(func(tx *bolt.Tx) error { return initialise(tx, id, key) })
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := flush(name + ".new"); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	return syncDir(dir)
}

func flush(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// The buckets of a journal.
const (
	bucketMeta       = "meta"
	bucketJournal    = "journal"
	bucketChain      = "chain"
	bucketOutbox     = "outbox"
	bucketSnapshot   = "snapshot"
	bucketCheckpoint = "checkpoint"
)

func buckets() []string {
	return []string{bucketChain, bucketCheckpoint, bucketJournal, bucketMeta, bucketOutbox, bucketSnapshot}
}

// identityKey is the only key in the meta bucket.
const identityKey = "identity"

// initialise fills a new file. The checkpoint of the empty tree binds the
// identity to the gateway's key before there is a first commit to do so.
func initialise(tx *bolt.Tx, id Identity, key signingKey) error {
	if err := id.check(); err != nil {
		return err
	}
	for _, name := range buckets() {
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	if err := tx.Bucket([]byte(bucketMeta)).Put([]byte(identityKey), []byte(id.text())); err != nil {
		return err
	}
	return putCheckpoint(tx, id.empty(), id.Created, key)
}

// openBolt opens the file for writing, after a look at its pages: see
// checkPages for why bbolt must not see a damaged file.
func openBolt(name string, o Options) (*bolt.DB, error) {
	torn, err := inspect(name)
	if err != nil {
		return nil, err
	}
	if torn != nil {
		o.logger().Warn("the last commit was cut, the state before it is used", "file", name, "err", torn)
	}
	var db *bolt.DB
	err = guard(func() (err error) {
		db, err = bolt.Open(name, 0o600, o.bolt())
		return err
	})
	return db, boltError(err)
}

// boltError puts bbolt's reasons for not opening a file in our words.
func boltError(err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%w: somebody is reading it: wait for `andon journal` to end, or use a copy", ErrLocked)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrChecksum):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// inspect checks the file's pages and says whether it is ours at all.
func inspect(name string) (torn, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: not a file", ErrForeign)
	}
	if err == nil {
		torn, err = checkPages(f, info.Size())
		err = foreignOrDamaged(f, info.Size(), err)
	}
	return torn, errors.Join(err, f.Close())
}

// foreignOrDamaged says what it means that err was found in a file: one in
// which not even the marks of a journal are found is not ours.
func foreignOrDamaged(r io.ReaderAt, size int64, err error) error {
	if err == nil {
		return nil
	}
	var mark [4]byte
	native.PutUint32(mark[:], boltMagic)
	head := make([]byte, min(size, 2*pageSize))
	if _, rerr := r.ReadAt(head, 0); rerr != nil {
		return errors.Join(err, rerr)
	}
	if errors.Is(err, errNoMeta) && !bytes.Contains(head, mark[:]) && len(bytes.Trim(head, "\x00")) > 0 {
		return fmt.Errorf("%w: %w: look what it is, move it away", ErrForeign, err)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// SetAside moves a journal that cannot be opened into the quarantine directory
// beside it and returns its new name. Nothing is deleted: what it still holds
// can be read with tools. at names the moved file. The next Open begins a new
// epoch; the messages that were pending in the old file are not in it.
func SetAside(dir string, at int64) (name string, err error) {
	lock, err := takeLock(dir)
	if err != nil {
		return "", fmt.Errorf("set journal aside in %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	to := filepath.Join(dir, Quarantine)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return "", fmt.Errorf("set journal aside: %w", err)
	}
	base := "journal-" + time.Unix(0, at).UTC().Format("20060102T150405.000000000Z")
	name = filepath.Join(to, base+".db")
	for n := 2; exists(name); n++ {
		name = filepath.Join(to, fmt.Sprintf("%s-%d.db", base, n))
	}
	if err := os.Rename(filepath.Join(dir, File), name); err != nil {
		return "", fmt.Errorf("set journal aside: %w", err)
	}
	if err := errors.Join(syncDir(to), syncDir(dir)); err != nil {
		return name, fmt.Errorf("set journal aside: %w", err)
	}
	return name, nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}
