package rehearse

import "math"

// autoclave is one cure, in minutes from the beginning of the heat, at which the
// lagging thermocouple tc1 is at 60 Cel and the others are ahead of it. They rise
// to 180 by rate, are held until cool, and fall by 2 K/min, tc1 by its own rate.
type autoclave struct {
	rate     float64 // K/min
	ahead    float64 // of tc2 before tc1, and of tc3 before tc2
	cool     float64 // when the cool begins
	cool1    float64 // K/min of tc1 in the cool
	full     float64 // when the pressure is full
	vacuum   float64 // of the bag before it is vented
	release  float64 // when the pressure is let off
	spike    float64 // when tc3 is 6 K hotter for one sample; 0 for never
	low      float64 // when the pressure is at 580 kPa, for five samples; 0 for never
	dwell    float64 // longest stretch in the band in s; 0 for all of it
	wants    func(s *scene, c *autoclave)
	lagging  float64 // when tc1 is in the band
	dwelling float64 // when it is at 170
}

const minute = 60.0

func cure() []*scene {
	ok := autoclave{rate: 2, ahead: 2, cool: 185, cool1: 2.5, full: 6.2, vacuum: -80, release: 246, wants: func(*scene, *autoclave) {}}
	with := func(change func(c *autoclave)) autoclave { c := ok; change(&c); return c }
	return []*scene{
		ok.scene("pass"),
		with(func(c *autoclave) { c.cool, c.release = 170, 231 }).scene("dwell-short"),
		with(func(c *autoclave) { c.cool, c.release = 240, 301 }).scene("dwell-long"),
		// A slope is one of five whole minutes, and the deviation comes a minute later.
		with(func(c *autoclave) {
			c.rate, c.cool, c.release = 0.5, 365, 426
			c.wants = func(s *scene, c *autoclave) {
				s.event("deviation", "part_temp", "heat_rate", 5*minute, 6*minute, c.dwelling*minute, "ended")
			}
		}).scene("heat-slow"),
		with(func(c *autoclave) {
			c.rate, c.ahead, c.full, c.cool, c.release = 5, 5, 1, 150, 211
			c.wants = func(s *scene, c *autoclave) {
				s.event("deviation", "part_temp", "heat_rate", 5*minute, 6*minute, c.dwelling*minute, "ended")
			}
		}).scene("heat-fast"),
		with(func(c *autoclave) {
			c.cool1 = 4
			c.wants = func(s *scene, c *autoclave) { // at 20 Cel after 40 min
				s.event("deviation", "part_temp", "cool_rate", (c.cool+5)*minute, (c.cool+6)*minute, (c.cool+40+slowed(4, 0, 3))*minute, "returned_to_spec")
			}
		}).scene("cool-fast"),
		// 1 K beyond 185 Cel, on the way of 6 K a minute there and back: 20 s. The
		// dwell begins again.
		with(func(c *autoclave) {
			c.spike, c.dwell = 100, (187-100)*minute-10
			c.wants = func(s *scene, _ *autoclave) {
				w := s.event("nonconformance", "part_temp", "over", 100*minute, 100*minute, 102*minute, "returned_to_spec")
				w.Duration, w.Area = ptr(20.0), ptr(10.0)
			}
		}).scene("too-hot"),
		with(func(c *autoclave) {
			c.low = 100
			c.wants = func(s *scene, _ *autoclave) {
				w := s.event("nonconformance", "pressure", "under", 100*minute, 100*minute, 106*minute, "returned_to_spec")
				w.Duration, w.Area = ptr(4*minute+2*9), ptr(4*minute*6+9*6)
			}
		}).scene("pressure-low"),
		// The leading thermocouple is at 80 Cel after 8 min; the pressure is full after
		// 10, and 496 and 558 kPa until then.
		with(func(c *autoclave) {
			c.full = 10
			c.wants = func(s *scene, _ *autoclave) {
				s.event("nonconformance", "pressure_on", "late", 8*minute, 8*minute, 10*minute, "returned_to_spec")
			}
		}).scene("pressure-late"),
		// Let off at 240 min, when the hottest is at 70 Cel; below 60 it is at 246.
		with(func(c *autoclave) {
			c.release = 240
			c.wants = func(s *scene, _ *autoclave) {
				s.event("nonconformance", "pressure_held", "early", 240*minute, 240*minute, 246*minute, "returned_to_spec")
			}
		}).scene("pressure-early"),
		with(func(c *autoclave) {
			c.vacuum = -60
			c.wants = func(s *scene, _ *autoclave) { // until the pressure is above 138 kPa
				s.event("deviation", "bag", "leak", 0, 10, 2*minute, "returned_to_spec")
			}
		}).scene("bag-leak"),
	}
}

func (c autoclave) scene(name string) *scene {
	s := newScene("CURE-8552-180", name, "phase", "lot", "work_order", "serials", "operator", "tc1", "tc2", "tc3", "pressure", "vacuum")
	c.lagging, c.dwelling = (175-60)/c.rate, (170-60)/c.rate
	tc := func(ahead, cool float64) path {
		top := (180 - 60 - ahead) / c.rate
		cold := c.cool + math.Floor(160/cool)
		return path{{0, 60 + ahead}, {top, 180}, {c.cool, 180}, {cold, 180 - cool*(cold-c.cool)}, {9999, 180 - cool*(cold-c.cool)}}
	}
	tc1, tc2, tc3 := tc(0, c.cool1), tc(c.ahead, 2), tc(2*c.ahead, 2)
	over := c.cool + 70
	for m := 0.0; m <= over+5; m++ {
		phase := "heat"
		switch {
		case m >= over:
			phase = "done"
		case m >= c.cool:
			phase = "cool"
		case m >= c.dwelling:
			phase = "dwell"
		}
		hot := tc3.at(m)
		if c.spike != 0 && m == c.spike {
			hot += 6
		}
		p := c.pressure(m)
		v := -5.0
		if p < 138 && m < c.full {
			v = c.vacuum
		}
		s.row(m*minute, phase, "L-4", "WO-7", "P-1", "u1", tc1.at(m), tc2.at(m), hot, p, v)
	}
	dwell := c.dwell
	if dwell == 0 { // from the lagging one in to the first out, which is tc1
		dwell = (c.cool + 5/math.Max(c.cool1, 2) - c.lagging) * minute
	}
	s.result(over*minute, "part_temp", "dwell", dwell, dwell >= 120*minute && dwell <= 180*minute, "nonconformance")
	c.wants(s, &c)
	return s
}

// pressure rises straight to 620 kPa and is let off to 140 kPa, above that at which
// the bag would have to be under vacuum again.
func (c *autoclave) pressure(m float64) float64 {
	switch {
	case m >= c.release:
		return 140
	case c.low != 0 && m >= c.low && m <= c.low+4:
		return 580
	case m >= c.full:
		return 620
	}
	return 620 / c.full * m
}
