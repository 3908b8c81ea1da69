package journal

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// errNoMeta says that there is nothing of bbolt's in the file.
var errNoMeta = errors.New("no valid page 0 or 1")

// metaPage is what page 0 or 1 says of the file.
type metaPage struct {
	root     uint64
	freelist uint64
	pages    uint64 // all pages from this number on are unused
	txid     uint64
}

// parseMeta reads page 0 or 1.
func parseMeta(b []byte, id uint64) (metaPage, error) {
	marked := native.Uint64(b) == id && native.Uint16(b[8:]) == metaFlag
	b = b[pageHeaderSize:]
	switch {
	case native.Uint32(b) != boltMagic:
		return metaPage{}, fmt.Errorf("page %d: not a bbolt file", id)
	case !marked:
		return metaPage{}, fmt.Errorf("page %d: is not marked as such", id)
	case native.Uint32(b[4:]) != boltVersion:
		return metaPage{}, fmt.Errorf("page %d: bbolt version %d, want %d", id, native.Uint32(b[4:]), boltVersion)
	case native.Uint32(b[8:]) != pageSize:
		return metaPage{}, fmt.Errorf("page %d: page size %d, want %d", id, native.Uint32(b[8:]), pageSize)
	}
	h := fnv.New64a()
	_, _ = h.Write(b[:56]) // a hash never fails
	if native.Uint64(b[56:]) != h.Sum64() {
		return metaPage{}, fmt.Errorf("page %d: its check sum is wrong", id)
	}
	return metaPage{root: native.Uint64(b[16:]), freelist: native.Uint64(b[32:]), pages: native.Uint64(b[40:]), txid: native.Uint64(b[48:])}, nil
}

// newestMeta is the meta page that bbolt will go by.
func newestMeta(r io.ReaderAt) (meta metaPage, torn, err error) {
	var found []metaPage
	for id := range uint64(2) {
		b := make([]byte, pageSize)
		if _, err := r.ReadAt(b, int64(id)*pageSize); err != nil && !errors.Is(err, io.EOF) {
			return metaPage{}, nil, fmt.Errorf("page %d: %w", id, err)
		}
		m, err := parseMeta(b, id)
		if err != nil {
			if torn != nil {
				return metaPage{}, nil, fmt.Errorf("%w: %w, %w", errNoMeta, torn, err)
			}
			torn = err
			continue
		}
		found = append(found, m)
	}
	if len(found) == 2 && found[1].txid > found[0].txid {
		return found[1], nil, nil
	}
	return found[0], torn, nil
}

// bounds are what the branch above a page says of its keys.
type bounds struct {
	first []byte // the page's first key, exactly; nil where there is no branch above
	below []byte // all keys are less; nil for none
}

// window is a stretch of the file that has been read ahead. A record that was
// appended stands in the file nearly as it is walked, and a file of 2 GiB has
// half a million pages; a call for each would make most of the time to start.
type window struct {
	first uint64 // page with which b begins
	b     []byte
}

// windowPages is how many pages are read at once where one page has followed
// another.
const windowPages = 64

// page returns page id of a file that has the given number of pages. It is
// overwritten by a later call.
func (v *window) page(r io.ReaderAt, id, pages uint64) ([]byte, error) {
	end := v.first + uint64(len(v.b))/pageSize
	if id < v.first || id >= end {
		n := uint64(1)
		if id == end {
			n = min(windowPages, pages-id)
		}
		if uint64(cap(v.b)) < n*pageSize {
			v.b = make([]byte, n*pageSize)
		}
		v.first, v.b = id, v.b[:n*pageSize]
		if _, err := r.ReadAt(v.b, int64(id)*pageSize); err != nil {
			v.b = v.b[:0]
			return nil, err
		}
	}
	at := (id - v.first) * pageSize
	return v.b[at : at+pageSize : at+pageSize], nil
}

// page walks the page id and all below it. path are the names of the buckets
// that lead to it.
func (w *walker) page(id uint64, in bounds, path [][]byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("page %d%s: more than %d pages deep", id, bucketWords(path), maxDepth)
	}
	p, err := w.open(id)
	if err != nil {
		return w.damage(fmt.Errorf("%w%s", err, bucketWords(path)), path)
	}
	return w.elements(p, in, path, depth)
}

// page is one page and those that it runs over into. An inline page has all its
// bytes in head and no reader.
type page struct {
	r    io.ReaderAt
	id   uint64
	at   int64  // where it begins in the file
	head []byte // its first bytes
	size int64  // of the whole run
}

func (p *page) flags() uint16 { return native.Uint16(p.head[8:]) }
func (p *page) count() uint16 { return native.Uint16(p.head[10:]) }

// bytes returns n bytes from offset at, which may lie beyond the first page.
func (p *page) bytes(at, n int64) ([]byte, error) {
	if at < pageHeaderSize || n < 0 || n > p.size-at {
		return nil, fmt.Errorf("bytes %d to %d are outside", at, at+n)
	}
	if at+n <= int64(len(p.head)) {
		return p.head[at : at+n], nil
	}
	b := make([]byte, n)
	if _, err := p.r.ReadAt(b, p.at+at); err != nil {
		return nil, err
	}
	return b, nil
}

// load makes sure that all elements are in head: a page of 4096 bytes holds
// 255 of them, one that runs over may hold more.
func (p *page) load() error {
	n := pageHeaderSize + int64(p.count())*elementSize
	if n > p.size {
		return fmt.Errorf("%d elements do not fit", p.count())
	}
	if n <= int64(len(p.head)) {
		return nil
	}
	b := make([]byte, n)
	if _, err := p.r.ReadAt(b, p.at); err != nil {
		return err
	}
	p.head = b
	return nil
}

func (p *page) element(i int) []byte { return p.head[pageHeaderSize+i*elementSize:] }

// key is where the key of element i stands.
func (p *page) key(i int) (at, n int64) {
	e, base := p.element(i), pageHeaderSize+int64(i)*elementSize
	if p.flags() == branchFlag {
		return base + int64(native.Uint32(e)), int64(native.Uint32(e[4:]))
	}
	return base + int64(native.Uint32(e[4:])), int64(native.Uint32(e[8:]))
}

func (p *page) child(i int) uint64 { return native.Uint64(p.element(i)[8:]) }

// value is where the value of element i of a leaf stands.
func (p *page) value(i int) (flags uint32, at, n int64) {
	e := p.element(i)
	at, n = p.key(i)
	return native.Uint32(e), at + n, int64(native.Uint32(e[12:]))
}

// hasBuckets reports whether one of a leaf's elements is more than a value.
func (p *page) hasBuckets() bool {
	for i := range int(p.count()) {
		if pageHeaderSize+(i+1)*elementSize > len(p.head) {
			return true // most likely not; what matters is that it is looked at
		}
		if flags := native.Uint32(p.element(i)); flags != 0 {
			return true
		}
	}
	return false
}

// keys returns all keys, having checked their places and their order.
func (p *page) keys(in bounds) ([][]byte, error) {
	if f := p.flags(); f != leafFlag && f != branchFlag {
		return nil, fmt.Errorf("is of kind %#x, neither leaf nor branch", f)
	}
	if p.count() == 0 && (p.flags() == branchFlag || in.first != nil) {
		return nil, errors.New("is empty")
	}
	if err := p.load(); err != nil {
		return nil, err
	}
	keys := make([][]byte, p.count())
	for i := range keys {
		at, n := p.key(i)
		if end := pageHeaderSize + int64(p.count())*elementSize; at < end || n == 0 {
			return nil, fmt.Errorf("element %d: its key is not where keys are", i)
		}
		k, err := p.bytes(at, n)
		if err != nil {
			return nil, fmt.Errorf("element %d: key: %w", i, err)
		}
		if _, at, n := p.value(i); p.flags() == leafFlag && n > p.size-at {
			return nil, fmt.Errorf("element %d: value of %d bytes is outside", i, n)
		}
		if i > 0 && bytes.Compare(keys[i-1], k) >= 0 {
			return nil, fmt.Errorf("element %d: key %.20x is not above key %.20x", i, k, keys[i-1])
		}
		keys[i] = k
	}
	return keys, in.check(keys)
}

// check compares a page's keys with what the branch above says of them.
func (in bounds) check(keys [][]byte) error {
	if len(keys) == 0 {
		return nil
	}
	if in.first != nil && !bytes.Equal(in.first, keys[0]) {
		return fmt.Errorf("begins with key %.20x, not %.20x", keys[0], in.first)
	}
	if last := keys[len(keys)-1]; in.below != nil && bytes.Compare(last, in.below) >= 0 {
		return fmt.Errorf("ends with key %.20x, not below %.20x", last, in.below)
	}
	return nil
}
