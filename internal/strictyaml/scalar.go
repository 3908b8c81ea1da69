package strictyaml

import (
	"regexp"
	"strings"
)

// The spellings of plain words. What matches none of them is text.
var (
	wholeForm  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	hexForm    = regexp.MustCompile(`^0x[0-9A-Fa-f]+$`)
	numberForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

	octalForm      = regexp.MustCompile(`^[-+]?0[0-9_]+(\.[0-9_]*)?([eE][-+]?[0-9]+)?$`)
	underscoreForm = regexp.MustCompile(`^[-+]?[0-9.][0-9A-Fa-fxXoO.+-]*_`)
	baseForm       = regexp.MustCompile(`^[-+]?0[xXoObB][0-9A-Fa-f]+$`)
	looseForm      = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+\.?[0-9]*)([eE][-+]?[0-9]+)?$`)
	infiniteForm   = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

// classify tells what a plain word is. A cure is given when readers of YAML
// 1.1, 1.2 and JSON disagree on the word; its kind is then refused.
func classify(s string) (k kind, cure string) {
	switch s {
	case "", "null":
		return null, ""
	case "true", "false":
		return boolean, ""
	case "True", "TRUE", "False", "FALSE":
		return refused, "write " + strings.ToLower(s) + ", or quote it if it is text"
	case "~", "Null", "NULL":
		return refused, "leave the value out, or quote it if it is text"
	}
	switch {
	case wholeForm.MatchString(s), hexForm.MatchString(s):
		return whole, ""
	case numberForm.MatchString(s):
		return number, ""
	}
	return classifyOdd(s)
}

// classifyOdd tells text from numbers in a spelling that we refuse.
func classifyOdd(s string) (k kind, cure string) {
	if underscoreForm.MatchString(s) {
		if k, _ := classify(strings.ReplaceAll(s, "_", "")); k != text {
			return refused, "write the number without _, or quote it if it is text"
		}
	}
	switch {
	case infiniteForm.MatchString(s):
		return refused, "write a finite number, or quote it if it is text"
	case octalForm.MatchString(s):
		return refused, "write the number without leading zeros, or quote it if it is text"
	case baseForm.MatchString(s):
		return refused, "write the number in decimal or as 0xFF, or quote it if it is text"
	case looseForm.MatchString(s):
		return refused, "write it like 5, -0.5 or 2e3, or quote it if it is text"
	}
	return text, ""
}
