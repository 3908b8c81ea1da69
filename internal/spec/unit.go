package spec

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// unitProblem says what is wrong with a unit and how to mend it; "" when it has
// the shape of a UCUM unit (Unified Code for Units of Measure, section 3.1
// grammar). The table of UCUM's atoms is not checked: a unit must equal the
// tag's letter by letter, which is what finds a wrong one.
func unitProblem(u string) (cause, cure string) {
	if u == "" {
		return "an empty unit", `write "1" for a plain number`
	}
	cause = fmt.Sprintf("%q is not a UCUM unit", clip(u))
	if want, ok := commonUnits()[strings.ToLower(u)]; ok && want != u {
		return cause, fmt.Sprintf("write %q", want)
	}
	for _, r := range u {
		if r > unicode.MaxASCII || r <= ' ' || r == 0x7f {
			return cause, "UCUM units are plain letters without spaces: Cel, [degF], um, m3/h, N.m"
		}
	}
	rest, ok := unitTerm(strings.TrimPrefix(u, "/"), 0)
	if !ok || rest != "" {
		return cause, "units are joined by . and /, powers are digits, annotations stand in {}: N.m, kg/m2, mm[Hg], bar{gauge}"
	}
	return "", ""
}

// commonUnits are names that people write and UCUM does not know, in lower
// case.
func commonUnits() map[string]string {
	return map[string]string{
		"°c": "Cel", "degc": "Cel", "[degc]": "Cel", "celsius": "Cel",
		"°f": "[degF]", "degf": "[degF]", "fahrenheit": "[degF]",
		"°k": "K", "degk": "K", "kelvin": "K", "°": "deg", "degree": "deg", "degrees": "deg",
		"sec": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "mins": "min",
		"hr": "h", "hrs": "h", "hour": "h", "hours": "h",
		"rpm": "/min", "percent": "%", "pct": "%", "ppm": "[ppm]", "ppb": "[ppb]",
		"psi": "[psi]", "psig": "[psi]{g}", "barg": "bar{g}", "mmhg": "mm[Hg]", "inhg": "[in_i'Hg]",
		"in": "[in_i]", "inch": "[in_i]", "ft": "[ft_i]", "lb": "[lb_av]", "lbs": "[lb_av]", "lbf": "[lbf_av]",
		"nm²": "nm2", "micron": "um", "µm": "um", "Ω": "Ohm", "ω": "Ohm",
		"lpm": "L/min", "gpm": "[gal_us]/min",
	}
}

var (
	// A simple unit: 10* and 10^, or letters with at most one part in brackets.
	simpleUnit = regexp.MustCompile(`^(?:10[*^]|(?:[A-Za-z%'"_]|\[[!-Z^-z|~]+\])+)`)
	exponent   = regexp.MustCompile(`^[+-]?[1-9][0-9]*`)
	factor     = regexp.MustCompile(`^[1-9][0-9]*`)
	annotation = regexp.MustCompile(`^\{[!-z|~]*\}`)
)

// unitTerm takes components joined by . and / off the front of u.
func unitTerm(u string, depth int) (rest string, ok bool) {
	const deepest = 8
	for depth < deepest {
		if u, ok = unitComponent(u, depth); !ok {
			return u, false
		}
		if u == "" || u[0] != '.' && u[0] != '/' {
			return u, true
		}
		u = u[1:]
	}
	return u, false
}

// unitComponent takes one component: a unit with its power and annotation, a
// whole number, an annotation alone, or a term in parentheses.
func unitComponent(u string, depth int) (rest string, ok bool) {
	if inner, open := strings.CutPrefix(u, "("); open {
		rest, ok = unitTerm(inner, depth+1)
		return strings.CutPrefix(rest, ")")
	}
	n := len(simpleUnit.FindString(u))
	if n > 0 {
		n += len(exponent.FindString(u[n:]))
	} else {
		n = len(factor.FindString(u))
	}
	a := len(annotation.FindString(u[n:]))
	return u[n+a:], n+a > 0
}
