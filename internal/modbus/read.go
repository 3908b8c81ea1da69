package modbus

import (
	"context"
	"fmt"

	"andon/internal/sample"
)

// TagReading is one tag as it is at the device now.
type TagReading struct {
	Item    Item
	Reading sample.Reading
	Time    sample.Time // when the answer had been read
}

// Read connects, reads every tag once, in the order of Options.Items, and goes.
// A tag that cannot be read is a bad reading with the reason. The error is that
// of the link: nobody answered. It has a connection of its own and has nothing to
// do with Run; a device that takes one connection only refuses it beside Run.
func (s *Source) Read(ctx context.Context) ([]TagReading, error) {
	l := newLine(s.opts.Address, s.opts.Timeout)
	defer l.close()
	if err := l.connect(ctx); err != nil {
		return nil, err
	}
	got := make(map[sample.Tag]TagReading, len(s.items))
	answered := false
	var last error
	for queue := plan(s.items, s.opts.limits()); len(queue) > 0; queue = queue[1:] {
		q := &poll{block: queue[0]}
		data, failure := l.read(ctx, q.request())
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read %v: %w", q, err)
		}
		if halves := q.halves(failure); halves != nil {
			queue = append(queue, halves...)
			continue
		}
		at := s.now()
		answered = answered || l.hasAnswered()
		if failure != nil {
			last = failure
		}
		for i, r := range q.readings(data, failure) {
			got[r.Tag] = TagReading{q.items[i].Item, r, at}
		}
	}
	if !answered && last != nil {
		return nil, fmt.Errorf("nobody answers: %w", last)
	}
	list := make([]TagReading, len(s.items))
	for i, it := range s.items {
		list[i] = got[it.Tag]
	}
	return list, nil
}

// ReadRange reads count registers or bits of one unit, from an address on: the
// bytes of the registers, high byte first, or the bits, eight a byte, the lowest
// first. It makes as many reads as it takes; the values of different reads are of
// different instants. The error may be an *Exception.
func ReadRange(ctx context.Context, o Options, unit uint8, t Table, address uint16, count int) ([]byte, error) {
	o = o.withDefaults()
	function, ok := functions[t]
	switch {
	case !ok:
		return nil, fmt.Errorf("table %q: want coil, discrete, holding or input", t)
	case count < 1 || int(address)+count > 1<<16:
		return nil, fmt.Errorf("count %d from address %d: want 1 to %d", count, address, 1<<16-int(address))
	}
	l := newLine(o.Address, o.Timeout)
	defer l.close()
	var all []byte
	most := o.limits().most(t) // whole bytes, of bits too
	for count > 0 {
		n := min(count, most)
		data, err := l.read(ctx, request{unit: unit, function: function, address: address, count: uint16(n)})
		if err != nil {
			return nil, err
		}
		all = append(all, data...)
		address, count = address+uint16(n), count-n
	}
	return all, nil
}
