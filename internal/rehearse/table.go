package rehearse

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// table reads rows of a CSV file as they stand, one at a time. The delimiter is
// what follows t in the header: a comma, a semicolon or a tab.
type table struct {
	file   string
	csv    *csv.Reader
	bound  *bounded
	header []string
	line   int  // of the row that was read last
	broken bool // nothing behind it can be read
}

// lineBytes is how long a row may be: an unclosed quote would otherwise read the
// rest of the file into memory.
const lineBytes = 1 << 20

// timeColumn is the name of the first column.
const timeColumn = "t"

// errLong: no row ends within lineBytes.
var errLong = errors.New("the row does not end")

// bounded gives an error when more than a row's worth of bytes is read without a
// row having ended.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// openTable reads the header.
func openTable(file string, r io.Reader) (*table, error) {
	t := &table{file: file, bound: &bounded{r: r, left: lineBytes}}
	in := bufio.NewReader(t.bound)
	head, err := in.Peek(len("\ufeff\"t\";"))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	text := string(head)
	if strings.HasPrefix(text, "\ufeff") {
		text = strings.TrimPrefix(text, "\ufeff")
		if _, err := in.Discard(len("\ufeff")); err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
	}
	t.csv = csv.NewReader(in)
	t.csv.Comma = delimiter(text)
	t.csv.ReuseRecord = true
	cells, err := t.read()
	if errors.Is(err, io.EOF) {
		return nil, strictyaml.Problems{{File: file, Message: "there is nothing in it", Hint: "the first line names the columns: t, then tags and context fields"}}
	}
	if err != nil {
		return nil, err
	}
	for _, c := range cells {
		t.header = append(t.header, strings.TrimSpace(c))
	}
	return t, t.checkHeader()
}

// delimiter is the sign behind the header's first name.
func delimiter(head string) rune {
	head = strings.TrimSpace(strings.ReplaceAll(head, `"`, ""))
	if i := strings.IndexAny(head, ";\t,"); i >= 0 {
		return rune(head[i])
	}
	return ','
}

func (t *table) checkHeader() error {
	var ps strictyaml.Problems
	if t.header[0] != timeColumn {
		ps = append(ps, t.problem(0, fmt.Sprintf("the first column is %q", clip(t.header[0])), "its name is t, with instants like 2026-03-01T06:00:00Z or seconds after the start"))
	}
	first := map[string]int{}
	for i, name := range t.header {
		if before, again := first[name]; again && name != "" {
			ps = append(ps, t.problem(i, fmt.Sprintf("the column %q again", clip(name)), fmt.Sprintf("it is column %d of the table already: rename one", before+1)))
			continue
		}
		first[name] = i
	}
	return ps.Err()
}

// problem is at a cell of the row that was read last.
func (t *table) problem(column int, message, hint string) strictyaml.Problem {
	line, col := t.csv.FieldPos(column)
	return strictyaml.Problem{File: t.file, Line: line, Column: col, Message: message, Hint: hint}
}

// read returns the next row's cells, which are good until the next call. The
// error is io.EOF, strictyaml.Problems, or the reader's own.
func (t *table) read() ([]string, error) {
	t.bound.left = lineBytes
	cells, err := t.csv.Read()
	var wrong *csv.ParseError
	switch {
	case err == nil:
		t.line, _ = t.csv.FieldPos(0)
		return cells, nil
	case errors.Is(err, io.EOF):
		return nil, err
	case errors.Is(err, csv.ErrFieldCount):
		return nil, strictyaml.Problems{t.problem(0, fmt.Sprintf("%d cells where the header has %d", len(cells), len(t.header)), "leave a cell empty where there is no sample, and quote a cell that holds the delimiter")}
	case errors.As(err, &wrong):
		return nil, strictyaml.Problems{{File: t.file, Line: wrong.Line, Column: wrong.Column, Message: wrong.Err.Error(), Hint: `quote a whole cell, and write a quote in it twice: "a ""b"""`}}
	case errors.Is(err, errLong):
		t.broken = true
		return nil, strictyaml.Problems{{File: t.file, Line: t.line + 1, Message: fmt.Sprintf("a row of more than %d bytes", lineBytes), Hint: "look for a quote that is not closed"}}
	}
	return nil, fmt.Errorf("read %s: %w", t.file, err)
}

// row is what one line of the table says.
type row struct {
	t      sample.Time
	fields map[string]string // of the context; nil when it says nothing of it
	values []sample.Reading  // in order of the columns
}
