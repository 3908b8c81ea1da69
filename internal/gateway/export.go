package gateway

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"andon/internal/journal"
	"andon/internal/record"
	"andon/internal/sample"
)

// Selection says what of a journal to export. The zero Selection is everything.
type Selection struct {
	From, To sample.Time // source time of samples and confirmations, raising of events; 0 for no bound
	Lot      string      // what was made of it, and what was raised about it
	Event    string      // one event's revisions, and the samples of its evidence
}

// Export writes JSON lines, in the order in which things were recorded: samples
// as they are sent, confirmations, and events with the exact bytes that were
// sent. The same selection of the same journal gives the same bytes.
func Export(w io.Writer, j *journal.View, sel Selection) error {
	x := &exporter{out: bufio.NewWriterSize(w, 1<<16), sel: sel, lots: map[string]string{}}
	if sel.Event != "" {
		if err := x.evidence(j); err != nil {
			return err
		}
	}
	err := j.Commits(0, func(h journal.Header, records []byte) error {
		if err := x.commit(records); err != nil {
			return fmt.Errorf("commit %d: %w", h.Seq, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.out.Flush()
}

type exporter struct {
	out    *bufio.Writer
	sel    Selection
	wiring *record.Wiring
	lots   map[string]string // by equipment, as the record goes
	first  uint64            // samples of the chosen event's evidence
	last   uint64
	inputs []string // equipment/tag of that evidence
}

// confirmation is a confirmation of one tag as it is exported.
type confirmation struct {
	Equipment string      `json:"equipment"`
	Tag       string      `json:"tag"`
	Confirmed sample.Time `json:"confirmed"` // source time up to which it stood
	TA        sample.Time `json:"ta"`
}

func (x *exporter) commit(records []byte) error {
	return record.Each(records, func(in record.Input, out record.Outcome) error {
		if err := x.input(in, out); err != nil {
			return err
		}
		for i := range out.Entries {
			if err := x.entry(in, &out.Entries[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *exporter) input(in record.Input, out record.Outcome) (err error) {
	switch b := in.Body.(type) {
	case *record.Start:
		x.wiring = &b.Wiring
	case *record.Context:
		if lot, ok := b.Fields["lot"]; ok {
			x.lots[b.Equipment] = lot
		}
	case *record.Scan:
		x.lotOf(b)
		record.Samples(x.wiring, in, out, func(_ sample.Tag, s record.Sample) {
			if err == nil && x.wants(&s) {
				err = x.line(s.JSON())
			}
		})
	case *record.Confirm:
		return x.confirm(in, b)
	}
	return err
}

// lotOf keeps which lot is where, as the tags bound to it say.
func (x *exporter) lotOf(b *record.Scan) {
	if x.sel.Lot == "" {
		return
	}
	for _, e := range x.wiring.Equipment {
		for _, bind := range e.Context {
			t, ok := x.wiring.Find(e.Name, bind.Tag)
			if bind.Field != "lot" || !ok {
				continue
			}
			for _, r := range b.Readings {
				if r.Tag == t && r.Quality == sample.Good {
					x.lots[e.Name] = r.Value.String()
				}
			}
		}
	}
}

func (x *exporter) within(t sample.Time) bool {
	return (x.sel.From == 0 || t >= x.sel.From) && (x.sel.To == 0 || t <= x.sel.To)
}

func (x *exporter) wants(s *record.Sample) bool {
	if x.sel.Event != "" {
		return s.I >= x.first && s.I <= x.last && slices.Contains(x.inputs, s.Equipment+"/"+s.Tag)
	}
	return x.within(s.T) && (x.sel.Lot == "" || x.lots[s.Equipment] == x.sel.Lot)
}

func (x *exporter) confirm(in record.Input, b *record.Confirm) error {
	if x.sel.Event != "" || !x.within(b.Time) {
		return nil
	}
	for i := range x.wiring.Tags {
		t := &x.wiring.Tags[i]
		if t.Source != b.Source || slices.Contains(b.Except, sample.Tag(i)) || x.sel.Lot != "" && x.lots[t.Equipment] != x.sel.Lot {
			continue
		}
		line, err := json.Marshal(confirmation{t.Equipment, t.Name, b.Time, in.At})
		if err != nil {
			return err
		}
		if err := x.line(line); err != nil {
			return err
		}
	}
	return nil
}

// eventHead is the part of any event that a selection looks at.
type eventHead struct {
	Data struct {
		EventID string `json:"event_id"`
		Product struct {
			Lots []string `json:"lots"`
		} `json:"product"`
		Equipment json.RawMessage `json:"equipment"`
		Evidence  *struct {
			Records [2]uint64 `json:"records"`
		} `json:"evidence"`
	} `json:"data"`
}

func (x *exporter) entry(in record.Input, e *record.Entry) error {
	if x.sel.Event != "" || x.sel.Lot != "" {
		var head eventHead
		if err := json.Unmarshal(e.Payload, &head); err != nil {
			return fmt.Errorf("%s %d: %w", e.Lane, e.Seq, err)
		}
		if x.sel.Event != "" && head.Data.EventID != x.sel.Event || x.sel.Lot != "" && !slices.Contains(head.Data.Product.Lots, x.sel.Lot) {
			return nil
		}
	}
	if !x.within(in.At) {
		return nil
	}
	return x.line(e.Payload)
}

// evidence finds the samples that the chosen event's evidence names.
func (x *exporter) evidence(j *journal.View) error {
	found := false
	err := j.Commits(0, func(_ journal.Header, records []byte) error {
		return record.Each(records, func(_ record.Input, out record.Outcome) error {
			for _, e := range out.Entries {
				ok, err := x.evidenceOf(&e)
				if err != nil {
					return err
				}
				found = found || ok
			}
			return nil
		})
	})
	if err == nil && !found {
		err = fmt.Errorf("event %s is not in the journal", x.sel.Event)
	}
	return err
}

func (x *exporter) evidenceOf(e *record.Entry) (found bool, err error) {
	var head eventHead
	if err := json.Unmarshal(e.Payload, &head); err != nil {
		return false, fmt.Errorf("%s %d: %w", e.Lane, e.Seq, err)
	}
	if head.Data.EventID != x.sel.Event {
		return false, nil
	}
	if head.Data.Evidence == nil {
		return true, nil
	}
	var equipment struct {
		ID      string `json:"id"`
		Sensors []struct {
			Input string `json:"input"`
		} `json:"sensors"`
	}
	if err := json.Unmarshal(head.Data.Equipment, &equipment); err != nil {
		return false, fmt.Errorf("%s %d: %w", e.Lane, e.Seq, err)
	}
	x.first, x.last, x.inputs = head.Data.Evidence.Records[0], head.Data.Evidence.Records[1], nil
	for _, s := range equipment.Sensors {
		x.inputs = append(x.inputs, equipment.ID+"/"+s.Input)
	}
	return true, nil
}

func (x *exporter) line(b []byte) error {
	if _, err := x.out.Write(b); err != nil {
		return err
	}
	return x.out.WriteByte('\n')
}
