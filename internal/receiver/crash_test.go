package receiver_test

import (
	"context"
	"log"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/outbox"
	"andon/internal/receiver"
	"andon/internal/uplink/mqtttest"
)

// TestMain is, in a child process, a receiver that is going to be killed.
func TestMain(m *testing.M) {
	dir := os.Getenv("RECEIVER_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	signer, err := note.NewSigner(os.Getenv("RECEIVER_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	r, err := receiver.New(receiver.Options{Broker: os.Getenv("RECEIVER_BROKER"), Dir: dir, Name: "qms", Signer: signer})
	if err == nil {
		err = r.Run(context.Background())
	}
	log.Fatal(err)
}

// The receiver is killed at instants of chance while it stores: nothing that it
// receipted is lost, nothing is stored twice.
func TestKilledAgainAndAgain(t *testing.T) {
	b := mqtttest.New(t, nil)
	dir := t.TempDir()
	private, public, err := note.GenerateKey(nil, "qms")
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, b.URL(), public)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for round := range 8 {
		child := exec.Command(exe)
		child.Env = append(os.Environ(), "RECEIVER_DIR="+dir, "RECEIVER_BROKER="+b.URL(), "RECEIVER_KEY="+private)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		before := g.count(outbox.Quality).Receipted
		g.raise(outbox.Quality, 300)
		poll(t, "some receipts", func() bool { return g.count(outbox.Quality).Receipted > before+uint64(round) })
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // says that it was killed
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	r := newReceiver(t, options(t, b.URL(), dir, signer))
	held := r.Summary().Lane(outbox.Quality).Received
	if c := g.count(outbox.Quality); held < c.Receipted {
		t.Errorf("%d held after the kills, %d were receipted", held, c.Receipted)
	}
	start(t, r.Run)
	g.drained(t, outbox.Quality)
	g.everyEntryOnce(t, dir, outbox.Quality)
	if len(g.refused) > 0 {
		t.Errorf("receipts refused: %v", g.refused)
	}
}
