// Package sample is the vocabulary of one reading: a tag, its value, the
// quality the source gave it, and its two times. Everything that enters the
// gateway from a PLC is made of these words and everything that is judged,
// recorded or sent refers to them.
//
// It is pure: no clock, no I/O. It imports nothing of ours.
package sample
