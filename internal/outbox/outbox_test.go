package outbox

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// raised is a state of two consumers with n numbers given in lane quality.
func raised(n uint64) State {
	s := New("e1", []string{"qms", "mes"})
	s.Advance(Quality, n)
	return s
}

func from(consumer string, upTo uint64, ranges ...[2]uint64) Receipt {
	return Receipt{Consumer: consumer, Epoch: "e1", Lane: Quality, UpTo: upTo, Ranges: ranges}
}

func rejects(consumer string, seqs ...uint64) Receipt {
	r := from(consumer, 0)
	for _, n := range seqs {
		r.Rejected = append(r.Rejected, Rejection{Seq: n, Code: "no", Reason: "unreadable"})
	}
	return r
}

func TestNumbersRunWithoutGapsInEachLane(t *testing.T) {
	s := New("e1", nil)
	for want := uint64(1); want <= 3; want++ {
		if got := s.Next(Quality); got != want {
			t.Fatalf("Next(quality) = %d, want %d", got, want)
		}
	}
	if got := s.Next(Event); got != 1 {
		t.Errorf("Next(event) = %d, want 1: lanes count apart", got)
	}
	if got := s.Advance(Record, 100); got != 100 {
		t.Errorf("Advance(record, 100) = %d, want 100", got)
	}
	if got := s.Advance(Record, 0); got != 100 {
		t.Errorf("Advance(record, 0) = %d, want 100", got)
	}
}

func TestReceipts(t *testing.T) {
	tests := []struct {
		name     string
		receipts []Receipt
		want     Result // of the last one
		count    Count
	}{
		{
			name:     "one of two consumers retires nothing",
			receipts: []Receipt{from("qms", 10)},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "what both hold is retired",
			receipts: []Receipt{from("qms", 4), from("mes", 3)},
			want:     Result{Retired: []Retired{{Quality, 1, 3}}},
			count:    Count{Raised: 10, Receipted: 3, Pending: 7},
		}, {
			name:     "ranges beyond a hole are retired, the hole is not",
			receipts: []Receipt{from("qms", 10), from("mes", 2, [2]uint64{5, 6}, [2]uint64{9, 10})},
			want:     Result{Retired: []Retired{{Quality, 1, 2}, {Quality, 5, 6}, {Quality, 9, 10}}},
			count:    Count{Raised: 10, Receipted: 6, Pending: 4},
		}, {
			name:     "filling the hole retires only the hole",
			receipts: []Receipt{from("qms", 10), from("mes", 2, [2]uint64{5, 10}), from("mes", 10)},
			want:     Result{Retired: []Retired{{Quality, 3, 4}}},
			count:    Count{Raised: 10, Receipted: 10},
		}, {
			name:     "a receipt that is older than the last changes nothing",
			receipts: []Receipt{from("qms", 10), from("mes", 10), from("mes", 2)},
			count:    Count{Raised: 10, Receipted: 10},
		}, {
			name:     "a number never given refuses the whole receipt",
			receipts: []Receipt{from("qms", 10), from("mes", 11)},
			want:     Result{Refused: "number 11 of lane quality was never given; the last is 10"},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "a range never given refuses the good prefix with it",
			receipts: []Receipt{from("qms", 10), from("mes", 3, [2]uint64{9, 11})},
			want:     Result{Refused: "number 11 of lane quality was never given; the last is 10"},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "a range that is none",
			receipts: []Receipt{from("mes", 3, [2]uint64{6, 5})},
			want:     Result{Refused: "[6,5] is not a range of numbers of lane quality"},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "a stranger",
			receipts: []Receipt{from("erp", 3)},
			want:     Result{Refused: `"erp" is not one of the consumers`},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "the uplink may not receipt",
			receipts: []Receipt{from(Uplink, 3)},
			want:     Result{Refused: "the uplink may reject entries but not receipt them"},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "another epoch is ignored, not refused",
			receipts: []Receipt{{Consumer: "qms", Epoch: "e0", Lane: Quality, UpTo: 999}},
			want:     Result{Ignored: `epoch "e0" is not this journal's "e1"`},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "a lane that there is not",
			receipts: []Receipt{{Consumer: "qms", Epoch: "e1", Lane: "extra", UpTo: 1}},
			want:     Result{Refused: `there is no lane "extra"`},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "what the shell refused stays refused",
			receipts: []Receipt{{Consumer: "qms", Epoch: "e1", Lane: Quality, UpTo: 1, Refused: "forged"}},
			want:     Result{Refused: "forged"},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "rejected by one is rejected",
			receipts: []Receipt{from("qms", 10), rejects("mes", 4)},
			want:     Result{Dead: []DeadLetter{{Quality, "mes", Rejection{Seq: 4, Code: "no", Reason: "unreadable"}}}},
			count:    Count{Raised: 10, Pending: 9, Rejected: 1, Withheld: 1},
		}, {
			name:     "a repeated rejection is no second dead letter",
			receipts: []Receipt{rejects("mes", 4), rejects("qms", 4, 4)},
			count:    Count{Raised: 10, Pending: 9, Rejected: 1, Withheld: 1},
		}, {
			name:     "the tombstone's receipt ends it, and it never counts as receipted",
			receipts: []Receipt{from("qms", 10), rejects("mes", 4), from("mes", 10)},
			want:     Result{Retired: []Retired{{Quality, 1, 10}}},
			count:    Count{Raised: 10, Receipted: 9, Rejected: 1},
		}, {
			name: "rejected and covered in one receipt: dead, and no tombstone is asked for",
			receipts: []Receipt{from("qms", 10),
				{Consumer: "mes", Epoch: "e1", Lane: Quality, UpTo: 4, Rejected: []Rejection{{Seq: 2, Code: "no"}}}},
			want: Result{Retired: []Retired{{Quality, 1, 4}},
				Dead: []DeadLetter{{Quality, "mes", Rejection{Seq: 2, Code: "no"}}}},
			count: Count{Raised: 10, Receipted: 3, Pending: 6, Rejected: 1},
		}, {
			name:     "a consumer may reject what it has held, while another still waits for it",
			receipts: []Receipt{from("mes", 10), rejects("mes", 4)},
			want:     Result{Dead: []DeadLetter{{Quality, "mes", Rejection{Seq: 4, Code: "no", Reason: "unreadable"}}}},
			count:    Count{Raised: 10, Pending: 9, Rejected: 1, Withheld: 1},
		}, {
			name:     "what all have receipted cannot be rejected any more",
			receipts: []Receipt{from("mes", 10), from("qms", 10), rejects("mes", 4)},
			want:     Result{Refused: "number 4 of lane quality was receipted by every consumer and cannot be rejected now"},
			count:    Count{Raised: 10, Receipted: 10},
		}, {
			name:     "a rejection repeated after its tombstone was receipted is old news",
			receipts: []Receipt{rejects("mes", 4), from("mes", 10), from("qms", 10), rejects("mes", 4)},
			count:    Count{Raised: 10, Receipted: 9, Rejected: 1},
		}, {
			name:     "number 0 cannot be rejected",
			receipts: []Receipt{rejects("mes", 0)},
			want:     Result{Refused: "number 0 of lane quality was never given; the last is 10"},
			count:    Count{Raised: 10, Pending: 10},
		}, {
			name:     "poison is a rejection by the uplink",
			receipts: []Receipt{rejects(Uplink, 1)},
			want:     Result{Dead: []DeadLetter{{Quality, Uplink, Rejection{Seq: 1, Code: "no", Reason: "unreadable"}}}},
			count:    Count{Raised: 10, Pending: 9, Rejected: 1, Withheld: 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := raised(10)
			var got Result
			for _, r := range tt.receipts {
				got = s.Receipt(r)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("last result (-got +want):\n%s", diff)
			}
			if got := s.Count(Quality); got != tt.count {
				t.Errorf("count = %+v, want %+v", got, tt.count)
			}
		})
	}
}

func TestConsumersComeAndGo(t *testing.T) {
	s := raised(10)
	s.Receipt(from("qms", 10))
	s.Receipt(from("mes", 3))

	if got := s.SetConsumers([]string{"qms", "mes", "erp", "qms"}); got != nil {
		t.Errorf("a new consumer retires %v, want nothing", got)
	}
	if got := s.Receipt(from("mes", 10)); got.Retired != nil {
		t.Errorf("retired %v without the new consumer", got.Retired)
	}
	got := s.Receipt(from("erp", 0, [2]uint64{4, 6}))
	want := []Retired{{Quality, 4, 6}} // 1 to 3 had left before erp came
	if diff := cmp.Diff(got.Retired, want); diff != "" {
		t.Errorf("the new consumer's receipt (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(s.SetConsumers([]string{"qms", "mes"}), []Retired{{Quality, 7, 10}}); diff != "" {
		t.Errorf("when it goes nobody waits for it (-got +want):\n%s", diff)
	}
	s.Advance(Quality, 1)
	if got := s.SetConsumers(nil); got != nil {
		t.Errorf("without consumers %v left the outbox", got)
	}
	if got := s.Outstanding(Quality); !cmp.Equal(got, [][2]uint64{{11, 11}}) {
		t.Errorf("outstanding = %v, want [[11 11]]", got)
	}
}

// A tombstone is outstanding until it is receipted: it must be sent.
func TestOutstandingHasTombstones(t *testing.T) {
	s := raised(5)
	s.Receipt(rejects("mes", 1))
	s.Receipt(from("qms", 0, [2]uint64{2, 3}))
	s.Receipt(from("mes", 0, [2]uint64{2, 5}))
	if diff := cmp.Diff(s.Outstanding(Quality), [][2]uint64{{1, 1}, {4, 5}}); diff != "" {
		t.Errorf("outstanding (-got +want):\n%s", diff)
	}
}

func TestCopiesAreIndependent(t *testing.T) {
	s := raised(20)
	s.Receipt(from("qms", 2, [2]uint64{5, 6}, [2]uint64{9, 10}))
	s.Receipt(from("mes", 2, [2]uint64{5, 6}))
	before, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	kept := s
	s.Receipt(from("qms", 20))
	s.Receipt(rejects("mes", 8))
	s.Receipt(from("mes", 7))
	s.SetConsumers([]string{"qms"})
	after, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(after), string(before)); diff != "" {
		t.Errorf("a copy changed with its original (-after +before):\n%s", diff)
	}
}

func TestJSONReadsBackEqual(t *testing.T) {
	s := raised(20)
	s.Receipt(from("qms", 2, [2]uint64{5, 6}))
	s.Receipt(rejects("mes", 8))
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"epoch":"e1","consumers":["mes","qms"],` +
		`"quality":{"raised":20,"retired":{"up_to":0},"rejected":{"up_to":0,"ranges":[[8,8]]},` +
		`"held":[{"consumer":"mes","up_to":0},{"consumer":"qms","up_to":2,"ranges":[[5,6]]}]},` +
		`"event":{"raised":0,"retired":{"up_to":0},"rejected":{"up_to":0},"held":[{"consumer":"mes","up_to":0},{"consumer":"qms","up_to":0}]},` +
		`"record":{"raised":0,"retired":{"up_to":0},"rejected":{"up_to":0},"held":[{"consumer":"mes","up_to":0},{"consumer":"qms","up_to":0}]}}`
	if diff := cmp.Diff(string(b), want); diff != "" {
		t.Errorf("JSON (-got +want):\n%s", diff)
	}
	var back State
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, s) {
		t.Errorf("read back %+v, want %+v", back, s)
	}
}

func TestAnUnknownLaneIsOurOwnMistake(t *testing.T) {
	defer func() {
		if r := recover(); r != `outbox: no lane "extra"` {
			t.Errorf("recovered %v", r)
		}
	}()
	s := New("e1", nil)
	s.Next("extra")
}

func TestWithheld(t *testing.T) {
	d := DeadLetter{Lane: Quality, Consumer: "qms", Rejection: Rejection{
		Seq: 7, Code: "schema", Reason: "no field \"class\"", Topic: "quality/deviation", SHA256: "ab12"}}
	got := string(Withheld("g1", "e1", "2026-01-01T00:00:00.000Z", d))
	const want = `{"specversion":"1.0","id":"g1/e1/quality/7","source":"andon/g1","type":"andon.withheld.v1",` +
		`"time":"2026-01-01T00:00:00.000Z","sequence":"00000000000000000007","datacontenttype":"application/json",` +
		`"dataschema":"urn:andon:schema:withheld:1","gateway":"g1","epoch":"e1","lane":"quality","seq":7,` +
		`"data":{"sha256":"ab12","code":"schema","reason":"no field \"class\""}}`
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("tombstone (-got +want):\n%s", diff)
	}
	d.Lane = Record
	got = string(Withheld("g1", "e1", "2026-01-01T00:00:00.000Z", d))
	if want := `{"i":7,"withheld":{"sha256":"ab12","code":"schema","reason":"no field \"class\""}}`; got != want {
		t.Errorf("tombstone of a sample = %s, want %s", got, want)
	}
	d.Reason = "not \xff text" // a consumer's words are foreign bytes
	if got := Withheld("g1", "e1", "", d); !json.Valid(got) || strings.Contains(string(got), "\xff") {
		t.Errorf("tombstone %q is not valid JSON", got)
	}
}
