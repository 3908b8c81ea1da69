package spc

import (
	"encoding/json"
	"math"
)

// Number is a float64 that need not be known: NaN stands for a missing or
// undefined number and is null in JSON, as is an infinite one.
type Number float64

// Missing is the number that is not there.
func Missing() Number { return Number(math.NaN()) }

// Known says whether there is a number.
func (n Number) Known() bool { return finite(float64(n)) }

// MarshalJSON writes null for a number that is not known.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Known() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

func numbers(x []float64) []Number {
	all := make([]Number, len(x))
	for i := range x {
		all[i] = Number(x[i])
	}
	return all
}

// Line is a centre line or a limit: one number for all points, or one for each
// where they differ.
type Line []Number

// MarshalJSON writes a constant line as its one number, another as an array.
func (l Line) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]Number(l))
}

// at is the line's height at point i, from 0.
func (l Line) at(i int) float64 {
	if len(l) == 1 {
		i = 0
	}
	return float64(l[i])
}
