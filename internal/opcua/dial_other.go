//go:build !linux

package opcua

import "syscall"

// userTimeout does nothing here: the silence of a subscription is what counts,
// the kernel's word only comes sooner.
func userTimeout(_, _ string, _ syscall.RawConn) error { return nil }
