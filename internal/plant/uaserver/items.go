package uaserver

import "github.com/gopcua/opcua/ua"

// Limits of monitored items. A queue is never shorter than minQueue, whatever
// was asked: the server may revise it upwards, and the simulated plant's
// promise is that nothing is lost to a client that is merely slow.
const (
	maxItemsPerCall = 1000
	minQueue        = 64
	maxQueue        = 10000
)

// overflow is the info bits that mark a value before or after which others were
// lost: info type "data value" and "overflow" (OPC 10000-4, 7.39.1).
const overflow ua.StatusCode = 0x480

// item is one monitored item. Guarded by Server.mu.
type item struct {
	id, handle    uint32
	sub           *subscription
	node          *node // nil: the server's own clock
	mode          ua.MonitoringMode
	stamps        ua.TimestampsToReturn
	statusOnly    bool // reports a value only when its status has changed
	last          ua.StatusCode
	queueSize     int
	queued        int // of its values in sub.queue
	discardOldest bool
}

func (s *Server) createItems(ses *session, r *ua.CreateMonitoredItemsRequest) ua.Response {
	sub := ses.subs[r.SubscriptionID]
	switch {
	case sub == nil:
		return fault(r, ua.StatusBadSubscriptionIDInvalid)
	case len(r.ItemsToCreate) == 0:
		return fault(r, ua.StatusBadNothingToDo)
	case len(r.ItemsToCreate) > maxItemsPerCall:
		return fault(r, ua.StatusBadTooManyOperations)
	case r.TimestampsToReturn >= ua.TimestampsToReturnInvalid:
		return fault(r, ua.StatusBadTimestampsToReturnInvalid)
	}
	results := make([]*ua.MonitoredItemCreateResult, len(r.ItemsToCreate))
	for i, req := range r.ItemsToCreate {
		results[i] = s.createItem(sub, r.TimestampsToReturn, req)
	}
	return &ua.CreateMonitoredItemsResponse{
		ResponseHeader: ok(r), Results: results, DiagnosticInfos: []*ua.DiagnosticInfo{},
	}
}

// createItem makes one item and queues the value that its variable has now.
func (s *Server) createItem(sub *subscription, stamps ua.TimestampsToReturn, r *ua.MonitoredItemCreateRequest) *ua.MonitoredItemCreateResult {
	result := &ua.MonitoredItemCreateResult{FilterResult: ua.NewExtensionObject(nil)}
	n, code := s.watchable(r.ItemToMonitor)
	if code != ua.StatusOK {
		result.StatusCode = code
		return result
	}
	p := r.RequestedParameters
	trigger, code := filter(p.Filter)
	if code != ua.StatusOK {
		result.StatusCode = code
		return result
	}
	it := &item{
		id: s.nextID(), handle: p.ClientHandle, sub: sub, node: n, mode: r.MonitoringMode, stamps: stamps,
		statusOnly:    trigger == ua.DataChangeTriggerStatus,
		last:          ^ua.StatusOK, // no status: the first value is always reported
		queueSize:     int(min(max(p.QueueSize, minQueue), maxQueue)),
		discardOldest: p.DiscardOldest,
	}
	sub.items[it.id] = it
	if n != nil {
		n.items[it] = struct{}{}
		it.report(n.dataValue(now()))
	}
	result.MonitoredItemID = it.id
	// 0 says that values are reported by exception, whatever was asked: what a
	// message does not hold had not changed when it was published.
	result.RevisedSamplingInterval = 0
	result.RevisedQueueSize = uint32(it.queueSize)
	return result
}

// watchable finds the variable of an item; nil is the server's clock.
func (s *Server) watchable(r *ua.ReadValueID) (*node, ua.StatusCode) {
	if r.AttributeID != ua.AttributeIDValue {
		return nil, ua.StatusBadAttributeIDInvalid
	}
	if isCurrentTime(r.NodeID) {
		return nil, ua.StatusOK
	}
	if n := s.node(r.NodeID); n != nil {
		return n, ua.StatusOK
	}
	return nil, ua.StatusBadNodeIDUnknown
}

// filter reads the trigger of a data change filter. Every value that is set is
// a change of value, so the two value triggers are the same; deadbands are not
// offered.
func filter(x *ua.ExtensionObject) (ua.DataChangeTrigger, ua.StatusCode) {
	if x == nil || x.Value == nil {
		if x != nil && x.TypeID.NodeID.IntID() != 0 {
			return 0, ua.StatusBadMonitoredItemFilterUnsupported
		}
		return ua.DataChangeTriggerStatusValue, ua.StatusOK
	}
	f, ok := x.Value.(*ua.DataChangeFilter)
	if !ok || f.DeadbandType != uint32(ua.DeadbandTypeNone) {
		return 0, ua.StatusBadMonitoredItemFilterUnsupported
	}
	return f.Trigger, ua.StatusOK
}

// report queues a value for the item's client; mu is held. When the item's
// queue is full one value gives way, the oldest or the newest as the client
// chose, and its neighbour says so.
func (it *item) report(v *ua.DataValue) {
	if it.mode == ua.MonitoringModeDisabled || it.statusOnly && v.Status == it.last {
		return
	}
	it.last = v.Status
	it.sub.queue = append(it.sub.queue, entry{it, v})
	it.queued++
	if it.queued <= it.queueSize {
		return
	}
	if it.discardOldest {
		it.removeFirst()
		it.mark(it.first())
		return
	}
	it.removeBeforeLast()
	it.mark(len(it.sub.queue) - 1)
}

// first is the place of the item's oldest value in the queue.
func (it *item) first() int {
	for i, e := range it.sub.queue {
		if e.item == it {
			return i
		}
	}
	return -1
}

func (it *item) removeFirst() { it.removeAt(it.first()) }

// removeBeforeLast removes the value that was the newest until now.
func (it *item) removeBeforeLast() {
	for i := len(it.sub.queue) - 2; i >= 0; i-- {
		if it.sub.queue[i].item == it {
			it.removeAt(i)
			return
		}
	}
}

func (it *item) removeAt(i int) {
	it.sub.queue = append(it.sub.queue[:i], it.sub.queue[i+1:]...)
	it.queued--
}

// mark sets the overflow bits of a queued value, on a copy of its own.
func (it *item) mark(i int) {
	v := *it.sub.queue[i].value
	v.Status |= overflow
	it.sub.queue[i].value = &v
}

// detach ends the item's reports and forgets what is still queued.
func (it *item) detach() {
	if it.node != nil {
		delete(it.node.items, it)
	}
	delete(it.sub.items, it.id)
	it.forgetQueue()
}

// forgetQueue drops the item's values that have not been sent.
func (it *item) forgetQueue() {
	it.queued = 0
	kept := it.sub.queue[:0]
	for _, e := range it.sub.queue {
		if e.item != it {
			kept = append(kept, e)
		}
	}
	clear(it.sub.queue[len(kept):])
	it.sub.queue = kept
}

func (s *Server) deleteItems(ses *session, r *ua.DeleteMonitoredItemsRequest) ua.Response {
	sub := ses.subs[r.SubscriptionID]
	if sub == nil {
		return fault(r, ua.StatusBadSubscriptionIDInvalid)
	}
	results := make([]ua.StatusCode, len(r.MonitoredItemIDs))
	for i, id := range r.MonitoredItemIDs {
		it := sub.items[id]
		if it == nil {
			results[i] = ua.StatusBadMonitoredItemIDInvalid
			continue
		}
		it.detach()
	}
	return &ua.DeleteMonitoredItemsResponse{
		ResponseHeader: ok(r), Results: results, DiagnosticInfos: []*ua.DiagnosticInfo{},
	}
}

// setMonitoringMode changes items' modes. One that begins to sample reports the
// value that its variable has now; one that is disabled forgets what it held.
func (s *Server) setMonitoringMode(ses *session, r *ua.SetMonitoringModeRequest) ua.Response {
	sub := ses.subs[r.SubscriptionID]
	if sub == nil {
		return fault(r, ua.StatusBadSubscriptionIDInvalid)
	}
	results := make([]ua.StatusCode, len(r.MonitoredItemIDs))
	for i, id := range r.MonitoredItemIDs {
		it := sub.items[id]
		if it == nil {
			results[i] = ua.StatusBadMonitoredItemIDInvalid
			continue
		}
		was := it.mode
		if it.mode = r.MonitoringMode; it.mode == ua.MonitoringModeDisabled {
			it.forgetQueue()
			continue
		}
		if was == ua.MonitoringModeDisabled && it.node != nil {
			it.last = ^ua.StatusOK
			it.report(it.node.dataValue(now()))
		}
	}
	return &ua.SetMonitoringModeResponse{
		ResponseHeader: ok(r), Results: results, DiagnosticInfos: []*ua.DiagnosticInfo{},
	}
}
