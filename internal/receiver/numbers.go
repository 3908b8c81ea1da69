package receiver

import "slices"

// numbers is a set of entry numbers: stretches that ascend and neither overlap
// nor touch.
type numbers [][2]uint64

// add puts n in; n is not in yet.
func (s numbers) add(n uint64) numbers {
	i, _ := slices.BinarySearchFunc(s, n, func(r [2]uint64, n uint64) int {
		if r[1] < n {
			return -1
		}
		return 1
	})
	before := i > 0 && s[i-1][1]+1 == n
	after := i < len(s) && n+1 == s[i][0]
	switch {
	case before && after:
		s[i-1][1] = s[i][1]
		return slices.Delete(s, i, i+1)
	case before:
		s[i-1][1] = n
	case after:
		s[i][0] = n
	default:
		return slices.Insert(s, i, [2]uint64{n, n})
	}
	return s
}

// upTo is the number up to which all are in.
func (s numbers) upTo() uint64 {
	if len(s) > 0 && s[0][0] == 1 {
		return s[0][1]
	}
	return 0
}

// beyond are at most limit of the stretches after upTo, lowest first.
func (s numbers) beyond(limit int) [][2]uint64 {
	if s.upTo() > 0 {
		s = s[1:]
	}
	return slices.Clone(s[:min(len(s), limit)])
}

// highest is the highest number, 0 if there is none.
func (s numbers) highest() uint64 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1][1]
}

// offsets is where each entry is in its file. It grows with what is held, not
// with the numbers themselves, which are foreign.
type offsets map[uint64]*[offsetsBlock]int64

const offsetsBlock = 512

// get returns the offset of entry n, ok false if it is not held.
func (o offsets) get(n uint64) (at int64, ok bool) {
	b := o[n/offsetsBlock]
	if b == nil || b[n%offsetsBlock] == 0 {
		return 0, false
	}
	return b[n%offsetsBlock] - 1, true
}

func (o offsets) put(n uint64, at int64) {
	b := o[n/offsetsBlock]
	if b == nil {
		b = new([offsetsBlock]int64)
		o[n/offsetsBlock] = b
	}
	b[n%offsetsBlock] = at + 1 // 0 is not held
}
