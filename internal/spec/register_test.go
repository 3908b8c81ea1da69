package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
)

// day is the instant of the n-th day of a made-up calendar.
func day(n int) sample.Time {
	return sample.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n))
}

// revision is a small document; to is 0 for no end.
func revision(id, rev string, from, to int, scope string) []byte {
	effective := fmt.Sprintf("from: %s", day(from))
	if to != 0 {
		effective += fmt.Sprintf(", to: %s", day(to))
	}
	return fmt.Appendf(nil, `schema: andon.spec/1
id: %s
revision: %s
effective: {%s}
scope: {%s}
parameters: [{id: p, inputs: [x], unit: bar, rules: [{id: r, kind: high, limit: 5}]}]
`, id, rev, effective, scope)
}

func install(t *testing.T, r Register, document []byte, at int) Register {
	t.Helper()
	next, _, err := r.Install(Installed{Document: document, At: day(at)})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// inForce names the revisions in force at a place, undecided ones with a "?".
func inForce(r Register, p Place, at sample.Time) string {
	var names []string
	in, undecided := r.InForce(p, at)
	for _, d := range in {
		names = append(names, d.ID+"."+d.Revision)
	}
	for _, d := range undecided {
		names = append(names, d.ID+"."+d.Revision+"?")
	}
	return strings.Join(names, " ")
}

//andon:req Q10
func TestInForceOverTime(t *testing.T) {
	var r Register
	r = install(t, r, revision("S", "A", 0, 0, ""), 10) // effective long before it is installed
	r = install(t, r, revision("S", "B", 20, 30, ""), 15)
	r = install(t, r, revision("S", "C", 40, 0, ""), 16)
	r = install(t, r, revision("T", "1", 0, 0, ""), 25) // another id: independent
	for _, test := range []struct {
		at   sample.Time
		want string
	}{
		{day(0), ""},      // effective, not installed: never judged retroactively
		{day(10) - 1, ""}, // one nanosecond before
		{day(10), "S.A"},  // from the installation
		{day(20) - 1, "S.A"},
		{day(20), "S.B"},
		{day(25), "S.B T.1"},
		{day(30) - 1, "S.B T.1"},
		{day(30), "T.1"}, // expired; A, superseded, does not come back
		{day(40), "S.C T.1"},
		{day(4000), "S.C T.1"},
	} {
		if got := inForce(r, Place{}, test.at); got != test.want {
			t.Errorf("at %s: %q, want %q", test.at, got, test.want)
		}
	}
	if d := r.Find("S", "B"); d == nil || d.Revision != "B" || r.Find("S", "Z") != nil || r.Find("Z", "B") != nil {
		t.Error("an installed revision, superseded or not, is found by its name")
	}
	if all := r.All(); len(all) != 4 || all[1].Doc().Revision != "B" || all[1].At != day(15) {
		t.Errorf("installed: %+v", all)
	}
	next := []sample.Time{}
	for at := r.Next(0); at != 0; at = r.Next(at) {
		next = append(next, at)
	}
	if want := []sample.Time{day(10), day(20), day(25), day(30), day(40)}; !slices.Equal(next, want) {
		t.Errorf("changes at %v, want %v", next, want)
	}
}

//andon:req Q7
func TestInForceByScope(t *testing.T) {
	var r Register
	r = install(t, r, revision("CLASS", "1", 0, 0, "equipment_class: furnace"), 0)
	r = install(t, r, revision("LIST", "1", 0, 0, "equipment: [f1, f2]"), 0)
	r = install(t, r, revision("MADE", "1", 0, 0, `materials: [m1, m2], operation: "0040"`), 0)
	for _, test := range []struct {
		name string
		at   Place
		want string
	}{
		{"class", Place{"f3", "furnace", "m9", "0040"}, "CLASS.1"},
		{"listed", Place{"f1", "press", "m9", "0040"}, "LIST.1"},
		{"material and operation", Place{"x", "press", "m2", "0040"}, "MADE.1"},
		{"other operation", Place{"x", "press", "m2", "0050"}, ""},
		{"material not known", Place{"x", "press", "", "0040"}, "MADE.1?"},
		{"nothing known", Place{"f2", "furnace", "", ""}, "CLASS.1 LIST.1 MADE.1?"},
		{"not known but ruled out", Place{"x", "press", "m9", ""}, ""},
	} {
		if got := inForce(r, test.at, day(1)); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestANewerRevisionDecidesAloneForItsID(t *testing.T) {
	var r Register
	r = install(t, r, revision("S", "A", 0, 0, "equipment: [f1, f2]"), 0)
	r = install(t, r, revision("S", "B", 10, 0, "equipment: [f1]"), 0)
	if got := inForce(r, Place{Equipment: "f2"}, day(5)); got != "S.A" {
		t.Errorf("before: %q", got)
	}
	if got := inForce(r, Place{Equipment: "f2"}, day(10)); got != "" {
		t.Errorf("f2 was taken out of scope and is judged by %q", got)
	}
}

//andon:req Q9 Q13
func TestInstallRefuses(t *testing.T) {
	var r Register
	r = install(t, r, revision("S", "A", 10, 0, ""), 0)
	r = install(t, r, revision("S", "B", 20, 0, ""), 0)
	for _, test := range []struct {
		name     string
		document []byte
		want     error
		words    string
	}{
		{"again", revision("S", "A", 10, 0, ""), ErrInstalled, "S revision A: installed already"},
		{"other bytes", revision("S", "A", 30, 0, ""), ErrRevision, "S revision A: revision refused: another document is installed under this revision"},
		{"backwards", revision("S", "C", 19, 0, ""), ErrRevision, "before revision B"},
		{"not valid", []byte("schema: x\n"), nil, `specification:1:9: schema: found "x", want andon.spec/1`},
	} {
		next, d, err := r.Install(Installed{Document: test.document, At: day(1)})
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.words)
		}
		if sum := sha256.Sum256(test.document); d != nil && d.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: the document is %s.%s, not the one offered", test.name, d.ID, d.Revision)
		}
		if len(next.All()) != 2 {
			t.Errorf("%s: %d revisions installed, want 2", test.name, len(next.All()))
		}
	}
	if _, _, err := r.Install(Installed{Document: revision("S", "C", 20, 0, ""), At: day(1)}); err != nil {
		t.Errorf("the same effective.from is a correction: %v", err)
	}
	if _, _, err := r.Install(Installed{Document: revision("T", "A", 1, 0, ""), At: day(1)}); err != nil {
		t.Errorf("another id: %v", err)
	}
}

func TestInstallLeavesTheOldRegisterAlone(t *testing.T) {
	document := revision("S", "A", 0, 0, "")
	one := install(t, Register{}, document, 0)
	two := install(t, one, revision("T", "A", 0, 0, ""), 0)
	other := install(t, one, revision("U", "A", 0, 0, ""), 0)
	clear(document) // the caller may use its buffer again
	for r, want := range map[*Register]string{&one: "S.A", &two: "S.A T.A", &other: "S.A U.A"} {
		if got := inForce(*r, Place{}, day(1)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := string(one.All()[0].Document); !strings.HasPrefix(got, "schema:") {
		t.Errorf("document became %q", got)
	}
}

// Whatever is installed when, saving and loading changes nothing, the same
// installations are the same bytes, and no revision judges an instant before
// its installation, before its effective.from or after its end.
func TestRegisterProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Register
		at := 0
		for range rapid.IntRange(0, 8).Draw(t, "installations") {
			at += rapid.IntRange(0, 10).Draw(t, "days")
			from := rapid.IntRange(0, 60).Draw(t, "from")
			to := rapid.SampledFrom([]int{0, from + 1, from + 20}).Draw(t, "to")
			document := revision(rapid.SampledFrom([]string{"S", "T"}).Draw(t, "id"), fmt.Sprint(rapid.IntRange(1, 6).Draw(t, "rev")), from, to, "")
			if next, _, err := r.Install(Installed{Document: document, At: day(at)}); err == nil {
				r = next
			} else if !errors.Is(err, ErrRevision) && !errors.Is(err, ErrInstalled) {
				t.Fatal(err)
			}
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var loaded Register
		if err := json.Unmarshal(b, &loaded); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(loaded); err != nil || string(again) != string(b) {
			t.Fatalf("saved %s, loaded and saved %s (%v)", b, again, err)
		}
		probe := day(rapid.IntRange(-1, 100).Draw(t, "probe"))
		if got, want := inForce(loaded, Place{}, probe), inForce(r, Place{}, probe); got != want {
			t.Fatalf("loaded %q, want %q", got, want)
		}
		for _, d := range r.Current(probe) {
			i := slices.IndexFunc(r.installed, func(in Installed) bool { return in.doc == d })
			if probe < r.installed[i].At || probe < d.Effective.From || d.Effective.Expired(probe) {
				t.Fatalf("%s.%s judges %s", d.ID, d.Revision, probe)
			}
		}
	})
}

func TestRegisterRefusesDamagedState(t *testing.T) {
	for _, saved := range []string{`{"installed":[{"document":"eDog","approvals":"","at":null}]}`, `{"installed":7}`} {
		var r Register
		if err := json.Unmarshal([]byte(saved), &r); err == nil {
			t.Errorf("%s: loaded", saved)
		}
	}
}
