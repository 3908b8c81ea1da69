package strictyaml

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// MaxTableBytes limits a table: about a hundred thousand rows.
const MaxTableBytes = 16 << 20

// ParseTable reads a CSV file with a header as if it were a YAML mapping: the
// cell in the column key names the row, the other columns are its keys, and an
// empty cell is an absent key. A cell needs no quotes to be text, and one that
// begins with [ or { is a YAML list or mapping. Cells are separated by commas,
// or by semicolons when the header has no comma.
func ParseTable(file string, b []byte, key string) *Document {
	d := &Document{file: file}
	if !d.checkTable(b) {
		return d
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma = separator(b)
	r.Comment = '#'
	r.FieldsPerRecord = -1 // counted by row, which goes on after a wrong one
	r.TrimLeadingSpace = true
	t := &table{d: d, r: r, first: map[string]int{}, shared: map[string]bool{key: true}}
	if !t.header(key) {
		return d
	}
	d.root = &value{kind: mapping, line: 1, column: 1}
	for t.row() {
	}
	return d
}

// checkTable refuses what must not be in a table at all.
func (d *Document) checkTable(b []byte) bool {
	if len(b) > MaxTableBytes {
		d.add(0, 0, "", fmt.Sprintf("the file has %d bytes, at most %d are read", len(b), MaxTableBytes), "")
		return false
	}
	if !utf8.Valid(b) {
		line, column := invalidAt(b)
		d.add(line, column, "", "the file is not UTF-8 text", "save it as CSV UTF-8")
		return false
	}
	return true
}

func separator(b []byte) rune {
	head, _, _ := bytes.Cut(b, []byte("\n"))
	if bytes.ContainsRune(head, ';') && !bytes.ContainsRune(head, ',') {
		return ';'
	}
	return ','
}

// table is a CSV file being read.
type table struct {
	d       *Document
	r       *csv.Reader
	columns []*value
	keyAt   int             // the column that names the row
	first   map[string]int  // the line of each name
	shared  map[string]bool // the names that a reader asked any row for
}

// header reads the first row; without the key column nothing else is read.
func (t *table) header(key string) bool {
	cells, ok := t.read()
	if !ok {
		if len(t.d.problems) == 0 {
			t.d.add(1, 1, "", "the file is empty", "")
		}
		return false
	}
	t.keyAt = -1
	top := &value{kind: mapping, asked: t.shared}
	for i, c := range cells {
		c.text = strings.TrimPrefix(c.text, "\ufeff")
		if c.text == key {
			t.keyAt = i
		}
		if _, again := top.find(c.text); again {
			t.d.add(c.line, c.column, c.text, fmt.Sprintf("the column %q again", c.text), "keep one")
		}
		top.pairs = append(top.pairs, pair{c, &value{kind: null}})
	}
	t.columns, t.d.head = cells, top
	if t.keyAt < 0 {
		t.d.add(1, 1, key, "missing", "add the column `"+key+"`, which names each row")
	}
	return t.keyAt >= 0
}

// row reads one row; false at the end.
func (t *table) row() bool {
	cells, ok := t.read()
	if !ok {
		return false
	}
	if len(cells) != len(t.columns) {
		c := cells[0]
		t.d.add(c.line, c.column, "", fmt.Sprintf("a row of %d cells under %d columns", len(cells), len(t.columns)), "give each row a cell for each column, empty if need be; quote a cell that has a comma in it")
		return true
	}
	name := cells[t.keyAt]
	v := &value{kind: mapping, line: name.line, column: name.column, asked: t.shared, skipped: true}
	if name.text == "" {
		t.d.add(name.line, name.column, t.columns[t.keyAt].text, "the row has no name", "fill in the cell, or remove the row")
		return true
	}
	if line, again := t.first[name.text]; again {
		t.d.add(name.line, name.column, name.text, fmt.Sprintf("the name %q again", name.text), fmt.Sprintf("it is on line %d already: keep one", line))
		return true
	}
	t.first[name.text] = name.line
	v.pairs = t.pairs(name.text, cells)
	t.d.root.pairs = append(t.d.root.pairs, pair{name, v})
	return true
}

// pairs are the cells of a row that are not empty, by column.
func (t *table) pairs(name string, cells []*value) []pair {
	var pairs []pair
	for i, c := range cells {
		if i != t.keyAt && c.text != "" {
			pairs = append(pairs, pair{t.columns[i], t.cell(c, join(name, t.columns[i].text))})
		}
	}
	return pairs
}

// read reads the cells of one row, each with its place.
func (t *table) read() ([]*value, bool) {
	fields, err := t.r.Read()
	if errors.Is(err, io.EOF) {
		return nil, false
	}
	if err != nil {
		t.unreadable(err)
		return nil, false
	}
	return t.place(fields), true
}

func (t *table) unreadable(err error) {
	line, column := 1, 1
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		line, column, err = pe.Line, pe.Column, pe.Err
	}
	t.d.add(line, column, "", "not readable: "+err.Error(), "quote a cell that has a comma or a quote in it, and double the quotes within")
}

func (t *table) place(fields []string) []*value {
	cells := make([]*value, len(fields))
	for i, f := range fields {
		line, column := t.r.FieldPos(i)
		cells[i] = &value{kind: text, text: strings.TrimSpace(f), cell: true, loose: true, line: line, column: column}
	}
	return cells
}

// cell makes a value of a cell: a list or mapping, or a plain word that is text
// or number as its reader wants.
func (t *table) cell(c *value, path string) *value {
	if strings.HasPrefix(c.text, "[") || strings.HasPrefix(c.text, "{") {
		return t.nested(c, path)
	}
	if k, _ := classify(c.text); k != refused && k != null {
		c.kind = k
	}
	return c
}

// nested reads a cell that is YAML; what is wrong within is reported at the cell.
func (t *table) nested(c *value, path string) *value {
	var top yaml.Node
	if err := yaml.Unmarshal([]byte(c.text), &top); err != nil || len(top.Content) != 1 {
		t.d.add(c.line, c.column, path, fmt.Sprintf("%q is not a list or mapping", clip(c.text)), "write it like [1, 2]")
		c.kind = refused
		return c
	}
	inner := &Document{file: t.d.file}
	v := inner.convert(top.Content[0], path, 0)
	for _, p := range inner.problems {
		t.d.add(c.line, c.column, p.Path, p.Message, p.Hint)
	}
	moveTo(v, c.line, c.column)
	v.cell = true
	return v
}

func moveTo(v *value, line, column int) {
	v.line, v.column = line, column
	for _, p := range v.pairs {
		moveTo(p.key, line, column)
		moveTo(p.value, line, column)
	}
	for _, c := range v.items {
		moveTo(c, line, column)
	}
}
