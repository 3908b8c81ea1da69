// Package spc computes statistical process control: control charts and their
// exact constants, run rules, EWMA and CUSUM charts, and capability. It is
// arithmetic from numbers to numbers: it reads nothing, keeps nothing and asks
// no clock.
//
// # Two ways in
//
// Phase I, from a file of data: [Individuals], [Subgroups], [Summarize] and
// [Capable] estimate centre and sigma, from which the limits of the next
// revision of a specification are written.
//
// Phase II, point by point, with the fixed centre and sigma that were approved:
//
//	tests, err := spc.ParseRules("n1,n2=8,we4")
//	c := spc.Chart{Kind: spc.KindIndividuals, Center: 880, Sigma: 1.7, Rules: tests}
//	err = c.Check() // once, when the specification is read
//
//	var st spc.State          // the zero value is the start
//	signal := c.Step(&st, x)  // "" or the first rule that signals at x: "n2=8"
//	v := c.Value(&st)         // what is plotted: x, the EWMA, the larger CUSUM
//	st.Gap()                  // we were blind: no run spans it
//	st = spc.State{}          // new lot, phase, revision: start anew
//
// A State is comparable, bounded in size and survives JSON exactly, so a chart
// that was saved and loaded goes on as if it had never stopped. The charts of
// phase I step through their points with this same code.
//
// # On a line is not beyond it
//
// All comparisons are strict: a value on the centre line, on a zone boundary or
// on a control limit is not beyond it, and equal neighbours are no step. What is
// meant are the decimal numbers that people write. 10.3 is on the limit of
// centre 10 and sigma 0.1, though in binary (10.3-10)/0.1 is more than 3; so two
// numbers that differ by no more than what binary rounding can explain (some
// 8 units in the last place) are equal here.
package spc
