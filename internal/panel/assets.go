package panel

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed static templates
var files embed.FS

// assets are the files that pages load, under a path that names their content:
// a browser may keep them for ever, and never has them from two versions.
type assets struct {
	version string // of all files together
	static  fs.FS
	pages   *template.Template
}

func loadAssets() (*assets, error) {
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, fmt.Errorf("embedded files: %w", err)
	}
	a := &assets{static: static}
	if a.version, err = digestOf(files); err != nil {
		return nil, fmt.Errorf("embedded files: %w", err)
	}
	a.pages, err = template.New("").Funcs(pageFuncs(a)).ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("embedded pages: %w", err)
	}
	return a, nil
}

// digestOf names the content of a tree of files.
func digestOf(tree fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(tree, path)
		h.Write(fmt.Appendf(nil, "%s %d\n%s", path, len(b), b))
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:16], err
}

// url is the address of a file.
func (a *assets) url(name string) string { return "/static/" + a.version + "/" + name }

// ServeHTTP serves /static/{version}/{name...}.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("version") != a.version || strings.HasSuffix(r.URL.Path, "/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, a.static, r.PathValue("name"))
}
