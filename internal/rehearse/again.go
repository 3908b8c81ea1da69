package rehearse

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"andon/internal/engine"
	"andon/internal/journal"
	"andon/internal/record"
	"andon/internal/sample"
)

// Comparison says what of a record is compared. Everything is judged again from
// the first input on, whatever is compared; the zero Comparison compares all.
type Comparison struct {
	From, To  sample.Time // arrival of the inputs; 0 for no bound
	Equipment string      // only what is said of it; "" for all

	Export     io.Reader // lines of `journal export` that must come out again, in order; nil for none
	ExportFile string    // its name
}

// Report is what a comparison has come to. Counts are of what was compared.
type Report struct {
	Type        string `json:"type"` // against
	Inputs      int    `json:"inputs"`
	Judgements  int    `json:"judgements"`
	Entries     int    `json:"entries"`
	Differences int    `json:"differences"`        // judgements, messages and the rest that are not the same bytes
	First       string `json:"first,omitempty"`    // the first of them, in words
	Exported    *int   `json:"exported,omitempty"` // lines of the export that came out again; absent without one
}

// JSON is the report on one line.
func (r Report) JSON() string { return text(r) }

// Record is what a journal gives to be judged again.
type Record interface {
	Commits(from uint64, fn func(h journal.Header, records []byte) error) error
}

// Again decides the inputs of a record from the first one on, by the
// specifications that the record itself holds, and compares what follows with
// what was recorded. Where they differ the numbers that the record gave stay
// given, so that one difference is not counted as many. The error is that of
// reading.
func Again(j Record, c Comparison) (Report, error) {
	a := again{c: c, s: engine.New(), report: Report{Type: "against"}}
	if c.Export != nil {
		a.export = newExport(c.ExportFile, c.Export)
		if err := a.export.advance(); err != nil {
			return a.report, err
		}
	}
	err := j.Commits(0, func(h journal.Header, records []byte) error {
		err := record.Each(records, a.input)
		if err != nil {
			err = fmt.Errorf("commit %d: %w", h.Seq, err)
		}
		return err
	})
	if a.export != nil {
		a.report.Exported = &a.export.came
	}
	if err == nil && a.export != nil && !a.export.over {
		a.differs(fmt.Sprintf("%s:%d: this line does not follow from the record at its place: %s", c.ExportFile, a.export.n, clip(string(a.export.line))))
	}
	return a.report, err
}

// again is one comparison on its way.
type again struct {
	c      Comparison
	s      *engine.State
	export *export
	report Report
}

// input decides one input again.
func (a *again) input(in record.Input, recorded record.Outcome) error {
	if err := a.fits(in); err != nil {
		return err
	}
	out := engine.Decide(a.s, in)
	a.s.KeepNumbers(&recorded)
	if a.within(in.At) {
		a.report.Inputs++
		a.compare(in, &out, &recorded)
	}
	if a.export != nil {
		return a.export.follow(&a.s.Start.Wiring, in, out)
	}
	return nil
}

// fits says why an input cannot be decided: the record does not begin with a
// start, or one is missing.
func (a *again) fits(in record.Input) error {
	if in.N != a.s.N+1 {
		return fmt.Errorf("input %d follows on %d", in.N, a.s.N)
	}
	if _, start := in.Body.(*record.Start); !start && a.s.Start.Epoch == "" {
		return fmt.Errorf("the first input is a %T: the record does not begin with a start", in.Body)
	}
	return nil
}

func (a *again) within(t sample.Time) bool {
	return (a.c.From == 0 || t >= a.c.From) && (a.c.To == 0 || t <= a.c.To)
}

// compare holds one outcome against the recorded one: judgement by judgement,
// message by message, and the rest.
func (a *again) compare(in record.Input, out, recorded *record.Outcome) {
	was, is := a.judgements(recorded), a.judgements(out)
	a.report.Judgements += len(was)
	a.same(in, was, is)
	was, is = a.entries(recorded), a.entries(out)
	a.report.Entries += len(was)
	a.same(in, was, is)
	if a.c.Equipment == "" {
		a.same(in, rest(recorded), rest(out))
	}
}

// same holds two lists against each other.
func (a *again) same(in record.Input, was, is []string) {
	for i := range max(len(was), len(is)) {
		x, y := nth(was, i), nth(is, i)
		if x != y {
			at := max(0, difference(x, y)-shownBefore)
			a.differs(fmt.Sprintf("input %d (%s, %T): recorded %s, again %s", in.N, in.At, in.Body, show(x, at), show(y, at)))
		}
	}
}

func nth(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// difference is where two texts begin to differ.
func difference(x, y string) int {
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	return i
}

// How much of what differs is shown, and how much in front of it.
const (
	shownBefore = 60
	shownMost   = 200
)

func show(s string, at int) string {
	if s == "" {
		return "nothing"
	}
	what, _, _ := strings.Cut(s, ": ")
	at = max(at, len(what)+len(": "))
	return fmt.Sprintf("%s: …%s…", what, strings.ToValidUTF8(s[min(at, len(s)):min(len(s), at+shownMost)], "?"))
}

func (a *again) differs(what string) {
	if a.report.Differences == 0 {
		a.report.First = what
	}
	a.report.Differences++
}

// judgements, entries and rest are what is compared of an outcome, each whole
// and as a text that tells it from any other.
func (a *again) judgements(out *record.Outcome) (list []string) {
	for i := range out.Judgements {
		if j := &out.Judgements[i]; a.c.Equipment == "" || j.Equipment == a.c.Equipment {
			list = append(list, fmt.Sprintf("judgement %s/%s: %s", j.Parameter, j.Rule, text(j)))
		}
	}
	return list
}

func (a *again) entries(out *record.Outcome) (list []string) {
	for i := range out.Entries {
		if e := &out.Entries[i]; a.c.Equipment == "" || concerns(e.Payload, a.c.Equipment) {
			list = append(list, fmt.Sprintf("%s message %d, %s: %s", e.Lane, e.Seq, e.Topic, e.Payload))
		}
	}
	return list
}

func rest(out *record.Outcome) []string {
	o := *out
	o.Judgements, o.Entries = nil, nil
	if o.FirstI == 0 && o.Repeated == nil && o.Retired == nil && o.Dead == nil && o.Needs == nil {
		return nil
	}
	return []string{"samples, receipts and needs: " + text(&o)}
}

// text is one of the record's structs as JSON.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("encode record: " + err.Error()) // our own structs, which the record holds as JSON too
	}
	return string(b)
}

// concerns says whether a message is about a piece of equipment: its subject is
// the equipment's path.
func concerns(payload []byte, equipment string) bool {
	var x struct{ Subject string }
	if err := json.Unmarshal(payload, &x); err != nil {
		return true // what cannot be read is not passed over
	}
	return x.Subject == equipment || strings.HasSuffix(x.Subject, "/"+equipment)
}
