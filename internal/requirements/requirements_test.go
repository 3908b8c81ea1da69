package requirements

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"andon/internal/peer"
)

var update = flag.Bool("update", false, "write docs/requirements.md")

// requirement is one line of the list.
type requirement struct {
	id, state, text, missing string
	heading                  string // of the group that it begins, "" within one
}

// requirements reads the list and checks its form.
func requirements(t *testing.T) []requirement {
	t.Helper()
	b, err := os.ReadFile("testdata/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []requirement
	heading := ""
	_, body, _ := strings.Cut(string(b), "\n\n")
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "# "); ok {
			heading = text
			continue
		}
		if line == "" {
			continue
		}
		f := strings.Split(line+" ", "|")
		if len(f) != 4 {
			t.Fatalf("%q: want four columns", line)
		}
		r := requirement{strings.TrimSpace(f[0]), strings.TrimSpace(f[1]), strings.TrimSpace(f[2]), strings.TrimSpace(f[3]), heading}
		heading = ""
		if want := "Q" + strconv.Itoa(len(list)+1); r.id != want {
			t.Fatalf("%s stands where %s is to be", r.id, want)
		}
		if !slices.Contains([]string{"done", "part", "open"}, r.state) || r.text == "" || (r.state == "part") != (r.missing != "") {
			t.Errorf("%s: state %q, missing %q", r.id, r.state, r.missing)
		}
		list = append(list, r)
	}
	return list
}

var (
	goTag    = regexp.MustCompile(`^//andon:req((?: Q[0-9]+)+)$`)
	textTag  = regexp.MustCompile(`andon:req((?: Q[0-9]+)+)`)
	testFunc = regexp.MustCompile(`^func ((?:Test|Fuzz)[A-Za-z0-9_]*)\(`)
)

// tags collects which test carries which number: number to names.
func tags(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "node_modules" || strings.HasPrefix(e.Name(), ".") && path != root):
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"), strings.HasSuffix(path, ".txtar"):
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			where, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			return collect(found, filepath.ToSlash(where), b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// collect takes the tags of one file.
func collect(found map[string][]string, where string, b []byte) error {
	if strings.HasSuffix(where, ".txtar") {
		head, _, _ := strings.Cut(string(b), "\n-- ") // before the first file in it
		for _, m := range textTag.FindAllStringSubmatch(head, -1) {
			for _, id := range strings.Fields(m[1]) {
				found[id] = append(found[id], where)
			}
		}
		return nil
	}
	var pending []string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if m := goTag.FindStringSubmatch(line); m != nil {
			pending = append(pending, strings.Fields(m[1])...)
			continue
		}
		if m := testFunc.FindStringSubmatch(line); m != nil {
			for _, id := range pending {
				found[id] = append(found[id], filepath.ToSlash(filepath.Dir(where))+"."+m[1])
			}
			pending = nil
		} else if len(pending) > 0 && !strings.HasPrefix(line, "//") {
			return fmt.Errorf("%s: the tag %q stands above no test", where, pending)
		}
	}
	return nil
}

// TestTrace: what is done or partly done is proved by a test, what is open
// claims none, no test names what is not asked for, and the document says so.
//
//andon:req Q54
func TestTrace(t *testing.T) {
	list, found := requirements(t), tags(t, peer.Root(t))
	if len(list) != 60 {
		t.Errorf("%d requirements, want 60", len(list))
	}
	for _, r := range list {
		if n := len(found[r.id]); (r.state == "open") != (n == 0) {
			t.Errorf("%s is %s and %d tests carry it: %q", r.id, r.state, n, found[r.id])
		}
	}
	known := map[string]bool{}
	for _, r := range list {
		known[r.id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if !known[id] {
			t.Errorf("%q carry %s, which is not in the list", found[id], id)
		}
	}
	file := filepath.Join(peer.Root(t), "docs", "requirements.md")
	got := document(list, found)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/requirements.md is stale: go test ./internal/requirements -update\n%s", diff)
	}
}

// document is the trace for people.
func document(list []requirement, found map[string][]string) []byte {
	var b bytes.Buffer
	count := map[string]int{}
	for _, r := range list {
		count[r.state]++
	}
	fmt.Fprintf(&b, `# Requirements, and what proves them

Written by `+"`go test ./internal/requirements -update`"+` from the list of what is asked
and the tags in the tests; a test fails when it is stale. Of %d requirements %d are
done, %d in part, %d open. "Done" means: built, and the tests named prove it in
each run; it does not replace qualification at a site.
`, len(list), count["done"], count["part"], count["open"])
	for _, r := range list {
		if r.heading != "" {
			fmt.Fprintf(&b, "\n## %s\n\n| | what must hold | state | proved by |\n|---|---|---|---|\n", r.heading)
		}
		state := r.state
		if r.missing != "" {
			state += ": " + r.missing
		}
		names := slices.Clone(found[r.id])
		slices.Sort(names)
		for i := range names {
			names[i] = "`" + strings.TrimPrefix(names[i], "internal/") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.id, r.text, state, strings.Join(names, "<br>"))
	}
	return b.Bytes()
}

// TestCollect: a tag counts only above a test.
func TestCollect(t *testing.T) {
	found := map[string][]string{}
	good := "// TestX is.\n//\n//andon:req " + "Q1 Q2\nfunc TestX(t *testing.T) {\n"
	if err := collect(found, "p/x_test.go", []byte(good)); err != nil || len(found["Q1"]) != 1 || found["Q2"][0] != "p.TestX" {
		t.Errorf("%v, %v", found, err)
	}
	stray := "//andon:req " + "Q1\n\nfunc TestX(t *testing.T) {\n"
	if collect(found, "p/x_test.go", []byte(stray)) == nil {
		t.Error("a tag above nothing was taken")
	}
	if err := collect(found, "d/a.txtar", []byte("What (andon:req "+"Q9).\n-- f --\nandon:req "+"Q8\n")); err != nil || len(found["Q9"]) != 1 || len(found["Q8"]) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}
