package gateway

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// errRefused is what dialling a socket that nobody serves gives.
const errRefused = syscall.ECONNREFUSED

type peerKey struct{}

// withPeer notes who has connected, as the kernel says.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return ctx
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) { cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err != nil || credErr != nil {
		return ctx
	}
	return context.WithValue(ctx, peerKey{}, cred)
}

// peerName is who asks, as the system knows him: os:root.
func peerName(ctx context.Context) string {
	cred, ok := ctx.Value(peerKey{}).(*unix.Ucred)
	if !ok {
		return "os:unknown" // onlyOwner lets nobody in of whom this is so
	}
	uid := strconv.FormatUint(uint64(cred.Uid), 10)
	if u, err := user.LookupId(uid); err == nil {
		return "os:" + u.Username
	}
	return "os:" + uid
}

// onlyOwner lets in the gateway's own user and root, and nobody of whom the
// kernel does not say who it is.
func onlyOwner(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cred, ok := r.Context().Value(peerKey{}).(*unix.Ucred)
		if !ok || int(cred.Uid) != os.Geteuid() && cred.Uid != 0 {
			http.Error(w, "only root and the user that the gateway runs as may ask", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
