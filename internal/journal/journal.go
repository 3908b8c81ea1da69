package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Options are what a journal is opened with.
type Options struct {
	// Gateway is the gateway's id; a journal of another one is refused.
	Gateway string
	// Quota is the greatest size of the file in bytes, at least 1 MiB; 0 means
	// that only the disk is a limit. On 32-bit machines it is never above 1 GiB.
	Quota int64
	// At is the instant of opening, ns: when a new journal was created.
	At int64
	// Logger is told what was found and mended at opening; nil for nobody.
	Logger *slog.Logger

	// openFile stands in for os.OpenFile in tests that make the disk fail.
	openFile func(string, int, os.FileMode) (*os.File, error)
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

func (o Options) check() error {
	if err := checkGateway(o.Gateway); err != nil {
		return err
	}
	if o.Quota != 0 && o.Quota < minQuota {
		return fmt.Errorf("quota of %d bytes: want at least %d", o.Quota, minQuota)
	}
	return nil
}

const (
	minQuota = 1 << 20
	// quota32 is what a 32-bit machine can map without running out of room for
	// anything else.
	quota32 = 1 << 30
	// growStep is how much the file grows at a time: each growth is one flush
	// more.
	growStep = 16 << 20
)

// bolt are bbolt's options. The map is made for the whole quota at once, because
// a map that grows waits for every reader and holds up every commit.
func (o Options) bolt() *bolt.Options {
	quota := o.Quota
	if math.MaxInt == math.MaxInt32 && (quota == 0 || quota > quota32) {
		quota = quota32
	}
	b := &bolt.Options{
		Timeout:         lockWait,
		FreelistType:    bolt.FreelistMapType,
		NoFreelistSync:  true,
		PageSize:        pageSize,
		MaxSize:         int(quota),
		InitialMmapSize: mapSize(quota),
		OpenFile:        o.openFile,
	}
	return b
}

// Journal is an open journal of which this process is the only owner. Commit,
// SignNow, Reopen and Close are for one goroutine at a time; the methods of View
// are for any.
type Journal struct {
	View
	dir  string
	o    Options
	key  signingKey
	lock *os.File

	mu     sync.Mutex // held by whoever writes
	failed error      // why nothing may be written before Reopen; nil if all is well
}

// Open opens the journal in dir, or creates it where there is none (Head().Size
// is 0 then, and the epoch is new). The directory belongs to the journal's owner
// until Close.
//
// Errors to decide by: ErrLocked, ErrDamaged (SetAside, then Open again),
// ErrForeign, ErrKey, ErrFull. Open has made a flush before it returns, so a disk
// that cannot be written is found out now.
func Open(dir string, o Options) (*Journal, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w: make data.dir, or give it to the user that andon runs as", err)
	}
	lock, err := takeLock(dir)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w: give the directory to the user that andon runs as", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open journal in %s: %w", dir, err)
	}
	j := &Journal{dir: dir, o: o, lock: lock}
	if err := j.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal in %s: %w", dir, err), lock.Close())
	}
	return j, nil
}

// start reads the key, makes the file if there is none, and opens it.
func (j *Journal) start() (err error) {
	j.path = filepath.Join(j.dir, File)
	j.log = j.o.logger()
	if exists(j.path) {
		j.key, err = readKey(j.dir, j.o)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: there is %s but no %s: put the key back, or move the journal away", ErrKey, File, KeyFile)
		}
	} else {
		if j.key, err = haveKey(j.dir, j.o); err == nil {
			err = create(j.dir, j.key, j.o)
		}
	}
	if err != nil {
		return full(err)
	}
	return j.open()
}

// open opens the file, checks that it is ours and whole as far as the next
// commit builds on it, and proves with one flush that the disk takes what is
// written. The last point also makes durable what was read: after a failed
// commit it may have stood in the kernel's memory alone.
func (j *Journal) open() error {
	db, err := openBolt(j.path, j.o)
	if err != nil {
		return full(err)
	}
	db.AllocSize = j.o.allocSize()
	id, head, err := readHead(db)
	if err == nil {
		err = j.fits(id, head)
	}
	if err == nil {
		err = full(guard(func() error { return db.Update(func(*bolt.Tx) error { return nil }) }))
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	j.set(db, id, head)
	return nil
}

// fits says why a file is not this gateway's journal, or not the one that was
// open before.
func (j *Journal) fits(id Identity, head Head) error {
	if id.Gateway != j.o.Gateway {
		return fmt.Errorf("%w: it is of gateway %q, this is %q", ErrForeign, id.Gateway, j.o.Gateway)
	}
	if id.Key != j.key.public {
		return fmt.Errorf("%w: the journal was begun with %s, %s is %s", ErrKey, id.Key, KeyFile, j.key.public)
	}
	known := j.View.head.Load()
	if known == nil {
		return nil // opened for the first time
	}
	if id != j.id {
		return fmt.Errorf("%w: the file is another one than before: epoch %s, was %s", ErrForeign, id.Epoch, j.id.Epoch)
	}
	if head.Size < known.Size || head.Size == known.Size && head != *known {
		return fmt.Errorf("%w: the disk has lost commits that it had confirmed: it ends with %d, was %d", ErrDamaged, head.Size, known.Size)
	}
	return nil
}

// PublicKey is the gateway's verifier key in the note format.
func (j *Journal) PublicKey() string { return j.key.public }

// Close ends all reading and writing and gives the directory free. What was
// committed needs no Close.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lock == nil {
		return nil
	}
	err := errors.Join(j.View.Close(), j.lock.Close())
	j.lock = nil
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// Reopen closes the file and reads from the disk what it really holds, as is
// needed after an error of Commit that was not ErrFull. The head that it returns
// says whether the group is there; the caller goes on from it. It fails for as
// long as the disk does and may be called again and again.
func (j *Journal) Reopen() (Head, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lock == nil {
		return Head{}, fmt.Errorf("reopen journal: %w", ErrClosed)
	}
	// What stands in the way of closing stands in the way of nothing else.
	if err := j.View.Close(); err != nil {
		j.log.Warn("close before reopening", "err", err)
	}
	j.failed = fmt.Errorf("%w", ErrUncertain)
	if err := evict(j.path); err != nil {
		return Head{}, fmt.Errorf("reopen journal: %w", err)
	}
	if err := j.open(); err != nil {
		return Head{}, fmt.Errorf("reopen journal in %s: %w", j.dir, err)
	}
	j.failed = nil
	return j.Head(), nil
}

// allocSize is how much the file grows at a time: little where the quota is
// little, since bbolt refuses the last step before the quota as a whole.
func (o Options) allocSize() int {
	if o.Quota == 0 {
		return growStep
	}
	return int(min(growStep, max(o.Quota/64, 32<<10)))
}

// SignNow signs the head as it stands and stores the note. One checkpoint is
// kept for each size of the tree; the later one takes the place of the earlier,
// except that the empty tree is signed once and for all at its creation.
func (j *Journal) SignNow(at int64) ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	head := j.Head()
	if head.Size == 0 {
		return j.Checkpoint()
	}
	if err := j.transact(func(tx *bolt.Tx) error { return putCheckpoint(tx, head, at, j.key) }); err != nil {
		return nil, fmt.Errorf("sign checkpoint %d: %w", head.Size, err)
	}
	return j.Checkpoint()
}

// Head is where the record stands.
type Head struct {
	Gateway string
	Epoch   string
	Size    int64     // commits so far, leaves of the tree
	Root    tlog.Hash // of the tree
	Leaf    tlog.Hash // of the last commit; with none, the hash of the identity
	N, I    uint64    // last numbered input, last sample; 0 for none
	At      int64     // instant of the last commit, ns; with none, of the creation
}

// empty is the head of a journal without a commit.
func (id Identity) empty() Head {
	root, _ := tlog.TreeHash(0, nil) // of an empty tree nothing is read, so nothing can fail
	return Head{Gateway: id.Gateway, Epoch: id.Epoch, Root: root, Leaf: id.genesis(), At: id.Created}
}

// after is the head once h is committed and the tree has the given root.
func (h Header) after(gateway string, root tlog.Hash) Head {
	return Head{Gateway: gateway, Epoch: h.Epoch, Size: int64(h.Seq), Root: root, Leaf: h.Leaf(), N: h.LastN(), I: h.LastI(), At: h.At}
}

// putCheckpoint signs head and stores the note under the tree's size.
func putCheckpoint(tx *bolt.Tx, head Head, at int64, key note.Signer) error {
	c := Checkpoint{Gateway: head.Gateway, Epoch: head.Epoch, Size: head.Size, Root: head.Root, At: at}
	msg, err := c.sign(key)
	if err != nil {
		return err
	}
	b := tx.Bucket([]byte(bucketCheckpoint))
	b.FillPercent = 1
	return b.Put(number(uint64(head.Size)), msg)
}
