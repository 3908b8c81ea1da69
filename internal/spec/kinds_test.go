package spec

import (
	_ "embed"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// every is a document with each kind of rule and each of its keys.
//
//go:embed testdata/every.spec.yaml
var every string

// rule is a rule of a document.
func ruleOf(t testing.TB, d *Document, id string) Rule {
	t.Helper()
	for _, p := range d.Parameters {
		for _, r := range p.Rules {
			if r.ID == id {
				return r
			}
		}
	}
	t.Fatalf("no rule %s", id)
	return Rule{}
}

func TestParseTakesEveryKind(t *testing.T) {
	d := mustParse(t, every)
	f := func(v float64) *float64 { return &v }
	inf := math.Inf(1)
	// the keys that all kinds have are tested elsewhere
	for _, want := range []Rule{
		{ID: "ramp", Kind: Rate, Scope: Mean, Low: f(2), High: f(12), Unit: "[degF]/min", Window: 5 * time.Minute, Per: time.Minute, Deadband: 1, When: []string{"heat"}, Class: Minor},
		{ID: "slope", Kind: Rate, Scope: AnyInput, High: f(0.5), Unit: "[degF]/s", Window: time.Minute, Per: time.Second, Class: Major},
		{ID: "spread", Kind: Spread, Scope: AllInputs, High: f(15), Unit: "[degF]", Deadband: 2, When: []string{"soak"}, Class: Minor},
		{ID: "soak", Kind: Soak, Scope: AllInputs, Low: f(2700), High: f(4500), Unit: "s", Tolerance: &[2]float64{875, 895}, Mode: Continuous, Class: Critical, OnFail: "nonconformance"},
		{ID: "soak2", Kind: Soak, Scope: AllInputs, High: f(7200), Unit: "s", Tolerance: &[2]float64{870, 900}, Mode: Cumulative, Class: Major},
		{ID: "f0", Kind: Lethality, Scope: Min, Low: f(900), High: f(3600), Unit: "s", TRef: 250, Z: 18, Class: Major},
		{ID: "preheat", Kind: Above, Scope: AnyInput, Low: f(60), High: f(120), Unit: "s", Threshold: 302, Class: Major},
		{ID: "never", Kind: Above, Scope: AnyInput, LimitName: "usl", High: f(0), Unit: "s", Threshold: 895, Class: Major},
		{ID: "cold", Kind: Below, Scope: AnyInput, LimitName: "nor", High: f(90), Unit: "s", Threshold: 880, Class: Major},
		{ID: "top", Kind: Peak, Scope: AnyInput, LimitName: "limits", Low: f(875), High: f(895), Unit: "[degF]", Side: High, Class: Major},
		{ID: "bottom", Kind: Peak, Scope: AnyInput, Low: f(860), Unit: "[degF]", Side: Low, Class: Major},
		{ID: "golden", Kind: Envelope, Scope: AnyInput, Unit: "[degF]", Deadband: 0.5, When: []string{"heat"}, Class: Major, Profile: []ProfilePoint{{0, -inf, 100}, {10 * time.Minute, 400, 420}, {45 * time.Minute, 870, inf}}},
		{ID: "stuck", Kind: Frozen, Scope: AllInputs, Unit: "s", For: 5 * time.Minute, OnDelay: time.Minute, Class: Major},
		{ID: "chart", Kind: SPC, Scope: AnyInput, Unit: "[degF]", Class: Minor, Chart: &Charting{Kind: Individuals, Rules: "n1,n2", Center: 885, Sigma: 1.5, Per: PerPart, Take: Max, Subgroup: 5}},
		{ID: "ewma", Kind: SPC, Scope: AnyInput, Unit: "[degF]", Class: Signal, Chart: &Charting{Kind: EWMA, Center: 885, Sigma: 1.5, Lambda: 0.2, L: 2.86, Per: PerInterval, Every: time.Minute, Take: Mean, Subgroup: 1}},
		{ID: "cusum", Kind: SPC, Scope: AnyInput, Unit: "[degF]", When: []string{"soak"}, Class: Signal, Chart: &Charting{Kind: CUSUM, Center: 885, Sigma: 1.5, K: 0.5, H: 5, Head: 0.5, Per: PerPhase, Take: "last", Subgroup: 1}},
		{ID: "final", Kind: Window, Scope: AllInputs, When: []string{"cool"}, Class: Major, Ranges: []InputRange{{0, 23, 27, "N.m"}, {1, 40, inf, "deg"}}},
		{ID: "beats", Kind: Frozen, Scope: AnyInput, Unit: "s", For: 5 * time.Second, Class: Major},
	} {
		want.OnLotChange = "extend"
		if diff := cmp.Diff(ruleOf(t, d, want.ID), want); diff != "" {
			t.Errorf("rule %s (-got +want):\n%s", want.ID, diff)
		}
	}
	if c := d.Parameters[2].Computed; c.Expression != "p_in > 0 ? p_in - p_out : 0" || c.Over != "" || c.Kinetic != nil {
		t.Errorf("computed %+v", c)
	} else if x, ok := c.Value([]float64{7, 5}); x != 2 || !ok {
		t.Errorf("computed value %v, %v", x, ok)
	}
	if c := d.Parameters[3].Computed; c.Over != OverOperation || *c.Kinetic != (Kinetic{0, 80, "Cel"}) {
		t.Errorf("computed %+v, %+v", c, c.Kinetic)
	}
	if c := d.Classification; len(c.EscalateToCritical) != 2 || !c.Critical(ClassFacts{Class: Major, OutsideFor: 2 * time.Hour}) || c.Critical(ClassFacts{Class: Minor, OutsideFor: 2 * time.Hour}) {
		t.Errorf("classification %+v", c)
	}
	p := d.Parameters[0]
	if p.SensorLoss != (SensorLoss{2, "continue_and_flag"}) || p.Calibration.Overdue != "flag" {
		t.Errorf("sensor loss %+v, calibration %+v", p.SensorLoss, p.Calibration)
	}
	if p := d.Parameters[1]; p.SensorLoss != (SensorLoss{}) || p.Calibration.Overdue != "deviation" {
		t.Errorf("defaults: sensor loss %+v, calibration %+v", p.SensorLoss, p.Calibration)
	}
}

// whole wants of an accepted document what the engine relies on.
func whole(t *testing.T, d *Document) {
	t.Helper()
	if d.ID == "" || d.Revision == "" || d.Effective.From == 0 || len(d.Parameters) == 0 {
		t.Errorf("document %+v", d)
	}
	for i := range d.Parameters {
		p := &d.Parameters[i]
		if p.ID == "" || len(p.Inputs) == 0 || len(p.Rules) == 0 || p.SensorLoss.MinimumInputs >= len(p.Inputs) || p.Calibration.Overdue == "" {
			t.Errorf("parameter %+v", p)
		}
		for j := range p.Rules {
			r := &p.Rules[j]
			ok := r.ID != "" && r.Class != "" && r.Scope != "" && r.OnDelay >= 0 && r.EventDelay >= 0 && r.OffDelay >= 0 && r.Rejoin >= 0 && r.Deadband >= 0
			if NeedsOperation(r.Kind) {
				ok = ok && !r.Always && r.OnDelay+r.OffDelay+r.EventDelay+r.Rejoin == 0 && r.Deadband == 0
			}
			if !ok || !wholeKind(r, p) {
				t.Errorf("rule %+v", r)
			}
		}
	}
}

// wholeKind wants of a rule what its kind needs, and that it can be broken.
func wholeKind(r *Rule, p *Parameter) bool {
	limited := r.Low != nil || r.High != nil
	ordered := r.Low == nil || r.High == nil || *r.Low <= *r.High
	switch r.Kind {
	case High:
		return r.High != nil && r.Low == nil
	case Low:
		return r.Low != nil && r.High == nil
	case Band:
		return r.Low != nil && r.High != nil && *r.Low < *r.High
	case Equals:
		return r.Expected != nil
	case Rate:
		return limited && ordered && r.Window > 0 && r.Per > 0
	case Spread:
		return r.Low == nil && *r.High > 0 && len(p.Inputs) > 1
	case Envelope:
		return wholeProfile(r.Profile)
	case Frozen:
		return r.For > 0 && r.For >= p.Sampling.Interval
	case Window:
		ok := len(r.Ranges) > 0 && len(r.When) > 0
		for _, x := range r.Ranges {
			ok = ok && x.Input >= 0 && x.Input < len(p.Inputs) && x.Low < x.High && (!math.IsInf(x.Low, 0) || !math.IsInf(x.High, 0))
		}
		return ok
	case SPC:
		c := r.Chart
		return c.Sigma > 0 && c.Subgroup >= 1 && (c.Per == PerInterval) == (c.Every > 0) && (c.Kind == Individuals) == (c.Rules != "")
	case Soak:
		return limited && ordered && r.Tolerance[0] < r.Tolerance[1] && r.Mode != ""
	case Lethality:
		return limited && ordered && r.Z > 0
	case Above, Below:
		return limited && ordered
	case Peak:
		return limited && ordered && r.Side != ""
	}
	return false
}

func wholeProfile(points []ProfilePoint) bool {
	limited := false
	for i, pt := range points {
		if pt.T < 0 || pt.Low >= pt.High || i > 0 && pt.T <= points[i-1].T {
			return false
		}
		limited = limited || !math.IsInf(pt.Low, 0) || !math.IsInf(pt.High, 0)
	}
	return limited
}

// What is shipped is named as it says and has no mistakes.
func TestShippedSpecifications(t *testing.T) {
	files, err := filepath.Glob("../../config/specs/*.spec.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(file, b)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if want := d.ID + "." + d.Revision + ".spec.yaml"; filepath.Base(file) != want {
			t.Errorf("%s is named otherwise than %s", file, want)
		}
		if err := d.Lint(); err != nil {
			t.Error(err)
		}
		whole(t, d)
	}
}
