package gateway

import (
	"slices"

	"andon/internal/alarm"
	"andon/internal/engine"
	"andon/internal/journal"
	"andon/internal/judge"
	"andon/internal/outbox"
	"andon/internal/panel"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// viewer makes of the state what is shown. It runs on the deciding goroutine,
// after each commit; what it makes shares nothing with the state that changes
// again. It remembers only what follows from wiring and specifications, which
// are of one session.
type viewer struct {
	version string
	inputs  map[inputsOf][]int // tag numbers of a parameter's inputs, -1 for one that is not wired
	specs   []panel.Spec
	specKey string
	dead    []panel.DeadLetter
}

type inputsOf struct {
	spec      record.SpecRef
	equipment string
	parameter string
}

func newViewer(version string) *viewer {
	return &viewer{version: version, inputs: map[inputsOf][]int{}}
}

// mostDead is how many dead letters are listed; the outbox's own list is whole.
const mostDead = 500

// rejected takes what has become a dead letter.
func (v *viewer) rejected(list []record.Dead) {
	v.dead = append(v.dead, deadOf(list)...)
	v.dead = v.dead[max(0, len(v.dead)-mostDead):]
}

// make is the state as of a commit.
func (v *viewer) make(s *engine.State, head journal.Head, recording bool) *panel.State {
	st := &panel.State{
		Gateway:   panel.Identity{ID: s.Start.Gateway, Site: s.Start.Site, Version: v.version, Config: s.Start.Config},
		Recording: recording,
		Head:      panel.Head{Size: head.Size, Root: head.Root.String(), Epoch: head.Epoch, Time: panel.Instant(head.At)},
		Clock:     clockOf(s),
		Sources:   sourcesOf(s),
		Gaps:      gapsOf(s),
		Outbox:    v.outbox(s),
		Specs:     v.specifications(s),
		Alarms:    []panel.Alarm{},
		Equipment: []panel.Equipment{},
	}
	for e := range s.Equipment {
		st.Equipment = append(st.Equipment, v.equipment(s, e))
	}
	for i := range s.Alarms {
		st.Alarms = append(st.Alarms, v.alarm(s, &s.Alarms[i]))
	}
	panel.SortAlarms(st.Alarms)
	return st
}

// clockOf is what is known of our clock: how far off it is only while something
// keeps it right; a clock that runs free says 0, which is no measurement.
func clockOf(s *engine.State) panel.Clock {
	c := panel.Clock{Source: s.Clock.Source, Synced: s.Clock.Synced}
	if c.Synced {
		offset, uncertainty := ms(s.Clock.Offset), ms(s.Clock.Uncertainty)
		c.OffsetMS, c.UncertaintyMS = &offset, &uncertainty
	}
	return c
}

func sourcesOf(s *engine.State) []panel.Source {
	list := []panel.Source{}
	for _, w := range s.Start.Wiring.Sources {
		x := panel.Source{Name: w.Name, Kind: w.Kind}
		for i := range s.Sources {
			if s.Sources[i].Name == w.Name {
				x.SkewMS, x.ByArrival = ms(s.Sources[i].Skew), s.Sources[i].ByArrival
			}
		}
		for t := range s.Start.Wiring.Tags {
			if s.Start.Wiring.Tags[t].Source != w.Name || t >= len(s.Tags) {
				continue
			}
			tag := &s.Tags[t]
			x.Tags++
			x.Heard = max(x.Heard, panel.Instant(tag.Heard))
			if tag.Blind || !tag.Seen {
				x.Blind++
				if x.Cause == "" {
					x.Cause = tag.Cause
				}
			}
		}
		list = append(list, x)
	}
	return list
}

func gapsOf(s *engine.State) []panel.Gap {
	list := []panel.Gap{}
	for i := range s.Gaps {
		g := &s.Gaps[i]
		x := panel.Gap{ID: g.ID, Equipment: g.Equipment, Cause: g.Cause, Detail: g.Detail, From: panel.Instant(g.From)}
		for _, t := range g.Tags {
			if t.To == 0 {
				x.Tags = append(x.Tags, t.Name)
			}
		}
		list = append(list, x)
	}
	return list
}

func (v *viewer) outbox(s *engine.State) panel.Outbox {
	o := panel.Outbox{Lanes: map[string]panel.Lane{}, Dead: append([]panel.DeadLetter{}, v.dead...), OldestPending: panel.Instant(s.Waiting),
		Consumers: slices.Clone(s.Start.Wiring.Consumers), Receipts: s.Start.Wiring.Receipts}
	for _, lane := range outbox.Lanes() {
		n := s.Outbox.Count(lane)
		o.Lanes[lane] = panel.Lane{Raised: n.Raised, Receipted: n.Receipted, Pending: n.Pending, Rejected: n.Rejected}
	}
	return o
}

func (v *viewer) equipment(s *engine.State, e int) panel.Equipment {
	eq := &s.Equipment[e]
	x := panel.Equipment{Name: eq.Name, Title: eq.Name, Context: contextOf(s, eq), Specs: []panel.SpecRef{}, Parameters: []panel.Parameter{}}
	for i := range s.Start.Wiring.Equipment {
		if w := &s.Start.Wiring.Equipment[i]; w.Name == eq.Name {
			x.Asset, x.SpecialProcess = w.Asset, w.SpecialProcess
			if w.Title != "" {
				x.Title = w.Title
			}
		}
	}
	for r := range eq.Running {
		ru := &eq.Running[r]
		x.Specs = append(x.Specs, panel.SpecRef(ru.Spec))
		doc := s.Register.Find(ru.Spec.ID, ru.Spec.Revision)
		for p := range ru.Parameters {
			x.Parameters = append(x.Parameters, v.parameter(s, eq.Name, ru, p, &doc.Parameters[p]))
		}
	}
	return x
}

// contextOf is what is being made: the fields that the settings bind, in their
// order, then what else has been heard of.
func contextOf(s *engine.State, eq *engine.Equipment) []panel.Field {
	var names []string
	bound := map[string]record.Binding{}
	for i := range s.Start.Wiring.Equipment {
		if w := &s.Start.Wiring.Equipment[i]; w.Name == eq.Name {
			for _, b := range w.Context {
				names = append(names, b.Field)
				bound[b.Field] = b
			}
		}
	}
	for _, name := range eq.Context.Names() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	list := []panel.Field{}
	for _, name := range names {
		f := panel.Field{Name: name, From: bound[name].From, Tag: bound[name].Tag}
		if f.Tag != "" {
			f.From = panel.FromTag
		}
		if line := eq.Context.Fields[name]; len(line) > 0 {
			last := line[len(line)-1]
			f.Known, f.By, f.Since = last.Known, last.By, panel.Instant(last.From)
			f.Value = last.String()
		} else {
			f.Value = "unknown"
		}
		list = append(list, f)
	}
	return list
}

func (v *viewer) parameter(s *engine.State, equipment string, ru *engine.Running, p int, def *spec.Parameter) panel.Parameter {
	state := &ru.Parameters[p]
	x := panel.Parameter{ID: def.ID, Name: def.Name, Spec: panel.SpecRef(ru.Spec), Criticality: def.Criticality, Unit: def.Unit,
		Precision: def.Precision, Target: def.Target, LSL: def.LSL, USL: def.USL, NOR: def.NOR, PAR: def.PAR, Rules: []panel.Rule{}, Inputs: []panel.Input{}}
	if x.Name == "" {
		x.Name = def.ID
	}
	for i := range def.Rules {
		x.Rules = append(x.Rules, ruleOf(&def.Rules[i], state.Judge.Rules[i].Verdict))
	}
	for i, t := range v.tags(s, equipment, ru.Spec, def) {
		x.Inputs = append(x.Inputs, inputOf(s, t, def.Inputs[i]))
	}
	if def.Computed != nil {
		x.Computed = true
		x.Inputs = append([]panel.Input{computedInput(def, &state.Judge, x.Inputs)}, x.Inputs...)
	}
	x.Verdict = verdictOf(x.Rules, x.Inputs)
	for i := range s.Alarms {
		al := &s.Alarms[i]
		if al.Equipment != equipment || al.Parameter != def.ID {
			continue
		}
		if rank := panel.Rank(al.Priority); x.Shown.Rank == 0 || rank < x.Shown.Rank {
			x.Shown.Rank = rank
		}
		x.Shown.Unacked = x.Shown.Unacked || al.State != alarm.Acknowledged && al.State != alarm.Shelved
		x.Shown.Shelved = max(x.Shown.Shelved, panel.Instant(al.Shelf.Until))
	}
	x.Show()
	return x
}

// tags are the numbers of a parameter's inputs.
func (v *viewer) tags(s *engine.State, equipment string, ref record.SpecRef, def *spec.Parameter) []int {
	key := inputsOf{ref, equipment, def.ID}
	if list, ok := v.inputs[key]; ok {
		return list
	}
	list := make([]int, len(def.Inputs))
	for i, name := range def.Inputs {
		list[i] = -1
		if t, ok := s.Start.Wiring.Find(equipment, name); ok {
			list[i] = int(t)
		}
	}
	v.inputs[key] = list
	return list
}

func ruleOf(r *spec.Rule, verdict judge.Verdict) panel.Rule {
	x := panel.Rule{ID: r.ID, Kind: r.Kind, Scope: r.Scope, Low: r.Low, High: r.High, Unit: r.Unit, Class: r.Class, Verdict: verdict.String()}
	if r.Expected != nil {
		x.Expected = &panel.Value{Value: *r.Expected}
	}
	return x
}

// computedInput is the value that a parameter's rules judge, as the first of its
// inputs: as old as the oldest of them.
func computedInput(def *spec.Parameter, st *judge.State, inputs []panel.Input) panel.Input {
	in := panel.Input{Tag: "computed", Quality: "none", Blind: true}
	for i := range def.Rules {
		if se := st.Rules[i].Series; len(se) == 1 && se[0].Known && (def.Rules[i].Kind == spec.High || def.Rules[i].Kind == spec.Low || def.Rules[i].Kind == spec.Band) {
			in.Value, in.Quality, in.T, in.Blind = panel.Value{Value: sample.FloatValue(se[0].X)}, "good", panel.Instant(se[0].T), false
		}
	}
	for i := range inputs {
		if i == 0 || inputs[i].Heard < in.Heard {
			in.Heard = inputs[i].Heard
		}
	}
	return in
}

func inputOf(s *engine.State, t int, name string) panel.Input {
	in := panel.Input{Tag: name, Quality: "none"}
	if t < 0 || t >= len(s.Tags) {
		in.Blind, in.Cause = true, quality.CauseUnwired
		return in
	}
	tag := &s.Tags[t]
	in.Blind, in.Cause, in.Heard = tag.Blind, tag.Cause, panel.Instant(tag.Heard)
	if tag.Seen {
		in.Value, in.Quality, in.Status, in.T = panel.Value{Value: tag.V.Value}, tag.Q.String(), tag.St, panel.Instant(tag.T)
	}
	return in
}

// verdictOf joins what the rules say: one that is out puts the parameter out,
// one that is unknown keeps it from being in, and so does an input that cannot
// be seen.
func verdictOf(rules []panel.Rule, inputs []panel.Input) string {
	verdict := panel.NotApplicable
	for _, r := range rules {
		switch r.Verdict {
		case panel.Out:
			if r.Class != spec.Signal { // a signal of a chart is not out of specification
				return panel.Out
			}
		case panel.Undecided:
			if verdict == panel.NotApplicable {
				verdict = panel.Undecided
			}
		case panel.Unknown:
			verdict = panel.Unknown
		case panel.In:
			if verdict == panel.NotApplicable || verdict == panel.Undecided {
				verdict = panel.In
			}
		}
	}
	if slices.ContainsFunc(inputs, func(in panel.Input) bool { return in.Blind }) {
		return panel.Unknown
	}
	return verdict
}

func (v *viewer) alarm(s *engine.State, al *alarm.Alarm) panel.Alarm {
	x := panel.Alarm{ID: al.ID, Equipment: al.Equipment, Parameter: al.Parameter, Name: al.Parameter, Rule: al.Rule, State: al.State.String(),
		Priority: al.Priority, Rank: panel.Rank(al.Priority), Text: al.Text, Action: al.Action, Value: panel.Value{Value: al.Value.Value},
		ValueText: panel.Text(panel.Value{Value: al.Value.Value}, 0, nil, nil, ""), RaisedAt: panel.Instant(al.RaisedAt), ClearedAt: panel.Instant(al.ClearedAt), Count: al.Count,
		AckedBy: al.AckedBy, AckedName: al.AckedName, AckedAt: panel.Instant(al.AckedAt), Comment: al.Comment, RespondS: al.Respond,
		ShelvedBy: al.Shelf.By, ShelvedName: al.Shelf.Name, ShelvedAt: panel.Instant(al.Shelf.At), ShelvedUntil: panel.Instant(al.Shelf.Until), ShelvedReason: al.Shelf.Reason}
	for _, c := range al.Comments {
		x.Comments = append(x.Comments, panel.AlarmComment{By: c.By, Name: c.Name, At: panel.Instant(c.At), Text: c.Text})
	}
	for e := range s.Equipment {
		for r := range s.Equipment[e].Running {
			if s.Equipment[e].Name == al.Equipment {
				describe(&x, s, &s.Equipment[e].Running[r])
			}
		}
	}
	return x
}

// describe adds what the specification and the open event say of an alarm.
func describe(x *panel.Alarm, s *engine.State, ru *engine.Running) {
	doc := s.Register.Find(ru.Spec.ID, ru.Spec.Revision)
	for p := range doc.Parameters {
		def := &doc.Parameters[p]
		if def.ID != x.Parameter {
			continue
		}
		x.Unit = def.Unit
		if def.Name != "" {
			x.Name = def.Name
		}
		for i := range def.Rules {
			if def.Rules[i].ID == x.Rule {
				x.Class, x.Limit = def.Rules[i].Class, ruleWords(&def.Rules[i], def.Unit)
				x.ValueText = panel.Text(x.Value, def.Precision, def.Rules[i].Low, def.Rules[i].High, def.Unit)
			}
		}
		for i := range ru.Parameters[p].Events {
			if ev := &ru.Parameters[p].Events[i]; ev.RuleID == x.Rule && ev.Open {
				x.EventID = ev.ID
			}
		}
	}
}
