package broker

import (
	"net"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
)

// Closing ends while clients come and go.
func TestCloseWhileClientsLeave(t *testing.T) {
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s, err := Start(l, new(auth.AllowHook))
		if err != nil {
			t.Fatal(err)
		}
		var clients []paho.Client
		for range 8 {
			c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + l.Addr().String()).SetAutoReconnect(false))
			if tok := c.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
				t.Fatalf("connect: %v", tok.Error())
			}
			clients = append(clients, c)
		}
		var wg sync.WaitGroup
		for _, c := range clients {
			wg.Go(func() { c.Disconnect(0) })
		}
		closed := make(chan error, 1)
		go func() { closed <- s.Close() }()
		wg.Wait()
		select {
		case err := <-closed:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the broker has not closed within 30 s")
		}
	}
}
