// Package engine is the whole of deciding: Decide takes one numbered input
// through production, judge, alarm, quality and outbox, and returns all that
// follows from it. The daemon, rehearsals and the simulator run this one
// function.
//
// It is a function of the state and the input, time included: it reads no
// clock, keeps no goroutine and does no I/O. A state saved and loaded anywhere
// between two inputs goes on to the same outcomes.
//
// What the shell owes it, in this order:
//
//  1. Number the inputs from 1 without gaps; within what arrives together, in
//     order of source time.
//  2. Decide each, and answer its Needs with Answer inputs.
//  3. Commit inputs and outcomes in one transaction. Nothing that follows is
//     shown, sent or acknowledged before that.
//  4. When Due has come, decide a Tick.
//
// If a commit's fate is unknown the state is thrown away and made again: Load
// the last snapshot, Decide the recorded inputs behind it.
package engine
