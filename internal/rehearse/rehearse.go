package rehearse

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"andon/internal/engine"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
	"andon/internal/strictyaml"
)

// Options say what to judge and by what. The zero value of each field but the
// first three works.
type Options struct {
	Spec      File      // the specification
	Approvals []byte    // the signed notes beside it
	Samples   io.Reader // CSV

	SamplesFile string            // name of Samples, for problems
	Approvers   File              // the list of approvers; not used with Unsigned
	Unsigned    bool              // judge a draft, whoever has signed it
	Map         map[string]string // input to column, where their names differ
	Context     map[string]string // what is being made, from the first row on
	Equipment   string            // its name; "": one that the specification is for
	Start       sample.Time       // what seconds are counted from; 0: 2026-01-01T00:00:00Z
	Until       Until             // how long the clock runs on after the last row
	Version     string            // of this program

	// Note is told, in words, what a person should know of the rehearsal and what
	// is no error; may be nil.
	Note func(string)
}

// File is the bytes of a file and its name.
type File struct {
	Name  string
	Bytes []byte
}

// Until says when the clock stops: at an instant, or some time after the last
// sample. The zero Until is the last sample itself.
type Until struct {
	At  sample.Time
	For time.Duration
}

// Usage is a mistake in how the rehearsal was asked for.
type Usage struct{ Message string }

func (u Usage) Error() string { return u.Message }

// Refused says why the specification may not judge.
type Refused struct{ Err error }

func (r Refused) Error() string { return r.Err.Error() }

// Unwrap is the reasons themselves.
func (r Refused) Unwrap() error { return r.Err }

// Run judges the samples and writes what comes of it to w, one JSON object a
// line. The error is a Refused, a Usage, strictyaml.Problems of the samples, or
// that of a reader or writer. What was judged before the first wrong row has
// been written then.
func Run(w io.Writer, o Options) error {
	r, err := begin(w, o)
	if err != nil {
		return err
	}
	if err := r.all(); err != nil {
		return err
	}
	return r.end()
}

// rehearsal is the shell of one gateway that is played.
type rehearsal struct {
	o    Options
	doc  *spec.Document
	w    record.Wiring
	rows *rows
	s    *engine.State
	kept kept
	out  printer

	began  bool
	judged bool              // some rule has said something
	first  sample.Time       // earliest source time of the rows
	said   map[string]string // of the context, as of the last row
}

// begin reads the specification and the header of the table.
func begin(w io.Writer, o Options) (*rehearsal, error) {
	if o.Start == 0 {
		o.Start = DefaultStart
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	r := &rehearsal{o: o, s: engine.New(), out: printer{w: w}}
	var err error
	if r.doc, err = accept(&o); err != nil {
		return nil, err
	}
	fields := fieldsOf(r.doc)
	for f := range o.Context {
		fields = appendNew(fields, f)
	}
	r.w = wiring(r.doc, o.Equipment, fields)
	if err := r.doc.Check(engine.SpecFacts(&r.w)); err != nil {
		return nil, Refused{err}
	}
	return r, r.open()
}

// accept is the document, when it may judge.
func accept(o *Options) (*spec.Document, error) {
	doc, err := spec.Parse(o.Spec.Name, o.Spec.Bytes)
	if err != nil {
		return nil, Refused{err}
	}
	if o.Unsigned {
		return doc, nil
	}
	policy, err := spec.ParsePolicy(o.Approvers.Name, o.Approvers.Bytes)
	if err != nil {
		return nil, Refused{err}
	}
	if _, err := policy.Accept(doc, o.Approvals); err != nil {
		return nil, Refused{fmt.Errorf("%s is refused:\n%w", o.Spec.Name, err)}
	}
	return doc, nil
}

// open finds out what each column of the table is for.
func (r *rehearsal) open() error {
	t, err := openTable(r.o.SamplesFile, r.o.Samples)
	if err != nil {
		return err
	}
	as, err := t.assign(r.doc, &r.w, r.o.Map)
	if err != nil {
		return err
	}
	columns, unused := as.columns, as.unused
	r.out.left, r.out.absent = as.left, as.absent
	if len(as.left) > 0 {
		r.o.Note(fmt.Sprintf("%s: %s is not rehearsed: there is no column for %s", t.file, list(as.left), list(as.absent)))
	}
	r.rows = &rows{table: t, columns: columns, start: r.o.Start}
	r.rows.odd.number = func(i int) bool { return !columns[i].text }
	if len(unused) > 0 {
		r.o.Note(fmt.Sprintf("%s: nothing asks for the columns %s", t.file, list(unused)))
	}
	if ids := silent(r.doc); len(ids) > 0 {
		r.o.Note(fmt.Sprintf("%s: no sampling in %s: a value that does not come is not missed here, where the daemon would go by the tag's own interval", r.o.Spec.Name, list(ids)))
	}
	if names := unsaid(r.doc, columns, r.o.Context); len(names) > 0 {
		r.o.Note(fmt.Sprintf("nothing says %s: what depends on it stays unknown (add a column of that name, or --context %s=…)", list(names), names[0]))
	}
	return nil
}

// mostProblems is how many wrong rows are told at once.
const mostProblems = 20

// all judges every row. Behind a wrong one nothing is judged any more, and the
// rest is looked through for other mistakes.
func (r *rehearsal) all() error {
	var wrong strictyaml.Problems
	for {
		x, err := r.rows.next()
		var ps strictyaml.Problems
		switch {
		case errors.Is(err, io.EOF):
			return wrong.Err()
		case errors.As(err, &ps):
			if wrong = append(wrong, ps...); len(wrong) >= mostProblems || r.rows.broken {
				return wrong
			}
		case err != nil:
			return err
		case wrong != nil:
		default:
			if err := r.row(&x); err != nil {
				return err
			}
		}
	}
}

// row judges one row: what was due before it, its context, its samples.
func (r *rehearsal) row(x *row) error {
	if !r.began {
		if err := r.start(x); err != nil {
			return err
		}
	}
	at := max(r.s.At, x.t) // a late row arrives when the one before it has
	r.first = min(r.first, x.t)
	if err := r.ticks(at); err != nil {
		return err
	}
	if fields := r.news(x, at); len(fields) > 0 {
		c := r.context(x.t, fields)
		c.WithNext = len(x.values) > 0
		if err := r.decide(at, c); err != nil {
			return err
		}
	}
	if len(x.values) == 0 {
		return nil
	}
	return r.decide(at, &record.Scan{Source: sourceName, Time: x.t, Readings: x.values})
}

// news are the fields of a row that say something new: many tables repeat them
// in every row. What a late row says stands in the past, and nobody knows here
// what it is now.
func (r *rehearsal) news(x *row, at sample.Time) map[string]string {
	news := map[string]string{}
	for f, v := range x.fields {
		was, known := r.said[f]
		switch {
		case x.t < at:
			delete(r.said, f)
			news[f] = v
		case !known || was != v:
			r.said[f], news[f] = v, v
		}
	}
	return news
}

// start is the gateway's start, as of the first row: who it is, who may approve,
// what is being made, the specification. What the flags and the row say of the
// context is known before anything is judged.
func (r *rehearsal) start(x *row) error {
	r.began, r.first, r.said = true, x.t, map[string]string{}
	maps.Copy(r.said, r.o.Context)
	maps.Copy(r.said, x.fields)
	bodies := []record.Body{&record.Start{Gateway: gatewayName, Epoch: epoch, Version: r.o.Version, Wiring: r.w, Clock: record.Clock{Source: "none"}, NoGrace: true}}
	if !r.o.Unsigned {
		bodies = append(bodies, &record.Policy{Document: r.o.Approvers.Bytes})
	}
	if len(r.said) > 0 {
		bodies = append(bodies, r.context(x.t, maps.Clone(r.said)))
	}
	bodies = append(bodies, &record.Specification{Document: r.o.Spec.Bytes, Approvals: r.o.Approvals, By: "file", Unsigned: r.o.Unsigned, Draft: r.o.Unsigned})
	for _, b := range bodies {
		if err := r.decide(x.t, b); err != nil {
			return err
		}
	}
	return nil
}

// context says what is being made from an instant on.
func (r *rehearsal) context(from sample.Time, fields map[string]string) *record.Context {
	return &record.Context{Equipment: r.w.Equipment[0].Name, From: from, Fields: fields, By: "mes", Verified: true}
}

// ticks lets the clock decide what is due before an instant. A sample of the
// instant itself comes before a timer of that instant.
func (r *rehearsal) ticks(before sample.Time) error {
	for {
		due := r.s.Due()
		if due == 0 || due >= before {
			return nil
		}
		if err := r.decide(max(due, r.s.At), &record.Tick{}); err != nil {
			return err
		}
		if again := r.s.Due(); again != 0 && again <= due {
			return fmt.Errorf("a tick at %s left what was due at %s: please report this", r.s.At, again)
		}
	}
}

// decide numbers one input, decides it, prints what follows and answers what is
// asked.
func (r *rehearsal) decide(at sample.Time, body record.Body) error {
	in := record.Input{N: r.s.N + 1, At: at, Body: body}
	out := engine.Decide(r.s, in)
	switch b := body.(type) {
	case *record.Scan:
		if r.kept.add(in, b, out) {
			r.kept.drop(reach(r.s))
		}
	case *record.Policy, *record.Specification:
		if err := refusal(&out); err != nil {
			return err
		}
	}
	r.judged = r.judged || len(out.Judgements) > 0
	if err := r.out.outcome(at, &out); err != nil {
		return err
	}
	for _, n := range out.Needs {
		a, err := r.kept.answer(&r.s.Start.Wiring, n)
		if err != nil {
			return err
		}
		if err := r.decide(at, a); err != nil {
			return err
		}
	}
	return nil
}

// end lets the clock run on, ends what is under way, and says what is undecided.
func (r *rehearsal) end() error {
	if !r.began {
		return strictyaml.Problems{{File: r.rows.file, Line: r.rows.line, Message: "there is no row behind the header", Hint: "nothing can be judged"}}
	}
	at := r.s.At
	switch u := r.o.Until; {
	case u.For > 0:
		at = at.Add(u.For)
	case u.At != 0 && u.At < at:
		return Usage{fmt.Sprintf("--until %s is before the last sample, %s: give a later instant, or how long to run on, like 10min", u.At, at)}
	case u.At != 0:
		at = u.At
	}
	if err := r.ticks(at + 1); err != nil { // those of the last instant too
		return err
	}
	if err := r.decide(at, &record.Stop{Reason: "end of the samples", Final: true}); err != nil {
		return err
	}
	for _, n := range r.rows.odd.notes() {
		r.o.Note(n)
	}
	if n := effectiveNote(r.rows.file, r.doc.Effective, r.first, at); n != "" && !r.judged {
		r.o.Note(n)
	}
	return r.undecided()
}

func appendNew(names []string, name string) []string {
	for _, n := range names {
		if n == name {
			return names
		}
	}
	return append(names, name)
}
