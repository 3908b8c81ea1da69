package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"time"

	"andon/internal/outbox"
	"andon/internal/record"
	"andon/internal/sample"
)

// consumer is the one quality system of a run.
const (
	consumer    = "qms"
	gatewayName = "sim-1"
	epoch       = "e1"
)

// uplink is the model of the uplink: it sends what is committed and in the
// outbox, lane by lane, again and again until it leaves.
type uplink struct {
	w      *world
	r      *rand.Rand
	cursor map[string]uint64 // last number sent
	next   sample.Time
}

// restart forgets what has been sent, as a restart of the gateway does.
func (u *uplink) restart() {
	u.cursor = map[string]uint64{}
	u.next = u.w.now.Add(between(u.r, 10*time.Millisecond, time.Second))
}

// step sends the next few of each lane. The whole outbox starts over now and
// then: what has not been receipted may have been lost.
func (u *uplink) step() {
	u.next = u.w.now.Add(between(u.r, 200*time.Millisecond, 2*time.Second))
	if !u.w.gw.alive {
		return
	}
	if odds(u.r, 8) {
		u.cursor = map[string]uint64{}
	}
	for _, lane := range outbox.Lanes() {
		if !u.lane(lane) {
			return
		}
	}
}

// window is how many entries of a lane go at once.
const window = 256

// lane sends some of a lane and reports whether it has sent all.
func (u *uplink) lane(lane string) bool {
	j, sent := u.w.jr, 0
	last := j.raised[lane]
	if lane == outbox.Record {
		last = uint64(len(j.samples))
	}
	for seq := u.cursor[lane] + 1; seq <= last; seq++ {
		if sent >= window {
			return false
		}
		if payload := j.payload(lane, seq); payload != nil {
			u.w.rx.arrive(lane, seq, payload)
			sent++
		}
		u.cursor[lane] = seq
	}
	if sent > 0 {
		u.w.rx.answer(lane)
	}
	return true
}

// payload is the exact bytes of what is in the outbox under a number, nil for
// nothing.
func (j *journal) payload(lane string, seq uint64) []byte {
	if e, ok := j.entries[lane][seq]; ok {
		return e.Payload
	}
	if lane == outbox.Record && !j.gone[seq-1] {
		return j.samples[seq-1].JSON()
	}
	return nil
}

// receiver is the model of the quality system: it stores each entry once,
// compares what comes again, and answers receipts, which the network loses,
// doubles and delays.
type receiver struct {
	w       *world
	r       *rand.Rand
	stored  map[string]map[uint64][]byte
	refused map[string]map[uint64][]byte // what it has rejected, as it was
	upTo    map[string]uint64
	highest map[string]uint64
	mail    []mail // receipts under way
	doubles int
}

type mail struct {
	at   sample.Time
	body record.Receipt
}

func newReceiver(w *world) *receiver {
	x := &receiver{w: w, r: dice(w.plan.Seed, 4), stored: map[string]map[uint64][]byte{}, refused: map[string]map[uint64][]byte{}, upTo: map[string]uint64{}, highest: map[string]uint64{}}
	for _, lane := range outbox.Lanes() {
		x.stored[lane], x.refused[lane] = map[uint64][]byte{}, map[uint64][]byte{}
	}
	return x
}

// arrive is one entry on its way to the receiver.
func (x *receiver) arrive(lane string, seq uint64, payload []byte) {
	if x.w.now < x.w.plan.Calm && odds(x.r, 20) {
		return // lost
	}
	x.store(lane, seq, payload)
	if odds(x.r, 20) {
		x.store(lane, seq, payload)
	}
}

func (x *receiver) store(lane string, seq uint64, payload []byte) {
	withheld := bytes.Contains(payload, []byte(`"withheld":{`)) || bytes.Contains(payload, []byte(`"type":"`+outbox.TypeWithheld+`"`))
	no, rejected := x.refused[lane][seq]
	if have, ok := x.stored[lane][seq]; ok {
		x.doubles++
		if !bytes.Equal(have, payload) {
			x.w.problem("receiver: entry %d of lane %s came again and differs: %s", seq, lane, firstDifference(have, payload))
		}
		return
	}
	switch {
	case withheld && !rejected:
		x.w.problem("receiver: a tombstone for entry %d of lane %s, which was not rejected", seq, lane)
	case rejected && !withheld:
		if !bytes.Equal(no, payload) {
			x.w.problem("receiver: rejected entry %d of lane %s came again and differs", seq, lane)
		}
		return
	case !withheld && x.w.now < x.w.plan.Calm && lane != outbox.Record && odds(x.r, 150):
		x.refused[lane][seq] = bytes.Clone(payload)
		return
	}
	x.stored[lane][seq] = bytes.Clone(payload)
	x.highest[lane] = max(x.highest[lane], seq)
	for x.stored[lane][x.upTo[lane]+1] != nil {
		x.upTo[lane]++
	}
}

// answer sends a receipt for a lane on its way.
func (x *receiver) answer(lane string) {
	calm := x.w.now >= x.w.plan.Calm
	if !calm && odds(x.r, 5) {
		return // lost
	}
	times := 1
	if odds(x.r, 8) {
		times = 2
	}
	for range times {
		x.mail = append(x.mail, mail{x.w.now.Add(between(x.r, 10*time.Millisecond, 5*time.Second)), x.receipt(lane)})
	}
	if !calm && odds(x.r, 60) { // nonsense, which must be refused
		bad := record.Receipt{Consumer: consumer, Epoch: epoch, Lane: lane, UpTo: 1 << 40}
		if odds(x.r, 2) {
			bad = record.Receipt{Consumer: "stranger", Epoch: epoch, Lane: lane, UpTo: 1}
		}
		x.mail = append(x.mail, mail{x.w.now.Add(between(x.r, 10*time.Millisecond, time.Second)), bad})
	}
	slices.SortStableFunc(x.mail, func(a, b mail) int { return int(a.at - b.at) })
}

func (x *receiver) receipt(lane string) record.Receipt {
	r := record.Receipt{Consumer: consumer, Epoch: epoch, Lane: lane, UpTo: x.upTo[lane], Signed: true}
	for seq := x.upTo[lane] + 1; seq <= x.highest[lane]; seq++ {
		if x.stored[lane][seq] == nil {
			continue
		}
		if n := len(r.Ranges); n > 0 && r.Ranges[n-1][1] == seq-1 {
			r.Ranges[n-1][1] = seq
		} else {
			r.Ranges = append(r.Ranges, [2]uint64{seq, seq})
		}
	}
	for _, seq := range sortedKeys(x.refused[lane]) {
		if x.stored[lane][seq] == nil {
			sum := sha256.Sum256(x.refused[lane][seq])
			r.Rejected = append(r.Rejected, record.Rejection{Seq: seq, Code: "schema", Reason: "cannot be filed", Topic: x.w.jr.topic(lane, seq), SHA256: hex.EncodeToString(sum[:])})
		}
	}
	return r
}

func sortedKeys(m map[uint64][]byte) []uint64 {
	keys := make([]uint64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// topic is where an entry is sent, as the shell adds it to a rejection.
func (j *journal) topic(lane string, seq uint64) string { return j.entries[lane][seq].Topic }

// deliver brings the receipts that are due to the gateway; one that finds none
// is lost.
func (x *receiver) deliver() {
	for len(x.mail) > 0 && x.mail[0].at <= x.w.now {
		m := x.mail[0]
		x.mail = x.mail[1:]
		if x.w.gw.alive {
			x.w.gw.take(&m.body)
		}
	}
}
