package uaserver

import (
	"testing"

	"github.com/gopcua/opcua/ua"
)

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
