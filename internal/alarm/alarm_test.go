package alarm

import "testing"

// TestDiagram walks every state with every event against the rows of
// quality.md 1.1 that are built (A, B, C, D).
//
//andon:req Q48
func TestDiagram(t *testing.T) {
	tests := []struct {
		from State
		on   Event
		to   State
	}{
		{Normal, Raise, Unacknowledged},
		{Normal, Clear, Normal},
		{Normal, Acknowledge, Normal},
		{Unacknowledged, Raise, Unacknowledged},
		{Unacknowledged, Clear, ReturnedUnacked},
		{Unacknowledged, Acknowledge, Acknowledged},
		{Acknowledged, Raise, Acknowledged},
		{Acknowledged, Clear, Normal},
		{Acknowledged, Acknowledge, Acknowledged},
		{ReturnedUnacked, Raise, Unacknowledged},
		{ReturnedUnacked, Clear, ReturnedUnacked},
		{ReturnedUnacked, Acknowledge, Normal},
	}
	for _, tt := range tests {
		got, changed := tt.from.Next(tt.on)
		if got != tt.to || changed != (tt.from != tt.to) {
			t.Errorf("%v on %d: %v (changed %v), want %v", tt.from, tt.on, got, changed, tt.to)
		}
	}
}

func TestNamesRoundTrip(t *testing.T) {
	for s := Normal; s <= OutOfService; s++ {
		b, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back State
		if err := back.UnmarshalText(b); err != nil || back != s {
			t.Errorf("%s: read back as %v, %v", b, back, err)
		}
	}
	var s State
	if err := s.UnmarshalText([]byte("FINE")); err == nil {
		t.Error("FINE was taken for a state")
	}
}
