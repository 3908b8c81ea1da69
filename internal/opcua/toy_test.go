package opcua

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/gopcua/opcua/server"
	"github.com/gopcua/opcua/ua"

	"andon/internal/record"
	"andon/internal/sample"
)

// toy starts gopcua's own server without security, with one variable, and
// returns its endpoint and a way to set the variable.
func toy(t *testing.T) (endpoint string, set func(v float64, at time.Time)) {
	t.Helper()
	srv := server.New(
		server.EndPoint("127.0.0.1", freePort(t)),
		server.EnableSecurity("None", ua.MessageSecurityModeNone),
		server.EnableAuthMode(ua.UserTokenTypeAnonymous),
	)
	ns := server.NewNodeNameSpace(srv, "urn:test")
	node := server.NewVariableNode(ua.NewStringNodeID(ns.ID(), "TC1"), "TC1", 0.0)
	ns.AddNode(node)
	ns.Objects().AddRef(node, server.RefType(47), true)
	if err := srv.Start(context.Background()); err != nil { // its end is Close
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Log("close toy server:", err)
		}
	})
	return srv.URLs()[0], func(v float64, at time.Time) {
		val := server.DataValueFromValue(v)
		val.SourceTimestamp, val.ServerTimestamp = at, at
		val.EncodingMask |= ua.DataValueSourceTimestamp | ua.DataValueServerTimestamp
		if err := node.SetAttribute(ua.AttributeIDValue, val); err != nil {
			t.Error(err)
		}
		ns.ChangeNotification(node.ID())
	}
}

// freePort returns a port that was free a moment ago: the toy server cannot be
// asked which one it was given.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// sinkFunc is a Sink.
type sinkFunc func(ctx context.Context, b Batch) error

func (f sinkFunc) Put(ctx context.Context, b Batch) error { return f(ctx, b) }

// TestToyServer goes the whole way against a server that is not ours: values
// come with their times, an unknown node is bad alone, what does not change is
// confirmed.
func TestToyServer(t *testing.T) {
	endpoint, set := toy(t)
	start := time.Now().Truncate(time.Millisecond)
	set(1, start)
	s, err := New(Options{Name: "plc", Endpoint: endpoint, Policy: "None", Mode: "None", Insecure: true,
		Publish: 50 * time.Millisecond,
		Items:   []Item{{Tag: 1, Node: "nsu=urn:test;s=TC1", Type: "float64", Every: 50 * time.Millisecond}, {Tag: 2, Node: "nsu=urn:nobody;s=Nope"}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	const want = 5
	var values []float64
	var refused, confirmed int
	err = s.Run(ctx, sinkFunc(func(_ context.Context, b Batch) error {
		for _, in := range b.Inputs {
			switch in := in.(type) {
			case *record.Loss:
				t.Errorf("loss %+v", in)
			case *record.Confirm:
				if len(in.Except) != 1 || in.Except[0] != 2 {
					t.Errorf("confirmation leaves out %v, want tag 2", in.Except)
				}
				if confirmed++; confirmed > 5 && len(values) == want {
					cancel()
				}
			case *record.Scan:
				for _, r := range in.Readings {
					if r.Tag == 2 {
						refused++
						if r.Quality != sample.Bad || r.Status != StatusNamespace {
							t.Errorf("unknown node: %+v", r)
						}
						continue
					}
					n, _ := r.Value.Number()
					if want := sample.At(start.Add(time.Duration(n-1) * time.Second)); in.Time != want || r.Quality != sample.Good {
						t.Errorf("value %v at %v, want %v, good: %+v", n, in.Time, want, r)
					}
					if values = append(values, n); len(values) < want {
						set(n+1, start.Add(time.Duration(n)*time.Second))
					}
				}
			}
		}
		s.Committed(b.Token)
		return nil
	}))
	if err != nil || len(values) != want || values[want-1] != want || refused != 1 || confirmed <= 5 {
		t.Errorf("got %v, values %v, %d refusals, %d confirmations", err, values, refused, confirmed)
	}
	if st := s.Status(); st.Refused[2] != StatusNamespace || st.Connects != 1 {
		t.Errorf("status %+v", st)
	}
}
