package uplink

import "math"

// readAhead is how many messages a stream reads at once.
const readAhead = 32

// stream reads one lane's messages in order, each once, from a cursor on. It
// reads ahead, and when there is nothing it asks again only after a wake.
type stream struct {
	lane   string
	outbox Outbox
	cursor uint64 // numbers up to this one have been taken
	until  uint64 // where the stream ends; math.MaxUint64 for never
	ahead  []Message
	dry    bool
}

func newStream(lane string, outbox Outbox, after uint64) stream {
	return stream{lane: lane, outbox: outbox, cursor: after, until: math.MaxUint64}
}

// peek returns the next message, nil if there is none now.
func (s *stream) peek() (*Message, error) {
	if s.done() {
		return nil, nil
	}
	if len(s.ahead) == 0 && !s.dry {
		ms, err := s.outbox.Pending(s.lane, s.cursor, readAhead)
		if err != nil {
			return nil, err
		}
		s.ahead, s.dry = ms, len(ms) == 0
	}
	if len(s.ahead) == 0 {
		return nil, nil
	}
	if s.ahead[0].First > s.until { // a hole up to the end
		s.cursor, s.ahead = s.until, nil
		return nil, nil
	}
	return &s.ahead[0], nil
}

// take moves past the message that peek returned.
func (s *stream) take() {
	s.cursor = s.ahead[0].Last
	s.ahead = s.ahead[1:]
}

// back makes the stream read first and what follows again: it was taken but
// the broker did not acknowledge it.
func (s *stream) back(first uint64) {
	if first <= s.cursor {
		s.cursor = first - 1
		s.ahead, s.dry = nil, false
	}
}

// wake makes the stream look again, also at what it has read ahead: an entry
// may have become a tombstone.
func (s *stream) wake() { s.ahead, s.dry = nil, false }

func (s *stream) done() bool { return s.cursor >= s.until }

// unread is how many numbers up to raised the stream has still before it, those
// that are not outstanding any more included.
func (s *stream) unread(raised uint64) uint64 {
	end := min(s.until, raised)
	return end - min(s.cursor, end)
}
