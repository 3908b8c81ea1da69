package deploy

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"andon/internal/metrics"
)

// ourMetric is the name of a metric in a query.
var ourMetric = regexp.MustCompile(`\bandon_[a-z0-9_]+`)

// checkQuery wants every metric of a query to exist, and its brackets to match.
func checkQuery(t *testing.T, where, query string, exist []string) {
	t.Helper()
	found := ourMetric.FindAllString(query, -1)
	if len(found) == 0 && !strings.Contains(query, `job="andon"`) {
		t.Errorf("%s: the query asks for nothing of ours: %s", where, query)
	}
	for _, name := range found {
		if !slices.Contains(exist, name) {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
	for _, pair := range []string{"()", "{}", "[]"} {
		if strings.Count(query, pair[:1]) != strings.Count(query, pair[1:]) {
			t.Errorf("%s: %s do not match in %s", where, pair, query)
		}
	}
}

type dashboard struct {
	UID    string
	Panels []struct {
		Title, Description string
		Targets            []struct{ Expr string }
	}
	Annotations struct{ List []struct{ Name, Expr string } }
	Templating  struct {
		List []struct{ Query json.RawMessage }
	}
}

// TestDashboard: each panel says what it shows and asks for metrics that exist.
func TestDashboard(t *testing.T) {
	b, err := os.ReadFile("grafana/andon.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	exist := metrics.Names()
	if d.UID != "andon" || len(d.Panels) < 10 {
		t.Errorf("dashboard %q has %d panels", d.UID, len(d.Panels))
	}
	for _, p := range d.Panels {
		if p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %q: no description or no query", p.Title)
		}
		for _, q := range p.Targets {
			checkQuery(t, "panel "+p.Title, q.Expr, exist)
		}
	}
	for _, a := range d.Annotations.List {
		checkQuery(t, "annotation "+a.Name, a.Expr, exist)
	}
	for _, v := range d.Templating.List {
		for _, name := range ourMetric.FindAllString(string(v.Query), -1) {
			if !slices.Contains(exist, name) {
				t.Errorf("a variable asks for %s, which there is not", name)
			}
		}
	}
}

type rules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

// TestRules: each rule asks for metrics that exist, says how urgent it is, what
// is wrong and what to do, and has a name of its own.
func TestRules(t *testing.T) {
	b, err := os.ReadFile("prometheus/andon.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var r rules
	d := yaml.NewDecoder(strings.NewReader(string(b)))
	d.KnownFields(true)
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	exist, seen := metrics.Names(), map[string]bool{}
	for _, g := range r.Groups {
		for _, x := range g.Rules {
			checkQuery(t, x.Alert, x.Expr, exist)
			if seen[x.Alert] || !strings.HasPrefix(x.Alert, "Andon") {
				t.Errorf("%s: another rule has the name, or it is not ours", x.Alert)
			}
			seen[x.Alert] = true
			if s := x.Labels["severity"]; s != "page" && s != "ticket" {
				t.Errorf("%s: severity %q", x.Alert, s)
			}
			if x.Annotations["summary"] == "" || x.Annotations["action"] == "" {
				t.Errorf("%s: does not say what is wrong and what to do", x.Alert)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("%d rules, want what notes and documents name", len(seen))
	}
}

// TestMetricsAreDescribed: the list for people has each metric, and no other.
func TestMetricsAreDescribed(t *testing.T) {
	described := ourMetric.FindAllString(read(t, "../docs/watching.md"), -1)
	base := func(name string) string {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		return name
	}
	for _, name := range metrics.Names() {
		if !slices.Contains(described, base(name)) {
			t.Errorf("docs/watching.md does not describe %s", base(name))
		}
	}
	for _, name := range described {
		if !slices.ContainsFunc(metrics.Names(), func(n string) bool { return base(n) == name }) {
			t.Errorf("docs/watching.md describes %s, which there is not", name)
		}
	}
}

// TestCheckQuery: the check itself finds what it is for.
func TestCheckQuery(t *testing.T) {
	var inner testing.T
	checkQuery(&inner, "x", "andon_no_such_metric > 0", metrics.Names())
	if !inner.Failed() {
		t.Error("a metric that does not exist was not found")
	}
}
