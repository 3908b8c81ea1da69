package spec

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"andon/internal/strictyaml"
)

var update = flag.Bool("update", false, "rewrite testdata/specs/bad/*.want")

// One small file a mistake, and beside it the exact words wanted.
//
//andon:req Q13 Q58
func TestBadFiles(t *testing.T) {
	const dir = "../../testdata/specs/bad"
	files, err := filepath.Glob(dir + "/*.yaml")
	if err != nil || len(files) < 90 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			d, err := Parse(name, b)
			if err == nil || d != nil {
				t.Fatal("accepted")
			}
			got := err.Error() + "\n"
			placed(t, err)
			golden := strings.TrimSuffix(path, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// placed wants every problem to say where it is.
func placed(t *testing.T, err error) {
	t.Helper()
	var problems strictyaml.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("error is a %T", err)
	}
	for _, p := range problems {
		if p.Line == 0 || p.Column == 0 || p.File == "" || p.Message == "" {
			t.Errorf("problem without its place: %+v", p)
		}
	}
}
