package plant

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"andon/internal/config"
	"andon/internal/modbus"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

func pressOptions() Options { return Options{Press: "press-1"}.withDefaults() }

func newTestPress(t *testing.T, o Options) *pressScript {
	t.Helper()
	s, err := newScript(o)
	if err != nil {
		t.Fatal(err)
	}
	return newPressScript(o.Press, o, s)
}

// What the schedule says goes wrong is what the truth finds, and nothing else:
// each excursion once, from its first step to the one after its last, flat.
func TestPressTruthIsItsSchedule(t *testing.T) {
	const rounds = 40
	for seed := range uint64(5) {
		o := pressOptions()
		o.Seed = seed
		s := newTestPress(t, o)
		ta := newTally("press-1", PressLimits(time.Second))
		ta.tags, ta.phase, ta.within = pressWatched(), pressPhase, PressWithin(time.Second)
		for k := range rounds * pressRound * strokeSteps {
			ta.add(frame{at: at(k), reachable: !s.down(k), readings: s.readings(k)})
		}
		var devs []Deviation
		var gaps []Gap
		for _, e := range s.schedule(rounds * pressRound * strokeSteps) {
			stroke := e.First / strokeSteps
			d := Deviation{Equipment: "press-1", From: at(e.First), To: at(e.end()), Steps: e.Steps, Lots: []string{fmt.Sprintf("PL-%04d", stroke/10+1)}, Within: time.Second}
			switch {
			case e.Kind == Outage:
				gaps = append(gaps, Gap{"press-1", pressWatched(), causeLink, at(e.First - 1), at(e.end())})
				continue
			case e.Kind == Bad:
				gaps = append(gaps, Gap{"press-1", []string{tagDistance}, causeBad, at(e.First - 1), at(e.end())})
				continue
			case e.has(tagDistance):
				d.Parameter, d.Rule, d.Worst = "press_distance", "depth", Worst{sample.FloatValue(42.5 + e.By), at(e.First), tagDistance}
			case e.Kind == High:
				d.Parameter, d.Rule, d.Worst = "press_force", "over", Worst{sample.FloatValue(220 + e.By), at(e.First), tagForce}
			default:
				d.Parameter, d.Rule, d.Worst = "press_force", "under", Worst{sample.FloatValue(180 - e.By), at(e.First), tagForce}
			}
			devs = append(devs, d)
		}
		if len(devs) != 3*rounds || len(gaps) != 2*rounds {
			t.Fatalf("seed %d: %d deviations and %d gaps are scheduled", seed, len(devs), len(gaps))
		}
		if diff := cmp.Diff(devs, ta.truth.Deviations, sameValue); diff != "" {
			t.Fatalf("seed %d: schedule (-), truth (+):\n%s", seed, diff)
		}
		if diff := cmp.Diff(gaps, ta.truth.Gaps); diff != "" {
			t.Fatalf("seed %d: schedule (-), truth (+):\n%s", seed, diff)
		}
	}
}

// Every number is one that the registers hold exactly, and what has an end ends
// before it.
func TestPressScript(t *testing.T) {
	o := pressOptions()
	o.For = 2 * time.Minute
	s := newTestPress(t, o)
	if n := len(s.schedule(1 << 20)); n == 0 || n == len(newTestPress(t, pressOptions()).schedule(1<<12)) {
		t.Errorf("%d episodes in two minutes", n)
	}
	for _, e := range s.schedule(1 << 20) {
		if e.end() > int((o.For-Settle)/o.Step) {
			t.Errorf("%+v ends too late", e)
		}
	}
	for k := range 2000 {
		for _, r := range s.readings(k) {
			if f, ok := r.Value.(float64); ok && float64(float32(f)) != f {
				t.Fatalf("step %d: %s = %v is no 32-bit float", k, r.Tag, f)
			}
			if text, ok := r.Value.(string); ok && len(text) > pressTextSize {
				t.Fatalf("step %d: %s = %q is too long", k, r.Tag, text)
			}
		}
	}
	o.Schedule = []Episode{}
	if got := newTestPress(t, o).schedule(1 << 12); len(got) > 0 {
		t.Errorf("beside a schedule that is given: %v", got)
	}
	for _, name := range []string{"furn-03", "press 1"} {
		if _, err := New(Options{Press: name}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("press %q: got %v", name, err)
		}
	}
}

// The specification that goes with the press has the limits that its truth is
// counted with, and its settings are settings that a gateway takes.
func TestPressSettings(t *testing.T) {
	for _, step := range []time.Duration{DefaultStep, 40 * time.Millisecond, 2 * time.Second} {
		p := newPlant(t, Options{Step: step, Cycle: 40 * step, Press: "press-1"})
		d, err := spec.Parse("PRESS-DEMO.A.spec.yaml", p.PressSpecification())
		if err != nil {
			t.Fatalf("step %v: %v", step, err)
		}
		limits := PressLimits(step)
		for _, par := range d.Parameters {
			for _, r := range par.Rules {
				if len(limits) == 0 {
					t.Fatalf("rule %s/%s is not in the truth", par.ID, r.ID)
				}
				compareRule(t, limits[0], par, r)
				limits = limits[1:]
			}
		}
		if len(limits) != 0 || d.ID != PressSpecID || d.Revision != PressSpecRevision {
			t.Errorf("step %v: %s %s lacks %v", step, d.ID, d.Revision, limits)
		}
		c := parseSettings(t, p)
		if len(c.Sources) != 2 || c.Sources[1].Name != PressSource || c.Sources[1].Modbus == nil || len(c.Equipment) != 3 {
			t.Fatalf("got %+v", c.Sources)
		}
		press := c.Equipment[2]
		if press.Name != "press-1" || press.Class != PressClass || len(press.Tags) != len(pressTags()) || 2*press.Tags[0].Every > step {
			t.Errorf("got %+v", press)
		}
	}
	if p := newPlant(t, Options{}); p.PressEndpoint() != "" || len(parseSettings(t, p).Sources) != 1 {
		t.Error("a plant without a press has one")
	}
}

func parseSettings(t *testing.T, p *Plant) *config.Config {
	t.Helper()
	file := "gateway: {id: demo, site: acme/demo}\ndata: {dir: data}\nspecs: {dir: specs, approvers: approvers.yaml}\n" + p.Settings("furnace-plc", 200*time.Millisecond)
	c, err := config.Parse("gateway.yaml", []byte(file), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	return c
}

// pressSink keeps the press's scans.
type pressSink struct {
	mu     sync.Mutex
	scans  []*record.Scan
	losses []*record.Loss
}

func (k *pressSink) Put(_ context.Context, b modbus.Batch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, in := range b.Inputs {
		switch in := in.(type) {
		case *record.Scan:
			k.scans = append(k.scans, in)
		case *record.Loss:
			k.losses = append(k.losses, in)
		}
	}
	return nil
}

// The gateway's own client reads the press by the settings that go with it: each
// answer holds the values of exactly one step, seen at or after the step was put
// out, and the interruption is one loss.
func TestGatewaySourceReadsThePress(t *testing.T) {
	const step = 40 * time.Millisecond
	p := run(t, Options{Seed: 3, Step: step, Cycle: 30 * step, Press: "press-1"})
	c := parseSettings(t, p)
	o := modbus.Options{Name: PressSource, Address: strings.TrimPrefix(p.PressEndpoint(), "tcp://")}
	var names []string
	for _, tag := range c.Equipment[2].Tags {
		m := tag.Modbus
		o.Items = append(o.Items, modbus.Item{Tag: sample.Tag(len(names)), Unit: m.UnitID, Table: modbus.Table(m.Table), Address: m.Address,
			Type: tag.Type.String(), Order: m.Order, Bit: m.Bit, Every: tag.Every, Range: tag.Range, Invalid: tag.Invalid})
		names = append(names, tag.Name)
	}
	source, err := modbus.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if plan := source.Plan(); len(plan) != 2 {
		t.Errorf("plan %q, want one read for all registers and one for the coil", plan)
	}
	k := &pressSink{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- source.Run(ctx, k) }()
	steps := pressRound * strokeSteps
	eventually(t, "a round of the schedule is over", func() bool { return p.Truth(time.Time{}).Steps > steps })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	checkPress(t, p, k, names)
}

func checkPress(t *testing.T, p *Plant, k *pressSink, names []string) {
	t.Helper()
	want := map[string]int{} // the words of each step's readings
	for step := range p.Truth(time.Time{}).Steps {
		values := map[string]any{}
		for _, r := range p.press.script.readings(step) {
			values[r.Tag] = r.Value
		}
		want[pressWords(values)] = step
	}
	seen := map[int]bool{}
	for _, s := range k.scans {
		if len(s.Readings) == 1 {
			if s.Readings[0].Value != sample.BoolValue(true) && s.Readings[0].Quality == sample.Good {
				t.Errorf("the coil is %+v", s.Readings[0])
			}
			continue
		}
		if st := s.Readings[0].Status; st == modbus.StatusLink || st == modbus.StatusTimeout {
			continue // the interruption, or a busy machine, came between question and answer
		}
		values := map[string]any{}
		for _, r := range s.Readings {
			values[names[r.Tag]] = valueIn(t, names[r.Tag], r)
		}
		step, ok := want[pressWords(values)]
		if !ok {
			t.Fatalf("at %v: no step has %v", s.Time, values)
		}
		seen[step] = true
	}
	links := 0
	for _, l := range k.losses {
		if len(l.Tags) == 0 {
			links++
		}
	}
	if links != 1 || len(seen) < 30 {
		t.Errorf("%d losses of the link, want 1: %+v; %d steps seen", links, k.losses, len(seen))
	}
}

// pressWords tells steps apart; those that look the same are the same.
func pressWords(v map[string]any) string {
	return fmt.Sprint(v[tagPhase], v[tagLot], v[tagSerial], v[tagForce], v[tagDistance], v[tagParts])
}

// valueIn is a reading as the script has it.
func valueIn(t *testing.T, tag string, r sample.Reading) any {
	t.Helper()
	switch {
	case r.Quality == sample.Bad && tag == tagDistance && r.Status == modbus.StatusInvalid:
		return nil
	case r.Quality != sample.Good:
		t.Errorf("%s: %+v", tag, r)
		return nil
	case r.Value.Kind() == sample.String:
		return r.Value.Text()
	}
	n, _ := r.Value.Number()
	if r.Value.Kind() == sample.Float {
		return n
	}
	return int32(n)
}
