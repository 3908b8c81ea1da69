package rehearse

// load is a furnace load: heated from 600 degF by rate, held at 885 for soak
// seconds, quenched, and aged when age is not 0. A thermocouple stands off from
// the load by its offset; a hold is half a degree higher in every second row, so
// that nothing stands still.
type load struct {
	rate    float64 // degF/s
	offsets [4]float64
	soak    float64
	quench  float64                            // s from the furnace to the water
	age     float64                            // s from the lagging oven thermocouple in to the end
	oven    path                               // added to both age thermocouples, from the beginning of the age
	change  func(tc int, t float64, v any) any // what one thermocouple shows instead
	in      float64                            // longest time in the tolerance; 0 for all of it
	paused  float64                            // of the age
	wants   func(s *scene, l *load)

	lagging, soaking, quenching, ageing, end float64 // instants, in s
}

const (
	heatEvery = 30.0
	ageEvery  = 60.0
	hour      = 3600.0
	day       = 24 * hour
)

func heat() []*scene {
	ok := load{rate: 0.1, offsets: [4]float64{3, 1, -1, -3}, soak: 2700, quench: 12, wants: func(*scene, *load) {}}
	with := func(change func(l *load)) load { l := ok; change(&l); return l }
	between := func(tc int, from, to float64, what any) func(int, float64, any) any {
		return func(i int, t float64, v any) any {
			if i == tc && t >= from && t <= to {
				return what
			}
			return v
		}
	}
	slope := func(s *scene, l *load) { // of a whole window of five minutes, and a minute's delay
		s.event("deviation", "load_temp", "ramp", 300, 360, l.soaking, "ended")
	}
	return []*scene{
		with(func(l *load) { l.age = day + 600 }).scene("pass"),
		with(func(l *load) { l.soak = 2550 }).scene("soak-short"),
		with(func(l *load) { l.soak = 4560 }).scene("soak-long"),
		// The lagging thermocouple dips from 882.5 to 870 and back: it is below 875
		// from 18 s behind 3570 to 12 s behind 3600, and the soak begins again. 18 degF
		// apart, they are beyond 15 for the upper quarter of the way of 12.
		with(func(l *load) {
			l.change, l.in = between(3, 3600, 3600, 870.0), 5550-3612
			l.wants = func(s *scene, _ *load) {
				w := s.event("deviation", "load_temp", "spread", 3600, 3600, 3630, "returned_to_spec")
				w.Duration, w.Area = ptr(15.0), ptr(22.5)
			}
		}).scene("soak-broken"),
		// From 888.5 to 897 and back: beyond 895 for 2/8.5 of 30 s on either side.
		with(func(l *load) {
			edge := 30 * 2 / 8.5
			l.change, l.in = between(0, 4200, 4200, 897.0), 4200-edge-2780
			l.wants = func(s *scene, _ *load) {
				w := s.event("deviation", "load_temp", "over", 4200, 4200, 4260, "returned_to_spec")
				w.Duration, w.Area = ptr(2*edge), ptr(2*edge)
			}
		}).scene("too-hot"),
		with(func(l *load) { l.rate, l.wants = 0.25, slope }).scene("ramp-fast"),
		with(func(l *load) { l.rate, l.wants = 0.025, slope }).scene("ramp-slow"),
		with(func(l *load) {
			l.offsets = [4]float64{8, 1, -1, -8}
			l.wants = func(s *scene, l *load) {
				s.event("deviation", "load_temp", "spread", l.soaking, l.soaking, l.quenching, "ended")
			}
		}).scene("spread"),
		// Unchanged from 3000 to 3900: at 3600 the ten minutes are over, and at 3630 it
		// is seen to stand for longer.
		with(func(l *load) {
			l.change = between(1, 3000, 3900, 886.0)
			l.wants = func(s *scene, _ *load) {
				s.event("deviation", "load_temp", "stuck", 3600, 3630, 3930, "returned_to_spec")
			}
		}).scene("stuck"),
		// One of four may be lost, and is on record.
		with(func(l *load) {
			l.change = between(2, 3600, 3690, badCell)
			l.wants = func(s *scene, _ *load) { s.gap("tc3", "bad_quality", 3570, 3600, 3720) }
		}).scene("one-sensor-lost"),
		// Two may not: nothing is known from 3570 to 3780, and the soak begins again.
		with(func(l *load) {
			l.change = func(tc int, t float64, v any) any {
				if tc >= 2 && t >= 3600 && t <= 3750 {
					return ""
				}
				return v
			}
			l.in = 5550 - 3780
			l.wants = func(s *scene, _ *load) {
				s.gap("tc3", "silence", 3570, 3630, 3780)
				s.gap("tc4", "silence", 3570, 3630, 3780)
				s.event("deviation", "load_temp", "missing_data", 3570, 3630, 3780, "returned_to_spec")
			}
		}).scene("two-sensors-lost"),
		with(func(l *load) {
			l.quench = 17
			l.wants = func(s *scene, l *load) {
				s.event("nonconformance", "quench_delay", "late", l.quenching, l.quenching, l.ageing, "ended")
			}
		}).scene("quench-late"),
		with(func(l *load) { l.age = 23 * hour }).scene("age-short"),
		// The door is open for a while after five hours: 20 degF down in ten minutes,
		// 20 minutes there, and back. The lagging one is below 240 for 31 minutes,
		// which do not count; the rest does.
		with(func(l *load) {
			l.age, l.paused = day+600+31*minute, 31*minute
			l.oven = path{{0, 0}, {5 * hour, 0}, {5*hour + 600, -20}, {5*hour + 1800, -20}, {5*hour + 2400, 0}, {9e9, 0}}
		}).scene("age-paused"),
		// The leading one is above 260 from 5 to 17 minutes, back by the deadband at
		// 18, and over five minutes later.
		with(func(l *load) {
			l.age, l.paused = day+600, 12*minute
			l.oven = path{{0, 0}, {5 * hour, 0}, {5*hour + 360, 12}, {5*hour + 960, 12}, {5*hour + 1320, 0}, {9e9, 0}}
			l.wants = func(s *scene, l *load) {
				t0 := l.ageing + 5*hour
				w := s.event("deviation", "age_temp", "age_over", t0+360, t0+360, t0+1380, "returned_to_spec")
				w.Duration, w.Area = ptr(12*minute), ptr(22*minute)
			}
		}).scene("age-hot"),
	}
}

func (l load) scene(name string) *scene {
	s := newScene("HT-7075-T6-FULL", name, "phase", "lot", "work_order", "operator", "tc1", "tc2", "tc3", "tc4", "quench_delay_s", "age1", "age2")
	l.lagging, l.soaking = (275-l.offsets[3])/l.rate, 285/l.rate
	l.quenching = l.soaking + l.soak
	l.ageing = l.quenching + 60
	l.end = l.ageing
	if l.age != 0 { // the lagging oven thermocouple begins at 229 degF and is at 240 after 11 min
		l.end = l.ageing + 11*minute + l.age
	}
	rise := path{{0, 230}, {20 * minute, 250}, {9e9, 250}}
	for t, k := 0.0, 0; t <= l.end+60; k++ {
		cells := []any{l.phase(t), "L-2291", "WO-55012", "u1042"}
		for i := range 4 {
			cells = append(cells, l.thermocouple(i, k, t))
		}
		quench, oven := 0.0, 100.0
		if t >= l.quenching {
			quench = l.quench
		}
		if t >= l.ageing {
			oven = rise.at(t-l.ageing) + l.oven.plus(t-l.ageing)
		}
		s.row(t, append(cells, quench, oven, oven-1)...)
		if t < l.ageing {
			t += heatEvery
		} else {
			t += ageEvery
		}
	}
	in := l.in
	if in == 0 {
		in = l.quenching - l.lagging
	}
	s.result(l.quenching, "load_temp", "soak", in, in >= 45*minute && in <= 75*minute, "nonconformance")
	aged := l.age - l.paused // a load that is not aged has been so for no time
	s.result(l.end, "age_temp", "age", aged, aged >= day && aged <= 28*hour, "nonconformance")
	l.wants(s, &l)
	return s
}

func (l *load) phase(t float64) string {
	switch {
	case t >= l.end:
		return "done"
	case t >= l.ageing:
		return "age"
	case t >= l.quenching:
		return "quench"
	case t >= l.soaking:
		return "soak"
	}
	return "heat"
}

// thermocouple is what load thermocouple i shows in row k; the load is out of the
// furnace behind the first row of the quench.
func (l *load) thermocouple(i, k int, t float64) any {
	v := l.offsets[i] + 100
	switch {
	case t <= l.soaking:
		v = 600 + l.offsets[i] + l.rate*t
	case t <= l.quenching:
		v = 885 + l.offsets[i] + 0.5*float64(k%2)
	}
	if l.change == nil {
		return v
	}
	return l.change(i, t, v)
}
