package journal

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func TestCheckpoint(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	j := mustOpen(t, dir, options())
	for size, want := range map[int64]int64{0: 0, 1: 0, 2: 2, 3: 2, 4: 4, 5: 4, -1: 4} {
		msg, err := j.CheckpointAt(size)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ParseCheckpoint(msg, j.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		root, err := Root2(j, want)
		if err != nil || c.Size != want || c.Root != root || c.Epoch != j.Head().Epoch {
			t.Errorf("checkpoint at %d is %+v, want size %d and root %s (%v)", size, c, want, root, err)
		}
	}
	msg, err := j.SignNow(testAt + 1)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := ParseCheckpoint(msg, j.PublicKey()); err != nil || c.Size != 5 || c.Root != j.Head().Root || c.At != testAt+1 {
		t.Errorf("signed now: %+v, %v", c, err)
	}
	_, other, err := note.GenerateKey(nil, testGateway)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCheckpoint(msg, other); err == nil {
		t.Error("a checkpoint of another key was accepted")
	}
}

// Root2 computes the root from the headers alone, by the definition of RFC 6962
// and not by what is stored.
func Root2(j *Journal, size int64) (tlog.Hash, error) {
	var leaves []tlog.Hash
	err := j.Commits(1, func(h Header, _ []byte) error {
		if int64(h.Seq) <= size {
			leaves = append(leaves, h.Leaf())
		}
		return nil
	})
	return merkle(leaves), err
}

func merkle(leaves []tlog.Hash) tlog.Hash {
	switch len(leaves) {
	case 0:
		return Identity{}.empty().Root
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(merkle(leaves[:k]), merkle(leaves[k:]))
}

func TestProofs(t *testing.T) {
	j := mustOpen(t, t.TempDir(), options())
	var roots []tlog.Hash
	for range 70 {
		roots = append(roots, mustCommit(t, j, group(j.Head(), 1, 0, nil, nil)).Root)
	}
	for size := int64(1); size <= 70; size++ {
		root, err := j.Root(size)
		if want, werr := Root2(j, size); err != nil || werr != nil || root != want || root != roots[size-1] {
			t.Fatalf("root at %d: %s (%v), want %s (%v), was %s", size, root, err, want, werr, roots[size-1])
		}
	}
	h, err := j.headers(33, 33)
	if err != nil {
		t.Fatal(err)
	}
	p, err := tlog.ProveRecord(70, 32, j)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckRecord(p, 70, roots[69], 32, h[0].Leaf()); err != nil {
		t.Error(err)
	}
	tp, err := tlog.ProveTree(70, 41, j)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckTree(tp, 70, roots[69], 41, roots[40]); err != nil {
		t.Error(err)
	}
	if _, err := j.Root(71); err == nil {
		t.Error("a root beyond the head was given")
	}
}

// What bbolt shows before its last flush is not shown to anybody: the head in
// memory is moved only when Commit returns.
func TestNothingIsReadAheadOfTheHead(t *testing.T) {
	j := mustOpen(t, t.TempDir(), options())
	g := group(j.Head(), 2, 2, []Entry{quality(1)}, nil)
	g.Snapshot, g.Checkpoint = []byte("first"), true
	before := mustCommit(t, j, g)
	want, err := contentOf(&j.View)
	if err != nil {
		t.Fatal(err)
	}
	g = group(before, 2, 2, []Entry{quality(2)}, nil)
	g.Snapshot, g.Checkpoint = []byte("second"), true
	after := mustCommit(t, j, g)

	j.head.Store(&before) // as it is while the second commit is being flushed
	got, err := contentOf(&j.View)
	if err != nil || got != want {
		t.Errorf("while a commit is in flight: %v\n%s\nwant\n%s", err, got, want)
	}
	if _, ok, err := j.CommitOfSample(4); ok || err != nil {
		t.Errorf("sample 4 was found before it is durable: %t, %v", ok, err)
	}
	j.head.Store(&after)
	if _, ok, err := j.CommitOfSample(4); !ok || err != nil {
		t.Errorf("sample 4 was not found: %t, %v", ok, err)
	}
}

func TestFindSamplesAndInputs(t *testing.T) {
	j := mustOpen(t, t.TempDir(), options())
	var ofSample, ofInput []uint64 // by number
	for i := range 300 {
		g := group(j.Head(), i%3, i%3*(i%4), nil, nil)
		g.Checkpoint = i%3 == 0 // else it would be empty
		head := mustCommit(t, j, g)
		for range i % 3 {
			ofInput = append(ofInput, uint64(head.Size))
		}
		for range g.Samples {
			ofSample = append(ofSample, uint64(head.Size))
		}
	}
	for i, want := range ofSample {
		if seq, ok, err := j.CommitOfSample(uint64(i) + 1); seq != want || !ok || err != nil {
			t.Fatalf("sample %d: commit %d, %t, %v; want %d", i+1, seq, ok, err, want)
		}
	}
	for n, want := range ofInput {
		if seq, ok, err := j.CommitOfInput(uint64(n) + 1); seq != want || !ok || err != nil {
			t.Fatalf("input %d: commit %d, %t, %v; want %d", n+1, seq, ok, err, want)
		}
	}
	for _, i := range []uint64{0, uint64(len(ofSample)) + 1, 1 << 63} {
		if _, ok, err := j.CommitOfSample(i); ok || err != nil {
			t.Errorf("sample %d: %t, %v; there is none", i, ok, err)
		}
	}
}

func TestBetween(t *testing.T) {
	j := mustOpen(t, t.TempDir(), options())
	type times struct{ from, to int64 }
	all := []times{}
	for i := range 400 {
		g := group(j.Head(), 1, 2, nil, nil)
		at := testAt + int64(i)*1e9
		g.From, g.To = at, at+1e9
		switch {
		case i == 77:
			g.From, g.To = 1e9, 2e9 // a PLC whose clock has stopped in 1970
		case i%50 == 49:
			g.From -= 40e9 // late samples
		case i == 200:
			g.To += 1e18 // a PLC that is 30 years ahead
		}
		mustCommit(t, j, g)
		all = append(all, times{g.From, g.To})
		if i%90 == 0 { // the index is made while the record grows
			if err := j.Between(0, 1, func(Header, []byte) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, want := range []times{{testAt, testAt}, {testAt + 30e9, testAt + 31e9}, {testAt + 399e9, testAt + 500e9}, {0, 1e10}, {testAt + 1e17, testAt + 2e17}, {5e18, 6e18}, {2, 1}} {
		var got, expected []uint64
		for i, a := range all {
			if a.from <= want.to && a.to >= want.from {
				expected = append(expected, uint64(i)+1)
			}
		}
		if err := j.Between(want.from, want.to, func(h Header, records []byte) error {
			got = append(got, h.Seq)
			return checkFrames(records)
		}); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(expected) {
			t.Errorf("between %d and %d: %v, want %v", want.from, want.to, got, expected)
		}
	}
}

func TestCallerEndsReading(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	j := mustOpen(t, dir, options())
	enough := errors.New("enough")
	stop := func(Header, []byte) error { return enough }
	if err := j.Commits(1, stop); !errors.Is(err, enough) {
		t.Errorf("Commits: %v", err)
	}
	if err := j.Between(0, 1<<62, stop); !errors.Is(err, enough) {
		t.Errorf("Between: %v", err)
	}
	// A reader may commit and close while it reads: it holds no transaction.
	if err := j.Commits(1, func(h Header, _ []byte) error {
		mustCommit(t, j, group(j.Head(), 1, 0, nil, nil))
		return nil
	}); err != nil || j.Head().Size != 10 {
		t.Errorf("committing while reading: %v, %d commits", err, j.Head().Size)
	}
	if err := j.Commits(1, func(h Header, _ []byte) error { return j.Close() }); err != nil {
		t.Errorf("closing while reading: %v", err)
	}
	if _, err := j.Commit(group(j.Head(), 1, 0, nil, nil)); !errors.Is(err, ErrClosed) {
		t.Errorf("Commit after Close: %v", err)
	}
	if _, err := j.Reopen(); !errors.Is(err, ErrClosed) {
		t.Errorf("Reopen after Close: %v", err)
	}
	if err := j.Commits(1, stop); !errors.Is(err, ErrClosed) {
		t.Errorf("Commits after Close: %v", err)
	}
}
