package rehearse

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"andon/internal/sample"
)

var update = flag.Bool("update", false, "write the rehearsals of the example specifications anew")

const specsDir = "../../config/specs"

// scene is one rehearsal of an example specification: a table, and what must
// come of it. Both are computed here from the process as it is described: ramps
// and holds as straight lines, whose crossings, times, areas and sums have closed
// forms. Nothing of it comes from the program.
type scene struct {
	spec, name string // config/specs/rehearsals/SPEC/NAME.csv
	table      strings.Builder
	wants      []want
}

// want is a line that must come, as far as it is given: NaN and 0 stand for what
// is not looked at. Alarms, what is undecided and updates of events are not
// looked at; everything else must be wanted.
type want struct {
	T         sample.Time `json:"t"`
	Type      string      `json:"type"`
	Parameter string      `json:"parameter"` // of a gap its tags
	Rule      string      `json:"rule"`      // of a gap its cause
	State     string      `json:"state,omitempty"`
	From      sample.Time `json:"from,omitzero"`
	Actual    *float64    `json:"actual,omitempty"`
	Met       *bool       `json:"met,omitempty"`
	Duration  *float64    `json:"duration_s,omitempty"`
	Area      *float64    `json:"area,omitempty"`
}

func newScene(spec, name string, columns ...string) *scene {
	s := &scene{spec: spec, name: name}
	s.table.WriteString("t," + strings.Join(columns, ",") + "\n")
	return s
}

// row adds a row of the table; "" is an empty cell. Values are written with six
// decimals at most, which the process must not need more of.
func (s *scene) row(sec float64, cells ...any) {
	s.table.WriteString(number6(sec))
	for _, c := range cells {
		if f, ok := c.(float64); ok {
			c = number6(f)
		}
		_, _ = fmt.Fprintf(&s.table, ",%v", c)
	}
	s.table.WriteString("\n")
}

func number6(f float64) string {
	text := fmt.Sprintf("%.6f", f)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// result wants a result, and, when it is not met, the event that follows from it.
func (s *scene) result(sec float64, parameter, rule string, actual float64, met bool, event string) {
	s.wants = append(s.wants, want{T: at(sec), Type: "result", Parameter: parameter, Rule: rule, Actual: &actual, Met: &met})
	if !met {
		s.wants = append(s.wants, want{T: at(sec), Type: event, Parameter: parameter, Rule: rule, State: "opened"})
	}
}

// event wants an excursion's beginning and end. Out is its first sample outside,
// opened when it was raised, over when it ended in that state.
func (s *scene) event(kind, parameter, rule string, out, opened, over float64, state string) *want {
	s.wants = append(s.wants, want{T: at(opened), Type: kind, Parameter: parameter, Rule: rule, State: "opened", From: at(out)})
	if !math.IsNaN(over) {
		s.wants = append(s.wants, want{T: at(over), Type: kind, Parameter: parameter, Rule: rule, State: state, From: at(out)})
	}
	return &s.wants[len(s.wants)-1]
}

// gap wants a tag's gap: known until from, seen to be missing at opened, back at
// to.
func (s *scene) gap(tag, cause string, from, opened, to float64) {
	s.wants = append(s.wants,
		want{T: at(opened), Type: "gap", Parameter: defaultEquipment + "/" + tag, Rule: cause, State: "opened", From: at(from)},
		want{T: at(to), Type: "gap", Parameter: defaultEquipment + "/" + tag, Rule: cause, State: "closed", From: at(from)})
}

func ptr[T any](v T) *T { return &v }

// TestExamples judges every rehearsal of the example specifications as its file
// stands, and holds what comes of it against the lines beside it. Both files are
// those that the process's description gives (-update writes them).
func TestExamples(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenes() {
		seen[s.spec+"/"+s.name] = true
		t.Run(s.spec+"/"+s.name, func(t *testing.T) {
			base := filepath.Join(specsDir, "rehearsals", s.spec, s.name)
			sameFile(t, base+".csv", []byte(s.table.String()))
			sameFile(t, base+".jsonl", s.lines())
			table, err := os.Open(base + ".csv")
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := table.Close(); err != nil {
					t.Error(err)
				}
			}()
			document := filepath.Join(specsDir, s.spec+".A.spec.yaml")
			b, err := os.ReadFile(document)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if err := Run(&out, Options{Spec: File{document, b}, Samples: table, SamplesFile: base + ".csv", Unsigned: true}); err != nil {
				t.Fatal(err)
			}
			compareWants(t, s.sorted(), found(lines(t, out.String())))
		})
	}
	files, err := filepath.Glob(filepath.Join(specsDir, "rehearsals", "*", "*.csv"))
	if err != nil || len(files) != len(seen) {
		t.Errorf("%d files of %d rehearsals: %v", len(files), len(seen), err)
	}
}

// sameFile wants a file to be what it is computed to be, or makes it so.
func sameFile(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what it is computed to be (-update writes it): %v", path, err)
	}
}

func (s *scene) sorted() []want {
	list := slices.Clone(s.wants)
	slices.SortStableFunc(list, order)
	return list
}

func order(a, b want) int {
	return cmp.Or(cmp.Compare(a.T, b.T), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Parameter, b.Parameter), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.State, b.State))
}

func (s *scene) lines() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, w := range s.sorted() {
		if err := e.Encode(w); err != nil {
			panic(err) // numbers and texts
		}
	}
	return b.Bytes()
}

// found is what a rehearsal said, as far as wants look at it.
func found(list []line) (all []want) {
	for _, l := range list {
		w := want{T: l.T, Type: l.Type, Parameter: l.Parameter, Rule: l.Rule}
		switch l.Type {
		case "alarm", "undecided":
			continue
		case "result":
			w.Actual, w.Met = l.Requirement.Actual, l.Requirement.Met
		case "gap":
			w.Parameter, w.Rule, w.State, w.From = strings.Join(l.Data.Tags, " "), l.Data.Cause, l.Data.State, l.Data.OccurredFrom
		default:
			w.Parameter, w.Rule, w.State, w.From = l.Data.Spec.Parameter, l.Data.Spec.Rule, l.Data.State, l.Data.OccurredFrom
			w.Duration = &l.Data.Excursion.DurationS
			if l.Data.Excursion.Area != nil {
				w.Area = &l.Data.Excursion.Area.Value
			}
		}
		if w.State != "updated" {
			all = append(all, w)
		}
	}
	slices.SortStableFunc(all, order)
	return all
}

func compareWants(t *testing.T, wants, got []want) {
	t.Helper()
	for i := range max(len(wants), len(got)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", text(wants[i]))
		case i >= len(wants):
			t.Errorf("not wanted: %s", text(got[i]))
		case !wants[i].matches(&got[i]):
			t.Errorf("got %s\nwant %s", text(got[i]), text(wants[i]))
		default:
			continue
		}
		return
	}
}

func (w *want) matches(g *want) bool {
	return w.T == g.T && w.Type == g.Type && w.Parameter == g.Parameter && w.Rule == g.Rule && w.State == g.State && (w.From == 0 || w.From == g.From) &&
		near(w.Actual, g.Actual) && (w.Met == nil || g.Met != nil && *w.Met == *g.Met) && near(w.Duration, g.Duration) && near(w.Area, g.Area)
}

// near: the same to a millionth, which is what the tables' six decimals leave.
func near(want, got *float64) bool {
	if want == nil {
		return true
	}
	return got != nil && math.Abs(*want-*got) <= 1e-6*math.Max(1, math.Abs(*want))
}
