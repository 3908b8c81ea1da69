package main

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"andon/internal/gateway"

	"github.com/spf13/cobra"
)

// fakeGateway answers on the control socket of a data directory.
func fakeGateway(t *testing.T, dir string, h http.HandlerFunc) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(dir, "control"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h} //nolint:gosec // it answers this test only
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// tell is what tellGateway says.
func tell(t *testing.T, dir string) string {
	t.Helper()
	var talk bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetErr(&talk)
	cmd.SetContext(t.Context())
	if err := tellGateway(cmd, dir); err != nil {
		t.Fatal(err)
	}
	return talk.String()
}

func TestTellGateway(t *testing.T) {
	dir := t.TempDir()
	if got, want := tell(t, dir), "no gateway is running: it goes on the audit trail at the next start\n"; got != want {
		t.Errorf("without a gateway: %q, want %q", got, want)
	}
	asked := make(chan string, 1)
	fakeGateway(t, dir, func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path })
	if got := tell(t, dir); got != "" {
		t.Errorf("recorded: %q, want nothing said", got)
	}
	if got := <-asked; got != gateway.AskPeople {
		t.Errorf("asked for %s, want %s", got, gateway.AskPeople)
	}
}

func TestTellGatewayThatCannotRecord(t *testing.T) {
	dir := t.TempDir()
	fakeGateway(t, dir, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "NOT RECORDING", http.StatusUnprocessableEntity)
	})
	want := "the change is in force; it is not on the audit trail yet, and will be at the next start at the latest: the running gateway says: NOT RECORDING"
	if got := strings.TrimSpace(tell(t, dir)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
