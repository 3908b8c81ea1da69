package spc

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// everyRule is every rule there is.
const everyRule = "western-electric,nelson,aiag,n8-either-side"

func mustRules(t interface {
	Helper()
	Fatal(...any)
}, text string) []Test {
	t.Helper()
	tests, err := ParseRules(text)
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// follow steps a chart through a series and lists, rule by rule, the 1-based
// points at which it signals.
func follow(c *Chart, series []float64) map[string][]int {
	found := map[string][]int{}
	var st State
	for i, x := range series {
		first := c.Step(&st, x)
		all := c.AppendSignals(nil, &st)
		if (first == "") != (len(all) == 0) || first != "" && first != all[0] {
			panic(fmt.Sprintf("point %d: Step says %q, AppendSignals %v", i+1, first, all))
		}
		for _, name := range all {
			found[name] = append(found[name], i+1)
		}
	}
	return found
}

// TestRulesReference reproduces the conformance vectors, which were constructed
// from the sources of the rules.
func TestRulesReference(t *testing.T) {
	cases := map[string][]float64{}
	f, err := os.Open("testdata/reference/rules-vectors-basic.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		z, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		cases[row[0]] = append(cases[row[0]], z)
	}
	var want struct {
		Expected map[string]map[string][]int `json:"expected"`
	}
	b, err := os.ReadFile("testdata/reference/rules-vectors-basic.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	c := Chart{Kind: KindIndividuals, Sigma: 1, Rules: mustRules(t, "western-electric,nelson,n8-either-side")}
	if len(cases) != len(want.Expected) || len(cases) == 0 {
		t.Fatalf("%d cases in the file, %d expected", len(cases), len(want.Expected))
	}
	for name, series := range cases {
		got := follow(&c, series)
		for rule, points := range want.Expected[name] {
			rule = strings.ReplaceAll(strings.ToLower(rule), "_", "-")
			if !slices.Equal(got[rule], points) {
				t.Errorf("%s: %s at %v, want %v", name, rule, got[rule], points)
			}
			delete(got, rule)
		}
		if len(got) != 0 {
			t.Errorf("%s: rules nobody expects: %v", name, got)
		}
	}
}

// literally says what a rule says, in the words of its source and without bits:
// it looks at the window of z that ends at point i.
func literally(t Test, z []float64, i int) bool {
	if i+1 < t.Length {
		return false
	}
	w := z[i+1-t.Length : i+1]
	every := func(f func(float64) bool) bool { return !slices.ContainsFunc(w, func(x float64) bool { return !f(x) }) }
	some := func(f func(float64) bool) bool { return slices.ContainsFunc(w, f) }
	count := func(f func(float64) bool) (n int) {
		for _, x := range w {
			if f(x) {
				n++
			}
		}
		return n
	}
	last := w[len(w)-1]
	sided := func(zone float64) bool {
		return last > zone && count(func(x float64) bool { return x > zone }) >= t.Count ||
			last < -zone && count(func(x float64) bool { return x < -zone }) >= t.Count
	}
	steps := func(f func(a, b, before float64) bool) bool {
		for k := 1; k < len(w); k++ {
			before := 0.0
			if k > 1 {
				before = w[k-1] - w[k-2]
			}
			if !f(w[k-1], w[k], before) {
				return false
			}
		}
		return true
	}
	far := func(x float64) bool { return math.Abs(x) > 1 }
	switch t.Pattern {
	case Beyond3:
		return math.Abs(last) > 3
	case Beyond2:
		return sided(2)
	case Beyond1:
		return sided(1)
	case OneSide:
		return every(func(x float64) bool { return x > 0 }) || every(func(x float64) bool { return x < 0 })
	case Trend:
		return slices.IsSortedFunc(w, strictly(1)) || slices.IsSortedFunc(w, strictly(-1))
	case Alternating:
		return steps(func(a, b, before float64) bool { return a != b && (b-a)*before <= 0 })
	case Hugging:
		return every(func(x float64) bool { return math.Abs(x) < 1 })
	case Mixture:
		return every(far) && some(func(x float64) bool { return x > 0 }) && some(func(x float64) bool { return x < 0 })
	case EitherSide:
		return every(far)
	}
	panic("no such pattern")
}

// strictly makes equal neighbours unsorted.
func strictly(sign float64) func(a, b float64) int {
	return func(a, b float64) int {
		if (b-a)*sign > 0 {
			return 1
		}
		return -1
	}
}

// zSeries draws series that like to complete patterns: stretches with one habit
// each, on a lattice of quarters so that lines and ties are met.
func zSeries() *rapid.Generator[[]float64] {
	return rapid.Custom(func(t *rapid.T) []float64 {
		var z []float64
		for len(z) < 60 {
			low := rapid.IntRange(-14, 13).Draw(t, "low")
			high := rapid.IntRange(low, 14).Draw(t, "high")
			stretch := rapid.SliceOfN(rapid.IntRange(low, high), 1, 20).Draw(t, "stretch")
			switch rapid.IntRange(0, 3).Draw(t, "habit") {
			case 0:
				slices.Sort(stretch)
			case 1:
				for i := range stretch {
					stretch[i] = max(stretch[i], -stretch[i]) * (1 - 2*(i%2))
				}
			}
			for _, q := range stretch {
				z = append(z, float64(q)/4)
			}
		}
		return z
	})
}

// TestRulesLiterally compares each rule, with its own and with other lengths,
// to its definition written a second time.
func TestRulesLiterally(t *testing.T) {
	seen := map[Pattern]int{}
	rapid.Check(t, func(t *rapid.T) {
		tests := mustRules(t, everyRule)
		for i := range tests {
			if tests[i].Pattern == Beyond3 || !rapid.Bool().Draw(t, "changed") {
				continue
			}
			tests[i].Length = rapid.IntRange(3, 10).Draw(t, "length")
			tests[i].Count = tests[i].Length
			if tests[i].Pattern == Beyond1 || tests[i].Pattern == Beyond2 {
				tests[i].Count = rapid.IntRange(1, tests[i].Length-1).Draw(t, "count")
			}
		}
		z := zSeries().Draw(t, "z")
		c := Chart{Kind: KindIndividuals, Sigma: 1, Rules: tests}
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		got := follow(&c, z)
		for _, test := range tests {
			var want []int
			for i := range z {
				if literally(test, z, i) {
					want = append(want, i+1)
					seen[test.Pattern]++
				}
			}
			if !slices.Equal(got[test.Name], want) {
				t.Fatalf("%+v on %v: at %v, want %v", test, z, got[test.Name], want)
			}
		}
	})
	for p := Beyond3; p <= EitherSide; p++ {
		if seen[p] == 0 {
			t.Errorf("pattern %d never came up: the series prove nothing about it", p)
		}
	}
}

// TestRulesAnyUnit tells a series in other units and wants the same signals. The
// values are what a person would write, so a value on a line is on it in
// decimals and off it by a rounding in binary.
func TestRulesAnyUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := zSeries().Draw(t, "z")
		c := Chart{Kind: KindIndividuals, Sigma: 1, Rules: mustRules(t, everyRule)}
		want := follow(&c, z)
		center := rapid.IntRange(-1000, 1000).Draw(t, "center in tenths")
		sigma := rapid.IntRange(1, 400).Draw(t, "sigma in hundredths")
		decimal := func(tenThousandths int) float64 {
			x, err := strconv.ParseFloat(fmt.Sprintf("%de-4", tenThousandths), 64)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		c.Center, c.Sigma = decimal(center*1000), decimal(sigma*100)
		told := make([]float64, len(z))
		for i := range z {
			told[i] = decimal(center*1000 + int(4*z[i])*sigma*25)
		}
		got := follow(&c, told)
		for _, test := range c.Rules {
			if !slices.Equal(got[test.Name], want[test.Name]) {
				t.Fatalf("%s at %v, in sigma at %v", test.Name, got[test.Name], want[test.Name])
			}
		}
	})
}

func TestParseRules(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"western-electric", "we1 we2 we3 we4"},
		{"nelson", "n1 n2 n3 n4 n5 n6 n7 n8"},
		{"aiag", "aiag1 aiag2 aiag3 aiag4 aiag5 aiag6 aiag7 aiag8"},
		{"N1, n2 ,WE4", "n1 n2 we4"},
		{"n2=8,we2=3/4", "n2=8 we2=3/4"},
		{"n2=9,we2=2/3", "n2 we2"},
		{"n8-either-side", "n8-either-side"},
	} {
		var names []string
		for _, test := range mustRules(t, tc.text) {
			names = append(names, test.Name)
		}
		if got := strings.Join(names, " "); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.text, got, tc.want)
		}
	}
	for _, tc := range []struct{ text, want string }{
		{"", `run rule "": want nelson`},
		{"n1,,n2", `run rule "": want nelson`},
		{"n9", `run rule "n9": want nelson`},
		{"n1,nelson", "run rule n1 stands twice"},
		{"nelson=3", `run rule "nelson=3": want nelson`},
		{"n2=x", `run rule "n2=x": "x" is no length`},
		{"n2=1", "length 1: want 2 to 32 points"},
		{"n2=33", "length 33: want 2 to 32 points"},
		{"n3=2", "length 2: want 3 to 32 points"},
		{"n2=7/9", "all points count: want one length"},
		{"n1=2", "one point is enough"},
		{"we2=3", "want a count and a length, such as 2/3"},
		{"we2=0/3", "0 of 3 points"},
		{"we2=4/3", "4 of 3 points"},
	} {
		_, err := ParseRules(tc.text)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.text, err, tc.want)
		}
	}
}

func FuzzParseRules(f *testing.F) {
	for _, s := range []string{everyRule, "n2=8", "we2=2/3", "n1,n1", "=", "n2=/", "n2=99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tests, err := ParseRules(text)
		if err != nil {
			return
		}
		c := Chart{Kind: KindIndividuals, Sigma: 1, Rules: tests}
		if err := c.Check(); err != nil {
			t.Fatalf("%q was accepted and is refused: %v", text, err)
		}
		var st State
		for i := range 2 * MaxLength {
			c.Step(&st, float64(i))
		}
	})
}
