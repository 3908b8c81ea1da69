package panel

import (
	"math"
	"testing"

	"andon/internal/sample"
)

// TestText: a value is never rounded across a limit, or onto it, and never
// written longer than its parameter's precision otherwise.
func TestText(t *testing.T) {
	low, high := ptr(875.0), ptr(895.0)
	for _, c := range []struct {
		value     sample.Value
		precision float64
		want      string
	}{
		{sample.FloatValue(885.04), 0.1, "885.0 °F"},
		{sample.FloatValue(895.04), 0.1, "895.04 °F"},
		{sample.FloatValue(895.0004), 0.1, "895.0004 °F"},
		{sample.FloatValue(895), 0.1, "895.0 °F"},
		{sample.FloatValue(874.96), 0.1, "874.96 °F"},
		{sample.FloatValue(894.96), 0.1, "895.0 °F"}, // in, and what is shown is in
		{sample.FloatValue(885), 10, "885 °F"},
		{sample.FloatValue(885.5), 0, "885.5 °F"},
		{sample.FloatValue(math.NaN()), 0.1, "NaN °F"},
		{sample.IntValue(900), 0.1, "900 °F"},
		{sample.StringValue("R-885@4"), 0, "R-885@4 °F"},
		{sample.Value{}, 0.1, "—"},
	} {
		if got := Text(Value{c.value}, c.precision, low, high, "[degF]"); got != c.want {
			t.Errorf("%v to %v: %q, want %q", c.value, c.precision, got, c.want)
		}
	}
}

// TestShow: what is shown large is the input nearest to a limit that applies; an
// unknown one is never shown as a value, nor as in.
func TestShow(t *testing.T) {
	in := func(v float64) Input { return Input{Tag: "t", Value: Value{sample.FloatValue(v)}, Quality: "good"} }
	blind := func(v float64, cause string) Input {
		x := in(v)
		x.Blind, x.Cause = true, cause
		return x
	}
	high := Rule{Kind: "high", High: ptr(10.0)}
	for _, c := range []struct {
		name    string
		verdict string
		low     string // what the lower limit's rule says
		inputs  []Input
		state   string
		word    string
		value   string
	}{
		{"nearest to the high limit", In, NotApplicable, []Input{in(1), in(9), in(3)}, In, "in spec, lower limit not judged now", "9"},
		{"nearest to the low limit", In, In, []Input{in(1), in(6)}, In, "in spec", "1"},
		{"furthest beyond", Out, In, []Input{in(11), in(13), in(5)}, Out, "OUT HIGH", "13"},
		{"below", Out, Out, []Input{in(-3), in(9)}, Out, "OUT LOW", "-3"},
		{"inside, not yet back", Out, In, []Input{in(9.5)}, Out, "OUT, returning", "9.5"},
		{"one of two unknown", Unknown, Unknown, []Input{in(5), blind(7, "bad_quality")}, Unknown, "UNKNOWN: t bad quality", "5"},
		{"one of two out, one unknown", Out, Unknown, []Input{in(12), blind(7, "link")}, Out, "OUT HIGH", "12"},
		{"nothing known", Unknown, Unknown, []Input{blind(5, "link")}, "stale", "STALE: link", "—"},
		{"nothing known though in", In, In, []Input{blind(5, "link")}, "stale", "STALE: link", "—"},
		{"no value ever", Unknown, Unknown, []Input{{Tag: "t", Quality: "none"}}, "stale", "STALE: no value yet", "—"},
		{"bad and not yet a gap", In, In, []Input{{Tag: "t", Quality: "bad", Value: Value{sample.FloatValue(4)}}}, "stale", "STALE: no good value", "—"},
		{"not judged", NotApplicable, NotApplicable, []Input{in(50)}, NotApplicable, "not judged now", "50"},
		{"no input", Unknown, Unknown, nil, "stale", "UNKNOWN", "—"},
	} {
		t.Run(c.name, func(t *testing.T) {
			up := high
			up.Verdict = c.verdict
			p := Parameter{Unit: "", Verdict: c.verdict, Inputs: c.inputs, Rules: []Rule{up, {Kind: "low", Low: ptr(0.0), Verdict: c.low}}}
			p.Show()
			if s := p.Shown; s.State != c.state || s.Word != c.word || s.Value != c.value {
				t.Errorf("%q %q %q, want %q %q %q", s.State, s.Word, s.Value, c.state, c.word, c.value)
			}
			if b := p.Shown.Bar; b == nil || b.LowOn != (c.low != NotApplicable) {
				t.Errorf("bar %+v", b)
			} else if c.state == "stale" && (b.Lead != nil || len(b.Marks) > 0) {
				t.Errorf("the bar points at what is not known: %+v", b)
			}
		})
	}
}

// TestShowsWhatIsJudged: beside "in spec" stand the limits that say so, and one that
// does not apply now is named.
func TestShowsWhatIsJudged(t *testing.T) {
	rule := func(kind, verdict string, low, high *float64) Rule {
		return Rule{Kind: kind, Verdict: verdict, Low: low, High: high}
	}
	for _, c := range []struct {
		name        string
		rules       []Rule
		lsl         *float64
		value       float64
		word, limit string
	}{
		{"both", []Rule{rule("band", In, ptr(875.0), ptr(895.0))}, nil, 885, "in spec", "875 … 895"},
		{"only the upper", []Rule{rule("high", In, nil, ptr(895.0)), rule("low", NotApplicable, ptr(875.0), nil)}, nil, 778.1, "in spec, lower limit not judged now", "875 … 895"},
		{"only the lower", []Rule{rule("high", NotApplicable, nil, ptr(895.0)), rule("low", In, ptr(875.0), nil)}, nil, 950, "in spec, upper limit not judged now", "875 … 895"},
		{"only a rate", []Rule{rule("rate", In, ptr(-1.0), ptr(1.0)), rule("band", NotApplicable, ptr(875.0), ptr(895.0))}, nil, 20, "in spec, limits not judged now", "875 … 895"},
		{"a looser one applies", []Rule{rule("low", In, ptr(500.0), nil), rule("low", NotApplicable, ptr(875.0), nil)}, nil, 778.1, "in spec", "at least 500"},
		{"the tighter of two", []Rule{rule("low", In, ptr(500.0), nil), rule("low", In, ptr(875.0), nil)}, nil, 880, "in spec", "at least 875"},
		{"only on paper", []Rule{rule("high", In, nil, ptr(895.0))}, ptr(875.0), 20, "in spec, lower limit not judged now", "875 … 895"},
	} {
		p := Parameter{Verdict: In, Rules: c.rules, LSL: c.lsl, Inputs: []Input{{Tag: "t", Value: Value{sample.FloatValue(c.value)}, Quality: "good"}}}
		p.Show()
		if s := p.Shown; s.Word != c.word || s.Limit != c.limit {
			t.Errorf("%s: %q beside %q, want %q beside %q", c.name, s.Word, s.Limit, c.word, c.limit)
		}
	}
}

// TestBarPlaces: places are on the scale whatever the value, and a scale there is
// whenever there is a limit with a width to draw.
func TestBarPlaces(t *testing.T) {
	for _, l := range []limits{
		{low: ptr(875.0), high: ptr(895.0)}, {high: ptr(15.0)}, {low: ptr(-3.0)}, {high: ptr(0.0)}, {low: ptr(0.0)}, {high: ptr(-40.0)},
		{low: ptr(1e-300), high: ptr(2e-300)}, {low: ptr(-1e308), high: ptr(1e308)}, {low: ptr(5.0), high: ptr(5.0)},
	} {
		for _, v := range []float64{0, -1e308, 1e308, 885, 5, math.SmallestNonzeroFloat64} {
			p := Parameter{LSL: l.low, USL: l.high, Inputs: []Input{{Tag: "t", Value: Value{sample.FloatValue(v)}, Quality: "good"}}}
			p.Show()
			b := p.Shown.Bar
			if b == nil {
				continue // no width, or none that a number can hold
			}
			for _, x := range append(b.Marks, orElse(b.Lead, 0), orElse(b.Low, 0), orElse(b.High, 0)) {
				if !(x >= 0 && x <= 1) {
					t.Errorf("limits %v %v, value %v: place %v", plain(l.low), plain(l.high), v, x)
				}
			}
			if b.Low != nil && b.High != nil && *b.Low >= *b.High {
				t.Errorf("limits %v %v: drawn at %v %v", plain(l.low), plain(l.high), *b.Low, *b.High)
			}
		}
	}
}

// TestSortAlarms: unacknowledged first whether it stands or not, then the graver,
// then the newer.
func TestSortAlarms(t *testing.T) {
	list := []Alarm{
		{ID: "acked-grave", State: "ACKED", Rank: 1, RaisedAt: 9}, {ID: "light", State: "UNACK", Rank: 3, RaisedAt: 8},
		{ID: "old", State: "UNACK", Rank: 1, RaisedAt: 1}, {ID: "returned", State: "RTNUN", Rank: 1, RaisedAt: 5}, {ID: "acked-light", State: "ACKED", Rank: 3, RaisedAt: 10},
	}
	SortAlarms(list)
	got := ""
	for _, a := range list {
		got += a.ID + " "
	}
	if want := "returned old light acked-grave acked-light "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
