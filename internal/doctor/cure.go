package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"andon/internal/opcua"
	"andon/internal/uplink"
)

// cure is what a person can do about an error, as far as its kind tells.
func cure(err error) string {
	var dns *net.DNSError
	var untrusted *opcua.UntrustedError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var network net.Error
	switch {
	case errors.As(err, &untrusted):
		return "compare the thumbprint at the server itself; if it is the same, put the certificate into " + untrusted.Trust
	case errors.Is(err, uplink.ErrCredentials):
		return "does the broker know this user, and is the password file the right one? see the broker's log"
	case errors.As(err, &authority):
		return "name the CA that signed the broker's certificate under tls.ca"
	case errors.As(err, &host):
		return "write the name that the certificate has into the settings, or give the broker one with this name"
	case errors.As(err, &invalid):
		return "is the certificate expired, or this machine's clock wrong? renew it, or set the clock"
	case errors.As(err, &record):
		return "the other side does not speak TLS on this port: is it the right one (8883)?"
	case errors.As(err, &dns):
		return "the name is not known here: use the address, or mend DNS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the machine is there and nothing listens: is the server started, and the port right?"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no way there: cable, switch, address, route"
	case errors.Is(err, fs.ErrNotExist):
		return "the file is not there: is the path right?"
	case errors.Is(err, fs.ErrPermission):
		return "run doctor as the user that andon runs as, or let that user read the file"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "nobody answers: is the address right, the machine on, a firewall between?"
	case strings.Contains(err.Error(), "does not offer"):
		return "choose one of the offered under security, or let the server's engineer switch ours on"
	case strings.Contains(err.Error(), "allow the gateway to read"):
		return "give the gateway's user the topics of deploy/mosquitto/andon.acl"
	}
	return "see the message; the other side's log says more"
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
