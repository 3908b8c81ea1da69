//go:build !linux

package gateway

import (
	"context"
	"net"
	"net/http"
	"syscall"
)

// errRefused is what dialling a socket that nobody serves gives.
const errRefused = syscall.ECONNREFUSED

func withPeer(ctx context.Context, _ net.Conn) context.Context { return ctx }

// peerName: the kernel does not say who connects.
func peerName(context.Context) string { return "os:unknown" }

// onlyOwner: the kernel does not say who connects, so nobody is let in.
func onlyOwner(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the control socket is served on Linux only", http.StatusNotImplemented)
	})
}
