package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/receiver"
	"andon/internal/signkey"
	"andon/internal/uplink/mqtttest"
)

func TestReceiveAnswersWithASignedReceipt(t *testing.T) {
	b := mqtttest.New(t, nil)
	dir := t.TempDir()
	key, err := signkey.Generate("qms")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "qms.key")
	if err := signkey.Create(file, key, nil); err != nil {
		t.Fatal(err)
	}
	cmd := newReceiveCommand()
	var out, talk bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&talk)
	cmd.SetArgs([]string{"--broker", b.URL(), "--out", filepath.Join(dir, "out"), "--key", file, "--json"})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx) }()

	c := mqtttest.NewClient(t, b.URL(), "andon/v1/g1/down/receipt")
	entry := `{"id":"g1/e1/quality/1","gateway":"g1","epoch":"e1","lane":"quality","seq":1}`
	// Retained, so that it does not matter who is first.
	c.PublishRetained("andon/v1/g1/up/quality/deviation", []byte(entry))
	verifier, err := note.NewVerifier(key.Public)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(c.Next(), note.VerifierList(verifier))
	if err != nil {
		t.Fatalf("receipt: %v", err)
	}
	if !strings.Contains(n.Text, `"consumer":"qms","stage":"stored","up_to":1`) {
		t.Errorf("receipt %s", n.Text)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatalf("receive: %v; %s", err, talk.String())
	}
	var s receiver.Summary
	if err := json.Unmarshal(out.Bytes(), &s); err != nil || s.Lanes["g1/e1/quality"].Received != 1 {
		t.Errorf("printed %s (%v), want one received", out.String(), err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "out", "g1.e1.quality.jsonl"))
	if err != nil || string(got) != entry+"\n" {
		t.Errorf("stored %q, %v", got, err)
	}
}

func TestParseGateways(t *testing.T) {
	_, public, err := note.GenerateKey(nil, "g2")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseGateways("f", "# ours\ng1\n\n  g2 "+public+"  # its key\n")
	if err != nil || len(got) != 2 || got["g1"] != "" || got["g2"] != public {
		t.Errorf("gateways %v, %v", got, err)
	}
	_, err = parseGateways("f", "g1\ng1\ng2 nonsense\n")
	for _, want := range []string{"f:2: gateway g1 is there already", "f:3: key of gateway g2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
	if _, err := parseGateways("f", "# none\n"); err == nil {
		t.Error("an empty list was taken")
	}
}
