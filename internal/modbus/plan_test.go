package modbus

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
)

// reg is a tag of n registers at an address.
func reg(address uint16, n int, edit ...func(*Item)) Item {
	typ := map[int]string{1: "uint16", 2: "uint32", 4: "uint64"}[n]
	order := "ABCD"
	if n == 1 {
		order = ""
	}
	it := Item{Unit: 1, Table: Holding, Address: address, Type: typ, Order: order, Every: time.Second}
	for _, f := range edit {
		f(&it)
	}
	return it
}

func ready(t interface {
	Helper()
	Fatal(...any)
}, list []Item) []*item {
	t.Helper()
	var items []*item
	for i, it := range list {
		it.Tag = sample.Tag(i)
		made, err := newItem(it)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, made)
	}
	return items
}

func words(blocks []*block) string {
	var list []string
	for _, b := range blocks {
		list = append(list, fmt.Sprintf("%v x%d", b, len(b.items)))
	}
	return strings.Join(list, ", ")
}

func TestPlan(t *testing.T) {
	unit2 := func(it *Item) { it.Unit = 2 }
	slow := func(it *Item) { it.Every = time.Minute }
	input := func(it *Item) { it.Table = Input }
	coil := func(it *Item) { it.Table, it.Type, it.Order = Coil, "bool", "" }
	tests := []struct {
		name   string
		items  []Item
		limits limits
		want   string
	}{
		{"nothing", nil, limits{registers: 125}, ""},
		{"adjacent", []Item{reg(102, 1), reg(100, 2)}, limits{registers: 125}, "unit 1 holding 100-102 x2"},
		{"apart", []Item{reg(103, 1), reg(100, 2)}, limits{registers: 125}, "unit 1 holding 100-101 x1, unit 1 holding 103-103 x1"},
		{"apart by the gap", []Item{reg(103, 1), reg(100, 2)}, limits{registers: 125, gap: 1}, "unit 1 holding 100-103 x2"},
		{"the same", []Item{reg(100, 1), reg(100, 1), reg(100, 2)}, limits{registers: 125}, "unit 1 holding 100-101 x3"},
		{"one within another", []Item{reg(100, 4), reg(101, 1), reg(104, 1)}, limits{registers: 125}, "unit 1 holding 100-104 x3"},
		{"as many as fit", []Item{reg(0, 2), reg(2, 2), reg(4, 2)}, limits{registers: 5}, "unit 1 holding 0-3 x2, unit 1 holding 4-5 x1"},
		{"never across a hole", []Item{reg(10, 1), reg(13, 1)}, limits{registers: 125, gap: 10, holes: []Hole{{Holding, 12, 12}}},
			"unit 1 holding 10-10 x1, unit 1 holding 13-13 x1"},
		{"a hole of another table", []Item{reg(10, 1), reg(13, 1)}, limits{registers: 125, gap: 10, holes: []Hole{{Input, 12, 12}}}, "unit 1 holding 10-13 x2"},
		{"units, tables and periods by themselves", []Item{reg(1, 1), reg(2, 1, unit2), reg(3, 1, input), reg(2, 1, slow), reg(2, 1)}, limits{registers: 125, gap: 9},
			"unit 1 holding 1-2 x2, unit 1 input 3-3 x1, unit 2 holding 2-2 x1, unit 1 holding 2-2 x1"},
		{"coils", []Item{reg(0, 1, coil), reg(16, 1, coil), reg(32, 1, coil)}, limits{registers: 2, gap: 15}, "unit 1 coil 0-16 x2, unit 1 coil 32-32 x1"},
		{"the last register", []Item{reg(65532, 4)}, limits{registers: 125}, "unit 1 holding 65532-65535 x1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := words(plan(ready(t, tt.items), tt.limits)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Every tag is read once and whole, no read is longer than allowed or touches a
// hole, neighbouring reads could not have been one, and order is of no
// importance; halving keeps all that and ends.
func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		holes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Hole {
			first := rapid.Uint16Range(0, 200).Draw(t, "first")
			return Hole{rapid.SampledFrom([]Table{Holding, Coil}).Draw(t, "table"), first, first + rapid.Uint16Range(0, 20).Draw(t, "length")}
		}), 0, 4).Draw(t, "holes")
		l := limits{registers: rapid.IntRange(4, 125).Draw(t, "registers"), gap: rapid.IntRange(0, 20).Draw(t, "gap"), holes: holes}
		var list []Item
		for range rapid.IntRange(0, 40).Draw(t, "items") {
			it := reg(rapid.Uint16Range(0, 250).Draw(t, "address"), rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "registers"))
			it.Unit = rapid.SampledFrom([]uint8{1, 2}).Draw(t, "unit")
			it.Every = rapid.SampledFrom([]time.Duration{time.Second, time.Minute}).Draw(t, "every")
			if rapid.Bool().Draw(t, "coil") {
				it.Table, it.Type, it.Order = Coil, "bool", ""
			}
			if made, err := newItem(it); err == nil && !touches(holes, it.Table, made.span()) {
				list = append(list, it)
			}
		}
		items := ready(t, list)
		blocks := plan(items, l)
		checkBlocks(t, blocks, items, l)
		for i := 1; i < len(blocks); i++ {
			if blocks[i-1].takes(blocks[i].items[0], l) {
				t.Fatalf("%v and %v could be one", blocks[i-1], blocks[i])
			}
		}
		for i := len(items) - 1; i > 0; i-- {
			j := rapid.IntRange(0, i).Draw(t, "swap")
			items[i], items[j] = items[j], items[i]
		}
		if again := plan(items, l); words(again) != words(blocks) {
			t.Fatalf("in another order: %s\nwant %s", words(again), words(blocks))
		}
		checkBlocks(t, splitAll(t, blocks), items, l)
	})
}

func checkBlocks(t *rapid.T, blocks []*block, items []*item, l limits) {
	seen := map[sample.Tag]int{}
	for _, b := range blocks {
		if b.count() < 1 || b.count() > l.most(b.table) || touches(l.holes, b.table, b.span) {
			t.Fatalf("%v is too long, or touches a hole", b)
		}
		for _, it := range b.items {
			seen[it.Tag]++
			if s := it.span(); s.first < b.first || s.end > b.end || it.Unit != b.unit || it.Table != b.table || it.Every != b.every {
				t.Fatalf("%v does not hold %+v", b, it.Item)
			}
		}
	}
	for _, it := range items {
		if seen[it.Tag] != 1 {
			t.Fatalf("tag %d is read %d times", it.Tag, seen[it.Tag])
		}
	}
}

// splitAll halves until nothing can be halved any more.
func splitAll(t *rapid.T, blocks []*block) []*block {
	var out []*block
	for queue := slices.Clone(blocks); len(queue) > 0; queue = queue[1:] {
		halves := queue[0].split()
		if halves == nil {
			for _, it := range queue[0].items {
				if it.span() != queue[0].span {
					t.Fatalf("%v cannot be halved, but holds %+v", queue[0], it.Item)
				}
			}
			out = append(out, queue[0])
			continue
		}
		if len(halves[0].items)+len(halves[1].items) != len(queue[0].items) || len(halves[0].items) == 0 || len(halves[1].items) == 0 {
			t.Fatalf("%v halved to %v", queue[0], words(halves))
		}
		queue = append(queue, halves...)
	}
	return out
}

func TestSchedule(t *testing.T) {
	fast := reg(0, 1, func(it *Item) { it.Every = 100 * time.Millisecond })
	slow := reg(5, 1, func(it *Item) { it.Every = time.Second })
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	s := newSchedule(plan(ready(t, []Item{slow, fast}), limits{registers: 125}), ms(50))
	steps := []struct {
		now, after int // ms: when a read is chosen, and when it is done
		address    int
		missed     int
		due        int // when it is due again
	}{
		{50, 60, 0, 0, 150},     // both are due: the one whose period ends first
		{60, 70, 5, 0, 1050},    //
		{70, 155, 0, 0, 250},    // nothing due: the one that is due first
		{155, 349, 0, 0, 350},   // late, but within its period
		{350, 450, 0, 1, 550},   // on the next instant itself: that one is missed
		{550, 1049, 0, 4, 1050}, // late by four
		{1050, 1051, 0, 0, 1150},
		{1051, 4051, 5, 3, 5050}, // the grid has not moved
		{4051, 4052, 0, 29, 4150},
	}
	for i, x := range steps {
		p := s.next(ms(x.now))
		if p.first != x.address {
			t.Fatalf("step %d: %v is next, want %d", i, p, x.address)
		}
		if missed := p.done(ms(x.after)); missed != x.missed || p.due != ms(x.due) {
			t.Fatalf("step %d: missed %d, due at %v, want %d, %v", i, missed, p.due, x.missed, ms(x.due))
		}
	}
	if newSchedule(nil, 0).next(0) != nil {
		t.Error("no reads: something is next")
	}
}
