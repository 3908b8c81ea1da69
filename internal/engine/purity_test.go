package engine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pure lists the pure packages and what each may import of ours. A package not
// listed here is not pure, and none of these may import it.
var pure = map[string][]string{
	"sample":     {},
	"spc":        {},
	"strictyaml": {"ucum"},
	"ucum":       {},
	"spec":       {"sample", "spc", "strictyaml", "ucum"},
	"record":     {"sample"},
	"production": {"sample"},
	"judge":      {"sample", "spc", "spec"},
	"alarm":      {"sample"},
	"quality":    {"judge", "production", "record", "sample", "spec"},
	"outbox":     {},
	"engine":     {"alarm", "judge", "outbox", "production", "quality", "record", "sample", "spec"},
}

// others are the packages from elsewhere that pure code may import: those that
// compute and do nothing else.
var others = []string{
	"bytes", "cmp", "crypto/ed25519", "crypto/sha256", "encoding/base32", "encoding/base64", "encoding/binary", "encoding/csv", "encoding/hex",
	"encoding/json", "errors", "fmt", "io", "iter", "maps", "math", "math/big", "math/bits", "regexp", "slices", "sort", "strconv", "strings", "time",
	"unicode", "unicode/utf8", "go.yaml.in/yaml/v3", "golang.org/x/mod/sumdb/note",
	"github.com/expr-lang/expr/ast", "github.com/expr-lang/expr/conf", "github.com/expr-lang/expr/file", "github.com/expr-lang/expr/parser", // spec reads expressions with them and runs none
}

// clockCalls are what of package time a pure package may not touch: the rest of
// it is arithmetic.
var clockCalls = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Local", "LoadLocation"}

// TestPurity holds the line between deciding and doing: what is judged from
// the record must come out the same on any machine on any day, so nothing in
// these packages may reach a clock, a file, a socket, a goroutine or chance.
func TestPurity(t *testing.T) {
	for name, ours := range pure {
		files, err := filepath.Glob(filepath.Join("..", name, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", name, err, len(files))
		}
		for _, f := range files {
			if !strings.HasSuffix(f, "_test.go") {
				checkPure(t, f, ours)
			}
		}
	}
}

func checkPure(t *testing.T, file string, ours []string) {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, imp := range f.Imports {
		path, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if own, ok := strings.CutPrefix(path, "andon/internal/"); ok {
			if !slices.Contains(ours, own) {
				t.Errorf("%s imports %s: not below it", fset.Position(imp.Pos()), path)
			}
		} else if !slices.Contains(others, path) {
			t.Errorf("%s imports %s: pure code may not, or add it to others with a reason", fset.Position(imp.Pos()), path)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
			t.Errorf("%s: goroutines and channels have no place in pure code", fset.Position(n.Pos()))
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clockCalls, n.Sel.Name) {
				t.Errorf("%s: time.%s: time comes in as a value", fset.Position(n.Pos()), n.Sel.Name)
			}
		}
		return true
	})
}
