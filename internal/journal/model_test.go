package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is a journal as a plain value: what must be read back at any time.
type model struct {
	groups   []Group
	outbox   map[string]map[uint64]Entry
	next     map[string]uint64
	snapshot []byte
	after    uint64
	signed   int64
	head     Head
}

// machine holds a journal against the model.
type machine struct {
	model
	dir string
	o   Options
	j   *Journal
}

func (m *machine) open(t *rapid.T) {
	j, err := Open(m.dir, m.o)
	if err != nil {
		t.Fatal(err)
	}
	m.j = j
}

// commit draws a group, commits it and takes it into the model.
func (m *machine) commit(t *rapid.T) {
	var entries []Entry
	var retired []Retired
	for _, lane := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"quality", "event", "record"}), 0, 3, rapid.ID).Draw(t, "lanes") {
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			m.next[lane]++
			entries = append(entries, Entry{lane, m.next[lane], lane + "/x", slices.Repeat([]byte("payload "), rapid.IntRange(0, 300).Draw(t, "size"))})
		}
		if n := m.next[lane]; n > 0 && rapid.Bool().Draw(t, "retire") {
			first := rapid.Uint64Range(1, n).Draw(t, "first")
			retired = append(retired, Retired{lane, first, rapid.Uint64Range(first, n+3).Draw(t, "last")})
		}
		if n := m.next[lane]; n > 1 && rapid.Bool().Draw(t, "tombstone") {
			entries = append(entries, Entry{lane, rapid.Uint64Range(1, n).Draw(t, "rejected"), lane + "/withheld", []byte("{}")})
		}
	}
	inputs := rapid.IntRange(1, 30).Draw(t, "inputs")
	g := group(m.head, inputs, rapid.IntRange(0, 50).Draw(t, "samples"), entries, retired)
	g.Records = append(g.Records, frame(9, make([]byte, rapid.SampledFrom([]int{0, 10, 800, 4000, 30000}).Draw(t, "more")))...)
	if rapid.IntRange(0, 3).Draw(t, "save") == 0 {
		g.Snapshot = fmt.Appendf(nil, "%*d", rapid.SampledFrom([]int{1, 5000}).Draw(t, "state"), g.LastN)
	}
	g.Checkpoint = rapid.Bool().Draw(t, "sign")
	head, err := m.j.Commit(g)
	if err != nil {
		t.Fatal(err)
	}
	m.take(g, head)
}

func (m *machine) take(g Group, head Head) {
	m.groups, m.head = append(m.groups, g), head
	for _, e := range g.Entries {
		if m.outbox[e.Lane] == nil {
			m.outbox[e.Lane] = make(map[uint64]Entry)
		}
		m.outbox[e.Lane][e.Seq] = e
	}
	for _, r := range g.Retired {
		for seq := r.First; seq <= r.Last; seq++ {
			delete(m.outbox[r.Lane], seq)
		}
	}
	if g.Snapshot != nil {
		m.snapshot, m.after = g.Snapshot, uint64(head.Size)
	}
	if g.Checkpoint {
		m.signed = head.Size
	}
}

// check reads everything back.
func (m *machine) check(t *rapid.T, v *View) {
	if v.Head() != m.head {
		t.Fatalf("head %+v, want %+v", v.Head(), m.head)
	}
	n := 0
	err := v.Commits(1, func(h Header, records []byte) error {
		g := m.groups[n]
		if string(records) != string(g.Records) || h.At != g.At || h.Samples != g.Samples || h.From != g.From || h.To != g.To || h.LastN() != g.LastN {
			return fmt.Errorf("commit %d is %+v, want %+v", h.Seq, h, g)
		}
		n++
		return nil
	})
	if err != nil || n != len(m.groups) {
		t.Fatalf("%d commits read of %d: %v", n, len(m.groups), err)
	}
	for lane, want := range m.outbox {
		m.checkLane(t, v, lane, want)
	}
	state, after, ok, err := v.Snapshot()
	if err != nil || ok != (m.snapshot != nil) || string(state) != string(m.snapshot) || after != m.after {
		t.Fatalf("snapshot %q after %d, %t, %v; want %q after %d", state, after, ok, err, m.snapshot, m.after)
	}
	m.checkCheckpoint(t, v)
}

func (m *machine) checkLane(t *rapid.T, v *View, lane string, want map[uint64]Entry) {
	var got []Entry
	for from := uint64(0); ; {
		page, err := v.Entries(lane, from, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		from = page[len(page)-1].Seq + 1
	}
	if len(got) != len(want) || !slices.IsSortedFunc(got, func(a, b Entry) int { return int(a.Seq) - int(b.Seq) }) {
		t.Fatalf("lane %s: %d entries, want %d in order", lane, len(got), len(want))
	}
	for _, e := range got {
		if w := want[e.Seq]; e.Topic != w.Topic || string(e.Payload) != string(w.Payload) {
			t.Fatalf("entry %s/%d is %v, want %v", lane, e.Seq, e, w)
		}
	}
}

func (m *machine) checkCheckpoint(t *rapid.T, v *View) {
	msg, err := v.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCheckpoint(msg, v.Identity().Key)
	if err != nil || c.Size != m.signed {
		t.Fatalf("checkpoint %+v, %v; want one of size %d", c, err, m.signed)
	}
	if root, err := v.Root(c.Size); err != nil || root != c.Root {
		t.Fatalf("checkpoint of root %s, the tree has %s (%v)", c.Root, root, err)
	}
}

// copyOf is the file as it would be found after a kill at this instant.
func (m *machine) copyOf(t *rapid.T) string {
	b, err := readUsed(filepath.Join(m.dir, File))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(m.dir, "killed.db")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// verify holds a copy of the file against the model, by way of Verify too.
func (m *machine) verify(t *rapid.T) {
	name := m.copyOf(t)
	r, err := Verify(name, VerifyOptions{Changes: changes, Key: m.j.PublicKey()})
	if err != nil || !r.OK || r.Size != m.head.Size || r.Root != m.head.Root || r.Signed != m.signed {
		t.Fatalf("verify: %+v, %v; want the head %+v", r, err, m.head)
	}
	v, err := OpenView(name)
	if err != nil {
		t.Fatal(err)
	}
	m.check(t, v)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestModel(t *testing.T) {
	dir := fastDir(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		m := &machine{dir: filepath.Join(dir, fmt.Sprint(run)), o: options()}
		m.o.Quota = 32 << 20 // so that the file grows in small steps
		m.outbox, m.next = make(map[string]map[uint64]Entry), make(map[string]uint64)
		m.open(t)
		defer func() {
			if err := m.j.Close(); err != nil {
				t.Error(err)
			}
			if err := os.RemoveAll(m.dir); err != nil {
				t.Error(err)
			}
		}()
		m.head = m.j.Head()
		t.Repeat(map[string]func(*rapid.T){
			"commit":  m.commit,
			"commit2": m.commit, // more often than the rest
			"verify":  m.verify,
			"close": func(t *rapid.T) {
				if err := m.j.Close(); err != nil {
					t.Fatal(err)
				}
				m.open(t)
			},
			"reopen": func(t *rapid.T) {
				if head, err := m.j.Reopen(); err != nil || head != m.head {
					t.Fatalf("reopen: %+v, %v; want %+v", head, err, m.head)
				}
			},
			"sign": func(t *rapid.T) {
				if _, err := m.j.SignNow(m.head.At); err != nil {
					t.Fatal(err)
				}
				m.signed = m.head.Size
			},
			"": func(t *rapid.T) { m.check(t, &m.j.View) },
		})
	})
}
