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
	// from here on of two numbers
	opAdd
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
	var stack [maxStack]float64
	n := 0 // numbers on the stack
	for i := range p.steps {
		s := &p.steps[i]
		var x float64
		switch s.op.pops() {
		case 0:
			x = s.x
			if s.op == opLoad {
				x = finiteOr(inputs[s.i])
			}
		case 1:
			x = s.op.one(stack[n-1])
			n--
		case 2:
			x = s.op.two(stack[n-2], stack[n-1])
			n -= 2
		default:
			x = chosen(stack[n-3], stack[n-2], stack[n-1])
			n -= 3
		}
		stack[n] = x
		n++
	}
	return stack[0]
}

// finiteOr is x, NaN when it is infinite.
func finiteOr(x float64) float64 {
	if math.IsInf(x, 0) {
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

func (o op) one(a float64) float64 {
	switch o {
	case opNeg:
		return -a
	case opNot:
		return 1 - a
	case opAbs:
		return math.Abs(a)
	case opSqrt:
		return math.Sqrt(a)
	case opExp:
		return finiteOr(math.Exp(a))
	case opLn:
		return finiteOr(math.Log(a))
	}
	return math.NaN()
}

func (o op) two(a, b float64) float64 {
	switch {
	case o == opAnd && (a == 0 || b == 0): // false whatever the other would be
		return 0
	case o == opOr && (a == 1 || b == 1):
		return 1
	case math.IsNaN(a) || math.IsNaN(b):
		return math.NaN()
	}
	switch o {
	case opAdd:
		return finiteOr(a + b)
	case opSub:
		return finiteOr(a - b)
	case opMul:
		return finiteOr(a * b)
	case opDiv:
		return finiteOr(a / b)
	case opPower:
		return finiteOr(math.Pow(a, b))
	case opLesser:
		return min(a, b)
	case opGreater:
		return max(a, b)
	}
	return o.compare(a, b)
}

func (o op) compare(a, b float64) float64 {
	switch o {
	case opEqual:
		return truth(a == b)
	case opUnequal:
		return truth(a != b)
	case opBelow:
		return truth(a < b)
	case opAtMost:
		return truth(a <= b)
	case opAbove:
		return truth(a > b)
	case opAtLeast:
		return truth(a >= b)
	case opAnd:
		return truth(a == 1 && b == 1)
	case opOr:
		return truth(a == 1 || b == 1)
	}
	return math.NaN()
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
