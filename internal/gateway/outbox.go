package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"andon/internal/journal"
	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/uplink"
)

// Bounds on one message of lane record (contract, section 5).
const (
	messageSamples = 100
	messageBytes   = 64 << 10
)

// sending is the outbox as the uplink sees it: what has been committed and not
// retired. It only reads.
type sending struct {
	j         *journal.View
	gateway   string
	committed func() *Committed
}

// Level says how far a lane is.
func (o *sending) Level(lane string) (uplink.Level, error) {
	st := &o.committed().Outbox
	n := st.Count(lane)
	l := uplink.Level{Raised: n.Raised, Outstanding: n.Pending + n.Withheld}
	if left := st.Outstanding(lane); len(left) > 0 {
		l.Oldest = left[0][0]
	}
	return l, nil
}

// Pending returns messages of a lane behind a number.
func (o *sending) Pending(lane string, after uint64, limit int) ([]uplink.Message, error) {
	if lane == outbox.Record {
		return o.samples(after, limit)
	}
	entries, err := o.j.Entries(lane, after+1, limit)
	if err != nil {
		return nil, err
	}
	list := make([]uplink.Message, len(entries))
	for i, e := range entries {
		list[i] = uplink.Message{Lane: lane, Topic: e.Topic, First: e.Seq, Last: e.Seq, Payload: e.Payload}
	}
	return list, nil
}

// recordMessage is the payload of lane record.
type recordMessage struct {
	Gateway string            `json:"gateway"`
	Epoch   string            `json:"epoch"`
	Lane    string            `json:"lane"`
	ID      string            `json:"id"`
	First   uint64            `json:"first"`
	Last    uint64            `json:"last"`
	Records []json.RawMessage `json:"records"`
}

// samples cuts outstanding samples that follow one another into messages.
func (o *sending) samples(after uint64, limit int) ([]uplink.Message, error) {
	c := o.committed()
	var list []uplink.Message
	for _, span := range c.Outbox.Outstanding(outbox.Record) {
		from := max(span[0], after+1)
		if from > span[1] {
			continue
		}
		cut := cutter{o: o, c: c, limit: limit - len(list)}
		if err := o.read(c, from, span[1], cut.take); err != nil {
			return nil, err
		}
		if err := cut.close(); err != nil {
			return nil, err
		}
		list = append(list, cut.list...)
		if len(list) >= limit {
			break
		}
	}
	return list, nil
}

var errEnough = errors.New("enough was read")

// read calls fn with the exact bytes of the elements first to last, in order,
// until it returns false.
func (o *sending) read(c *Committed, first, last uint64, fn func(i uint64, element []byte) bool) error {
	seq, ok, err := o.j.CommitOfSample(first)
	if err != nil || !ok {
		return err
	}
	withheld, err := o.withheld(first, last)
	if err != nil {
		return err
	}
	err = o.j.Commits(seq, func(h journal.Header, records []byte) error {
		more := true
		err := eachSample(c.Wiring, records, func(_ sample.Tag, s record.Sample) bool {
			if s.I < first {
				return true
			}
			element := s.JSON()
			if t, ok := withheld[s.I]; ok {
				element = t
			}
			more = s.I <= last && fn(s.I, element)
			return more
		})
		if err == nil && (!more || h.LastI() >= last) {
			err = errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// withheld are the tombstones that stand in the place of samples.
func (o *sending) withheld(first, last uint64) (map[uint64][]byte, error) {
	entries, err := o.j.Entries(outbox.Record, first, messageSamples*messageSamples)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	m := map[uint64][]byte{}
	for _, e := range entries {
		if e.Seq <= last {
			m[e.Seq] = e.Payload
		}
	}
	return m, nil
}

// cutter makes messages of elements.
type cutter struct {
	o     *sending
	c     *Committed
	limit int
	list  []uplink.Message
	m     recordMessage
	size  int
	err   error
}

func (k *cutter) take(i uint64, element []byte) bool {
	if len(k.m.Records) == messageSamples || k.size+len(element) > messageBytes {
		if k.err = k.close(); k.err != nil || len(k.list) >= k.limit {
			return false
		}
	}
	if len(k.m.Records) == 0 {
		k.m.First = i
	}
	k.m.Last, k.m.Records = i, append(k.m.Records, element)
	k.size += len(element) + 1
	return true
}

// close ends the message that is being made.
func (k *cutter) close() error {
	if k.err != nil || len(k.m.Records) == 0 || len(k.list) >= k.limit {
		return k.err
	}
	k.m.Gateway, k.m.Epoch, k.m.Lane = k.o.gateway, k.c.Head.Epoch, outbox.Record
	k.m.ID = fmt.Sprintf("%s/%s/%s/%d-%d", k.m.Gateway, k.m.Epoch, k.m.Lane, k.m.First, k.m.Last)
	payload, err := json.Marshal(k.m)
	if err != nil {
		return fmt.Errorf("encode samples %d to %d: %w", k.m.First, k.m.Last, err)
	}
	k.list = append(k.list, uplink.Message{Lane: outbox.Record, Topic: "record", First: k.m.First, Last: k.m.Last, Payload: payload})
	k.m, k.size = recordMessage{}, 0
	return nil
}

// Entry identifies one entry by the digests of its bytes.
func (o *sending) Entry(lane string, seq uint64) (uplink.Entry, bool, error) {
	c := o.committed()
	if lane == outbox.Record {
		return o.sampleEntry(c, seq)
	}
	l := laneOf(&c.Outbox, lane)
	if l == nil || seq == 0 || seq > l.Raised {
		return uplink.Entry{}, false, nil
	}
	if l.Retired.Has(seq) { // nothing can follow from a receipt of it any more
		return uplink.Entry{}, true, nil
	}
	entries, err := o.j.Entries(lane, seq, 1)
	if err != nil || len(entries) == 0 || entries[0].Seq != seq {
		return uplink.Entry{}, false, err
	}
	e := uplink.Entry{Topic: entries[0].Topic, SHA256: []string{digest(entries[0].Payload)}}
	if l.Rejected.Has(seq) { // what stands there is its tombstone; a consumer may hold the entry itself
		e.SHA256 = append([]string{withheldDigest(entries[0].Payload)}, e.SHA256...)
	}
	return e, true, nil
}

func laneOf(st *outbox.State, lane string) *outbox.Lane {
	switch lane {
	case outbox.Quality:
		return &st.Quality
	case outbox.Event:
		return &st.Event
	}
	return nil
}

// withheldDigest is the digest of the entry in whose place a tombstone stands.
func withheldDigest(tombstone []byte) string {
	var t struct {
		Data struct {
			SHA256 string `json:"sha256"`
		} `json:"data"`
	}
	if err := json.Unmarshal(tombstone, &t); err != nil {
		return "" // not a tombstone of ours; no digest equals ""
	}
	return t.Data.SHA256
}

func (o *sending) sampleEntry(c *Committed, i uint64) (e uplink.Entry, ok bool, err error) {
	if i == 0 || i > c.Outbox.Record.Raised {
		return e, false, nil
	}
	err = o.read(c, i, i, func(_ uint64, element []byte) bool {
		e, ok = uplink.Entry{Topic: "record", SHA256: []string{digest(element)}}, true
		return false
	})
	return e, ok, err
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
