package spec

import (
	"fmt"
	"slices"
	"strings"

	"andon/internal/spc"
	"andon/internal/strictyaml"
)

// Kinds of chart.
const (
	Individuals = string(spc.KindIndividuals)
	EWMA        = string(spc.KindEWMA)
	CUSUM       = string(spc.KindCUSUM)
)

// maxSubgroup is the largest subgroup: what one point is made of is kept until
// the point is complete.
const maxSubgroup = 1000

// ruleChart reads a control chart of fixed, approved limits (ISO 7870-2, phase
// II).
func ruleChart(n strictyaml.Node, r *Rule, par *Parameter) {
	sigma := n.Need("sigma")
	c := &Charting{
		Kind:   oneOfOr(n.Get("chart"), Individuals, EWMA, CUSUM),
		Center: n.Need("center").Float(),
		Sigma:  sigma.Float(),
	}
	r.Chart, r.Unit = c, par.Unit
	if sigma.OK() && c.Sigma <= 0 {
		sigma.Problem(fmt.Sprintf("sigma %s", num(c.Sigma)), "it is the standard deviation of the charted points, above 0")
	}
	chartKeys(n, c)
	chartSample(n.Get("sample"), c)
	c.Subgroup = 1
	if size := n.Get("subgroup"); size.Present() {
		c.Subgroup = int(size.Int(1, maxSubgroup))
	}
	if c.Per == PerPhase && !n.Get("when").Present() {
		n.Need("when") // says that it is missing: a point is one stay in those phases
	}
}

// chartKeys reads the keys of one kind of chart and refuses those of another,
// which would have no effect.
func chartKeys(n strictyaml.Node, c *Charting) {
	own := map[string][]string{Individuals: {"rules"}, EWMA: {"lambda", "l"}, CUSUM: {"k", "h", "fir"}}
	for _, kind := range []string{Individuals, EWMA, CUSUM} {
		for _, key := range own[kind] {
			if kind != c.Kind {
				n.Get(key).Problem(fmt.Sprintf("%s has no meaning for chart: %s", key, c.Kind), "it belongs to chart: "+kind)
			}
		}
	}
	switch c.Kind {
	case Individuals:
		c.Rules = chartRules(n.Get("rules"))
	case EWMA:
		c.Lambda, c.L = aboveZero(n.Need("lambda"), "0.2 is common"), aboveZero(n.Need("l"), "2.86 goes with lambda 0.2")
		if lambda := n.Get("lambda"); lambda.OK() && c.Lambda > 1 {
			lambda.Problem(fmt.Sprintf("lambda %s", num(c.Lambda)), "it is the weight of the newest point, at most 1")
		}
	case CUSUM:
		c.K, c.H = n.Need("k").Float(), aboveZero(n.Need("h"), "4 or 5 is common")
		if k := n.Get("k"); k.OK() && c.K < 0 {
			k.Problem(fmt.Sprintf("k %s", num(c.K)), "it is half the shift to be found, in sigma, 0 or more: 0.5 is common")
		}
		c.Head = headStart(n.Get("fir"))
	}
}

func aboveZero(n strictyaml.Node, common string) float64 {
	v := n.Float()
	if n.OK() && v <= 0 {
		n.Problem(num(v)+" is not above 0", common)
	}
	return v
}

// headStart is where the sums of a CUSUM begin, as a fraction of h. true is
// half of it, as Lucas and Crosier (1982) propose.
func headStart(n strictyaml.Node) float64 {
	if !n.IsNumber() {
		if n.Bool() {
			return 0.5
		}
		return 0
	}
	v := n.Float()
	if n.OK() && (v < 0 || v >= 1) {
		n.Problem(fmt.Sprintf("fir %s", num(v)), "it is a fraction of h, 0 or more and below 1; true is 0.5")
	}
	return v
}

// chartRules is the text of the run rules as spc reads it: one name, names with
// commas between, or a list of them. The default is one point beyond three sigma.
func chartRules(n strictyaml.Node) string {
	switch {
	case !n.Present():
		return "n1"
	case n.IsSeq() && len(n.Seq()) == 0:
		n.Problem("no run rule", "it could never signal: name one, such as n1")
	}
	list := n.Texts()
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	text := strings.Join(list, ",")
	if !n.OK() || n.IsSeq() && len(list) < len(n.Seq()) { // reported already
		return ""
	}
	if len(text) > 256 {
		n.Problem(fmt.Sprintf("run rules of %d characters", len(text)), "name each rule once")
		return ""
	}
	if _, err := spc.ParseRules(text); err != nil {
		n.Problem(err.Error(), "n1 alone finds a point beyond 3 sigma; n2=8 is n2 with runs of 8")
		return ""
	}
	return text
}

// chartSample reads how points are taken. Raw samples of a signal that is
// slower than its sampling are no subgroup (quality.md 2.2): one point a part,
// phase or interval is.
func chartSample(n strictyaml.Node, c *Charting) {
	take, every := n.Get("take"), n.Get("every")
	c.Per = oneOfOr(n.Get("per"), PerSample, PerInterval, PerPart, PerPhase)
	ways := []string{"last", Mean, Max, Min}
	if c.Per == PerInterval {
		ways = []string{Mean, "last", Max, Min}
		n.Need("every")
	}
	c.Take, c.Every = oneOfOr(take, ways...), positive(every)
	if c.Per != PerInterval {
		every.Problem("every has no meaning for per: "+c.Per, "it belongs to per: interval")
	}
	if c.Per == PerSample && take.OK() && !slices.Contains([]string{"last", ""}, c.Take) {
		take.Problem(fmt.Sprintf("take %s has no meaning for per: sample: each sample is a point", c.Take), "remove it, or take a point an interval, part or phase")
	}
}
