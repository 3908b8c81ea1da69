package modbus

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Hole is a stretch of a table that must never be read; both ends are included.
type Hole struct {
	Table       Table
	First, Last uint16
}

// span is a stretch of addresses of one table, from first to before end.
type span struct{ first, end int }

func (s span) count() int { return s.end - s.first }

// block is one read: every so often, of one unit and table, for the items in it.
type block struct {
	unit  uint8
	table Table
	every time.Duration
	span
	items []*item // by address
}

func (b *block) request() request {
	return request{unit: b.unit, function: functions[b.table], address: uint16(b.first), count: uint16(b.count())}
}

// String is the read in words.
func (b *block) String() string {
	return fmt.Sprintf("unit %d %s %d-%d", b.unit, b.table, b.first, b.end-1)
}

// limits bound what one read may fetch.
type limits struct {
	registers int // of one read
	gap       int // addresses that are read in between to join two values
	holes     []Hole
}

// most is how much one read of a table may fetch: as many bytes of bits as of
// registers, and no more bits than the protocol allows.
func (l limits) most(t Table) int {
	if t.Bits() {
		return min(16*l.registers, maxBits)
	}
	return l.registers
}

// plan makes the fewest reads that fetch every item: those of one period, unit
// and table that lie together, or no further apart than the gap, are joined. A
// value is never split, a hole never touched. The plan depends on the items
// alone, not on their order.
func plan(items []*item, l limits) []*block {
	sorted := slices.Clone(items)
	slices.SortFunc(sorted, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.Every, b.Every), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Table, b.Table),
			cmp.Compare(a.span().first, b.span().first), cmp.Compare(a.span().end, b.span().end), cmp.Compare(a.Tag, b.Tag))
	})
	var blocks []*block
	for _, it := range sorted {
		if n := len(blocks); n > 0 && blocks[n-1].takes(it, l) {
			b := blocks[n-1]
			b.items, b.end = append(b.items, it), max(b.end, it.span().end)
			continue
		}
		blocks = append(blocks, newBlock([]*item{it}))
	}
	return blocks
}

// newBlock is the read of items of one period, unit and table, sorted by address.
func newBlock(items []*item) *block {
	b := &block{unit: items[0].Unit, table: items[0].Table, every: items[0].Every, span: items[0].span(), items: items}
	for _, it := range items[1:] {
		b.end = max(b.end, it.span().end)
	}
	return b
}

// takes says whether an item, which begins no earlier than the block, may be
// read with it.
func (b *block) takes(it *item, l limits) bool {
	s := it.span()
	joined := span{b.first, max(b.end, s.end)}
	return b.every == it.Every && b.unit == it.Unit && b.table == it.Table &&
		s.first <= b.end+l.gap && joined.count() <= l.most(b.table) && !touches(l.holes, b.table, joined)
}

// touches says whether any address of a stretch lies in a hole.
func touches(holes []Hole, t Table, s span) bool {
	return slices.ContainsFunc(holes, func(h Hole) bool {
		return h.Table == t && int(h.First) < s.end && s.first <= int(h.Last)
	})
}

// split halves a block whose device refuses one of its addresses; nil when all
// its items have the same addresses, so that there is nothing left to find out.
func (b *block) split() []*block {
	starts := []int{0} // of the items that have other addresses than the one before
	for i := 1; i < len(b.items); i++ {
		if b.items[i].span() != b.items[i-1].span() {
			starts = append(starts, i)
		}
	}
	if len(starts) == 1 {
		return nil
	}
	middle := starts[len(starts)/2]
	return []*block{newBlock(b.items[:middle:middle]), newBlock(b.items[middle:])}
}
