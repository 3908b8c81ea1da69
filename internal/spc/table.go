package spc

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Table is a file of data: a header and rows of cells, as spreadsheets and
// measuring machines write them.
type Table struct {
	name    string // of the file, for messages
	columns []string
	rows    []row
	comma   bool // numbers have a decimal comma
}

type row struct {
	line  int
	cells []string
}

// at is the place of a row, for messages.
func (t *Table) at(r row) string { return fmt.Sprintf("%s:%d", t.name, r.line) }

// manyProblems is how many problems of one file are told at once.
const manyProblems = 10

// ParseTable reads CSV: a line of column names, then one line a row. The
// separator is that of the first line: comma, semicolon or tab. A byte order
// mark and line ends of either kind are fine. In a file with semicolons or tabs
// numbers may have a decimal comma, in all cells or in none. An empty line in a
// file of one column is a missing value, elsewhere it is nothing. The error
// names the file, the line, the cause and the cure; name is the file's.
func ParseTable(name string, data []byte) (*Table, error) {
	t := &Table{name: name}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return nil, fmt.Errorf("%s: the text is UTF-16: save the file as CSV UTF-8", name)
	case !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0:
		return nil, fmt.Errorf("%s: not a text in UTF-8: save the file as CSV UTF-8", name)
	}
	first, _, _ := bytes.Cut(bytes.TrimLeft(data, "\r\n"), []byte("\n"))
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = separator(first)
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	for {
		cells, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, t.unreadable(err)
		}
		line, _ := r.FieldPos(0)
		if err := t.take(row{line, cells}); err != nil {
			return nil, err
		}
	}
	if t.columns == nil {
		return nil, fmt.Errorf("%s: empty: want a line of column names and rows of numbers", name)
	}
	t.comma = r.Comma != ',' && t.anyDecimalComma()
	return t, nil
}

// separator is the one that stands most often in the first line.
func separator(first []byte) rune {
	best, most := ',', bytes.Count(first, []byte(","))
	for _, s := range ";\t" {
		if n := bytes.Count(first, []byte(string(s))); n > most {
			best, most = s, n
		}
	}
	return best
}

func (t *Table) unreadable(err error) error {
	var e *csv.ParseError
	if errors.As(err, &e) {
		return fmt.Errorf("%s:%d: %w: mend the quotes", t.name, e.Line, e.Err)
	}
	return fmt.Errorf("%s: %w", t.name, err)
}

// take adds a line: the first is the header.
func (t *Table) take(r row) error {
	for i := range r.cells {
		r.cells[i] = strings.TrimSpace(r.cells[i])
	}
	if t.columns == nil {
		t.columns = r.cells
		return t.checkHeader(r)
	}
	if len(r.cells) != len(t.columns) {
		return fmt.Errorf("%s: %d cells where the header has %d: want one cell a column, an empty one where a value is missing%s",
			t.at(r), len(r.cells), len(t.columns), t.commaHint(len(r.cells)))
	}
	if last := len(t.rows) - 1; len(t.columns) == 1 && last >= 0 {
		for line := t.rows[last].line + 1; line < r.line; line++ {
			t.rows = append(t.rows, row{line, []string{""}})
		}
	}
	t.rows = append(t.rows, r)
	return nil
}

func (t *Table) commaHint(cells int) string {
	if cells == 2*len(t.columns) {
		return "; for decimal commas separate the columns by semicolons"
	}
	return ""
}

func (t *Table) checkHeader(r row) error {
	numeric := true
	for i, name := range r.cells {
		_, err := parseNumber(name, false)
		numeric = numeric && (name == "" || err == nil)
		if name != "" && slices.Contains(r.cells[:i], name) {
			return fmt.Errorf("%s: two columns are called %q: give each its own name", t.at(r), name)
		}
	}
	if numeric {
		return fmt.Errorf("%s: the first line has no names: put a line of column names above the numbers", t.at(r))
	}
	return nil
}

// anyDecimalComma says whether some cell is a number only with a decimal comma.
func (t *Table) anyDecimalComma() bool {
	for _, r := range t.rows {
		for _, cell := range r.cells {
			if _, err := parseNumber(cell, true); err == nil && strings.Contains(cell, ",") {
				return true
			}
		}
	}
	return false
}

// parseNumber reads a decimal number. It takes no NaN, infinity, hexadecimal or
// grouped digits, as strconv would.
func parseNumber(cell string, comma bool) (float64, error) {
	if comma {
		if strings.Contains(cell, ".") {
			return 0, errors.New("a decimal point where other numbers of the file have a decimal comma")
		}
		cell = strings.Replace(cell, ",", ".", 1)
	}
	if cell == "" || strings.Trim(cell, "+-.0123456789eE") != "" {
		return 0, errors.New("not a number")
	}
	x, err := strconv.ParseFloat(cell, 64)
	if errors.Is(err, strconv.ErrRange) || math.Abs(x) > MaxValue {
		return 0, fmt.Errorf("larger than %v", float64(MaxValue))
	}
	if err != nil {
		return 0, errors.New("not a number")
	}
	return x, nil
}

// number reads the cell of a row; an empty one is a missing value, NaN.
func (t *Table) number(r row, column int) (float64, error) {
	cell := r.cells[column]
	if cell == "" {
		return math.NaN(), nil
	}
	x, err := parseNumber(cell, t.comma)
	if err == nil {
		return x, nil
	}
	if runes := []rune(cell); len(runes) > 40 {
		cell = string(runes[:40]) + "…"
	}
	return 0, fmt.Errorf("%s: column %s: %q is %w: want a decimal number, or an empty cell where a value is missing",
		t.at(r), t.columns[column], cell, err)
}

// Where keeps the rows that have a value in a column.
func (t *Table) Where(column, value string) error {
	i, err := t.column(column)
	if err != nil {
		return err
	}
	t.rows = slices.DeleteFunc(t.rows, func(r row) bool { return r.cells[i] != value })
	if len(t.rows) == 0 {
		return fmt.Errorf("%s: no row has %q in column %s", t.name, value, column)
	}
	return nil
}

// column finds a column by its name.
func (t *Table) column(name string) (int, error) {
	i := slices.Index(t.columns, name)
	if i < 0 || name == "" {
		return 0, fmt.Errorf("%s: no column %q: there are %s", t.name, name, strings.Join(t.columns, ", "))
	}
	return i, nil
}
