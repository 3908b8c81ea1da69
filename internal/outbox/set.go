package outbox

import "slices"

// Set is a set of numbers from 1 on: all up to UpTo, and the ranges beyond it.
//
// It is always in its one normal form, so equal sets are equal values: ranges
// ascend, neither overlap nor touch one another or UpTo, and are nil when there
// are none. Sets are values: no method changes one, nor a slice that another
// copy can see.
type Set struct {
	UpTo   uint64      `json:"up_to"`
	Ranges [][2]uint64 `json:"ranges,omitempty"`
}

// Has says whether n is in the set.
func (s Set) Has(n uint64) bool {
	if n == 0 {
		return false
	}
	if n <= s.UpTo {
		return true
	}
	_, found := slices.BinarySearchFunc(s.Ranges, n, func(r [2]uint64, n uint64) int {
		switch {
		case r[1] < n:
			return -1
		case r[0] > n:
			return 1
		}
		return 0
	})
	return found
}

// Size is how many numbers are in the set.
func (s Set) Size() uint64 {
	n := s.UpTo
	for _, r := range s.Ranges {
		n += r[1] - r[0] + 1
	}
	return n
}

// With is the set together with the numbers of spans, which need be in no
// order and may overlap. A span must not begin at 0 nor end before it begins.
func (s Set) With(spans ...[2]uint64) Set {
	if s.covers(spans) {
		return s
	}
	all := append(s.spans(), spans...)
	slices.SortFunc(all, func(a, b [2]uint64) int {
		switch {
		case a[0] < b[0]:
			return -1
		case a[0] > b[0]:
			return 1
		}
		return 0
	})
	return ofSpans(all)
}

// And is the set of the numbers that are in both s and t.
func (s Set) And(t Set) Set {
	a, b := s.spans(), t.spans()
	var both [][2]uint64
	for len(a) > 0 && len(b) > 0 {
		first, last := max(a[0][0], b[0][0]), min(a[0][1], b[0][1])
		if first <= last {
			both = append(both, [2]uint64{first, last})
		}
		if a[0][1] < b[0][1] {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return ofSpans(both)
}

// Without are the stretches of numbers that are in s but not in t, ascending.
func (s Set) Without(t Set) [][2]uint64 {
	var out [][2]uint64
	b := t.spans()
	for _, r := range s.spans() {
		first, last := r[0], r[1]
		for len(b) > 0 && b[0][1] < first {
			b = b[1:]
		}
		for _, hole := range b {
			if hole[0] > last {
				break
			}
			if hole[0] > first {
				out = append(out, [2]uint64{first, hole[0] - 1})
			}
			first = hole[1] + 1
		}
		if first <= last {
			out = append(out, [2]uint64{first, last})
		}
	}
	return out
}

// covers says whether all numbers of spans are in the set already: the common
// case of a repeated receipt, which must not cost a copy.
func (s Set) covers(spans [][2]uint64) bool {
	for _, r := range spans {
		inOne := r[1] <= s.UpTo || slices.ContainsFunc(s.Ranges, func(have [2]uint64) bool {
			return have[0] <= r[0] && r[1] <= have[1]
		})
		if !inOne {
			return false
		}
	}
	return true
}

// spans is the set as stretches, ascending, in a slice of its own.
func (s Set) spans() [][2]uint64 {
	out := make([][2]uint64, 0, len(s.Ranges)+1)
	if s.UpTo > 0 {
		out = append(out, [2]uint64{1, s.UpTo})
	}
	return append(out, s.Ranges...)
}

// ofSpans joins sorted spans, which may overlap or touch, into a set. It may
// write to its argument.
func ofSpans(sorted [][2]uint64) Set {
	var s Set
	joined := sorted[:0]
	for _, r := range sorted {
		if n := len(joined); n > 0 && r[0]-1 <= joined[n-1][1] {
			joined[n-1][1] = max(joined[n-1][1], r[1])
			continue
		}
		joined = append(joined, r)
	}
	if len(joined) > 0 && joined[0][0] == 1 {
		s.UpTo = joined[0][1]
		joined = joined[1:]
	}
	if len(joined) > 0 {
		s.Ranges = slices.Clone(joined)
	}
	return s
}
