package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"andon/internal/config"
	"andon/internal/engine"
	"andon/internal/journal"
	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
)

const at0 = sample.Time(1767225600e9) // 2026-01-01T00:00:00Z

var wiring = record.Wiring{
	Sources:   []record.Source{{Name: "plc", Kind: "opcua"}},
	Equipment: []record.Equipment{{Name: "furn-03"}},
	Tags:      []record.Tag{{Equipment: "furn-03", Name: "tc1", Source: "plc"}, {Equipment: "furn-03", Name: "tc2", Source: "plc"}},
	Consumers: []string{"qms"},
}

// newDecider is a decider on a new journal, started.
func newDecider(t *testing.T) *decider {
	t.Helper()
	j, err := journal.Open(t.TempDir(), journal.Options{Gateway: "g1", At: int64(at0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	g := &Gateway{}
	d := &decider{j: j, s: engine.New(), log: slog.New(slog.DiscardHandler), every: time.Hour, now: func() time.Time { return at0.Std() },
		committed: &g.committed, raised: map[uint64]sample.Time{}}
	if err := d.decide(at0, &record.Start{Gateway: "g1", Epoch: j.Head().Epoch, Wiring: wiring}); err != nil {
		t.Fatal(err)
	}
	mustFlush(t, d)
	return d
}

func mustFlush(t *testing.T, d *decider) {
	t.Helper()
	if err := d.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// samples decides n scans of both tags, and commits every commit of them.
func samples(t *testing.T, d *decider, n, commit int) {
	t.Helper()
	for i := range n {
		at := at0.Add(time.Duration(i+1) * time.Second)
		s := &record.Scan{Source: "plc", Time: at, Readings: []sample.Reading{
			{Tag: 0, Value: sample.FloatValue(float64(i))}, {Tag: 1, Value: sample.StringValue("<&>")}}}
		if err := d.decide(at, s); err != nil {
			t.Fatal(err)
		}
		if (i+1)%commit == 0 {
			mustFlush(t, d)
		}
	}
	mustFlush(t, d)
}

// TestRecordMessages: outstanding samples come in order, cut at 100, each with
// the bytes by which its receipt is compared, and without those receipted.
//
//andon:req Q18 Q23
func TestRecordMessages(t *testing.T) {
	d := newDecider(t)
	samples(t, d, 120, 7) // 240 samples
	if err := d.decide(at0, &record.Receipt{Consumer: "qms", Epoch: d.s.Start.Epoch, Lane: outbox.Record, UpTo: 5, Ranges: [][2]uint64{{50, 59}}}); err != nil {
		t.Fatal(err)
	}
	mustFlush(t, d)
	o := &sending{j: &d.j.View, gateway: "g1", committed: d.committed.Load}
	next, after := uint64(6), uint64(0)
	for {
		list, err := o.Pending(outbox.Record, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, m := range list {
			after = m.Last
			next = checkMessage(t, o, m.Payload, m.First, m.Last, next)
		}
	}
	if next != 241 {
		t.Errorf("messages end before sample %d, want 241", next)
	}
	if l, err := o.Level(outbox.Record); err != nil || l.Raised != 240 || l.Outstanding != 240-15 || l.Oldest != 6 {
		t.Errorf("level %+v, %v", l, err)
	}
}

func checkMessage(t *testing.T, o *sending, payload []byte, first, last, next uint64) uint64 {
	t.Helper()
	var m recordMessage
	if err := json.Unmarshal(payload, &m); err != nil {
		t.Fatal(err)
	}
	if m.First != first || m.Last != last || len(m.Records) != int(last-first+1) || len(m.Records) > messageSamples {
		t.Fatalf("message %d-%d holds %d records from %d to %d", first, last, len(m.Records), m.First, m.Last)
	}
	for _, raw := range m.Records {
		var s struct{ I uint64 }
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		if next == 50 {
			next = 60
		}
		if s.I != next {
			t.Fatalf("sample %d, want %d", s.I, next)
		}
		e, ok, err := o.Entry(outbox.Record, s.I)
		if err != nil || !ok || e.SHA256[0] != digest(raw) {
			t.Fatalf("sample %d: %+v %v %v, want hash %s of %s", s.I, e, ok, err, digest(raw), raw)
		}
		next++
	}
	return next
}

// TestEvidenceCountsThePendingGroup: what has been decided and not committed is
// evidence too, and comes out the same after the commit.
//
//andon:req Q29
func TestEvidenceCountsThePendingGroup(t *testing.T) {
	d := newDecider(t)
	samples(t, d, 10, 3)
	need := record.Need{ID: "n", Tags: []sample.Tag{0}, From: at0.Add(8 * time.Second), To: at0.Add(12 * time.Second)}
	for i := 11; i <= 13; i++ {
		at := at0.Add(time.Duration(i) * time.Second)
		if err := d.decide(at, &record.Scan{Source: "plc", Time: at, Readings: []sample.Reading{{Tag: 0, Value: sample.IntValue(int64(i))}}}); err != nil {
			t.Fatal(err)
		}
	}
	before, err := evidence(&d.j.View, &d.s.Start.Wiring, d.g.Records, need)
	if err != nil {
		t.Fatal(err)
	}
	mustFlush(t, d)
	after, err := evidence(&d.j.View, &d.s.Start.Wiring, nil, need)
	if err != nil {
		t.Fatal(err)
	}
	if *before != *after || before.Count != 5 || before.First != 15 || before.Last != 22 {
		t.Errorf("before the commit %+v, after it %+v; want 5 samples from 15 to 22", before, after)
	}
}

// TestRemember: the state made again from the record is the one that made it,
// with and without a snapshot.
//
//andon:req Q56
func TestRemember(t *testing.T) {
	for _, snapshot := range []bool{false, true} {
		d := newDecider(t)
		samples(t, d, 10, 4)
		if snapshot {
			d.g.Snapshot = d.s.Save()
			mustFlush(t, d)
		}
		if err := d.decide(at0.Add(time.Minute), &record.Loss{Source: "plc", Cause: "link"}); err != nil {
			t.Fatal(err)
		}
		mustFlush(t, d)
		s, differs, err := remember(&d.j.View)
		if err != nil || differs != "" || string(s.Save()) != string(d.s.Save()) {
			t.Errorf("snapshot %v: differs %q, %v\n%s\n%s", snapshot, differs, err, s.Save(), d.s.Save())
		}
	}
}

// TestWiringKeepsNumbers: a tag keeps its number for the life of the journal,
// whatever the settings do; one that is gone keeps its place without a source.
func TestWiringKeepsNumbers(t *testing.T) {
	tags := func(names ...string) *config.Config {
		c := &config.Config{Equipment: []config.Equipment{{Name: "e"}}}
		for _, n := range names {
			c.Equipment[0].Tags = append(c.Equipment[0].Tags, config.Tag{Name: n, Source: "s"})
		}
		return c
	}
	w := Wiring(tags("a", "b", "c"), &record.Wiring{})
	w = Wiring(tags("d", "c", "a"), &w)
	got := ""
	for _, x := range w.Tags {
		got += x.Name + ":" + x.Source + " "
	}
	if want := "a:s b: c:s d:s "; got != want {
		t.Errorf("tags %q, want %q", got, want)
	}
	w = Wiring(tags("b"), &w)
	if w.Tags[1].Name != "b" || w.Tags[1].Source != "s" || w.Tags[0].Source != "" {
		t.Errorf("b came back as %+v", w.Tags)
	}
}

// TestIntakeStops: whoever hands something in is let go when the gateway stops
// or nobody decides any more, and never taken for having been taken.
func TestIntakeStops(t *testing.T) {
	in := newIntake()
	close(in.stop)
	if err := in.put(t.Context(), delivery{}); !errors.Is(err, errStopped) {
		t.Errorf("after the stop: %v", err)
	}
	in = newIntake()
	for range intakeDepth {
		if err := in.put(t.Context(), delivery{}); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	go func() { done <- in.put(context.Background(), delivery{}) }()
	close(in.gone)
	if err := <-done; !errors.Is(err, errStopped) {
		t.Errorf("nobody decides: %v", err)
	}
}

// TestDamagedJournalIsSetAside: the gateway starts all the same, in a new epoch,
// and nothing is deleted.
func TestDamagedJournalIsSetAside(t *testing.T) {
	dir := t.TempDir()
	c := &config.Config{Gateway: config.Gateway{ID: "g1"}, Data: config.Data{Dir: dir, Quota: 64 << 20, CommitEvery: time.Second}}
	open := func() *Gateway {
		g, err := Open(Options{Config: c})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	g := open()
	epoch := g.Journal().Head().Epoch
	if err := g.j.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, journal.File)
	if err := os.Truncate(file, 6000); err != nil {
		t.Fatal(err)
	}
	g = open()
	if now := g.Journal().Head().Epoch; now == epoch {
		t.Error("the damaged journal's epoch goes on")
	}
	if err := g.j.Close(); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadDir(filepath.Join(dir, journal.Quarantine))
	if err != nil || len(kept) != 1 {
		t.Errorf("quarantine holds %v, %v; want the damaged file", kept, err)
	}
}
