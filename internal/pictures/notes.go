package pictures

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"andon/internal/judge"
)

// note is an instant of a picture and what is said of it.
type note struct {
	t    float64
	said []string
}

// notesOf are the instants that the rehearsal names, each with all that happens
// there, in order of time.
func notesOf(lines []Line, t *Trace) []note {
	var list []note
	add := func(at float64, words string) {
		i := slices.IndexFunc(list, func(n note) bool { return n.t == at })
		if i < 0 {
			list = append(list, note{t: at})
			i = len(list) - 1
		}
		if !slices.Contains(list[i].said, words) {
			list[i].said = append(list[i].said, words)
		}
	}
	for i := range lines {
		lines[i].notes(add, len(t.Doc.Parameters[0].Rules) > 1)
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].t < list[j].t })
	return list
}

// notes are the instants of one line.
func (l *Line) notes(add func(float64, string), several bool) {
	d := &l.Data
	of := ""
	if rule := l.Rule + d.Spec.Rule; several || rule == judge.MissingData {
		of = rule + " "
	}
	switch l.Type {
	case "alarm":
		add(since(l.T), of+"alarm "+l.State)
	case "result":
		r := &l.Requirement
		met := "met"
		if !r.Met {
			met = "NOT met"
		}
		add(since(l.T), fmt.Sprintf("decided: %sactual %s %s, required %s: %s", of, value(r.Actual), r.Unit, value(r.Required), met))
	case "gap":
		if d.State == "opened" {
			add(since(d.OccurredFrom), "last good instant of "+names(d.Tags)+": the gap begins")
			add(since(l.T), "gap event of "+names(d.Tags)+" opened ("+d.Cause+")")
		} else if d.OccurredTo != 0 {
			add(since(d.OccurredTo), "gap event of "+names(d.Tags)+" closed")
		}
	case "deviation", "nonconformance", "signal":
		l.eventNotes(add, of)
	}
}

func (l *Line) eventNotes(add func(float64, string), of string) {
	d := &l.Data
	if d.Evidence != nil {
		return
	}
	if d.State == "opened" {
		if d.OccurredFrom != d.DetectedAt && d.ClearedAt == 0 && d.Spec.Rule != judge.MissingData {
			add(since(d.OccurredFrom), of+"occurred_from: first sample out")
			add(since(d.DetectedAt), of+"detected_at: "+l.Type+" opened")
			return
		}
		add(since(d.DetectedAt), of+l.Type+" opened")
		return
	}
	if d.OccurredTo != 0 && d.State != "updated" && d.State != "ended" && d.Spec.Rule != judge.MissingData {
		add(since(d.OccurredTo), of+"occurred_to: first sample back in")
	}
	if d.ClearedAt != 0 {
		add(since(d.ClearedAt), of+"cleared_at: "+l.Type+" over")
	}
	if d.State == "ended" {
		add(since(l.T), of+l.Type+" ended with its phase")
	}
}

// notes draws the instants: a line through all with a letter on top, and under
// the picture what the letter stands for.
func (c *canvas) notes(list []note, top float64) {
	bottom := c.y - 26
	last, up := -100.0, false
	for i, n := range list {
		x := c.x(n.t)
		up = x-last < 20 && !up
		y := top - 6
		if up {
			y -= 15
		}
		last = x
		c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#444" stroke-width="1" stroke-dasharray="1 3"/>`, x, y, x, bottom)
		c.add(`<circle cx="%.1f" cy="%.1f" r="9" fill="#222"/>`, x, y)
		c.text(x, y+4.5, "middle", `fill="#ffffff" font-size="13" font-weight="bold"`, letter(i))
	}
	c.y += 6
	for i, n := range list {
		c.add(`<circle cx="28" cy="%.1f" r="9" fill="#222"/>`, c.y+8)
		c.text(28, c.y+12.5, "middle", `fill="#ffffff" font-size="13" font-weight="bold"`, letter(i))
		c.text(92, c.y+13, "end", `fill="#111"`, short(n.t)+" s")
		for k, words := range wrapped(n.said) {
			if k > 0 {
				c.y += legend
			}
			c.text(left, c.y+13, "start", `fill="#111"`, words)
		}
		c.y += legend
	}
	c.y += 8
}

// wrapped joins words to lines that fit the picture.
func wrapped(said []string) (list []string) {
	const most = 92
	for _, s := range said {
		if n := len(list); n > 0 && len(list[n-1])+len(s) < most {
			list[n-1] += "; " + s
			continue
		}
		list = append(list, s)
	}
	return list
}

func letter(i int) string { return strings.ToUpper(string(rune('a' + i%26))) }
