package spc

import "math"

// MaxLength is the longest run that a test may ask for, in points.
const MaxLength = 32

// rounding is the relative error that parsing decimals and one or two
// operations on them can make: 8 units in the last place of a float64.
const rounding = 0x1p-49

// State is what a chart remembers between two points. The zero value is a chart
// without points. It is comparable and its JSON form is exact, since Go prints a
// float64 with the digits that give it back.
type State struct {
	// Points counts the points since the start. The limits of an EWMA chart
	// widen with it.
	Points int64 `json:"points"`
	// Runs is the memory of the run rules (kind individuals).
	Runs Runs `json:"runs,omitzero"`
	// EWMA is the weighted average after the last point (kind ewma).
	EWMA float64 `json:"ewma,omitzero"`
	// High and Low are C+ and C-, in the unit of the data (kind cusum).
	High float64 `json:"c_plus,omitzero"`
	Low  float64 `json:"c_minus,omitzero"`
	// HighPoints and LowPoints count the points since C+ and C- were last zero.
	// A signal at point i dates the change to point i - HighPoints.
	HighPoints int64 `json:"n_plus,omitzero"`
	LowPoints  int64 `json:"n_minus,omitzero"`
}

// Gap forgets the runs, because points are missing between the last one and the
// next and nobody knows what they were. An EWMA or a CUSUM keeps what it has
// gathered: it adds up evidence and does not look at neighbours.
func (s *State) Gap() { s.Runs = Runs{} }

// Runs remembers of each of the last 32 points on which side of which line it
// was, and whether it rose or fell against the one before. Bit 0 is the newest
// point. Every run rule is a question about these bits, whatever its length.
type Runs struct {
	Seen   uint8    `json:"seen,omitzero"`   // points since the last gap, at most MaxLength
	Last   float64  `json:"last,omitzero"`   // the newest plotted value
	Above  [4]Marks `json:"above,omitzero"`  // beyond centre, 1, 2, 3 sigma upwards
	Below  [4]Marks `json:"below,omitzero"`  // and downwards
	Within Marks    `json:"within,omitzero"` // less than 1 sigma from the centre
	Up     Marks    `json:"up,omitzero"`     // higher than the point before
	Down   Marks    `json:"down,omitzero"`   // lower than the point before
}

// Marks holds one bit for each of the last 32 points, the newest lowest.
type Marks uint32

func (m *Marks) push(set bool) {
	*m <<= 1
	if set {
		*m |= 1
	}
}

// add takes in one plotted value, with the sigma that the statistic has at this
// point: it differs from point to point where subgroups differ in size.
func (r *Runs) add(x, center, sigma float64) {
	r.Up.push(r.Seen > 0 && beyond(x, r.Last, math.Abs(x)))
	r.Down.push(r.Seen > 0 && beyond(r.Last, x, math.Abs(x)))
	size := math.Abs(center)
	for k := range r.Above {
		zone := float64(k) * sigma
		r.Above[k].push(beyond(x, center+zone, size+zone))
		r.Below[k].push(beyond(center-zone, x, size+zone))
	}
	r.Within.push(beyond(center+sigma, x, size+sigma) && beyond(x, center-sigma, size+sigma))
	r.Last = x
	if r.Seen < MaxLength {
		r.Seen++
	}
}

// beyond says whether a is greater than b by more than rounding, where size is
// the size of the numbers from which the two were computed.
func beyond(a, b, size float64) bool {
	return a-b > rounding*size
}
