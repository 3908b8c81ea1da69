package judge

import (
	"math"
	"time"

	"andon/internal/sample"
)

// Span is a stretch of source time.
type Span struct{ From, To sample.Time }

// Spans is a union of stretches: ordered, disjoint. Several inputs that are
// outside at the same time count once.
type Spans struct {
	Settled time.Duration `json:",omitempty"` // length of the stretches no longer listed
	List    []Span        `json:",omitempty"`
}

// Length is the measure of the union.
func (s *Spans) Length() time.Duration {
	d := s.Settled
	for _, x := range s.List {
		d += x.To.Sub(x.From)
	}
	return d
}

// add joins x to the union.
func (s *Spans) add(x Span) {
	i := len(s.List)
	for i > 0 && s.List[i-1].To >= x.From {
		i--
	}
	j := i
	for j < len(s.List) && s.List[j].From <= x.To {
		x.From, x.To = min(x.From, s.List[j].From), max(x.To, s.List[j].To)
		j++
	}
	s.List = append(s.List[:i], append([]Span{x}, s.List[j:]...)...)
}

// settle forgets the single stretches that end before t, keeping their length,
// so that a long excursion does not grow. The last stretch is always kept.
func (s *Spans) settle(t sample.Time) {
	for len(s.List) > 1 && s.List[0].To < t {
		s.Settled += s.List[0].To.Sub(s.List[0].From)
		s.List = s.List[1:]
	}
}

// piece is what one stretch between two samples contributes to an excursion.
type piece struct {
	span Span
	area float64 // integral of the distance beyond the limit, in units x seconds
	e, f float64 // the distance at its two ends
}

// since is the part of a piece from t on; ok is false when there is none.
func (p piece) since(t sample.Time) (rest piece, ok bool) {
	switch {
	case t <= p.span.From:
		return p, true
	case t >= p.span.To:
		return p, false
	}
	return newPiece(Span{t, p.span.To}, along(p.span, p.e, p.f, t), p.f), true
}

func newPiece(s Span, e, f float64) piece {
	return piece{s, finite((e/2 + f/2) * s.To.Sub(s.From).Seconds()), e, f}
}

// pieces appends what lies outside the limits between (a, x) and (b, y), taken
// as a straight line, with interpolated crossings; for a stepwise measure x
// holds until b.
func (m *measure) pieces(dst []piece, a, b sample.Time, x, y float64) []piece {
	if b <= a {
		return dst
	}
	if m.step {
		if m.outside(x) {
			dst = append(dst, piece{span: Span{a, b}})
		}
		return dst
	}
	dst = side(dst, a, b, x-m.high, y-m.high)
	return side(dst, a, b, m.low-x, m.low-y)
}

// side appends the part of [a, b] in which a quantity that goes straight from
// e to f is above zero, and its integral there.
func side(dst []piece, a, b sample.Time, e, f float64) []piece {
	if e <= 0 && f <= 0 || math.IsInf(e, -1) {
		return dst
	}
	e, f = finite(e), finite(f)
	from, to := a, b
	if e <= 0 {
		from, e = a+cut(b-a, e, f), 0
	} else if f <= 0 {
		to, f = a+cut(b-a, e, f), 0
	}
	return append(dst, newPiece(Span{from, to}, e, f))
}

// cut is how far into an interval of length d a line from e to f passes zero.
func cut(d sample.Time, e, f float64) sample.Time {
	if math.IsInf(e-f, 0) { // halved, since their distance is no number
		e, f = e/2, f/2
	}
	return sample.Time(math.Round(float64(d) * (e / (e - f))))
}
