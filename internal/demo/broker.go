package demo

import (
	"fmt"
	"net"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"

	"andon/internal/broker"
)

// startBroker starts an MQTT broker on a free port of the loopback interface
// and returns its address. It keeps nothing on disk: what it loses is sent
// again, since only a receipt counts.
func startBroker() (b *mqtt.Server, address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("broker: %w", err)
	}
	b, err = broker.Start(l, new(auth.AllowHook))
	return b, "tcp://" + l.Addr().String(), err
}
