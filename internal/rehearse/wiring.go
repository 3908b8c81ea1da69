package rehearse

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"andon/internal/production"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// Names of the gateway that is played.
const (
	gatewayName      = "rehearse"
	epoch            = "rehearse" // contract, section 2
	sourceName       = "samples"
	defaultEquipment = "equipment"
)

// wiring is the settings of a gateway for which a specification is written and
// which has nothing else: one source, one piece of equipment in its scope, a tag
// for each input with the unit that the parameters want, and every field of the
// context that they ask for.
func wiring(doc *spec.Document, equipment string, fields []string) record.Wiring {
	w := record.Wiring{Sources: []record.Source{{Name: sourceName, Kind: "file"}}}
	e := record.Equipment{Name: equipmentName(doc, equipment), Class: doc.Scope.EquipmentClass}
	for _, f := range fields {
		e.Context = append(e.Context, record.Binding{Field: f, From: "mes"})
	}
	w.Equipment = []record.Equipment{e}
	for _, input := range inputsOf(doc) {
		w.Tags = append(w.Tags, tag(doc, e.Name, input))
	}
	return w
}

// equipmentName is the name that was asked for, else the first that the document
// is for, else one that says nothing.
func equipmentName(doc *spec.Document, asked string) string {
	switch {
	case asked != "":
		return asked
	case len(doc.Scope.Equipment) > 0:
		return doc.Scope.Equipment[0]
	}
	return defaultEquipment
}

// unsampled is how often a value of which the document does not say so is
// expected: so rarely that its silence is not missed. A daemon has the tag's own
// interval for that, and confirmations; a file has neither.
const unsampled = 365 * 24 * time.Hour

// tag is an input as the document wants it. Its unit is that in which a
// parameter judges the value itself; a computed one may be in another.
func tag(doc *spec.Document, equipment, input string) record.Tag {
	t := record.Tag{Equipment: equipment, Name: input, Source: sourceName, History: true}
	made := ""
	for i := range doc.Parameters {
		p := &doc.Parameters[i]
		k := slices.Index(p.Inputs, input)
		switch {
		case k < 0:
			continue
		case p.Computed != nil && p.Computed.Kinetic == nil:
			made = p.Unit
		case t.Unit == "":
			t.Unit = unitOf(p, k)
		}
		if d := p.Sampling.Interval; d > 0 && (t.Every == 0 || d < t.Every) {
			t.Every = d
		}
		if slices.ContainsFunc(p.Rules, wantsText) {
			t.Kind = sample.String
		}
	}
	if t.Unit == "" {
		t.Unit = made
	}
	if t.Every == 0 {
		t.Every = unsampled
	}
	return t
}

// unitOf is the unit of an input: the parameter's, unless a rule gives it one of
// its own.
func unitOf(p *spec.Parameter, input int) string {
	for i := range p.Rules {
		for _, x := range p.Rules[i].Ranges {
			if x.Input == input && x.Unit != "" {
				return x.Unit
			}
		}
	}
	return p.Unit
}

func wantsText(r spec.Rule) bool { return r.Expected != nil && r.Expected.Kind() == sample.String }

// silent are the parameters of which the document does not say how often a value
// comes.
func silent(doc *spec.Document) []string {
	var ids []string
	for i := range doc.Parameters {
		if s := doc.Parameters[i].Sampling; s.Interval == 0 && s.MaxGap == 0 {
			ids = append(ids, doc.Parameters[i].ID)
		}
	}
	return ids
}

// unsaid are the fields that decide whether something is judged and that neither
// a column nor a flag ever gives.
func unsaid(doc *spec.Document, columns []column, said map[string]string) []string {
	asked := map[string]bool{production.Material: len(doc.Scope.Materials) > 0, production.Operation: doc.Scope.Operation != ""}
	for _, c := range doc.AppliesWhen {
		asked[c.Field] = true
	}
	for i := range doc.Parameters {
		for j := range doc.Parameters[i].Rules {
			if len(doc.Parameters[i].Rules[j].When) > 0 {
				asked[production.Phase] = true
			}
		}
	}
	var names []string
	for _, f := range slices.Sorted(maps.Keys(asked)) {
		_, flagged := said[f]
		if asked[f] && !flagged && !slices.ContainsFunc(columns, func(c column) bool { return c.field == f }) {
			names = append(names, f)
		}
	}
	return names
}

// effectiveNote says when nothing of a file was judged because the document was
// not in force; "" when some of it was.
func effectiveNote(file string, e spec.Effective, from, to sample.Time) string {
	if e.From <= to && (e.To == 0 || e.To > from) {
		return ""
	}
	return fmt.Sprintf("%s: its samples are of %s to %s, and the specification is effective %s: nothing was judged by it (move them with --start, or write instants)", file, from, to, e)
}

// list is names in words.
func list(names []string) string { return strings.Join(names, ", ") }

// DefaultStart is what seconds are counted from when nobody says: the instant
// 2026-01-01T00:00:00Z (contract, section 2).
const DefaultStart = sample.Time(1767225600 * time.Second)
