package spc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Form is how subgroups may stand in a file.
type Form uint8

// The forms.
const (
	// Single takes one column of values.
	Single Form = iota
	// Either takes a row as a subgroup if the columns are plainly made for that:
	// x1, x2, x3, or columns beside one called subgroup that numbers the rows.
	Either
	// Wide takes a row as a subgroup if there is more than one column of values
	// and no Size or Label.
	Wide
)

// Selection says which cells of a table are the data.
type Selection struct {
	Column string // of the values; "" to choose
	Size   int    // so many consecutive values are a subgroup; 0 for none
	Label  string // column whose equal, consecutive cells make a subgroup; "" for none
	Form   Form   // what may be chosen when neither Size nor Label makes subgroups
}

// Data is what was selected.
type Data struct {
	Observed
	Columns []string // that the values come from
	Left    int      // values in an incomplete last subgroup of Size; 0 if it is complete
	Others  int      // columns that were not taken and might be meant
}

// labels are the names of columns that number or name rows and are no values.
func labels() []string {
	return []string{"index", "idx", "i", "no", "nr", "no.", "point", "time", "t", "date", "timestamp", "subgroup", "group", "sample", "batch", "lot", "part", "serial", "case", "run", "id", "row", "obs"}
}

// Select reads the values. Without a Column it is the last with numbers in it
// that does not number the rows; where a row is a subgroup, all of them. Values
// are taken row by row. The error lists the cells that are no numbers.
func (t *Table) Select(s Selection) (*Data, error) {
	columns, others, wide, err := t.columnsOf(s)
	if err != nil {
		return nil, err
	}
	d := &Data{Others: others}
	for _, c := range columns {
		d.Columns = append(d.Columns, t.columns[c])
	}
	rows, err := t.values(columns)
	if err != nil {
		return nil, err
	}
	known := 0
	for _, r := range rows {
		d.Values = append(d.Values, r...)
		known += SubgroupOf(r).N
	}
	if known == 0 {
		return nil, fmt.Errorf("%s: no value in %s", t.name, strings.Join(d.Columns, ", "))
	}
	switch {
	case s.Label != "":
		d.Groups, err = t.labelled(s.Label, rows)
	case s.Size > 0:
		for group := range slices.Chunk(d.Values, s.Size) {
			d.Groups = append(d.Groups, group)
		}
		d.Left = len(d.Values) % s.Size
	case wide:
		d.Groups = rows
	}
	return d, err
}

// columnsOf chooses the columns of the values, counts others that might be meant
// and says whether a row is a subgroup.
func (t *Table) columnsOf(s Selection) (columns []int, others int, wide bool, err error) {
	if s.Label != "" {
		if _, err := t.column(s.Label); err != nil {
			return nil, 0, false, err
		}
	}
	if s.Column != "" {
		c, err := t.column(s.Column)
		return []int{c}, 0, false, err
	}
	for c, name := range t.columns {
		switch {
		case name != "" && name == s.Label || slices.Contains(labels(), strings.ToLower(name)) || !t.hasNumber(c):
		case name == "":
			return nil, 0, false, fmt.Errorf("%s: column %d has numbers and no name: give it one", t.name, c+1)
		default:
			columns = append(columns, c)
		}
	}
	if len(columns) == 0 {
		return nil, 0, false, fmt.Errorf("%s: no column of numbers: there are %s; name the one to take with --column", t.name, strings.Join(t.columns, ", "))
	}
	switch asked := s.Size > 0 || s.Label != ""; {
	case len(columns) == 1:
	case s.Form == Wide && !asked, s.Form != Single && t.madeWide(columns):
		return columns, 0, true, nil
	case t.madeWide(columns):
		return nil, 0, false, fmt.Errorf("%s: a row has %d values, %s, and this chart takes one: name its column with --column", t.name, len(columns), t.namesOf(columns))
	}
	return columns[len(columns)-1:], len(columns) - 1, false, nil
}

func (t *Table) namesOf(columns []int) string {
	var names []string
	for _, c := range columns {
		names = append(names, t.columns[c])
	}
	return strings.Join(names, ", ")
}

// madeWide says whether the columns are plainly the values of a row's subgroup:
// their names are one stem with numbers, or a column called subgroup has another
// word in each row.
func (t *Table) madeWide(columns []int) bool {
	c := slices.IndexFunc(t.columns, func(name string) bool { return strings.EqualFold(name, "subgroup") })
	if c >= 0 && t.distinct(c) {
		return true
	}
	stem := strings.TrimRight(t.columns[columns[0]], "0123456789")
	return !slices.ContainsFunc(columns, func(c int) bool {
		rest, ok := strings.CutPrefix(t.columns[c], stem)
		return !ok || rest == "" || strings.Trim(rest, "0123456789") != ""
	})
}

// distinct says whether no two rows have the same cell in a column.
func (t *Table) distinct(column int) bool {
	seen := map[string]bool{}
	for _, r := range t.rows {
		if seen[r.cells[column]] {
			return false
		}
		seen[r.cells[column]] = true
	}
	return true
}

func (t *Table) hasNumber(column int) bool {
	return slices.ContainsFunc(t.rows, func(r row) bool {
		_, err := parseNumber(r.cells[column], t.comma)
		return err == nil
	})
}

// values reads some cells of every row.
func (t *Table) values(columns []int) ([][]float64, error) {
	rows := make([][]float64, 0, len(t.rows))
	var problems []error
	for _, r := range t.rows {
		numbers := make([]float64, len(columns))
		for i, c := range columns {
			x, err := t.number(r, c)
			if err != nil {
				problems = append(problems, err)
			}
			numbers[i] = x
		}
		rows = append(rows, numbers)
	}
	if n := len(problems); n > manyProblems {
		problems = append(problems[:manyProblems], fmt.Errorf("%s: and %d more", t.name, n-manyProblems))
	}
	return rows, errors.Join(problems...)
}

// labelled joins consecutive rows with the same label. A label that comes back
// later is more likely an unsorted file than a new subgroup.
func (t *Table) labelled(column string, rows [][]float64) ([][]float64, error) {
	c, err := t.column(column)
	if err != nil {
		return nil, err
	}
	var groups [][]float64
	lines := map[string]int{}
	last := ""
	for i, r := range t.rows {
		label := r.cells[c]
		if label == "" {
			return nil, fmt.Errorf("%s: column %s is empty: want the subgroup of the row", t.at(r), column)
		}
		if label == last {
			groups[len(groups)-1] = append(groups[len(groups)-1], rows[i]...)
			continue
		}
		if line, ok := lines[label]; ok {
			return nil, fmt.Errorf("%s: subgroup %q was already in line %d: sort the rows by %s", t.at(r), label, line, column)
		}
		lines[label], last = r.line, label
		groups = append(groups, slices.Clone(rows[i]))
	}
	return groups, nil
}
