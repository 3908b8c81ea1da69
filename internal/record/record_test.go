package record

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"andon/internal/sample"
)

var values = []sample.Value{
	{}, sample.BoolValue(true), sample.BoolValue(false), sample.IntValue(-7), sample.UintValue(math.MaxUint64),
	sample.FloatValue(899.4), sample.FloatValue(math.NaN()), sample.FloatValue(math.Copysign(0, -1)), sample.StringValue("L-2291"),
}

func drawReading(t *rapid.T, label string) sample.Reading {
	r := sample.Reading{
		Tag:     sample.Tag(rapid.Uint32().Draw(t, label+"tag")),
		Value:   rapid.SampledFrom(values).Draw(t, label+"value"),
		Raw:     rapid.SampledFrom(values).Draw(t, label+"raw"),
		Quality: sample.Quality(rapid.IntRange(0, 2).Draw(t, label+"quality")),
		Status:  rapid.SampledFrom([]string{"", "BadSensorFailure"}).Draw(t, label+"status"),
	}
	return r
}

func drawTime(t *rapid.T, label string) sample.Time {
	return sample.Time(rapid.Int64Range(1, math.MaxInt64/4).Draw(t, label))
}

func drawScan(t *rapid.T) (Input, Outcome) {
	in := Input{N: rapid.Uint64().Draw(t, "n"), At: drawTime(t, "at")}
	s := &Scan{Source: "furnace-plc", Time: drawTime(t, "time"), Readings: []sample.Reading{}}
	if rapid.Bool().Draw(t, "held") {
		s.AsOf, s.Server = drawTime(t, "as of"), drawTime(t, "server")
	}
	out := Outcome{}
	for i := range rapid.IntRange(0, 5).Draw(t, "readings") {
		s.Readings = append(s.Readings, drawReading(t, "r"))
		if rapid.Bool().Draw(t, "again") {
			out.Repeated = append(out.Repeated, i)
		}
	}
	if len(out.Repeated) < len(s.Readings) {
		out.FirstI = 42
	}
	in.Body = s
	return in, out
}

// TestRoundTrip: what is written is read back, and written again it is the
// same bytes.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, out := drawScan(t)
		out.Entries = []Entry{{Lane: "quality", Seq: 7, Topic: "quality/deviation", Payload: []byte(`{"a":"<"}`)}}
		out.Judgements = []Judgement{{Equipment: "furn-03", Verdict: "out", At: in.At}}
		b := Append(nil, in, out)
		d := NewDecoder(b)
		gotIn, gotOut, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		if again := Append(nil, gotIn, gotOut); !bytes.Equal(again, b) {
			t.Fatalf("written again:\n%x\nfirst:\n%x", again, b)
		}
		if diff := cmp.Diff(in, gotIn, cmp.AllowUnexported(sample.Value{})); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(out, gotOut); diff != "" {
			t.Fatal(diff)
		}
		if _, _, err := d.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("behind the last record: %v", err)
		}
	})
}

func TestEveryInputRoundTrips(t *testing.T) {
	at := sample.At(time.Date(2026, 3, 4, 9, 12, 31, 250e6, time.UTC))
	bodies := []Body{
		&Start{Gateway: "g", Epoch: "e", Wiring: Wiring{Tags: []Tag{{Equipment: "furn-03", Name: "tc1", Every: time.Second, Range: &[2]float64{0, 1}}}}},
		&Stop{Reason: "asked"}, &Confirm{Source: "s", Time: at - 3, Except: []sample.Tag{1, 300}}, &Confirm{Source: "s", Time: at + 5},
		&Loss{Source: "s", Tags: []sample.Tag{2}, Cause: "link"}, &Tick{}, &Act{User: "u", Kind: Ack, Target: "a"},
		&Act{User: "u", Kind: Shelve, Target: "a", For: 90 * time.Minute, Senior: true}, &Act{User: "u", Kind: SetContext, Target: "furn-03", Fields: map[string]string{"lot": "", "material": "M"}},
		&Context{Equipment: "furn-03", Fields: map[string]string{"lot": "L-1"}}, &Receipt{Consumer: "qms", Lane: "quality", UpTo: 3, Ranges: [][2]uint64{{5, 6}}},
		&Policy{Document: []byte("x")}, &Specification{Document: []byte{0, 255}}, &Withdrawal{Note: []byte("n"), By: "file"}, &Answer{Need: "n", SHA256: "00"}, &Clock{Synced: true, Offset: -time.Millisecond},
	}
	var b []byte
	for i, body := range bodies {
		b = Append(b, Input{N: uint64(i + 1), At: at, Body: body}, Outcome{})
	}
	d := NewDecoder(b)
	for i, want := range bodies {
		in, _, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Input{uint64(i + 1), at, want}, in); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSamplesSkipsRepeated(t *testing.T) {
	w := &Wiring{Tags: []Tag{{Equipment: "furn-03", Name: "tc1"}}}
	in := Input{N: 1, At: 2e9, Body: &Scan{Time: 1e9, Readings: []sample.Reading{
		{Tag: 0, Value: sample.FloatValue(1)}, {Tag: 0, Value: sample.FloatValue(1)}, {Tag: 9, Value: sample.StringValue("x"), Quality: sample.Bad, Status: "Bad"}}}}
	var got []string
	Samples(w, in, Outcome{FirstI: 10, Repeated: []int{1}}, func(_ sample.Tag, s Sample) { got = append(got, string(s.JSON())) })
	want := []string{
		`{"i":10,"equipment":"furn-03","tag":"tc1","t":"1970-01-01T00:00:01.000Z","ta":"1970-01-01T00:00:02.000Z","v":1,"q":"good"}`,
		`{"i":11,"equipment":"","tag":"#9","t":"1970-01-01T00:00:01.000Z","ta":"1970-01-01T00:00:02.000Z","v":"x","q":"bad","st":"Bad"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzDecode: foreign bytes never panic, and what is accepted is canonical.
func FuzzDecode(f *testing.F) {
	in := Input{N: 1, At: 5, Body: &Scan{Source: "s", Time: 4, Readings: []sample.Reading{{Tag: 3, Value: sample.IntValue(-1), Status: "x"}}}}
	f.Add(Append(nil, in, Outcome{FirstI: 1}))
	f.Add(Append(nil, Input{N: 2, At: 5, Body: &Confirm{Source: "s", Except: []sample.Tag{1}}}, Outcome{Entries: []Entry{{Lane: "event", Payload: []byte("{}")}}}))
	f.Add(Append(nil, Input{N: 2, At: 5, Body: &Act{Kind: Shelve, Target: "alm-1", For: time.Hour, Fields: map[string]string{"lot": ""}}}, Outcome{}))
	f.Add(Append(nil, Input{N: 3, Body: &Withdrawal{Note: []byte{255, 0}, By: "file"}}, Outcome{}))
	f.Add(Append(nil, Input{N: 3, Body: &Tick{}}, Outcome{Needs: []Need{{ID: "x"}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := NewDecoder(b)
		for {
			in, out, err := d.Next()
			if err != nil {
				return
			}
			one := Append(nil, in, out)
			in2, out2, err := NewDecoder(one).Next()
			if err != nil {
				t.Fatalf("accepted, but not when written again: %v", err)
			}
			if two := Append(nil, in2, out2); !bytes.Equal(one, two) {
				t.Fatalf("not stable:\n%x\n%x", one, two)
			}
		}
	})
}
