package rehearse

import "math"

// scenes are all rehearsals of the example specifications.
func scenes() []*scene {
	var all []*scene
	all = append(all, steam()...)
	all = append(all, reflow()...)
	all = append(all, tightening()...)
	all = append(all, filling()...)
	all = append(all, compression()...)
	all = append(all, cure()...)
	all = append(all, heat()...)
	return all
}

// path is a quantity over time as straight lines between corners.
type path [][2]float64

func (p path) at(t float64) float64 {
	for i := 1; i < len(p); i++ {
		if a, b := p[i-1], p[i]; t <= b[0] {
			return a[1] + (b[1]-a[1])*(t-a[0])/(b[0]-a[0])
		}
	}
	return p[len(p)-1][1]
}

// A cycle in the steriliser, in seconds: from 100 to 122 Cel by 0.1 K/s, held, and
// back to 100 by 0.2 K/s. The second probe is 0.3 K colder.
const (
	steamUp    = 220.0 // exposure begins
	steamDown  = 110.0 // from its end to that of the operation
	steamCold  = 0.3
	steamEvery = 5.0
)

// cycle is one load: what is done to it besides a plain cycle.
type cycle struct {
	hold     float64                         // length of the exposure
	probe1   path                            // added to the first probe
	probe2   path                            // and to the second
	apart    path                            // control less recording
	recipe   string                          // "" for the right one
	blind    [2]float64                      // the probes give nothing after the first and before the second
	f0       float64                         // what is added to F0 of the second probe
	wants    func(s *scene, end, f0 float64) // end of the exposure
	exposure float64                         // longest stretch in the band, 0 for all of it
}

func steam() []*scene {
	none := func(*scene, float64, float64) {}
	spike := path{{0, 0}, {500, 0}, {525, 2.5}, {550, 0}, {9999, 0}}
	return []*scene{
		cycle{hold: 900, wants: none}.scene("pass"),
		cycle{hold: 880, wants: none}.scene("exposure-short"),
		// The leading probe leaves the band: out from 521 to 529, at the sample at
		// 525 only; the exposure begins again there.
		cycle{hold: 900, probe1: spike, exposure: 220 + 900 + 3 - 529, wants: func(s *scene, _, _ float64) {
			w := s.event("nonconformance", "load_temp", "band", 525, 525, 530, "returned_to_spec")
			w.Duration, w.Area = ptr(8.0), ptr(8*0.4/2)
			// 2.8 K apart at the top, beyond 2 K from 517 to 533: the samples 520 to 530
			w = s.event("deviation", "load_temp", "spread", 520, 520, 535, "returned_to_spec")
			w.Duration, w.Area = ptr(16.0), ptr(16*0.8/2)
		}}.scene("too-hot"),
		// Both in the band, and 2.2 K apart from 505 to 595; on the way there and back
		// the difference is beyond 2 K for 0.2/1.9 of 5 s.
		cycle{hold: 900, probe1: path{{0, 0}, {500, 0}, {505, 1.9}, {595, 1.9}, {600, 0}, {9999, 0}}, wants: func(s *scene, _, _ float64) {
			edge := 5 * 0.2 / 1.9
			w := s.event("deviation", "load_temp", "spread", 505, 505, 600, "returned_to_spec")
			w.Duration, w.Area = ptr(90+2*edge), ptr(90*0.2+edge*0.2)
		}}.scene("probes-apart"),
		// Control and recording probe differ by 1.5 K at the samples 500 to 555.
		cycle{hold: 900, apart: path{{0, 0}, {495, 0}, {500, 1.5}, {555, 1.5}, {560, 0}, {9999, 0}}, wants: func(s *scene, _, _ float64) {
			w := s.event("deviation", "agreement", "apart", 500, 500, 560, "returned_to_spec")
			w.Duration, w.Area = ptr(55+2*5.0/3), ptr(55*0.5+0.5*5/3)
		}}.scene("probes-disagree"),
		// The recipe is wrong from the first row on, until the operation is over.
		cycle{hold: 900, recipe: "STER-134-B", wants: func(s *scene, end, _ float64) {
			s.event("nonconformance", "recipe", "released", 0, 0, end+steamDown, "ended")
		}}.scene("wrong-recipe"),
		// Nothing is heard of the probes after 595 and before 660: a gap from 595 on,
		// known after max_gap, earns no lethality and ends the exposure.
		cycle{hold: 900, blind: [2]float64{595, 660}, f0: -65 * lethalRate(122-steamCold), exposure: 220 + 900 + 3 - 660, wants: func(s *scene, _, _ float64) {
			s.gap("probe1", "silence", 595, 610, 660)
			s.gap("probe2", "silence", 595, 610, 660)
			s.event("deviation", "load_temp", "missing_data", 595, 610, 660, "returned_to_spec")
		}}.scene("gap"),
	}
}

// lethalRate is 10^((T-121.1)/10), of seconds at 121.1 Cel a second.
func lethalRate(celsius float64) float64 { return math.Pow(10, (celsius-121.1)/10) }

// rampF0 is the sum of trapezoids over the lethal rates of a ramp in equal steps:
// the rates are a geometric series.
func rampF0(from, to, step, dt float64) float64 {
	n := math.Round((to - from) / step)
	q := math.Pow(10, step/10)
	return dt * lethalRate(from) * (math.Pow(q, n) - 1) / (q - 1) * (1 + q) / 2
}

func (c cycle) scene(name string) *scene {
	s := newScene("STER-121-A", name, "phase", "lot", "operator", "probe1", "probe2", "control", "recording", "recipe")
	end := steamUp + c.hold
	temperature := path{{0, 100}, {steamUp, 122}, {end, 122}, {end + steamDown, 100}, {end + 600, 100}}
	recipe := c.recipe
	if recipe == "" {
		recipe = "STER-121-A"
	}
	for t := 0.0; t <= end+steamDown+30; t += steamEvery {
		phase := "heat_up"
		switch {
		case t >= end+steamDown:
			phase = "door"
		case t >= end:
			phase = "exhaust"
		case t >= steamUp:
			phase = "exposure"
		}
		v := temperature.at(t)
		probe1, probe2 := any(v+c.probe1.plus(t)), any(v-steamCold+c.probe2.plus(t))
		if t > c.blind[0] && t < c.blind[1] {
			probe1, probe2 = "", ""
		}
		s.row(t, phase, "L-1", "u1", probe1, probe2, v+c.apart.plus(t), v, recipe)
	}
	over := end + steamDown
	exposure := c.exposure
	if exposure == 0 { // the lagging probe is in from 121.4 of the leading one on: at 214, and until 3 s of cooling
		exposure = end + 3 - 214
	}
	s.result(over, "load_temp", "exposure", exposure, exposure >= 900, "nonconformance")
	f0 := rampF0(100-steamCold, 122-steamCold, 0.5, 5) + c.hold*lethalRate(122-steamCold) + rampF0(122-steamCold, 100-steamCold, -1, 5) + c.f0
	s.result(over, "load_temp", "f0", f0, f0 >= 900, "nonconformance")
	c.wants(s, end, f0)
	return s
}

// plus is the quantity at t, 0 for none.
func (p path) plus(t float64) float64 {
	if p == nil {
		return 0
	}
	return p.at(t)
}
