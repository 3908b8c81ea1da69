// Package ucum tells whether a text is a unit of the Unified Code for Units of
// Measure (ucum.org, version 2.1, case sensitive), and what was probably meant
// when it is not. It converts nothing: this gateway compares values in the unit
// in which they were read.
//
// It is pure and imports nothing of ours.
package ucum

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Check says what is wrong with a unit and how to mend it; both are "" for a
// unit. The grammar is that of the UCUM specification, section 3.1; atoms and
// prefixes are those of its tables, without the units of clinical assays.
func Check(unit string) (cause, cure string) {
	if unit == "" {
		return "an empty unit", `write "1" for a plain number`
	}
	p := parser{rest: strings.TrimPrefix(unit, "/")}
	if p.term(0) && p.rest == "" && unit != "ft" { // UCUM's ft is the femtotonne, which nobody means
		return "", ""
	}
	cause = fmt.Sprintf("%q is not a UCUM unit", clip(unit))
	if want := commonMistake(unit); want != "" {
		return cause, fmt.Sprintf("write %q", want)
	}
	for _, r := range unit {
		if r > unicode.MaxASCII || r <= ' ' || r == 0x7f {
			return cause, "UCUM units are plain letters without spaces: Cel, [degF], um, m3/h, N.m"
		}
	}
	return cause, p.cure()
}

func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// parser takes a unit apart from the left.
type parser struct {
	rest    string
	unknown string // the first word that is no atom, with or without a prefix
}

func (p *parser) cure() string {
	if p.unknown != "" {
		return fmt.Sprintf("%q is no unit; a count or a name of your own stands in braces: {%s}", p.unknown, p.unknown)
	}
	return "join units by . and /, write powers as digits and notes in {}: N.m, kg/m2, bar{gauge}"
}

// term is components joined by . and /.
func (p *parser) term(depth int) bool {
	const deepest = 8
	for depth < deepest && p.component(depth) {
		if p.rest == "" || p.rest[0] != '.' && p.rest[0] != '/' {
			return true
		}
		p.rest = p.rest[1:]
	}
	return false
}

var (
	// A simple unit: letters and brackets. Digits are its power, but for 10* and
	// for the digits within brackets.
	simple     = regexp.MustCompile(`^(10[*^]|([A-Za-z%'"_]|\[[!-Z^-z|~]+\])+)`)
	exponent   = regexp.MustCompile(`^[+-]?[1-9][0-9]*`)
	factor     = regexp.MustCompile(`^[1-9][0-9]*`)
	annotation = regexp.MustCompile(`^\{[!-z|~]*\}`)
)

// component is a unit with its power and its note, a whole number, a note
// alone, or a term in parentheses.
func (p *parser) component(depth int) bool {
	if inner, open := strings.CutPrefix(p.rest, "("); open {
		p.rest = inner
		ok := p.term(depth + 1)
		rest, closed := strings.CutPrefix(p.rest, ")")
		p.rest = rest
		return ok && closed
	}
	before := p.rest
	if name := p.take(simple); name != "" {
		if !known(name) {
			p.unknown = name
			return false
		}
		p.take(exponent)
	} else {
		p.take(factor)
	}
	p.take(annotation)
	return p.rest != before
}

func (p *parser) take(form *regexp.Regexp) string {
	s := form.FindString(p.rest)
	p.rest = p.rest[len(s):]
	return s
}

// known reports whether name is an atom, or a metric atom with a prefix.
func known(name string) bool {
	if word(atoms, name) || word(metric, name) {
		return true
	}
	for _, prefix := range strings.Fields(prefixes) {
		if rest, ok := strings.CutPrefix(name, prefix); ok && word(metric, rest) {
			return true
		}
	}
	return false
}

// word reports whether a list of words holds one.
func word(list, name string) bool {
	return name != "" && !strings.ContainsAny(name, " \n") && strings.Contains(" "+strings.ReplaceAll(list, "\n", " ")+" ", " "+name+" ")
}
