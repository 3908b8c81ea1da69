package uaserver

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
)

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
