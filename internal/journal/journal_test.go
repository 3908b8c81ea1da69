package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	testGateway = "line2-ipc1"
	testAt      = int64(1767225600e9) // 2026-01-01T00:00:00Z
)

func options() Options { return Options{Gateway: testGateway, At: testAt} }

// mustOpen opens a journal that is closed when the test ends.
func mustOpen(tb testing.TB, dir string, o Options) *Journal {
	tb.Helper()
	j, err := Open(dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Error(err)
		}
	})
	return j
}

// The records of the tests: kind 1 puts an entry, kind 2 retires a range, any
// other kind is an input.
func frame(kind byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(body))), body...)
}

func entryFrame(e Entry) []byte {
	b := append([]byte(e.Lane), 0)
	b = append(binary.BigEndian.AppendUint64(b, e.Seq), e.Topic...)
	return frame(1, append(append(b, 0), e.Payload...))
}

func retiredFrame(r Retired) []byte {
	b := append([]byte(r.Lane), 0)
	return frame(2, binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, r.First), r.Last))
}

// changes reads back what entryFrame and retiredFrame wrote.
func changes(_ Header, records []byte) (entries []Entry, retired []Retired, err error) {
	for rest := records; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		kind, body := rest[0], rest[1+n:1+n+int(size)]
		rest = rest[1+n+int(size):]
		if kind > 2 {
			continue
		}
		lane, body, _ := bytes.Cut(body, []byte{0})
		first := binary.BigEndian.Uint64(body)
		if kind == 2 {
			retired = append(retired, Retired{string(lane), first, binary.BigEndian.Uint64(body[8:])})
			continue
		}
		topic, payload, _ := bytes.Cut(body[8:], []byte{0})
		entries = append(entries, Entry{string(lane), first, string(topic), payload})
	}
	return entries, retired, nil
}

// group is what follows head: inputs with samples, and what goes to the outbox.
func group(head Head, inputs, samples int, entries []Entry, retired []Retired) Group {
	g := Group{At: head.At + 250e6, Entries: entries, Retired: retired}
	for n := range inputs {
		g.Records = append(g.Records, frame(3, fmt.Appendf(nil, "input %d", head.N+uint64(n)+1))...)
	}
	if inputs > 0 {
		g.FirstN, g.LastN = head.N+1, head.N+uint64(inputs)
	}
	if samples > 0 {
		g.FirstI, g.Samples = head.I+1, uint64(samples)
		g.From = testAt + int64(head.I)*1e9
		g.To = g.From + int64(samples-1)*1e9
	}
	for _, e := range entries {
		g.Records = append(g.Records, entryFrame(e)...)
	}
	for _, r := range retired {
		g.Records = append(g.Records, retiredFrame(r)...)
	}
	return g
}

func quality(seq uint64) Entry {
	return Entry{"quality", seq, "quality/deviation", fmt.Appendf(nil, `{"event":%d}`, seq)}
}

func mustCommit(tb testing.TB, j *Journal, g Group) Head {
	tb.Helper()
	head, err := j.Commit(g)
	if err != nil {
		tb.Fatal(err)
	}
	if head != j.Head() {
		tb.Fatalf("Commit returned %+v, Head is %+v", head, j.Head())
	}
	return head
}

// mustVerify fails the test unless the journal is as it was written.
func mustVerify(tb testing.TB, path string) Report {
	tb.Helper()
	r, err := Verify(path, VerifyOptions{Changes: changes})
	if err != nil {
		tb.Fatal(err)
	}
	if !r.OK {
		tb.Fatalf("verify: %+v", r.Problems)
	}
	return r
}

// small writes a journal in which there is something of everything.
func small(tb testing.TB, dir string) Head {
	tb.Helper()
	j, err := Open(dir, options())
	if err != nil {
		tb.Fatal(err)
	}
	mustCommit(tb, j, group(j.Head(), 3, 10, []Entry{quality(1), quality(2)}, nil))
	g := group(j.Head(), 1, 0, []Entry{{"event", 1, "event/alarm", []byte(`{"alarm":1}`)}}, nil)
	g.Checkpoint = true
	mustCommit(tb, j, g)
	g = group(j.Head(), 40, 80, nil, []Retired{{"quality", 1, 1}})
	g.Records = append(g.Records, frame(9, bytes.Repeat([]byte("large "), 400))...)
	g.Snapshot = []byte("the state after 44")
	mustCommit(tb, j, g)
	g = group(j.Head(), 1, 1, []Entry{quality(3)}, nil)
	g.Checkpoint, g.Snapshot = true, []byte("the state after 45")
	mustCommit(tb, j, g)
	head := mustCommit(tb, j, group(j.Head(), 2, 5, nil, nil))
	if err := j.Close(); err != nil {
		tb.Fatal(err)
	}
	return head
}

// content is all that can be read from a journal, as text, or the error met.
func content(path string) (string, error) {
	v, err := OpenView(path)
	if err != nil {
		return "", err
	}
	text, err := contentOf(v)
	return text, errors.Join(err, v.Close())
}

func contentOf(v *View) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\n%+v\n", v.Identity(), v.Head())
	err := v.Commits(1, func(h Header, records []byte) error {
		fmt.Fprintf(&b, "%+v %x\n", h, records)
		msg, err := v.CheckpointAt(int64(h.Seq))
		fmt.Fprintf(&b, "%s", msg)
		return err
	})
	if err != nil {
		return "", err
	}
	for _, lane := range []string{"event", "quality", "record"} {
		entries, err := v.Entries(lane, 0, 1000)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%v\n", entries)
	}
	state, after, ok, err := v.Snapshot()
	if err != nil {
		return "", err
	}
	msg, err := v.Checkpoint()
	fmt.Fprintf(&b, "%q %d %t\n%s", state, after, ok, msg)
	return b.String(), err
}

func TestCommitAndRead(t *testing.T) {
	dir := t.TempDir()
	want := small(t, dir)
	j := mustOpen(t, dir, options())
	if got := j.Head(); got != want || got.Size != 5 || got.N != 47 || got.I != 96 {
		t.Fatalf("head %+v, want %+v with 5 commits, 47 inputs, 96 samples", got, want)
	}
	var seqs []uint64
	if err := j.Commits(2, func(h Header, records []byte) error {
		seqs = append(seqs, h.Seq)
		return checkFrames(records)
	}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(seqs); got != "[2 3 4 5]" {
		t.Errorf("commits from 2: %s", got)
	}
	entries, err := j.Entries("quality", 1, 10)
	if err != nil || len(entries) != 2 || entries[0].Seq != 2 || string(entries[1].Payload) != `{"event":3}` {
		t.Errorf("outbox %v, %v; want entries 2 and 3", entries, err)
	}
	state, after, ok, err := j.Snapshot()
	if string(state) != "the state after 45" || after != 4 || !ok || err != nil {
		t.Errorf("snapshot %q after %d, %t, %v", state, after, ok, err)
	}
}

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

func TestOpenErrors(t *testing.T) {
	made := func(t *testing.T) string {
		dir := t.TempDir()
		small(t, dir)
		return dir
	}
	write := func(t *testing.T, dir, name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name    string
		dir     func(t *testing.T) string
		options Options
		want    error
		words   string
	}{
		{"another gateway", made, Options{Gateway: "line3", At: testAt}, ErrKey, `key of "line2-ipc1", this is gateway "line3"`},
		{"another file", func(t *testing.T) string {
			dir := made(t)
			write(t, dir, File, strings.Repeat("PostgreSQL dump\n", 1000))
			return dir
		}, options(), ErrForeign, "not a bbolt file"},
		{"an empty file", func(t *testing.T) string {
			dir := made(t)
			write(t, dir, File, "")
			return dir
		}, options(), ErrDamaged, "no valid page"},
		{"a text in place of the key", func(t *testing.T) string {
			dir := made(t)
			write(t, dir, KeyFile, "secret\n")
			return dir
		}, options(), ErrKey, "malformed"},
		{"no key", func(t *testing.T) string {
			dir := made(t)
			if err := os.Remove(filepath.Join(dir, KeyFile)); err != nil {
				t.Fatal(err)
			}
			return dir
		}, options(), ErrKey, "put the key back"},
		{"a new key", func(t *testing.T) string {
			dir := made(t)
			if _, err := makeKey(dir, options()); err != nil {
				t.Fatal(err)
			}
			return dir
		}, options(), ErrKey, "the journal was begun with"},
		{"a file for a directory", func(t *testing.T) string {
			dir := made(t)
			return filepath.Join(dir, File)
		}, options(), nil, "data.dir"},
		{"no gateway", made, Options{}, nil, "gateway id"},
		{"a small quota", made, Options{Gateway: testGateway, Quota: 1}, nil, "quota"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tt.dir(t)
			before := listing(t, filepath.Dir(dir))
			j, err := Open(dir, tt.options)
			if err == nil {
				t.Fatal("opened", j.Close())
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want one that is %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.words) {
				t.Errorf("%v does not say %q", err, tt.words)
			}
			if after := listing(t, filepath.Dir(dir)); after != before {
				t.Errorf("files before\n%safter\n%s", before, after)
			}
		})
	}
}

// listing is what stands below a directory, with sizes, the lock aside.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == lockName {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(&b, path, info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSecondOpener(t *testing.T) {
	dir := t.TempDir()
	small(t, dir)
	j := mustOpen(t, dir, options())
	_, err := Open(dir, options())
	if want := fmt.Sprintf("process %d", os.Getpid()); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Open: %v, want ErrLocked with %q and the directory", err, want)
	}
	if _, err := OpenView(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("OpenView beside the owner: %v, want ErrLocked", err)
	}
	if _, err := Verify(dir, VerifyOptions{}); !errors.Is(err, ErrLocked) {
		t.Errorf("Verify beside the owner: %v, want ErrLocked", err)
	}
	if _, err := SetAside(dir, testAt); !errors.Is(err, ErrLocked) {
		t.Errorf("SetAside beside the owner: %v, want ErrLocked", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := OpenView(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, options()); !errors.Is(err, ErrLocked) {
		t.Errorf("Open beside a reader: %v, want ErrLocked", err)
	}
	mustVerify(t, dir) // readers do not keep one another out
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir, options())
}

func TestSetAside(t *testing.T) {
	dir := t.TempDir()
	old := small(t, dir)
	first, err := SetAside(dir, testAt)
	if err != nil {
		t.Fatal(err)
	}
	j := mustOpen(t, dir, options())
	if j.Head().Size != 0 || j.Head().Epoch == old.Epoch {
		t.Errorf("after setting aside: %+v, want an empty journal of a new epoch", j.Head())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := SetAside(dir, testAt)
	if err != nil || second == first {
		t.Errorf("set aside twice: %s and %s, %v", first, second, err)
	}
	if r := mustVerify(t, first); r.Size != old.Size || r.Root != old.Root {
		t.Errorf("in quarantine: %+v, was %+v", r, old)
	}
}

func TestCreationCutShort(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{File + ".new", KeyFile + ".new"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half of it"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := mustOpen(t, dir, options())
	mustCommit(t, j, group(j.Head(), 1, 1, nil, nil))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, dir)
	info, err := os.Stat(filepath.Join(dir, KeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("gateway.key: mode %v, %v", info.Mode(), err)
	}
}

func TestGroupRefused(t *testing.T) {
	j := mustOpen(t, t.TempDir(), options())
	mustCommit(t, j, group(j.Head(), 2, 2, nil, nil))
	ok := group(j.Head(), 2, 2, []Entry{quality(1)}, nil)
	tests := []struct {
		name  string
		alter func(g *Group)
	}{
		{"nothing", func(g *Group) { *g = Group{At: 1} }},
		{"inputs left out", func(g *Group) { g.FirstN++ }},
		{"inputs again", func(g *Group) { g.FirstN-- }},
		{"inputs backwards", func(g *Group) { g.LastN = g.FirstN - 1 }},
		{"inputs without a first", func(g *Group) { g.FirstN = 0 }},
		{"samples left out", func(g *Group) { g.FirstI++ }},
		{"a first sample without samples", func(g *Group) { g.Samples = 0 }},
		{"times backwards", func(g *Group) { g.From, g.To = g.To, g.From }},
		{"times without samples", func(g *Group) { g.FirstI, g.Samples = 0, 0 }},
		{"a cut frame", func(g *Group) { g.Records = g.Records[:len(g.Records)-1] }},
		{"a frame without a length", func(g *Group) { g.Records = []byte{3} }},
		{"a lane that is no name", func(g *Group) { g.Entries[0].Lane = "../x" }},
		{"an entry without a number", func(g *Group) { g.Entries[0].Seq = 0 }},
		{"an entry without a topic", func(g *Group) { g.Entries[0].Topic = "" }},
		{"a range backwards", func(g *Group) { g.Retired = []Retired{{"quality", 2, 1}} }},
		{"an entry without a record", func(g *Group) { g.Records, g.FirstN, g.LastN = nil, 0, 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, before := ok, j.Head()
			g.Entries = bytesClone(ok.Entries)
			tt.alter(&g)
			if head, err := j.Commit(g); !errors.Is(err, ErrGroup) || head != before || j.Head() != before {
				t.Errorf("got %+v, %v; want ErrGroup and the head as it was", head, err)
			}
		})
	}
	mustCommit(t, j, ok)
}

func bytesClone(e []Entry) []Entry { return append([]Entry(nil), e...) }

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
	if err := j.Commits(1, stop); err != enough {
		t.Errorf("Commits: %v", err)
	}
	if err := j.Between(0, 1<<62, stop); err != enough {
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
