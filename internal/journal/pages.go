package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// bbolt trusts its file: a page number that has become another one sends it
// round in circles until the stack is exhausted, and a page that is not what it
// should be is a panic in a goroutine of its own while it looks for free pages
// at open. Neither can be recovered. So the tree of pages is walked here first,
// with every offset checked. Contents are the business of Verify.

const (
	pageSize       = 4096
	pageHeaderSize = 16
	elementSize    = 16 // of a branch and of a leaf alike

	branchFlag   = 0x01
	leafFlag     = 0x02
	metaFlag     = 0x04
	freelistFlag = 0x10
	bucketFlag   = 0x01

	boltMagic   = 0xED0CDAED
	boltVersion = 2
	noFreelist  = ^uint64(0)

	// maxDepth is far above the height of any tree of 2^40 pages.
	maxDepth = 64
)

// bbolt writes integers as the machine has them.
var native = binary.NativeEndian

// checkPages walks the tree of pages of a bbolt file of size bytes.
//
// torn is set when one of the two meta pages is not valid: bbolt then goes by
// the other one, which is the state after a power cut in the middle of a commit,
// but also what remains when somebody has changed the newer of them.
func checkPages(r io.ReaderAt, size int64) (torn, err error) {
	meta, torn, err := newestMeta(r)
	if err != nil {
		return nil, err
	}
	if meta.pages > uint64(size/pageSize) {
		return torn, fmt.Errorf("the file has %d pages, of %d that it should have: it has been cut", size/pageSize, meta.pages)
	}
	w := &walker{r: r, pages: meta.pages, seen: make([]uint64, meta.pages/64+1)}
	if meta.freelist != noFreelist {
		if err := w.freelist(meta.freelist); err != nil {
			return torn, err
		}
	}
	return torn, w.page(meta.root, bounds{}, nil, 0)
}

type walker struct {
	r     io.ReaderAt
	ahead window
	pages uint64
	seen  []uint64 // one bit a page

	commit uint64 // the last commit of which a part was found in its place
}

// pageError is damage to the tree of pages. commit is the one at or after which
// it was found if it lies within the record, else 0.
type pageError struct {
	commit uint64
	err    error
}

func (e *pageError) Error() string { return e.err.Error() }
func (e *pageError) Unwrap() error { return e.err }

// damage adds to err how far the record is in order.
func (w *walker) damage(err error, path [][]byte) error {
	if len(path) == 0 || string(path[0]) != bucketJournal {
		return err
	}
	return &pageError{max(w.commit, 1), fmt.Errorf("%w: in or after commit %d", err, max(w.commit, 1))}
}

// passed notes that a part of a commit's block is in its place.
func (w *walker) passed(path [][]byte, key []byte) {
	if len(path) == 1 && string(path[0]) == bucketJournal && len(key) >= 8 {
		w.commit = binary.BigEndian.Uint64(key)
	}
}

// claim notes that a page and those that it runs over into are in use.
func (w *walker) claim(id uint64, count uint64) error {
	if id < 2 || id >= w.pages || count > w.pages-id {
		return fmt.Errorf("page %d: runs over the last page, %d", id, w.pages-1)
	}
	for p := id; p < id+count; p++ {
		if w.seen[p/64]&(1<<(p%64)) != 0 {
			return fmt.Errorf("page %d: used twice", p)
		}
		w.seen[p/64] |= 1 << (p % 64)
	}
	return nil
}

// open reads the first page of id's run and claims the run.
func (w *walker) open(id uint64) (*page, error) {
	if id < 2 || id >= w.pages {
		return nil, fmt.Errorf("page %d: there are pages 2 to %d", id, w.pages-1)
	}
	b, err := w.ahead.page(w.r, id, w.pages)
	if err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	if got := native.Uint64(b); got != id {
		return nil, fmt.Errorf("page %d: says that it is page %d", id, got)
	}
	run := uint64(native.Uint32(b[12:])) + 1
	if err := w.claim(id, run); err != nil {
		return nil, err
	}
	return &page{r: w.r, id: id, at: int64(id) * pageSize, head: b, size: int64(run) * pageSize}, nil
}

// freelist checks the list of free pages, which only a file that another
// program has written still has.
func (w *walker) freelist(id uint64) error {
	p, err := w.open(id)
	if err != nil {
		return err
	}
	// 0xFFFF would mean that the count stands elsewhere; we never write such.
	if p.flags() != freelistFlag || p.count() == 0xFFFF || pageHeaderSize+int64(p.count())*8 > p.size {
		return fmt.Errorf("page %d: is not a list of free pages", id)
	}
	var last uint64 = 1
	for i := range p.count() {
		b, err := p.bytes(pageHeaderSize+int64(i)*8, 8)
		if err != nil {
			return err
		}
		if n := native.Uint64(b); n <= last || n >= w.pages {
			return fmt.Errorf("page %d: lists page %d as free", id, n)
		} else {
			last = n
		}
	}
	return nil
}

// elements checks a page's elements and goes on to what they point to.
func (w *walker) elements(p *page, in bounds, path [][]byte, depth int) error {
	if p.flags() != leafFlag || p.hasBuckets() {
		p.head = bytes.Clone(p.head) // more pages are read while it is in use
	}
	keys, err := p.keys(in)
	if err != nil {
		return w.damage(fmt.Errorf("page %d%s: %w", p.id, bucketWords(path), err), path)
	}
	for i, k := range keys {
		if p.flags() == branchFlag {
			below := in.below
			if i+1 < len(keys) {
				below = keys[i+1]
			}
			err = w.page(p.child(i), bounds{first: k, below: below}, path, depth+1)
		} else if flags, _, _ := p.value(i); flags != 0 {
			err = w.bucket(p, i, append(path[:len(path):len(path)], k), depth)
		} else {
			w.passed(path, k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket follows element i of a leaf, which is a bucket.
func (w *walker) bucket(p *page, i int, path [][]byte, depth int) error {
	flags, value, size := p.value(i)
	b, err := p.bytes(value, min(size, 16))
	if err != nil || flags != bucketFlag || size < 16 {
		return w.damage(fmt.Errorf("page %d: element %q of %d bytes is of kind %#x", p.id, bytes.Join(path, []byte("/")), size, flags), path)
	}
	if root := native.Uint64(b); root != 0 {
		return w.page(root, bounds{}, path, depth+1)
	}
	return w.inline(p, value+16, size-16, path, depth)
}

// inline walks a small bucket that stands within a leaf's value.
func (w *walker) inline(p *page, at, size int64, path [][]byte, depth int) error {
	if size < pageHeaderSize || depth > maxDepth {
		return w.damage(fmt.Errorf("page %d%s: a page of %d bytes within a leaf", p.id, bucketWords(path), size), path)
	}
	b, err := p.bytes(at, size)
	if err != nil {
		return err
	}
	in := &page{id: p.id, head: b, size: size}
	if in.flags() != leafFlag {
		return w.damage(fmt.Errorf("page %d%s: is of kind %#x within a leaf", p.id, bucketWords(path), in.flags()), path)
	}
	return w.elements(in, bounds{}, path, depth+1)
}

// bucketWords says which bucket a page belongs to.
func bucketWords(path [][]byte) string {
	if len(path) == 0 {
		return ""
	}
	return fmt.Sprintf(" of bucket %q", bytes.Join(path, []byte("/")))
}
