package spc

import (
	"fmt"
	"math"
)

// MaxRange is the largest subgroup whose range is used: above it the range
// wastes what the standard deviation keeps (ISO 7870-2; tables end at 25).
const MaxRange = 25

// Constants are the control chart constants of one subgroup size, for normal
// data, as named in ASTM STP 15D and ISO 7870-2. Nothing in them is rounded.
type Constants struct {
	N     int     `json:"n"`
	MeanR float64 `json:"d2"` // mean of the range, in sigma
	SDR   float64 `json:"d3"` // standard deviation of the range, in sigma
	C4    float64 `json:"c4"` // mean of the standard deviation, in sigma
	A     float64 `json:"A"`  // limits of means: from sigma, from Rbar (A2), from sbar (A3)
	A2    float64 `json:"A2"`
	A3    float64 `json:"A3"`
	B3    float64 `json:"B3"` // limits of s: from sbar (B3, B4), from sigma (B5, B6)
	B4    float64 `json:"B4"`
	B5    float64 `json:"B5"`
	B6    float64 `json:"B6"`
	D1    float64 `json:"D1"` // limits of R: from sigma (D1, D2), from Rbar (D3, D4)
	D2    float64 `json:"D2"`
	D3    float64 `json:"D3"`
	D4    float64 `json:"D4"`
	E2    float64 `json:"E2"` // limits of individuals: from Rbar (E2), from sbar (E3)
	E3    float64 `json:"E3"`
}

// ConstantsOf returns the constants for subgroups of n, 2 to 25. All follow from
// d2, d3 and c4 by the 3 sigma of Shewhart; a lower limit below 0 is 0.
func ConstantsOf(n int) (Constants, error) {
	if n < 2 || n > MaxRange {
		return Constants{}, fmt.Errorf("constants for subgroups of %d: want 2 to %d", n, MaxRange)
	}
	d2, d3 := rangeMoments(n)
	c4 := meanSD(n)
	root, spread := math.Sqrt(float64(n)), 3*math.Sqrt(1-c4*c4)
	return Constants{
		N: n, MeanR: d2, SDR: d3, C4: c4,
		A: 3 / root, A2: 3 / (d2 * root), A3: 3 / (c4 * root),
		B3: max(0, 1-spread/c4), B4: 1 + spread/c4, B5: max(0, c4-spread), B6: c4 + spread,
		D1: max(0, d2-3*d3), D2: d2 + 3*d3, D3: max(0, 1-3*d3/d2), D4: 1 + 3*d3/d2,
		E2: 3 / d2, E3: 3 / c4,
	}, nil
}

// meanSD is c4, the mean of the standard deviation s (with n-1) of n normal
// values, in sigma: sqrt(2/(n-1)) Gamma(n/2) / Gamma((n-1)/2). For large n the
// difference of two large logarithms loses digits and the asymptotic series in
// 1/(n-1) is exact to the last digit (Johnson, Kotz and Balakrishnan,
// Continuous Univariate Distributions 1, 2nd ed., 18.3: mean of chi).
func meanSD(n int) float64 {
	f := float64(n - 1)
	if n > 300 {
		return 1 - 1/(4*f) + 1/(32*f*f) + 5/(128*f*f*f) - 21/(2048*f*f*f*f)
	}
	a, _ := math.Lgamma((f + 1) / 2) // Gamma is positive for a positive argument
	b, _ := math.Lgamma(f / 2)
	return math.Sqrt(2/f) * math.Exp(a-b)
}

// rangeMoments returns d2 and d3, the mean and the standard deviation of the
// range of n standard normal values, 2 <= n <= MaxRange. The numbers are the
// integrals of Tippett (Biometrika 17, 1925) computed with 30 digits; the tests
// integrate again, in another way.
func rangeMoments(n int) (d2, d3 float64) {
	m := [...][2]float64{
		{1.1283791670955125739, 0.85250246642742172998},
		{1.6925687506432688608, 0.8883680040452042894},
		{2.0587507460079282641, 0.87980820282498331168},
		{2.3259289472810392255, 0.86408194109950407462},
		{2.5344127212229425953, 0.84803968611749529679},
		{2.7043567512138087985, 0.8332053356222936605},
		{2.8472006120905555062, 0.81983148979194395906},
		{2.9700263244184740126, 0.80783427455332246052},
		{3.0775054616703457121, 0.7970506735194112452},
		{3.1728727038160003379, 0.78731462055032818208},
		{3.2584552797438259806, 0.77847834120338437848},
		{3.3359803540982549961, 0.77041620206375479638},
		{3.406763108199953043, 0.76302309562479030736},
		{3.4718268898820748673, 0.75621142972794392175},
		{3.5319827861095759346, 0.74990808940991590841},
		{3.5878839617653817471, 0.74405178396073144999},
		{3.6400637579374442093, 0.73859085337817781559},
		{3.6889630232076493162, 0.73348149551886842051},
		{3.7349501195966409695, 0.72868634570730523305},
		{3.7783358298426209689, 0.72417334071749901752},
		{3.8193846433628326522, 0.71991480843422340552},
		{3.8583234232850068732, 0.71588673549181444645},
		{3.8953481484513562695, 0.71206817514793724333},
		{3.9306292195071131615, 0.70844076588865502762},
	}[n-2]
	return m[0], m[1]
}
