package rehearse

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"andon/internal/production"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
	"andon/internal/strictyaml"
)

// column is what one column of the table is for. A column may be a context field
// and, where --map says so, an input too.
type column struct {
	field string       // of the context; "" for none
	tags  []sample.Tag // that its values are samples of
	text  bool         // its values are text, whatever they look like
}

// fieldsOf are the names that are context fields in a table for a specification:
// those the gateway knows, and those that the document asks for.
func fieldsOf(doc *spec.Document) []string {
	names := []string{production.Phase, production.Lot, production.Serials, production.WorkOrder, production.Operation, production.Material, production.Operator}
	for _, c := range doc.AppliesWhen {
		names = append(names, c.Field)
	}
	names = append(names, doc.ContextRequired...)
	slices.Sort(names)
	return slices.Compact(names)
}

// inputsOf are the tags that a specification names, in the order of the
// document, each once.
func inputsOf(doc *spec.Document) []string {
	var names []string
	for i := range doc.Parameters {
		for _, name := range doc.Parameters[i].Inputs {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// assignment says what each column of a header is for.
type assignment struct {
	columns []column
	unused  []string // names of columns that nothing asks for
	absent  []string // inputs without a column
	left    []string // parameters that are left out for want of one
}

// assign says what each column of the header is for. Where some parameters have
// all their inputs, the others are left out: a file of one machine's part of a
// specification is worth rehearsing. An input that has a column of nearly its
// name is a mistake. The error is a Usage or strictyaml.Problems.
func (t *table) assign(doc *spec.Document, w *record.Wiring, mapped map[string]string) (*assignment, error) {
	a := assigner{t: t, columns: make([]column, len(t.header)), equipment: w.Equipment[0].Name, mapped: mapped}
	fields := fieldsOf(doc)
	for i, name := range t.header {
		if i > 0 && slices.Contains(fields, name) {
			a.columns[i].field = name
		}
	}
	if err := a.checkMap(inputsOf(doc)); err != nil {
		return nil, err
	}
	var all, missing strictyaml.Problems
	as := &assignment{columns: a.columns}
	for _, input := range inputsOf(doc) {
		i := a.find(input)
		if i < 0 {
			p, mistaken := a.missing(input)
			if all = append(all, p); mistaken {
				missing = append(missing, p)
			}
			as.absent = append(as.absent, input)
			continue
		}
		tag, _ := w.Find(a.equipment, input) // the wiring was made of the same inputs
		c := &a.columns[i]
		c.tags = append(c.tags, tag)
		c.text = c.text || w.Tags[tag].Kind == sample.String
	}
	for i := range doc.Parameters {
		if p := &doc.Parameters[i]; slices.ContainsFunc(p.Inputs, func(in string) bool { return slices.Contains(as.absent, in) }) {
			as.left = append(as.left, p.ID)
		}
	}
	if len(as.left) == len(doc.Parameters) {
		missing = all
	}
	as.unused = a.unused()
	return as, missing.Err()
}

type assigner struct {
	t         *table
	columns   []column
	equipment string
	mapped    map[string]string
}

// checkMap refuses a --map that names what there is not.
func (a *assigner) checkMap(inputs []string) error {
	for _, input := range slices.Sorted(maps.Keys(a.mapped)) {
		if !slices.Contains(inputs, input) {
			return Usage{fmt.Sprintf("--map %s=%s: the specification has no input %s%s", input, a.mapped[input], input, didYouMean(input, inputs))}
		}
		if name := a.mapped[input]; slices.Index(a.t.header, name) < 1 {
			return Usage{fmt.Sprintf("--map %s=%s: %s has no column %q%s", input, name, a.t.file, clip(name), didYouMean(name, a.t.header[1:]))}
		}
	}
	return nil
}

// find is the column of an input, -1 when there is none: the one that --map
// gives it, or the one of its name unless that is a context field.
func (a *assigner) find(input string) int {
	if name, ok := a.mapped[input]; ok {
		return slices.Index(a.t.header, name)
	}
	for i, name := range a.t.header {
		if i > 0 && a.columns[i].field == "" && (name == input || name == a.equipment+"/"+input) {
			return i
		}
	}
	return -1
}

// missing says that an input has no column; mistaken when it seems to be meant
// by one that there is.
func (a *assigner) missing(input string) (p strictyaml.Problem, mistaken bool) {
	message := "no column for the input " + input
	if i := slices.Index(a.t.header, input); i > 0 && a.columns[i].field != "" {
		message += ": the column of that name is the context field"
		mistaken = true
	}
	hint := fmt.Sprintf("add one, or say which it is with --map %s=COLUMN", input)
	if near := strictyaml.Nearest(input, a.unused()); near != "" {
		hint, mistaken = fmt.Sprintf("did you mean --map %s=%s?", input, near), true
	}
	return strictyaml.Problem{File: a.t.file, Line: a.t.line, Column: 1, Message: message, Hint: hint}, mistaken
}

func (a *assigner) unused() []string {
	var names []string
	for i, c := range a.columns {
		if i > 0 && c.field == "" && len(c.tags) == 0 && a.t.header[i] != "" {
			names = append(names, a.t.header[i])
		}
	}
	return names
}

func didYouMean(name string, names []string) string {
	if near := strictyaml.Nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

// rows are the rows of a table, each cell taken for what its column is.
type rows struct {
	*table
	columns []column
	start   sample.Time // what seconds are counted from
	odd     oddities
}

// next returns the next row. The error is io.EOF, strictyaml.Problems with all
// that is wrong in the row, or the reader's own. The row is good until the next
// call.
func (r *rows) next() (row, error) {
	cells, err := r.read()
	if err != nil {
		return row{}, err
	}
	var ps strictyaml.Problems
	var x row
	if x.t, err = Instant(strings.TrimSpace(cells[0]), r.start); err != nil {
		ps = append(ps, r.wrong(0, err))
	}
	for i := 1; i < len(r.columns); i++ {
		cell := strings.TrimSpace(cells[i])
		if cell == "" {
			continue
		}
		c := &r.columns[i]
		if c.field != "" {
			if x.fields == nil {
				x.fields = map[string]string{}
			}
			x.fields[c.field] = strings.Clone(cell)
		}
		if len(c.tags) == 0 {
			continue
		}
		v, err := reading(strings.Clone(cells[i]), c.text)
		if err != nil {
			ps = append(ps, r.wrong(i, err))
			continue
		}
		r.odd.look(r.table, i, cell, v.Value)
		for _, tag := range c.tags {
			v.Tag = tag
			x.values = append(x.values, v)
		}
	}
	return x, ps.Err()
}

func (r *rows) wrong(column int, err error) strictyaml.Problem {
	hint := ""
	if p, ok := err.(*problem); ok { //nolint:errorlint // made beside the call and never wrapped
		hint = p.hint
	}
	return r.problem(column, err.Error(), hint)
}

// oddities are cells that the daemon would take for samples of bad quality, and
// that a file more likely has by mistake: they are judged so, and told.
type oddities struct {
	notFinite, text odd
	number          func(column int) bool // no rule of the column's inputs takes text
}

type odd struct {
	count int
	first strictyaml.Problem
}

func (o *oddities) look(t *table, column int, cell string, v sample.Value) {
	switch {
	case !v.Finite():
		o.notFinite.add(t, column, cell)
	case v.Kind() == sample.String && o.number(column):
		o.text.add(t, column, cell)
	}
}

func (o *odd) add(t *table, column int, cell string) {
	if o.count == 0 {
		o.first = t.problem(column, fmt.Sprintf("%q", clip(cell)), "")
	}
	o.count++
}

// notes says what was judged as of bad quality.
func (o *oddities) notes() (notes []string) {
	if n := o.notFinite; n.count > 0 {
		notes = append(notes, fmt.Sprintf("%s is no finite number: judged as a bad sample; such cells: %d (a bad sample is written bad)", n.first, n.count))
	}
	if n := o.text; n.count > 0 {
		notes = append(notes, fmt.Sprintf("%s is text where a number is judged: a bad sample; such cells: %d (leave a cell empty where there is no sample)", n.first, n.count))
	}
	return notes
}
