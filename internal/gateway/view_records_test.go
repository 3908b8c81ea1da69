package gateway

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"andon/internal/journal"
	"andon/internal/outbox"
	"andon/internal/panel"
	"andon/internal/record"
)

// shownOf is what the panel sees of a decider's work.
func shownOf(d *decider) shown {
	g := &Gateway{j: d.j}
	g.committed.Store(d.committed.Load())
	return shown{g}
}

// TestEachSample: what is committed comes, in order, in the bounds asked for, and
// nothing of the group that waits.
//
//andon:req Q57
func TestEachSample(t *testing.T) {
	d := newDecider(t)
	samples(t, d, 50, 7) // two a second, from at0 + 1 s on
	if err := d.decide(at0.Add(time.Hour), &record.Scan{Source: "plc", Time: at0.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	s := shownOf(d)
	if tag := wiring.Tags[0]; !s.HasTag(tag.Equipment, tag.Name) || s.HasTag(tag.Equipment, tag.Name+"x") || s.HasTag("", tag.Name) {
		t.Errorf("tag %s/%s is not known, or others are", tag.Equipment, tag.Name)
	}
	collect := func(r panel.SampleRange, most int) (got []uint64) {
		if err := s.EachSample(t.Context(), r, func(x record.Sample) bool {
			got = append(got, x.I)
			return len(got) < most
		}); err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct {
		r           panel.SampleRange
		most        int
		first, last uint64
	}{
		{panel.SampleRange{}, 1000, 1, 100},
		{panel.SampleRange{From: at0.Add(10 * time.Second), To: at0.Add(12 * time.Second)}, 1000, 19, 24},
		{panel.SampleRange{After: 33}, 1000, 34, 100},
		{panel.SampleRange{After: 33, To: at0.Add(30 * time.Second)}, 5, 34, 38},
	} {
		got := collect(c.r, c.most)
		if uint64(len(got)) != c.last-c.first+1 || got[0] != c.first || got[len(got)-1] != c.last {
			t.Errorf("%+v: %v, want %d to %d", c.r, got, c.first, c.last)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.EachSample(ctx, panel.SampleRange{}, func(record.Sample) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits any more: %v", err)
	}
}

// TestTree: what the panel proves with is the tree whose root the journal signs.
func TestTree(t *testing.T) {
	d := newDecider(t)
	samples(t, d, 9, 1)
	tree, head := shownOf(d).Tree(), d.j.Head()
	root, err := tlog.TreeHash(tree.Size(), tree)
	if err != nil || tree.Size() != head.Size || root != head.Root {
		t.Fatalf("size %d root %s, %v, want %d %s", tree.Size(), root, err, head.Size, head.Root)
	}
	err = d.j.Commits(1, func(h journal.Header, _ []byte) error {
		path, err := tlog.ProveRecord(head.Size, int64(h.Seq)-1, tree)
		if err != nil {
			return err
		}
		return tlog.CheckRecord(path, head.Size, root, int64(h.Seq)-1, h.Leaf())
	})
	if err != nil {
		t.Error(err)
	}
}

// TestLedgerCut: a list that was cut to its greatest length does not call itself
// complete, though everything is remembered.
func TestLedgerCut(t *testing.T) {
	for _, n := range []int{eventsKept - 1, eventsKept + 1} {
		l, st := &ledger{whole: true}, outbox.New("e1", nil)
		for i := range n {
			e := tellEvent(st.Next(outbox.Quality), fmt.Sprintf("dev-%d", i), 1, "opened")
			e.Payload = fmt.Appendf(nil, `{"data":{"event_id":"dev-%d","kind":"deviation","state":"opened","raised_at":%q}}`, i, at0.Add(time.Duration(i)*time.Second))
			l.decided(at0.Add(time.Duration(i)*time.Second), &record.Outcome{Entries: []record.Entry{e}})
			l.committed()
		}
		list, want := l.list(&st), panel.Instant(0)
		if n > eventsKept {
			want = panel.Instant(at0.Add(time.Second))
		}
		if list.Since != want {
			t.Errorf("%d events: complete since %v, want %v", n, list.Since.Std(), want.Std())
		}
	}
}
