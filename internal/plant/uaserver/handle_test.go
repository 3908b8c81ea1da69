package uaserver

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopcua/opcua/ua"
)

// inCodec says, within a recover, whether the panic came from the library's
// decoder.
func inCodec() bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "github.com/gopcua/opcua/ua") {
			return true
		}
		if strings.HasPrefix(f.Function, "andon/internal/plant/uaserver.(*Server)") || !more {
			return false
		}
	}
}

// desk is a client without a socket: its requests go straight to the handlers,
// and the test plays the clock of its subscriptions.
type desk struct {
	t     testing.TB
	s     *Server
	c     *conn
	token *ua.NodeID
	n     uint32
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	return deskOn(t, listen(t))
}

func deskOn(t testing.TB, s *Server) *desk {
	t.Helper()
	d := &desk{t: t, s: s, token: ua.NewTwoByteNodeID(0)}
	d.connect()
	d.token = ask[*ua.CreateSessionResponse](d, &ua.CreateSessionRequest{}).AuthenticationToken
	ask[*ua.ActivateSessionResponse](d, &ua.ActivateSessionRequest{})
	return d
}

// connect gives the client a new connection.
func (d *desk) connect() {
	ours, theirs := net.Pipe()
	d.t.Cleanup(func() { reset(ours); reset(theirs) })
	d.c = &conn{server: d.s, tcp: ours, wire: newWire(ours, 1)}
	d.s.mu.Lock()
	d.s.conns[d.c] = struct{}{}
	d.s.mu.Unlock()
}

func (d *desk) send(r ua.Request) ua.Response {
	d.n++
	r.SetHeader(&ua.RequestHeader{AuthenticationToken: d.token, RequestHandle: d.n})
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.s.handle(d.c, message{id: d.n, body: r})
}

// ask sends a request and wants a good answer of one type.
func ask[T ua.Response](d *desk, r ua.Request) T {
	d.t.Helper()
	resp, ok := d.send(r).(T)
	if !ok || resp.Header().ServiceResult != ua.StatusOK {
		d.t.Fatalf("%T: got %#v", r, resp)
	}
	return resp
}

// faulted sends a request and wants a fault.
func (d *desk) faulted(r ua.Request, want ua.StatusCode) {
	d.t.Helper()
	f, ok := d.send(r).(*ua.ServiceFault)
	if !ok || f.ResponseHeader.ServiceResult != want {
		d.t.Errorf("%T: got %+v, want fault %v", r, f, want)
	}
}

// subscribe makes a subscription whose own clock is too slow to interfere.
func (d *desk) subscribe(r *ua.CreateSubscriptionRequest) *subscription {
	d.t.Helper()
	r.RequestedPublishingInterval, r.PublishingEnabled = 10000, true
	resp := ask[*ua.CreateSubscriptionResponse](d, r)
	return d.s.subs[resp.SubscriptionID]
}

// watch monitors variables; client handles count from 1.
func (d *desk) watch(sub *subscription, p ua.MonitoringParameters, ids ...string) []uint32 {
	d.t.Helper()
	r := &ua.CreateMonitoredItemsRequest{SubscriptionID: sub.id, TimestampsToReturn: ua.TimestampsToReturnBoth}
	for i, id := range ids {
		q := p
		q.ClientHandle = uint32(i + 1)
		r.ItemsToCreate = append(r.ItemsToCreate, &ua.MonitoredItemCreateRequest{
			ItemToMonitor:       &ua.ReadValueID{NodeID: ua.NewStringNodeID(Namespace, id), AttributeID: ua.AttributeIDValue},
			MonitoringMode:      ua.MonitoringModeReporting,
			RequestedParameters: &q,
		})
	}
	var out []uint32
	for i, res := range ask[*ua.CreateMonitoredItemsResponse](d, r).Results {
		if res.StatusCode != ua.StatusOK {
			d.t.Fatalf("monitor %s: %v", ids[i], res.StatusCode)
		}
		out = append(out, res.MonitoredItemID)
	}
	return out
}

// publish sends a Publish request, which is answered later.
func (d *desk) publish(acks ...*ua.SubscriptionAcknowledgement) {
	d.t.Helper()
	if resp := d.send(&ua.PublishRequest{SubscriptionAcknowledgements: acks}); resp != nil {
		d.t.Fatalf("publish: got %+v at once", resp)
	}
}

// tick lets an interval pass and returns the messages that it brought.
func (d *desk) tick(sub *subscription) []*ua.PublishResponse {
	d.t.Helper()
	out, _, _ := d.s.cycle(sub, true)
	var resps []*ua.PublishResponse
	for _, o := range out {
		r, ok := o.resp.(*ua.PublishResponse)
		if !ok {
			d.t.Fatalf("got %#v", o.resp)
		}
		resps = append(resps, r)
	}
	return resps
}

// values are the values of a message, with an exclamation mark where others
// were lost.
func values(r *ua.PublishResponse) []any {
	var out []any
	for _, n := range r.NotificationMessage.NotificationData {
		d, ok := n.Value.(*ua.DataChangeNotification)
		if !ok {
			return append(out, n.Value)
		}
		for _, m := range d.MonitoredItems {
			v := m.Value.Value.Value()
			if m.Value.Status&overflow == overflow {
				out = append(out, "!")
			}
			out = append(out, v)
		}
	}
	return out
}

func TestMessagesAreNumberedAndKept(t *testing.T) {
	d := newDesk(t)
	set(t, d.s, Change{ID: "b.x", Value: int32(1)})
	sub := d.subscribe(&ua.CreateSubscriptionRequest{RequestedMaxKeepAliveCount: 2})
	type told struct {
		Seq       uint32
		Values    []any
		Available []uint32
		Results   []ua.StatusCode
	}
	step := func(acks ...*ua.SubscriptionAcknowledgement) *told {
		t.Helper()
		d.publish(acks...)
		rs := d.tick(sub)
		if len(rs) == 0 {
			return nil
		}
		if len(rs) != 1 {
			t.Fatalf("%d messages in one interval", len(rs))
		}
		return &told{rs[0].NotificationMessage.SequenceNumber, values(rs[0]), rs[0].AvailableSequenceNumbers, rs[0].Results}
	}
	ack := func(seq uint32) *ua.SubscriptionAcknowledgement {
		return &ua.SubscriptionAcknowledgement{SubscriptionID: sub.id, SequenceNumber: seq}
	}
	var got []*told
	got = append(got, step()) // the first interval always says something
	d.watch(sub, ua.MonitoringParameters{}, "b.x")
	got = append(got, step())
	set(t, d.s, Change{ID: "b.x", Value: int32(2)})
	got = append(got, step(ack(1), ack(9)))
	got = append(got, step())                                                                     // nothing new: silence
	got = append(got, step())                                                                     // two intervals of it: a keep-alive
	set(t, d.s, Change{ID: "b.x", Value: int32(3)})                                               //
	got = append(got, step(ack(2), &ua.SubscriptionAcknowledgement{SubscriptionID: sub.id + 99})) // answered with the oldest request
	none := []uint32{}
	want := []*told{
		{1, nil, none, []ua.StatusCode{}},
		{1, []any{int32(1)}, []uint32{1}, []ua.StatusCode{}},
		{2, []any{int32(2)}, []uint32{2}, []ua.StatusCode{ua.StatusOK, ua.StatusBadSequenceNumberUnknown}},
		nil,
		{3, nil, []uint32{2}, []ua.StatusCode{}},
		{3, []any{int32(3)}, []uint32{3}, []ua.StatusCode{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again := ask[*ua.RepublishResponse](d, &ua.RepublishRequest{SubscriptionID: sub.id, RetransmitSequenceNumber: 3})
	if v := values(&ua.PublishResponse{NotificationMessage: again.NotificationMessage}); !cmp.Equal(v, []any{int32(3)}) {
		t.Errorf("republished: got %v", v)
	}
	d.faulted(&ua.RepublishRequest{SubscriptionID: sub.id, RetransmitSequenceNumber: 2}, ua.StatusBadMessageNotAvailable)
	d.faulted(&ua.RepublishRequest{SubscriptionID: 999}, ua.StatusBadSubscriptionIDInvalid)
}

func TestOverflowIsMarked(t *testing.T) {
	for _, tt := range []struct {
		name   string
		oldest bool
		want   func(int) []any // by number of values set
	}{
		{"the oldest gives way", true, func(n int) []any {
			out := []any{"!"}
			for i := n - minQueue; i < n; i++ {
				out = append(out, int32(i))
			}
			return out
		}},
		{"the newest gives way", false, func(n int) []any {
			var out []any
			for i := range minQueue - 1 {
				out = append(out, int32(i))
			}
			return append(out, "!", int32(n-1))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			sub := d.subscribe(&ua.CreateSubscriptionRequest{})
			set(t, d.s, Change{ID: "b.x", Value: int32(0)}, Change{ID: "a.x", Value: 0.5})
			d.watch(sub, ua.MonitoringParameters{QueueSize: 2, DiscardOldest: tt.oldest}, "b.x", "a.x")
			for i := int32(1); i < 70; i++ {
				set(t, d.s, Change{ID: "b.x", Value: i})
			}
			d.publish()
			got := values(d.tick(sub)[0])
			var mine []any
			for _, v := range got {
				if v != 0.5 { // the other item's, which lost nothing
					mine = append(mine, v)
				}
			}
			if diff := cmp.Diff(tt.want(70), mine); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(mine) != len(got)-1 || len(sub.queue) != 0 {
				t.Errorf("got %d values in all, %d left", len(got), len(sub.queue))
			}
			// Once read, nothing is lost and nothing marked.
			set(t, d.s, Change{ID: "b.x", Value: int32(70)})
			d.publish()
			if got := values(d.tick(sub)[0]); !cmp.Equal(got, []any{int32(70)}) {
				t.Errorf("afterwards: got %v", got)
			}
		})
	}
}

func TestLimitOfOneMessage(t *testing.T) {
	d := newDesk(t)
	sub := d.subscribe(&ua.CreateSubscriptionRequest{MaxNotificationsPerPublish: 2})
	set(t, d.s, Change{ID: "b.x", Value: int32(0)})
	d.watch(sub, ua.MonitoringParameters{}, "b.x")
	for i := int32(1); i < 5; i++ {
		set(t, d.s, Change{ID: "b.x", Value: i})
	}
	d.publish()
	d.publish()
	rs := d.tick(sub)
	if len(rs) != 2 || !rs[0].MoreNotifications || !rs[1].MoreNotifications {
		t.Fatalf("got %+v", rs)
	}
	d.publish() // what is left does not wait for the next interval
	out, _, _ := d.s.cycle(sub, false)
	last, ok := out[0].resp.(*ua.PublishResponse)
	if !ok {
		t.Fatalf("got %#v", out[0].resp)
	}
	got := [][]any{values(rs[0]), values(rs[1]), values(last)}
	if want := [][]any{{int32(0), int32(1)}, {int32(2), int32(3)}, {int32(4)}}; !cmp.Equal(want, got) || last.MoreNotifications {
		t.Errorf("got %v, more: %v; want %v", got, last.MoreNotifications, want)
	}
}

func TestModes(t *testing.T) {
	d := newDesk(t)
	sub := d.subscribe(&ua.CreateSubscriptionRequest{})
	set(t, d.s, Change{ID: "b.x", Value: int32(0)})
	items := d.watch(sub, ua.MonitoringParameters{}, "b.x")
	mode := func(m ua.MonitoringMode) {
		r := ask[*ua.SetMonitoringModeResponse](d, &ua.SetMonitoringModeRequest{SubscriptionID: sub.id, MonitoringMode: m, MonitoredItemIDs: append(items, 999)})
		if !cmp.Equal(r.Results, []ua.StatusCode{ua.StatusOK, ua.StatusBadMonitoredItemIDInvalid}) {
			t.Errorf("mode %v: got %v", m, r.Results)
		}
	}
	var got [][]any
	look := func() {
		d.publish()
		for _, r := range d.tick(sub) {
			got = append(got, values(r))
		}
		d.s.sessions[d.token.String()].waiting = nil
	}
	look()
	mode(ua.MonitoringModeSampling) // values wait
	set(t, d.s, Change{ID: "b.x", Value: int32(1)})
	mode(ua.MonitoringModeReporting)
	look()
	mode(ua.MonitoringModeDisabled) // values are lost, and the one that is held comes first
	set(t, d.s, Change{ID: "b.x", Value: int32(2)})
	set(t, d.s, Change{ID: "b.x", Value: int32(3)})
	mode(ua.MonitoringModeReporting)
	look()
	ask[*ua.SetPublishingModeResponse](d, &ua.SetPublishingModeRequest{SubscriptionIDs: []uint32{sub.id}})
	set(t, d.s, Change{ID: "b.x", Value: int32(4)})
	sub.keepAlive = 1 // publishing is off: only this
	look()
	ask[*ua.SetPublishingModeResponse](d, &ua.SetPublishingModeRequest{SubscriptionIDs: []uint32{sub.id}, PublishingEnabled: true})
	look()
	ask[*ua.DeleteMonitoredItemsResponse](d, &ua.DeleteMonitoredItemsRequest{SubscriptionID: sub.id, MonitoredItemIDs: items})
	set(t, d.s, Change{ID: "b.x", Value: int32(5)})
	look()
	want := [][]any{{int32(0)}, {int32(1)}, {int32(3)}, nil, {int32(4)}, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTriggers(t *testing.T) {
	d := newDesk(t)
	sub := d.subscribe(&ua.CreateSubscriptionRequest{})
	set(t, d.s, Change{ID: "b.x", Value: int32(0)})
	status := ua.NewExtensionObject(&ua.DataChangeFilter{Trigger: ua.DataChangeTriggerStatus})
	d.watch(sub, ua.MonitoringParameters{Filter: status}, "b.x")
	set(t, d.s, Change{ID: "b.x", Value: int32(1)})
	set(t, d.s, Change{ID: "b.x", Value: int32(2), Status: ua.StatusUncertainLastUsableValue})
	d.publish()
	if got := values(d.tick(sub)[0]); !cmp.Equal(got, []any{int32(0), int32(2)}) {
		t.Errorf("status only: got %v", got)
	}
}

// Each way in which an item cannot be made fails alone.
func TestRefusedItems(t *testing.T) {
	d := newDesk(t)
	sub := d.subscribe(&ua.CreateSubscriptionRequest{})
	item := func(id *ua.NodeID, a ua.AttributeID, filter any) *ua.MonitoredItemCreateRequest {
		return &ua.MonitoredItemCreateRequest{ItemToMonitor: &ua.ReadValueID{NodeID: id, AttributeID: a},
			MonitoringMode: ua.MonitoringModeReporting, RequestedParameters: &ua.MonitoringParameters{SamplingInterval: -1, Filter: ua.NewExtensionObject(filter)}}
	}
	x := ua.NewStringNodeID(Namespace, "a.x")
	r := ask[*ua.CreateMonitoredItemsResponse](d, &ua.CreateMonitoredItemsRequest{SubscriptionID: sub.id, ItemsToCreate: []*ua.MonitoredItemCreateRequest{
		item(x, ua.AttributeIDValue, nil),
		item(ua.NewStringNodeID(Namespace, "a.z"), ua.AttributeIDValue, nil),
		item(ua.NewStringNodeID(0, "a.x"), ua.AttributeIDValue, nil),
		item(x, ua.AttributeIDDisplayName, nil),
		item(x, ua.AttributeIDValue, &ua.DataChangeFilter{DeadbandType: uint32(ua.DeadbandTypeAbsolute)}),
		item(x, ua.AttributeIDValue, &ua.EventFilter{WhereClause: &ua.ContentFilter{}}),
	}})
	var got []ua.StatusCode
	for _, res := range r.Results {
		got = append(got, res.StatusCode)
	}
	want := []ua.StatusCode{ua.StatusOK, ua.StatusBadNodeIDUnknown, ua.StatusBadNodeIDUnknown, ua.StatusBadAttributeIDInvalid,
		ua.StatusBadMonitoredItemFilterUnsupported, ua.StatusBadMonitoredItemFilterUnsupported}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if res := r.Results[0]; res.RevisedSamplingInterval != 10000 || res.RevisedQueueSize != minQueue {
		t.Errorf("revised to %v, %v", res.RevisedSamplingInterval, res.RevisedQueueSize)
	}
	d.faulted(&ua.CreateMonitoredItemsRequest{SubscriptionID: sub.id}, ua.StatusBadNothingToDo)
	d.faulted(&ua.CreateMonitoredItemsRequest{SubscriptionID: 99}, ua.StatusBadSubscriptionIDInvalid)
	many := make([]*ua.MonitoredItemCreateRequest, maxItemsPerCall+1)
	d.faulted(&ua.CreateMonitoredItemsRequest{SubscriptionID: sub.id, ItemsToCreate: many}, ua.StatusBadTooManyOperations)
	d.faulted(&ua.CallRequest{}, ua.StatusBadServiceUnsupported)
	d.faulted(&ua.ReadRequest{}, ua.StatusBadNothingToDo)
	d.faulted(&ua.BrowseRequest{}, ua.StatusBadNothingToDo)
}

// The server's clock can be watched, as a heartbeat.
func TestServerTimeBeats(t *testing.T) {
	d := newDesk(t)
	sub := d.subscribe(&ua.CreateSubscriptionRequest{})
	ask[*ua.CreateMonitoredItemsResponse](d, &ua.CreateMonitoredItemsRequest{SubscriptionID: sub.id, ItemsToCreate: []*ua.MonitoredItemCreateRequest{{
		ItemToMonitor:  &ua.ReadValueID{NodeID: ua.NewNumericNodeID(0, 2258), AttributeID: ua.AttributeIDValue},
		MonitoringMode: ua.MonitoringModeReporting, RequestedParameters: &ua.MonitoringParameters{},
	}}})
	last := time.Time{}
	for i := range 3 {
		d.publish()
		got := values(d.tick(sub)[0])
		if len(got) != 1 {
			t.Fatalf("interval %d: got %v", i, got)
		}
		at, ok := got[0].(time.Time)
		if !ok || !at.After(last) {
			t.Fatalf("interval %d: got %v after %v", i, got, last)
		}
		last = at
	}
}

func TestPublishRequests(t *testing.T) {
	d := newDesk(t)
	d.faulted(&ua.PublishRequest{}, ua.StatusBadNoSubscription)
	sub := d.subscribe(&ua.CreateSubscriptionRequest{})
	for range maxRequests {
		d.publish()
	}
	d.faulted(&ua.PublishRequest{}, ua.StatusBadTooManyPublishRequests)
	ses := d.s.sessions[d.token.String()]
	for i := range ses.waiting[:3] {
		ses.waiting[i].expires = time.Now().Add(-time.Second)
	}
	out, _, _ := d.s.cycle(sub, true)
	if len(out) != 4 {
		t.Fatalf("%d answers, want three that came too late and one message", len(out))
	}
	for _, o := range out[:3] {
		if f, ok := o.resp.(*ua.ServiceFault); !ok || f.ResponseHeader.ServiceResult != ua.StatusBadTimeout {
			t.Errorf("got %#v, want a time-out", o.resp)
		}
	}
	d.c.forget() // the connection ends, and what waited on it
	if len(ses.waiting) != 0 {
		t.Errorf("%d requests wait on a connection that has ended", len(ses.waiting))
	}
}

// A subscription that nobody asks ends by its lifetime, and its variables forget
// it.
func TestLifetime(t *testing.T) {
	d := newDesk(t)
	sub := d.subscribe(&ua.CreateSubscriptionRequest{RequestedLifetimeCount: 1, RequestedMaxKeepAliveCount: 2})
	d.watch(sub, ua.MonitoringParameters{}, "b.x")
	intervals := 0
	for alive := true; alive; intervals++ {
		_, _, alive = d.s.cycle(sub, true)
	}
	if intervals != 7 { // three keep-alives of two intervals have passed
		t.Errorf("ended at interval %d", intervals)
	}
	if len(d.s.subs) != 0 || len(d.s.nodes["b.x"].items) != 0 || len(d.s.sessions[d.token.String()].subs) != 0 {
		t.Error("something is left of it")
	}
}

// A session that is activated on another connection goes on there with its
// subscriptions; the old connection has no more say in it.
func TestSessionMoves(t *testing.T) {
	d := newDesk(t)
	set(t, d.s, Change{ID: "b.x", Value: int32(1)})
	sub := d.subscribe(&ua.CreateSubscriptionRequest{})
	d.watch(sub, ua.MonitoringParameters{}, "b.x")
	d.publish()
	d.tick(sub)
	old := d.c
	old.forget()
	d.connect()
	d.faulted(&ua.ReadRequest{}, ua.StatusBadSecureChannelIDInvalid)
	ask[*ua.ActivateSessionResponse](d, &ua.ActivateSessionRequest{UserIdentityToken: ua.NewExtensionObject(&ua.AnonymousIdentityToken{})})
	if r := ask[*ua.RepublishResponse](d, &ua.RepublishRequest{SubscriptionID: sub.id, RetransmitSequenceNumber: 1}); r.NotificationMessage.SequenceNumber != 1 {
		t.Errorf("got %+v", r)
	}
	d.c = old
	d.faulted(&ua.ReadRequest{}, ua.StatusBadSecureChannelIDInvalid)
}

func TestSessions(t *testing.T) {
	d := newDesk(t)
	d.faulted(&ua.ActivateSessionRequest{UserIdentityToken: ua.NewExtensionObject(&ua.UserNameIdentityToken{})}, ua.StatusBadIdentityTokenRejected)
	good := d.token
	d.token = ask[*ua.CreateSessionResponse](d, &ua.CreateSessionRequest{RequestedSessionTimeout: 1e300}).AuthenticationToken
	d.faulted(&ua.ReadRequest{}, ua.StatusBadSessionNotActivated)
	d.token = ua.NewNumericNodeID(0, 5)
	d.faulted(&ua.ReadRequest{}, ua.StatusBadSessionIDInvalid)
	d.faulted(&ua.ActivateSessionRequest{}, ua.StatusBadSessionIDInvalid)
	for range 3 * maxSessions { // those that never came back give way
		ask[*ua.CreateSessionResponse](d, &ua.CreateSessionRequest{})
	}
	if n := d.s.Sessions(); n != maxSessions {
		t.Errorf("%d sessions", n)
	}
	d.token = good
	sub := d.subscribe(&ua.CreateSubscriptionRequest{})
	ask[*ua.CloseSessionResponse](d, &ua.CloseSessionRequest{})
	if len(d.s.subs) != 0 {
		t.Error("a subscription outlived its session")
	}
	select {
	case <-sub.stop:
	default:
		t.Error("its goroutine was not told")
	}
	d.faulted(&ua.ReadRequest{}, ua.StatusBadSessionIDInvalid)
}

func TestSubscriptions(t *testing.T) {
	d := newDesk(t)
	for range maxSubscriptions {
		d.subscribe(&ua.CreateSubscriptionRequest{RequestedLifetimeCount: 1 << 31, RequestedMaxKeepAliveCount: 1 << 31})
	}
	d.faulted(&ua.CreateSubscriptionRequest{}, ua.StatusBadTooManySubscriptions)
	other := deskOn(t, d.s)
	var one uint32
	for one = range d.s.subs {
		break
	}
	for _, r := range []ua.Request{
		&ua.ModifySubscriptionRequest{SubscriptionID: one}, &ua.DeleteMonitoredItemsRequest{SubscriptionID: one},
		&ua.SetMonitoringModeRequest{SubscriptionID: one}, &ua.CreateMonitoredItemsRequest{SubscriptionID: one},
	} {
		other.faulted(r, ua.StatusBadSubscriptionIDInvalid) // of another session
	}
	if r := ask[*ua.DeleteSubscriptionsResponse](other, &ua.DeleteSubscriptionsRequest{SubscriptionIDs: []uint32{one}}); r.Results[0] != ua.StatusBadSubscriptionIDInvalid {
		t.Errorf("deleted another session's subscription: %v", r.Results)
	}
	m := ask[*ua.ModifySubscriptionResponse](d, &ua.ModifySubscriptionRequest{SubscriptionID: one, RequestedPublishingInterval: 1e18, RequestedMaxKeepAliveCount: 10})
	if m.RevisedPublishingInterval != 10000 || m.RevisedMaxKeepAliveCount != 10 || m.RevisedLifetimeCount != 30 {
		t.Errorf("revised to %+v", m)
	}
	ask[*ua.DeleteSubscriptionsResponse](d, &ua.DeleteSubscriptionsRequest{SubscriptionIDs: []uint32{one}})
	if len(d.s.subs) != maxSubscriptions-1 {
		t.Errorf("%d subscriptions left", len(d.s.subs))
	}
}

func TestNextSeq(t *testing.T) {
	if got := nextSeq(1<<32 - 1); got != 1 {
		t.Errorf("after the last number comes %d, want 1", got)
	}
}

// Whatever an active session asks, the handlers stand and answer, and nothing
// that they answer fails to encode.
func FuzzHandle(f *testing.F) {
	for _, r := range []ua.Request{
		&ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: ua.NewStringNodeID(2, "a.x"), AttributeID: 13, DataEncoding: &ua.QualifiedName{}}}},
		&ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, NodesToBrowse: []*ua.BrowseDescription{{NodeID: ua.NewNumericNodeID(0, 85), ReferenceTypeID: ua.NewNumericNodeID(0, 33), IncludeSubtypes: true}}},
		&ua.CreateSubscriptionRequest{RequestedPublishingInterval: 1000, PublishingEnabled: true},
		&ua.CreateMonitoredItemsRequest{SubscriptionID: 2, ItemsToCreate: []*ua.MonitoredItemCreateRequest{{
			ItemToMonitor:       &ua.ReadValueID{NodeID: ua.NewStringNodeID(2, "a.x"), AttributeID: 13, DataEncoding: &ua.QualifiedName{}},
			RequestedParameters: &ua.MonitoringParameters{Filter: ua.NewExtensionObject(&ua.DataChangeFilter{Trigger: 1})}}}},
		&ua.PublishRequest{SubscriptionAcknowledgements: []*ua.SubscriptionAcknowledgement{{SubscriptionID: 2, SequenceNumber: 1}}},
		&ua.RepublishRequest{SubscriptionID: 2}, &ua.ModifySubscriptionRequest{SubscriptionID: 2},
		&ua.DeleteMonitoredItemsRequest{SubscriptionID: 2, MonitoredItemIDs: []uint32{3}},
		&ua.SetMonitoringModeRequest{SubscriptionID: 2, MonitoredItemIDs: []uint32{3}, MonitoringMode: 7},
		&ua.ActivateSessionRequest{UserIdentityToken: ua.NewExtensionObject(&ua.AnonymousIdentityToken{}), ClientSignature: &ua.SignatureData{}, UserTokenSignature: &ua.SignatureData{}},
	} {
		f.Add(request(1, 2, r)[24:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := decodeSafely(b)
		if !ok || m.body == nil {
			return
		}
		d := newDesk(t)
		set(t, d.s, Change{ID: "a.x", Value: 1.0})
		sub := d.subscribe(&ua.CreateSubscriptionRequest{})
		d.watch(sub, ua.MonitoringParameters{}, "a.x")
		resp := d.send(m.body)
		set(t, d.s, Change{ID: "a.x", Value: 2.0}, Change{ID: "a.y", Value: "y"})
		if resp != nil {
			tp := &tape{}
			if err := newWire(tp, 1).send(1, resp); err != nil {
				t.Fatalf("answer to %T: %v", m.body, err)
			}
		}
		d.s.mu.Lock()
		subs := make([]*subscription, 0, len(d.s.subs))
		for _, s := range d.s.subs {
			subs = append(subs, s)
		}
		d.s.mu.Unlock()
		for _, s := range subs {
			d.s.cycle(s, true)
		}
	})
}

// decodeSafely decodes a request; false where the library's decoder panics.
func decodeSafely(b []byte) (m message, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	m = decode(1, b)
	var code ua.StatusCode
	return m, m.err == nil || !errors.As(m.err, &code)
}
