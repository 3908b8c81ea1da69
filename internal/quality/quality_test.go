package quality

import (
	"math"
	"slices"
	"testing"
	"time"

	"andon/internal/judge"
	"andon/internal/production"
	"andon/internal/sample"
)

const sec = sample.Time(time.Second)

// TestID: the same parts and number give the same id, any other a different one.
func TestID(t *testing.T) {
	id := ID("dev-", 42, "g", "e", "furn-03", "load_temp", "over")
	if again := ID("dev-", 42, "g", "e", "furn-03", "load_temp", "over"); again != id || len(id) != len("dev-")+idLength {
		t.Errorf("%s and %s", id, again)
	}
	for _, other := range []string{ID("dev-", 43, "g", "e", "furn-03", "load_temp", "over"), ID("dev-", 42, "g", "e", "furn-03", "load_tempover", ""),
		ID("dev-", 42, "ge", "", "furn-03", "load_temp", "over")} {
		if other == id {
			t.Errorf("other parts give the same id %s", id)
		}
	}
}

// TestGapRecovers tag by tag, and is over with the last.
func TestGapRecovers(t *testing.T) {
	g := Gap{From: 10 * sec, Tags: []GapTag{{Tag: 1, From: 10 * sec, Every: time.Second}, {Tag: 2, From: 12 * sec, Every: 2 * time.Second}}}
	if g.Recover(1, 20*sec) || g.To != 0 {
		t.Errorf("over with the first tag: %+v", g)
	}
	if g.Recover(7, 21*sec) {
		t.Error("over by a tag that is not in it")
	}
	if !g.Recover(2, 22*sec) || g.To != 22*sec || g.expected() != 10+5 {
		t.Errorf("not over with the last: %+v, %d expected", g, g.expected())
	}
}

// TestRound keeps nine digits and harms no number, however large or small.
func TestRound(t *testing.T) {
	for x, want := range map[float64]float64{0: 0, 56.66666666666667: 56.6666667, -1234567891: -1234567890, 1e-310: 1e-310, math.MaxFloat64: math.MaxFloat64,
		math.SmallestNonzeroFloat64: math.SmallestNonzeroFloat64} {
		got := round(x)
		if math.Abs(got-want) > math.Abs(want)*1e-8 || math.IsNaN(got) || math.IsInf(got, 0) {
			t.Errorf("%g: %g, want %g", x, got, want)
		}
	}
}

// TestExposed: lots in process at any time of the event; unknown counts, none
// known does not.
func TestExposed(t *testing.T) {
	var c production.Context
	for _, v := range []production.Value{{From: 10 * sec, Text: "L-1", Known: true}, {From: 20 * sec, Text: "", Known: true}, {From: 30 * sec}, {From: 40 * sec, Text: "L-2", Known: true}} {
		c.Set(production.Lot, v)
	}
	for _, tt := range []struct {
		from, to sample.Time
		lots     []string
		exposed  bool
	}{
		{12 * sec, 15 * sec, []string{"L-1"}, true},
		{21 * sec, 29 * sec, nil, false},
		{21 * sec, 35 * sec, []string{"unknown"}, true},
		{15 * sec, 45 * sec, []string{"L-1", "unknown", "L-2"}, true},
		{35 * sec, 40 * sec, []string{"unknown"}, true},
	} {
		e := Event{Episode: judge.Episode{From: tt.from, To: tt.to}}
		lots, exposed := e.Exposed(&c, 99*sec)
		if !slices.Equal(lots, tt.lots) || exposed != tt.exposed {
			t.Errorf("%d to %d: %v %v, want %v %v", tt.from/sec, tt.to/sec, lots, exposed, tt.lots, tt.exposed)
		}
	}
}
