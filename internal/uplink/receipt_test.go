package uplink

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// nothing is an outbox that has given ten numbers, retired five, and kept the
// bytes of none of those.
type nothing struct{}

func (nothing) Level(string) (Level, error) {
	return Level{Raised: 10, Outstanding: 5, Oldest: 6}, nil
}
func (nothing) Pending(string, uint64, int) ([]Message, error) { return nil, nil }
func (nothing) Entry(_ string, seq uint64) (Entry, bool, error) {
	if seq < 6 || seq > 10 {
		return Entry{}, false, nil
	}
	return Entry{SHA256: []string{"aa", "bb"}}, true, nil
}

func TestHashOfTheLastEntry(t *testing.T) {
	v := &verifier{gateway: "g1", epoch: "e1", mode: Unsigned, outbox: nothing{}}
	tests := []struct {
		name, hash, epoch string
		upTo              uint64
		refused           bool
	}{
		{"the entry's", "aa", "e1", 7, false},
		{"its tombstone's", "bb", "e1", 7, false},
		{"upper case", "AA", "e1", 7, false},
		{"another", "cc", "e1", 7, true},
		{"none", "", "e1", 7, true},
		{"retired, kept no longer", "cc", "e1", 5, false},
		{"never given", "cc", "e1", 11, true},
		{"nothing held", "", "e1", 0, false},
		{"another epoch", "cc", "e0", 99, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, err := json.Marshal(claim{Gateway: "g1", Epoch: tt.epoch, Lane: laneQuality, Consumer: "qms", Stage: stored, UpTo: tt.upTo, Hash: tt.hash})
			if err != nil {
				t.Fatal(err)
			}
			r, hash := v.read(text)
			if r.Refused != "" {
				t.Fatalf("refused: %s", r.Refused)
			}
			why, err := v.hashRefusal(r, hash)
			if err != nil || (why != "") != tt.refused {
				t.Errorf("refused %q (%v), want refused %v", why, err, tt.refused)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aé", 2, "a"}, {"a\xff", 9, "a\uFFFD"}, {"", 0, ""}} {
		if got := shorten(tt.in, tt.n); got != tt.want {
			t.Errorf("shorten(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

// FuzzReceipt: whatever is written to the receipt topic, reading it does not
// panic, nothing is believed without the consumer's signature, and what is
// handed in is fit to be kept.
func FuzzReceipt(f *testing.F) {
	private, public, err := note.GenerateKey(nil, "qms")
	if err != nil {
		f.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		f.Fatal(err)
	}
	const good = `{"gateway":"g1","epoch":"e1","lane":"quality","consumer":"qms","stage":"stored","up_to":7,"ranges":[[9,10]],"hash":"aa","rejected":[{"seq":8,"code":"c","reason":"r"}]}`
	signed, err := note.Sign(&note.Note{Text: good + "\n"}, signer)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, string(signed), "", "{}", "[]", "null", `{"up_to":-1}`, `{"up_to":18446744073709551615}`,
		`{"ranges":[[1]]}`, `{"ranges":[[1,2,3]]}`, strings.Replace(string(signed), "7", "8", 1), "\n\n— qms AAAA\n", `{"lane":"x"}`} {
		f.Add([]byte(seed))
	}
	key, err := note.NewVerifier(public)
	if err != nil {
		f.Fatal(err)
	}
	strict := &verifier{gateway: "g1", epoch: "e1", mode: Signed, keys: map[string]note.Verifier{"qms": key}, outbox: nothing{}}
	loose := &verifier{gateway: "g1", epoch: "e1", mode: Unsigned, outbox: nothing{}}
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, _ := strict.read(payload)
		if r.Refused == "" {
			if _, err := note.Open(payload, note.VerifierList(key)); err != nil || !r.Signed || r.Consumer != "qms" {
				t.Fatalf("%q was believed: %+v, %v", payload, r, err)
			}
		}
		r, hash := loose.read(payload)
		if r.Signed {
			t.Fatalf("%q counts as signed", payload)
		}
		for _, j := range r.Rejected {
			if len(j.Code) > 64 || len(j.Reason) > 500 || !utf8.ValidString(j.Code+j.Reason) {
				t.Fatalf("rejection %+v is not fit to be kept", j)
			}
		}
		if r.Refused == "" && r.Lane != laneQuality && r.Lane != laneEvent && r.Lane != laneRecord {
			t.Fatalf("lane %q was let through", r.Lane)
		}
		if _, err := loose.hashRefusal(r, hash); err != nil {
			t.Fatal(err)
		}
	})
}
