package engine

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"andon/internal/record"
	"andon/internal/sample"
)

// TestGoldenPayloads holds the exact bytes that are sent. A change here is a
// change of what others read: it needs a new version of the schema it concerns,
// and a line in the changelog.
//
//andon:req Q11 Q24 Q25 Q29 Q32
func TestGoldenPayloads(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring, "qms")
	p.s.Start.Version = "1.0.0"
	for _, line := range []string{
		"0 phase=2 lot=L-1 recipe=R-1 tc1=885 tc2=885",
		"1 phase=2 lot=L-1 recipe=R-2 tc1=899.5 tc2=885",
		"2 phase=2 lot=L-1 recipe=R-1 tc1=!0 tc2=885",
		"3 phase=2 lot=L-2 recipe=R-1 tc1=885 tc2=885",
		"4 phase=2 lot=L-2 recipe=R-1 tc1=885 tc2=885",
		"8 phase=2 lot=L-2 recipe=R-1 tc1=885 tc2=885",
		"12 tick",
	} {
		p.play(line)
	}
	out := Decide(p.s, record.Input{N: p.s.N + 1, At: p.s.At, Body: &record.Receipt{Consumer: "qms", Epoch: "e1", Lane: "quality", UpTo: 1,
		Rejected: []record.Rejection{{Seq: 2, Code: "schema", Reason: "no such equipment", Topic: "quality/spec", SHA256: "00"}}}})
	p.payloads = append(p.payloads, out.Entries...)
	var got strings.Builder
	for _, e := range p.payloads {
		got.WriteString(e.Topic + " ")
		got.Write(e.Payload)
		got.WriteByte('\n')
	}
	const file = "testdata/payloads.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

// TestLoadRefuses what is not a saved state.
func TestLoadRefuses(t *testing.T) {
	for _, bad := range []string{"", "{", `{"n":"x"}`, `{"register":[{"document":"AA=="}]}`} {
		if _, err := Load([]byte(bad)); err == nil {
			t.Errorf("%q was loaded", bad)
		}
	}
}

// TestOutOfOrderPanics: a shell that leaves out a number, or decides before it
// has started, has broken its promise.
func TestOutOfOrderPanics(t *testing.T) {
	for name, in := range map[string]record.Input{
		"number left out":  {N: 2, Body: &record.Start{Epoch: "e"}},
		"before the start": {N: 1, Body: &record.Tick{}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			Decide(New(), in)
		}()
	}
}

// TestForeignTags: what a source gives for tags that nobody has wired is kept as
// samples and touches nothing else.
func TestForeignTags(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring)
	before := p.s.I
	out := Decide(p.s, record.Input{N: p.s.N + 1, At: epoch0, Body: &record.Scan{Source: "other", Time: epoch0,
		Readings: []sample.Reading{{Tag: 999, Value: sample.FloatValue(1)}}}})
	if out.FirstI != before+1 || len(out.Entries) != 0 {
		t.Errorf("outcome %+v", out)
	}
}
