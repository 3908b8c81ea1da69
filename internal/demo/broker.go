package demo

import (
	"fmt"
	"log/slog"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// startBroker starts an MQTT broker on a free port of the loopback interface
// and returns its address. It keeps nothing on disk: what it loses is sent
// again, since only a receipt counts.
func startBroker() (b *mqtt.Server, address string, err error) {
	b = mqtt.New(&mqtt.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := b.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, "", fmt.Errorf("broker: %w", err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := b.AddListener(l); err != nil {
		return nil, "", fmt.Errorf("broker: %w", err)
	}
	if err := b.Serve(); err != nil {
		return nil, "", fmt.Errorf("broker: %w", err)
	}
	return b, "tcp://" + l.Address(), nil
}
