package pictures

import (
	"fmt"
	"html"
	"math"
	"strings"

	"andon/internal/judge"
	"andon/internal/spec"
)

// The measures of every picture, in pixels.
const (
	width  = 800.0
	left   = 104.0 // of the plots
	right  = 660.0
	lane   = 24.0
	legend = 21.0
)

// colours of lines, which also differ in dash and in the form of their dots
// (Okabe and Ito, 2008: told apart by those who see colours otherwise).
var (
	colours = [...]string{"#0072b2", "#c4511a", "#00795a", "#8a4f7d"}
	dashes  = [...]string{"", "7 4", "2 3", "9 3 2 3"}
)

// canvas writes SVG.
type canvas struct {
	strings.Builder
	end float64 // of the time axis, s
	y   float64 // where the next part begins
}

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.Builder, format+"\n", args...) }

func (c *canvas) x(t float64) float64 { return left + (right-left)*t/c.end }

func (c *canvas) text(x, y float64, anchor, style, words string) {
	c.add(`<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`, x, y, anchor, style, html.EscapeString(words))
}

// Draw is the picture of an example, as SVG.
func Draw(e *Example, t *Trace, lines []Line) string {
	c := &canvas{end: t.End, y: 66}
	notes := notesOf(lines, t)
	marks := c.y - 8
	for _, p := range t.Panels() {
		c.panel(&p)
	}
	c.lanes(t)
	c.axis()
	c.notes(notes, marks)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s" font-family="Arial, Helvetica, sans-serif" font-size="14">`+"\n",
		width, c.y, width, c.y, html.EscapeString(e.Title))
	b.WriteString(`<defs>
<pattern id="out" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" fill="#fbd9c9"/><line x1="0" y1="0" x2="0" y2="7" stroke="#c4511a" stroke-width="2"/></pattern>
<pattern id="unknown" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#e4e4e4"/><circle cx="3" cy="3" r="1" fill="#555"/></pattern>
</defs>
`)
	fmt.Fprintf(&b, `<rect x="0.5" y="0.5" width="%.0f" height="%.0f" rx="6" fill="#ffffff" stroke="#9a9a9a"/>`+"\n", width-1, c.y-1)
	fmt.Fprintf(&b, `<text x="16" y="27" font-size="17" font-weight="bold" fill="#111">%s</text>`+"\n", html.EscapeString(e.Title))
	b.WriteString(c.String())
	b.WriteString("</svg>\n")
	return b.String()
}

// panel draws one plot.
func (c *canvas) panel(p *Panel) {
	low, high := p.reach()
	c.names(p)
	top, bottom := c.y, c.y+p.Height
	y := func(v float64) float64 { return bottom - (v-low)/(high-low)*(bottom-top) }
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#fcfcfc" stroke="#bbb"/>`, left, top, right-left, p.Height)
	step := nice((high-low)/5, []float64{1, 2, 5, 10})
	for v := math.Ceil(low/step) * step; v <= high+step/1e6; v += step {
		c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#e6e6e6"/>`, left, y(v), right, y(v))
		c.text(left-6, y(v)+5, "end", `fill="#333" font-size="13"`, short(math.Round(v/step)*step+0)) // +0: not -0
	}
	c.add(`<text transform="translate(24 %.1f) rotate(-90)" text-anchor="middle" fill="#333">%s</text>`, (top+bottom)/2, html.EscapeString(p.Label))
	if p.Shade {
		c.shade(p, y)
	}
	c.limits(p, y)
	for i := range p.Lines {
		c.curve(&p.Lines[i], i, y, bottom)
	}
	c.y = bottom + 18
}

// reach is the scale of a plot.
func (p *Panel) reach() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	take := func(points []Point) {
		for _, pt := range points {
			if !pt.Bad && pt.Y-pt.Y == 0 {
				low, high = math.Min(low, pt.Y), math.Max(high, pt.Y)
			}
		}
	}
	for _, l := range p.Lines {
		take(l.Points)
	}
	for _, l := range p.Limits {
		take(l.Points)
	}
	pad := math.Max((high-low)*0.1, 1e-9)
	if p.Zero {
		return 0, high + pad
	}
	return low - pad, high + pad
}

// nice is the smallest step of a list, times a power of ten, that is at least x.
func nice(x float64, steps []float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, s := range steps {
		if s*power >= x*0.999 {
			return s * power
		}
	}
	return 10 * power
}

func (c *canvas) limits(p *Panel, y func(float64) float64) {
	last := math.Inf(1)
	for i := range p.Limits { // from below, so that names do not lie on one another
		l := &p.Limits[i]
		style := `stroke="#111" stroke-width="1.8" stroke-dasharray="8 4"`
		if l.Side == "" {
			style = `stroke="#666" stroke-width="1.2" stroke-dasharray="2 4"`
		}
		c.add(`<polyline points="%s" fill="none" %s/>`, c.path(l.Points, y), style)
		at := y(l.Points[len(l.Points)-1].Y) + 5
		if math.Abs(at-last) < 14 {
			at = last - math.Copysign(14, last-at)
		}
		c.text(right+6, at, "start", `fill="#111" font-size="13"`, l.Name)
		last = at
	}
}

func (c *canvas) path(points []Point, y func(float64) float64) string {
	var b strings.Builder
	for _, p := range points {
		fmt.Fprintf(&b, "%.1f,%.1f ", c.x(p.T), y(p.Y))
	}
	return strings.TrimSpace(b.String())
}

// runs are the stretches of a curve without a break; a stepwise one has its
// corners.
func (l *Curve) runs() (list [][]Point) {
	var run []Point
	for _, p := range append(l.Points[:len(l.Points):len(l.Points)], Point{Bad: true}) {
		switch {
		case p.Bad && run != nil:
			list, run = append(list, run), nil
		case p.Bad:
		case l.Step && run != nil:
			run = append(run, Point{T: p.T, Y: run[len(run)-1].Y}, p)
		default:
			run = append(run, p)
		}
	}
	return list
}

func (c *canvas) curve(l *Curve, i int, y func(float64) float64, bottom float64) {
	i %= len(colours)
	for _, run := range l.runs() {
		c.add(`<polyline points="%s" fill="none" stroke="%s" stroke-width="2.2" stroke-dasharray="%s"/>`, c.path(run, y), colours[i], dashes[i])
	}
	for _, p := range l.Points {
		switch x := c.x(p.T); {
		case !l.Dots:
		case p.Bad && p.Y != p.Y && p.T > 0 && !l.silent(p):
			c.add(`<path d="M%.1f %.1fl8 8m0 -8l-8 8" stroke="%s" stroke-width="2.2"/>`, x-4, bottom-14-10*float64(i), colours[i])
		case p.Bad:
		default:
			c.dot(x, y(p.Y), i)
		}
	}
}

// silent: a break where nothing came, and not a bad sample.
func (l *Curve) silent(p Point) bool {
	for _, q := range l.Points {
		if q.T == p.T && !q.Bad {
			return true
		}
	}
	return false
}

func (c *canvas) dot(x, y float64, i int) {
	switch i {
	case 0:
		c.add(`<circle cx="%.1f" cy="%.1f" r="3.6" fill="%s"/>`, x, y, colours[i])
	case 1:
		c.add(`<rect x="%.1f" y="%.1f" width="7" height="7" fill="%s"/>`, x-3.5, y-3.5, colours[i])
	default:
		c.add(`<path d="M%.1f %.1fl4.5 8h-9z" fill="%s"/>`, x, y-5, colours[i])
	}
}

// names says, above a plot, which line is which.
func (c *canvas) names(p *Panel) {
	x := left
	for i := range p.Lines {
		if len(p.Lines) < 2 {
			return
		}
		style := fmt.Sprintf(`fill="%s" font-size="13"`, colours[i])
		c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="2.2" stroke-dasharray="%s"/>`, x+2, c.y+7, x+32, c.y+7, colours[i], dashes[i])
		c.text(x+38, c.y+12, "start", style, p.Lines[i].Name)
		x += 56 + 7.5*float64(len(p.Lines[i].Name))
	}
	c.y += 18
}

// shade fills what a line has outside the limits: the area of an excursion.
func (c *canvas) shade(p *Panel, y func(float64) float64) {
	for i := range p.Lines {
		if p.Lines[i].Other {
			continue
		}
		for _, run := range p.Lines[i].runs() {
			for k := 1; k < len(run); k++ {
				a, b := run[k-1], run[k]
				from, to := math.Max(a.T, p.From), math.Min(b.T, p.To)
				for _, l := range p.Limits {
					c.outside(Point{T: from, Y: at(a, b, from)}, Point{T: to, Y: at(a, b, to)}, &l, y)
				}
			}
		}
	}
}

// outside fills one stretch between two samples, cut where it crosses the limit
// and where the limit has a corner.
func (c *canvas) outside(a, b Point, l *Limit, y func(float64) float64) {
	sign := map[string]float64{spec.High: 1, spec.Low: -1}[l.Side]
	for k := 1; k < len(l.Points) && sign != 0; k++ {
		p, q := l.Points[k-1], l.Points[k]
		from, to := math.Max(a.T, p.T), math.Min(b.T, q.T)
		if to <= from {
			continue
		}
		va, vb, la, lb := at(a, b, from), at(a, b, to), at(p, q, from), at(p, q, to)
		da, db := sign*(va-la), sign*(vb-lb)
		switch cut := from + (to-from)*da/(da-db); {
		case da <= 0 && db <= 0:
			continue
		case da < 0:
			from, va, la = cut, at(a, b, cut), at(a, b, cut)
		case db < 0:
			to, vb, lb = cut, at(a, b, cut), at(a, b, cut)
		}
		c.add(`<polygon points="%.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f" fill="url(#out)"/>`, c.x(from), y(la), c.x(from), y(va), c.x(to), y(vb), c.x(to), y(lb))
	}
}

// at is the value of the line from a to b at t.
func at(a, b Point, t float64) float64 {
	if b.T == a.T {
		return a.Y
	}
	return a.Y + (b.Y-a.Y)*(t-a.T)/(b.T-a.T)
}

// lanes draws what holds when, below the plots.
func (c *canvas) lanes(t *Trace) {
	c.lane("phase", t.Phase)
	c.lane("value", t.Texts)
	rules := t.Doc.Parameters[0].Rules
	for i := range rules {
		c.lane("rule "+rules[i].ID, append([]Step{{0, judge.Unknown.String()}}, t.Rules[i]...))
	}
	if len(rules) == 1 && !spec.NeedsOperation(rules[0].Kind) {
		c.lane("alarm", t.Delays(0, func(r *judge.Rule) judge.Phase { return r.Alarm.Phase }))
		c.lane("event", t.Delays(0, func(r *judge.Rule) judge.Phase { return r.Event.Phase }))
	}
}

// looks are how stretches are filled, and what is written in them.
// The third is for narrow ones.
var looks = map[string][3]string{
	"in": {"#d7ecd9", "in"}, "out": {"url(#out)", "OUT", "!"}, "unknown": {"url(#unknown)", "unknown", "?"}, "not_applicable": {"#ffffff", "not judged", "-"},
	"undecided": {"#dbe9f6", "not decided yet"}, "idle": {"#ffffff"}, "pending": {"#fff3c4", "on delay", "delay"}, "raised": {"url(#out)", "RAISED", "!"},
	"clearing": {"#fff3c4", "off delay", "delay"}, "lingering": {"#efe3f2", "rejoin", "re"},
}

func (c *canvas) lane(name string, steps []Step) {
	if len(steps) == 0 {
		return
	}
	c.text(left-6, c.y+16, "end", `fill="#111" font-size="13"`, name)
	for i := 0; i < len(steps); {
		k := i + 1
		for k < len(steps) && steps[k].What == steps[i].What {
			k++
		}
		to := c.end
		if k < len(steps) {
			to = math.Min(steps[k].T, c.end)
		}
		c.stretch(steps[i].T, to, steps[i].What)
		i = k
	}
	c.y += lane + 6
}

func (c *canvas) stretch(from, to float64, what string) {
	look, ok := looks[what]
	if !ok {
		look = [3]string{"#eef2f5", what}
	}
	x, w := c.x(from), c.x(to)-c.x(from)
	if w <= 0 {
		return
	}
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" stroke="#888"/>`, x, c.y, w, lane, look[0])
	words, need := look[1], 7.4*float64(len(look[1]))+4
	if w < need {
		words, need = look[2], 7.4*float64(len(look[2]))+4
	}
	if words == "" || w < need {
		return
	}
	if strings.HasPrefix(look[0], "url") {
		c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="16" rx="3" fill="#ffffff"/>`, x+w/2-need/2, c.y+4, need)
	}
	c.text(x+w/2, c.y+17, "middle", `fill="#111" font-size="13"`, words)
}

// axis draws the time.
func (c *canvas) axis() {
	unit, per, steps := "s", 1.0, []float64{1, 2, 5, 10}
	if c.end > 900 {
		unit, per, steps = "min", 60, []float64{1, 1.5, 3, 6, 10}
	}
	step := nice(c.end/per/10, steps)
	for v := 0.0; v*per <= c.end*1.0001; v += step {
		x := c.x(v * per)
		c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#333"/>`, x, c.y-2, x, c.y+4)
		c.text(x, c.y+19, "middle", `fill="#333" font-size="13"`, short(v))
	}
	c.text(right+24, c.y+19, "start", `fill="#333" font-size="13"`, "time, "+unit)
	c.y += 30
}
