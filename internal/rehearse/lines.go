package rehearse

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"andon/internal/record"
	"andon/internal/sample"
)

// The lines of a rehearsal. Each begins with the instant at which it is known
// and its type (contract, section 2).
type (
	alarmLine struct {
		T         sample.Time     `json:"t"`
		Type      string          `json:"type"` // alarm
		Parameter string          `json:"parameter"`
		Rule      string          `json:"rule"`
		State     string          `json:"state"`
		Value     json.RawMessage `json:"value"`
		At        sample.Time     `json:"at"` // logical instant of the transition
	}
	dataLine struct {
		T    sample.Time     `json:"t"`
		Type string          `json:"type"` // deviation, nonconformance, gap, signal, lot
		Data json.RawMessage `json:"data"`
	}
	resultLine struct {
		T           sample.Time        `json:"t"`
		Type        string             `json:"type"` // result
		Parameter   string             `json:"parameter"`
		Rule        string             `json:"rule"`
		Requirement record.Requirement `json:"requirement"`
		From        sample.Time        `json:"from"` // of the operation or phase
		To          sample.Time        `json:"to"`
		GapsS       float64            `json:"gaps_s,omitempty"`   // unknown for so long meanwhile
		Complete    *bool              `json:"complete,omitempty"` // false where the file ended first
	}
	undecidedLine struct {
		T         sample.Time `json:"t"`
		Type      string      `json:"type"` // undecided
		Parameter string      `json:"parameter"`
		Rule      string      `json:"rule"`
		Complete  bool        `json:"complete"` // false
		What      string      `json:"what"`     // alarm, event, evidence
		Phase     string      `json:"phase"`
		EventID   string      `json:"event_id,omitempty"`
		Due       sample.Time `json:"due"` // when it is decided if nothing changes; null when that is not known
	}
)

// printer writes lines as what they tell of comes about.
type printer struct {
	w io.Writer
	b bytes.Buffer
	// Of what is not rehearsed nothing is printed.
	left   []string // parameters
	absent []string // inputs
}

func (p *printer) line(v any) error {
	p.b.Reset()
	e := json.NewEncoder(&p.b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	_, err := p.w.Write(p.b.Bytes())
	return err
}

// outcome prints what followed from an input: results in front of the events
// that they raise.
func (p *printer) outcome(at sample.Time, out *record.Outcome) error {
	for i := range out.Judgements {
		if j := &out.Judgements[i]; j.Result != nil && !slices.Contains(p.left, j.Parameter) {
			if err := p.line(result(at, j)); err != nil {
				return err
			}
		}
	}
	for i := range out.Entries {
		if err := p.entry(at, &out.Entries[i]); err != nil {
			return err
		}
	}
	return nil
}

func result(at sample.Time, j *record.Judgement) resultLine {
	l := resultLine{T: at, Type: "result", Parameter: j.Parameter, Rule: j.Rule, Requirement: j.Result.Requirement, From: j.Result.From, To: j.At, GapsS: j.Result.GapsS}
	if j.Result.Cut {
		l.Complete = new(bool)
	}
	return l
}

// entry prints a message of the lanes quality and event, unless it is about the
// gateway and not about the process.
func (p *printer) entry(at sample.Time, e *record.Entry) error {
	kind := e.Topic[strings.LastIndexByte(e.Topic, '/')+1:]
	switch kind {
	case "alarm":
		return p.alarm(at, e)
	case "deviation", "nonconformance", "gap", "signal", "lot":
		var x struct{ Data json.RawMessage }
		if err := json.Unmarshal(e.Payload, &x); err != nil {
			return fmt.Errorf("%s %d: %w", e.Lane, e.Seq, err)
		}
		if out, err := p.leftOut(x.Data); out || err != nil {
			return err
		}
		return p.line(dataLine{at, kind, x.Data})
	}
	return nil
}

// leftOut says whether a document is only about what is not rehearsed.
func (p *printer) leftOut(data []byte) (bool, error) {
	if len(p.left) == 0 {
		return false, nil
	}
	var x struct {
		Tags []string
		Spec struct{ Parameter string }
	}
	if err := json.Unmarshal(data, &x); err != nil {
		return false, fmt.Errorf("print: %w", err)
	}
	if x.Spec.Parameter != "" {
		return slices.Contains(p.left, x.Spec.Parameter), nil
	}
	rehearsed := func(tag string) bool { return !slices.Contains(p.absent, tag[strings.IndexByte(tag, '/')+1:]) }
	return len(x.Tags) > 0 && !slices.ContainsFunc(x.Tags, rehearsed), nil
}

func (p *printer) alarm(at sample.Time, e *record.Entry) error {
	var x struct {
		Data struct {
			Equipment, Parameter, Rule, State string
			Value                             json.RawMessage
			At                                sample.Time
		}
	}
	if err := json.Unmarshal(e.Payload, &x); err != nil {
		return fmt.Errorf("%s %d: %w", e.Lane, e.Seq, err)
	}
	if x.Data.Equipment == "" || slices.Contains(p.left, x.Data.Parameter) {
		return nil // the gateway's own, or of what is not rehearsed
	}
	return p.line(alarmLine{at, "alarm", x.Data.Parameter, x.Data.Rule, x.Data.State, x.Data.Value, x.Data.At})
}

// refusal is why the engine refused something, as the audit trail says it; nil
// when it refused nothing.
func refusal(out *record.Outcome) error {
	for i := range out.Entries {
		if out.Entries[i].Topic != "event/audit" {
			continue
		}
		var x struct {
			Data struct{ Action, Object, Reason string }
		}
		if err := json.Unmarshal(out.Entries[i].Payload, &x); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		if x.Data.Action == "refuse" {
			return Refused{errors.New(x.Data.Object + ": " + x.Data.Reason)}
		}
	}
	return nil
}
