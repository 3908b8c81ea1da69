package engine

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"andon/internal/record"
	"andon/internal/sample"
)

var update = flag.Bool("update", false, "write what the dialogues answer into their files")

// A dialogue is a specification, what happens (steps) and what must come of it
// (want). Times are seconds from epoch0. A step is one of
//
//	T tag=value ...           a scan of source time T; !value is bad, ?value uncertain
//	T held tag=value ...      values held at reconnection, of source time 1, known as of T
//	T confirm                 nothing has changed up to T
//	T loss CAUSE [tag ...]    samples are known to be missing
//	T tick                    the clock is at T
//	T lot=L-1 (in context)    context says a field
//	T ack PARAMETER RULE      the alarm is acknowledged
//	T shelve PARAMETER RULE DURATION [reason]         an operator shelves the alarm
//	T senior-shelve PARAMETER RULE DURATION [reason]  a shift lead does
//	T unshelve PARAMETER RULE [reason]
//	T say field=value ...     a person says what is being made
//	T receipt LANE UP-TO      the consumer qms holds the entries up to there
//	T reject LANE SEQ CODE    the consumer qms rejects an entry
//	T requeue LANE SEQ        the dead letter is sent again
//	T restart [tag=DAY]       the gateway was killed and starts again; DAY is when the
//	                          tag's instrument is due for calibration by now
//	T spec FILE               another specification is offered
//	T withdraw ID REVISION REASON  quality withdraws a revision
//	T stamped S C tag=value   a scan that the source stamps S when its clock shows C
//	T receipt LANE N          the consumer qms holds the lane up to N
//	T final                   nothing follows: what is under way ends here
//
// In steps, `save` saves and loads the state.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("dialogues: %v, %d found", err, len(files))
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) { dialogue(t, f) })
	}
}

const epoch0 = sample.Time(1767225600e9) // 2026-01-01T00:00:00Z

func dialogue(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	part := func(name string) string {
		for _, f := range ar.Files {
			if f.Name == name {
				return string(f.Data)
			}
		}
		return ""
	}
	p := newPlayer(t, part("spec.yaml"), part("wiring"), strings.Fields(part("consumers"))...)
	p.part = part
	for _, line := range strings.Split(strings.TrimSpace(part("steps")), "\n") {
		p.play(line)
	}
	got := strings.Join(p.said, "\n") + "\n"
	if !*update {
		if diff := cmp.Diff(part("want"), got); diff != "" {
			t.Error(diff)
		}
		return
	}
	ar.Files = slices.DeleteFunc(ar.Files, func(f txtar.File) bool { return f.Name == "want" })
	ar.Files = append(ar.Files, txtar.File{Name: "want", Data: []byte(got)})
	if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
		t.Fatal(err)
	}
}

// player feeds a state by hand.
type player struct {
	t     *testing.T
	s     *State
	start record.Start
	said  []string

	payloads []record.Entry // all, as sent
	quinn    signer         // who withdraws
	part     func(name string) string
}

// newPlayer has one source, one furnace furn-03 and the tags that wiring lists,
// a line each: name, unit, every (0s for none), then the day its calibration is
// due, or `history` if samples may come late.
func newPlayer(t *testing.T, specYAML, wiring string, consumers ...string) *player {
	p := &player{t: t, s: New()}
	w := record.Wiring{
		Sources: []record.Source{{Name: "plc", Kind: "opcua"}},
		Equipment: []record.Equipment{{Name: "furn-03", Class: "furnace", Context: []record.Binding{
			{Field: "phase", Tag: "phase", Values: map[string]string{"0": "idle", "1": "heat", "2": "soak"}},
			{Field: "lot", Tag: "lot"}, {Field: "serials", Tag: "serial"}, {Field: "material", From: "mes"}, {Field: "operator", From: "panel"}}}},
		Consumers: consumers, Receipts: "signed",
	}
	for _, line := range strings.Split(strings.TrimSpace(wiring), "\n") {
		f := strings.Fields(line)
		every, err := time.ParseDuration(f[2])
		if err != nil {
			t.Fatal(err)
		}
		w.Tags = append(w.Tags, record.Tag{Equipment: "furn-03", Name: f[0], Source: "plc", Unit: strings.Trim(f[1], "-"), Every: every})
		if len(f) > 3 {
			tag := &w.Tags[len(w.Tags)-1]
			if tag.History = f[3] == "history"; !tag.History {
				tag.CalibrationDue = f[3]
			}
		}
	}
	p.start = record.Start{Gateway: "g1", Site: "acme/ht", Epoch: "e1", Version: "test", Wiring: w, NoGrace: true}
	p.decide(epoch0, &p.start)
	p.decide(epoch0, &record.Specification{Document: []byte(specYAML), By: "test", Unsigned: true})
	if len(p.s.Equipment[0].Running) == 0 {
		t.Fatalf("the specification was not taken: %s", p.said[len(p.said)-1])
	}
	p.said = nil
	return p
}

func (p *player) decide(at sample.Time, body record.Body) {
	p.t.Helper()
	out := Decide(p.s, record.Input{N: p.s.N + 1, At: at, Body: body})
	for i := range out.Judgements {
		j := &out.Judgements[i]
		if r := j.Result; r != nil {
			p.say(at, "result %s/%s met %v: required %v %s, actual %v, from %s to %s%s%s", j.Parameter, j.Rule, r.Requirement.Met, r.Requirement.Required,
				r.Requirement.Unit, r.Requirement.Actual, seconds(r.From), seconds(j.At), map[bool]string{true: ", gaps " + strconv.FormatFloat(r.GapsS, 'g', -1, 64) + " s, " + j.Verdict}[r.GapsS > 0], map[bool]string{true: ", cut"}[r.Cut])
			continue
		}
		p.say(at, "verdict %s/%s %s from %s", j.Parameter, j.Rule, j.Verdict, seconds(j.At))
	}
	p.payloads = append(p.payloads, out.Entries...)
	for i := range out.Entries {
		p.entry(at, &out.Entries[i])
	}
	for _, n := range out.Needs {
		p.decide(at, &record.Answer{Need: n.ID, First: 1, Last: 9, Count: 9, SHA256: "…"})
	}
}

func (p *player) say(at sample.Time, format string, args ...any) {
	p.said = append(p.said, fmt.Sprintf("%5s  ", seconds(at))+fmt.Sprintf(format, args...))
}

func seconds(t sample.Time) string {
	if t == 0 {
		return "-"
	}
	return strconv.FormatFloat(float64(t-epoch0)/1e9, 'f', -1, 64)
}

// told is the part of any document that dialogues look at.
type told struct {
	Data struct {
		EventID      string      `json:"event_id"`
		State        string      `json:"state"`
		Title        string      `json:"title"`
		Previous     string      `json:"previous"`
		Type         string      `json:"type"`
		Late         bool        `json:"late"`
		ClassBasis   string      `json:"class_basis"`
		Corrected    bool        `json:"corrected"`
		Backfilled   int         `json:"backfilled"`
		Cause        string      `json:"cause"`
		Parameter    string      `json:"parameter"`
		Rule         string      `json:"rule"`
		Tags         []string    `json:"tags"`
		At           sample.Time `json:"at"`
		OccurredFrom sample.Time `json:"occurred_from"`
		OccurredTo   sample.Time `json:"occurred_to"`
		DetectedAt   sample.Time `json:"detected_at"`
		ClearedAt    sample.Time `json:"cleared_at"`
		Product      struct {
			Exposed     bool        `json:"exposed"`
			Lots        []string    `json:"lots"`
			SuspectFrom sample.Time `json:"suspect_from"`
		} `json:"product"`
		Spec struct {
			Parameter string `json:"parameter"`
			Rule      string `json:"rule"`
		} `json:"spec"`
		Excursion struct {
			Worst *struct {
				Value any         `json:"value"`
				At    sample.Time `json:"at"`
			} `json:"worst"`
			DurationS float64                  `json:"duration_s"`
			Area      *struct{ Value float64 } `json:"area"`
			Samples   int                      `json:"samples"`
			Quality   string                   `json:"quality"`
			GapsS     float64                  `json:"gaps_s"`
			Missing   []string                 `json:"missing"`
		} `json:"excursion"`
		Requirement *record.Requirement `json:"requirement"`
		Evidence    *struct{}           `json:"evidence"`
		Text        string              `json:"text"`
		Action      string              `json:"action"`
		New         string              `json:"new"`
		Reason      string              `json:"reason"`
	} `json:"data"`
}

func (p *player) entry(at sample.Time, e *record.Entry) {
	var x told
	if err := json.Unmarshal(e.Payload, &x); err != nil {
		p.t.Fatal(err)
	}
	d := &x.Data
	switch e.Topic {
	case "event/alarm":
		p.say(at, "alarm %s/%s %s > %s at %s", d.Parameter, d.Rule, d.Previous, d.State, seconds(d.At))
	case "quality/gap":
		filled := ""
		if d.Backfilled > 0 {
			filled = fmt.Sprintf(" backfilled %d", d.Backfilled)
		}
		p.say(at, "gap %s %s %v from %s to %s%s", d.State, d.Cause, d.Tags, seconds(d.OccurredFrom), seconds(d.OccurredTo), filled)
	case "quality/deviation", "quality/nonconformance", "event/signal":
		worst := "-"
		if d.Excursion.Worst != nil {
			worst = fmt.Sprintf("%v@%s", d.Excursion.Worst.Value, seconds(d.Excursion.Worst.At))
		}
		area := 0.0
		if d.Excursion.Area != nil {
			area = d.Excursion.Area.Value
		}
		evidence := map[bool]string{true: " critical by classification"}[d.ClassBasis != "rule:"+d.Spec.Rule] + map[bool]string{true: " late"}[d.Late] + map[bool]string{true: " corrected"}[d.Corrected]
		if d.Evidence != nil {
			evidence += " with evidence"
		}
		p.say(at, "%s %s/%s %s%s: from %s to %s detected %s cleared %s suspect %s worst %s %gs area %g samples %d gaps %gs lots %v exposed %v",
			e.Topic[strings.IndexByte(e.Topic, '/')+1:], d.Spec.Parameter, d.Spec.Rule, d.State, evidence, seconds(d.OccurredFrom), seconds(d.OccurredTo), seconds(d.DetectedAt),
			seconds(d.ClearedAt), seconds(d.Product.SuspectFrom), worst, d.Excursion.DurationS, area, d.Excursion.Samples, d.Excursion.GapsS, d.Product.Lots, d.Product.Exposed)
		if d.Excursion.Missing != nil {
			p.say(at, "  %s %s missing %v: %s", d.Type, d.Excursion.Quality, d.Excursion.Missing, d.Title)
		}
		if d.Type == "control" && d.Spec.Rule == "missing_data" && d.State == "opened" {
			p.say(at, "  control: %s", d.Title)
		}
		if d.Excursion.GapsS > 0 && d.Excursion.Quality != "good" && d.Excursion.Worst == nil && d.Excursion.Missing == nil && d.Requirement != nil {
			p.say(at, "  quality %s", d.Excursion.Quality)
		}
		if r := d.Requirement; r != nil && d.State == "opened" && d.Excursion.Area == nil {
			p.say(at, "  required %v %s, actual %v: %s", r.Required, r.Unit, r.Actual, d.Title)
		}
	case "event/audit":
		p.say(at, "%s %s %s %s", e.Topic, d.Action, d.New, d.Reason)
	default:
		p.say(at, "%s %s%s %s", e.Topic, d.State, d.Text, d.Reason)
	}
}

// until lets the clock run up to an instant, as a shell would.
func (p *player) until(at sample.Time) {
	for {
		due := p.s.Due()
		if due == 0 || due >= at {
			return
		}
		before := p.s.N
		p.decide(max(due, p.s.At), &record.Tick{})
		if again := p.s.Due(); again != 0 && again <= due && p.s.N == before+1 {
			p.t.Fatalf("a tick at %s left something due at %s", seconds(due), seconds(again))
		}
	}
}

func (p *player) play(line string) {
	f := strings.Fields(line)
	if f[0] == "save" {
		s, err := Load(p.s.Save())
		if err != nil {
			p.t.Fatal(err)
		}
		p.s = s
		return
	}
	sec, err := strconv.ParseFloat(f[0], 64)
	if err != nil {
		p.t.Fatalf("step %q: %v", line, err)
	}
	at := epoch0 + sample.Time(sec*1e9)
	p.until(at)
	switch verb := f[1]; verb {
	case "confirm":
		p.decide(at, &record.Confirm{Source: "plc", Time: at})
	case "tick":
		p.until(at + 1)
	case "loss":
		p.decide(at, &record.Loss{Source: "plc", Cause: f[2], Tags: p.tags(f[3:])})
	case "ack", "shelve", "senior-shelve", "unshelve":
		p.decide(at, p.alarmAct(verb, f[2:]))
	case "say":
		p.decide(at, &record.Act{User: "u1", Role: "operator", Kind: record.SetContext, Target: "furn-03", Meaning: "declared", Fields: pairs(f[2:])})
	case "receipt": // LANE UP-TO: the consumer qms holds them
		n, err := strconv.ParseUint(f[3], 10, 64)
		if err != nil {
			p.t.Fatal(err)
		}
		p.decide(at, &record.Receipt{Consumer: "qms", Epoch: "e1", Lane: f[2], UpTo: n, Signed: true})
	case "reject":
		e := p.sent(f[2], f[3])
		p.decide(at, &record.Receipt{Consumer: "qms", Epoch: "e1", Lane: f[2], Signed: true,
			Rejected: []record.Rejection{{Seq: e.Seq, Code: f[4], Reason: "because", Topic: e.Topic, SHA256: "…"}}})
	case "requeue":
		e := p.sent(f[2], f[3])
		p.decide(at, &record.Act{User: "u1", Kind: record.Requeue, Target: f[2] + "/" + f[3], Comment: "mended",
			Letter: &record.Letter{Lane: e.Lane, Seq: e.Seq, Topic: e.Topic, Payload: e.Payload}})
	case "spec": // FILE: another document is offered
		p.decide(at, &record.Specification{Document: []byte(p.part(f[2])), By: "test", Unsigned: true})
	case "withdraw":
		p.decide(at, p.withdrawal(f[2], f[3], strings.Join(f[4:], " ")))
	case "stamped": // S tag=value: the source stamps them S, and its clock shows CLOCK seconds
		stamp, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			p.t.Fatal(err)
		}
		clock, err := strconv.ParseFloat(f[3], 64)
		if err != nil {
			p.t.Fatal(err)
		}
		p.decide(at, &record.Scan{Source: "plc", Time: epoch0 + sample.Time(stamp*1e9), Server: epoch0 + sample.Time(clock*1e9), Readings: p.readings(f[4:])})
	case "final":
		p.decide(at, &record.Stop{Reason: "end", Final: true})
	case "restart":
		p.start.LastAlive = p.s.At
		p.start.Wiring.Tags = slices.Clone(p.start.Wiring.Tags)
		for name, day := range pairs(f[2:]) {
			p.start.Wiring.Tags[p.tags([]string{name})[0]].CalibrationDue = day
		}
		p.decide(at, &p.start)
	case "in":
		p.decide(at, &record.Context{Equipment: "furn-03", Fields: pairs(f[2:]), By: "mes", Verified: true})
	case "held":
		p.decide(at, &record.Scan{Source: "plc", Time: epoch0 + 1e9, AsOf: at, Readings: p.readings(f[2:])})
	default:
		p.decide(at, &record.Scan{Source: "plc", Time: at, Readings: p.readings(f[1:])})
	}
}

// alarmAct is an act on the alarm of a parameter's rule.
func (p *player) alarmAct(verb string, f []string) *record.Act {
	al := p.s.alarm("furn-03", f[0], f[1])
	if al == nil {
		p.t.Fatalf("%s %v: no such alarm", verb, f)
	}
	a := &record.Act{User: "u1", Role: "operator", Kind: verb, Target: al.ID, Meaning: verb, Comment: strings.Join(f[2:], " ")}
	if kind, senior := strings.CutPrefix(verb, "senior-"); senior {
		a.User, a.Role, a.Kind, a.Senior = "u2", "shift_lead", kind, true
	}
	if a.Kind == record.Shelve {
		var err error
		if a.For, err = time.ParseDuration(f[2]); err != nil {
			p.t.Fatal(err)
		}
		a.Comment = strings.Join(f[3:], " ")
	}
	return a
}

// sent is an entry as it was first sent.
func (p *player) sent(lane, seq string) record.Entry {
	i := slices.IndexFunc(p.payloads, func(e record.Entry) bool { return e.Lane == lane && strconv.FormatUint(e.Seq, 10) == seq })
	if i < 0 {
		p.t.Fatalf("lane %s has no %s", lane, seq)
	}
	return p.payloads[i]
}

func (p *player) tags(names []string) (tags []sample.Tag) {
	for _, n := range names {
		t, ok := p.s.Start.Wiring.Find("furn-03", n)
		if !ok {
			p.t.Fatalf("no tag %s", n)
		}
		tags = append(tags, t)
	}
	return tags
}

func pairs(fields []string) map[string]string {
	m := map[string]string{}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		m[k] = v
	}
	return m
}

func (p *player) readings(fields []string) (rs []sample.Reading) {
	m := pairs(fields)
	for name, v := range m {
		r := sample.Reading{Tag: p.tags([]string{name})[0]}
		switch {
		case strings.HasPrefix(v, "!"):
			r.Quality, r.Status, v = sample.Bad, "BadSensorFailure", v[1:]
		case strings.HasPrefix(v, "?"):
			r.Quality, r.Status, v = sample.Uncertain, "UncertainLastUsableValue", v[1:]
		}
		if x, err := strconv.ParseFloat(v, 64); err == nil {
			r.Value = sample.FloatValue(x)
			if name == "phase" {
				r.Value = sample.IntValue(int64(x))
			}
		} else {
			r.Value = sample.StringValue(v)
		}
		rs = append(rs, r)
	}
	sort.Slice(rs, func(i, j int) bool { return rs[i].Tag < rs[j].Tag })
	return rs
}
