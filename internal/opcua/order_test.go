package opcua

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
	"pgregory.net/rapid"
)

// publishAnswer is an answer with a sequence number, and data or none.
func publishAnswer(seq uint32, data bool) answer {
	m := &ua.NotificationMessage{SequenceNumber: seq}
	if data {
		m.NotificationData = []*ua.ExtensionObject{ua.NewExtensionObject(&ua.DataChangeNotification{})}
	}
	return answer{resp: &ua.PublishResponse{ResponseHeader: &ua.ResponseHeader{}, NotificationMessage: m}}
}

// told writes steps: 5 data, k5 keep-alive, -2 two missed before, ~ late.
func told(steps []step) string {
	var words []string
	for _, s := range steps {
		if s.missed > 0 {
			words = append(words, fmt.Sprintf("-%d", s.missed))
		}
		w := fmt.Sprint(s.seq())
		if s.keepAlive() {
			w = "k" + w
		}
		if s.late {
			w = "~" + w
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func TestOrder(t *testing.T) {
	const top uint32 = 1<<32 - 1
	for _, c := range []struct {
		name string
		next uint32
		in   []string // 5, k5
		want string
	}{
		{"in sequence", 1, []string{"1", "2", "k3", "3"}, "1 2 k3 3"},
		{"keep-alive first", 1, []string{"k1", "k1", "1"}, "k1 k1 1"},
		{"swapped", 1, []string{"2", "1", "3"}, "1 2 3"},
		{"swapped with a keep-alive", 1, []string{"k2", "1", "2"}, "1 k2 2"},
		{"one missed", 1, []string{"1", "3", "4"}, "1 -1 3 4"},
		{"many missed", 1, []string{"1", "9", "10"}, "1 -7 9 10"},
		{"missed before a keep-alive", 1, []string{"1", "k5", "k5"}, "1 -3 k5 k5"},
		{"first missed", 1, []string{"3", "4"}, "-2 3 4"},
		{"comes after it was given up", 1, []string{"2", "3", "1", "4"}, "-1 2 3 ~1 4"},
		{"twice", 1, []string{"1", "1", "2"}, "1 ~1 2"},
		{"twice while waiting", 1, []string{"2", "2", "1"}, "-1 2 ~2 ~1"},
		{"wraps", top - 1, []string{fmt.Sprint(top - 1), fmt.Sprint(top), "1", "2"}, fmt.Sprint(top-1, " ", top, " 1 2")},
		{"missed over the wrap", top, []string{"2", "3"}, "-2 2 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOrder(2)
			o.next = c.next
			var steps []step
			for _, word := range c.in {
				var seq uint32
				digits, isKeepAlive := strings.CutPrefix(word, "k")
				if _, err := fmt.Sscan(digits, &seq); err != nil {
					t.Fatal(err)
				}
				out, err := o.take(publishAnswer(seq, !isKeepAlive))
				if err != nil {
					t.Fatal(err)
				}
				steps = append(steps, out...)
			}
			if got := told(steps); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestOrderRefuses(t *testing.T) {
	o := newOrder(2)
	if _, err := o.take(publishAnswer(0, true)); !errors.Is(err, errNoSequence) {
		t.Errorf("number 0: got %v", err)
	}
	o.next = 5
	var err error
	for range maxLates + 1 {
		if err != nil {
			t.Fatalf("too early: %v", err)
		}
		_, err = o.take(publishAnswer(4, true))
	}
	if !errors.Is(err, errStuck) {
		t.Errorf("numbers that stand still: got %v", err)
	}
}

// TestOrderProperty: whatever is lost and however answers are shuffled within
// the window, what comes out in sequence goes forward, every notification that
// came comes out once, and what did not is counted as missed.
func TestOrderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(2, 4).Draw(t, "window")
		first := rapid.SampledFrom([]uint32{1, 7, 1<<32 - 5}).Draw(t, "first")
		n := rapid.IntRange(1, 40).Draw(t, "n")
		o := newOrder(window)
		o.next = first
		var sent []uint32
		kept := make(map[uint32]bool)
		for i, seq := 0, first; i < n; i, seq = i+1, following(seq) {
			if rapid.IntRange(0, 9).Draw(t, "lost") > 0 || i == n-1 {
				sent = append(sent, seq)
				kept[seq] = true
			}
		}
		for i := range sent { // each at most window-1 places later
			j := min(i+rapid.IntRange(0, window-1).Draw(t, "shift"), len(sent)-1)
			sent[i], sent[j] = sent[j], sent[i]
		}
		out := make(map[uint32]bool)
		missed, lates := 0, 0
		last := uint32(0)
		feed := slices.Clone(sent)
		for range window { // keep-alives at the end flush what waits
			feed = append(feed, 0)
		}
		for _, seq := range feed {
			a := publishAnswer(seq, true)
			if seq == 0 {
				end := first
				for range n {
					end = following(end)
				}
				a = publishAnswer(end, false)
			}
			steps, err := o.take(a)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range steps {
				missed += int(s.missed)
				switch {
				case s.keepAlive():
				case s.late:
					lates++
					out[s.seq()] = true
				default:
					if last != 0 && (uint64(s.seq())+seqCycle-uint64(last))%seqCycle > uint64(n) || out[s.seq()] {
						t.Fatalf("%d came after %d", s.seq(), last)
					}
					last = s.seq()
					out[s.seq()] = true
				}
			}
		}
		if len(out) != len(kept) {
			t.Fatalf("%d notifications came out, want %d", len(out), len(kept))
		}
		if missed-lates != n-len(kept) {
			t.Fatalf("%d missed of which %d came late, want %d lost", missed, lates, n-len(kept))
		}
	})
}

func TestLedger(t *testing.T) {
	var l ledger
	l.add(3, 1)
	l.add(5, 2)
	l.add(5, 3)
	l.add(6, 4)
	l.commit(2)
	if got := l.take(10); len(got) != 0 {
		t.Errorf("before the commit: %v", got)
	}
	l.commit(5)
	l.commit(4) // told late
	if got := l.take(2); fmt.Sprint(got) != "[1 2]" {
		t.Errorf("two of those up to 5: %v", got)
	}
	if got := l.take(10); fmt.Sprint(got) != "[3]" {
		t.Errorf("the rest: %v", got)
	}
	l.reset()
	l.commit(9)
	if got := l.take(10); len(got) != 0 {
		t.Errorf("of a subscription that is gone: %v", got)
	}
}
