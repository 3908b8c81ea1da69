package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/sample"
)

// good is a document that uses every key of the form that this version takes.
const good = `schema: andon.spec/1
id: HT-7075-T6
title: Solution heat treat, 7075 forgings, batch furnace
revision: D
document: {system: QMS, number: SPC-2204, change: CR-0912, reason: "Soak 40 -> 45 min"}
effective: {from: 2026-03-01T06:00:00-05:00, to: 2027-03-01T00:00:00-05:00}
scope: {materials: [7075-FRAME, 7075-BRKT], operation: "0040", equipment_class: furnace-class-2, equipment: [furn-03, furn-04]}
context_required: [work_order, lot]
applies_when: {phase: [heat, soak]}
parameters:
  - id: load_temp
    name: Load thermocouples
    criticality: CPP
    inputs: [tc1, tc2]
    unit: "[degF]"
    precision: 0.1
    accept_uncertain: false
    sampling: {interval: 10s, max_gap: 60s}
    target: 885
    limits: {lsl: 875, usl: 895, inclusive: true}
    nor: [880, 890]
    par: [875, 895]
    rules:
      - {id: over, kind: high, limit: usl, scope: any_input, on_delay: 5s, off_delay: 30s, event_delay: 1min, deadband: 2, rejoin: 10s, always: true, class: major}
      - {id: normal, kind: band, limit: nor, scope: mean, when: soak, class: minor, on_lot_change: split}
      - {id: spec, kind: band, class: critical, on_fail: nonconformance}
      - {id: low, kind: low, limit: 870.5, class: signal}
    missing_data: {up_to: 2min, action: flag, beyond: flag, credit: none}
    alarm: {priority: high, respond_within: 3min, text: "Load temperature out of band", instruction: WI-118, action: "Hold load, call quality"}
    evidence: {before: 10min, after: 10min}
  - id: recipe
    inputs: [recipe]
    rules: [{id: right, kind: equals, value: R-885, class: critical}]
`

// people who sign in the tests, and their keys.
type signatory struct {
	id, role string
	private  string
	public   string
}

func newSignatory(t testing.TB, id, role string) signatory {
	t.Helper()
	private, public, err := note.GenerateKey(nil, id)
	if err != nil {
		t.Fatal(err)
	}
	return signatory{id, role, private, public}
}

// signs is a note on the document as its text says, changed by edits.
func (s signatory) signs(t testing.TB, document, meaning string, edits ...func(*Approval)) string {
	t.Helper()
	d := mustParse(t, document)
	a := Approval{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256, Meaning: meaning, Role: s.role, User: s.id, Time: sample.At(time.Date(2026, 2, 20, 9, 0, 0, 0, time.UTC))}
	for _, edit := range edits {
		edit(&a)
	}
	signer, err := note.NewSigner(s.private)
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mustParse(t testing.TB, document string) *Document {
	t.Helper()
	d, err := Parse("test.spec.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// crew is an author, somebody of quality, an engineer and a stranger, and the
// policy that knows the first three.
type crew struct {
	ann, quinn, eve, mallory signatory
	policy                   *Policy
}

func newCrew(t testing.TB) crew {
	t.Helper()
	c := crew{ann: newSignatory(t, "ann", "engineering"), quinn: newSignatory(t, "quinn", Quality), eve: newSignatory(t, "eve", "engineering"), mallory: newSignatory(t, "mallory", Quality)}
	p, err := ParsePolicy("approvers.yaml", []byte(c.yaml()))
	if err != nil {
		t.Fatal(err)
	}
	c.policy = p
	return c
}

func (c crew) yaml() string {
	var b strings.Builder
	b.WriteString("schema: andon.approvers/1\nrevision: 1\npeople:\n")
	for _, s := range []signatory{c.ann, c.quinn, c.eve} {
		fmt.Fprintf(&b, "  - {id: %s, name: %s Printed, role: %s, key: \"%s\"}\n", s.id, s.id, s.role, s.public)
	}
	return b.String()
}

// approved are the notes that the default policy wants for a document.
func (c crew) approved(t testing.TB, document string) string {
	return c.ann.signs(t, document, Authored) + c.quinn.signs(t, document, Approved) + c.eve.signs(t, document, Approved)
}

func TestParseTakesEveryKeyOfTheForm(t *testing.T) {
	d := mustParse(t, good)
	sum := sha256.Sum256([]byte(good))
	if d.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("sha256 %s, want that of the bytes", d.SHA256)
	}
	if got, want := d.Effective.From.String(), "2026-03-01T11:00:00.000Z"; got != want {
		t.Errorf("effective from %s, want %s", got, want)
	}
	p := d.Parameters[0]
	if p.Sampling.MaxGap != time.Minute || p.MissingData.UpTo != 2*time.Minute || *p.USL != 895 {
		t.Errorf("parameter %+v", p)
	}
	over := p.Rules[0]
	if *over.High != 895 || over.Low != nil || over.LimitName != "usl" || over.EventDelay != time.Minute || !over.Always {
		t.Errorf("rule over %+v", over)
	}
	if r := p.Rules[1]; *r.Low != 880 || *r.High != 890 || r.When[0] != "soak" || r.Scope != Mean {
		t.Errorf("rule normal %+v", r)
	}
	if r := p.Rules[2]; *r.Low != 875 || *r.High != 895 || r.LimitName != "limits" {
		t.Errorf("rule spec %+v", r)
	}
	if r := p.Rules[3]; *r.Low != 870.5 || r.High != nil || r.LimitName != "" {
		t.Errorf("rule low %+v", r)
	}
	if r := d.Parameters[1].Rules[0]; *r.Expected != sample.StringValue("R-885") {
		t.Errorf("rule right %+v", r)
	}
}

func TestParseFillsDefaults(t *testing.T) {
	d := mustParse(t, `schema: andon.spec/1
id: A
revision: 3
effective: {from: 2026-01-01T00:00:00Z}
parameters: [{id: p, inputs: [x], unit: bar, sampling: {interval: 2s}, rules: [{id: r, kind: high, limit: 5}]}]
`)
	p := d.Parameters[0]
	if d.Revision != "3" || d.Effective.To != 0 {
		t.Errorf("revision %q to %s", d.Revision, d.Effective.To)
	}
	if p.Name != "p" || p.Sampling.MaxGap != 6*time.Second || p.Alarm.Priority != "medium" {
		t.Errorf("parameter %+v", p)
	}
	if want := (MissingData{6 * time.Second, "flag", "deviation", "none"}); p.MissingData != want {
		t.Errorf("missing data %+v, want %+v", p.MissingData, want)
	}
	r := p.Rules[0]
	if r.Scope != AnyInput || r.Class != Major || r.OnLotChange != "extend" || r.Always || r.When != nil {
		t.Errorf("rule %+v", r)
	}
}

func mustSigner(t testing.TB, s signatory) note.Signer {
	t.Helper()
	signer, err := note.NewSigner(s.private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func TestParseRefusesAHugeDocument(t *testing.T) {
	huge := good + strings.Repeat("# filler\n", 10<<20/9)
	if _, err := Parse("huge.yaml", []byte(huge)); err == nil || len(err.Error()) > 200 {
		t.Errorf("10 MB: %.300v", err)
	}
}

func TestExpectedValuesKeepTheirType(t *testing.T) {
	for yaml, want := range map[string]sample.Value{
		"7": sample.IntValue(7), "-7": sample.IntValue(-7), "7.5": sample.FloatValue(7.5), "true": sample.BoolValue(true),
		"heat": sample.StringValue("heat"), `"7"`: sample.StringValue("7"), `""`: sample.StringValue(""),
	} {
		d := mustParse(t, strings.Replace(good, "value: R-885", "value: "+yaml, 1))
		if got := *d.Parameters[1].Rules[0].Expected; got != want {
			t.Errorf("%s: %v of kind %d, want %v", yaml, got, got.Kind(), want)
		}
	}
}
