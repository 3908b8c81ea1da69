package opcua

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/sample"
)

// handshakeTimeout bounds everything from the first packet to an open secure
// channel.
const handshakeTimeout = 5 * time.Second

// dialer makes secure channels to one endpoint.
type dialer struct {
	endpoint string
	policy   string // URI
	mode     ua.MessageSecurityMode
	own      *Identity
	trust    *trust
	now      func() time.Time
	lifetime time.Duration // of a token
}

func (d *dialer) clock() sample.Time { return sample.At(d.now()) }

// dial opens a secure channel. With security, it first asks the server for its
// certificate over an unprotected channel; what comes that way is believed only
// if the certificate is one that we trust.
func (d *dialer) dial(ctx context.Context) (*channel, error) {
	sec, err := d.security(ctx)
	if err != nil {
		return nil, err
	}
	return d.channel(ctx, sec)
}

// channel opens a channel with given security.
func (d *dialer) channel(ctx context.Context, sec *security) (*channel, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout, errors.New("the server did not answer in time"))
	defer cancel()
	address, err := hostPort(d.endpoint)
	if err != nil {
		return nil, err
	}
	nd := net.Dialer{
		Control:         userTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
	}
	conn, err := nd.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return openChannel(ctx, conn, d, sec)
}

// security finds the server's certificate, unless there is to be none.
func (d *dialer) security(ctx context.Context) (*security, error) {
	if d.mode == ua.MessageSecurityModeNone {
		return noSecurity()
	}
	offers, err := d.discover(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the server's certificate: %w", err)
	}
	cert, err := d.choose(offers)
	if err != nil {
		return nil, err
	}
	return newSecurity(d.policy, d.mode, d.own, cert)
}

// choose returns the accepted certificate of the endpoint with our policy and
// mode.
func (d *dialer) choose(offers []*ua.EndpointDescription) (*x509.Certificate, error) {
	for _, e := range offers {
		if e.SecurityPolicyURI == d.policy && e.SecurityMode == d.mode {
			return d.trust.accept(e.ServerCertificate, d.host(), d.now())
		}
	}
	return nil, fmt.Errorf("the server does not offer %s with %s; it offers %s", policyName(d.policy), modeName(d.mode), offered(offers))
}

// offered lists policies and modes in words.
func offered(offers []*ua.EndpointDescription) string {
	var list []string
	for _, e := range offers {
		list = append(list, fmt.Sprintf("%s with %s", policyName(e.SecurityPolicyURI), modeName(e.SecurityMode)))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

func policyName(uri string) string {
	return strings.TrimPrefix(uri, ua.SecurityPolicyURIPrefix)
}

func modeName(m ua.MessageSecurityMode) string {
	for name, mode := range modes {
		if mode == m {
			return name
		}
	}
	return fmt.Sprintf("mode %d", m)
}

// host is the server's name in the endpoint.
func (d *dialer) host() string {
	u, err := url.Parse(d.endpoint)
	if err != nil {
		return "" // checked when the options were; no certificate is made for it
	}
	return u.Hostname()
}

// discover asks for the server's endpoints over a channel without security.
func (d *dialer) discover(ctx context.Context) ([]*ua.EndpointDescription, error) {
	sec, err := noSecurity()
	if err != nil {
		return nil, err
	}
	c, err := d.channel(ctx, sec)
	if err != nil {
		return nil, err
	}
	defer c.close()
	resp, err := call[*ua.GetEndpointsResponse](ctx, c, &ua.GetEndpointsRequest{EndpointURL: d.endpoint})
	if err != nil {
		return nil, err
	}
	return resp.Endpoints, nil
}

// requestTimeout is how long any answer but a publish answer may take.
const requestTimeout = 5 * time.Second

// call sends a request and waits for its answer, which must be a T.
func call[T ua.Response](ctx context.Context, l link, req ua.Request) (T, error) {
	var none T
	to := make(chan reply, 1)
	id, err := l.send(req, to)
	if err != nil {
		return none, err
	}
	timer := time.NewTimer(requestTimeout)
	defer timer.Stop()
	select {
	case r := <-to:
		return answered[T](r, req)
	case <-timer.C:
		l.forget(id)
		return none, fmt.Errorf("%s: %w", service(req), errTimeout)
	case <-ctx.Done():
		l.forget(id)
		return none, context.Cause(ctx)
	}
}

var errTimeout = errors.New("the server did not answer in time")

// answered checks an answer's kind. A status that is not good is an error; it
// can be found with errors.As as a ua.StatusCode.
func answered[T ua.Response](r reply, req ua.Request) (T, error) {
	var none T
	if r.err != nil {
		return none, fmt.Errorf("%s: %w", service(req), named(r.err))
	}
	resp, ok := r.resp.(T)
	if !ok {
		return none, fmt.Errorf("%s: the server answered with %T", service(req), r.resp)
	}
	return resp, nil
}

// statusError is a status code as an error, in the words of the standard.
type statusError struct{ code ua.StatusCode }

func (e statusError) Error() string { return statusName(e.code) }

func (e statusError) Unwrap() error { return e.code }

// named gives a bare status code its name.
func named(err error) error {
	var s statusError
	var code ua.StatusCode
	if !errors.As(err, &s) && errors.As(err, &code) {
		return statusError{code}
	}
	return err
}

// service names a request as the standard does: CreateSession.
func service(req ua.Request) string {
	return strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", req), "*ua."), "Request")
}
