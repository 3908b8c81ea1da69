package rehearse

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"andon/internal/engine"
	"andon/internal/journal"
	"andon/internal/record"
	"andon/internal/sample"
)

// tape is a record in memory: inputs and what was recorded to follow.
type tape struct {
	inputs []record.Input
	out    []record.Outcome
}

// Commits gives three inputs a commit.
func (j *tape) Commits(_ uint64, fn func(journal.Header, []byte) error) error {
	for i := 0; i < len(j.inputs); i += 3 {
		var b []byte
		for k := i; k < min(i+3, len(j.inputs)); k++ {
			b = record.Append(b, j.inputs[k], j.out[k])
		}
		if err := fn(journal.Header{Seq: uint64(i/3 + 1)}, b); err != nil {
			return err
		}
	}
	return nil
}

// newTape is a day on two furnaces: the first has an excursion each time k is a
// multiple of 5, the second none.
func newTape(t *testing.T) *tape {
	t.Helper()
	w := record.Wiring{Sources: []record.Source{{Name: "plc"}}, Equipment: []record.Equipment{{Name: "furn-03"}, {Name: "furn-04"}}}
	for _, e := range w.Equipment {
		for _, name := range []string{"tc1", "tc2"} {
			w.Tags = append(w.Tags, record.Tag{Equipment: e.Name, Name: name, Source: "plc", Unit: "[degF]", Every: 10 * time.Second})
		}
	}
	j, s := &tape{}, engine.New()
	decide := func(at sample.Time, b record.Body) {
		in := record.Input{N: s.N + 1, At: at, Body: b}
		j.inputs = append(j.inputs, in)
		j.out = append(j.out, engine.Decide(s, in))
	}
	spec := strings.Replace(plain, "scope: {equipment: [furn-03]}\n", "", 1)
	decide(at(0), &record.Start{Gateway: "g", Site: "acme", Epoch: "e1", Wiring: w})
	decide(at(0), &record.Specification{Document: []byte(spec), By: "file", Unsigned: true})
	for k := range 40 {
		v := 880.0
		if k%5 == 0 {
			v = 900
		}
		decide(at(float64(10*k)), &record.Scan{Source: "plc", Time: at(float64(10 * k)), Readings: []sample.Reading{
			{Tag: 0, Value: sample.FloatValue(v)}, {Tag: 1, Value: sample.FloatValue(880)}, {Tag: 2, Value: sample.FloatValue(881)}, {Tag: 3, Value: sample.FloatValue(880)}}})
		decide(at(float64(10*k)), &record.Tick{})
	}
	return j
}

// TestAgain: a record that today's program would have made comes out the same,
// all of it, and the counts are what was compared.
//
//andon:req Q56
func TestAgain(t *testing.T) {
	j := newTape(t)
	var want Report
	for i := range j.inputs {
		want.Inputs++
		want.Judgements += len(j.out[i].Judgements)
		want.Entries += len(j.out[i].Entries)
	}
	want.Type = "against"
	got, err := Again(j, Comparison{})
	if err != nil || got != want || want.Entries < 20 {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got.JSON() != fmt.Sprintf(`{"type":"against","inputs":%d,"judgements":%d,"entries":%d,"differences":0}`, want.Inputs, want.Judgements, want.Entries) {
		t.Error(got.JSON())
	}
}

// TestAgainInPart: the bounds and the equipment say what is compared; judged is
// everything.
func TestAgainInPart(t *testing.T) {
	j := newTape(t)
	got, err := Again(j, Comparison{From: at(100), To: at(190)})
	if err != nil || got.Inputs != 20 || got.Differences != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	one, err := Again(j, Comparison{Equipment: "furn-04"})
	if err != nil || one.Judgements == 0 || one.Differences != 0 {
		t.Errorf("%+v, %v", one, err)
	}
	other, err := Again(j, Comparison{Equipment: "furn-03"})
	if err != nil || other.Entries <= one.Entries {
		t.Errorf("%+v, %v", other, err)
	}
	// what differs elsewhere is not looked at
	spoil(t, j, "furn-03")
	if got, err := Again(j, Comparison{Equipment: "furn-04"}); err != nil || got.Differences != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Again(j, Comparison{Equipment: "furn-03"}); err != nil || got.Differences != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Again(j, Comparison{From: at(390)}); err != nil || got.Differences != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// spoil changes one byte in the first deviation of an equipment.
func spoil(t *testing.T, j *tape, equipment string) {
	t.Helper()
	for i := range j.out {
		for k := range j.out[i].Entries {
			e := &j.out[i].Entries[k]
			if e.Topic == "quality/deviation" && concerns(e.Payload, equipment) {
				e.Payload = bytes.Replace(e.Payload, []byte(`"class":"major"`), []byte(`"class":"minor"`), 1)
				return
			}
		}
	}
	t.Fatal("no deviation")
}

// TestAgainDiffers: each way in which a record can be another one is found, and
// named, and is one difference.
func TestAgainDiffers(t *testing.T) {
	last := func(j *tape) *record.Outcome { // the first outcome with an entry and a judgement
		for i := range j.out {
			if len(j.out[i].Entries) > 0 && len(j.out[i].Judgements) > 0 {
				return &j.out[i]
			}
		}
		return nil
	}
	for _, tt := range []struct {
		name  string
		spoil func(j *tape)
		want  string
	}{
		{"a byte of a message", func(j *tape) { spoil(t, j, "furn-03") }, "*record.Scan): recorded quality message"},
		{"a verdict", func(j *tape) { last(j).Judgements[0].Verdict = "in" }, "recorded judgement temp/over: "},
		{"a message too many", func(j *tape) {
			o := last(j)
			e := o.Entries[len(o.Entries)-1]
			e.Seq = 0
			o.Entries = append(o.Entries, e)
		}, "again nothing"},
		{"a sample's number", func(j *tape) { j.out[10].FirstI++ }, "recorded samples, receipts and needs"},
		{"a need", func(j *tape) { last(j).Needs = append(last(j).Needs, record.Need{ID: "x"}) }, "recorded samples, receipts and needs"},
	} {
		j := newTape(t)
		tt.spoil(j)
		got, err := Again(j, Comparison{})
		if err != nil || got.Differences == 0 || !strings.Contains(got.First, tt.want) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
		if got.Differences != 1 {
			t.Errorf("%s: %d differences", tt.name, got.Differences)
		}
	}
}

// TestAgainGivenNumbers: where the record gave more numbers than today's program
// would, that is one difference and not one in everything behind it.
func TestAgainGivenNumbers(t *testing.T) {
	j := newTape(t)
	extra := false
	for i := range j.out {
		for k := range j.out[i].Entries {
			e := &j.out[i].Entries[k]
			if e.Lane != "event" {
				continue
			}
			if extra {
				e.Payload = bytes.ReplaceAll(e.Payload, fmt.Appendf(nil, "/%d\"", e.Seq), fmt.Appendf(nil, "/%d\"", e.Seq+1))
				e.Payload = bytes.ReplaceAll(e.Payload, fmt.Appendf(nil, "\"%020d\"", e.Seq), fmt.Appendf(nil, "\"%020d\"", e.Seq+1))
				e.Payload = bytes.ReplaceAll(e.Payload, fmt.Appendf(nil, "\"seq\":%d,", e.Seq), fmt.Appendf(nil, "\"seq\":%d,", e.Seq+1))
				e.Seq++
			}
		}
		if i == 4 {
			n := j.out[1].Entries[len(j.out[1].Entries)-1].Seq
			for _, o := range j.out[:i+1] {
				for _, e := range o.Entries {
					if e.Lane == "event" {
						n = e.Seq
					}
				}
			}
			j.out[i].Entries = append(j.out[i].Entries, record.Entry{Lane: "event", Seq: n + 1, Topic: "event/system", Payload: []byte(`{}`)})
			extra = true
		}
	}
	if got, err := Again(j, Comparison{}); err != nil || got.Differences != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestAgainUnreadable: a record that cannot be decided is an error, and never a
// panic or a clean report.
func TestAgainUnreadable(t *testing.T) {
	j := newTape(t)
	for name, broken := range map[string]*tape{
		"no start":     {j.inputs[1:], j.out[1:]},
		"not from one": {[]record.Input{{N: 1, At: at(0), Body: &record.Tick{}}}, []record.Outcome{{}}},
		"one missing":  {append(append([]record.Input{}, j.inputs[:5]...), j.inputs[6:]...), append(append([]record.Outcome{}, j.out[:5]...), j.out[6:]...)},
	} {
		if got, err := Again(broken, Comparison{}); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got, err := Again(cutTape{j}, Comparison{}); err == nil {
		t.Errorf("cut: %+v", got)
	}
}

type cutTape struct{ *tape }

func (c cutTape) Commits(from uint64, fn func(journal.Header, []byte) error) error {
	return c.tape.Commits(from, func(h journal.Header, b []byte) error { return fn(h, b[:len(b)-1]) })
}

// exported is what `journal export` would write of a tape.
func exported(t *testing.T, j *tape) []string {
	t.Helper()
	list := []string{`{"equipment":"furn-03","tag":"tc1","confirmed":"2026-01-01T00:00:00.000Z","ta":"2026-01-01T00:00:00.000Z"}`}
	w := &j.inputs[0].Body.(*record.Start).Wiring
	for i := range j.inputs {
		record.Samples(w, j.inputs[i], j.out[i], func(_ sample.Tag, s record.Sample) { list = append(list, string(s.JSON())) })
		for _, e := range j.out[i].Entries {
			list = append(list, string(e.Payload))
		}
	}
	return list
}

// TestAgainstExport: each line of an export, or of any part of one in its order,
// comes out again; a changed, added or moved one does not.
func TestAgainstExport(t *testing.T) {
	j := newTape(t)
	all := exported(t, j)
	compare := func(list []string) (Report, error) {
		return Again(j, Comparison{Export: strings.NewReader(strings.Join(list, "\n") + "\n"), ExportFile: "day.jsonl"})
	}
	got, err := compare(all)
	if err != nil || got.Differences != 0 || got.Exported == nil || *got.Exported != len(all)-1 {
		t.Errorf("whole: %+v, %v; of %d lines", got, err, len(all))
	}
	var part []string
	for i := 0; i < len(all); i += 3 {
		part = append(part, all[i])
	}
	if got, err := compare(part); err != nil || got.Differences != 0 || *got.Exported != len(part)-1 {
		t.Errorf("in part: %+v, %v; of %d lines", got, err, len(part))
	}
	for name, change := range map[string]func(list []string) []string{
		"changed": func(l []string) []string { l[50] = strings.TrimSuffix(l[50], "}") + " }"; return l },
		"added":   func(l []string) []string { return append(l, `{"specversion":"1.0"}`) },
		"moved":   func(l []string) []string { l[50], l[51] = l[51], l[50]; return l },
		"twice":   func(l []string) []string { l[50] = l[49]; return l },
	} {
		got, err := compare(change(append([]string{}, all...)))
		if err != nil || got.Differences != 1 || !strings.Contains(got.First, "day.jsonl:") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, r := range map[string]io.Reader{
		"no export": strings.NewReader("t,tc1\n0,1\n"),
		"too long":  strings.NewReader(strings.Repeat("x", exportLine+1)),
		"later":     strings.NewReader(all[1] + "\nhello\n"),
	} {
		if got, err := Again(j, Comparison{Export: r, ExportFile: "day.jsonl"}); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
