package receiver

import (
	"encoding/json"
	"errors"
	"slices"
)

// batch is what came together and is stored together.
type batch struct {
	rejected map[stream][]rejection
	touched  map[stream]bool // to be receipted even if all was there already
	greet    []stream
}

// arrived is one message from the broker.
type arrived struct {
	topic   string
	payload []byte
	ack     func()
}

// handle stores a batch of messages durably, acknowledges them, and publishes
// the receipts.
func (r *Receiver) handle(msgs []arrived, send func(topic string, payload []byte) error) error {
	b := batch{rejected: map[stream][]rejection{}, touched: map[stream]bool{}}
	for _, m := range msgs {
		if err := r.one(m, &b); err != nil {
			return &storeError{err}
		}
	}
	if _, err := r.store.sync(); err != nil {
		return &storeError{err}
	}
	r.tell()
	for _, m := range msgs {
		m.ack()
	}
	r.publish(func(s *Summary) { s.Messages += uint64(len(msgs)) })
	return r.answer(b, send)
}

// one takes one message into the store's buffers.
func (r *Receiver) one(m arrived, b *batch) error {
	gateway, kind, ok := split(r.o.Prefix, m.topic)
	if !ok {
		r.o.Log.Warn("message on a topic that is not a gateway's", "topic", m.topic)
		return nil
	}
	if _, wanted := r.o.Gateways[gateway]; !wanted && len(r.o.Gateways) > 0 {
		return nil // a subscription of an earlier run
	}
	lane := laneOfKind(kind)
	switch {
	case kind == "state":
		r.state(gateway, m.payload, b)
		return nil
	case kind == "checkpoint" || kind == "checkpoint/history":
		r.publish(func(s *Summary) { s.Checkpoints++ })
		return r.store.checkpoint(gateway, m.topic, m.payload)
	case lane == "":
		return nil // a later version's: not ours to store
	}
	return r.entries(gateway, kind, m, b)
}

func laneOfKind(kind string) string {
	for _, lane := range []string{laneQuality, laneEvent} {
		if len(kind) > len(lane)+1 && kind[:len(lane)+1] == lane+"/" {
			return lane
		}
	}
	if kind == laneRecord {
		return laneRecord
	}
	return ""
}

func (r *Receiver) entries(gateway, kind string, m arrived, b *batch) error {
	msg, err := parse(gateway, kind, m.payload)
	var bad *unreadable
	if errors.As(err, &bad) {
		r.publish(func(s *Summary) { s.Unreadable++ })
		r.o.Log.Error("message that is not of the contract", "gateway", gateway, "topic", m.topic, "reason", bad.reason)
		if bad.first > 0 {
			if err := r.refuse(bad, b); err != nil {
				return err
			}
		}
		return r.store.aside(gateway, m.topic, bad.reason, m.payload)
	}
	before := r.store.lanes[msg.stream].has(msg)
	rejected, err := r.store.take(m.topic, msg)
	if err != nil {
		return err
	}
	b.touched[msg.stream] = true
	b.rejected[msg.stream] = append(b.rejected[msg.stream], rejected...)
	if !before && msg.lane != laneRecord {
		r.fresh = append(r.fresh, stored{msg.stream, msg.first, msg.entries[0]})
	}
	return nil
}

// refuse rejects the entries of a message that is not of the contract, unless
// they are held already in good form.
func (r *Receiver) refuse(bad *unreadable, b *batch) error {
	l, err := r.store.lane(bad.stream)
	if err != nil {
		return err
	}
	b.touched[bad.stream] = true
	for seq := bad.first; seq <= bad.last; seq++ {
		if _, held := l.at.get(seq); !held {
			b.rejected[bad.stream] = append(b.rejected[bad.stream], rejection{Seq: seq, Code: codeFormat, Reason: bad.reason})
		}
	}
	return nil
}

// has says whether a message's first entry is held; a lane that there is not
// yet holds nothing.
func (l *laneFile) has(m message) bool {
	if l == nil {
		return false
	}
	_, held := l.at.get(m.first)
	return held
}

// state takes a gateway's state message: how far its lanes are, and whether it
// has connected anew and wants to know how far we are.
func (r *Receiver) state(gateway string, payload []byte, b *batch) {
	var st struct {
		State   string `json:"state"`
		Epoch   string `json:"epoch"`
		Session int64  `json:"session"`
		Lanes   map[string]struct {
			Raised uint64 `json:"raised"`
		} `json:"lanes"`
	}
	if err := json.Unmarshal(payload, &st); err != nil || !safeName.MatchString(st.Epoch) {
		r.o.Log.Warn("state that cannot be read", "gateway", gateway, "err", err)
		return
	}
	for _, lane := range []string{laneQuality, laneEvent, laneRecord} {
		id := stream{gateway, st.Epoch, lane}
		l := r.store.lanes[id]
		if l == nil {
			continue
		}
		l.told = max(l.told, st.Lanes[lane].Raised)
		if st.State == "online" && st.Session > r.sessions[gateway] {
			b.greet = append(b.greet, id)
		}
	}
	if st.State == "online" {
		r.sessions[gateway] = max(r.sessions[gateway], st.Session)
	}
}

// tell passes on what is new and durable.
func (r *Receiver) tell() {
	if r.o.Stored != nil {
		for _, e := range r.fresh {
			r.o.Stored(e.gateway, e.lane, e.seq, e.entry)
		}
	}
	r.fresh = r.fresh[:0]
}

// answer publishes the receipts of a batch.
func (r *Receiver) answer(b batch, send func(topic string, payload []byte) error) error {
	ids := slices.Clone(b.greet)
	for id := range b.touched {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		rejected := b.rejected[id]
		// A receipt must stay small: what does not fit is rejected when it comes again.
		rejected = rejected[:min(len(rejected), maxRejected)]
		text, err := answer(r.o.Name, r.store.lanes[id], rejected)
		if err != nil {
			return &storeError{err}
		}
		payload, err := text.bytes(r.o.Signer)
		if err != nil {
			return err
		}
		if err := send(r.o.Prefix+"andon/v1/"+id.gateway+"/down/receipt", payload); err != nil {
			return err
		}
		r.publish(func(s *Summary) { s.Receipts++ })
	}
	return nil
}
