package spec

import "math"

// Computed is one value made of a parameter's inputs. It is known when all of
// them are. It is never changed once parsed: copies may share it, and any number
// of goroutines may ask it.
type Computed struct {
	Expression string // as written; "" for a kinetic mean
	// Over is what the value is a mean over: "" for none, the value is that of the
	// instant; OverOperation when Value is to be averaged over the time since the
	// operation began (by trapezoids), and Back makes the parameter's value of it.
	Over    string
	Kinetic *Kinetic

	program *program
}

// OverOperation: the value is a mean over the operation.
const OverOperation = "operation"

// Kinetic is a mean kinetic temperature: the one constant temperature that
// would have done as much to a product as the real, changing one (Haynes, 1971;
// USP <1079.2>; 21 CFR 205.50(c) stores by it):
//
//	MKT = (dH/R) / -ln( mean over time of e^(-dH/(R T)) )
type Kinetic struct {
	Input  int     // its position among the parameter's inputs
	DeltaH float64 // activation energy, kJ/mol
	Unit   string  // of input and result: Cel, K, [degF]
}

const (
	// DefaultDeltaH is the activation energy that USP <1079.2> takes for products
	// of which no other is known, kJ/mol.
	DefaultDeltaH = 83.144
	// gasConstant as USP <1079.2> gives it, kJ/(mol K).
	gasConstant = 8.3144e-3
	// kineticBase is the temperature, in K, to which rates are put in proportion:
	// at it the rate is 1. It cancels out and keeps the numbers near 1.
	kineticBase = 298.15
)

// Same says whether two are the same value of the same inputs; nil is the inputs
// themselves.
func (c *Computed) Same(d *Computed) bool {
	if c == nil || d == nil {
		return c == d
	}
	kinetic := c.Kinetic == d.Kinetic || c.Kinetic != nil && d.Kinetic != nil && *c.Kinetic == *d.Kinetic
	return c.Expression == d.Expression && c.Over == d.Over && kinetic
}

// Value computes the value from those of the inputs, in the parameter's order
// (true and false as 1 and 0); ok is false when there is none: no finite number.
// With Over it is the number to be averaged.
func (c *Computed) Value(inputs []float64) (x float64, ok bool) {
	if c.Kinetic != nil {
		x = c.Kinetic.rate(inputs[c.Kinetic.Input])
	} else {
		x = c.program.run(inputs)
	}
	return x, x-x == 0 // neither NaN nor infinite
}

// Back makes the parameter's value, in its unit, of a mean of Value over time;
// ok is false when there is none.
func (c *Computed) Back(mean float64) (x float64, ok bool) {
	if c.Kinetic == nil {
		return mean, mean-mean == 0
	}
	x = c.Kinetic.temperature(mean)
	return x, x-x == 0
}

// rate is e^(-dH/(R T)) over that at kineticBase; NaN at and below absolute
// zero.
func (k *Kinetic) rate(t float64) float64 {
	kelvin := toKelvin(t, k.Unit)
	if !(kelvin > 0) || math.IsInf(kelvin, 1) {
		return math.NaN()
	}
	return math.Exp(k.DeltaH / gasConstant * (1/kineticBase - 1/kelvin))
}

// temperature is the inverse of rate.
func (k *Kinetic) temperature(rate float64) float64 {
	if !(rate > 0) {
		return math.NaN()
	}
	return fromKelvin(1/(1/kineticBase-math.Log(rate)*gasConstant/k.DeltaH), k.Unit)
}

// toKelvin and fromKelvin are exact by definition: 0 Cel is 273.15 K, and a
// degree Fahrenheit 5/9 K with 32 [degF] at 0 Cel (NIST SP 811, B.8).
func toKelvin(t float64, unit string) float64 {
	switch unit {
	case "Cel":
		return t + 273.15
	case "[degF]":
		return (t-32)*5/9 + 273.15
	}
	return t
}

func fromKelvin(t float64, unit string) float64 {
	switch unit {
	case "Cel":
		return t - 273.15
	case "[degF]":
		return (t-273.15)*9/5 + 32
	}
	return t
}
