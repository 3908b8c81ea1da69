package spec

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	exprparser "github.com/expr-lang/expr/parser"

	"andon/internal/strictyaml"
)

// The bounds of an expression: far above any that a person would approve, low
// enough that a hostile one is refused before it costs anything.
const (
	maxExpression = 1 << 10 // bytes
	maxNodes      = 200     // names, numbers, operators and calls
)

// valueKind is what a part of an expression is.
type valueKind uint8

const (
	aNumber valueKind = iota
	aTruth
	aClass // the name of a class; only to be compared
)

func (k valueKind) String() string {
	switch k {
	case aNumber:
		return "a number"
	case aTruth:
		return "true or false"
	case aClass:
		return "a class"
	}
	return "nothing"
}

// variable is a name that an expression may use: the position of its value among
// the inputs, and what it is.
type variable struct {
	i    int
	kind valueKind
}

// language is what expressions in one place of a document may say.
type language struct {
	names map[string]variable
	want  valueKind
	// spans: numbers are durations, each with its unit, and mean seconds.
	spans bool
}

// fault is what is wrong with an expression, and how to mend it.
type fault struct{ cause, cure string }

// compile reads an expression in the notation of expr-lang/expr, of which only
// arithmetic, comparisons, and/or/not, conditions and a few functions are
// allowed: nothing repeats, nothing is kept, nothing is looked up.
func (l language) compile(n strictyaml.Node) *program {
	source := n.Text()
	if !n.OK() {
		return nil
	}
	p, f := l.program(source)
	if f != nil {
		n.Problem(f.cause, f.cure)
		return nil
	}
	return p
}

func (l language) program(source string) (*program, *fault) {
	if len(source) > maxExpression {
		return nil, &fault{fmt.Sprintf("an expression of %d bytes", len(source)), fmt.Sprintf("at most %d are read: make it simpler, or compute it where it is measured", maxExpression)}
	}
	text, f := l.plain(source)
	if f != nil {
		return nil, f
	}
	tree, err := exprparser.ParseWithConfig(text, &conf.Config{MaxNodes: maxNodes})
	if err != nil {
		return nil, l.syntaxFault(err, text == source)
	}
	c := compiler{language: l, used: map[string]bool{}}
	kind, f := c.node(tree.Node)
	switch {
	case f != nil:
		return nil, f
	case kind != l.want:
		return nil, &fault{fmt.Sprintf("the expression is %s, want %s", kind, l.want), "compare numbers to get true or false; write (…) ? 1 : 0 to get a number"}
	case l.spans && len(c.used) == 0:
		return nil, &fault{"the expression asks about nothing", "it may ask about " + l.known()}
	}
	for _, name := range slices.Sorted(maps.Keys(l.names)) {
		if !l.spans && !c.used[name] {
			return nil, &fault{fmt.Sprintf("the input %s is not used in the expression", name), "use it, or remove it from inputs: without its value there would be none"}
		}
	}
	return &program{c.steps}, nil
}

// syntaxFault puts the library's words for a syntax error where a person finds
// it; its drawing of the place would not survive on one line.
func (l language) syntaxFault(err error, placed bool) *fault {
	var at *file.Error
	cure := "write it like p_in - p_out"
	if l.spans {
		cure = "write it like product_exposed and outside_for > 5min"
	}
	switch {
	case !errors.As(err, &at):
		return &fault{"the expression cannot be read: " + clip(err.Error()), cure}
	case strings.Contains(at.Message, "maximum allowed nodes"):
		return &fault{fmt.Sprintf("the expression has more than %d parts", maxNodes), "make it simpler, or compute it where it is measured"}
	case placed:
		return &fault{fmt.Sprintf("the expression cannot be read at its character %d: %s", at.Column+1, clip(at.Message)), cure}
	}
	return &fault{"the expression cannot be read: " + clip(at.Message), cure}
}

// The words of an expression, as plain splits it.
var (
	wordForm    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	numeralForm = regexp.MustCompile(`^[0-9](?:[eE][-+][0-9]|[0-9A-Za-z_.])*`)
	textForm    = regexp.MustCompile(`^("[a-z]*"|'[a-z]*')`)
	signs       = "+-*/^()<>=!&|?:, "
	jsonNumber  = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	spanForm    = regexp.MustCompile(`^((?:0|[1-9][0-9]*)(?:\.[0-9]+)?)(ms|s|min|h|d)$`)
)

// plain lets through what an expression may be made of and nothing else, and
// writes durations as seconds. What is refused here never reaches the library.
func (l language) plain(source string) (string, *fault) {
	var b strings.Builder
	for s := source; s != ""; {
		if f := misread(s); f != nil {
			return "", f
		}
		word := wordForm.FindString(s)
		numeral := numeralForm.FindString(s)
		text := textForm.FindString(s)
		switch {
		case word != "":
			b.WriteString(word)
		case numeral != "":
			seconds, f := l.numeral(numeral)
			if f != nil {
				return "", f
			}
			b.WriteString(seconds)
		case text != "" && l.spans:
			b.WriteString(text)
		case strings.Contains(signs, s[:1]):
			b.WriteByte(s[0])
			s = s[1:]
			continue
		default:
			r := []rune(s)[0]
			return "", &fault{fmt.Sprintf("the character %q has no meaning in an expression", r), "it is made of names, numbers and + - * / ^ ( ) < > = ! & | ? : ,"}
		}
		s = s[len(word)+len(numeral)+len(text):]
	}
	return b.String(), nil
}

// misread refuses signs that mean different things to different people: what
// begins a comment or changes a variable in some languages would pass for
// arithmetic, or for nothing, in others.
func misread(s string) *fault {
	for _, x := range []struct{ sign, cause, cure string }{
		{"//", `"//" has no meaning in an expression: it is no comment and no whole division`, "write one / to divide; comments go into the document, behind #, outside of the expression"},
		{"/*", `"/*" has no meaning in an expression: there are no comments in it`, "write the comment into the document, behind #, outside of the expression"},
		{"#", `the character '#' has no meaning in an expression: there are no comments in it`, "write the comment into the document, outside of the expression"},
		{"**", `"**" has no meaning in an expression`, "write ^ for a power, as in a ^ 2"},
		{"--", `"--" has no meaning in an expression`, "write + to take away what is negative, or a - (-b)"},
		{"++", `"++" has no meaning in an expression`, "write + once"},
	} {
		if strings.HasPrefix(s, x.sign) {
			return &fault{x.cause, x.cure}
		}
	}
	return nil
}

// numeral checks how a number is written, as strictly as everywhere else in a
// document.
func (l language) numeral(s string) (string, *fault) {
	if !l.spans {
		if !jsonNumber.MatchString(s) {
			return "", &fault{fmt.Sprintf("%q is not a number", clip(s)), "write it like 5, 0.5 or 2e3"}
		}
		return s, nil
	}
	m := spanForm.FindStringSubmatch(s)
	if m == nil {
		return "", &fault{fmt.Sprintf("%q is not a duration", clip(s)), "write it like 30s, 5min or 2h: every number here is one"}
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return "", &fault{fmt.Sprintf("%q is not a duration", clip(s)), "write it like 30s, 5min or 2h"}
	}
	unit := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[m[2]]
	return strconv.FormatFloat(v*unit.Seconds(), 'g', -1, 64), nil
}

// known are the names of the language, for hints.
func (l language) known() string {
	return strings.Join(slices.Sorted(maps.Keys(l.names)), ", ")
}
