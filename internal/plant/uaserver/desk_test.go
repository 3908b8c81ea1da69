package uaserver

import (
	"net"
	"testing"

	"github.com/gopcua/opcua/ua"
)

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
