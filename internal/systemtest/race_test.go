//go:build race

package systemtest

// withRace: the program under test is built with the race detector, as this is.
const withRace = true
