package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// Limits on what is read at all. A specification is a few kilobytes, one of ten
// thousand parameters some two megabytes.
const (
	MaxBytes = 4 << 20
	MaxDepth = 32
)

// kind is what a value is before anybody says what it should be.
type kind uint8

const (
	null kind = iota
	boolean
	whole // a whole number, decimal or 0x
	number
	text
	mapping
	sequence
	refused // already reported
)

// value is one value of the tree. The tree is ours and not the YAML library's
// so that a CSV row can be read by the same code.
type value struct {
	kind         kind
	text         string // as written; without the quotes
	quoted       bool
	cell         bool // of a CSV table
	loose        bool // and a plain one: text or number, as its reader wants
	line, column int
	pairs        []pair   // of a mapping
	items        []*value // of a sequence

	asked   map[string]bool // keys that a reader knows, of a mapping
	skipped bool            // the reader takes keys it does not know
}

// pair is one key of a mapping and its value.
type pair struct{ key, value *value }

// Document is one file being read, and the problems found so far. It is for
// one goroutine.
type Document struct {
	file     string
	root     *value
	head     *value // of a table: its header, whose keys are the columns
	problems Problems
}

// Parse reads one YAML document. What is wrong with it as YAML is among the
// document's problems already; when nothing can be read, Root is absent and
// reading from it says nothing.
func Parse(file string, b []byte) *Document {
	d := &Document{file: file}
	if !d.checkBytes(b) {
		return d
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var top yaml.Node
	switch err := dec.Decode(&top); {
	case errors.Is(err, io.EOF):
		d.add(1, 1, "", "the file is empty", "")
		return d
	case err != nil:
		d.syntax(b, err)
		return d
	}
	d.secondDocument(b, dec)
	if len(top.Content) == 1 {
		d.root = d.convert(top.Content[0], "", 0)
	}
	return d
}

// secondDocument refuses whatever follows the first document: a plain reader
// would ignore it without a word.
func (d *Document) secondDocument(b []byte, dec *yaml.Decoder) {
	var next yaml.Node
	err := dec.Decode(&next)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(b, err)
	default:
		d.add(next.Line, next.Column, "", "a second document begins here", "one document a file: remove it and the --- line before it")
	}
}

// add records a problem.
func (d *Document) add(line, column int, path, message, hint string) {
	d.problems = append(d.problems, Problem{d.file, line, column, path, message, hint})
}

// checkBytes refuses what must not be in a file at all, and reports whether
// reading on makes sense.
func (d *Document) checkBytes(b []byte) bool {
	if len(b) > MaxBytes {
		d.add(0, 0, "", fmt.Sprintf("the file has %d bytes, at most %d are read", len(b), MaxBytes), "split it, or use tags_file for long lists of tags")
		return false
	}
	if !utf8.Valid(b) {
		line, column := invalidAt(b)
		d.add(line, column, "", "the file is not UTF-8 text", "save it as UTF-8")
		return false
	}
	d.checkCharacters(b)
	return true
}

func invalidAt(b []byte) (line, column int) {
	line, column = 1, 1
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return line, column
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		b = b[n:]
	}
	return line, column
}

// checkCharacters reports tabs, once a line, and characters that cannot be
// seen or that some readers take for the end of a line.
func (d *Document) checkCharacters(b []byte) {
	line, column, tab := 1, 0, 0
	for i, r := range string(b) {
		column++
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == '\r' && (i+1 == len(b) || b[i+1] != '\n'):
			d.add(line, column, "", "a lone carriage return", `end lines with \n or \r\n`)
		case r == '\t' && tab != line:
			tab = line
			d.add(line, column, "", "a tab", `indent and align with spaces; in text write "\t" within double quotes`)
		case invisible(r) && i > 0:
			d.add(line, column, "", fmt.Sprintf("the invisible character %U", r), "remove it, or write it as an escape within double quotes")
		}
	}
}

// invisible tells characters that change how a text reads without being seen:
// line ends that only YAML knows, byte order marks, zero width and
// right-to-left marks.
func invisible(r rune) bool {
	switch {
	case r == 0x85, r == 0x2028, r == 0x2029, r == 0xFEFF:
		return true
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x2069:
		return true
	}
	return false
}
