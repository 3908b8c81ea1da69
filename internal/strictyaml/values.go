package strictyaml

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Text is a string. A number or boolean without quotes is refused, because
// another reader would not take it for text.
func (n Node) Text() string {
	if !n.OK() {
		return ""
	}
	if n.v.kind == text || n.v.loose {
		return n.v.text
	}
	n.want("text", n.quoteHint())
	return ""
}

func (n Node) quoteHint() string {
	switch n.v.kind {
	case boolean, whole, number:
		return fmt.Sprintf("write %q", n.v.text)
	case null, text, mapping, sequence, refused:
	}
	return ""
}

// TextOr is Text, or def when the key is absent.
func (n Node) TextOr(def string) string {
	if !n.Present() {
		return def
	}
	return n.Text()
}

// Label is a string that people often write as a plain whole number: a serial
// number, a revision, an asset. Its digits are kept as written.
func (n Node) Label() string {
	if n.OK() && n.v.kind == whole {
		return n.v.text
	}
	return n.Text()
}

// OneOf is a string out of a list; the nearest is proposed for another.
func (n Node) OneOf(words ...string) string {
	s := n.Text()
	if !n.OK() || slices.Contains(words, s) {
		return s
	}
	hint := ""
	if near := Nearest(s, words); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	n.want(list(words), hint)
	return ""
}

// list joins words with commas and a final "or".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// Texts is a list of strings, or one string that stands for a list of one.
func (n Node) Texts() []string {
	if n.OK() && !n.IsSeq() {
		if s := n.Text(); n.OK() {
			return []string{s}
		}
		return nil
	}
	var out []string
	for _, e := range n.Seq() {
		if s := e.Text(); e.OK() {
			out = append(out, s)
		}
	}
	return out
}

// Bool is true or false.
func (n Node) Bool() bool {
	if !n.OK() {
		return false
	}
	if n.v.kind == boolean {
		return n.v.text == "true"
	}
	if n.v.loose && (n.v.text == "TRUE" || n.v.text == "FALSE") { // as spreadsheets write them
		return n.v.text == "TRUE"
	}
	hint := ""
	switch strings.ToLower(n.v.text) {
	case "yes", "on", "y", "true":
		hint = "write true"
	case "no", "off", "n", "false":
		hint = "write false"
	}
	n.want("true or false", hint)
	return false
}

// Int is a whole number from low to high, both included.
func (n Node) Int(low, high int64) int64 {
	if !n.OK() {
		return 0
	}
	if n.v.kind != whole {
		n.want(fmt.Sprintf("a whole number from %d to %d", low, high), "")
		return 0
	}
	i, err := strconv.ParseInt(n.v.text, 0, 64)
	if err != nil || i < low || i > high {
		n.want(fmt.Sprintf("a whole number from %d to %d", low, high), "")
		return 0
	}
	return i
}

// Float is a finite number. A number too large for 64 bits, or so small that it
// would become 0, is refused. 0xFF is not a Float.
func (n Node) Float() float64 {
	if !n.OK() {
		return 0
	}
	if !n.IsNumber() || hexForm.MatchString(n.v.text) {
		n.want("a number", "")
		return 0
	}
	f, err := strconv.ParseFloat(n.v.text, 64)
	if err != nil || math.IsInf(f, 0) || f == 0 && strings.ContainsAny(mantissa(n.v.text), "123456789") {
		n.want("a number that 64 bits can hold", "")
		return 0
	}
	return f
}

func mantissa(s string) string {
	m, _, _ := strings.Cut(strings.ToLower(s), "e")
	return m
}

// Range is a list of two numbers, the first below the second; nil when absent
// or wrong.
func (n Node) Range() *[2]float64 {
	if !n.OK() {
		return nil
	}
	if !n.IsSeq() || len(n.v.items) != 2 {
		n.want("two numbers [low, high]", "")
		return nil
	}
	e := n.Seq()
	r := [2]float64{e[0].Float(), e[1].Float()}
	if !e[0].OK() || !e[1].OK() {
		return nil
	}
	if r[0] >= r[1] {
		n.Problem(fmt.Sprintf("the low end %v is not below the high end %v", r[0], r[1]), "write [low, high]")
		return nil
	}
	return &r
}

// Scalar is a boolean, whole number, number or text as bool, int64, float64 or
// string; nil when absent or wrong. A whole number beyond 64 bits is refused.
func (n Node) Scalar() any {
	if !n.OK() {
		return nil
	}
	switch n.v.kind {
	case boolean:
		return n.v.text == "true"
	case whole:
		if i := n.Int(math.MinInt64, math.MaxInt64); n.OK() {
			return i
		}
	case number:
		if f := n.Float(); n.OK() {
			return f
		}
	case text:
		return n.v.text
	case null, mapping, sequence, refused:
		n.want("a number, true, false or text", "")
	}
	return nil
}

// Time is an instant as RFC 3339 with a zone, between the years 1678 and 2261
// (what 64 bits of nanoseconds hold); the zero Time when absent or wrong.
func (n Node) Time() time.Time {
	if !n.OK() {
		return time.Time{}
	}
	var t time.Time
	if n.v.kind == text && t.UnmarshalText([]byte(n.v.text)) == nil && t.Year() >= 1678 && t.Year() <= 2261 {
		return t
	}
	n.want("an instant with its zone", "write it like 2026-03-01T06:00:00-05:00 or 2026-03-01T11:00:00Z")
	return time.Time{}
}

// Date is a calendar day as YYYY-MM-DD; "" when absent or wrong.
func (n Node) Date() string {
	if !n.OK() {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, n.v.text); n.v.kind == text && err == nil {
		return n.v.text
	}
	n.want("a day", "write it like 2027-05-01")
	return ""
}

var quantityForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?([A-Za-zµ]+)$`)

// quantity reads a number with a unit, exactly. ok is false when the result is
// not a whole number of the smallest unit or does not fit 64 bits.
func quantity(s string, units map[string]int64) (q int64, unit string, ok bool) {
	m := quantityForm.FindStringSubmatch(s)
	if m == nil {
		return 0, "", false
	}
	factor, ok := units[m[3]]
	if !ok {
		return 0, m[3], false
	}
	r, ok := new(big.Rat).SetString(m[1] + m[2])
	if !ok {
		return 0, m[3], false
	}
	r.Mul(r, new(big.Rat).SetInt64(factor))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, m[3], false
	}
	return r.Num().Int64(), m[3], true
}

// Duration is a number and one of ms, s, min, h, d (24 h), or a plain 0. It is
// never negative.
func (n Node) Duration() time.Duration {
	if !n.OK() || n.v.kind == whole && n.v.text == "0" {
		return 0
	}
	q, unit, ok := quantity(n.v.text, map[string]int64{
		"ms": int64(time.Millisecond), "s": int64(time.Second), "min": int64(time.Minute),
		"h": int64(time.Hour), "d": 24 * int64(time.Hour),
	})
	if ok && n.v.kind == text {
		return time.Duration(q)
	}
	hint := "write it like 250ms, 10s, 45min, 2h or 90d"
	if unit == "m" {
		hint = "m is not a unit: write min for minutes"
	}
	n.want("a duration", hint)
	return 0
}

// DurationOr is Duration, or def when the key is absent.
func (n Node) DurationOr(def time.Duration) time.Duration {
	if !n.Present() {
		return def
	}
	return n.Duration()
}

// Size is a number of bytes: a number and one of B, KiB, MiB, GiB, TiB.
func (n Node) Size() int64 {
	if !n.OK() {
		return 0
	}
	q, unit, ok := quantity(n.v.text, map[string]int64{"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40})
	if ok && n.v.kind == text {
		return q
	}
	hint := "write it like 512MiB or 8GiB"
	if unit != "" && strings.HasSuffix(strings.ToUpper(unit), "B") && len(unit) == 2 {
		hint = fmt.Sprintf("write %siB: 1024, not 1000", strings.ToUpper(unit[:1]))
	}
	n.want("a size", hint)
	return 0
}
