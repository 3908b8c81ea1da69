package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"
)

// VerifyOptions say what a journal is held against.
type VerifyOptions struct {
	// Key is the gateway's verifier key as the auditor knows it, in the note
	// format. Without it the key in the file is believed, which shows that the
	// file fits together but not whose it is.
	Key string
	// Changes reads from the records of one commit what they put into the outbox
	// and what they removed. With it the outbox must be exactly what the records
	// say is pending; without it each entry is checked against its own hash only.
	Changes func(h Header, records []byte) ([]Entry, []Retired, error)
}

// Report is what Verify found.
type Report struct {
	OK    bool      `json:"ok"`
	Size  int64     `json:"size"` // commits
	Root  tlog.Hash `json:"root"` // of the tree as it is stored, base64
	Epoch string    `json:"epoch"`
	// FirstBad is the first commit that is not what was committed; nil when
	// there is none, or when what is wrong belongs to no commit.
	FirstBad *uint64 `json:"first_bad"`

	Gateway string `json:"gateway"`
	Key     string `json:"key"`
	// Signed is the greatest size that a checkpoint vouches for. Commits after it
	// could have been changed together with the tree by whoever can write the
	// file.
	Signed   int64     `json:"signed"`
	Problems []Problem `json:"problems"` // the first 100
}

// Problem is one thing that is not as it was written.
type Problem struct {
	Commit uint64 `json:"commit,omitempty"` // 0 when it belongs to no commit
	What   string `json:"what"`
}

const maxProblems = 100

// Verify reads a journal from end to end and holds everything in it against
// everything else: pages, blocks, headers, the chain of headers, the tree, every
// checkpoint's signature, saved states and the outbox. It writes nothing.
//
// path is the data directory of a stopped gateway, or the file itself or a copy.
// An error means that it could not be read at all (not there, locked, not a
// journal); what is wrong in it is in the report.
func Verify(path string, o VerifyOptions) (Report, error) {
	r, err := verify(path, o)
	if err != nil {
		return Report{}, fmt.Errorf("verify journal %s: %w", path, err)
	}
	return r, nil
}

func verify(path string, o VerifyOptions) (Report, error) {
	v := &verifier{o: o, pending: make(map[string]map[uint64]pendingEntry)}
	v.r.Problems = []Problem{}
	name, err := fileOf(path)
	if err != nil {
		return Report{}, err
	}
	db, err := openReadOnly(name)
	if errors.Is(err, ErrDamaged) {
		v.problem(0, err)
		return v.report(), nil
	}
	if err != nil {
		return Report{}, err
	}
	err = v.file(db, name)
	if cerr := guard(db.Close); err == nil {
		err = cerr
	}
	return v.report(), err
}

// verifier goes through a file once.
type verifier struct {
	o  VerifyOptions
	r  Report
	tx *bolt.Tx
	id Identity

	known   bool // head is that of the commit before
	head    Head
	saved   uint64 // last commit with which a state was saved
	unread  bool   // the records of a commit could not be read
	pending map[string]map[uint64]pendingEntry
}

type pendingEntry struct {
	commit uint64
	sum    [32]byte
}

func (v *verifier) report() Report {
	v.r.OK = len(v.r.Problems) == 0
	return v.r
}

// problem notes what is wrong; commit is 0 when it belongs to none.
func (v *verifier) problem(commit uint64, what error) {
	if commit != 0 && (v.r.FirstBad == nil || commit < *v.r.FirstBad) {
		v.r.FirstBad = &commit
	}
	if len(v.r.Problems) < maxProblems {
		v.r.Problems = append(v.r.Problems, Problem{commit, strings.TrimPrefix(what.Error(), ErrDamaged.Error()+": ")})
	}
}

// file verifies an open file.
func (v *verifier) file(db *bolt.DB, name string) error {
	torn, err := inspect(name)
	if torn != nil {
		v.problem(0, fmt.Errorf("%w: the last commit may be missing; after a power cut the gateway mends this when it starts", torn))
	}
	if errors.Is(err, ErrDamaged) {
		var at *pageError
		if errors.As(err, &at) {
			v.problem(at.commit, err)
		} else {
			v.problem(0, err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	err = guard(func() error {
		return db.View(func(tx *bolt.Tx) error {
			v.tx = tx
			return v.contents(name)
		})
	})
	if errors.Is(err, ErrDamaged) {
		v.problem(0, err)
		return nil
	}
	return err
}

// contents goes through the buckets.
func (v *verifier) contents(name string) (err error) {
	if v.id, err = identityOf(v.tx); err != nil {
		return err
	}
	v.r.Gateway, v.r.Epoch, v.r.Key = v.id.Gateway, v.id.Epoch, v.id.Key
	v.head, v.known = v.id.empty(), true
	v.names()
	v.keys(name)
	v.commits()
	v.tree()
	v.checkpoints()
	v.snapshots()
	v.outbox()
	return nil
}

// names: there are the buckets that must be there (identityOf) and no others.
func (v *verifier) names() {
	v.each(v.tx.Cursor(), func(k, _ []byte) {
		if !strings.Contains("\n"+strings.Join(buckets(), "\n")+"\n", "\n"+string(k)+"\n") {
			v.problem(0, fmt.Errorf("bucket %q is not one of a journal", k))
		}
	})
	v.each(v.tx.Bucket([]byte(bucketMeta)).Cursor(), func(k, _ []byte) {
		if string(k) != identityKey {
			v.problem(0, fmt.Errorf("bucket meta: key %q is not one of a journal", k))
		}
	})
}

func (v *verifier) each(c *bolt.Cursor, do func(k, value []byte)) {
	for k, value := c.First(); k != nil; k, value = c.Next() {
		do(k, value)
	}
}

// keys: the key that the journal names is the one that is expected, and the one
// that stands beside it.
func (v *verifier) keys(name string) {
	if v.o.Key != "" && v.o.Key != v.id.Key {
		v.problem(0, fmt.Errorf("the journal names the key %s, expected was %s", v.id.Key, v.o.Key))
	}
	beside := filepath.Join(filepath.Dir(name), KeyFile)
	b, err := os.ReadFile(beside)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return // a copy has no key, and an auditor need not be able to read it
	}
	if err != nil {
		v.problem(0, err)
		return
	}
	if public, err := publicKey(strings.TrimSpace(string(b))); err != nil || public != v.id.Key {
		v.problem(0, fmt.Errorf("%s is not the key of this journal, %s", beside, v.id.Key))
	}
}

// commits: block by block, each header following the one before.
func (v *verifier) commits() {
	for w := blocksFrom(v.tx, 0); ; {
		seq, block, ok, err := w.next()
		if err != nil {
			v.problem(max(seq, uint64(v.r.Size)+1), err)
		}
		if !ok && err == nil || seq == 0 || seq >= 1<<62 {
			return // the end, or no sequence to go on from
		}
		if err != nil {
			v.r.Size, v.known, v.unread = max(v.r.Size, int64(seq)), false, true
			w = blocksFrom(v.tx, seq+1)
			continue
		}
		v.commit(seq, block)
	}
}

// commit checks one block under its key.
func (v *verifier) commit(seq uint64, block []byte) {
	for missing := uint64(v.r.Size) + 1; missing < seq && len(v.r.Problems) < maxProblems; missing++ {
		v.problem(missing, fmt.Errorf("commit %d is missing", missing))
		v.known, v.unread = false, true
	}
	v.r.Size = int64(seq)
	h, records, err := parseBlock(block)
	if err == nil && h.Seq != seq {
		err = fmt.Errorf("commit %d: stands in the place of commit %d", h.Seq, seq)
	}
	if err == nil && v.known {
		err = h.follows(v.head)
	}
	if err == nil {
		err = sound(v.tx, seq, h)
	}
	if err == nil {
		err = checkFrames(records)
	}
	if err != nil {
		v.problem(seq, err)
		v.known = false
		v.unread = true
		return
	}
	v.head, v.known = h.after(v.id.Gateway, tlog.Hash{}), true
	if h.Snapshot != [32]byte{} {
		v.saved = seq
	}
	v.replay(h, records)
}

// replay follows what the records say of the outbox.
func (v *verifier) replay(h Header, records []byte) {
	if v.o.Changes == nil {
		return
	}
	entries, retired, err := v.o.Changes(h, records)
	if err != nil {
		v.problem(h.Seq, fmt.Errorf("commit %d: %w", h.Seq, err))
		v.unread = true
		return
	}
	for _, e := range entries {
		if v.pending[e.Lane] == nil {
			v.pending[e.Lane] = make(map[uint64]pendingEntry)
		}
		v.pending[e.Lane][e.Seq] = pendingEntry{h.Seq, e.sum(h.Seq)}
	}
	for _, r := range retired {
		lane := v.pending[r.Lane]
		if span := r.Last - r.First; span > uint64(len(lane)) {
			for seq := range lane {
				if r.First <= seq && seq <= r.Last {
					delete(lane, seq)
				}
			}
			continue
		}
		for seq := r.First; seq <= r.Last && seq != 0; seq++ {
			delete(lane, seq)
		}
	}
}
