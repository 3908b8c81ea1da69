package uaserver

import (
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
)

// outgoing is an answer that is ready to be written.
type outgoing struct {
	to   publishRequest
	resp ua.Response
}

// publish takes a Publish request: acknowledges what it says is safe, and keeps
// it until there is something to answer.
func (s *Server) publish(c *conn, ses *session, id uint32, r *ua.PublishRequest) ua.Response {
	if len(ses.subs) == 0 {
		return fault(r, ua.StatusBadNoSubscription)
	}
	if len(ses.waiting) >= maxRequests {
		return fault(r, ua.StatusBadTooManyPublishRequests)
	}
	p := publishRequest{conn: c, id: id, handle: r.RequestHeader.RequestHandle, results: ses.acknowledge(r)}
	if hint := r.RequestHeader.TimeoutHint; hint > 0 {
		p.expires = time.Now().Add(time.Duration(hint) * time.Millisecond)
	}
	ses.waiting = append(ses.waiting, p)
	for _, sub := range ses.subs {
		sub.idle = 0
		sub.poke()
	}
	return nil
}

// acknowledge forgets the messages that the client says it holds.
func (ses *session) acknowledge(r *ua.PublishRequest) []ua.StatusCode {
	results := make([]ua.StatusCode, len(r.SubscriptionAcknowledgements))
	for i, a := range r.SubscriptionAcknowledgements {
		sub := ses.subs[a.SubscriptionID]
		if sub == nil {
			results[i] = ua.StatusBadSubscriptionIDInvalid
			continue
		}
		at := sub.find(a.SequenceNumber)
		if at < 0 {
			results[i] = ua.StatusBadSequenceNumberUnknown
			continue
		}
		sub.sent = slices.Delete(sub.sent, at, at+1)
	}
	return results
}

// find is the place of a message in sent, or -1.
func (sub *subscription) find(seq uint32) int {
	return slices.IndexFunc(sub.sent, func(m *ua.NotificationMessage) bool { return m.SequenceNumber == seq })
}

func (s *Server) republish(ses *session, r *ua.RepublishRequest) ua.Response {
	sub := ses.subs[r.SubscriptionID]
	if sub == nil {
		return fault(r, ua.StatusBadSubscriptionIDInvalid)
	}
	at := sub.find(r.RetransmitSequenceNumber)
	if at < 0 {
		return fault(r, ua.StatusBadMessageNotAvailable)
	}
	return &ua.RepublishResponse{ResponseHeader: ok(r), NotificationMessage: sub.sent[at]}
}

// publishLoop is the subscription's goroutine: at each interval it decides
// whether a message is due, and it alone sends them, so that they leave in the
// order of their numbers.
func (s *Server) publishLoop(sub *subscription) {
	s.mu.Lock()
	interval := sub.interval
	s.mu.Unlock()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	first := true
	for {
		ticked := false
		select {
		case <-sub.stop:
			return
		case <-ticker.C:
			ticked, first = true, false
		case <-sub.wake:
			if first {
				continue
			}
		}
		out, now, alive := s.cycle(sub, ticked)
		for _, o := range out {
			if err := o.to.conn.wire.send(o.to.id, o.resp); err != nil {
				o.to.conn.drop() // its reader ends it; the message can be asked for again
			}
		}
		if !alive {
			return
		}
		if now != interval {
			interval = now
			ticker.Reset(interval)
		}
	}
}

// cycle decides what to send now; ticked: an interval has passed. It returns
// the interval that holds now, and false when the subscription has ended.
func (s *Server) cycle(sub *subscription, ticked bool) ([]outgoing, time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subs[sub.id] == nil {
		return nil, 0, false
	}
	if ticked {
		sub.tick()
		if sub.idle > sub.lifetime {
			s.removeSubscription(sub)
			return nil, 0, false
		}
	}
	var out []outgoing
	for sub.due {
		p, expired, found := sub.session.next()
		out = append(out, expired...)
		if !found {
			break
		}
		out = append(out, outgoing{p, sub.answer(p)})
	}
	return out, sub.interval, true
}

// tick counts an interval and decides whether a message is due.
func (sub *subscription) tick() {
	sub.silent++
	sub.idle++
	for _, it := range sub.items {
		if it.node == nil { // the server's clock: it always moves
			at := now()
			it.report(&ua.DataValue{Value: ua.MustVariant(at), SourceTimestamp: at, ServerTimestamp: at})
		}
	}
	if sub.enabled && sub.hasReports() || sub.silent >= sub.keepAlive {
		sub.due = true
	}
	if len(sub.session.waiting) > 0 {
		sub.idle = 0
	}
}

// hasReports says whether the queue holds a value to be reported: those of
// items that only sample wait.
func (sub *subscription) hasReports() bool {
	return slices.ContainsFunc(sub.queue, func(e entry) bool { return e.item.mode == ua.MonitoringModeReporting })
}

// next takes the oldest request that has not expired, and answers those that
// have.
func (ses *session) next() (publishRequest, []outgoing, bool) {
	var expired []outgoing
	for len(ses.waiting) > 0 {
		p := ses.waiting[0]
		ses.waiting = slices.Delete(ses.waiting, 0, 1)
		if p.expires.IsZero() || time.Now().Before(p.expires) {
			return p, expired, true
		}
		expired = append(expired, outgoing{p, &ua.ServiceFault{ResponseHeader: header(p.handle, ua.StatusBadTimeout)}})
	}
	return publishRequest{}, expired, false
}

// answer makes the message that is due: what is queued, or a keep-alive, which
// carries the number that the next message will have.
func (sub *subscription) answer(p publishRequest) ua.Response {
	notices, more := sub.take()
	sub.due, sub.silent, sub.idle = more, 0, 0
	m := &ua.NotificationMessage{
		SequenceNumber:   nextSeq(sub.seq),
		PublishTime:      now(),
		NotificationData: []*ua.ExtensionObject{},
	}
	if len(notices) > 0 {
		sub.seq = m.SequenceNumber
		m.NotificationData = []*ua.ExtensionObject{ua.NewExtensionObject(&ua.DataChangeNotification{
			MonitoredItems:  notices,
			DiagnosticInfos: []*ua.DiagnosticInfo{},
		})}
		if sub.sent = append(sub.sent, m); len(sub.sent) > maxSent {
			sub.sent = slices.Delete(sub.sent, 0, 1)
		}
	}
	return &ua.PublishResponse{
		ResponseHeader:           header(p.handle, ua.StatusOK),
		SubscriptionID:           sub.id,
		AvailableSequenceNumbers: sub.available(),
		MoreNotifications:        more,
		NotificationMessage:      m,
		Results:                  p.results,
		DiagnosticInfos:          []*ua.DiagnosticInfo{},
	}
}

// take empties the queue into notifications, up to the client's limit for one
// message.
func (sub *subscription) take() (notices []*ua.MonitoredItemNotification, more bool) {
	if !sub.enabled {
		return nil, false
	}
	kept := []entry{}
	for _, e := range sub.queue {
		if e.item.mode != ua.MonitoringModeReporting || sub.perNotice > 0 && len(notices) >= sub.perNotice {
			more = more || e.item.mode == ua.MonitoringModeReporting
			kept = append(kept, e)
			continue
		}
		e.item.queued--
		notices = append(notices, &ua.MonitoredItemNotification{
			ClientHandle: e.item.handle, Value: stamped(e.value, e.item.stamps),
		})
	}
	sub.queue = kept
	return notices, more
}

// available lists the messages that Republish would find.
func (sub *subscription) available() []uint32 {
	seqs := make([]uint32, len(sub.sent))
	for i, m := range sub.sent {
		seqs[i] = m.SequenceNumber
	}
	return seqs
}

// nextSeq counts messages; after the last number comes 1, never 0.
func nextSeq(n uint32) uint32 {
	if n++; n == 0 {
		return 1
	}
	return n
}

// stamped is a value with the time stamps that the client asked for.
func stamped(v *ua.DataValue, t ua.TimestampsToReturn) *ua.DataValue {
	d := &ua.DataValue{Value: v.Value, Status: v.Status}
	if t == ua.TimestampsToReturnSource || t == ua.TimestampsToReturnBoth {
		d.SourceTimestamp = v.SourceTimestamp
	}
	if t == ua.TimestampsToReturnServer || t == ua.TimestampsToReturnBoth {
		d.ServerTimestamp = v.ServerTimestamp
	}
	d.UpdateMask()
	return d
}
