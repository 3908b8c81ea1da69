// Package pictures draws the pictures of docs/specification.md and writes down
// what comes of its examples.
//
// An example on that page is a specification, a table of samples, and what comes
// of it. Nothing of the third is written by hand: the samples are judged by
// rehearse, as `andon rehearse` does, and the stretches, curves and instants in
// the pictures are read off the states of engine.Decide. A page whose text or
// pictures are not what the rules do fails the test, which with -update writes
// them anew.
//
// It is a test helper and no part of the program.
package pictures
