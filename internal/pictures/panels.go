package pictures

import (
	"fmt"
	"math"
	"time"

	"andon/internal/judge"
	"andon/internal/spc"
	"andon/internal/spec"
)

// Panel is one plot of a picture.
type Panel struct {
	Label  string
	Height float64
	Lines  []Curve
	Limits []Limit
	// Shade fills what lies between the line and a limit, on its outside.
	Shade    bool
	From, To float64 // where it does: while the rule applies
	Zero     bool    // the scale begins at 0
}

// Curve is one quantity over time.
type Curve struct {
	Name   string
	Points []Point
	Step   bool // stands until the next
	Dots   bool // each point is a sample
	Other  bool // not what the rule compares with its limits
}

// Limit is a limit over time; most are level.
type Limit struct {
	Name   string
	Points []Point
	Side   string // high, low; "" for a mark that is none
}

func (t *Trace) level(name string, y *float64, side string) []Limit {
	if y == nil {
		return nil
	}
	return []Limit{{name, []Point{{T: 0, Y: *y}, {T: t.End, Y: *y}}, side}}
}

// levels are a lower and an upper limit, called by the document's words.
func (t *Trace) levels(words [2]string, low, high *float64) (list []Limit) {
	for i, y := range [2]*float64{low, high} {
		if y != nil {
			list = append(list, t.level(words[i]+" "+short(*y), y, [2]string{spec.Low, spec.High}[i])...)
		}
	}
	return list
}

var minMax = [2]string{"min", "max"}

// limits are those that a rule compares values with.
func (t *Trace) limits(ru *spec.Rule) []Limit {
	words := [2]string{ru.LimitName, ru.LimitName}
	switch ru.LimitName {
	case "":
		words = [2]string{"limit", "limit"}
	case "limits":
		words = [2]string{"lsl", "usl"}
	}
	return t.levels(words, ru.Low, ru.High)
}

// Panels are the plots that show the first rule of the first parameter.
func (t *Trace) Panels() []Panel {
	list := t.panels()
	for i := range list {
		list[i].From, list[i].To = t.applies(0)
	}
	return list
}

func (t *Trace) panels() []Panel {
	par := &t.Doc.Parameters[0]
	ru := &par.Rules[0]
	inputs := Panel{Label: par.Unit, Height: 170, Lines: t.inputs()}
	switch ru.Kind {
	case spec.Equals:
		return nil
	case spec.High, spec.Low, spec.Band:
		if par.Computed != nil {
			value := Panel{Label: "computed, " + par.Unit, Height: 110, Shade: true, Limits: t.limits(ru), Lines: []Curve{{Points: t.Curve(0, number), Dots: true}}}
			inputs.Label = "inputs"
			return []Panel{inputs, value}
		}
		inputs.Shade = len(par.Rules) == 1
		for i := range par.Rules {
			if r := &par.Rules[i]; i == 0 || r.LimitName != ru.LimitName {
				inputs.Limits = append(append(inputs.Limits, t.limits(r)...), t.deadband(r)...)
			}
		}
		inputs.Lines = t.joined(inputs.Lines)
	case spec.Rate, spec.Spread:
		second := Panel{Label: ru.Unit, Height: 110, Shade: true, Limits: t.levels(minMax, ru.Low, ru.High), Lines: []Curve{{Points: t.Curve(0, number)}}}
		return []Panel{inputs, second}
	case spec.Envelope:
		inputs.Height = 230
		inputs.Limits, inputs.Shade = t.profile(ru), true
	case spec.Frozen:
		limit := ru.For.Seconds()
		inputs.Lines[0].Step = true
		return []Panel{inputs, {Label: "unchanged, s", Height: 90, Zero: true, Shade: true, Limits: t.levels([2]string{"", "for"}, nil, &limit), Lines: []Curve{{Points: t.unchanged()}}}}
	case spec.Window:
		return t.windows(ru)
	case spec.SPC:
		if ru.Chart.Kind == spec.EWMA {
			return []Panel{inputs, t.average(ru.Chart)}
		}
		inputs.Limits = t.chartLines(ru.Chart)
	case spec.Soak:
		inputs.Limits = t.levels([2]string{"tolerance", "tolerance"}, &ru.Tolerance[0], &ru.Tolerance[1])
		return []Panel{inputs, t.clocks(par.Rules)}
	case spec.Lethality:
		inputs.Limits = t.level("tref "+short(ru.TRef), &ru.TRef, "")
		return []Panel{inputs, t.lethalRates(ru), {Label: "sum, s", Height: 100, Zero: true, Limits: t.levels(minMax, ru.Low, ru.High), Lines: t.totals()}}
	case spec.Above, spec.Below:
		side := map[string]string{spec.Above: spec.High, spec.Below: spec.Low}[ru.Kind]
		inputs.Limits, inputs.Shade = t.level("value "+short(ru.Threshold), &ru.Threshold, side), true
		return []Panel{inputs, {Label: "time " + ru.Kind + ", s", Height: 100, Zero: true, Limits: t.levels(minMax, ru.Low, ru.High), Lines: t.totals()}}
	case spec.Peak:
		inputs.Limits = t.levels(minMax, ru.Low, ru.High)
		inputs.Lines = append(inputs.Lines, Curve{Name: "peak", Points: t.totals()[0].Points, Step: true})
	}
	return []Panel{inputs}
}

func (t *Trace) inputs() (list []Curve) {
	for i, points := range t.Inputs {
		list = append(list, Curve{Name: t.Doc.Parameters[0].Inputs[i], Points: t.broken(points), Dots: true})
	}
	return list
}

// joined adds the number that rules make of all inputs, where they do.
func (t *Trace) joined(lines []Curve) []Curve {
	for i, r := range t.Doc.Parameters[0].Rules {
		switch r.Scope {
		case spec.Mean, spec.Max, spec.Min:
			for k := range lines {
				lines[k].Other = true
			}
			lines = append(lines, Curve{Name: r.Scope, Points: t.Curve(i, number)})
		}
	}
	return lines
}

// broken puts a break where nothing is known between two samples.
func (t *Trace) broken(points []Point) (list []Point) {
	most := t.Doc.Parameters[0].Sampling.MaxGap.Seconds()
	for i, p := range points {
		if i > 0 && p.T-points[i-1].T > most && !points[i-1].Bad {
			list = append(list, Point{T: points[i-1].T, Y: math.NaN(), Bad: true})
		}
		if p.Bad {
			p.Y = math.NaN()
		}
		list = append(list, p)
	}
	return list
}

// number is what a rule compares with its limits.
func number(r *judge.Rule) (float64, bool) {
	return r.Series[0].X, r.Series[0].Known && r.Verdict != judge.NotApplicable
}

func (t *Trace) deadband(ru *spec.Rule) (list []Limit) {
	if ru.Deadband == 0 {
		return nil
	}
	if ru.High != nil {
		y := *ru.High - ru.Deadband
		list = append(list, t.level("deadband "+short(y), &y, "")...)
	}
	if ru.Low != nil {
		y := *ru.Low + ru.Deadband
		list = append(list, t.level("deadband "+short(y), &y, "")...)
	}
	return list
}

// profile are an envelope's limits, from where its phase begins to its end.
func (t *Trace) profile(ru *spec.Rule) []Limit {
	from, to := t.applies(0)
	low, high := Limit{Name: "low", Side: spec.Low}, Limit{Name: "high", Side: spec.High}
	add := func(at, l, h float64) {
		low.Points, high.Points = append(low.Points, Point{T: at, Y: l}), append(high.Points, Point{T: at, Y: h})
	}
	for i, p := range ru.Profile {
		at := from + p.T.Seconds()
		if at <= to {
			add(at, p.Low, p.High)
			continue
		}
		q := ru.Profile[i-1]
		f := (to - from - q.T.Seconds()) / (p.T - q.T).Seconds()
		add(to, q.Low+f*(p.Low-q.Low), q.High+f*(p.High-q.High))
		break
	}
	if last := low.Points[len(low.Points)-1]; last.T < to {
		add(to, last.Y, high.Points[len(high.Points)-1].Y)
	}
	return []Limit{low, high}
}

// applies is the stretch in which a rule is judged.
func (t *Trace) applies(rule int) (from, to float64) {
	from, to = -1, t.End
	for _, s := range t.Rules[rule] {
		switch {
		case s.What == judge.NotApplicable.String() && from >= 0:
			return from, s.T
		case s.What != judge.NotApplicable.String() && from < 0:
			from = s.T
		}
	}
	return from, to
}

// unchanged is for how long a value has been the same, just before and just
// after each instant.
func (t *Trace) unchanged() (list []Point) {
	for i := range t.States {
		now := t.States[i].S.Rules[0].Memory
		if i > 0 && t.States[i-1].S.Rules[0].Memory[0].From != 0 {
			list = append(list, Point{T: t.States[i].T, Y: t.States[i].T - since(t.States[i-1].S.Rules[0].Memory[0].From)})
		}
		if now[0].From != 0 {
			list = append(list, Point{T: t.States[i].T, Y: t.States[i].T - since(now[0].From)})
		}
	}
	return list
}

// windows are the inputs of a window, each with its range.
func (t *Trace) windows(ru *spec.Rule) (list []Panel) {
	for _, g := range ru.Ranges {
		c := t.inputs()[g.Input]
		list = append(list, Panel{Label: c.Name + ", " + g.Unit, Height: 95, Lines: []Curve{c}, Limits: t.levels(minMax, &g.Low, &g.High)})
	}
	return list
}

func (t *Trace) chartLines(c *spec.Charting) (list []Limit) {
	for k := -3; k <= 3; k++ {
		y := c.Center + float64(k)*c.Sigma
		name := fmt.Sprintf("%+d sigma", k)
		side := ""
		switch k {
		case 0:
			name = "center " + short(y)
		case -3:
			side = spec.Low
		case 3:
			side = spec.High
		}
		list = append(list, t.level(name, &y, side)...)
	}
	return list
}

// average is an EWMA with its limits, which widen from point to point.
func (t *Trace) average(c *spec.Charting) Panel {
	chart := spc.Chart{Kind: spc.KindEWMA, Center: c.Center, Sigma: c.Sigma, Lambda: c.Lambda, L: c.L}
	low, high, line := Limit{Name: "lcl", Side: spec.Low}, Limit{Name: "ucl", Side: spec.High}, Curve{Dots: true}
	for i := range t.States {
		st := &t.States[i].S.Rules[0].Memory[0].Chart
		if at := t.States[i].T; st.Points > 0 {
			l, h := chart.Limits(st)
			low.Points, high.Points = append(low.Points, Point{T: at, Y: l}), append(high.Points, Point{T: at, Y: h})
			line.Points = append(line.Points, Point{T: at, Y: chart.Value(st)})
		}
	}
	center := t.level("center "+short(c.Center), &c.Center, "")
	return Panel{Label: "EWMA, " + t.Doc.Parameters[0].Unit, Height: 140, Shade: true, Lines: []Curve{line}, Limits: append(center, low, high)}
}

// clocks are the times that soaks have come to: of the stretch under way where
// leaving the tolerance restarts it, else of all stretches.
func (t *Trace) clocks(rules []spec.Rule) Panel {
	p := Panel{Label: "soak, s", Height: 110, Zero: true}
	for i := range rules {
		of := func(w *judge.Within) time.Duration { return w.Now }
		if rules[i].Mode == spec.Cumulative {
			of = func(w *judge.Within) time.Duration { return w.Sum }
		}
		var curve []Point
		for _, s := range t.Fine {
			if run := s.S.Rules[i].Run; run != nil && run.PhaseFrom != 0 {
				curve = append(curve, Point{T: since(run.Within.Upto), Y: of(&run.Within).Seconds()})
			}
		}
		p.Lines = append(p.Lines, Curve{Name: rules[i].Mode, Points: curve})
	}
	p.Limits = t.levels(minMax, rules[0].Low, rules[0].High)
	return p
}

// lethalRates are what a second is worth, between the samples too: the sum is
// by trapezoids of these.
func (t *Trace) lethalRates(ru *spec.Rule) Panel {
	p := Panel{Label: "rate, s/s", Height: 100, Zero: true}
	one := 1.0
	p.Limits = t.level("1 at tref", &one, "")
	for _, c := range t.inputs() {
		rates := Curve{Name: c.Name, Dots: true}
		for _, pt := range c.Points {
			pt.Y = math.Pow(10, (pt.Y-ru.TRef)/ru.Z)
			rates.Points = append(rates.Points, pt)
		}
		p.Lines = append(p.Lines, rates)
	}
	return p
}

// totals are what each input has come to in the operation, at the instant up to
// which it has been counted.
func (t *Trace) totals() (list []Curve) {
	for k := range t.States[0].S.Rules[0].Memory {
		c := Curve{}
		if len(t.Inputs) > 1 {
			c.Name = t.Doc.Parameters[0].Inputs[k]
		}
		before := false
		for _, s := range t.Fine {
			r := &s.S.Rules[0]
			if now := r.Run != nil; r.Series[k].T != 0 && (now && r.Run.PhaseFrom != 0 || before) {
				c.Points = append(c.Points, Point{T: since(r.Series[k].T), Y: r.Memory[k].Total.Sum})
				before = now
			}
		}
		list = append(list, c)
	}
	return list
}
