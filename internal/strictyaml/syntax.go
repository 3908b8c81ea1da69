package strictyaml

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

var whereForm = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?`)

// syntax reports that the file is not YAML. A line with a tab or another
// character already reported explains itself and is not reported again.
func (d *Document) syntax(b []byte, err error) {
	message := whereForm.ReplaceAllString(err.Error(), "")
	line := syntaxLine(b, err.Error(), message)
	for _, p := range d.problems {
		if p.Line == line {
			return
		}
	}
	d.add(line, indentOf(b, line)+1, "", "not readable: "+message, cureOf(message))
}

func cureOf(message string) string {
	switch {
	case strings.Contains(message, "mapping values are not allowed"):
		return "quote text that has `: ` in it, and check the indentation"
	case strings.Contains(message, "could not find expected ':'"):
		return "write `name: value`, with a space after the colon"
	case strings.Contains(message, "cannot start any token"):
		return "quote text that begins with @ ` or %"
	case strings.Contains(message, "did not find expected"), strings.Contains(message, "found unexpected"):
		return "check the indentation, and that brackets and quotes are closed"
	}
	return ""
}

// syntaxLine is the line to look at. The library names the line where the
// surrounding block began (from 0 when its parser speaks, from 1 when its
// scanner does). That is the right one for what was never closed; for all else
// it is the line that the library had come to.
func syntaxLine(b []byte, whole, message string) int {
	named, err := strconv.Atoi(whereForm.FindStringSubmatch(whole)[1])
	if err == nil {
		switch {
		case strings.Contains(message, "',' or"):
			return named + 1
		case strings.Contains(message, "end of stream"), strings.Contains(message, "expected ':'"):
			return named
		}
	}
	return 1 + bytes.Count(bytes.TrimSpace(b[:consumed(b)]), []byte("\n")) + leadingLines(b)
}

// leadingLines are the line ends before the first text, which TrimSpace cuts.
func leadingLines(b []byte) int {
	return bytes.Count(b[:len(b)-len(bytes.TrimLeft(b, " \t\r\n"))], []byte("\n"))
}

// consumed is how far the library reads before it gives up, within a few
// characters: it is fed one byte at a time and asks for no more than it needs.
func consumed(b []byte) int {
	r := &slowReader{b: b}
	dec := yaml.NewDecoder(r)
	for {
		var n yaml.Node
		if dec.Decode(&n) != nil { // the error is known; its place is what we are after
			return r.n
		}
	}
}

type slowReader struct {
	b []byte
	n int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if r.n == len(r.b) {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, errors.New("read into an empty buffer")
	}
	p[0] = r.b[r.n]
	r.n++
	return 1, nil
}

// indentOf is the number of blanks at the beginning of a line.
func indentOf(b []byte, line int) int {
	lines := bytes.Split(b, []byte("\n"))
	if line > len(lines) {
		return 0
	}
	l := lines[line-1]
	return len(l) - len(bytes.TrimLeft(l, " \t"))
}
