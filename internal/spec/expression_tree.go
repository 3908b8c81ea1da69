package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"andon/internal/strictyaml"
)

// compiler turns the tree of an expression into steps.
type compiler struct {
	language
	used  map[string]bool
	steps []step
	stack int // numbers on the stack after steps
}

func (c *compiler) emit(s step) *fault {
	c.steps = append(c.steps, s)
	c.stack += 1 - s.op.pops()
	if c.stack > maxStack {
		return &fault{"the expression is nested too deep", "make it simpler"}
	}
	return nil
}

func (c *compiler) node(n ast.Node) (valueKind, *fault) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return aNumber, c.emit(step{op: opPush, x: float64(n.Value)})
	case *ast.FloatNode:
		return aNumber, c.emit(step{op: opPush, x: n.Value})
	case *ast.BoolNode:
		return aTruth, c.emit(step{op: opPush, x: truth(n.Value)})
	case *ast.StringNode:
		i := slices.Index(classes, n.Value)
		if i < 0 {
			return 0, &fault{fmt.Sprintf("%q is not a class", clip(n.Value)), "a class is one of " + strings.Join(classes, ", ")}
		}
		return aClass, c.emit(step{op: opPush, x: float64(i)})
	case *ast.IdentifierNode:
		v, ok := c.names[n.Value]
		if !ok {
			return 0, c.unknown(n.Value)
		}
		c.used[n.Value] = true
		return v.kind, c.emit(step{op: opLoad, i: v.i})
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(callee.Value, n.Arguments)
		}
	case *ast.BuiltinNode:
		return c.call(n.Name, n.Arguments)
	}
	return 0, &fault{fmt.Sprintf("%s has no meaning here", clip(fmt.Sprint(n))), "an expression is arithmetic, comparisons, and, or, not, and a ? b : c"}
}

func (c *compiler) unknown(name string) *fault {
	if near := strictyaml.Nearest(name, slices.Sorted(maps.Keys(c.names))); near != "" {
		return &fault{fmt.Sprintf("the expression names %s, which is not known here", clip(name)), fmt.Sprintf("did you mean %q?", near)}
	}
	return &fault{fmt.Sprintf("the expression names %s, which is not known here", clip(name)), "it may name " + c.known()}
}

// wants compiles a part that must be of a kind.
func (c *compiler) wants(n ast.Node, kind valueKind, by string) *fault {
	got, f := c.node(n)
	if f == nil && got != kind {
		f = &fault{fmt.Sprintf("%s wants %s and has %s", by, kind, got), "mind the brackets: and, or and not bind less than comparisons, those less than arithmetic"}
	}
	return f
}

func (c *compiler) unary(n *ast.UnaryNode) (valueKind, *fault) {
	switch n.Operator {
	case "-":
		f := c.wants(n.Node, aNumber, "-")
		if f == nil {
			f = c.emit(step{op: opNeg})
		}
		return aNumber, f
	case "+":
		return aNumber, c.wants(n.Node, aNumber, "+")
	}
	f := c.wants(n.Node, aTruth, n.Operator)
	if f == nil {
		f = c.emit(step{op: opNot})
	}
	return aTruth, f
}

// operator is what a sign between two parts does, and of what it makes what.
type operator struct {
	op     op
	of, is valueKind
}

func operatorOf(sign string) (o operator, ok bool) {
	switch sign {
	case "+":
		return operator{opAdd, aNumber, aNumber}, true
	case "-":
		return operator{opSub, aNumber, aNumber}, true
	case "*":
		return operator{opMul, aNumber, aNumber}, true
	case "/":
		return operator{opDiv, aNumber, aNumber}, true
	case "^":
		return operator{opPower, aNumber, aNumber}, true
	case "<":
		return operator{opBelow, aNumber, aTruth}, true
	case "<=":
		return operator{opAtMost, aNumber, aTruth}, true
	case ">":
		return operator{opAbove, aNumber, aTruth}, true
	case ">=":
		return operator{opAtLeast, aNumber, aTruth}, true
	case "==":
		return operator{opEqual, aNumber, aTruth}, true
	case "!=":
		return operator{opUnequal, aNumber, aTruth}, true
	case "and", "&&":
		return operator{opAnd, aTruth, aTruth}, true
	case "or", "||":
		return operator{opOr, aTruth, aTruth}, true
	}
	return operator{}, false
}

func (c *compiler) binary(n *ast.BinaryNode) (valueKind, *fault) {
	o, ok := operatorOf(n.Operator)
	if !ok {
		return 0, &fault{fmt.Sprintf("the operator %s has no meaning here", n.Operator), "there are + - * / ^ < <= > >= == != and or not"}
	}
	left, f := c.node(n.Left)
	if f != nil {
		return 0, f
	}
	if o.op == opEqual || o.op == opUnequal {
		o.of = left // of any two that are alike
	}
	if left != o.of {
		return 0, &fault{fmt.Sprintf("%s wants %s and has %s", n.Operator, o.of, left), "mind the brackets: and, or and not bind less than comparisons, those less than arithmetic"}
	}
	if f := c.wants(n.Right, o.of, n.Operator); f != nil {
		return 0, f
	}
	return o.is, c.emit(step{op: o.op})
}

func (c *compiler) conditional(n *ast.ConditionalNode) (valueKind, *fault) {
	if f := c.wants(n.Cond, aTruth, "?"); f != nil {
		return 0, f
	}
	kind, f := c.node(n.Exp1)
	if f == nil {
		f = c.wants(n.Exp2, kind, "a condition with "+kind.String()+" on its one side")
	}
	if f == nil {
		f = c.emit(step{op: opChoose})
	}
	return kind, f
}

// function is one that expressions may call.
type function struct {
	op    op
	least int // arguments
	most  int
}

// functionNames are all of them, for hints.
const functionNames = "abs, exp, log, max, mean, min, pow, sqrt"

func functionOf(name string) (f function, ok bool) {
	const many = maxNodes
	switch name {
	case "abs":
		return function{opAbs, 1, 1}, true
	case "exp":
		return function{opExp, 1, 1}, true
	case "log": // the natural one
		return function{opLn, 1, 1}, true
	case "sqrt":
		return function{opSqrt, 1, 1}, true
	case "pow":
		return function{opPower, 2, 2}, true
	case "min":
		return function{opLesser, 1, many}, true
	case "max":
		return function{opGreater, 1, many}, true
	case "mean":
		return function{opAdd, 1, many}, true
	}
	return function{}, false
}

// call compiles a call; of many arguments step by step, so that the stack does
// not grow with their number.
func (c *compiler) call(name string, args []ast.Node) (valueKind, *fault) {
	fn, ok := functionOf(name)
	switch {
	case !ok:
		return 0, &fault{fmt.Sprintf("there is no function %s", clip(name)), "there are " + functionNames}
	case len(args) < fn.least || len(args) > fn.most:
		return 0, &fault{fmt.Sprintf("%s of %d values", name, len(args)), fmt.Sprintf("it takes at least %d and at most %d", fn.least, fn.most)}
	}
	for i, a := range args {
		if f := c.wants(a, aNumber, name); f != nil {
			return 0, f
		}
		if i > 0 || fn.most == 1 {
			if f := c.emit(step{op: fn.op}); f != nil {
				return 0, f
			}
		}
	}
	if name != "mean" {
		return aNumber, nil
	}
	if f := c.emit(step{op: opPush, x: float64(len(args))}); f != nil {
		return 0, f
	}
	return aNumber, c.emit(step{op: opDiv})
}
