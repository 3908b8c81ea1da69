package panel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"andon/internal/people"
	"andon/internal/record"
)

// Gateway is what the panel shows and where acts go. All of it may be called
// from any goroutine.
type Gateway interface {
	// State is what the last commit made; nil while there has been none.
	State() *State
	// Events are the quality events that are known, newest first.
	Events() EventList
	// Past searches the record for past events. It is asked for once there is a
	// State.
	Past(ctx context.Context, q PastQuery) (Past, error)
	// DeadLetters lists what was rejected, searching the record for what is not in
	// the State.
	DeadLetters(ctx context.Context) (DeadLetters, error)
	// Hand gives an act in. An error means that it was not taken and never will
	// be; what has been taken is known by what is returned.
	Hand(ctx context.Context, act *record.Act) (Handed, error)
	// Progress is when the deciding goroutine last went round.
	Progress() time.Time
	// EachSample calls fn with the committed samples of a range, in order of i,
	// until it returns false or ctx ends.
	EachSample(ctx context.Context, r SampleRange, fn func(record.Sample) bool) error
	// HasTag says whether the settings have a tag on a piece of equipment.
	HasTag(equipment, tag string) bool
	// Audit reads the audit trail. It is asked for once there is a State.
	Audit(ctx context.Context, r AuditRange) (AuditList, error)
	// Tree is the record's tree. It is asked for once there is a State.
	Tree() Tree
}

// People verifies who acts. *people.Store is one.
type People interface {
	// NewNonce gives a number that is good for one signature.
	NewNonce(now time.Time) string
	// NewLogin gives a number that is good for one login.
	NewLogin(now time.Time) string
	// Verify says who it is that signs, and that this person has the right to.
	Verify(ctx context.Context, s people.Signed) (people.Person, error)
	// List is everybody who may be known to sign.
	List(now time.Time) ([]people.Person, error)
}

// Options are what a panel is made of.
type Options struct {
	Gateway Gateway
	People  People
	// Listen is host:port; port 0 takes a free one. Anything but a loopback
	// address needs Certificate and Key, files in PEM.
	Listen           string
	Certificate, Key string
	// Hosts are the names by which the panel may be asked for, besides Listen's
	// and those of the loopback interface when it listens there.
	Hosts []string
	// ScreenDiagonalIn (inches) and ViewingDistanceM (metres) make the sizes.
	ScreenDiagonalIn, ViewingDistanceM float64

	Version string
	Log     *slog.Logger
	Now     func() time.Time
}

// Panel serves pages, API and stream. Make it with New, run it once.
type Panel struct {
	o        Options
	listener net.Listener
	loopback bool
	hosts    []string
	assets   *assets
	hub      *hub
	sessions sessions
	reads    chan struct{} // who is reading the record
	requests requests
	server   *http.Server
}

// Bounds on what a client may make us hold and wait for.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 15 * time.Second
	idleTimeout   = 2 * time.Minute
	headerBytes   = 16 << 10
	bodyBytes     = 16 << 10
	stopTimeout   = 2 * time.Second
)

// New takes the address and makes everything ready. The error says what is
// wrong with the options, or why the address cannot be had.
func New(o Options) (*Panel, error) {
	p := &Panel{o: o, reads: make(chan struct{}, readAtOnce)}
	if p.o.Log == nil {
		p.o.Log = slog.New(slog.DiscardHandler)
	}
	if p.o.Now == nil {
		p.o.Now = time.Now
	}
	var err error
	if p.assets, err = loadAssets(); err != nil {
		return nil, fmt.Errorf("panel: %w", err)
	}
	p.hub = newHub(o.Gateway, p.o.Now)
	if p.listener, err = p.listen(); err != nil {
		return nil, fmt.Errorf("panel: listen on %s: %w", o.Listen, err)
	}
	p.server = &http.Server{
		Handler:           p.handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(p.o.Log.Handler(), slog.LevelDebug),
	}
	return p, nil
}

// errClear: what would go over the network could be read by anyone on it.
var errClear = errors.New("it can be reached from the network and has no TLS: PINs would be sent in the clear (give panel.tls a certificate and key, or listen on 127.0.0.1)")

func (p *Panel) listen() (net.Listener, error) {
	host, _, err := net.SplitHostPort(p.o.Listen)
	if err != nil {
		return nil, err
	}
	p.loopback = isLoopback(host)
	if !p.loopback && p.o.Certificate == "" {
		return nil, errClear
	}
	p.hosts = slices.Clone(p.o.Hosts)
	if host != "" {
		p.hosts = append(p.hosts, host)
	}
	if p.loopback {
		p.hosts = append(p.hosts, "localhost", "127.0.0.1", "::1")
	}
	l, err := net.Listen("tcp", p.o.Listen)
	if err != nil || p.o.Certificate == "" {
		return l, err
	}
	pair, err := tls.LoadX509KeyPair(p.o.Certificate, p.o.Key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("certificate %s: %w", p.o.Certificate, err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}), nil
}

// isLoopback says whether a host to listen on cannot be reached from elsewhere.
// No host is all addresses.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// URL is where a browser finds it.
func (p *Panel) URL() string {
	scheme := "http"
	if p.o.Certificate != "" {
		scheme = "https"
	}
	return scheme + "://" + p.listener.Addr().String() + "/"
}

// Wake says that something has been committed. It never waits.
func (p *Panel) Wake() { p.hub.wake() }

// Streams is how many browsers are being told of changes.
func (p *Panel) Streams() int { return p.hub.streams() }

// Close gives the address back. It is for a panel that was never run.
func (p *Panel) Close() error { return p.listener.Close() }

// Run serves until ctx ends. Streams end first: they would go on for ever.
func (p *Panel) Run(ctx context.Context) error {
	var parts errgroup.Group
	running, stop := context.WithCancel(ctx)
	defer stop()
	parts.Go(func() error { p.hub.run(running); return nil })
	parts.Go(func() error {
		<-running.Done()
		p.hub.close()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := p.server.Shutdown(last); err != nil {
			return p.server.Close() // whoever has not finished by now is cut
		}
		return nil
	})
	parts.Go(func() error {
		defer stop()
		if err := p.server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("panel: %w", err)
		}
		return nil
	})
	return parts.Wait()
}

// handler is everything that is served, behind what guards it.
func (p *Panel) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/{version}/{name...}", p.assets)
	p.routePages(mux)
	p.routeHealth(mux)
	p.routeAPI(mux)
	mux.HandleFunc("GET /api/v1/stream", p.stream)
	return p.guard(mux)
}

// terminal is where a request comes from, for the record.
func terminal(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return strings.TrimPrefix(host, "::ffff:")
}
