package panel

import (
	"fmt"
	"net/http"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// wood is a tree in memory.
type wood struct {
	hashes []tlog.Hash
	size   int64
}

func (w *wood) Size() int64 { return w.size }

func (w *wood) ReadHashes(indexes []int64) (list []tlog.Hash, err error) {
	for _, i := range indexes {
		if i >= int64(len(w.hashes)) {
			return nil, fmt.Errorf("hash %d is missing", i)
		}
		list = append(list, w.hashes[i])
	}
	return list, nil
}

func (w *wood) grow(t *testing.T) {
	t.Helper()
	more, err := tlog.StoredHashes(w.size, fmt.Appendf(nil, "commit %d", w.size+1), w)
	if err != nil {
		t.Fatal(err)
	}
	w.hashes, w.size = append(w.hashes, more...), w.size+1
}

func parse(t *testing.T, texts ...string) (list []tlog.Hash) {
	t.Helper()
	for _, s := range texts {
		h, err := tlog.ParseHash(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, h)
	}
	return list
}

// TestProofs: every leaf of every tree, and every beginning of it, is proved in a
// way that the checker of the log's own library believes, and believes of no
// other leaf or root.
func TestProofs(t *testing.T) {
	s := newStand(t, nil)
	w := &wood{}
	s.gateway.tree = w
	for range 6 {
		w.grow(t)
	}
	for size := int64(1); size <= w.size; size++ {
		root, err := tlog.TreeHash(size, w)
		if err != nil {
			t.Fatal(err)
		}
		for n := range size {
			var a proofAnswer
			s.fetch(t, fmt.Sprintf("journal/proof?size=%d&leaf=%d", size, n), &a)
			leaf, path := tlog.RecordHash(fmt.Appendf(nil, "commit %d", n+1)), parse(t, a.Proof...)
			if err := tlog.CheckRecord(path, size, root, n, leaf); err != nil || a.Root != root.String() || a.LeafHash != leaf.String() || *a.Leaf != n {
				t.Errorf("leaf %d of %d: %+v, %v", n, size, a, err)
			}
			if tlog.CheckRecord(path, size, root, n, tlog.RecordHash([]byte("forged"))) == nil {
				t.Errorf("leaf %d of %d: a forged commit is proved too", n, size)
			}
			var b proofAnswer
			s.fetch(t, fmt.Sprintf("journal/proof?size=%d&old=%d", size, n+1), &b)
			if err := tlog.CheckTree(parse(t, b.Proof...), size, root, n+1, parse(t, b.OldRoot)[0]); err != nil || b.Root != root.String() {
				t.Errorf("old %d of %d: %+v, %v", n+1, size, b, err)
			}
		}
	}
	var a proofAnswer
	if s.fetch(t, "journal/proof?leaf=0", &a); a.Size != w.size {
		t.Errorf("as it stands: size %d, want %d", a.Size, w.size)
	}
}

// TestProofRefused: nothing is proved of what is not there, nor when the tree is
// damaged.
func TestProofRefused(t *testing.T) {
	s := newStand(t, nil)
	w := &wood{}
	s.gateway.tree = w
	for range 5 {
		w.grow(t)
	}
	for _, query := range []string{"", "size=5", "leaf=5", "leaf=0&old=1", "size=6&leaf=0", "size=3&leaf=3", "size=3&old=4", "leaf=-2", "size=9223372036854775807&leaf=1", "leaf=x"} {
		if resp, body := s.ask(t, "GET", "/api/v1/journal/proof?"+query, ""); resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%q: %s %s", query, resp.Status, body)
		}
	}
	w.hashes = w.hashes[:3]
	for _, query := range []string{"leaf=4", "old=4"} {
		if resp, body := s.ask(t, "GET", "/api/v1/journal/proof?"+query, ""); resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("damaged, %q: %s %s", query, resp.Status, body)
		}
	}
}
