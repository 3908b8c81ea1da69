package rehearse

import "fmt"

// board is one pass through the oven: from 30 to 150 Cel, to 200, to the peak,
// held, and down to 50, each at its rate in K/s. Corners lie on whole seconds.
type board struct {
	up, soak, reflow, peak, hold, cool float64
}

func reflow() []*scene {
	ok := board{up: 2, soak: 0.5, reflow: 1.5, peak: 245, hold: 40, cool: 3}
	with := func(change func(b *board)) board { b := ok; change(&b); return b }
	return []*scene{
		ok.scene("pass"),
		with(func(b *board) { b.soak = 1 }).scene("preheat-short"),
		with(func(b *board) { b.soak = 0.4 }).scene("preheat-long"),
		with(func(b *board) { b.hold = 20 }).scene("liquid-short"),
		with(func(b *board) { b.hold = 70 }).scene("liquid-long"),
		with(func(b *board) { b.peak = 251 }).scene("peak-high"),
		with(func(b *board) { b.peak, b.hold = 230, 50 }).scene("peak-low"),
		with(func(b *board) { b.up = 3 }).scene("ramp-fast"),
		with(func(b *board) { b.cool = 5 }).scene("cool-fast"),
	}
}

func (b board) scene(name string) *scene {
	s := newScene("REFLOW-SAC305-B7", name, "phase", "lot", "serials", "board")
	t1 := 120 / b.up
	t2 := t1 + 50/b.soak
	t3 := t2 + (b.peak-200)/b.reflow
	t4 := t3 + b.hold
	t5 := t4 + (b.peak-50)/b.cool
	p := path{{0, 30}, {t1, 150}, {t2, 200}, {t3, b.peak}, {t4, b.peak}, {t5, 50}, {t5 + 60, 50}}
	for _, corner := range p {
		if corner[0] != float64(int(corner[0])) {
			panic(fmt.Sprintf("%s: a corner at %v", name, corner[0]))
		}
	}
	for t := 0.0; t <= t5+10; t++ {
		phase := "preheat"
		switch {
		case t >= t5:
			phase = "out"
		case t >= t4:
			phase = "cool"
		case t >= t2:
			phase = "reflow"
		}
		s.row(t, phase, "L-7", "B7-001", p.at(t))
	}
	soak := t2 - t1
	s.result(t4, "board_temp", "preheat", soak, soak >= 60 && soak <= 120, "nonconformance")
	liquid := t4 + (b.peak-217)/b.cool - (t2 + 17/b.reflow)
	s.result(t5, "board_temp", "liquid", liquid, liquid >= 60 && liquid <= 90, "nonconformance")
	s.result(t5, "board_temp", "peak", b.peak, b.peak >= 235 && b.peak <= 250, "nonconformance")
	// A slope is one of a whole window of five seconds within the rule's phases.
	if b.up > 2.5 { // until a window holds enough of the slower ramp
		s.event("deviation", "board_temp", "ramp", 5, 5, t1+slowed(b.up, b.soak, 2.5), "returned_to_spec")
	}
	if b.cool > 4 {
		s.event("deviation", "board_temp", "cool", t4+5, t4+5, t5, "ended")
	}
	return s
}

// slowed is how many whole seconds after a corner, at which the slope falls from
// before to after, the least-squares slope over five seconds is back at limit.
// With the corner k intervals back, the line through six points a second apart
// has the slope before + (after-before)·w(k), where w is the share that least
// squares give to the last k of five intervals: the sum of their weights
// i(6-i)/35, i = 1..5.
func slowed(before, after, limit float64) float64 {
	slope := before
	for k := 1.0; k <= 5; k++ {
		if slope += (after - before) * k * (6 - k) / 35; slope <= limit {
			return k
		}
	}
	panic("the slope never comes back to the limit")
}
