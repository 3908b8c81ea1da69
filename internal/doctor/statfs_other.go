//go:build !linux

package doctor

// statfs: what is free is not found out on this system.
func statfs(string) (free int64, kind string, ok bool) { return 0, "", false }
