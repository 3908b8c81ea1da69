package receiver

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// numbers against a plain set.
func TestNumbersAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s numbers
		in := map[uint64]bool{}
		for _, n := range rapid.SliceOf(rapid.Uint64Range(1, 30)).Draw(t, "numbers") {
			if in[n] {
				continue
			}
			in[n] = true
			s = s.add(n)
		}
		var want [][2]uint64
		for n := uint64(1); n <= 31; n++ {
			switch {
			case !in[n]:
			case in[n-1]:
				want[len(want)-1][1] = n
			default:
				want = append(want, [2]uint64{n, n})
			}
		}
		if !reflect.DeepEqual([][2]uint64(s), want) {
			t.Fatalf("%v, want %v", s, want)
		}
		var upTo uint64
		for in[upTo+1] {
			upTo++
		}
		if got := s.upTo(); got != upTo {
			t.Fatalf("upTo %d, want %d", got, upTo)
		}
		beyond := s.beyond(100)
		for _, r := range beyond {
			if r[0] <= upTo+1 {
				t.Fatalf("beyond %v, up to %d", beyond, upTo)
			}
		}
		if len(s.beyond(1)) > 1 {
			t.Fatal("beyond does not keep to its limit")
		}
	})
}

func TestOffsetsOfFarNumbersAreCheap(t *testing.T) {
	o := offsets{}
	for _, n := range []uint64{1, 511, 512, 1 << 40, 1<<64 - 1} {
		if _, held := o.get(n); held {
			t.Errorf("%d is held before it was put", n)
		}
		o.put(n, int64(n%1000))
		if at, held := o.get(n); !held || at != int64(n%1000) {
			t.Errorf("%d is at %d, %v", n, at, held)
		}
	}
	if len(o) > 4 {
		t.Errorf("%d blocks for five numbers", len(o))
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		prefix, topic, gateway, kind string
		ok                           bool
	}{
		{"", "andon/v1/g1/up/quality/gap", "g1", "quality/gap", true},
		{"acme/", "acme/andon/v1/g1/up/record", "g1", "record", true},
		{"", "acme/andon/v1/g1/up/record", "", "", false},
		{"", "andon/v1/../up/record", "", "", false},
		{"", "andon/v1/g1/down/receipt", "g1", "", false},
		{"", "andon/v1/g1", "", "", false},
	}
	for _, tt := range tests {
		gateway, kind, ok := split(tt.prefix, tt.topic)
		if ok != tt.ok || ok && (gateway != tt.gateway || kind != tt.kind) {
			t.Errorf("split(%q, %q) = %q, %q, %v", tt.prefix, tt.topic, gateway, kind, ok)
		}
	}
}

// FuzzMessage: whatever a topic carries, reading it does not panic; what is
// taken can be written as lines and read back under the same numbers, in a file
// within the directory.
func FuzzMessage(f *testing.F) {
	for _, seed := range []struct{ kind, payload string }{
		{"quality/deviation", `{"id":"g1/e1/quality/1","gateway":"g1","epoch":"e1","lane":"quality","seq":1}`},
		{"quality/deviation", `{"id":"g1/e1/quality/1","type":"andon.withheld.v1","gateway":"g1","epoch":"e1","lane":"quality","seq":1,"data":{"sha256":"ab"}}`},
		{"event/alarm", `{"id":"g1/e1/event/2","gateway":"g1","epoch":"e1","lane":"event","seq":2,"SEQ":3}`},
		{"record", `{"gateway":"g1","epoch":"e1","lane":"record","id":"g1/e1/record/1-2","first":1,"last":2,"records":[{"i":1},{"i":2}]}`},
		{"record", `{"gateway":"g1","epoch":"e1","lane":"record","id":"g1/e1/record/18446744073709551615-18446744073709551615","first":18446744073709551615,"last":18446744073709551615,"records":[{"i":18446744073709551615}]}`},
		{"record", `{"first":1,"last":0,"records":[]}`},
		{"quality/", "{}"}, {"quality", "null"}, {"", ""},
	} {
		f.Add(seed.kind, []byte(seed.payload))
	}
	f.Fuzz(func(t *testing.T, kind string, payload []byte) {
		m, err := parse("g1", kind, payload)
		if err != nil {
			var bad *unreadable
			if !errors.As(err, &bad) || bad.reason == "" {
				t.Fatalf("error %v is not an unreadable with its reason", err)
			}
			if bad.first > 0 && (bad.gateway != "g1" || !safeName.MatchString(bad.epoch) || bad.last < bad.first) {
				t.Fatalf("%+v would be rejected", bad)
			}
			return
		}
		if strings.ContainsAny(m.file(), "/\\\x00") {
			t.Fatalf("file %q", m.file())
		}
		for i, e := range m.entries {
			if lineBreak(e) {
				t.Fatalf("entry %q has a line break", e)
			}
			seq, err := seqOf(m.lane, e)
			if err != nil || seq != m.first+uint64(i) {
				t.Fatalf("entry %q reads back as %d (%v), want %d", e, seq, err, m.first+uint64(i))
			}
			withheld(m.lane, e)
		}
	})
}

// FuzzHead: whatever a checkpoint topic carries, reading it does not panic.
func FuzzHead(f *testing.F) {
	for _, seed := range []string{"andon/g1/e1\n10\nAAAA=\ntime x\n\n— g1 AAAA\n", "", "\n\n", "andon/g1/e1\n-1\nA\n\n", "andon/g1/\n9999999999999999999\nA\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, signed []byte) {
		h, err := parseHead("g1", signed, nil)
		if err == nil && (h.Size < 0 || h.Root == "" || !strings.HasPrefix(h.Origin, "andon/g1/") || h.Verified) {
			t.Fatalf("%q reads as %+v", signed, h)
		}
	})
}
