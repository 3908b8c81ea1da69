package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// spcReference holds the reference cases: published examples and conformance
// vectors, each a file of data and one of expected results.
const spcReference = "../../internal/spc/testdata/reference/"

// spcJSON runs the command and decodes what it prints.
func spcJSON(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetArgs(append([]string{"spc"}, args...))
	if err := root.Execute(); err != nil {
		t.Fatalf("spc %v: %v", args, err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("spc %v: %v in %s", args, err, out.Bytes())
	}
	return got
}

// expected reads the expected results of a case.
func expected(t *testing.T, id string) map[string]any {
	t.Helper()
	b, err := os.ReadFile(spcReference + id + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Expected map[string]any `json:"expected"`
	}
	if err := json.Unmarshal(b, &file); err != nil || len(file.Expected) == 0 {
		t.Fatalf("%s: %v, %d results", id, err, len(file.Expected))
	}
	return file.Expected
}

// at follows a path of keys; "points.c_plus" collects c_plus of every point.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			var all []any
			for _, e := range x {
				all = append(all, at(e, key))
			}
			v = all
		default:
			return nil
		}
	}
	return v
}

// same compares to 1e-9, relative and absolute, as the cases ask. A certified
// value is a string.
func same(got, want any) bool {
	switch w := want.(type) {
	case float64:
		g, ok := got.(float64)
		return ok && math.Abs(g-w) <= 1e-9*max(1, math.Abs(w))
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			return false
		}
		for i := range w {
			if !same(g[i], w[i]) {
				return false
			}
		}
		return true
	}
	return got == want
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// signalled lists the points at which a rule signals.
func signalled(got map[string]any, rule string) []any {
	points := []any{}
	for _, s := range got["signals"].([]any) {
		if at(s, "rule") == rule {
			points = append(points, at(s, "index"))
		}
	}
	return points
}

// TestSPCReference reproduces every result of the reference cases by the
// command: published examples whose printed results reproduce.
func TestSPCReference(t *testing.T) {
	const rules = "western-electric,nelson,n8-either-side"
	for _, tc := range []struct {
		id, args string
		path     map[string]string // expected: printed by the command
		signals  map[string]string // expected: rule
	}{
		{"imr-nist-flowrate", "--chart imr --rules " + rules, map[string]string{
			"center": "limits.center", "mr_bar": "limits.mr_bar", "sigma_within": "limits.sigma_within", "ucl": "limits.ucl", "lcl": "limits.lcl",
			"mr_ucl": "limits.mr_ucl", "mr_lcl": "limits.mr_lcl", "sigma_overall": "summary.sd", "moving_ranges": "moving_ranges",
		}, map[string]string{"mr_beyond_ucl_index_of_second_point": "mr_beyond"}},
		{"xbar-flowwidth", "--chart xbar-r --baseline 1-25 --lsl 1 --usl 2 --rules " + rules, map[string]string{
			"grand_mean": "limits.center", "r_bar": "limits.r.center", "sigma_within_rbar_d2": "limits.sigma_within", "sigma_overall": "summary.sd",
			"xbar_r.ucl": "limits.ucl", "xbar_r.lcl": "limits.lcl", "r.ucl": "limits.r.ucl", "r.lcl": "limits.r.lcl",
			"subgroup_means": "points", "subgroup_ranges": "subgroup_ranges",
		}, map[string]string{"r_chart_beyond_limits": "r_beyond"}},
		{"xbar-flowwidth", "--chart xbar-s --subgroup-column subgroup", map[string]string{
			"s_bar": "limits.s.center", "sigma_within_sbar_c4": "limits.sigma_within", "xbar_s.ucl": "limits.ucl", "xbar_s.lcl": "limits.lcl",
			"s.ucl": "limits.s.ucl", "s.lcl": "limits.s.lcl", "subgroup_sds": "subgroup_sds",
		}, map[string]string{"s_chart_beyond_limits": "s_beyond"}},
		{"xbar-flowwidth", "--chart xbar-s --subgroup 5 --estimator pooled", map[string]string{"sigma_within_pooled": "limits.sigma_within"}, nil},
		{"ewma-nist", "--chart ewma --target 50 --sigma 2.0539 --lambda 0.3 --l 3", map[string]string{
			"z": "points", "ucl": "limits.ucl", "lcl": "limits.lcl", "ucl_steady": "limits.ucl_steady", "lcl_steady": "limits.lcl_steady", "target": "limits.center",
		}, map[string]string{"signals_time_varying_limits": "ewma"}},
		{"cusum-nist", "--chart cusum --target 325 --sigma 1 --k 0.3175 --h 4.1959", map[string]string{
			"c_plus": "points.c_plus", "c_minus": "points.c_minus", "n_plus": "points.n_plus", "n_minus": "points.n_minus",
			"K": "limits.k", "H": "limits.h", "head_start": "limits.head_start",
		}, map[string]string{"signals_high": "cusum_high", "signals_low": "cusum_low"}},
		{"strd-lew", "--chart summary --column value", map[string]string{"n": "summary.n"}, nil},
	} {
		want := expected(t, tc.id)
		got := spcJSON(t, append(strings.Fields(tc.args), "--data", spcReference+tc.id+".csv")...)
		for theirs, ours := range tc.path {
			if w := at(want, theirs); w == nil || !same(at(got, ours), w) {
				t.Errorf("%s %s: %s is %v, want %v", tc.id, tc.args, ours, at(got, ours), w)
			}
		}
		for _, key := range []string{"rules", "rules_xbar_sigma_from_r"} {
			for name, w := range asMap(want[key]) {
				if rule := strings.ReplaceAll(strings.ToLower(name), "_", "-"); !same(signalled(got, rule), w) {
					t.Errorf("%s %s: %s at %v, want %v", tc.id, tc.args, rule, signalled(got, rule), w)
				}
			}
		}
		for theirs, rule := range tc.signals {
			if w := at(want, theirs); w == nil || !same(signalled(got, rule), w) {
				t.Errorf("%s %s: %s at %v, want %v", tc.id, tc.args, rule, signalled(got, rule), w)
			}
		}
	}
}

// TestSPCReferenceRules runs each conformance vector through the command.
func TestSPCReferenceRules(t *testing.T) {
	f, err := os.Open(spcReference + "rules-vectors-basic.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for id, rules := range expected(t, "rules-vectors-basic") {
		alone := filepath.Join(t.TempDir(), "z.csv")
		text := "index,z\n"
		for _, row := range rows[1:] {
			if row[0] == id {
				text += row[1] + "," + row[2] + "\n"
			}
		}
		if err := os.WriteFile(alone, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		all := []string{"--chart", "imr", "--column", "z", "--center", "0", "--sigma", "1", "--rules", "western-electric,nelson,n8-either-side", "--data"}
		split := spcJSON(t, append(slices.Clone(all), alone)...)
		filtered := spcJSON(t, append(all, spcReference+"rules-vectors-basic.csv", "--where", "case="+id)...)
		for name, want := range rules.(map[string]any) {
			rule := strings.ReplaceAll(strings.ToLower(name), "_", "-")
			for _, got := range []map[string]any{split, filtered} {
				if !same(signalled(got, rule), want) {
					t.Errorf("%s: %s at %v, want %v", id, rule, signalled(got, rule), want)
				}
			}
		}
	}
}

// TestSPCReferenceCapability compares the capability of the flow widths, from
// whichever command asks for it.
func TestSPCReferenceCapability(t *testing.T) {
	var want any
	for key, v := range expected(t, "xbar-flowwidth") {
		if strings.HasPrefix(key, "capability_") {
			want = v
		}
	}
	for _, args := range []string{
		"--chart capability", "--chart capability --subgroup 5", "--chart capability --subgroup-column subgroup --target 1.5",
		"--chart xbar-r", "--chart xbar-s --estimator rbar",
	} {
		got := spcJSON(t, append(strings.Fields(args), "--lsl", "1", "--usl", "2", "--data", spcReference+"xbar-flowwidth.csv")...)
		for theirs, w := range want.(map[string]any) {
			ours := strings.ToLower(strings.TrimSuffix(theirs, "_overall"))
			if v := at(got, "capability."+ours); !same(v, w) {
				t.Errorf("%s: %s is %v, want %v", args, ours, v, w)
			}
		}
		if at(got, "capability.estimator") != "rbar/d2" || at(got, "capability.stable") != true || at(got, "capability.n") != 125.0 {
			t.Errorf("%s: %v", args, got["capability"])
		}
	}
}

// TestSPCReferenceDigits: NIST certifies 15 digits and asks 14 of the mean and
// 13 of the standard deviation.
func TestSPCReferenceDigits(t *testing.T) {
	want := expected(t, "strd-lew")
	got := spcJSON(t, "--chart", "summary", "--data", spcReference+"strd-lew.csv")
	for _, tc := range []struct {
		theirs, ours string
		digits       float64
	}{{"mean", "mean", 14}, {"sd_n_minus_1", "sd", 13}, {"autocorrelation_lag1", "autocorrelation", 13}} {
		certified, err := strconv.ParseFloat(fmt.Sprint(want[tc.theirs]), 64)
		if err != nil {
			t.Fatal(err)
		}
		g := at(got, "summary."+tc.ours).(float64)
		if lre := -math.Log10(math.Abs(g-certified) / math.Abs(certified)); lre < tc.digits {
			t.Errorf("%s: %v, certified %v: %.1f digits, want %v", tc.ours, g, certified, lre, tc.digits)
		}
	}
}

// TestSPCChange: the case dates the change of the CUSUM and the new mean.
func TestSPCChange(t *testing.T) {
	want := expected(t, "cusum-nist")
	got := spcJSON(t, "--chart", "cusum", "--target", "325", "--sigma", "1", "--k", "0.3175", "--h", "4.1959", "--data", spcReference+"cusum-nist.csv")
	for theirs, ours := range map[string]string{"change_point_estimate_last_in_control": "last_in_control", "new_mean_estimate": "new_mean"} {
		if g := at(got, "changes."+ours); !same(g, []any{want[theirs]}) {
			t.Errorf("%s is %v, want %v", ours, g, want[theirs])
		}
	}
}

// TestSPCDocument runs the examples of docs/spc.md. Below a command stands a
// part of what it prints, with numbers rounded for the reader.
func TestSPCDocument(t *testing.T) {
	t.Chdir("../..")
	b, err := os.ReadFile("docs/spc.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for i, block := range strings.Split(string(b), "```") {
		command, ok := strings.CutPrefix(strings.TrimPrefix(block, "console\n"), "$ andon spc ")
		if i%2 == 0 || !ok {
			continue
		}
		command, printed, _ := strings.Cut(strings.ReplaceAll(command, "\\\n", " "), "\n")
		d := json.NewDecoder(strings.NewReader(printed))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Errorf("%s: %v in %s", command, err, printed)
			continue
		}
		got := spcJSON(t, strings.Fields(command)...)
		if where := differs(got, want); where != "" {
			t.Errorf("%s: %s", command, where)
		}
		examples++
	}
	if examples < 6 {
		t.Errorf("%d examples found", examples)
	}
}

// differs says where a result is not as printed: every key and element that is
// printed must be there, every number with the digits that are printed.
func differs(got, want any) string {
	switch w := want.(type) {
	case map[string]any:
		for key, v := range w {
			if where := differs(asMap(got)[key], v); where != "" {
				return key + " " + where
			}
		}
		return ""
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			return fmt.Sprintf("has %d elements, printed are %d", len(g), len(w))
		}
		for i := range w {
			if where := differs(g[i], w[i]); where != "" {
				return where
			}
		}
		return ""
	case json.Number:
		_, decimals, _ := strings.Cut(w.String(), ".")
		g, ok := got.(float64)
		if ok && strconv.FormatFloat(g, 'f', len(decimals), 64) == w.String() {
			return ""
		}
	default:
		if got == want {
			return ""
		}
	}
	return fmt.Sprintf("is %v, printed is %v", got, want)
}
