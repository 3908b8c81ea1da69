package spec

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"
)

// ofInputs is the language of a computed value of the inputs.
func ofInputs(inputs ...string) language {
	l := language{want: aNumber, names: map[string]variable{}}
	for i, name := range inputs {
		l.names[name] = variable{i, aNumber}
	}
	return l
}

func TestExpressionValues(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		expression string
		a, b       float64
		want       float64
	}{
		{"a - b", 5, 3, 2},
		{"a + b * 2 ^ 3", 1, 2, 17},
		{"-a ^ 2 + b", 3, 0, -9},
		{"a - -b", 3, 2, 5},
		{"a - (-b)", 3, 2, 5},
		{"2 ^ b ^ a", 2, 3, 512}, // to the right: 2^(3^2)
		{"a / b", 1, 4, 0.25},
		{"a / b", 1, 0, nan},
		{"7 / 2 * (a + b)", 1, 1, 7}, // a division of whole numbers keeps its fraction
		{"9223372036854775807 + a + b", 1, 0, 9223372036854775808},
		{"min(a, b, 4) + max(a, b) + mean(a, b, 3)", 5, 10, 4 + 10 + 6},
		{"abs(a) + sqrt(b) + exp(0) + log(1) + pow(a, 2)", -2, 9, 2 + 3 + 1 + 0 + 4},
		{"sqrt(a) + b", -1, 0, nan},
		{"log(a) + b", 0, 0, nan},
		{"exp(a) + b", 1000, 0, nan},
		{"a * b", 1e200, 1e200, nan},
		{"a > b ? a : b", 2, 3, 3},
		{"b == 0 ? 0 : a / b", 5, 0, 0}, // the side that is not chosen does not count
		{"b == 0 ? 0 : a / b", 5, 2, 2.5},
		{"a / b > 1 ? 1 : 0", 1, 0, nan}, // undefined is not false
		{"a / b > 1 and a > 9 ? 1 : 0", 1, 0, 0},
		{"a / b > 1 or a < 9 ? 1 : 0", 1, 0, 1},
		{"not (a > b) ? 1 : 0", 1, 2, 1},
		{"(a >= 1 and b <= 2) == true ? 1 : 0", 1, 2, 1},
		{"a > b and a != 7 || b == 2 ? 10 : 20", 1, 2, 10},
		{"a + b", nan, 1, nan},
		{"a + b", math.Inf(1), 1, nan},
		{"min(a, b)", math.Inf(-1), 1, nan},
		{"pow(a, b)", nan, 0, nan}, // math.Pow says 1
	} {
		p, f := ofInputs("a", "b").program(test.expression)
		if f != nil {
			t.Errorf("%s: %s (%s)", test.expression, f.cause, f.cure)
			continue
		}
		c := Computed{program: p}
		got, ok := c.Value([]float64{test.a, test.b})
		if ok == math.IsNaN(test.want) || ok && got != test.want {
			t.Errorf("%s with %v, %v: %v, %v; want %v", test.expression, test.a, test.b, got, ok, test.want)
		}
	}
}

func TestExpressionRefused(t *testing.T) {
	deep := strings.Repeat("(a+", 40) + "b" + strings.Repeat(")", 40)
	for _, test := range []struct{ expression, cause string }{
		{"", "cannot be read"},
		{"a -", "cannot be read at its character"},
		{"a b", "cannot be read at its character 3"},
		{"a + c", "the expression names c, which is not known here"},
		{"a", "the input b is not used"},
		{"a > b", "the expression is true or false, want a number"},
		{"a + (b > 1)", "+ wants a number and has true or false"},
		{"(a > 1) + b", "+ wants a number and has true or false"},
		{"a and b", "and wants true or false and has a number"},
		{"not a + b", "not wants true or false"},
		{"-(a > b)", "- wants a number"},
		{"a ? b : 1", "? wants true or false"},
		{"a > b ? 1 : false", "a condition with a number on its one side wants a number"},
		{"a > b == 1 ? 1 : 0", "== wants true or false and has a number"},
		{"a % b", `the character '%'`},
		{"a .. b", `the character '.'`},
		{"a in b", "the operator in has no meaning"},
		{"a matches b", "the operator matches has no meaning"},
		{"a ?? b", "the operator ?? has no meaning"},
		{"a | b()", "there is no function b"},
		{"now()", "there is no function now"},
		{"sum(a, b)", ""},
		{"map(a, b)", ""},
		{"len(a) + b", "there is no function len"},
		{"repeat(a, b)", "there is no function repeat"},
		{"::now()", ""},
		{"abs(a, b)", "abs of 2 values"},
		{"pow(a) + b", "pow of 1 values"},
		{"min() + a + b", "min of 0 values"},
		{"abs(a > b)", "abs wants a number"},
		{"nil", "has no meaning here"},
		{"a?.b", `the character '.'`},
		{"[a][b]", `the character '['`},
		{"{a: b}", `the character '{'`},
		{"a; b", `the character ';'`},
		{"let x = a", "cannot be read"},
		{`"a" + b`, `the character '"'`},
		{"a + b # more", `the character '#'`},
		{"a // b", `"//" has no meaning`},
		{"a + b // more", `"//" has no meaning`},
		{"a + b /* more */", `"/*" has no meaning`},
		{"a ** b", `"**" has no meaning`},
		{"a--b", `"--" has no meaning`},
		{"a + --b", `"--" has no meaning`},
		{"a++b", `"++" has no meaning`},
		{"a + b\n", `the character '\n'`},
		{"010 + a + b", `"010" is not a number`},
		{"0x10 + a + b", `"0x10" is not a number`},
		{"1_000 + a + b", `"1_000" is not a number`},
		{"5min + a + b", `"5min" is not a number`},
		{"1e999 + a + b", "cannot be read"},
		{"99999999999999999999 + a + b", "cannot be read"},
		{"a + µ", `the character 'µ'`},
		{"a + \xff", `the character`},
		{"a + b + " + strings.Repeat("1 + ", 300) + "1", "an expression of"},
		{"a+b" + strings.Repeat("+1", 150), "more than 200 parts"},
		{deep + "+" + deep, "nested too deep"},
		{strings.Repeat("(", 1000), "cannot be read"},
		{strings.Repeat("- ", 500) + "a", "more than 200 parts"},
		{strings.Repeat("min(", 200), "cannot be read"},
	} {
		p, f := ofInputs("a", "b").program(test.expression)
		if f == nil {
			t.Errorf("%.40q: accepted as %v", test.expression, p)
			continue
		}
		if !strings.Contains(f.cause, test.cause) || f.cure == "" {
			t.Errorf("%.40q: %s (%s), want %q", test.expression, f.cause, f.cure, test.cause)
		}
	}
}

// drawn is a random expression of a and b that is never undefined, with all
// brackets written.
func drawn(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom([]string{"a", "b", "2.5", "0.125", "1e-3"}).Draw(t, "leaf")
	}
	x, y := drawn(t, depth-1), drawn(t, depth-1)
	switch rapid.IntRange(0, 6).Draw(t, "form") {
	case 0:
		return fmt.Sprintf("abs(-%s)", x)
	case 1:
		return fmt.Sprintf("(%s > %s and not (%s == %s) ? %s : %s)", x, y, x, y, y, x)
	case 2:
		return fmt.Sprintf("max(%s, min(%s, 7.5))", x, y)
	default:
		return fmt.Sprintf("(%s %s %s)", x, rapid.SampledFrom([]string{"+", "-", "*"}).Draw(t, "sign"), y)
	}
}

// What a person knows of the notation from elsewhere holds here: the library's
// own machine computes the same.
func TestExpressionAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expression := "a + b + " + drawn(t, rapid.IntRange(0, 3).Draw(t, "depth"))
		p, f := ofInputs("a", "b").program(expression)
		if f != nil {
			if strings.Contains(f.cause, "parts") || strings.Contains(f.cause, "bytes") {
				return
			}
			t.Fatalf("%s: %s", expression, f.cause)
		}
		a, b := rapid.Float64Range(-100, 100).Draw(t, "a"), rapid.Float64Range(-100, 100).Draw(t, "b")
		want, err := expr.Eval(expression, map[string]any{"a": a, "b": b})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.run([]float64{a, b}); got != want {
			t.Fatalf("%s with %v, %v: %v, the library says %v", expression, a, b, got, want)
		}
	})
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{"a - b", "a > b ? min(a, 2) : -b ^ 2", "not (a == b) and true ? 1e3 : 0.5", "a | abs()", "((((a", "a ?: b", "::a", "outside_for > 5min and class == \"major\"", "product_exposed"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, fault := ofInputs("a", "b").program(s); fault == nil {
			for _, v := range [][]float64{{0, 0}, {1, -1}, {math.MaxFloat64, 2}, {math.NaN(), 1}} {
				c := Computed{program: p}
				x, ok := c.Value(v)
				if ok == (math.IsNaN(x) || math.IsInf(x, 0)) {
					t.Fatalf("%q of %v: %v, %v", s, v, x, ok)
				}
			}
		} else if fault.cause == "" || fault.cure == "" || len(fault.cause) > 400 {
			t.Fatalf("%q: %+v", s, fault)
		}
		if p, fault := factsLanguage().program(s); fault == nil {
			(&Classification{programs: []*program{p}}).Critical(ClassFacts{Class: Major})
		}
	})
}

func TestClassification(t *testing.T) {
	facts := ClassFacts{ProductExposed: true, SpecialProcess: true, OutsideFor: 10 * time.Minute, OutsideParFor: 5 * time.Minute, Class: Major}
	for expression, want := range map[string]bool{
		"product_exposed and special_process and outside_par_for > 5min":  false, // not longer than
		"product_exposed and special_process and outside_par_for >= 5min": true,
		"outside_par_for > 299s":                                              true,
		"outside_for > 0.25h":                                                 false,
		"outside_for >= 600000ms":                                             true,
		"outside_for + outside_par_for > 1d":                                  false,
		"not product_exposed":                                                 false,
		"!special_process || class == 'major'":                                true,
		`class == "minor"`:                                                    false,
		`class != "minor" and special_process == true`:                        true,
		"max(outside_for, outside_par_for) == 10min":                          true,
		"product_exposed ? outside_for > 9min : class == \"critical\"":        true,
		"(product_exposed and not special_process) or outside_for > 2h":       false,
		"product_exposed and (special_process == false or outside_for > 10s)": true,
	} {
		p, f := factsLanguage().program(expression)
		if f != nil {
			t.Errorf("%s: %s (%s)", expression, f.cause, f.cure)
			continue
		}
		if got := (&Classification{programs: []*program{p}}).Critical(facts); got != want {
			t.Errorf("%s: %v, want %v", expression, got, want)
		}
	}
	if (*Classification)(nil).Critical(facts) {
		t.Error("without a classification something is critical")
	}
}

func TestClassificationRefused(t *testing.T) {
	for expression, cause := range map[string]string{
		"outside_for > 5":               `"5" is not a duration`,
		"outside_for > 5m":              `"5m" is not a duration`,
		"outside_for":                   "the expression is a number, want true or false",
		"true":                          "asks about nothing",
		"class == \"mayor\"":            `"mayor" is not a class`,
		"class == 'Major'":              "the character",
		"class > \"minor\"":             "> wants a number and has a class",
		"class":                         "the expression is a class",
		"product_exposed == class":      "== wants true or false and has a class",
		"outside > 5min":                "the expression names outside",
		"product_exposed and lot == 1s": "the expression names lot",
	} {
		if _, f := factsLanguage().program(expression); f == nil || !strings.Contains(f.cause, cause) {
			t.Errorf("%s: %+v, want %q", expression, f, cause)
		}
	}
}

// The mean kinetic temperature of equal stretches is checked against its closed
// form and, with dH/R = 10000 K (USP <1079.2>), a value worked out by hand.
func TestMeanKineticTemperature(t *testing.T) {
	for _, test := range []struct {
		unit   string
		values []float64
		want   float64
	}{
		{"Cel", []float64{25, 25, 25}, 25},
		{"K", []float64{253.15}, 253.15},
		{"[degF]", []float64{77}, 77},
		// ln((1+e^(10000(1/293.15-1/303.15)))/2) = 0.71913...: above the mean of 25
		{"Cel", []float64{20, 30}, 1/(1/293.15-math.Log((1+math.Exp(10000*(1/293.15-1/303.15)))/2)/10000) - 273.15},
	} {
		c := Computed{Over: OverOperation, Kinetic: &Kinetic{DeltaH: DefaultDeltaH, Unit: test.unit}}
		sum := 0.0
		for _, v := range test.values {
			x, ok := c.Value([]float64{v})
			if !ok {
				t.Fatalf("no value for %v %s", v, test.unit)
			}
			sum += x
		}
		got, ok := c.Back(sum / float64(len(test.values)))
		if !ok || math.Abs(got-test.want) > 1e-9 {
			t.Errorf("of %v %s: %v, %v; want %v", test.values, test.unit, got, ok, test.want)
		}
	}
	c := Computed{Over: OverOperation, Kinetic: &Kinetic{DeltaH: DefaultDeltaH, Unit: "Cel"}}
	mid, _ := c.Back((first(c.Value([]float64{20})) + first(c.Value([]float64{30}))) / 2)
	if mid <= 25 || mid >= 30 {
		t.Errorf("of 20 and 30 Cel: %v, want between their mean and the warmer", mid)
	}
	for _, v := range []float64{-273.15, -300, math.NaN(), math.Inf(1)} {
		if x, ok := c.Value([]float64{v}); ok {
			t.Errorf("at %v Cel the rate is %v", v, x)
		}
	}
	if x, ok := c.Back(0); ok {
		t.Errorf("of no rate the temperature is %v", x)
	}
}

func first(x float64, _ bool) float64 { return x }

func BenchmarkComputed(b *testing.B) {
	for _, expression := range []string{"a - b", "a > b ? (a - b) / sqrt(abs(a)) : mean(a, b, 3)"} {
		p, f := ofInputs("a", "b").program(expression)
		if f != nil {
			b.Fatal(f)
		}
		c, in := Computed{program: p}, []float64{5, 3}
		b.Run(strings.ReplaceAll(expression, " ", ""), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := c.Value(in); !ok {
					b.Fatal("no value")
				}
			}
		})
	}
}
