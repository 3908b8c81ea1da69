package config

import (
	"path/filepath"
	"regexp"
	"strings"

	"andon/internal/strictyaml"
)

// Shapes of names. All of them can stand in an MQTT topic and in a file name.
var (
	idShape    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	tagShape   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)
	fieldShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	siteShape  = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)
)

// What the shapes mean, for people.
const (
	idWords    = "1 to 64 of the letters A-Z a-z, digits, - and _"
	tagWords   = "1 to 64 of the letters A-Z a-z, digits, - _ and ., not beginning with - or ."
	fieldWords = "small letters, digits and _, beginning with a letter"
	siteWords  = "names joined by /, of letters, digits, - _ and ."
)

// shaped is a text of a form; another is refused.
func shaped(n strictyaml.Node, form *regexp.Regexp, words string) string {
	s := n.Text()
	if n.OK() && !form.MatchString(s) {
		n.Problem("not a name: "+quoted(s), "use "+words)
		return ""
	}
	return s
}

// named checks the key of an entry; a wrong one is reported at the key.
func named(e strictyaml.Entry, form *regexp.Regexp, words string) bool {
	if form.MatchString(e.Name) {
		return true
	}
	e.Value.KeyProblem("not a name: "+quoted(e.Name), "use "+words)
	return false
}

// quoted puts a text in quotes and keeps it short.
func quoted(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return `"` + s + `"`
}

// title is a text for people: not empty, on one line.
func title(n strictyaml.Node) string {
	s := n.Label()
	if n.OK() && (strings.TrimSpace(s) == "" || strings.ContainsAny(s, "\n\r")) {
		n.Problem("empty, or more than one line", "give it a name, or remove the key")
	}
	return s
}

// path is a file or directory; a relative one is relative to the settings' own
// directory.
func (r *reader) path(n strictyaml.Node) string {
	s := n.Text()
	switch {
	case !n.OK():
		return ""
	case s == "" || strings.ContainsRune(s, 0):
		n.Problem("not a path: "+quoted(s), "name a file or directory")
		return ""
	case strings.HasPrefix(s, "~"):
		n.Problem("~ is not expanded: "+quoted(s), "write the whole path")
		return ""
	}
	return r.absolute(s)
}

func (r *reader) absolute(s string) string {
	if filepath.IsAbs(s) {
		return filepath.Clean(s)
	}
	return filepath.Join(r.dir, s)
}

// pathOr is path, or def (relative to the settings) when the key is absent.
func (r *reader) pathOr(n strictyaml.Node, def string) string {
	if !n.Present() {
		return r.absolute(def)
	}
	return r.path(n)
}
