//go:build !linux

package journal

// evict does nothing here: there is no portable way to make a kernel forget
// what it has cached of a file.
func evict(string) error { return nil }
