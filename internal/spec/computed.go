package spec

// program is an expression, typed and ready to run.
type program struct{}

// Value computes the value from those of the inputs, in the parameter's order;
// ok is false when there is none: not a finite number.
func (c *Computed) Value(inputs []float64) (x float64, ok bool) { return 0, false }
