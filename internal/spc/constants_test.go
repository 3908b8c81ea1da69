package spc

import (
	"math"
	"testing"
)

func near(got, want, relative float64) bool {
	return got == want || math.Abs(got-want) <= relative*math.Abs(want)
}

// TestRangeMoments integrates again: the mean of the range as the integral of
// 1 - F^n - (1-F)^n, and its mean square as that of 2 w (1 - G(w)) where G is
// the distribution of the range, 1 - G summed over the smallest value. On the
// whole line the trapezoid rule converges faster than any power of its step; on
// w >= 0 it is Boole's rule.
func TestRangeMoments(t *testing.T) {
	for n := 2; n <= MaxRange; n++ {
		d2, d3 := rangeMoments(n)
		mean, square := integrateRange(n)
		if !near(d2, mean, 1e-12) {
			t.Errorf("d2(%d) = %.15g, integral %.15g", n, d2, mean)
		}
		if want := math.Sqrt(square - mean*mean); !near(d3, want, 1e-12) {
			t.Errorf("d3(%d) = %.15g, integral %.15g", n, d3, want)
		}
	}
}

func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

func integrateRange(n int) (mean, square float64) {
	const step, end = 0.125, 9.0
	power := func(x float64) float64 { return math.Pow(x, float64(n)) }
	for x := -end; x <= end; x += step {
		mean += step * (1 - power(normal(x)) - power(normal(-x)))
	}
	const panels = 1200
	const width = 15.0 / panels
	for i := 0; i <= panels; i++ {
		weight := width * 2 / 45 * []float64{14, 32, 12, 32}[i%4]
		if i == 0 || i == panels {
			weight /= 2
		}
		w := float64(i) * width
		var within float64
		for x := -end; x <= end; x += step {
			density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
			between := normal(-x) - normal(-x-w)
			if x < 0 {
				between = normal(x+w) - normal(x)
			}
			within += step * float64(n) * density * math.Pow(between, float64(n-1))
		}
		square += weight * 2 * w * (1 - within)
	}
	return mean, square
}

// TestConstantsExact compares to what has a closed form.
func TestConstantsExact(t *testing.T) {
	two, err := ConstantsOf(2)
	if err != nil {
		t.Fatal(err)
	}
	three, err := ConstantsOf(3)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name      string
		got, want float64
	}{
		{"d2(2)", two.MeanR, 2 / math.SqrtPi},
		{"d3(2)", two.SDR, math.Sqrt(2 - 4/math.Pi)},
		{"d2(3)", three.MeanR, 3 / math.SqrtPi},
		{"c4(2)", two.C4, math.Sqrt(2 / math.Pi)},
		{"c4(3)", three.C4, math.SqrtPi / 2},
		{"A(2)", two.A, 3 / math.Sqrt2},
		{"E2(2)", two.E2, 1.5 * math.SqrtPi},
		{"D4(2)", two.D4, 1 + 3*math.Sqrt(math.Pi/2-1)},
	} {
		if !near(tc.got, tc.want, 4e-16) {
			t.Errorf("%s = %.17g, want %.17g", tc.name, tc.got, tc.want)
		}
	}
}

// TestConstantsPrinted compares to the table of Montgomery, 6th ed., appendix
// VI, which prints three decimals (c4 four), at both ends and in the middle.
func TestConstantsPrinted(t *testing.T) {
	for _, want := range []Constants{
		{2, 1.128, 0.853, 0.7979, 2.121, 1.880, 2.659, 0, 3.267, 0, 2.606, 0, 3.686, 0, 3.267, 2.660, 3.760},
		{5, 2.326, 0.864, 0.9400, 1.342, 0.577, 1.427, 0, 2.089, 0, 1.964, 0, 4.918, 0, 2.114, 1.290, 3.191},
		{7, 2.704, 0.833, 0.9594, 1.134, 0.419, 1.182, 0.118, 1.882, 0.113, 1.806, 0.205, 5.204, 0.076, 1.924, 1.109, 3.127},
		{10, 3.078, 0.797, 0.9727, 0.949, 0.308, 0.975, 0.284, 1.716, 0.276, 1.669, 0.687, 5.469, 0.223, 1.777, 0.975, 3.084},
		{25, 3.931, 0.708, 0.9896, 0.600, 0.153, 0.606, 0.565, 1.435, 0.559, 1.420, 1.805, 6.056, 0.459, 1.541, 0.763, 3.031},
	} {
		got, err := ConstantsOf(want.N)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"d2", got.MeanR, want.MeanR}, {"d3", got.SDR, want.SDR}, {"c4", got.C4, want.C4},
			{"A", got.A, want.A}, {"A2", got.A2, want.A2}, {"A3", got.A3, want.A3},
			{"B3", got.B3, want.B3}, {"B4", got.B4, want.B4}, {"B5", got.B5, want.B5}, {"B6", got.B6, want.B6},
			{"D1", got.D1, want.D1}, {"D2", got.D2, want.D2}, {"D3", got.D3, want.D3}, {"D4", got.D4, want.D4},
			{"E2", got.E2, want.E2}, {"E3", got.E3, want.E3},
		} {
			// Printed tables were computed from rounded constants.
			if math.Abs(c.got-c.want) > 0.0015 {
				t.Errorf("n %d: %s = %.5f, printed %.3f", want.N, c.name, c.got, c.want)
			}
		}
	}
	for _, n := range []int{-1, 0, 1, 26} {
		if _, err := ConstantsOf(n); err == nil {
			t.Errorf("constants for subgroups of %d", n)
		}
	}
}

// TestMeanSD follows c4 by its recurrence, c4(n+2)/c4(n) =
// sqrt((n-1)/(n+1)) n/(n-1), across the change from Gamma to series.
func TestMeanSD(t *testing.T) {
	want := [2]float64{math.Sqrt(2 / math.Pi), math.SqrtPi / 2}
	for n := 2; n < 1000; n++ {
		if got := meanSD(n); !near(got, want[n%2], 1e-12) {
			t.Errorf("c4(%d) = %.16g, want %.16g", n, got, want[n%2])
		}
		f := float64(n)
		want[n%2] *= math.Sqrt((f-1)/(f+1)) * f / (f - 1)
	}
}
