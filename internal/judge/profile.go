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
		dst = side(dst, a, b, excessOver(va, ha), excessOver(vb, hb))
		dst = side(dst, a, b, excessOver(-va, -la), excessOver(-vb, -lb))
		a = b
	}
	return dst
}

// excessOver is how far a value is above a computed limit, 0 when that is rounding.
func excessOver(v, limit float64) float64 { return level(v, limit, limit) - limit }

// along is the value at t on the line over a stretch from x to y.
func along(s Span, x, y float64, t sample.Time) float64 {
	return between(x, y, t.Sub(s.From), s.To.Sub(s.From))
}
