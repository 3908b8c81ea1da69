package journal

import (
	"fmt"
	"math"
	"sort"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// CommitOfSample is the sequence of the commit that holds sample i. ok is false
// when there is no such sample (yet).
func (v *View) CommitOfSample(i uint64) (seq uint64, ok bool, err error) {
	seq, ok, err = v.search(i, Header.LastI)
	if err != nil {
		return 0, false, fmt.Errorf("find sample %d: %w", i, err)
	}
	return seq, ok, nil
}

// CommitOfInput is the sequence of the commit that holds input n. ok is false
// when there is no such input (yet).
func (v *View) CommitOfInput(n uint64) (seq uint64, ok bool, err error) {
	seq, ok, err = v.search(n, Header.LastN)
	if err != nil {
		return 0, false, fmt.Errorf("find input %d: %w", n, err)
	}
	return seq, ok, nil
}

// search finds the first commit whose last is at least want.
func (v *View) search(want uint64, last func(Header) uint64) (seq uint64, ok bool, err error) {
	if want == 0 {
		return 0, false, nil
	}
	err = v.read(func(tx *bolt.Tx, head Head) error {
		var found error
		n := sort.Search(int(head.Size), func(at int) bool {
			h, err := headerOf(tx, uint64(at)+1)
			if err != nil {
				found = err
			}
			return err != nil || last(h) >= want
		})
		seq, ok = uint64(n)+1, n < int(head.Size)
		return found
	})
	return seq, ok && err == nil, err
}

// Between calls fn, in order, with each commit that holds a sample whose source
// time may lie in from..to (both included, ns), until the head as it was when
// the call began. Late samples stand in later commits and are found too; the
// caller picks the samples out of the records.
//
// The first call reads all headers once and keeps two numbers for every 64 of
// them; later calls read the headers that have come since.
func (v *View) Between(from, to int64, fn func(h Header, records []byte) error) error {
	last := uint64(v.Head().Size)
	if err := v.indexTimes(last); err != nil {
		return fmt.Errorf("read the record by time: %w", err)
	}
	for seq := uint64(1); seq <= last; seq += spanCommits {
		if !v.times.meets(seq, from, to) {
			continue
		}
		if err := v.span(seq, min(seq+spanCommits-1, last), from, to, fn); err != nil {
			return err
		}
	}
	return nil
}

// span looks at the commits first..last one by one.
func (v *View) span(first, last uint64, from, to int64, fn func(Header, []byte) error) error {
	headers, err := v.headers(first, last)
	if err != nil {
		return fmt.Errorf("read the record by time: %w", err)
	}
	for _, h := range headers {
		if h.Samples == 0 || h.From > to || h.To < from {
			continue
		}
		page, err := v.page(h.Seq, h.Seq)
		if err != nil {
			return fmt.Errorf("read the record by time: %w", err)
		}
		if err := fn(page[0].h, page[0].records); err != nil {
			return err
		}
	}
	return nil
}

// headers reads the headers of a few commits.
func (v *View) headers(first, last uint64) (headers []Header, err error) {
	err = v.read(func(tx *bolt.Tx, _ Head) error {
		for seq := first; seq <= last; seq++ {
			h, err := headerOf(tx, seq)
			if err != nil {
				return err
			}
			headers = append(headers, h)
		}
		return nil
	})
	return headers, err
}

// spanCommits is how many commits share an entry of the time index.
const spanCommits = 64

// timeIndex holds, for every 64 commits, the least and greatest source time in
// them. Source times do not rise with the sequence (sources differ, samples come
// late, a PLC's clock can be years off), so a search for the first commit would
// be wrong; a list that is looked through from end to end cannot be.
type timeIndex struct {
	mu    sync.Mutex
	spans []span
	size  uint64 // commits taken in; spans are in order
}

type span struct{ from, to int64 }

func (t *timeIndex) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spans, t.size = nil, 0
}

// meets reports whether the 64 commits that begin with seq may hold a sample
// between from and to.
func (t *timeIndex) meets(seq uint64, from, to int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := (seq - 1) / spanCommits
	if at >= uint64(len(t.spans)) {
		return true // reopened in the meantime: look and see
	}
	return t.spans[at].from <= to && t.spans[at].to >= from
}

// add takes in the next commit.
func (t *timeIndex) add(h Header) {
	if h.Seq != t.size+1 {
		return // another reader was faster
	}
	t.size = h.Seq
	if (h.Seq-1)%spanCommits == 0 {
		t.spans = append(t.spans, span{math.MaxInt64, math.MinInt64})
	}
	if h.Samples > 0 {
		s := &t.spans[len(t.spans)-1]
		s.from, s.to = min(s.from, h.From), max(s.to, h.To)
	}
}

// indexTimes takes in all commits up to last, a few at a time so that no reader
// is long.
func (v *View) indexTimes(last uint64) error {
	for {
		v.times.mu.Lock()
		size := v.times.size
		v.times.mu.Unlock()
		if size >= last {
			return nil
		}
		headers, err := v.headers(size+1, min(size+4*spanCommits, last))
		if err != nil {
			return err
		}
		v.times.mu.Lock()
		for _, h := range headers {
			v.times.add(h)
		}
		v.times.mu.Unlock()
	}
}
