package spc

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestSelect(t *testing.T) {
	for _, tc := range []struct {
		name, csv string
		s         Selection
		want      string // values, or groups
	}{
		{"the value beside an index", "index,value\n1,5\n2,6\n", Selection{}, "[5 6]"},
		{"named", "a,b\n1,5\n2,6\n", Selection{Column: "a"}, "[1 2]"},
		{"the last of several", "a,b\n1,5\n2,6\n", Selection{}, "[5 6]"},
		{"one column", "value\n5\n6\n", Selection{}, "[5 6]"},
		{"texts are no candidates", "value,remark\n5,good\n6,\n", Selection{}, "[5 6]"},
		{"byte order mark and CRLF", "\ufeffvalue\r\n5\r\n6\r\n", Selection{Column: "value"}, "[5 6]"},
		{"quotes and blanks", "\"value\", x y\n \"5\",1\n6,2\n", Selection{Column: "value"}, "[5 6]"},
		{"no newline at the end", "value\n5\n6", Selection{}, "[5 6]"},
		{"semicolons", "index;value\n1;5.5\n2;6\n", Selection{}, "[5.5 6]"},
		{"semicolons and decimal commas", "index;value\n1;5,5\n2;-6,25e1\n3;7\n", Selection{}, "[5.5 -62.5 7]"},
		{"tabs", "index\tvalue\n1\t5\n2\t6\n", Selection{}, "[5 6]"},
		{"an empty cell", "index,value\n1,5\n2,\n3,6\n", Selection{}, "[5 NaN 6]"},
		{"an empty line in one column", "value\n5\n\n6\n\n", Selection{}, "[5 NaN 6]"},
		{"an empty line elsewhere", "index,value\n1,5\n\n2,6\n", Selection{}, "[5 6]"},
		{"signs and exponents", "v\n+1e2\n-.5\n5.\n", Selection{}, "[100 -0.5 5]"},
		{"consecutive", "v\n1\n2\n3\n4\n5\n", Selection{Size: 2}, "[[1 2] [3 4] [5]]"},
		{"consecutive in rows", "subgroup,x1,x2\n1,1,2\n2,3,4\n", Selection{Size: 4, Form: Wide}, "[[1 2 3 4]]"},
		{"consecutive of one of several", "temperature,pressure\n1,5\n2,6\n", Selection{Size: 2, Form: Wide}, "[[5 6]]"},
		{"labelled", "lot,v\na,1\na,2\nb,3\n", Selection{Label: "lot"}, "[[1 2] [3]]"},
		{"labelled rows", "subgroup,x1,x2\n1,1,2\n2,3,\n", Selection{Label: "subgroup", Form: Either}, "[[1 2] [3 NaN]]"},
		{"labelled, several columns", "subgroup,temperature,pressure\n1,1,5\n1,2,6\n2,3,7\n", Selection{Label: "subgroup", Form: Wide}, "[[5 6] [7]]"},
		{"rows", "subgroup,x1,x2\n1,1,2\n2,3,4\n", Selection{Form: Either}, "[[1 2] [3 4]]"},
		{"rows by their names", "day,x1,x2\nmo,1,2\ntu,3,4\n", Selection{Form: Either}, "[[1 2] [3 4]]"},
		{"rows of anything", "sample,a,b\n1,1,2\n2,3,4\n", Selection{Form: Wide}, "[[1 2] [3 4]]"},
		{"two things measured are no subgroup", "sample,temperature,pressure\n1,1,2\n2,3,4\n", Selection{Form: Either}, "[2 4]"},
		{"one of a row", "subgroup,x1,x2\n1,1,2\n2,3,4\n", Selection{Column: "x1"}, "[1 3]"},
	} {
		table, err := ParseTable("f.csv", []byte(tc.csv))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		d, err := table.Select(tc.s)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		got := fmt.Sprint(d.Values)
		if d.Groups != nil {
			got = fmt.Sprint(d.Groups)
		}
		if got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestSelectRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, csv string
		s         Selection
		want      string
	}{
		{"nothing", "", Selection{}, "f.csv: empty: want a line of column names"},
		{"only a header", "value\n", Selection{}, "f.csv: no column of numbers: there are value"},
		{"only a header, named", "value\n", Selection{Column: "value"}, "f.csv: no value in value"},
		{"only empty cells", "i,value\n1,\n2,\n", Selection{Column: "value"}, "f.csv: no value in value"},
		{"no header", "1,2\n3,4\n", Selection{}, "f.csv:1: the first line has no names"},
		{"same names", "a,a\n1,2\n", Selection{}, `f.csv:1: two columns are called "a"`},
		{"a word", "v\n1\nx\n", Selection{}, `f.csv:3: column v: "x" is not a number: want a decimal number, or an empty cell`},
		{"two words", "v\n1\nx\ny\n", Selection{}, "f.csv:4: column v: \"y\""},
		{"many words", "v\n1" + strings.Repeat("\nx", 12), Selection{}, "f.csv: and 2 more"},
		{"NaN", "v\n1\nNaN\n", Selection{}, `"NaN" is not a number`},
		{"infinite", "v\n1\n-inf\n", Selection{}, `"-inf" is not a number`},
		{"hexadecimal", "v\n1\n0x10\n", Selection{}, `"0x10" is not a number`},
		{"grouped", "v\n1\n1_000\n", Selection{}, `"1_000" is not a number`},
		{"overflow", "v\n1\n1e999\n", Selection{}, `"1e999" is larger than 1e+150`},
		{"huge", "v\n1\n-1e151\n", Selection{}, `"-1e151" is larger than 1e+150`},
		{"long", "v\n1\n" + strings.Repeat("9", 10000) + "x\n", Selection{}, "…"},
		{"a decimal comma", "v\n1,5\n", Selection{}, "f.csv:2: 2 cells where the header has 1: want one cell a column, an empty one where a value is missing; for decimal commas separate"},
		{"both decimal signs", "i;v\n1;1,5\n2;1.5\n", Selection{}, `f.csv:3: column v: "1.5" is a decimal point where`},
		{"short row", "a,b\n1,2\n3\n", Selection{}, "f.csv:3: 1 cells where the header has 2"},
		{"open quote", "a,b\n1,\"2\n", Selection{}, "f.csv:2: extraneous or missing \" in quoted-field: mend the quotes"},
		{"UTF-16", "\xff\xfev\x00\n\x00", Selection{}, "f.csv: the text is UTF-16: save the file as CSV UTF-8"},
		{"not text", "v\n\x00\n", Selection{}, "f.csv: not a text in UTF-8"},
		{"no such column", "a,b\n1,2\n", Selection{Column: "c"}, `f.csv: no column "c": there are a, b`},
		{"no such label", "a,b\n1,2\n", Selection{Label: "c"}, `f.csv: no column "c": there are a, b`},
		{"no name", "a,\n1,2\n", Selection{}, "f.csv: column 2 has numbers and no name"},
		{"a row for a single value", "subgroup,x1,x2\n1,1,2\n", Selection{}, "a row has 2 values, x1, x2, and this chart takes one"},
		{"label again", "lot,v\na,1\nb,2\na,3\n", Selection{Label: "lot"}, `f.csv:4: subgroup "a" was already in line 2: sort the rows by lot`},
		{"no label", "lot,v\na,1\n,2\n", Selection{Label: "lot"}, "f.csv:3: column lot is empty"},
	} {
		table, err := ParseTable("f.csv", []byte(tc.csv))
		if err == nil {
			_, err = table.Select(tc.s)
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || len(err.Error()) > 2000 {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
}

func TestWhere(t *testing.T) {
	table, err := ParseTable("f.csv", []byte("case,z\na,1\nb,2\na,3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Where("kind", "a"); err == nil {
		t.Error("no such column")
	}
	if err := table.Where("case", "a"); err != nil {
		t.Fatal(err)
	}
	d, err := table.Select(Selection{})
	if err != nil || !slices.Equal(d.Values, []float64{1, 3}) {
		t.Errorf("%v %v", d, err)
	}
	if err := table.Where("case", "b"); err == nil || !strings.Contains(err.Error(), `no row has "b" in column case`) {
		t.Errorf("%v", err)
	}
}

// FuzzParseTable reads anything. What is accepted is finite and bounded, keeps
// its number of values in whatever form, and can be written and read again.
func FuzzParseTable(f *testing.F) {
	for _, s := range []string{
		"index,value\n1,5\n2,6\n", "subgroup,x1,x2\n1,1,2\n2,3,\n", "i;v\n1;1,5\n2;\n", "\ufeffv\r\n1\r\n\r\n2\r\n",
		"v\n1e150\n-1e-300\n", "v\nNaN\n", "v\n0x1p4\n", "a\tb\n1\t2\n", "\"a\nb\",c\n1,2\n", "lot,v\na,1\na,2\nb,3\n", "\xff\xfe", "v\n\"1\n",
	} {
		f.Add([]byte(s), 2)
	}
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		table, err := ParseTable("f.csv", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.csv:") {
				t.Fatalf("an error without the file: %v", err)
			}
			return
		}
		for _, form := range []Form{Single, Either, Wide} {
			d, err := table.Select(Selection{Form: form})
			if err != nil {
				continue
			}
			checkValues(t, d)
			again := "value\n"
			for _, v := range d.Values {
				cell := "\"\""
				if !math.IsNaN(v) {
					cell = strconv.FormatFloat(v, 'g', -1, 64)
				}
				again += cell + "\n"
			}
			if copied, err := ParseTable("g.csv", []byte(again)); err != nil {
				t.Fatalf("written again: %v", err)
			} else if e, err := copied.Select(Selection{}); err != nil || fmt.Sprint(e.Values) != fmt.Sprint(d.Values) {
				t.Fatalf("written again: %v %v, want %v", e, err, d.Values)
			}
		}
		if size > 0 {
			if d, err := table.Select(Selection{Size: size}); err == nil {
				checkValues(t, d)
			}
		}
	})
}

func checkValues(t *testing.T, d *Data) {
	for _, v := range d.Values {
		if math.Abs(v) > MaxValue {
			t.Fatalf("accepted %v", v)
		}
	}
	if d.Groups == nil {
		return
	}
	n := 0
	for _, g := range d.Groups {
		n += len(g)
	}
	if n != len(d.Values) {
		t.Fatalf("%d values in subgroups of %d", n, len(d.Values))
	}
}
