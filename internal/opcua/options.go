package opcua

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/sample"
)

// Options describe one source: one OPC UA server and what is read from it.
type Options struct {
	// Name is the source's name in settings and records.
	Name string
	// Endpoint is the server's address: opc.tcp://host[:port][/path]; the port
	// is 4840 when absent.
	Endpoint string

	// Policy is None, Basic256Sha256, Aes128_Sha256_RsaOaep or
	// Aes256_Sha256_RsaPss. Mode is None, Sign or SignAndEncrypt.
	Policy, Mode string
	// Insecure allows what is otherwise refused: policy None, and a password
	// that is not encrypted.
	Insecure bool
	// Trust is a certificate file, or a folder of them (DER or PEM), that names
	// the servers that are accepted: by their own certificate, or by their CA.
	Trust string
	// Certificate and Key are the files of our own application instance (see
	// EnsureIdentity). Not needed with policy None.
	Certificate, Key string
	// Username and Password log in; no Username is an anonymous session.
	Username, Password string

	// Publish is the publishing interval that is asked for; 0 is 250 ms.
	Publish time.Duration
	// Items are the tags. Their order is of no importance.
	Items []Item

	// Logger gets one line at the begin and one at the end of an interruption,
	// and warnings when the server revises what was asked. nil logs nothing.
	Logger *slog.Logger
	// Now gives the gateway's clock, for arrival times; nil is time.Now. No
	// source time ever comes from it.
	Now func() time.Time
}

// Item is one tag and where its value is.
type Item struct {
	// Tag is the number under which readings are handed over.
	Tag sample.Tag
	// Node is the node id: ns=2;s=Phase, i=2258, nsu=urn:plc:furnace;s=TC1, and
	// with g= (GUID) or b= (base64).
	Node string
	// Type is the declared type: bool int8 uint8 int16 uint16 int32 uint32 int64
	// uint64 float32 float64 string string(N). A value of another type is bad.
	// Empty takes any of them.
	Type string
	// Every is the sampling interval; 0 asks for the server's own cycle.
	Every time.Duration
	// Scale and Offset make the engineering value: raw x Scale + Offset. A Scale
	// of 0 is no scaling, that is 1.
	Scale, Offset float64
	// Range, in engineering units and inclusive, is what the sensor can give:
	// what is outside is bad.
	Range *[2]float64
	// Queue is how many values the server keeps between two publish answers; 0
	// is enough for ten seconds at Every.
	Queue uint32
}

const (
	defaultPublish = 250 * time.Millisecond
	// minPublish and maxPublish bound what can be asked: below, a server is
	// flooded; above, a lost connection would be noticed too late.
	minPublish = 10 * time.Millisecond
	maxPublish = time.Minute
)

// modes are the security modes by their names in settings.
var modes = map[string]ua.MessageSecurityMode{
	"None":           ua.MessageSecurityModeNone,
	"Sign":           ua.MessageSecurityModeSign,
	"SignAndEncrypt": ua.MessageSecurityModeSignAndEncrypt,
}

// policies are the security policies by their names in settings. Those that the
// OPC Foundation has withdrawn (Basic128Rsa15, Basic256) are not among them.
var policies = map[string]string{
	"None":                  ua.SecurityPolicyURINone,
	"Basic256Sha256":        ua.SecurityPolicyURIBasic256Sha256,
	"Aes128_Sha256_RsaOaep": ua.SecurityPolicyURIAes128Sha256RsaOaep,
	"Aes256_Sha256_RsaPss":  ua.SecurityPolicyURIAes256Sha256RsaPss,
}

// check finds everything that is wrong with the options themselves; files are
// read later.
func (o *Options) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Name == "" {
		bad("name is empty")
	}
	if _, err := hostPort(o.Endpoint); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, o.checkSecurity()...)
	if o.Publish != 0 && (o.Publish < minPublish || o.Publish > maxPublish) {
		bad("publish %v: want %v to %v", o.Publish, minPublish, maxPublish)
	}
	tags := make(map[sample.Tag]bool, len(o.Items))
	for _, it := range o.Items {
		if tags[it.Tag] {
			bad("item %s: tag %d is there twice", it.Node, it.Tag)
		}
		tags[it.Tag] = true
		if _, err := newItem(it); err != nil {
			bad("item %q: %w", it.Node, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("opcua source %s: %w", o.Name, err)
	}
	return nil
}

// checkSecurity refuses what is unknown, inconsistent or weaker than allowed.
func (o *Options) checkSecurity() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	_, okPolicy := policies[o.Policy]
	_, okMode := modes[o.Mode]
	none := o.Policy == "None"
	switch {
	case !okPolicy:
		bad("security policy %q: want Basic256Sha256, Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss or None", o.Policy)
	case !okMode:
		bad("security mode %q: want SignAndEncrypt, Sign or None", o.Mode)
	case none != (o.Mode == "None"):
		bad("security policy %s does not go with mode %s", o.Policy, o.Mode)
	case none && !o.Insecure:
		bad("security policy None: anyone on the network could send values; choose a policy, or say insecure: true")
	case !none && o.Trust == "":
		bad("trust is not set: no server certificate would be accepted")
	case !none && (o.Certificate == "" || o.Key == ""):
		bad("security policy %s needs our own certificate and key", o.Policy)
	}
	return errs
}

// hostPort returns the TCP address of an endpoint.
func hostPort(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("endpoint: %w", err)
	}
	if u.Scheme != "opc.tcp" || u.Hostname() == "" || u.User != nil {
		return "", fmt.Errorf("endpoint %q: want opc.tcp://host:port", endpoint)
	}
	port := u.Port()
	if port == "" {
		port = "4840"
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}
