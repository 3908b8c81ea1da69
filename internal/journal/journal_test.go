package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
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
