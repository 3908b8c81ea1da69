package deploy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"andon/internal/peer"
)

// broker is mosquitto with our files, on a port and paths of the test.
type broker struct {
	url   string
	roots *x509.CertPool
}

func startBroker(t *testing.T) *broker {
	t.Helper()
	program, passwd := peer.Command(t, "mosquitto"), peer.Command(t, "mosquitto_passwd")
	dir := t.TempDir()
	b := &broker{roots: certificates(t, dir)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String() // mosquitto cannot choose one itself
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b.url = "ssl://" + address
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("listener 8883", "listener "+port+" 127.0.0.1", "/etc/mosquitto/certs", dir, "/etc/mosquitto", dir).
		Replace(read(t, "mosquitto/andon.conf"))
	write(t, filepath.Join(dir, "andon.conf"), text)
	write(t, filepath.Join(dir, "andon.acl"), read(t, "mosquitto/andon.acl"))
	// What Debian's own file says; started by root it would become another user,
	// who cannot read our files.
	write(t, filepath.Join(dir, "mosquitto.conf"), fmt.Sprintf("user root\npersistence true\npersistence_location %s/\ninclude_dir %s/conf.d\n", dir, dir))
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "andon.conf"), filepath.Join(dir, "conf.d", "andon.conf")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "andon.passwd"), "")
	for _, user := range []string{"line1", "line2", "qms", "mes"} {
		if out, err := exec.Command(passwd, "-b", filepath.Join(dir, "andon.passwd"), user, user+"-secret").CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_passwd: %v\n%s", err, out)
		}
	}
	var talk strings.Builder
	cmd := exec.Command(program, "-v", "-c", filepath.Join(dir, "mosquitto.conf"))
	cmd.Stdout, cmd.Stderr = &talk, &talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var end error // set before ended is closed
	go func() { end = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // gone already: then ended says so
		<-ended
		if t.Failed() {
			t.Log(talk.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = c.Close() // it was only to see that somebody listens
			return b
		}
		select {
		case <-ended:
			t.Fatalf("mosquitto does not take our configuration: %v\n%s", end, talk.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("mosquitto does not listen")
		}
	}
}

// certificates makes a CA and the broker's certificate for 127.0.0.1.
func certificates(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test broker"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, filepath.Join(dir, "ca.pem"), cert)
	write(t, filepath.Join(dir, "broker.pem"), cert)
	write(t, filepath.Join(dir, "broker.key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(cert))
	return pool
}

func (b *broker) options(user, password string) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().AddBroker(b.url).SetClientID(user).SetUsername(user).SetPassword(password).SetAutoReconnect(false).
		SetConnectRetry(false).SetProtocolVersion(4).SetTLSConfig(&tls.Config{RootCAs: b.roots, MinVersion: tls.VersionTLS12})
}

// client logs in; the error is the broker's refusal.
func (b *broker) client(t *testing.T, user, password string) (mqtt.Client, error) {
	t.Helper()
	c := mqtt.NewClient(b.options(user, password))
	k := c.Connect()
	if !k.WaitTimeout(10 * time.Second) {
		t.Fatalf("%s: the broker does not answer", user)
	}
	if k.Error() == nil {
		t.Cleanup(func() { c.Disconnect(0) })
	}
	return c, k.Error()
}

func (b *broker) login(t *testing.T, user string) mqtt.Client {
	t.Helper()
	c, err := b.client(t, user, user+"-secret")
	if err != nil {
		t.Fatalf("%s: %v", user, err)
	}
	return c
}

func publish(t *testing.T, c mqtt.Client, topic, text string) {
	t.Helper()
	if k := c.Publish(topic, 1, false, text); !k.WaitTimeout(10*time.Second) || k.Error() != nil {
		t.Fatalf("publish %s: %v", topic, k.Error())
	}
}

// forge tries to send what a user may not, over a connection of its own. The
// broker may take it and drop it, or cut the connection: both keep it away.
func (b *broker) forge(t *testing.T, user, topic, text string) {
	t.Helper()
	o := b.options(user, user+"-secret").SetClientID(user + "-forger")
	c := mqtt.NewClient(o)
	if k := c.Connect(); !k.WaitTimeout(10*time.Second) || k.Error() != nil {
		t.Fatalf("%s: %v", user, k.Error())
	}
	k := c.Publish(topic, 1, false, text)
	if !k.WaitTimeout(10 * time.Second) {
		t.Fatalf("%s: the broker neither answers nor cuts", user)
	}
	c.Disconnect(0)
}

// TestMosquittoKeepsGatewaysApart: with our files the broker starts, lets in who
// has a password, and nobody speaks or listens for another.
//
//andon:req Q40
func TestMosquittoKeepsGatewaysApart(t *testing.T) {
	b := startBroker(t)
	for _, wrong := range [][2]string{{"line1", "line2-secret"}, {"", ""}} {
		if _, err := b.client(t, wrong[0], wrong[1]); err == nil {
			t.Errorf("%q was let in with a wrong password", wrong[0])
		}
	}
	heard := make(chan string, 100)
	listen := func(user string, c mqtt.Client, topic string) {
		k := c.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { heard <- user + " " + m.Topic() + " " + string(m.Payload()) })
		if !k.WaitTimeout(10*time.Second) || k.Error() != nil {
			t.Logf("%s may not listen to %s: %v", user, topic, k.Error()) // also right
		}
	}
	qms, line1, line2, mes := b.login(t, "qms"), b.login(t, "line1"), b.login(t, "line2"), b.login(t, "mes")
	listen("qms", qms, "andon/v1/+/up/#")
	listen("line1", line1, "andon/v1/line1/down/#")
	listen("line2", line2, "andon/v1/+/up/#")
	listen("line2", line2, "andon/v1/line1/down/#")
	listen("line2", line2, "andon/v1/line2/down/#")

	b.forge(t, "line2", "andon/v1/line1/up/quality/deviation", "forged event")
	b.forge(t, "line2", "andon/v1/line1/down/receipt", "forged receipt")
	b.forge(t, "mes", "andon/v1/line1/down/receipt", "a receipt by the wrong system")
	b.forge(t, "qms", "andon/v1/line1/up/quality/deviation", "an event by the wrong system")
	publish(t, line1, "andon/v1/line1/up/quality/deviation", "event")
	publish(t, qms, "andon/v1/line1/down/receipt", "receipt")
	publish(t, mes, "andon/v1/line1/down/context", "context")
	want := map[string]bool{
		"qms andon/v1/line1/up/quality/deviation event": true,
		"line1 andon/v1/line1/down/receipt receipt":     true,
		"line1 andon/v1/line1/down/context context":     true,
	}
	for len(want) > 0 {
		select {
		case got := <-heard:
			if !want[got] {
				t.Errorf("was delivered: %s", got)
			}
			delete(want, got)
		case <-time.After(10 * time.Second):
			t.Fatalf("not delivered: %v", want)
		}
	}
	// Each client's own loopback message comes behind all that was sent to it.
	publish(t, qms, "andon/v1/line2/down/receipt", "last")
	for {
		got := <-heard
		if got == "line2 andon/v1/line2/down/receipt last" {
			break
		}
		t.Errorf("was delivered: %s", got)
	}
}
