package panel

import (
	"math"
	"strconv"
	"strings"

	"andon/internal/sample"
	"andon/internal/spec"
)

// Shown is how a screen shows a parameter: worked out once here, so that the
// page with script and the page without draw the same.
type Shown struct {
	State string  `json:"state" enum:"in,out,unknown,stale,not_applicable,undecided" doc:"stale: no good value of any input is known"`
	Word  string  `json:"word" doc:"the state in words"`
	Lead  int     `json:"lead" doc:"the input that is shown large: the one nearest to a limit, or furthest beyond it"`
	Value string  `json:"value"`
	Unit  string  `json:"unit" doc:"as people write it"`
	Limit string  `json:"limit" doc:"the limits in words"`
	Heard Instant `json:"heard" doc:"age counts from here"`
	Bar   *Bar    `json:"bar" doc:"null for what has no numeric limit"`
	// Rank and Unacked are of the parameter's gravest alarm; 0 for none.
	Rank    int  `json:"rank"`
	Unacked bool `json:"unacked"`
	// Shelved is until when the last of its shelved alarms is.
	Shelved Instant `json:"shelved_until" doc:"an alarm of it is shelved until then"`
}

// Bar is a parameter's scale. All places are fractions of its length; what lies
// beyond an end is drawn at the end.
type Bar struct {
	Low    *float64    `json:"low" doc:"place of the lower limit"`
	High   *float64    `json:"high" doc:"place of the upper limit"`
	LowOn  bool        `json:"low_on" doc:"judged just now"`
	HighOn bool        `json:"high_on"`
	NOR    *[2]float64 `json:"nor" doc:"the normal operating range"`
	Target *float64    `json:"target"`
	Marks  []float64   `json:"marks" doc:"all inputs of which a good value is known"`
	Lead   *float64    `json:"lead"`
}

// limits are the tightest on each side that a rule judges by now; where none does,
// the tightest that there are.
type limits struct {
	low, high     *float64
	lowOn, highOn bool // some rule with that limit applies now
}

func (p *Parameter) limits() limits {
	var on limits
	all := limits{low: p.LSL, high: p.USL}
	for i := range p.Rules {
		r := &p.Rules[i]
		if !r.limitsValue() {
			continue
		}
		all.tighten(r)
		if r.Verdict != NotApplicable {
			on.tighten(r)
		}
	}
	on.lowOn, on.highOn = on.low != nil, on.high != nil
	if !on.lowOn {
		on.low = all.low
	}
	if !on.highOn {
		on.high = all.high
	}
	return on
}

// tighten takes a rule's limits where they are the tighter ones.
func (l *limits) tighten(r *Rule) {
	if r.Low != nil && (l.low == nil || *r.Low > *l.low) {
		l.low = r.Low
	}
	if r.High != nil && (l.high == nil || *r.High < *l.high) {
		l.high = r.High
	}
}

// unjudged names the limits that no rule judges by now, "" when there is none: they
// stand beside a value that is in by the others.
func (l limits) unjudged() string {
	low, high := l.low != nil && !l.lowOn, l.high != nil && !l.highOn
	switch {
	case low && high:
		return "limits not judged now"
	case low:
		return "lower limit not judged now"
	case high:
		return "upper limit not judged now"
	}
	return ""
}

// limitsValue: the rule's low and high are limits on the value itself.
func (r *Rule) limitsValue() bool {
	return r.Kind == spec.High || r.Kind == spec.Low || r.Kind == spec.Band
}

// Show works out how a parameter is shown from everything else in it.
func (p *Parameter) Show() {
	l := p.limits()
	for i := range p.Inputs {
		p.Inputs[i].Text = p.write(p.Inputs[i].Value, l)
	}
	s := &p.Shown
	s.Unit = UnitText(p.Unit)
	s.Lead = p.lead(l)
	s.State, s.Word, s.Value = p.Verdict, "", "—"
	if s.Lead < 0 {
		s.Lead, s.State, s.Word = 0, "stale", p.blindWord()
	}
	if len(p.Inputs) > 0 {
		in := &p.Inputs[s.Lead]
		s.Heard = in.Heard
		if s.State != "stale" {
			s.Value = in.Text
		}
	}
	s.Limit = p.limitWords(l)
	s.Bar = p.bar(l)
	if s.Word == "" {
		s.Word = p.word(l)
	}
}

// lead is the position of the input to show large, -1 when none has a good
// value.
func (p *Parameter) lead(l limits) int {
	if p.Computed && len(p.Inputs) > 0 && !p.Inputs[0].Blind {
		return 0
	}
	best, margin := -1, math.Inf(1)
	for i := range p.Inputs {
		in := &p.Inputs[i]
		if in.Blind || in.Quality == "bad" || in.Quality == "none" {
			continue
		}
		m := math.MaxFloat64
		if x, ok := in.Value.Number(); ok {
			m = l.margin(x)
		}
		if best < 0 || m < margin {
			best, margin = i, m
		}
	}
	return best
}

// margin is how far x is from the nearest limit that applies; negative beyond it.
func (l limits) margin(x float64) float64 {
	m := math.MaxFloat64
	if l.high != nil && l.highOn {
		m = min(m, *l.high-x)
	}
	if l.low != nil && l.lowOn {
		m = min(m, x-*l.low)
	}
	return m
}

// word is the state in words.
func (p *Parameter) word(l limits) string {
	switch p.Verdict {
	case Out:
		return "OUT" + p.side(l)
	case In:
		if not := l.unjudged(); not != "" { // where the normal range says nothing either
			return "in spec, " + not
		}
		if x, ok := p.leadNumber(); ok && p.NOR != nil && (x < p.NOR[0] || x > p.NOR[1]) {
			return "in spec, beyond normal range"
		}
		return "in spec"
	case NotApplicable:
		return "not judged now"
	case Undecided:
		return "decided at the end"
	}
	if b := p.blindWord(); b != "" {
		return b
	}
	return "UNKNOWN"
}

func (p *Parameter) leadNumber() (float64, bool) {
	if p.Shown.Lead >= len(p.Inputs) {
		return 0, false
	}
	return p.Inputs[p.Shown.Lead].Value.Number()
}

// side names the limit that the shown input is beyond.
func (p *Parameter) side(l limits) string {
	x, ok := p.leadNumber()
	switch {
	case ok && l.high != nil && x > *l.high:
		return " HIGH"
	case ok && l.low != nil && x < *l.low:
		return " LOW"
	}
	for i := range p.Rules {
		if r := &p.Rules[i]; r.Verdict == Out && r.Class != spec.Signal && !r.limitsValue() {
			return r.outWord()
		}
	}
	return ", returning" // inside the limit, not yet by the deadband
}

// outWord says what is out of a rule that is about something else than the
// value that is shown.
func (r *Rule) outWord() string {
	switch r.Kind {
	case spec.Rate:
		return ": rate of change"
	case spec.Spread:
		return ": inputs too far apart"
	case spec.Envelope:
		return ": outside its profile"
	case spec.Frozen:
		return ": does not change"
	case spec.SPC:
		return ": control chart"
	case spec.Soak, spec.Lethality, spec.Above, spec.Below, spec.Peak:
		return ": " + r.Kind + " not met in the last operation"
	}
	return ": not as specified"
}

// blindWord says which inputs are not known, and why.
func (p *Parameter) blindWord() string {
	var names []string
	cause := ""
	for i := range p.Inputs {
		in := &p.Inputs[i]
		if !in.Blind && in.Quality != "bad" && in.Quality != "none" {
			continue
		}
		names = append(names, in.Tag)
		if cause == "" {
			cause = in.Cause
		}
		if cause == "" && in.Quality == "none" {
			cause = "no value yet"
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case len(p.Inputs) == 1 || len(names) == len(p.Inputs):
		return "STALE: " + causeWords(cause)
	}
	return "UNKNOWN: " + strings.Join(names, ", ") + " " + causeWords(cause)
}

// causeWords says a gap's cause as people do.
func causeWords(cause string) string {
	switch cause {
	case "":
		return "no good value"
	case "bad_quality":
		return "bad quality"
	case "gateway_down":
		return "gateway was down"
	}
	return strings.ReplaceAll(cause, "_", " ")
}

// limitWords are the limits as one reads them aloud.
func (p *Parameter) limitWords(l limits) string {
	for i := range p.Rules {
		if e := p.Rules[i].Expected; e != nil {
			return "must be " + e.String()
		}
	}
	unit := UnitText(p.Unit)
	if unit != "" {
		unit = " " + unit
	}
	switch {
	case l.low != nil && l.high != nil:
		return number(*l.low) + " … " + number(*l.high) + unit
	case l.high != nil:
		return "at most " + number(*l.high) + unit
	case l.low != nil:
		return "at least " + number(*l.low) + unit
	}
	return ""
}

// beyondEnds is how much of the band's width the scale goes on at either end.
const beyondEnds = 0.4

// axis is what the bar's ends stand for.
func (l limits) axis(target *float64) (from, to float64) {
	switch {
	case l.low != nil && l.high != nil:
		span := *l.high - *l.low
		return *l.low - beyondEnds*span, *l.high + beyondEnds*span
	case l.high != nil:
		span := math.Abs(*l.high)
		if target != nil {
			span = math.Abs(*l.high - *target)
		}
		span = max(span, 1e-9)
		return *l.high - span, *l.high + beyondEnds*span
	default:
		span := math.Abs(*l.low)
		if target != nil {
			span = math.Abs(*target - *l.low)
		}
		span = max(span, 1e-9)
		return *l.low - beyondEnds*span, *l.low + span
	}
}

func (p *Parameter) bar(l limits) *Bar {
	if l.low == nil && l.high == nil {
		return nil
	}
	from, to := l.axis(p.Target)
	if span := to - from; !(span > 0) || math.IsInf(span, 0) {
		return nil // a band without width, or wider than a number: there is nothing to draw
	}
	place := func(x float64) float64 { return math.Round(1e4*min(max((x-from)/(to-from), 0), 1)) / 1e4 }
	at := func(x *float64) *float64 {
		if x == nil {
			return nil
		}
		f := place(*x)
		return &f
	}
	b := &Bar{Low: at(l.low), High: at(l.high), LowOn: l.lowOn, HighOn: l.highOn, Target: at(p.Target), Marks: []float64{}}
	if p.NOR != nil {
		b.NOR = &[2]float64{place(p.NOR[0]), place(p.NOR[1])}
	}
	for i := range p.Inputs {
		x, ok := p.Inputs[i].Value.Number()
		if !ok || p.Inputs[i].Blind || p.Inputs[i].Quality == "bad" {
			continue
		}
		b.Marks = append(b.Marks, place(x))
		if i == p.Shown.Lead {
			b.Lead = at(&x)
		}
	}
	return b
}

// mostDigits is how many digits behind the point a value is ever shown with.
const mostDigits = 6

// write is a value as it is shown; see Text.
func (p *Parameter) write(v Value, l limits) string { return text(v, p.Precision, l) }

// Text is a value as it is shown, with its unit: to the precision of its
// parameter, and to more digits where rounding would put it on the other side of
// a limit, or on it.
func Text(v Value, precision float64, low, high *float64, unit string) string {
	if v.Kind() == sample.None {
		return "—"
	}
	return strings.TrimSpace(text(v, precision, limits{low: low, high: high}) + " " + UnitText(unit))
}

func text(v Value, precision float64, l limits) string {
	x, ok := v.Number()
	if !ok || v.Kind() != sample.Float {
		return v.String()
	}
	digits := 3
	if precision > 0 {
		digits = int(max(0, math.Ceil(-math.Log10(precision)-1e-9)))
	}
	for ; digits < mostDigits; digits++ {
		rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'f', digits, 64), 64)
		if err != nil || !l.between(x, rounded) {
			break
		}
	}
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if precision <= 0 && strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// between says whether a value and its rounding differ in what a limit says.
func (l limits) between(x, rounded float64) bool {
	return l.high != nil && (x > *l.high) != (rounded > *l.high) || l.low != nil && (x < *l.low) != (rounded < *l.low)
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// UnitText is a UCUM unit as people on the floor write it.
func UnitText(ucum string) string {
	if text, ok := unitTexts()[ucum]; ok {
		return text
	}
	return strings.NewReplacer(".", "·", "[", "", "]", "").Replace(ucum)
}

func unitTexts() map[string]string {
	return map[string]string{"[degF]": "°F", "Cel": "°C", "1": "", "{1}": "", "um": "µm", "us": "µs", "Ohm": "Ω", "deg": "°",
		"/min": "1/min", "N.m": "N·m", "[psi]": "psi", "[in_i]": "in"}
}
