package uplink

// A message that a broker cannot digest (too large for it, a topic it does not
// like) makes it close the connection; sending it again and again would hold up
// everything behind it for ever.

// quickDeaths is how many connections in a row must die soon after the same
// oldest message was sent before messages are sent one at a time; strikes how
// many must then die with the same one alone in flight.
const (
	quickDeaths = 3
	strikes     = 2
)

// suspect follows which message is in flight when connections die.
type suspect struct {
	lane  string
	first uint64
	// deaths counts those in a row with that message the oldest in flight.
	deaths int
	// careful is how many more messages are to be sent one at a time, 0 for
	// none: the culprit need not be the oldest of a whole window.
	careful int
	window  int
}

// died tells that a connection died with head the oldest message in flight, and
// in a way that may be its doing. It says whether head is poison.
func (s *suspect) died(head pick) (poison bool) {
	if head.Lane != s.lane || head.First != s.first {
		s.lane, s.first, s.deaths = head.Lane, head.First, 0
	}
	s.deaths++
	switch {
	case s.careful > 0 && s.deaths >= strikes:
		s.lane, s.first, s.deaths = "", 0, 0
		return true
	case s.careful == 0 && s.deaths >= quickDeaths:
		s.careful, s.deaths = s.window, 0
	}
	return false
}

// acked tells that the broker took a message.
func (s *suspect) acked(p pick) {
	if p.Lane == s.lane && p.First == s.first {
		s.lane, s.first, s.deaths = "", 0, 0
	}
	if s.careful > 0 {
		s.careful--
	}
}
