package uplink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// session is one connection to one broker. Only Run's goroutine touches it.
type session struct {
	u  *Uplink
	t  *transport
	id int64 // rises with every connection

	inflight  []flight
	bytes     int       // of inflight
	heartbeat time.Time // when the state is to be published next
	settled   time.Time // from when outbox messages may be sent; zero: not yet known
	progress  bool      // the broker has acknowledged something
	told      int       // how many of the waiting checkpoints have been sent
	broker    []Receipt // ByBroker: acknowledged, to be handed in
}

// flight is one message that has been sent and not acknowledged.
type flight struct {
	token mqtt.Token
	pick  pick // Lane "" for what is not of the outbox
	size  int
	at    time.Time
	acked func() // may be nil
}

var errAckDeadline = errors.New("the broker does not acknowledge")

// connection makes one connection and sends on it until it ends. progress says
// whether the broker took anything on it.
func (u *Uplink) connection(ctx context.Context, broker string) (progress bool, err error) {
	now := time.Now()
	if err := u.woken(now); err != nil {
		return false, err
	}
	u.session = max(u.session+1, now.UnixMilli()) // rises also over a restart, and if the clock steps back
	s := &session{u: u, id: u.session}
	s.t, err = u.open(ctx, broker, u.state(offline, s.id, now), func(b []byte) { u.intake.put(word{payload: b}) })
	if err != nil {
		return false, err
	}
	if u.o.Mode != ByBroker {
		if err := s.t.subscribe(ctx, u.topics.receipt(), u.o.AckDeadline); err != nil {
			s.t.kill()
			return false, err
		}
	}
	u.update(func(st *Status) {
		st.Connected, st.Since, st.Broker = true, time.Now(), broker
		st.Connections++
	})
	u.logged = map[string]bool{}
	u.o.Log.Info("connected to the broker", "broker", broker)
	u.sched.connected()
	s.start()
	err = s.run(ctx)
	if ctx.Err() != nil {
		s.leave(context.WithoutCancel(ctx))
		return s.progress, nil
	}
	s.t.kill()
	_ = s.collect(time.Now()) // takes what was acknowledged before the end, which err names already
	s.post(err)
	return s.progress, err
}

// start publishes what every connection begins with.
func (s *session) start() {
	s.publishState(online, time.Now(), func() {
		s.settled = time.Now()
		if s.u.doubt.careful > 0 { // a connection that dies by itself must not be laid to a message
			s.settled = s.settled.Add(s.u.o.PoisonWithin)
		}
	})
	s.u.mu.Lock()
	latest := s.u.latest
	s.u.mu.Unlock()
	if latest != nil {
		s.publish(s.u.topics.up("checkpoint"), true, latest, flight{})
	}
}

// run sends and collects acknowledgements until the connection or ctx ends.
func (s *session) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		if err := s.collect(now); err != nil {
			return err
		}
		if err := s.fill(ctx, now); err != nil {
			return err
		}
		timer.Reset(max(0, time.Until(s.alarm(now))))
		var acked <-chan struct{} // PUBACKs come in order: the oldest is enough
		if len(s.inflight) > 0 {
			acked = s.inflight[0].token.Done()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-s.t.lost:
			return fmt.Errorf("connection lost: %w", err)
		case <-acked:
		case <-timer.C:
		case <-s.u.wakes:
			if err := s.u.woken(time.Now()); err != nil {
				return err
			}
		}
	}
}

// collect takes the acknowledgements that have come and looks at the deadline.
func (s *session) collect(now time.Time) error {
	for len(s.inflight) > 0 {
		f := s.inflight[0]
		select {
		case <-f.token.Done():
		default:
			s.handIn()
			if now.Sub(f.at) >= s.u.o.AckDeadline {
				return fmt.Errorf("%w for %s", errAckDeadline, s.u.o.AckDeadline)
			}
			return nil
		}
		if err := f.token.Error(); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		s.inflight = s.inflight[1:]
		s.bytes -= f.size
		s.progress = true
		s.ack(f)
	}
	s.handIn()
	return nil
}

// ack does what follows from one acknowledgement.
func (s *session) ack(f flight) {
	if f.acked != nil {
		f.acked()
	}
	s.u.update(func(st *Status) {
		st.InFlight = len(s.inflight)
		if f.pick.Lane != "" {
			st.Acked++
		}
	})
	if f.pick.Lane == "" {
		return
	}
	s.u.doubt.acked(f.pick)
	if s.u.o.Mode == ByBroker {
		s.retire(f.pick)
	}
}

// retire makes a broker's acknowledgement a receipt, joined with the one before
// if it can be.
func (s *session) retire(p pick) {
	if n := len(s.broker); n > 0 && s.broker[n-1].Lane == p.Lane {
		r := s.broker[n-1].Ranges
		if last := &r[len(r)-1]; p.First == last[1]+1 {
			last[1] = p.Last
			return
		}
		s.broker[n-1].Ranges = append(r, [2]uint64{p.First, p.Last})
		return
	}
	s.broker = append(s.broker, Receipt{
		Consumer: consumerBroker, Epoch: s.u.o.Epoch, Lane: p.Lane,
		Ranges: [][2]uint64{{p.First, p.Last}},
	})
}

// handIn hands in what the broker has acknowledged.
func (s *session) handIn() {
	for i := range s.broker {
		s.u.intake.put(word{own: &s.broker[i]})
	}
	s.broker = nil
}

// fill sends what is due: the heartbeat, checkpoints, and messages of the
// outbox up to the window.
func (s *session) fill(ctx context.Context, now time.Time) error {
	if !now.Before(s.heartbeat) {
		s.publishState(online, now, nil)
	}
	s.publishCheckpoints()
	for ctx.Err() == nil && s.room(now) {
		p, ok, err := s.u.sched.next(now)
		if err != nil || !ok {
			return err
		}
		if err := s.u.topics.sendable(p.Message, s.u.o.MaxPayload); err != nil {
			s.u.poison(p, err.Error())
			continue
		}
		s.publish(s.u.topics.up(p.Topic), false, p.Payload, flight{pick: p})
		s.u.update(func(st *Status) {
			st.Sent++
			st.InFlight = len(s.inflight)
			if p.again {
				st.SentAgain++
			}
		})
	}
	return nil
}

// room says whether another message of the outbox may be sent.
func (s *session) room(now time.Time) bool {
	if s.settled.IsZero() || now.Before(s.settled) {
		return false
	}
	if s.u.doubt.careful > 0 {
		return len(s.inflight) == 0
	}
	return len(s.inflight) < s.u.o.Window && s.bytes < s.u.o.WindowBytes
}

// alarm is when run must look again though nothing has happened.
func (s *session) alarm(now time.Time) time.Time {
	at := s.heartbeat
	if len(s.inflight) > 0 {
		if d := s.inflight[0].at.Add(s.u.o.AckDeadline); d.Before(at) {
			at = d
		}
	}
	if s.settled.After(now) && s.settled.Before(at) {
		at = s.settled
	}
	if due, ok := s.u.sched.due(); ok && s.room(now) && due.Before(at) {
		at = due
	}
	return at
}

// publish sends one message and puts it in flight. It blocks for at most the
// write time-out; an error shows in the token.
func (s *session) publish(topic string, retained bool, payload []byte, f flight) {
	f.at, f.size = time.Now(), len(payload)
	f.token = s.t.client.Publish(topic, 1, retained, payload)
	s.inflight = append(s.inflight, f)
	s.bytes += f.size
}

func (s *session) publishState(what string, now time.Time, acked func()) {
	s.publish(s.u.topics.up("state"), true, s.u.state(what, s.id, now), flight{acked: acked})
	s.heartbeat = now.Add(s.u.o.StateEvery)
}

// publishCheckpoints sends those that have come since, each once.
func (s *session) publishCheckpoints() {
	s.u.mu.Lock()
	s.told = min(s.told, len(s.u.history)) // some may have been dropped for want of room
	waiting := slices.Clone(s.u.history[s.told:])
	s.u.mu.Unlock()
	for i, signed := range waiting {
		s.told++
		s.publish(s.u.topics.up("checkpoint/history"), false, signed, flight{acked: func() { s.recorded(signed) }})
		if i == len(waiting)-1 {
			s.publish(s.u.topics.up("checkpoint"), true, signed, flight{})
		}
	}
}

// recorded forgets a checkpoint that the broker has.
func (s *session) recorded(signed []byte) {
	s.u.mu.Lock()
	defer s.u.mu.Unlock()
	if len(s.u.history) > 0 && &s.u.history[0][0] == &signed[0] {
		s.u.history = s.u.history[1:]
		s.told--
	}
}

// post is what follows when a connection has died: what was not acknowledged is
// to be sent again, and the oldest of it may be the cause.
func (s *session) post(why error) {
	for _, f := range s.inflight {
		if f.pick.Lane != "" {
			s.u.sched.giveBack(f.pick)
		}
	}
	if len(s.inflight) == 0 || s.inflight[0].pick.Lane == "" {
		return // not the doing of an outbox message
	}
	head := s.inflight[0]
	quick := time.Since(head.at) <= s.u.o.PoisonWithin || errors.Is(why, errAckDeadline)
	if quick && s.u.doubt.died(head.pick) {
		s.u.poison(head.pick, fmt.Sprintf("the connection dies whenever it is sent: %v", why))
	}
}

// poison sets a message aside and hands in its rejection.
func (u *Uplink) poison(p pick, why string) {
	u.sched.setAside(p)
	r := Receipt{Consumer: consumerUplink, Epoch: u.o.Epoch, Lane: p.Lane}
	for seq := p.First; seq <= p.Last; seq++ {
		r.Rejected = append(r.Rejected, Rejection{Seq: seq, Code: codePoison, Reason: shorten(why, 500)})
	}
	u.update(func(s *Status) { s.Poisoned++ })
	u.o.Log.Error("message set aside: no broker takes it", "lane", p.Lane, "first", p.First, "last", p.Last, "topic", p.Topic, "reason", why)
	u.intake.put(word{own: &r})
}

// leave ends a connection in good order: no new messages, acknowledgements for
// a while, the retained state to offline, DISCONNECT.
func (s *session) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.u.o.DrainTimeout)
	defer cancel()
	s.publishState(offline, time.Now(), nil)
	for len(s.inflight) > 0 {
		if err := s.t.await(ctx, s.inflight[0].token, s.u.o.DrainTimeout); err != nil {
			break // what was not acknowledged is sent again by the next run
		}
		f := s.inflight[0]
		s.inflight = s.inflight[1:]
		s.ack(f)
	}
	s.t.client.Disconnect(250)
	s.t.kill()
	s.u.update(func(st *Status) { st.Connected, st.Since, st.InFlight = false, time.Now(), 0 })
}
