package uaserver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopcua/opcua/ua"
)

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
	if res := r.Results[0]; res.RevisedSamplingInterval != 0 || res.RevisedQueueSize != minQueue {
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

func TestNextSeq(t *testing.T) {
	if got := nextSeq(1<<32 - 1); got != 1 {
		t.Errorf("after the last number comes %d, want 1", got)
	}
}
