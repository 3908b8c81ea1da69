package judge

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"andon/internal/sample"
	"andon/internal/spec"
)

const sec = sample.Time(time.Second)

// TestUnion: whatever the order in which stretches come and are settled, the
// union's length is that of counting each instant once.
func TestUnion(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var s Spans
		covered := map[int]bool{}
		for range r.IntN(20) {
			from := r.IntN(50)
			to := from + 1 + r.IntN(10)
			s.add(Span{sample.Time(from) * sec, sample.Time(to) * sec})
			for k := from; k < to; k++ {
				covered[k] = true
			}
		}
		if got, want := s.Length(), time.Duration(len(covered))*time.Second; got != want {
			t.Fatalf("length %v, want %v", got, want)
		}
		s.settle(30 * sec)
		if got, want := s.Length(), time.Duration(len(covered))*time.Second; got != want {
			t.Fatalf("settled: length %v, want %v", got, want)
		}
	}
}

// TestPieces holds crossings and integrals against closed forms.
func TestPieces(t *testing.T) {
	low, high := 10.0, 20.0
	band := newMeasure(&spec.Rule{Kind: spec.Band, Low: &low, High: &high})
	for _, tt := range []struct {
		name       string
		x, y       float64
		time, area float64 // of a 10 s stretch, in s and unit.s
	}{
		{"inside", 12, 18, 0, 0},
		{"touching the limit", 20, 20, 0, 0},
		{"all above", 22, 24, 10, 30},
		{"out through the top", 15, 25, 5, 12.5},
		{"back from the top", 25, 15, 5, 12.5},
		{"from the limit outward", 20, 30, 10, 50},
		{"out through the bottom", 15, 5, 5, 12.5},
		{"from below to above", 0, 40, 7.5, 2.5*10/2 + 5*20/2},
	} {
		var duration, area float64
		for _, p := range band.pieces(nil, 0, 10*sec, tt.x, tt.y) {
			duration += p.span.To.Sub(p.span.From).Seconds()
			area += p.area
		}
		if math.Abs(duration-tt.time) > 1e-8 || math.Abs(area-tt.area) > 1e-6 {
			t.Errorf("%s: %gs and %g, want %gs and %g", tt.name, duration, area, tt.time, tt.area)
		}
	}
}

// TestPieceSince cuts a piece where a rule began to apply.
func TestPieceSince(t *testing.T) {
	p := newPiece(Span{0, 10 * sec}, 0, 10)
	for _, tt := range []struct {
		at   sample.Time
		ok   bool
		area float64
	}{{-1, true, 50}, {0, true, 50}, {5 * sec, true, 37.5}, {10 * sec, false, 0}} {
		rest, ok := p.since(tt.at)
		if ok != tt.ok || ok && math.Abs(rest.area-tt.area) > 1e-9 {
			t.Errorf("since %v: %v %g, want %v %g", tt.at, ok, rest.area, tt.ok, tt.area)
		}
	}
}

// TestCutHuge: where a line crosses zero does not depend on its unit, up to the
// largest numbers there are.
func TestCutHuge(t *testing.T) {
	const most, least = math.MaxFloat64, math.SmallestNonzeroFloat64
	for _, tt := range []struct {
		e, f float64
		want sample.Time
	}{
		{1e308, -1e308, 5 * sec}, {-1e308, 1e308, 5 * sec}, {most, -most, 5 * sec}, {0x1p1023, -0x1p1023, 5 * sec},
		{1e308, -3e307, 7692307692}, {least, -least, 5 * sec}, {most, -least, 10 * sec}, {1, -3, 2500 * sec / 1000},
	} {
		if got := cut(10*sec, tt.e, tt.f); got != tt.want {
			t.Errorf("from %g to %g: zero after %d ns, want %d", tt.e, tt.f, got, tt.want)
		}
	}
}

// TestDiscreteHolds: a value that is not a number stands until the next one.
func TestDiscreteHolds(t *testing.T) {
	want := sample.StringValue("R-1")
	m := newMeasure(&spec.Rule{Kind: spec.Equals, Expected: &want})
	wrong, _ := m.of(sample.StringValue("R-2"))
	right, _ := m.of(sample.StringValue("R-1"))
	if !m.outside(wrong) || m.outside(right) {
		t.Fatalf("outside: wrong %v, right %v", m.outside(wrong), m.outside(right))
	}
	got := m.pieces(nil, 0, 10*sec, wrong, right)
	if len(got) != 1 || got[0].span != (Span{0, 10 * sec}) || got[0].area != 0 {
		t.Errorf("wrong for 10 s: %+v", got)
	}
	if got := m.pieces(nil, 0, 10*sec, right, wrong); len(got) != 0 {
		t.Errorf("right for 10 s: %+v", got)
	}
}

// TestLimitsAreInclusive at both ends and unrounded, with the deadband inward.
func TestLimitsAreInclusive(t *testing.T) {
	low, high := 875.0, 895.0
	m := newMeasure(&spec.Rule{Kind: spec.Band, Low: &low, High: &high, Deadband: 2})
	for _, tt := range []struct {
		x             float64
		outside, back bool
	}{
		{895, false, false}, {math.Nextafter(895, 900), true, false}, {893, false, true}, {math.Nextafter(893, 900), false, false},
		{875, false, false}, {math.Nextafter(875, 800), true, false}, {877, false, true}, {885, false, true},
	} {
		if m.outside(tt.x) != tt.outside || m.back(tt.x) != tt.back {
			t.Errorf("%v: outside %v back %v, want %v %v", tt.x, m.outside(tt.x), m.back(tt.x), tt.outside, tt.back)
		}
	}
}
