package uaserver

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// Limits of subscriptions.
const (
	maxSubscriptions = 16  // of one session
	maxSent          = 100 // notifications kept for Republish
	maxPublish       = 10 * time.Second
	maxCount         = 100000 // of keep-alive and lifetime intervals
)

// subscription is guarded by Server.mu, but for the two channels. Its own
// goroutine (publishLoop) does the publishing; everyone else only fills the
// queue and pokes it.
type subscription struct {
	id        uint32
	session   *session
	interval  time.Duration
	keepAlive uint32 // intervals of silence before a keep-alive
	lifetime  uint32 // intervals without a Publish request before it ends
	perNotice int    // notifications a message; 0 no limit
	enabled   bool

	items map[uint32]*item
	queue []entry // in the order in which values were set

	seq    uint32                    // of the last notification message sent
	sent   []*ua.NotificationMessage // not yet acknowledged, oldest first
	due    bool                      // an answer is owed as soon as a request is there
	silent uint32                    // intervals since the last message
	idle   uint32                    // intervals without a request

	wake chan struct{} // a request came, or the interval changed
	stop chan struct{} // closed when it is removed
}

// entry is one value on its way to one item's client.
type entry struct {
	item  *item
	value *ua.DataValue
}

func (s *Server) createSubscription(ses *session, r *ua.CreateSubscriptionRequest) ua.Response {
	if len(ses.subs) >= maxSubscriptions {
		return fault(r, ua.StatusBadTooManySubscriptions)
	}
	sub := &subscription{
		id:        s.nextID(),
		session:   ses,
		perNotice: int(min(r.MaxNotificationsPerPublish, maxCount)),
		enabled:   r.PublishingEnabled,
		items:     make(map[uint32]*item),
		// The first message goes out after the first interval, data or not.
		due:  true,
		wake: make(chan struct{}, 1),
		stop: make(chan struct{}),
	}
	s.revise(sub, r.RequestedPublishingInterval, r.RequestedLifetimeCount, r.RequestedMaxKeepAliveCount)
	ses.subs[sub.id], s.subs[sub.id] = sub, sub
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		s.publishLoop(sub)
	}()
	return &ua.CreateSubscriptionResponse{
		ResponseHeader:            ok(r),
		SubscriptionID:            sub.id,
		RevisedPublishingInterval: float64(sub.interval) / float64(time.Millisecond),
		RevisedLifetimeCount:      sub.lifetime,
		RevisedMaxKeepAliveCount:  sub.keepAlive,
	}
}

// revise grants what was asked for within limits; the lifetime is at least
// three keep-alives (OPC 10000-4, 5.14.2.2).
func (s *Server) revise(sub *subscription, interval float64, lifetime, keepAlive uint32) {
	sub.interval = min(max(millis(interval), s.opt.MinPublish), maxPublish)
	sub.keepAlive = min(max(keepAlive, 1), maxCount)
	sub.lifetime = max(min(lifetime, 3*maxCount), 3*sub.keepAlive)
}

func (s *Server) modifySubscription(ses *session, r *ua.ModifySubscriptionRequest) ua.Response {
	sub := ses.subs[r.SubscriptionID]
	if sub == nil {
		return fault(r, ua.StatusBadSubscriptionIDInvalid)
	}
	s.revise(sub, r.RequestedPublishingInterval, r.RequestedLifetimeCount, r.RequestedMaxKeepAliveCount)
	sub.perNotice = int(min(r.MaxNotificationsPerPublish, maxCount))
	sub.poke()
	return &ua.ModifySubscriptionResponse{
		ResponseHeader:            ok(r),
		RevisedPublishingInterval: float64(sub.interval) / float64(time.Millisecond),
		RevisedLifetimeCount:      sub.lifetime,
		RevisedMaxKeepAliveCount:  sub.keepAlive,
	}
}

func (s *Server) setPublishingMode(ses *session, r *ua.SetPublishingModeRequest) ua.Response {
	results := make([]ua.StatusCode, len(r.SubscriptionIDs))
	for i, id := range r.SubscriptionIDs {
		sub := ses.subs[id]
		if sub == nil {
			results[i] = ua.StatusBadSubscriptionIDInvalid
			continue
		}
		sub.enabled = r.PublishingEnabled
	}
	return &ua.SetPublishingModeResponse{
		ResponseHeader: ok(r), Results: results, DiagnosticInfos: []*ua.DiagnosticInfo{},
	}
}

func (s *Server) deleteSubscriptions(ses *session, r *ua.DeleteSubscriptionsRequest) ua.Response {
	results := make([]ua.StatusCode, len(r.SubscriptionIDs))
	for i, id := range r.SubscriptionIDs {
		sub := ses.subs[id]
		if sub == nil {
			results[i] = ua.StatusBadSubscriptionIDInvalid
			continue
		}
		s.removeSubscription(sub)
	}
	return &ua.DeleteSubscriptionsResponse{
		ResponseHeader: ok(r), Results: results, DiagnosticInfos: []*ua.DiagnosticInfo{},
	}
}

// removeSubscription ends a subscription and its items; mu is held.
func (s *Server) removeSubscription(sub *subscription) {
	if s.subs[sub.id] == nil {
		return
	}
	delete(s.subs, sub.id)
	delete(sub.session.subs, sub.id)
	for _, it := range sub.items {
		it.detach()
	}
	close(sub.stop)
}

// poke tells the subscription's goroutine to look again.
func (sub *subscription) poke() {
	select {
	case sub.wake <- struct{}{}:
	default: // it has been told already
	}
}
