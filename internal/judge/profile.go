package judge

import (
	"andon/internal/sample"
)

// piecesAlong is pieces under limits that go along a profile since begun. The
// stretch is cut where the profile has a point, so that value and limits are
// straight in each part.
func (ru *rule) piecesAlong(dst []piece, begun sample.Time, s Span, x, y float64) []piece {
	for a := s.From; a < s.To; {
		b := s.To
		if i := after(ru.Profile, a.Sub(begun)); i < len(ru.Profile) {
			b = min(b, begun.Add(ru.Profile[i].T))
		}
		va, vb := along(s, x, y, a), along(s, x, y, b)
		i := after(ru.Profile, a.Sub(begun)) // of both ends: a limit that jumps at b counts before it
		la, ha := profileIn(ru.Profile, i, a.Sub(begun))
		lb, hb := profileIn(ru.Profile, i, b.Sub(begun))
		dst = side(dst, a, b, va-ha, vb-hb)
		dst = side(dst, a, b, la-va, lb-vb)
		a = b
	}
	return dst
}

// along is the value at t on the line over a stretch from x to y.
func along(s Span, x, y float64, t sample.Time) float64 {
	switch t {
	case s.From:
		return x
	case s.To:
		return y
	}
	f := float64(t-s.From) / float64(s.To-s.From)
	return x*(1-f) + y*f
}
