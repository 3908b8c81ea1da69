//go:build !race

package systemtest

// withRace: the program under test is built without the race detector, as this is.
const withRace = false
