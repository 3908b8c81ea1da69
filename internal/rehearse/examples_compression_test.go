package rehearse

// press is a run of a tablet press: a sample a second, the force 0.1 kN above and
// below its mean in turn, so that a minute's mean is the mean.
func press(name string, seconds int, force, speed func(t int, v float64) float64, wants func(s *scene)) *scene {
	s := newScene("COMP-T12", name, "phase", "lot", "material", "operator", "main_force", "speed")
	for t := range seconds + 10 {
		phase, f := "compress", 12.1
		if t >= seconds {
			phase = "stop"
		}
		if t%2 == 1 {
			f = 11.9
		}
		s.row(float64(t), phase, "L-9", "T12", "u1", force(t, f), speed(t, 40))
	}
	wants(s)
	return s
}

// during is v from a on to b, both included.
func during(a, b int, v float64) func(int, float64) float64 {
	return func(t int, usual float64) float64 {
		if t >= a && t <= b {
			return v
		}
		return usual
	}
}

func compression() []*scene {
	usual := func(_ int, v float64) float64 { return v }
	none := func(*scene) {}
	return []*scene{
		press("pass", 300, usual, usual, none),
		// Five samples at 14.5 kN between 11.9 and 11.9: beyond 14 for 4 s and both
		// edges. Ten seconds after the first sample back it is over. The minute's mean
		// is 1.4 sigma high, and 5 s beyond the usual range are no event.
		press("force-high", 300, during(100, 104, 14.5), usual, func(s *scene) {
			edge := 0.5 / (14.5 - 11.9)
			w := s.event("nonconformance", "main_force", "proven", 100, 100, 115, "returned_to_spec")
			w.Duration, w.Area = ptr(4+2*edge), ptr(4*0.5+edge*0.5)
		}),
		press("force-low", 300, during(101, 105, 9.6), usual, func(s *scene) {
			edge := 0.4 / (12.1 - 9.6)
			w := s.event("nonconformance", "main_force", "proven", 101, 101, 116, "returned_to_spec")
			w.Duration, w.Area = ptr(4+2*edge), ptr(4*0.4+edge*0.4)
		}),
		// 31 s at 13.2 kN, beyond the usual 13: the deviation 30 s after the first
		// sample out. The means of the two minutes are 1.3 and 2.9 sigma high.
		press("force-unusual", 300, during(110, 141, 13.2), usual, func(s *scene) {
			up, down := 0.2/(13.2-11.9), 0.2/(13.2-12.1)
			w := s.event("deviation", "main_force", "usual", 110, 140, 152, "returned_to_spec")
			w.Duration, w.Area = ptr(31+up+down), ptr(31*0.2+(up+down)*0.2/2)
		}),
		// The mean is 12.2 kN, 1.33 sigma high: four of five points beyond one sigma
		// with the fifth minute, the first at which there are five points, and so on
		// until the press stops.
		press("force-shifted", 480, func(_ int, v float64) float64 { return v + 0.2 }, usual, func(s *scene) {
			s.event("signal", "main_force", "chart", 300, 300, 480, "ended")
		}),
		press("speed-low", 300, usual, during(100, 139, 37.5), func(s *scene) {
			w := s.event("deviation", "speed", "speed", 100, 130, 145, "returned_to_spec")
			w.Duration, w.Area = ptr(39+2*0.2), ptr(39*0.5+0.2*0.5)
		}),
		press("speed-high", 300, usual, during(100, 139, 42.5), func(s *scene) {
			w := s.event("deviation", "speed", "speed", 100, 130, 145, "returned_to_spec")
			w.Duration, w.Area = ptr(39+2*0.2), ptr(39*0.5+0.2*0.5)
		}),
		// Three seconds out are no more than an alarm that is not raised.
		press("speed-dip", 300, usual, during(100, 102, 37.5), none),
	}
}
