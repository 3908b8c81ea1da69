package spec

import "math"

// program is an expression as a list of steps over a stack of numbers. It has no
// jumps and no calls, so a run of it takes as many steps as the list is long,
// allocates nothing and changes nothing: any number of goroutines may run it.
//
// Truth is 1 or 0. NaN is no value: what a step cannot compute (a division by
// zero, the logarithm of a negative number, a result beyond 64 bits) is NaN, and
// so is all that follows from it.
type program struct{ steps []step }

// maxStack is the most numbers that a program keeps at a time.
const maxStack = 32

type step struct {
	op op
	i  int     // of load: which input
	x  float64 // of push
}

type op uint8

const (
	opLoad op = iota
	opPush
	opNeg
	opNot
	opAbs
	opSqrt
	opExp
	opLn
	opAdd // the first of two numbers
	opSub
	opMul
	opDiv
	opPower
	opLesser
	opGreater
	opEqual
	opUnequal
	opBelow
	opAtMost
	opAbove
	opAtLeast
	opAnd
	opOr
	opChoose // of three: condition, one, other
)

// pops says how many numbers a step takes.
func (o op) pops() int {
	switch {
	case o <= opPush:
		return 0
	case o < opAdd:
		return 1
	case o < opChoose:
		return 2
	}
	return 3
}

// run computes the result for the inputs, in their order; NaN for no value.
func (p *program) run(inputs []float64) float64 {
	var stack [maxStack + 2]float64 // two more, so that a step may look at three wherever it stands
	top := -1
	for i := range p.steps {
		s := &p.steps[i]
		top += 1 - s.op.pops()
		stack[top] = s.apply(stack[top], stack[top+1], stack[top+2], inputs)
	}
	return stack[0]
}

// apply computes one step of as many of a, b and c as it takes.
func (s *step) apply(a, b, c float64, inputs []float64) float64 {
	switch s.op {
	case opLoad:
		return finite(inputs[s.i])
	case opPush:
		return s.x
	case opNeg:
		return -a
	case opNot:
		return 1 - a
	case opAbs:
		return math.Abs(a)
	case opSqrt:
		return math.Sqrt(a)
	case opExp:
		return finite(math.Exp(a))
	case opLn:
		return finite(math.Log(a))
	case opAdd:
		return finite(a + b)
	case opSub:
		return finite(a - b)
	case opMul:
		return finite(a * b)
	case opDiv:
		return finite(a / b)
	case opPower:
		return known(a, b, finite(math.Pow(a, b))) // anything to the power of 0 is 1, NaN too
	case opLesser:
		return min(a, b)
	case opGreater:
		return max(a, b)
	case opEqual:
		return known(a, b, truth(a == b))
	case opUnequal:
		return known(a, b, truth(a != b))
	case opBelow:
		return known(a, b, truth(a < b))
	case opAtMost:
		return known(a, b, truth(a <= b))
	case opAbove:
		return known(a, b, truth(a > b))
	case opAtLeast:
		return known(a, b, truth(a >= b))
	case opAnd:
		return both(a, b)
	case opOr:
		return 1 - both(1-a, 1-b)
	case opChoose:
		return chosen(a, b, c)
	}
	return math.NaN()
}

// finite is x, NaN when it is infinite.
func finite(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// known is x, NaN when one of those that it was made of is.
func known(a, b, x float64) float64 {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.NaN()
	}
	return x
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// both is false as soon as one is, whatever the other would be.
func both(a, b float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	return known(a, b, 1)
}

// chosen takes nothing from the side that is not chosen, so that a condition
// can keep a division by zero away.
func chosen(condition, one, other float64) float64 {
	switch condition {
	case 1:
		return one
	case 0:
		return other
	}
	return math.NaN()
}
