// Package rehearse judges samples from a file exactly as the daemon would have
// judged them, and judges a recorded day once more.
//
// A rehearsal (Run) makes of a specification and a table of samples what the
// gateway makes of its settings and its PLCs: a start with a wiring, the
// approvers, the document, and then one scan a row, with the ticks of the clock
// in between. All of it goes through engine.Decide; nothing here judges. What
// follows is printed as JSON lines in the order of the instants at which it is
// known.
//
// The gateway that is played has the name and the epoch "rehearse", one source
// without skew, and no grace: a row arrives at its own instant, and nothing is
// on its way when a timer is due.
//
// A comparison (Again) decides the inputs of a journal from the first one on and
// holds what follows against what was recorded, byte for byte.
//
// The package reads no clock and opens no files: it is given readers.
package rehearse
