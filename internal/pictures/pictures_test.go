package pictures

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"andon/internal/spec"
)

var update = flag.Bool("update", false, "write what comes of the examples, and their pictures, into the page")

const (
	pageFile = "../../docs/specification.md"
	folder   = "../../docs/img/spec"
)

func readPage(t *testing.T) (string, []Example) {
	t.Helper()
	b, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	list, err := Examples(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return string(b), list
}

// same holds a file against what it must be, or writes it.
func same(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what comes of its example (run with -update): %s", file, diff)
	}
}

// TestPage: what the page says comes of its examples does come of them, and its
// pictures are those of how they went.
func TestPage(t *testing.T) {
	page, list := readPage(t)
	var said []string
	for i := range list {
		e := &list[i]
		lines, err := Judge(e)
		if err != nil {
			t.Fatal(err)
		}
		trace, err := Follow(e)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, Tell(lines))
		same(t, filepath.Join(folder, e.Name+".svg"), Draw(e, trace, lines))
	}
	same(t, pageFile, Rewrite(page, list, said))
}

// TestBlocks: every piece of a document on the page is one that lint takes.
func TestBlocks(t *testing.T) {
	page, _ := readPage(t)
	whole := 0
	for _, b := range Blocks(page) {
		doc, err := spec.Parse("page", []byte(b))
		if err != nil {
			t.Errorf("%v\n%s", err, b)
			continue
		}
		if strings.Contains(page, "```yaml\n"+b) {
			whole++
			if err := doc.Lint(); err != nil {
				t.Errorf("%v\n%s", err, b)
			}
		}
	}
	if whole == 0 {
		t.Error("the page has no whole document")
	}
}

// TestKinds: every kind of rule has its heading and an example that judges by
// it.
func TestKinds(t *testing.T) {
	page, list := readPage(t)
	kinds := []string{spec.High, spec.Low, spec.Band, spec.Equals, spec.Rate, spec.Spread, spec.Envelope, spec.Frozen, spec.Window, spec.SPC, spec.Soak, spec.Lethality, spec.Above, spec.Below, spec.Peak}
	for _, kind := range kinds {
		i := slices.IndexFunc(list, func(e Example) bool { return e.Name == kind })
		if i < 0 || !strings.Contains(list[i].Spec, "kind: "+kind+",") || !strings.Contains(page, "\n### "+kind+"\n") {
			t.Errorf("%s has no heading, or no example of its name", kind)
		}
	}
}

// TestLinks: every picture of the page is there, every picture that is there is
// on the page, and every place in the page that it points to exists.
func TestLinks(t *testing.T) {
	page, _ := readPage(t)
	shown := map[string]bool{}
	for _, m := range regexp.MustCompile(`\]\(img/spec/([a-z0-9_]+\.svg)\)`).FindAllStringSubmatch(page, -1) {
		shown[m[1]] = true
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !shown[f.Name()] {
			t.Errorf("%s is not on the page", f.Name())
		}
		delete(shown, f.Name())
	}
	for name := range shown {
		t.Errorf("%s is not there", name)
	}
	heads := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		heads[regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ReplaceAll(strings.ToLower(m[1]), " ", "-"), "")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(page, -1) {
		if !heads[m[1]] {
			t.Errorf("the page points to #%s, which it does not have", m[1])
		}
	}
}

// TestWorked holds the sums of the text against the rules: by geometry for an
// excursion, by hand for a soak and a lethality.
func TestWorked(t *testing.T) {
	_, list := readPage(t)
	for _, tt := range []struct {
		name, rule string
		want       float64
		of         func(l *Line) (float64, bool)
	}{
		{"high", "over", 20.0/3 + 20, func(l *Line) (float64, bool) { return l.Data.Excursion.DurationS, l.Data.State == "returned_to_spec" }},
		{"high", "over", 4*(20.0/3)/2 + 60 + 40, func(l *Line) (float64, bool) {
			if l.Data.State != "returned_to_spec" {
				return 0, false
			}
			return l.Data.Excursion.Area.Value, true
		}},
		{"soak", "cont", 3000 - 1550, result},
		{"soak", "cumu", 3000 - 1550 + 1450 - 450, result},
		{"lethality", "f0", 3.3 + 33 + 2*60*(1+math.Pow(10, 0.1))/2 + 120*math.Pow(10, 0.1) + 33, result},
		{"above", "liquid", 85 - (20 + 10*10.0/15), result},
	} {
		i := slices.IndexFunc(list, func(e Example) bool { return e.Name == tt.name })
		lines, err := Judge(&list[i])
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for k := range lines {
			if got, ok := tt.of(&lines[k]); ok && lines[k].Rule+lines[k].Data.Spec.Rule == tt.rule {
				found = true
				if math.Abs(got-tt.want) > 1e-6 {
					t.Errorf("%s/%s: %v, want %v", tt.name, tt.rule, got, tt.want)
				}
			}
		}
		if !found {
			t.Errorf("%s/%s: nothing was said", tt.name, tt.rule)
		}
	}
}

func result(l *Line) (float64, bool) {
	v, ok := l.Requirement.Actual.(float64)
	return v, ok && l.Type == "result"
}

// TestExamplesRefuses a page whose example has not the form: it would be left
// out unseen.
func TestExamplesRefuses(t *testing.T) {
	if _, err := Examples("<!-- example x: X -->\n```yaml\na: 1\n```\n"); err == nil {
		t.Error("an example without samples was taken")
	}
}
