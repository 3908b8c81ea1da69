package uaserver

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

func variables() []Variable {
	return []Variable{{"a", "x", ua.TypeIDDouble}, {"a", "y", ua.TypeIDString}, {"b", "x", ua.TypeIDInt32}}
}

// listen makes a server that is not served.
func listen(t testing.TB) *Server {
	t.Helper()
	s, err := Listen(Options{Name: "test", URI: "urn:test", Variables: variables()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); s.wg.Wait() })
	return s
}

// serve makes a server, serves it for the length of the test, and counts
// goroutines.
func serve(t *testing.T) *Server {
	t.Helper()
	before := runtime.NumGoroutine()
	s, err := Listen(Options{Name: "test", URI: "urn:test", Variables: variables()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("Serve did not end with its context")
		}
		eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	})
	return s
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited 10 s: %s", what)
		}
	}
}

// set sets values and fails the test when that fails.
func set(t testing.TB, s *Server, changes ...Change) time.Time {
	t.Helper()
	at, err := s.Set(changes)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// dial connects the stock client.
func dial(t *testing.T, s *Server) *opcua.Client {
	t.Helper()
	c, err := opcua.NewClient(s.Endpoint(), opcua.SecurityMode(ua.MessageSecurityModeNone), opcua.AutoReconnect(false))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = c.Close(ctx) // some tests cut it
	})
	return c
}

func TestSetRefuses(t *testing.T) {
	s := listen(t)
	for _, c := range []Change{{ID: "a.z", Value: 1.0}, {ID: "a.x", Value: make(chan int)}} {
		if _, err := s.Set([]Change{{ID: "a.y", Value: "set"}, c}); err == nil {
			t.Errorf("%v: no error", c)
		}
	}
	if v := s.nodes["a.y"]; !v.source.IsZero() {
		t.Error("a change was made although another was refused")
	}
}

func TestListenRefusesTwins(t *testing.T) {
	if _, err := Listen(Options{Variables: []Variable{{"a", "x", ua.TypeIDDouble}, {"a", "x", ua.TypeIDDouble}}}); err == nil {
		t.Error("two variables of one name")
	}
}

func TestReadAndBrowse(t *testing.T) {
	s := serve(t)
	at := set(t, s, Change{ID: "a.x", Value: 1.5}, Change{ID: "a.y", Status: ua.StatusBadSensorFailure})
	c := dial(t, s)
	ctx := t.Context()
	read := func(n *ua.NodeID, a ua.AttributeID) *ua.DataValue {
		t.Helper()
		res, err := c.Read(ctx, &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnBoth, NodesToRead: []*ua.ReadValueID{{NodeID: n, AttributeID: a}}})
		if err != nil {
			t.Fatal(err)
		}
		return res.Results[0]
	}
	x := ua.NewStringNodeID(Namespace, "a.x")
	if v := read(x, ua.AttributeIDValue); v.Value.Float() != 1.5 || !v.SourceTimestamp.Equal(at) || v.Status != ua.StatusOK || v.ServerTimestamp.Before(at) {
		t.Errorf("a.x: got %+v, set at %v", v, at)
	}
	if v := read(ua.NewStringNodeID(Namespace, "a.y"), ua.AttributeIDValue); v.Status != ua.StatusBadSensorFailure || v.Has(ua.DataValueValue) {
		t.Errorf("a.y: got %+v, want no value and a bad status", v)
	}
	if v := read(ua.NewStringNodeID(Namespace, "b.x"), ua.AttributeIDValue); v.Status != ua.StatusBadWaitingForInitialData {
		t.Errorf("b.x, never set: got %v", v.Status)
	}
	if v := read(ua.NewStringNodeID(Namespace, "a.z"), ua.AttributeIDValue); v.Status != ua.StatusBadNodeIDUnknown {
		t.Errorf("a.z: got %v", v.Status)
	}
	if v := read(x, ua.AttributeIDDataType); v.Value.NodeID().IntID() != id.Double {
		t.Errorf("type of a.x: got %v", v.Value.Value())
	}
	if v := read(x, ua.AttributeIDEventNotifier); v.Status != ua.StatusBadAttributeIDInvalid {
		t.Errorf("event notifier of a.x: got %v", v.Status)
	}
	if v := read(ua.NewNumericNodeID(0, id.Server_ServerStatus_CurrentTime), ua.AttributeIDValue); time.Since(v.Value.Time()) > time.Minute {
		t.Errorf("server time: got %v", v.Value.Time())
	}
	namespaces := []string{"http://opcfoundation.org/UA/", "urn:andon:test:server", "urn:test"}
	if v := read(ua.NewNumericNodeID(0, id.Server_NamespaceArray), ua.AttributeIDValue); !cmp.Equal(v.Value.Value(), any(namespaces)) {
		t.Errorf("namespaces: got %v", v.Value.Value())
	}
	var names []string
	var walk func(n *opcua.Node, path string)
	walk = func(n *opcua.Node, path string) {
		refs, err := n.ReferencedNodes(ctx, id.HierarchicalReferences, ua.BrowseDirectionForward, ua.NodeClassAll, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range refs {
			name, err := r.BrowseName(ctx)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, path+name.Name)
			walk(r, path+name.Name+"/")
		}
	}
	walk(c.Node(ua.NewNumericNodeID(0, id.RootFolder)), "/")
	want := []string{"/Objects", "/Objects/Server", "/Objects/a", "/Objects/a/x", "/Objects/a/y", "/Objects/b", "/Objects/b/x"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("browse (-want +got):\n%s", diff)
	}
}

func TestEndpointsSayNoSecurity(t *testing.T) {
	s := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	eps, err := opcua.GetEndpoints(ctx, s.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	if len(eps) != 1 || eps[0].SecurityPolicyURI != ua.SecurityPolicyURINone || eps[0].EndpointURL != s.Endpoint() ||
		len(eps[0].UserIdentityTokens) != 1 || eps[0].UserIdentityTokens[0].TokenType != ua.UserTokenTypeAnonymous {
		t.Errorf("got %+v", eps)
	}
}

// A secure channel can be renewed while values flow.
func TestRenewal(t *testing.T) {
	s := serve(t)
	set(t, s, Change{ID: "a.x", Value: 1.0})
	c := dial(t, s)
	for i := range 5 {
		if err := c.SecureChannel().Renew(t.Context()); err != nil {
			t.Fatalf("renewal %d: %v", i, err)
		}
		if _, err := c.Node(ua.NewStringNodeID(Namespace, "a.x")).Value(t.Context()); err != nil {
			t.Fatalf("read after renewal %d: %v", i, err)
		}
	}
}

// An answer too large for one chunk arrives whole.
func TestLargeAnswer(t *testing.T) {
	s := serve(t)
	long := string(make([]byte, 200000))
	set(t, s, Change{ID: "a.y", Value: long})
	v, err := dial(t, s).Node(ua.NewStringNodeID(Namespace, "a.y")).Value(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v.String() != long {
		t.Errorf("got %d bytes, want %d", len(v.String()), len(long))
	}
}

// Clients that hang up, say nothing, stall or break the protocol are no
// concern of others.
func TestBadClientsDelayNobody(t *testing.T) {
	s := serve(t)
	set(t, s, Change{ID: "a.x", Value: 1.0})
	raw := func() net.Conn {
		c, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { reset(c) })
		return c
	}
	raw()                              // says nothing
	reset(raw())                       // hangs up
	write(t, raw(), hello(65535)[:11]) // half a hello, and stalls
	half := raw()                      // half a request, and hangs up
	write(t, half, hello(65535), openRequest(), request(1, 1, getEndpoints())[:40])
	reset(half)
	deaf := raw() // asks and asks, and never reads
	write(t, deaf, hello(65535), openRequest())
	go func() {
		for i := uint32(2); ; i++ {
			if _, err := deaf.Write(request(5, i, getEndpoints())); err != nil {
				return
			}
		}
	}()
	c := dial(t, s)
	for range 50 {
		start := time.Now()
		if _, err := c.Node(ua.NewStringNodeID(Namespace, "a.x")).Value(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Fatalf("a read took %v", d)
		}
	}
}

// Every value set while a slow client takes its time arrives, in order.
func TestSubscriptionKeepsEveryValue(t *testing.T) {
	s := serve(t)
	set(t, s, Change{ID: "b.x", Value: int32(0)})
	notes, first := watchOne(t, s)
	got := appendValues(t, nil, first)
	want := []string{fmt.Sprint(0, s.nodes["b.x"].source)}
	for i := int32(1); i <= 500; i++ { // all within one or two intervals
		want = append(want, fmt.Sprint(i, set(t, s, Change{ID: "b.x", Value: i})))
	}
	deadline := time.After(10 * time.Second)
	for len(got) < len(want) {
		select {
		case n := <-notes:
			got = appendValues(t, got, n)
		case <-deadline:
			t.Fatalf("got %d of %d values", len(got), len(want))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-set +received):\n%s", diff)
	}
}

// watchOne subscribes to b.x with the stock client and returns its messages and
// the first of them. Now and then that client never asks for one, since a loop
// of its that starts late takes "pause" and "resume" in any order: then another
// is made.
func watchOne(t *testing.T, s *Server) (<-chan *opcua.PublishNotificationData, *opcua.PublishNotificationData) {
	t.Helper()
	for range 5 {
		notes := make(chan *opcua.PublishNotificationData, 200)
		sub, err := dial(t, s).Subscribe(t.Context(), &opcua.SubscriptionParameters{Interval: 50 * time.Millisecond}, notes)
		if err != nil {
			t.Fatal(err)
		}
		req := opcua.NewMonitoredItemCreateRequestWithDefaults(ua.NewStringNodeID(Namespace, "b.x"), ua.AttributeIDValue, 7)
		req.RequestedParameters.QueueSize = 1000
		if _, err := sub.Monitor(t.Context(), ua.TimestampsToReturnBoth, req); err != nil {
			t.Fatal(err)
		}
		select {
		case n := <-notes:
			return notes, n
		case <-time.After(3 * time.Second):
		}
	}
	t.Fatal("five clients got nothing")
	return nil, nil
}

// appendValues writes a message's values with their source times.
func appendValues(t *testing.T, got []string, n *opcua.PublishNotificationData) []string {
	t.Helper()
	d, ok := n.Value.(*ua.DataChangeNotification)
	if !ok || n.Error != nil {
		t.Fatalf("got %#v", n)
	}
	for _, m := range d.MonitoredItems {
		got = append(got, fmt.Sprint(m.Value.Value.Value(), m.Value.SourceTimestamp))
	}
	return got
}
