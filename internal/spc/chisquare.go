package spc

import "math"

// chiSquareQuantile is the x below which a chi-square variable with f degrees of
// freedom falls with probability p, 0 < p < 1, f > 0. It halves the interval in
// which the distribution function crosses p until no float64 is between.
func chiSquareQuantile(p, f float64) float64 {
	low, high := 0.0, f
	for lowerGamma(f/2, high/2) < p {
		low, high = high, 2*high
	}
	for {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			return middle
		}
		if lowerGamma(f/2, middle/2) < p {
			low = middle
		} else {
			high = middle
		}
	}
}

// lowerGamma is the regularized lower incomplete gamma function P(a, x): by its
// series below a+1, above by the continued fraction of its complement, computed
// by Lentz's method (Abramowitz and Stegun, Handbook of Mathematical Functions,
// 6.5.29 and 6.5.31).
func lowerGamma(a, x float64) float64 {
	if x <= 0 {
		return 0
	}
	g, _ := math.Lgamma(a) // positive for a positive argument
	front := math.Exp(a*math.Log(x) - x - g)
	if x < a+1 {
		term, total := 1/a, 1/a
		for n := 1.0; term > total*0x1p-54; n++ {
			term *= x / (a + n)
			total += term
		}
		return front * total
	}
	const tiny = 0x1p-1000 // keeps a division from meeting zero
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	fraction := d
	for n := 1.0; ; n++ {
		an := -n * (n - a)
		b += 2
		d, c = an*d+b, b+an/c
		if math.Abs(d) < tiny {
			d = tiny
		}
		if math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		fraction *= d * c
		if math.Abs(d*c-1) < 0x1p-50 {
			return 1 - front*fraction
		}
	}
}
