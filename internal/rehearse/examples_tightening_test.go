package rehearse

import "fmt"

// tightening is units of four fasteners. The controller holds what each has come
// to when it says that the unit is tightened, 10 s after it began; 20 s after
// that the unit is gone.
func tightening() []*scene {
	return []*scene{
		unit("pass", 0, 0, 0),
		unit("torque-low", 1, 0, 22.9),
		unit("torque-high", 2, 0, 27.1),
		unit("angle-low", 3, 1, 39.5),
		unit("angle-high", 4, 1, 70.5),
		unit("rate-low", 1, 2, 0.15),
		unit("rate-high", 4, 2, 0.65),
		unit("at-the-limits", 0, 0, 0, [3]float64{23, 70, 0.2}, [3]float64{27, 40, 0.6}),
	}
}

// unit is one unit whose fastener (0 for none) has one value that is not right.
func unit(name string, fastener, which int, value float64, all ...[3]float64) *scene {
	columns := []string{"phase", "serials", "operator"}
	for f := 1; f <= 4; f++ {
		columns = append(columns, fmt.Sprintf("torque_%d", f), fmt.Sprintf("angle_%d", f), fmt.Sprintf("rate_%d", f))
	}
	s := newScene("TQ-M8-25", name, columns...)
	row := func(t float64, phase string, done bool) {
		cells := []any{phase, "U-100", "u1"}
		for f := 1; f <= 4; f++ {
			v := [3]float64{25, 55, 0.4}
			if len(all) > 0 {
				v = all[f%len(all)]
			}
			if f == fastener {
				v[which] = value
			}
			if !done { // what the one before has left
				v = [3]float64{0, 0, 0}
			}
			cells = append(cells, v[0], v[1], v[2])
		}
		s.row(t, cells...)
	}
	row(0, "tightening", false)
	row(5, "tightening", false)
	row(10, "tightened", true)
	row(15, "tightened", true)
	row(30, "idle", true)
	row(40, "idle", true)
	if fastener > 0 {
		s.event("nonconformance", fmt.Sprintf("fastener_%d", fastener), "window", 10, 10, 30, "ended")
	}
	return s
}
