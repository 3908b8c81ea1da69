package pictures

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"andon/internal/record"
	"andon/internal/rehearse"
	"andon/internal/sample"
)

// Line is one line of a rehearsal, as far as page and pictures show it.
type Line struct {
	T, At, From, To sample.Time
	Type            string
	Rule            string
	State           string
	What, Phase     string // of what is undecided
	Requirement     record.Requirement
	Data            struct {
		State, Cause, Type string
		Tags               []string
		OccurredFrom       sample.Time `json:"occurred_from"`
		OccurredTo         sample.Time `json:"occurred_to"`
		DetectedAt         sample.Time `json:"detected_at"`
		ClearedAt          sample.Time `json:"cleared_at"`
		Corrected, Late    bool
		Spec               struct{ Rule string }
		Product            struct {
			SuspectFrom sample.Time `json:"suspect_from"`
		}
		Limits    struct{ Unit string }
		Excursion struct {
			Worst     *struct{ Value any }
			DurationS float64 `json:"duration_s"`
			Area      *struct {
				Value float64
				Unit  string
			}
			GapsS   float64 `json:"gaps_s"`
			Samples int
		}
		Requirement *record.Requirement
		Evidence    *struct{}
	}
}

// Judge rehearses an example.
func Judge(e *Example) ([]Line, error) {
	var out bytes.Buffer
	o := rehearse.Options{Spec: rehearse.File{Name: e.Name, Bytes: e.Document()}, Samples: strings.NewReader(e.Samples), SamplesFile: e.Name + ".csv", Unsigned: true}
	if err := rehearse.Run(&out, o); err != nil {
		return nil, fmt.Errorf("example %s: %w", e.Name, err)
	}
	var lines []Line
	for d := json.NewDecoder(&out); d.More(); {
		var l Line
		if err := d.Decode(&l); err != nil {
			return nil, fmt.Errorf("example %s: %w", e.Name, err)
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// Tell says in words, a line each, what comes of an example. What repeats an
// event for its evidence alone is left out, and so is what a lot has come to.
func Tell(lines []Line) string {
	var b strings.Builder
	for i := range lines {
		if text := lines[i].text(); text != "" {
			fmt.Fprintf(&b, "%6s  %s\n", seconds(lines[i].T), text)
		}
	}
	return b.String()
}

func (l *Line) text() string {
	d := &l.Data
	switch l.Type {
	case "alarm":
		return fmt.Sprintf("alarm %s: %s", l.Rule, l.State)
	case "result":
		r := &l.Requirement
		met := "met"
		if !r.Met {
			met = "NOT met"
		}
		return fmt.Sprintf("result %s, %s to %s: actual %s, required %s %s: %s", l.Rule, seconds(l.From), seconds(l.To), value(r.Actual), value(r.Required), r.Unit, met)
	case "gap":
		text := fmt.Sprintf("gap %s (%s) of %s: from %s", d.State, d.Cause, names(d.Tags), seconds(d.OccurredFrom))
		if d.OccurredTo != 0 {
			text += " to " + seconds(d.OccurredTo)
		}
		return text
	case "undecided":
		return fmt.Sprintf("undecided %s: %s %s", l.Rule, l.What, l.Phase)
	case "deviation", "nonconformance", "signal":
		if d.Evidence != nil {
			return ""
		}
		return l.event()
	}
	return ""
}

func (l *Line) event() string {
	d := &l.Data
	text := fmt.Sprintf("%s %s %s: occurred_from %s", l.Type, d.Spec.Rule, d.State, seconds(d.OccurredFrom))
	if d.State == "opened" {
		text += fmt.Sprintf(", detected_at %s, suspect_from %s", seconds(d.DetectedAt), seconds(d.Product.SuspectFrom))
		if r := d.Requirement; r != nil && r.Actual != nil {
			text += fmt.Sprintf("\n        actual %s, required %s %s", value(r.Actual), value(r.Required), r.Unit)
		}
		return text
	}
	if d.OccurredTo != 0 {
		text += ", occurred_to " + seconds(d.OccurredTo)
	}
	if d.ClearedAt != 0 {
		text += ", cleared_at " + seconds(d.ClearedAt)
	}
	x := &d.Excursion
	if x.Worst == nil {
		return text
	}
	text += fmt.Sprintf("\n        worst %s, %d samples out, duration_s %s", value(x.Worst.Value), x.Samples, short(x.DurationS))
	if x.Area != nil && x.Area.Value != 0 {
		text += fmt.Sprintf(", area %s %s", short(x.Area.Value), x.Area.Unit)
	}
	if x.GapsS != 0 {
		text += ", gaps_s " + short(x.GapsS)
	}
	return text
}

// since is an instant in seconds since the beginning of the example.
func since(t sample.Time) float64 { return float64(t-rehearse.DefaultStart) / 1e9 }

func seconds(t sample.Time) string {
	if t == 0 {
		return "unknown"
	}
	return short(since(t))
}

// short is a number with six digits at most.
func short(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }

// value is a value of a document, a pair of limits or what a chart goes by.
func value(v any) string {
	switch v := v.(type) {
	case nil:
		return "unknown"
	case float64:
		if v == float64(int64(v)) {
			return strconv.FormatInt(int64(v), 10)
		}
		return short(v)
	case []any:
		return value(v[0]) + " to " + value(v[1])
	case map[string]any:
		return fmt.Sprintf("no signal of the chart (%v)", v["signal"])
	}
	return fmt.Sprint(v)
}

func names(tags []string) string {
	for i, t := range tags {
		tags[i] = t[strings.IndexByte(t, '/')+1:]
	}
	return strings.Join(tags, ", ")
}
