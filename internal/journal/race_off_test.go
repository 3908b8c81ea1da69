//go:build !race

package journal

// raced says that the race detector is on, under which all is ten times slower.
const raced = false
