package uplink_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"andon/internal/uplink"
	"andon/internal/uplink/mqtttest"
)

// TestProbe: a broker that takes us is fine, one that is not there is named, and
// a gateway that is connected stays so.
func TestProbe(t *testing.T) {
	b := mqtttest.New(t, nil)
	for range 2 {
		if err := uplink.Probe(t.Context(), uplink.Options{Gateway: "line2"}, b.URL()); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "tcp://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := uplink.Probe(t.Context(), uplink.Options{Gateway: "line2"}, nobody); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := uplink.Probe(ctx, uplink.Options{Gateway: "line2"}, b.URL()); err == nil {
		t.Error("a probe that was called off found the broker fine")
	}
	if err := uplink.Probe(t.Context(), uplink.Options{Gateway: "line2", Prefix: "a b/"}, b.URL()); err == nil {
		t.Error("a prefix that no broker takes was taken")
	}
	shut := mqtttest.New(t, &mqtttest.Faults{Login: func(string, string) bool { return false }})
	if err := uplink.Probe(t.Context(), uplink.Options{Gateway: "line2"}, shut.URL()); !errors.Is(err, uplink.ErrCredentials) {
		t.Errorf("a broker that does not know us: %v", err)
	}
	deaf := mqtttest.New(t, &mqtttest.Faults{Forbid: func(string) bool { return true }})
	if err := uplink.Probe(t.Context(), uplink.Options{Gateway: "line2"}, deaf.URL()); err == nil || !strings.Contains(err.Error(), "allow the gateway to read this topic") {
		t.Errorf("a broker that lets us hear no receipts: %v", err)
	}
}
