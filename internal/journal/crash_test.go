package journal

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// With this in its environment the test program is not one: it keeps a journal
// in the directory named, as a gateway would, until it is killed or has done.
const childEnv = "ANDON_TEST_JOURNAL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir, os.Getenv(childEnv+"_COMMITS") == "few"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child commits numbered entries, each once, and says so on stdout when it is
// sure. It follows the rule of Commit: after an error of unknown outcome it
// reopens, and the head says whether the group is there.
func child(dir string, few bool) error {
	runtime.LockOSThread() // strace counts each thread's calls by themselves
	j, err := Open(dir, options())
	if err != nil {
		return err
	}
	for n := 0; !few || n < 6; n++ {
		g := next(j.Head())
		head, err := j.Commit(g)
		if errors.Is(err, ErrUncertain) {
			fmt.Fprintln(os.Stderr, err)
			if head, err = j.Reopen(); err == nil && head.N < g.LastN {
				head, err = j.Commit(next(head))
			}
		}
		if errors.Is(err, ErrFull) {
			head, err = j.Commit(g)
		}
		if err != nil {
			return err
		}
		fmt.Println(head.N)
	}
	return j.Close()
}

// next is the group that follows head: as many inputs as the turn has it, an
// entry for each, and now and then one of everything else. It depends on head
// alone, so that it is known what must be found.
func next(head Head) Group {
	var entries []Entry
	inputs := int(head.N%4) + 1
	for n := range inputs {
		entries = append(entries, quality(head.N+uint64(n)+1))
	}
	var retired []Retired
	if head.N > 20 {
		retired = []Retired{{"quality", 1, head.N - 20}}
	}
	g := group(head, inputs, inputs*3, entries, retired)
	g.Records = append(g.Records, frame(9, make([]byte, head.N%7*900))...)
	g.Checkpoint = head.Size%3 == 0
	if head.Size%5 == 0 {
		g.Snapshot = fmt.Appendf(nil, "state after %d", g.LastN)
	}
	return g
}

// mustContinue makes sure that what child has acknowledged is there, once, and
// returns the head.
func mustContinue(t *testing.T, dir string, acknowledged uint64) Head {
	t.Helper()
	j := mustOpen(t, dir, options())
	head := j.Head()
	if head.N < acknowledged {
		t.Fatalf("input %d was acknowledged, the journal ends with %d", acknowledged, head.N)
	}
	want := j.id.empty()
	if err := j.Commits(1, func(h Header, records []byte) error {
		g := next(want)
		if string(records) != string(g.Records) || h.LastN() != g.LastN {
			return fmt.Errorf("commit %d is not what follows from the one before", h.Seq)
		}
		want = h.after(testGateway, want.Root)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	entries, err := j.Entries("quality", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(entries); n > 0 && entries[n-1].Seq != head.N {
		t.Fatalf("the last entry is %d, the last input %d", entries[n-1].Seq, head.N)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, dir)
	return head
}

// A process that keeps the journal is killed at any instant, creation included,
// again and again in the same directory.
//
//andon:req Q19
func TestKill(t *testing.T) {
	dir := t.TempDir()
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	var last Head
	for round := range rounds {
		acknowledged := killAfter(t, dir, 1+rand.IntN(12), round%3 == 0)
		head := mustContinue(t, dir, max(acknowledged, last.N))
		if last.Epoch != "" && head.Epoch != last.Epoch {
			t.Fatalf("round %d: epoch %s, was %s", round, head.Epoch, last.Epoch)
		}
		last = head
	}
	t.Logf("%d kills, %d commits, %d inputs", rounds, last.Size, last.N)
	if last.Size == 0 {
		t.Error("nothing was committed at all")
	}
}

// killAfter runs a child and kills it once it has acknowledged some commits, or
// before it can have done so.
func killAfter(t *testing.T, dir string, commits int, early bool) (acknowledged uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; n < commits && !early && lines.Scan(); n++ {
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// What it had written before it died counts as acknowledged too.
	if text := lines.Text(); text != "" {
		acknowledged = mustNumber(t, text)
	}
	for lines.Scan() {
		acknowledged = mustNumber(t, lines.Text())
	}
	var killed *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &killed) || killed.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return acknowledged
}

func mustNumber(t *testing.T, text string) (n uint64) {
	t.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatalf("the child said %q: %v", text, err)
	}
	return n
}

// The states in which a power cut can leave the file during one commit are few:
// any part of the data pages before the first flush, all of them and any part
// of the meta page before the second. Each is made, opened and read: it must be
// the record before the commit, or with it.
//
//andon:req Q19
func TestCutDuringCommit(t *testing.T) {
	dir := fastDir(t)
	o := options()
	o.Quota = 16 << 20
	j := mustOpen(t, dir, o)
	c := cuts{t: t, name: filepath.Join(dir, "cut.db"), r: rand.New(rand.NewPCG(1, 2))}
	for range 12 {
		before := c.image(j)
		g := next(j.Head())
		mustCommit(t, j, g)
		after := c.image(j)
		c.all(before, after)
	}
	t.Logf("%d states: %d with the commit, %d without", c.old+c.new, c.new, c.old)
	if c.old == 0 || c.new == 0 {
		t.Error("one of the two outcomes never came up")
	}
}

// image is a journal's file and what is read from it.
type image struct {
	b    []byte
	text string
}

type cuts struct {
	t        *testing.T
	name     string
	r        *rand.Rand
	old, new int
}

func (c *cuts) image(j *Journal) image {
	c.t.Helper()
	b := readAll(c.t, j.path)
	text, err := contentOf(&j.View)
	if err != nil {
		c.t.Fatal(err)
	}
	return image{b, text}
}

func readAll(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// all tries the states between two images.
func (c *cuts) all(before, after image) {
	c.t.Helper()
	base := append(append([]byte(nil), before.b...), make([]byte, len(after.b)-len(before.b))...)
	var data []int // pages that the commit wrote
	meta := -1
	for p := 0; p*pageSize < len(after.b); p++ {
		if string(base[p*pageSize:][:pageSize]) == string(after.b[p*pageSize:][:pageSize]) {
			continue
		}
		if p < 2 {
			meta = p
		} else {
			data = append(data, p)
		}
	}
	for range 8 { // before the first flush: whole pages, or some sectors of them
		s := append([]byte(nil), base...)
		for _, p := range data {
			c.torn(s, after.b, p, c.r.IntN(3))
		}
		c.check(s, before.text, before.text)
	}
	for _, p := range data { // ... all but the meta page
		c.torn(base, after.b, p, 2)
	}
	c.check(base, before.text, before.text)
	for _, cut := range []int{0, 16, 20, 56, 72, 80, 512, pageSize} { // before the second
		s := append([]byte(nil), base...)
		copy(s[meta*pageSize:], after.b[meta*pageSize:][:cut])
		c.check(s, before.text, after.text)
	}
}

// torn brings page p of to over from another file: not, in part, or whole.
func (c *cuts) torn(to, from []byte, p, how int) {
	for sector := p * pageSize; sector < (p+1)*pageSize; sector += 512 {
		if how == 2 || how == 1 && c.r.IntN(2) == 0 {
			copy(to[sector:sector+512], from[sector:])
		}
	}
}

// check opens one state of the file.
func (c *cuts) check(b []byte, before, after string) {
	c.t.Helper()
	if err := os.WriteFile(c.name, b, 0o600); err != nil {
		c.t.Fatal(err)
	}
	got, err := content(c.name)
	switch {
	case err != nil:
		c.t.Fatal(err)
	case got == before:
		c.old++
	case got == after:
		c.new++
	default:
		c.t.Fatalf("read\n%s\nwant\n%s\nor\n%s", got, before, after)
	}
}
