package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"andon/internal/config"
	"andon/internal/outbox"
	"andon/internal/record"
)

// rejecting is a running gateway whose only consumer has rejected its event 1
// and its first sample that there will be.
func rejecting(t *testing.T) *Gateway {
	t.Helper()
	c := &config.Config{Gateway: config.Gateway{ID: "g1"}, Data: config.Data{Dir: t.TempDir(), Quota: 64 << 20, CommitEvery: 10 * time.Millisecond},
		MQTT: &config.MQTT{Brokers: []config.Broker{{Addr: "127.0.0.1:1"}}, Receipts: "unsigned", Consumers: []config.Consumer{{Name: "qms"}}}}
	g, err := Open(Options{Config: c})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-g.Ready()
	reject := &record.Receipt{Consumer: "qms", Epoch: g.Committed().Head.Epoch, Lane: outbox.Event,
		Rejected: []record.Rejection{{Seq: 1, Code: "unknown", Reason: "no such site", Topic: "event/audit", SHA256: "ab"}}}
	if err := g.Put(t.Context(), reject); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestDeadLetterGoesAgain: a dead letter keeps the bytes that were rejected, is
// sent again once under a new number with the same content, and the audit trail
// says who and why.
//
//andon:req Q3 Q31
func TestDeadLetterGoesAgain(t *testing.T) {
	g := rejecting(t)
	dir := g.o.Config.Data.Dir
	var b bytes.Buffer
	if err := Ask(t.Context(), dir, AskOutbox, &b); err != nil {
		t.Fatal(err)
	}
	var r OutboxReport
	if err := json.Unmarshal(b.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Dead) != 1 || r.Dead[0].Code != "unknown" || r.Dead[0].Requeued != "" || r.OldestPending == nil {
		t.Fatalf("report %s", b.Bytes())
	}
	if n := r.Lanes["event"]; n.Rejected != 1 || n.Raised != n.Receipted+n.Pending+n.Rejected {
		t.Errorf("lane event %+v", n)
	}
	d, err := AskToRequeue(t.Context(), dir, "event", 1, "site is known now")
	if err != nil {
		t.Fatal(err)
	}
	again := entryOf(t, g, d.Requeued)
	var was, is struct {
		ID   string          `json:"id"`
		Data json.RawMessage `json:"data"`
		Time time.Time       `json:"time"`
	}
	if err := errors.Join(json.Unmarshal(d.Payload, &was), json.Unmarshal(again, &is)); err != nil {
		t.Fatal(err)
	}
	if was.ID != d.ID || is.ID != d.Requeued || !bytes.Equal(was.Data, is.Data) || !was.Time.Equal(is.Time) {
		t.Errorf("rejected\n%s\nsent again\n%s", d.Payload, again)
	}
	if !bytes.Contains(exported(t, g), []byte(`"action":"requeue","object":"`+d.ID+`","new":"`+d.Requeued+`"`)) {
		t.Error("the act is not on the audit trail")
	}
	if _, err := AskToRequeue(t.Context(), dir, "event", 1, "once more"); err == nil || !strings.Contains(err.Error(), "was sent again as "+d.Requeued) {
		t.Errorf("sending it twice: %v", err)
	}
}

func TestRequeueRefused(t *testing.T) {
	g := rejecting(t)
	dir := g.o.Config.Data.Dir
	for _, tt := range []struct {
		name, lane, reason, want string
		seq                      uint64
	}{
		{"no reason", "event", " ", "no reason is given", 1},
		{"not dead", "event", "r", "no dead letter 2", 2},
		{"no lane", "nolane", "r", "lane nolane has no dead letter 1", 1},
	} {
		if _, err := AskToRequeue(t.Context(), dir, tt.lane, tt.seq, tt.reason); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := AskToRequeue(t.Context(), t.TempDir(), "event", 1, "r"); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody runs there: %v", err)
	}
}

// TestDeadSample: a sample that was rejected is a dead letter with the bytes of
// its element.
func TestDeadSample(t *testing.T) {
	d := newDecider(t)
	samples(t, d, 3, 2)
	if err := d.decide(at0, &record.Receipt{Consumer: "qms", Epoch: d.s.Start.Epoch, Lane: outbox.Record,
		Rejected: []record.Rejection{{Seq: 3, Code: "c", Reason: "r", Topic: "record", SHA256: "ab"}}}); err != nil {
		t.Fatal(err)
	}
	mustFlush(t, d)
	r, err := Outbox(&d.j.View)
	if err != nil || len(r.Dead) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if want := `"i":3,`; r.Dead[0].Lane != outbox.Record || !strings.Contains(string(r.Dead[0].Payload), want) {
		t.Errorf("%+v: %s", r.Dead[0], r.Dead[0].Payload)
	}
}

func entryOf(t *testing.T, g *Gateway, id string) []byte {
	t.Helper()
	entries, err := g.j.Entries(outbox.Event, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(id, "/event/"+jsonNumber(e.Seq)) {
			return e.Payload
		}
	}
	t.Fatalf("no entry %s", id)
	return nil
}

func jsonNumber(n uint64) string { b, _ := json.Marshal(n); return string(b) } // numbers always encode

func exported(t *testing.T, g *Gateway) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Export(&b, g.Journal(), Selection{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
