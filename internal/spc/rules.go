package spc

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Pattern is what a run rule looks for.
type Pattern uint8

// The patterns, in sigma of the plotted statistic from the centre line.
const (
	Beyond3     Pattern = iota + 1 // one point beyond 3 sigma
	Beyond2                        // Count of Length points beyond 2 sigma on one side, the last of them too
	Beyond1                        // Count of Length points beyond 1 sigma on one side, the last of them too
	OneSide                        // Length points in a row on one side of the centre line
	Trend                          // Length points in a row, each higher, or each lower, than the one before
	Alternating                    // Length points in a row, up and down in turn
	Hugging                        // Length points in a row less than 1 sigma from the centre line
	Mixture                        // Length points in a row beyond 1 sigma, with points on both sides
	EitherSide                     // Length points in a row beyond 1 sigma, on one or both sides
)

// Test is one run rule with its lengths.
type Test struct {
	Name    string  // as in a signal: n2, or n2=8 where the length is not the usual one
	Pattern Pattern // what it looks for
	Count   int     // of how many of the points it is asked; Length for patterns without a count
	Length  int     // how many points it looks at, 1 to MaxLength
}

// set is one author's tests in their order.
type set struct {
	name  string
	tests []Test
}

// sets gives the rules as their authors numbered them.
//
// Western Electric: Statistical Quality Control Handbook (1956), pp. 23-28.
// Nelson: Journal of Quality Technology 16(4), 1984, pp. 237-239.
// AIAG: Statistical Process Control, 2nd ed. (2005), chapter II, summary of
// typical special cause criteria; its order is Nelson's.
func sets() []set {
	nelson := func(prefix string, run int) []Test {
		return []Test{
			{prefix + "1", Beyond3, 1, 1},
			{prefix + "2", OneSide, run, run},
			{prefix + "3", Trend, 6, 6},
			{prefix + "4", Alternating, 14, 14},
			{prefix + "5", Beyond2, 2, 3},
			{prefix + "6", Beyond1, 4, 5},
			{prefix + "7", Hugging, 15, 15},
			{prefix + "8", Mixture, 8, 8},
		}
	}
	return []set{
		{"western-electric", []Test{{"we1", Beyond3, 1, 1}, {"we2", Beyond2, 2, 3}, {"we3", Beyond1, 4, 5}, {"we4", OneSide, 8, 8}}},
		{"nelson", nelson("n", 9)},
		{"aiag", nelson("aiag", 7)},
	}
}

// variants are tests that belong to no set: n8 without the need of both sides,
// as some packages have it.
func variants() []Test {
	return []Test{{"n8-either-side", EitherSide, 8, 8}}
}

// ParseRules reads a list of run rules: names of sets (nelson,
// western-electric, aiag) and of single rules (n1 to n8, we1 to we4, aiag1 to
// aiag8, n8-either-side), with commas between. A rule may have another length:
// n2=8, and we2=3/4 for 3 of 4 points. They signal in the order given. The error
// names the word that is wrong and what would be right.
func ParseRules(text string) ([]Test, error) {
	var tests []Test
	for word := range strings.SplitSeq(text, ",") {
		found, err := parseRule(strings.ToLower(strings.TrimSpace(word)))
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			if slices.ContainsFunc(tests, func(o Test) bool { return o.Name == t.Name }) {
				return nil, fmt.Errorf("run rule %s stands twice", t.Name)
			}
		}
		tests = append(tests, found...)
	}
	return tests, nil
}

func parseRule(word string) ([]Test, error) {
	name, lengths, changed := strings.Cut(word, "=")
	singles := variants()
	for _, s := range sets() {
		if s.name == word {
			return s.tests, nil
		}
		singles = append(singles, s.tests...)
	}
	i := slices.IndexFunc(singles, func(t Test) bool { return t.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("run rule %q: want nelson, western-electric, aiag or a list of n1 to n8, we1 to we4, aiag1 to aiag8, n8-either-side", word)
	}
	t := singles[i]
	if changed {
		if err := t.resize(lengths); err != nil {
			return nil, fmt.Errorf("run rule %q: %w", word, err)
		}
	}
	return []Test{t}, nil
}

// resize gives a test other lengths than its author's.
func (t *Test) resize(text string) error {
	count, length, counts := strings.Cut(text, "/")
	if !counts {
		length = count
	}
	n, err := strconv.Atoi(length)
	k, kerr := strconv.Atoi(count)
	if err != nil || kerr != nil {
		return fmt.Errorf("%q is no length: want a number of points", text)
	}
	r := Test{t.Name, t.Pattern, k, n}
	if err := r.check(); err != nil {
		return err
	}
	if r != *t {
		r.Name += "=" + text
	}
	*t = r
	return nil
}

// check says whether the lengths make sense for the pattern.
func (t *Test) check() error {
	least := 2
	switch t.Pattern {
	case Beyond3:
		if t.Count != 1 || t.Length != 1 {
			return fmt.Errorf("one point is enough beyond 3 sigma: it has no length")
		}
		return nil
	case Beyond2, Beyond1:
		if t.Count == t.Length {
			return fmt.Errorf("want a count and a length, such as 2/3")
		}
		if t.Count < 1 || t.Count > t.Length {
			return fmt.Errorf("%d of %d points: want fewer than the length, at least 1", t.Count, t.Length)
		}
	case Trend, Alternating:
		least = 3
		fallthrough
	case OneSide, Hugging, Mixture, EitherSide:
		if t.Count != t.Length {
			return fmt.Errorf("all points count: want one length")
		}
	default:
		return fmt.Errorf("no pattern %d", t.Pattern)
	}
	if t.Length < least || t.Length > MaxLength {
		return fmt.Errorf("length %d: want %d to %d points", t.Length, least, MaxLength)
	}
	return nil
}

// signals says whether the newest point completes the test's pattern. Only a
// full window of points can.
func (t *Test) signals(r *Runs) bool {
	n := t.Length
	if int(r.Seen) < n {
		return false
	}
	window := newest(n)
	switch t.Pattern {
	case Beyond3:
		return (r.Above[3]|r.Below[3])&1 != 0
	case Beyond2:
		return enough(r.Above[2]&window, t.Count) || enough(r.Below[2]&window, t.Count)
	case Beyond1:
		return enough(r.Above[1]&window, t.Count) || enough(r.Below[1]&window, t.Count)
	case OneSide:
		return r.Above[0]&window == window || r.Below[0]&window == window
	case Trend:
		steps := newest(n - 1) // n points have n-1 steps
		return r.Up&steps == steps || r.Down&steps == steps
	case Alternating:
		steps, turns := newest(n-1), newest(n-2)
		return (r.Up|r.Down)&steps == steps && (r.Up^r.Up>>1)&turns == turns
	case Hugging:
		return r.Within&window == window
	case Mixture:
		return (r.Above[1]|r.Below[1])&window == window && r.Above[1]&window != 0 && r.Below[1]&window != 0
	case EitherSide:
		return (r.Above[1]|r.Below[1])&window == window
	}
	return false
}

// newest marks the newest n points.
func newest(n int) Marks { return Marks(1)<<n - 1 }

// enough says whether count points are marked and the newest is one of them.
func enough(m Marks, count int) bool {
	return m&1 != 0 && bits.OnesCount32(uint32(m)) >= count
}
