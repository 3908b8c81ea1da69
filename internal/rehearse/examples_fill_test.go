package rehearse

// The filler weighs a pack every two seconds; five packs in a row make a point of
// the charts. Their weights lie around their mean so that they cancel.
var packs = [5]float64{-1, 1, -0.5, 0.5, 0}

const packEvery = 2.0

// fill is a run of subgroups by their means, and what is done to single packs.
func fill(name string, means []float64, change map[int]float64, wants func(s *scene)) *scene {
	s := newScene("FILL-250", name, "phase", "lot", "material", "lane", "weight")
	n := 0
	for _, mean := range means {
		for _, d := range packs {
			w := mean + d
			if x, ok := change[n]; ok {
				w = x
			}
			s.row(float64(n)*packEvery, "fill", "L-3", "M-250", "lane-2", w)
			n++
		}
	}
	s.row(float64(n)*packEvery, "stop", "L-3", "M-250", "lane-2", 251.0)
	wants(s)
	return s
}

// pack is the instant of a pack.
func pack(n int) float64 { return float64(n) * packEvery }

func filling() []*scene {
	even := []float64{251.1, 250.9, 251.1, 250.9, 251.1, 250.9, 251.1, 250.9, 251.1, 250.9}
	one := func(i int, mean float64) []float64 {
		m := append([]float64{}, even...)
		m[i] = mean
		return m
	}
	rest := (5*250.9 - 246.9) / 4 // the other four of a subgroup with a light pack
	heavy := (5*250.9 - 253.0) / 4
	run := []float64{251.1, 250.9, 250.9, 250.9, 250.9, 250.9, 250.9, 250.9, 251.1, 250.9}
	return []*scene{
		fill("pass", even, nil, func(*scene) {}),
		fill("pack-light", even, map[int]float64{15: rest, 16: rest, 17: 246.9, 18: rest, 19: rest}, func(s *scene) {
			slope := (rest - 246.9) / packEvery
			w := s.event("nonconformance", "net_weight", "light", pack(17), pack(17), pack(18), "returned_to_spec")
			w.Duration, w.Area = ptr(2*0.1/slope), ptr(0.1*0.1/slope)
			w = s.event("signal", "net_weight", "usual", pack(17), pack(17), pack(18), "returned_to_spec")
			w.Duration, w.Area = ptr(2*2.6/slope), ptr(2.6*2.6/slope)
		}),
		fill("pack-heavy", even, map[int]float64{15: heavy, 16: heavy, 17: 253, 18: heavy, 19: heavy}, func(s *scene) {
			s.event("signal", "net_weight", "usual", pack(17), pack(17), pack(18), "returned_to_spec")
		}),
		// A mean of 249.9, below 250, by the fifth pack, until the next mean.
		fill("mean-low", one(2, 249.9), map[int]float64{10: 249.9, 11: 249.9, 12: 249.9, 13: 249.9, 14: 249.9}, func(s *scene) {
			s.event("deviation", "net_weight", "mean5", pack(14), pack(14), pack(19), "returned_to_spec")
			s.event("signal", "net_weight", "xbar", pack(14), pack(14), pack(19), "returned_to_spec")
		}),
		fill("mean-high", one(2, 253.2), map[int]float64{10: 253.2, 11: 253.2, 12: 253.2, 13: 253.2, 14: 253.2}, func(s *scene) {
			s.event("signal", "net_weight", "usual", pack(10), pack(10), pack(15), "returned_to_spec")
			s.event("deviation", "net_weight", "mean5", pack(14), pack(14), pack(19), "returned_to_spec")
			s.event("signal", "net_weight", "xbar", pack(14), pack(14), pack(19), "returned_to_spec")
		}),
		// Seven means in a row below the centre, the second to the eighth.
		fill("run-of-seven", run, nil, func(s *scene) {
			s.event("signal", "net_weight", "xbar", pack(39), pack(39), pack(44), "returned_to_spec")
		}),
	}
}
