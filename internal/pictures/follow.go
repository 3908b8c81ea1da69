package pictures

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"andon/internal/engine"
	"andon/internal/judge"
	"andon/internal/record"
	"andon/internal/rehearse"
	"andon/internal/sample"
	"andon/internal/spec"
)

// Trace is how an example goes, instant by instant. Times are seconds since its
// beginning.
type Trace struct {
	Doc    *spec.Document
	Inputs [][]Point // of the first parameter
	Texts  []Step    // of an input that is text
	Phase  []Step    // of the context
	States []Snap    // of the first parameter, after each input of the engine
	Fine   []Snap    // likewise, with samples put in on the lines between where that changes nothing
	Rules  [][]Step  // what each rule says
	End    float64
}

// Point is a value of an input.
type Point struct {
	T, Y float64
	Bad  bool
}

// Step is what holds from T on.
type Step struct {
	T    float64
	What string
}

// Snap is the state of a parameter after an input of instant T.
type Snap struct {
	T float64
	S judge.State
}

// Follow judges an example as the daemon would and keeps how it went.
func Follow(e *Example) (*Trace, error) {
	t, err := follow(e)
	if err != nil {
		return nil, err
	}
	t.Fine = t.States
	switch t.Doc.Parameters[0].Rules[0].Kind {
	case spec.Soak, spec.Above, spec.Below: // of straight lines, whose points between are no news
		fine := *e
		fine.Samples = finer(e.Samples)
		f, err := follow(&fine)
		if err != nil {
			return nil, err
		}
		t.Fine = f.States
	}
	return t, nil
}

// finer is a table with rows on the lines between its rows of numbers.
func finer(table string) string {
	const parts = 20
	rows := strings.Split(strings.TrimSpace(table), "\n")
	list := rows[:2:2]
	for k := 2; k < len(rows); k++ {
		a, b := strings.Split(rows[k-1], ","), strings.Split(rows[k], ",")
		for i := 1; i < parts; i++ {
			cells := make([]string, len(a))
			for j := range a {
				x, errX := strconv.ParseFloat(a[j], 64)
				y, errY := strconv.ParseFloat(b[j], 64)
				if errX == nil && errY == nil {
					cells[j] = strconv.FormatFloat(x+(y-x)*float64(i)/parts, 'g', 12, 64)
				}
			}
			list = append(list, strings.Join(cells, ","))
		}
		list = append(list, rows[k])
	}
	return strings.Join(list, "\n")
}

func follow(e *Example) (*Trace, error) {
	doc, err := spec.Parse(e.Name, e.Document())
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(strings.NewReader(e.Samples)).ReadAll()
	if err != nil {
		return nil, err
	}
	f := follower{t: &Trace{Doc: doc, Inputs: make([][]Point, len(doc.Parameters[0].Inputs)), Rules: make([][]Step, len(doc.Parameters[0].Rules))}, s: engine.New(), w: wiring(doc)}
	for i, row := range rows[1:] {
		sec, err := strconv.ParseFloat(row[0], 64)
		if err != nil {
			return nil, fmt.Errorf("example %s: %w", e.Name, err)
		}
		at := rehearse.DefaultStart + sample.Time(sec*1e9)
		if i == 0 {
			f.decide(at, &record.Start{Gateway: "g", Epoch: "e", Wiring: f.w, NoGrace: true})
			f.decide(at, &record.Specification{Document: e.Document(), By: "page", Unsigned: true})
		}
		f.clock(at)
		f.row(at, rows[0], row)
	}
	f.clock(f.s.At + 1)
	f.t.End = since(f.s.At)
	f.decide(f.s.At, &record.Stop{Reason: "end", Final: true})
	if len(f.t.Rules[0]) == 0 {
		return nil, fmt.Errorf("example %s: its rule says nothing", e.Name)
	}
	return f.t, nil
}

// wiring is a gateway with what the document asks for.
func wiring(doc *spec.Document) record.Wiring {
	const name = "equipment"
	w := record.Wiring{Sources: []record.Source{{Name: "samples", Kind: "file"}}, Equipment: []record.Equipment{{Name: name}}}
	for _, field := range []string{"phase", "lot", "serials"} {
		w.Equipment[0].Context = append(w.Equipment[0].Context, record.Binding{Field: field, From: "mes"})
	}
	for i := range doc.Parameters {
		p := &doc.Parameters[i]
		for k, input := range p.Inputs {
			unit, mixed := p.InputUnit(k)
			if mixed {
				unit = p.Unit
			}
			w.Tags = append(w.Tags, record.Tag{Equipment: name, Name: input, Source: "samples", Unit: unit, Every: p.Sampling.Interval})
		}
	}
	return w
}

type follower struct {
	t *Trace
	s *engine.State
	w record.Wiring
}

// clock fires what is due before an instant.
func (f *follower) clock(before sample.Time) {
	for due := f.s.Due(); due != 0 && due < before; due = f.s.Due() {
		f.decide(max(due, f.s.At), &record.Tick{})
	}
}

// row is one row of the table: its context, then its samples.
func (f *follower) row(at sample.Time, header, row []string) {
	fields, readings := map[string]string{}, []sample.Reading(nil)
	for i, cell := range row {
		tag, isTag := f.w.Find("equipment", header[i])
		switch {
		case i == 0 || cell == "":
		case isTag:
			readings = append(readings, f.reading(at, tag, cell))
		default:
			fields[header[i]] = cell
			if header[i] == "phase" {
				f.t.Phase = append(f.t.Phase, Step{since(at), cell})
			}
		}
	}
	if len(fields) > 0 {
		f.decide(at, &record.Context{Equipment: "equipment", From: at, Fields: fields, By: "mes", Verified: true})
	}
	if readings != nil {
		f.decide(at, &record.Scan{Source: "samples", Time: at, Readings: readings})
	}
}

func (f *follower) reading(at sample.Time, tag sample.Tag, cell string) sample.Reading {
	p := Point{T: since(at), Bad: cell == "bad"}
	r := sample.Reading{Tag: tag, Value: sample.StringValue(cell)}
	if y, err := strconv.ParseFloat(cell, 64); err == nil {
		p.Y, r.Value = y, sample.FloatValue(y)
	} else if !p.Bad {
		f.t.Texts = append(f.t.Texts, Step{p.T, cell})
	}
	if p.Bad {
		r.Quality, r.Value = sample.Bad, sample.FloatValue(0)
	}
	if int(tag) < len(f.t.Inputs) { // those of the first parameter come first
		f.t.Inputs[tag] = append(f.t.Inputs[tag], p)
	}
	return r
}

// decide takes one input through the engine.
func (f *follower) decide(at sample.Time, body record.Body) {
	out := engine.Decide(f.s, record.Input{N: f.s.N + 1, At: at, Body: body})
	par := &f.t.Doc.Parameters[0]
	for _, j := range out.Judgements {
		i := slices.IndexFunc(par.Rules, func(r spec.Rule) bool { return r.ID == j.Rule })
		if j.Parameter == par.ID && i >= 0 {
			f.t.Rules[i] = append(f.t.Rules[i], Step{since(j.At), j.Verdict})
		}
	}
	if run := f.s.Equipment[0].Running; len(run) > 0 {
		f.t.States = append(f.t.States, Snap{since(at), run[0].Parameters[0].Judge.Clone()})
	}
	for _, n := range out.Needs {
		f.decide(at, &record.Answer{Need: n.ID})
	}
}

// Delays are the phases of what one rule announces, its alarm or its event.
func (t *Trace) Delays(rule int, of func(*judge.Rule) judge.Phase) (list []Step) {
	for i := range t.States {
		list = append(list, Step{t.States[i].T, of(&t.States[i].S.Rules[rule]).String()})
	}
	return list
}

// Curve is a number of a rule's state over time. It breaks where there is none.
func (t *Trace) Curve(rule int, of func(*judge.Rule) (float64, bool)) (list []Point) {
	for i := range t.States {
		y, ok := of(&t.States[i].S.Rules[rule])
		if ok || len(list) > 0 && !list[len(list)-1].Bad {
			list = append(list, Point{t.States[i].T, y, !ok})
		}
	}
	return list
}
