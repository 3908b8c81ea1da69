package spec

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
)

// hour is an instant so many hours after the beginning of 2026.
func hour(n int) sample.Time {
	return sample.At(time.Date(2026, 1, 1, n, 0, 0, 0, time.UTC))
}

// issue is a revision that is effective from and to hours; no end for to 0.
func issue(id, revision string, from, to int) []byte {
	end := ""
	if to != 0 {
		end = ", to: " + hour(to).String()
	}
	return fmt.Appendf(nil, "schema: andon.spec/1\nid: %s\nrevision: %s\neffective: {from: %s%s}\nparameters: [{id: p, inputs: [x], unit: bar, rules: [{id: r, kind: high, limit: 5}]}]\n", id, revision, hour(from), end)
}

//andon:req Q9 Q10
func TestStanding(t *testing.T) {
	var r Register
	for _, x := range []struct {
		document []byte
		at       int
	}{
		{issue("L", "A", 0, 0), 1},      // begins when it is installed
		{issue("L", "B", 10, 30), 2},    // ends A
		{issue("L", "C", 40, 0), 3},     // leaves a time in which nothing is in force
		{issue("L", "D", 40, 0), 4},     // from the same instant: C never decides
		{issue("M", "A", 5, 20), 4},     // another specification
		{issue("L", "E", 50, 60), 70},   // installed after its end
		{issue("L", "F", 100, 120), 80}, // still to come
	} {
		var err error
		if r, _, err = r.Install(Installed{Document: x.document, At: hour(x.at)}); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []struct {
		from, to int      // hours; 0 for neither
		at       []int    // hours
		states   []string // at those
	}{
		{1, 10, []int{0, 1, 9, 10}, []string{Pending, InForce, InForce, Superseded}},
		{10, 30, []int{9, 10, 29, 30, 90}, []string{Pending, InForce, InForce, Expired, Expired}},
		{0, 0, []int{39, 40, 50}, []string{Pending, Superseded, Superseded}},
		{40, 70, []int{39, 40, 69, 70}, []string{Pending, InForce, InForce, Superseded}},
		{5, 20, []int{4, 5, 20}, []string{Pending, InForce, Expired}},
		{0, 0, []int{75, 110}, []string{Expired, Expired}},
		{100, 120, []int{85, 100, 120}, []string{Pending, InForce, Expired}},
	} {
		s := r.Standing(i)
		from, to := sample.Time(0), sample.Time(0)
		if want.to != 0 {
			from, to = hour(want.from), hour(want.to)
		}
		if s.From != from || s.To != to {
			t.Errorf("%d: in force from %s to %s, want %s to %s", i, s.From, s.To, from, to)
		}
		for k, at := range want.at {
			if got := s.State(hour(at)); got != want.states[k] {
				t.Errorf("%d: %s at hour %d, want %s", i, got, at, want.states[k])
			}
		}
	}
}

// TestStandingIsCurrent: whatever was installed and when, what Standing holds to
// be in force is what judges.
//
//andon:req Q10
func TestStandingIsCurrent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Register
		clock := 0
		for i := range rapid.IntRange(1, 6).Draw(t, "installations") {
			clock += rapid.IntRange(0, 8).Draw(t, "later")
			from := rapid.IntRange(0, 30).Draw(t, "from")
			to := 0
			if rapid.Bool().Draw(t, "ends") {
				to = from + rapid.IntRange(1, 10).Draw(t, "for")
			}
			id := rapid.SampledFrom([]string{"L", "M"}).Draw(t, "id")
			if next, _, err := r.Install(Installed{Document: issue(id, fmt.Sprint(i), from, to), At: hour(clock)}); err == nil {
				r = next // a revision that goes back is refused
			}
		}
		for at := range 45 {
			var got, want []string
			for _, d := range r.Current(hour(at)) {
				want = append(want, d.ID+" "+d.Revision)
			}
			for i, in := range r.All() {
				s := r.Standing(i)
				if s.Holds(hour(at)) {
					got = append(got, in.Doc().ID+" "+in.Doc().Revision)
				}
				if s.Holds(hour(at)) != (s.State(hour(at)) == InForce) {
					t.Fatalf("hour %d: revision %s is %s", at, in.Doc().Revision, s.State(hour(at)))
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("hour %d: %v in force by Standing, %v judge", at, got, want)
			}
		}
	})
}
