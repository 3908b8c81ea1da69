package rehearse

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"andon/internal/sample"
)

// How the cells of a table are written (contract, section 2).
const (
	badCell       = "bad" // a sample of bad quality, without a value
	uncertainSign = "?"   // before a value: of uncertain quality
)

// Statuses of samples that are not good; a file knows no status codes.
const (
	badStatus       = "Bad"
	uncertainStatus = "Uncertain"
)

// problem is what is wrong with a cell, and how to mend it.
type problem struct{ message, hint string }

func (p *problem) Error() string { return p.message }

var (
	plainSeconds = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)$`)
	decimalComma = regexp.MustCompile(`^[+-]?\d+,\d+([eE][+-]?\d+)?$`)
)

// Instant reads an instant as the column t has it: RFC 3339, or seconds after
// start. Seconds without an exponent are exact to the nanosecond.
func Instant(text string, start sample.Time) (sample.Time, error) {
	if plainSeconds.MatchString(text) {
		d, err := time.ParseDuration(text + "s")
		if err != nil {
			return 0, &problem{text + " seconds are more than there can be", "write the instant, like 2026-03-01T06:00:00Z"}
		}
		return moved(start, d)
	}
	if sec, err := number(text); err == nil && math.Abs(sec) < 9e9 {
		return moved(start, time.Duration(math.Round(sec*1e9)))
	}
	std, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, &problem{fmt.Sprintf("%q is not an instant", clip(text)), "want one like 2026-03-01T06:00:00Z, with its zone, or seconds after the start"}
	}
	t := sample.At(std)
	if t == 0 {
		return 0, &problem{text + " cannot be told from an instant that is not known", "instants lie in the years 1678 to 2261"}
	}
	return t, nil
}

// moved is start and d, unless that is not an instant.
func moved(start sample.Time, d time.Duration) (sample.Time, error) {
	t := sample.At(start.Std().Add(d))
	if t == 0 {
		return 0, &problem{"the instant lies outside the years 1678 to 2261, or is 1970-01-01T00:00:00Z", "mend the seconds, or the start"}
	}
	return t, nil
}

// reading makes a sample of a cell that is not empty. text: the values of the
// column are text, whatever they look like. The spaces of a text are part of it,
// those around a number are not.
func reading(cell string, text bool) (sample.Reading, error) {
	if strings.TrimSpace(cell) == badCell {
		return sample.Reading{Quality: sample.Bad, Status: badStatus}, nil
	}
	r := sample.Reading{}
	if rest, ok := strings.CutPrefix(strings.TrimLeftFunc(cell, unicode.IsSpace), uncertainSign); ok {
		r.Quality, r.Status, cell = sample.Uncertain, uncertainStatus, rest
		if strings.TrimSpace(cell) == "" {
			return r, &problem{"an uncertain sample without a value", "write the value behind the question mark: ?885.1"}
		}
	}
	var err error
	if r.Value = sample.StringValue(cell); !text {
		r.Value, err = value(strings.TrimSpace(cell))
		if err == nil && r.Value.Kind() == sample.String {
			r.Value = sample.StringValue(cell)
		}
	}
	return r, err
}

// value is what a cell looks like: true or false, a whole number, a number, else
// text.
func value(cell string) (sample.Value, error) {
	switch strings.ToLower(cell) {
	case "true":
		return sample.BoolValue(true), nil
	case "false":
		return sample.BoolValue(false), nil
	}
	if n, err := strconv.ParseInt(cell, 10, 64); err == nil {
		return sample.IntValue(n), nil
	}
	if n, err := strconv.ParseUint(cell, 10, 64); err == nil {
		return sample.UintValue(n), nil
	}
	n, err := number(cell)
	switch {
	case err == nil:
		return sample.FloatValue(n), nil
	case errors.Is(err, strconv.ErrRange):
		return sample.Value{}, &problem{fmt.Sprintf("the number %s is too large", clip(cell)), "no PLC sends it: mend the file, or write bad"}
	case decimalComma.MatchString(cell):
		return sample.Value{}, &problem{fmt.Sprintf("%q has a decimal comma", clip(cell)), "write " + strings.Replace(cell, ",", ".", 1)}
	}
	return sample.StringValue(cell), nil
}

// number reads a decimal number; what Go writes besides that (0x1p-2, 1_000) is
// none to anybody else.
func number(s string) (float64, error) {
	if strings.ContainsAny(s, "_xX") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}

// clip keeps a message readable, whatever the file holds.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
